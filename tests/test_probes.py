"""Probes: features are those of the layer, and a probe that knows the person fails on strangers only."""

import numpy as np
import pandas as pd
import pytest

from mesokit import dataset, models
from mesokit.evaluation import probes


def test_features_are_what_the_layer_computes(tiny):
    table = dataset.read(tiny).head(5)
    network = models.meso4(seed=1)
    found = probes.features(network, table, tiny, "pool4")
    images = dataset.images(table, tiny) / np.float32(255)
    expected = np.asarray(models.activations(network, "pool4")(images)).reshape(5, -1)
    assert found.shape == (5, 1024)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


@pytest.fixture
def people():
    """Ten groups of ten faces whose features say who it is, and nothing else; half of the groups are real."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(10), 10)
    values = rng.normal(size=(10, 30))[group] + 0.1 * rng.normal(size=(100, 30))
    return values, pd.DataFrame({"group": group, "label": np.where(group % 2, "real", "forged")})


def test_split_by_frame_a_probe_seems_to_know_strangers(people):
    values, table = people
    right = {
        by: ((probes.out_of_fold(values, table, by) > 0.5) == (table["label"] == "real")).mean()
        for by in ("frame", "group")
    }
    assert right["frame"] == 1
    assert right["group"] < 0.75


def test_a_probe_learns_what_it_was_given(people):
    values, table = people
    p_real = probes.p_real(probes.fit(values, table["label"]), values)
    assert ((p_real > 0.5) == (table["label"] == "real")).all()
    assert p_real.min() >= 0
    assert p_real.max() <= 1
