"""Changes of faces by hand, the curves they give, and the arithmetic of rare forgeries."""

import numpy as np
import pandas as pd
import pytest

from mesokit import dataset, stress
from mesokit.dataset import manifest

RNG = np.random.default_rng(0)
FACES = RNG.integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize(("name", "none"), [("resolution", 64), ("band", 0), ("gamma", 1)])
def test_no_strength_changes_nothing_and_the_faces_given_stay(name, none):
    before = FACES.copy()
    same = stress.CHANGES[name](FACES, none)
    assert same.dtype == np.uint8
    assert np.array_equal(same, FACES)
    for strength in (20, 0.5):
        stress.CHANGES[name](FACES, max(strength, 1) if name == "resolution" else min(strength, 0.5))
    assert np.array_equal(FACES, before)


def test_resolution_loses_what_is_finer():
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    fine = np.repeat(checks[None, :, :, None], 3, axis=3).astype(np.uint8)
    assert stress.CHANGES["resolution"](fine, 32).std() < 3
    assert stress.CHANGES["resolution"](fine, 64).std() > 120


def test_the_band_covers_its_share():
    covered = stress.CHANGES["band"](np.zeros((1, 100, 80, 3), np.uint8), 0.2)[0]
    assert np.flatnonzero(covered[:, 0, 0]).tolist() == list(range(25, 45))
    assert set(np.unique(covered)) == {0, 128}
    assert (stress.CHANGES["band"](np.zeros((1, 100, 80, 3), np.uint8), 0.9)[0, :80] == 128).all()


def test_gamma_by_hand():
    face = np.array([0, 51, 128, 255], np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    assert stress.CHANGES["gamma"](face, 2.0)[0, :, :, 0].ravel().tolist() == [
        0,
        10,
        64,
        255,
    ]  # 255 * (51 / 255) ** 2 = 10.2
    assert stress.CHANGES["gamma"](face, 0.5)[0, 0, 1, 0] == 114  # 255 * sqrt(0.2)


def test_jpeg_keeps_colours_in_order_and_gets_worse():
    red = np.zeros((1, 32, 32, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(stress.CHANGES["jpeg"](red, 95).astype(int) - red).max() < 6
    away = [np.abs(stress.CHANGES["jpeg"](FACES, quality).astype(int) - FACES).mean() for quality in (95, 50, 10)]
    assert away == sorted(away)


def _table():
    label = ["real", "real", "forged", "forged"]
    return pd.DataFrame({"clip": ["a", "b", "c", "d"], "label": label})


def test_scores_and_their_curve():
    bright = lambda images: images.mean(axis=(1, 2, 3)) / 255  # noqa: E731
    images = np.stack([np.full((8, 8, 3), v, np.uint8) for v in (204, 153, 51, 102)])
    found = pd.concat(
        stress.scores(
            {"bright": bright, "no": lambda x: 0 * bright(x)}, _table(), images, stress.CHANGES["gamma"], [1, 4]
        )
    )
    assert len(found) == 16
    table = stress.curve(found).set_index(["detector", "strength", "what"])
    assert table.loc[("bright", 1, "accuracy"), ["value", "low", "high"]].tolist() == [1, 1, 1]
    assert table.loc[("bright", 1, "p_real of real"), "value"] == pytest.approx(0.7)
    assert table.loc[("bright", 1, "p_real of real"), "low"] == pytest.approx(0.6)
    assert table.loc[("bright", 4, "accuracy of real"), "value"] == 0
    assert table.loc[("no", 1, "accuracy"), "value"] == 0.5


def test_faces_of_a_clip_encoded_again(tiny):
    table = dataset.read(tiny)
    rows = table[(table["clip"] == "p000_real") & (table["crf"] == 0)].sort_values("frame")
    clips = manifest.read_clips(tiny / "clips.csv")
    path = tiny / clips[(clips["clip"] == "p000_real") & (clips["crf"] == 0)]["path"].iloc[0]
    original = dataset.images(rows, tiny).astype(int)
    lossless, coarse = stress.recompress(path, rows, [0, 51])
    assert lossless.shape == original.shape
    # The table rounds landmarks to hundredths of a pixel: the crop may move by that, no further.
    assert np.abs(lossless - original).mean() < 0.2
    assert np.abs(coarse - original).mean() > 10 * np.abs(lossless - original).mean()
