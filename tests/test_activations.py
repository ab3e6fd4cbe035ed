"""Mean maps are means, the test finds planted differences and no others, regions lie on the landmarks."""

import numpy as np
import pandas as pd
import pytest

from mesokit import dataset, faces, models
from mesokit.dataset import manifest
from mesokit.interpret import activations, regions


@pytest.fixture(scope="module")
def table(tiny):
    found = dataset.read(tiny)
    return found[(found["crf"] == 23) & found["method"].isin(["real", "deepfake"])].reset_index(drop=True)


def test_clip_maps_are_the_means_of_the_layers_outputs(table, tiny):
    network = models.meso4(seed=3)
    rows = table[table["clip"].isin(sorted(table["clip"].unique())[:2])]
    found = list(activations.clip_maps(network, ["conv1", "conv4"], rows, tiny, batch=2))  # 3 faces a clip: 2 and 1
    assert [about["clip"] for about, _ in found] == sorted(rows["clip"].unique())
    for about, maps in found:
        images = dataset.images(rows[rows["clip"] == about["clip"]], tiny).astype(np.float32) / 255
        assert about["n_faces"] == len(images)
        for name in ("conv1", "conv4"):
            whole = np.asarray(models.activations(network, name)(images, training=False)[0])
            assert np.allclose(maps[name], whole.mean(axis=0), atol=1e-5)
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        next(activations.clip_maps(network, ["conv9"], rows, tiny))


def test_layers_are_the_convolutions_of_either_network():
    assert activations.layers(models.meso4(size=32)) == ["conv1", "conv2", "conv3", "conv4"]
    assert activations.layers(models.meso_inception4(size=32)) == ["block1", "block2", "conv3", "conv4"]


def test_differences_are_real_minus_forged_of_each_group():
    clips = pd.DataFrame({"label": ["real", "forged", "real", "forged", "forged"], "group": list("bbaaa")})
    maps = np.array([5.0, 1.0, 10.0, 2.0, 4.0])[:, None, None] * np.ones((2, 2))
    assert np.allclose(activations.differences(maps, clips)[:, 0, 0], [10 - 3, 5 - 1])  # sorted: a, then b
    with pytest.raises(ValueError, match="group b has real clips only"):
        activations.differences(maps[[0, 2, 3]], clips.iloc[[0, 2, 3]])


def test_a_planted_difference_has_the_smallest_p_and_stands_out_where_it_is():
    rng = np.random.default_rng(0)
    found = rng.normal(0, 0.1, (6, 8, 8))
    found[:, 2, 5] += 3
    tested = activations.sign_flip_test(found)
    assert tested.p == tested.smallest_p == 1 / 32  # 6 groups, the first keeps its sign
    assert np.allclose(tested.mean, found.mean(axis=0))
    assert np.argwhere(np.abs(tested.mean) > 1).tolist() == [[2, 5]]
    assert len(activations.sign_flip_test(found, flips=20).largest) == 20  # more choices than that: drawn
    every = [activations.sign_flip_test(found, flips=32, seed=seed).largest for seed in (1, 2)]
    assert np.array_equal(*every)  # as many as there are: each once


def test_without_a_difference_p_is_uniform():
    rng = np.random.default_rng(1)
    p = np.array([activations.sign_flip_test(rng.normal(size=(7, 3, 3))).p for _ in range(400)])
    for level in (0.1, 0.25, 0.5, 0.75):
        assert abs((p <= level).mean() - level) < 0.07  # three standard errors of 400 trials
    assert activations.sign_flip_test(np.zeros((4, 3, 3))).p == 1
    with pytest.raises(ValueError, match="at least 2"):
        activations.sign_flip_test(np.zeros((1, 3, 3)))


def test_a_planted_difference_counts_whatever_its_sign():
    found = np.full((6, 2, 2), 0.1)
    found[:, 1, 0] = -3
    tested = activations.sign_flip_test(found)
    assert tested.p == tested.smallest_p
    assert tested.largest[0] == pytest.approx(3)


def test_drawn_exchanges_follow_their_seed():
    found = np.random.default_rng(0).normal(size=(12, 2, 2))
    first, again, other = (activations.sign_flip_test(found, flips=30, seed=seed).largest for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert first[0] == other[0] and not np.allclose(first, other)
    # Every sign is 1 or -1, so the sum of twelve ones is even after each exchange.
    sums = 12 * activations.sign_flip_test(np.ones((12, 1, 1)), flips=30).largest
    assert np.allclose(sums % 2, 0) and len(set(np.round(sums))) > 2
    halves = [activations.shuffled(found, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(halves[0], halves[1]) and not np.array_equal(halves[0], halves[2])


def test_shuffled_flips_half_of_the_units():
    found = np.ones((6, 2, 2))
    assert sorted(activations.shuffled(found, seed=4)[:, 0, 0]) == [-1, -1, -1, 1, 1, 1]


def test_by_region_and_agreement_find_what_was_planted():
    where = {"left": np.zeros((16, 16)), "right": np.zeros((16, 16))}
    where["left"][:, :4], where["right"][:, 12:] = 1, 1
    maps = np.zeros((2, 8, 8))
    maps[0, :, :2], maps[1, :, 6:] = 3, -5
    assert np.allclose(activations.by_region(maps, where), [[3, 0], [0, -5]])
    assert np.allclose(activations.by_region(maps[:1], where, relative=True), [[4, 0]])  # a quarter of it is active
    assert activations.agreement(maps[1], where["right"]) == 1
    assert activations.agreement(np.ones((8, 8)), where["right"]) == 0.5
    assert np.isnan(activations.agreement(maps[0], np.zeros((16, 16))))


@pytest.fixture
def rows():
    """Three faces as faces.csv has them: frontal, half turned and tilted; eyes, nose and the corners of the mouth."""
    upright = [[200, 150], [270, 150], [235, 190], [205, 225], [265, 225]]
    turned = [[200, 150], [250, 150], [250, 190], [205, 230], [245, 230]]
    tilted = [[190, 150], [255, 175], [210, 205], [175, 225], [225, 245]]
    columns = [f"{point}_{c}" for point in manifest.POINTS for c in "xy"]
    return pd.DataFrame([np.ravel(face) for face in (upright, turned, tilted)], columns=columns)


def test_regions_share_no_pixel_and_hold_their_landmarks(rows):
    for landmarks in regions.points(rows):
        parts = regions.of_face(landmarks)
        assert tuple(parts) == regions.NAMES
        assert np.sum(list(parts.values()), axis=0).max() == 1
        for name, (x, y) in zip(("eyes", "eyes", "nose"), np.round(landmarks[:3]).astype(int), strict=True):
            assert parts[name][y, x]
        x, y = np.round(landmarks[3:].mean(axis=0)).astype(int)
        assert parts["mouth"][y, x]
        assert parts["background"][0, 0]
        assert not parts["background"][128, 128]
    shares = regions.mean(rows)
    assert shares["eyes"].shape == (256, 256)
    assert 0 <= shares["eyes"].min() <= shares["eyes"].max() <= 1


def test_eyes_are_ovals_of_the_given_size(rows):
    """Half axes .27 and .15 of a span, and a span is 256 / (1.3 * 2.2) pixels."""
    landmarks = regions.points(rows)[0]
    y, x = np.nonzero(regions.of_face(landmarks)["eyes"][:, : int(landmarks[:2, 0].mean())])  # the left one
    span = 256 / (1.3 * 2.2)
    assert (np.ptp(x) + 1, np.ptp(y) + 1) == pytest.approx((2 * 0.27 * span, 2 * 0.15 * span), abs=1.5)
    assert (x.mean(), y.mean()) == pytest.approx(tuple(landmarks[0]), abs=0.5)


def test_points_are_where_the_crop_put_the_landmarks(rows):
    """The nose is the middle of the crop; the scale is the crop's."""
    points = regions.points(rows)
    assert np.allclose(points[:, 2], 127.5, atol=0.01)
    eyes, mouth = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
    spans = np.maximum(np.linalg.norm(points[:, 1] - points[:, 0], axis=1), np.linalg.norm(mouth - eyes, axis=1))
    assert np.allclose(spans, 256 / faces.ZOOM, atol=0.1)
    assert np.allclose(eyes[:, 0], mouth[:, 0], atol=0.1)  # upright
