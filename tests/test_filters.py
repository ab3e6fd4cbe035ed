"""Readings of filters against kernels whose answer is known."""

import numpy as np
import pytest

from mesokit import models
from mesokit.interpret import filters


@pytest.fixture(scope="module")
def small():
    return models.meso4(size=32, seed=3)


def test_a_planted_second_derivative_is_found():
    weights = np.full((3, 3, 2, 4), 0.5)
    weights[0, :, 1, 2] = 1, -2, 1
    found = filters.alternates(weights)
    assert np.argwhere(found).tolist() == [[0, 1, 2]]
    share = filters.second_derivative_share(weights)
    assert np.isclose(share[0, 1, 2], 1)
    assert np.isclose(share[0, 0, 0], 0)


def test_columns_come_after_rows():
    weights = np.ones((3, 3, 1, 1))
    weights[:, 2, 0, 0] = -1, 3, -1
    assert np.argwhere(filters.alternates(weights))[:, 0].tolist() == [3 + 2]
    assert np.array_equal(filters._lines(weights)[5, :, 0, 0], [-1, 3, -1])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ([1, -2, 1], True),
        ([-1, 2, -1], True),
        ([1, 1, -1], False),
        ([1, 0, -1], False),
        ([1, 1, -3, -1, 2], True),
        ([1, -1, 1, -1, 1], False),
        ([1, 0, -1, 0, 1], True),
        ([0, 0, 0], False),
    ],
)
def test_sign_runs(line, expected):
    weights = np.zeros((len(line), len(line), 1, 1))
    weights[0, :, 0, 0] = line
    assert filters.alternates(weights)[0, 0, 0] == expected


def test_untrained_kernels_are_those_of_untrained_networks(small):
    seed = models.SEEDS * 3  # of conv1 in a network of seed 3
    drawn = filters.untrained(small, "conv1", range(seed, seed + 2))
    assert np.array_equal(drawn[0], filters.kernel(small, "conv1"))
    assert not np.array_equal(drawn[0], drawn[1])


def test_chance_is_a_quarter(small):
    drawn = filters.alternates(filters.untrained(small, "conv1", range(200)))
    assert drawn.shape == (200, 6, 3, 8)
    assert abs(drawn.mean() - 0.25) < 0.01
    shares = filters.second_derivative_share(filters.untrained(small, "conv1", range(200)))
    assert abs(shares.mean() - 1 / 3) < 0.02


def test_p_values():
    null = np.arange(99)
    assert filters.p_value(98.5, null) == 0.01
    assert filters.p_value(98, null) == 0.02
    assert filters.p_value(-1, null) == 1


def test_alternation_beside_chance(small):
    drawn = filters.untrained(small, "conv1", range(201))
    found = filters.alternation(drawn[0], drawn[1:])
    null = filters.alternates(drawn[1:]).mean(axis=(1, 2, 3))
    assert np.isclose(found["value"], found["share"] - null.mean())
    assert np.isclose(found["share"] - found["high"], np.quantile(null, 0.025))
    assert found["low"] < 0 < found["high"]
    assert found["p"] == filters.p_value(found["share"], null)
    planted = np.broadcast_to(np.outer([1, -2, 1], [1, -2, 1])[..., None, None], (3, 3, 3, 8))
    beyond = filters.alternation(planted, drawn)
    assert beyond["low"] > 0 and beyond["p"] == beyond["p_finer"] == 1 / 202
    assert np.isnan(filters.alternation(np.ones((5, 5, 3, 8)), np.ones((2, 5, 5, 3, 8)))["p_finer"])


def test_frequency_responses():
    mean = np.full((3, 3, 1, 1), 1 / 9)
    edge = np.zeros((3, 3, 1, 1))
    edge[1, :, 0, 0] = 1, -2, 1
    low, high = (filters.frequency_response(one)[..., 0, 0] for one in (mean, edge))
    assert np.isclose(low[32, 32], 1)
    assert low.max() == low[32, 32]
    assert np.isclose(high[32, 32], 0)
    across = np.fft.fftshift(np.fft.fftfreq(64))
    assert np.allclose(high[5], 4 * np.sin(np.pi * across) ** 2)  # |2 cos(2 pi f) - 2|, the same in each row
    spread = filters.frequency_response(edge, dilation=2)[..., 0, 0]
    assert np.allclose(spread[5], 4 * np.sin(2 * np.pi * across) ** 2)


def test_feature_maps_are_the_convolution(small):
    faces = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    maps = filters.feature_maps(small, "conv1", faces)
    weights, patch = filters.kernel(small, "conv1"), faces[1, 9:12, 19:22] / 255
    assert np.allclose(maps[1, 10, 20], np.maximum(np.tensordot(patch, weights, 3), 0), atol=1e-5)
    with pytest.raises(ValueError, match="hidden has no maps"):
        filters.feature_maps(small, "hidden", faces)
    with pytest.raises(ValueError, match="uint8"):
        filters.feature_maps(small, "conv1", faces / 255)


def test_first_kernels_of_both_networks(small):
    inception = models.meso_inception4(size=32)
    assert filters.first_kernels(small) == ["conv1"]
    assert filters.first_kernels(inception) == ["block1_3x3", "block1_dilated2", "block1_dilated3"]
    assert [filters.dilation(inception, name) for name in filters.first_kernels(inception)] == [1, 2, 3]
    with pytest.raises(ValueError, match="no convolution 'hidden'"):
        filters.kernel(small, "hidden")
