"""Scores and metrics against values worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from mesokit import evaluation, models

SHARED = {"method": "real", "identity": "a", "group": "g", "split": "test"}


def _scores(rows):
    return pd.DataFrame([{"clip": c, "crf": 23, "label": label, "p_real": p, **SHARED} for c, label, p in rows])


HAND = _scores(
    [
        ("a", "real", 0.9),
        ("a", "real", 0.2),
        ("a", "real", 0.7),
        ("b", "forged", 0.6),
        ("b", "forged", 0.1),
        ("c", "forged", 0.3),
    ]
)


@pytest.mark.parametrize("name", models.NETWORKS)
def test_scorer_agrees_with_keras(name):
    network = models.NETWORKS[name](size=64, seed=5)
    for norm in ("norm1", "norm4"):  # moving statistics that a forgotten training=False would not use
        network.get_layer(norm).moving_mean.assign(np.full(network.get_layer(norm).moving_mean.shape, 0.3))
    images = np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3)).astype(np.uint8)
    score = evaluation.scorer(network)
    expected = network.predict(images / np.float32(255), verbose=0)[:, 0]
    assert np.abs(score(images) - expected).max() < 1e-5
    assert np.abs(score(images / np.float32(255)) - expected).max() < 1e-5
    assert score(images[:0]).shape == (0,)


def test_the_fast_path_is_used():
    assert evaluation._onnx(models.meso4(size=32)) is not None


def test_scorer_refuses_pixels_of_unknown_range():
    score = evaluation.scorer(models.meso4(size=32))
    with pytest.raises(ValueError, match="divide by 255"):
        score(np.full((1, 32, 32, 3), 128.0))
    with pytest.raises(ValueError, match="divide by 255"):
        score(np.full((1, 32, 32, 3), np.nan))
    with pytest.raises(ValueError, match=r"shape \(n, 32, 32, 3\); got \(32, 32, 3\)"):
        score(np.zeros((32, 32, 3), np.uint8))


def test_rules():
    p_real = np.array([0.9, 0.6, 0.1, 0.5])
    assert evaluation.RULES["mean"](p_real) == pytest.approx(0.525)
    assert evaluation.RULES["median"](p_real) == pytest.approx(0.55)
    assert evaluation.RULES["vote"](p_real) == 0.5
    with pytest.raises(ValueError, match="no aggregation rule is called 'best'; there are mean"):
        evaluation.rule("best")


def test_per_clip_by_hand():
    clips = evaluation.per_clip(HAND)
    assert clips["clip"].tolist() == ["a", "b", "c"]
    assert clips["p_real"].tolist() == pytest.approx([0.6, 0.35, 0.3])
    assert clips["n_faces"].tolist() == [3, 2, 1]


def test_accuracy_by_hand():
    frames = evaluation.accuracy(HAND)
    assert frames["accuracy"] == pytest.approx(4 / 6)
    assert frames["accuracy_real"] == pytest.approx(2 / 3)
    assert frames["accuracy_forged"] == pytest.approx(2 / 3)
    assert frames["roc_auc"] == pytest.approx(7 / 9)  # of 9 pairs, real 0.2 loses to forged 0.3 and 0.6
    assert evaluation.accuracy(evaluation.per_clip(HAND))["accuracy"] == 1
    assert np.isnan(evaluation.accuracy(HAND[HAND["label"] == "real"])["roc_auc"])


def test_interval_draws_clips_not_frames():
    few = _scores([(f"c{i}", "real", 0.9 if i % 2 else 0.1) for i in range(4) for _ in range(100)])
    low, high = evaluation.interval(few)
    assert (low, high) == (0.0, 1.0)  # four clips, whatever the number of their frames
    many = _scores([(f"c{i}", "real", 0.9 if i % 2 else 0.1) for i in range(400)])
    low, high = evaluation.interval(many)
    assert low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.01)
    assert high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.01)
