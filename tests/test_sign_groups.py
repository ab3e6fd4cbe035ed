"""Sign groups of a network with planted weights, and detail planted in and around a face."""

import numpy as np
import pandas as pd
import pytest

from mesokit import models
from mesokit.interpret import maximize, sign_groups


@pytest.fixture(scope="module")
def face():
    region = np.zeros((64, 64), bool)
    region[20:44, 20:44] = True
    return region


def test_groups_follow_the_sign_of_the_output_weight():
    network = models.meso4(size=32)
    weights = np.linspace(-1, 0.53, 16, dtype=np.float32)[:, None]
    network.get_layer("logit").kernel.assign(weights)
    table = sign_groups.of(network)
    assert np.allclose(table["weight"], weights[:, 0])
    assert (table["group"] == np.where(weights[:, 0] > 0, "real", "forged")).all()
    assert table["sign"].tolist() == np.sign(weights[:, 0]).astype(int).tolist()


def test_detail_is_where_it_was_planted(face):
    noise = np.random.default_rng(0).random((64, 64, 3), dtype=np.float32)
    gray = np.full_like(noise, 0.5)
    inside, outside = np.where(face[..., None], noise, gray), np.where(face[..., None], gray, noise)
    shares = sign_groups._face_share(np.stack([inside, outside, noise, gray]), face)
    assert shares[0] > 0.9
    assert shares[1] < 0.1
    assert np.allclose(shares[2:], 0.5, atol=0.05)


def test_the_region_is_what_most_masks_cover():
    masks = np.zeros((3, 4, 4), np.uint8)
    masks[:2, 1] = 255
    masks[0, 2] = 255
    assert np.argwhere(sign_groups.face_region(masks).any(1)).ravel().tolist() == [1]


def test_the_permutation_test_counts():
    table = pd.DataFrame({"face_share": [0.9, 0.8, 0.2, 0.1], "sign": [1, 1, -1, -1]})
    found, mirrored = (sign_groups.compare(table.assign(face_share=by * table["face_share"])) for by in (1, -1))
    assert (found["value"], mirrored["value"]) == pytest.approx((0.7, -0.7))
    # Two of the six ways to deal two signs of four are as far from 0, one on each side.
    assert found["p_value"] == mirrored["p_value"] == pytest.approx(1 / 3, abs=0.02)
    # All six ways to deal the signs of these are at least as far from 0.
    middle = sign_groups.compare(pd.DataFrame({"face_share": [1.0, 0.0, 0.6, 0.2], "sign": [1, 1, -1, -1]}))
    assert middle["value"] == pytest.approx(0.1) and middle["p_value"] == 1
    with pytest.raises(ValueError, match="one sign"):
        sign_groups.compare(table.iloc[:2])


def test_the_interval_covers_the_truth_about_as_often_as_its_level():
    rng = np.random.default_rng(0)
    signs = np.repeat([1, -1], 8)
    drawn = [sign_groups._interval(rng.normal(size=16) + 2 * (signs > 0), signs, resamples=500) for _ in range(400)]
    assert 0.89 < np.mean([low <= 2 <= high for low, high in drawn]) < 0.97
    values = rng.normal(size=16)
    assert sign_groups._interval(values, signs) == sign_groups._interval(values, signs)
    assert np.isnan(sign_groups._interval(values, np.repeat([1, -1], [15, 1]))).all()


def test_interval_and_p_follow_their_seed():
    table = pd.DataFrame({"face_share": np.linspace(0, 1, 12) ** 2, "sign": [1, -1, -1] * 4})
    first, again, other = (sign_groups.compare(table, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["value"] == other["value"]
    assert all(first[name] != other[name] for name in ("low", "high", "p_value"))


@pytest.mark.slow
def test_neurons_are_climbed_in_order_and_their_restarts_averaged():
    network = models.meso4(size=32, seed=2)
    order = sign_groups.of(network).sort_values("weight")["unit"].tolist()
    found = sign_groups.climb(network, maximize.Settings(steps=1), pull=0.2, restarts=2, seed=5)
    assert found.table["unit"].tolist() == order * 2
    assert found.table["seed"].tolist() == [5] * 16 + [6] * 16
    assert np.allclose(found.table["lam"][:16], maximize.balance(network, "hidden_leaky", order, 0.2, seeds=5))
    face = np.zeros((32, 32), bool)
    face[12:20, 12:20] = True
    table = sign_groups.shares(network, found, face)
    both = sign_groups._face_share(found.images[[3, 19]], face)
    assert np.isclose(table["face_share"][order[3]], both.mean())


def test_groups_are_compared_by_difference_interval_and_p():
    table = pd.DataFrame({"face_share": [0.9, 0.8, 0.7, 0.3, 0.2, 0.1], "sign": [1, 1, 1, -1, -1, -1]})
    found = sign_groups.compare(table)
    assert np.isclose(found["value"], 0.6)
    assert 0.4 < found["low"] < 0.5 < 0.7 < found["high"] < 0.8
    assert abs(found["p_value"] - 2 / 20) < 0.01
    assert (found["n_real"], found["n_forged"]) == (3, 3)
