"""The trivial detectors: they see what they measure and nothing else."""

import cv2
import numpy as np
import pandas as pd
import pytest

from mesokit import evaluation
from mesokit.dataset import pictures
from mesokit.evaluation import baselines


@pytest.fixture
def blurred(tmp_path):
    """Forty noisy faces; every second one is blurred a little and called forged."""
    rng, rows = np.random.default_rng(0), []
    for i in range(40):
        face = rng.integers(0, 256, (256, 256, 3)).astype(np.uint8)
        pictures.write_png(tmp_path / f"{i}.png", cv2.GaussianBlur(face, (0, 0), 1.0) if i % 2 else face)
        rows.append({"path": f"{i}.png", "label": "forged" if i % 2 else "real", "clip": f"c{i}", "crf": 0})
    return pd.DataFrame(rows), tmp_path


@pytest.mark.parametrize("features", baselines.FEATURES)
def test_a_baseline_tells_blurred_from_sharp(blurred, features):
    table, root = blurred
    score = baselines.fit(features, table.iloc[:20], root)
    scores = pd.concat(evaluation.score_faces(score, table.iloc[20:], root))
    assert evaluation.accuracy(scores)["accuracy"] == 1


def test_sharpness_is_the_variance_of_the_laplacian():
    face = np.zeros((256, 256, 3), np.uint8)
    face[128, 128] = 255
    by_hand = cv2.Laplacian(face[..., 0].astype(np.float64), cv2.CV_64F).var()
    assert baselines.sharpness(face[None])[0, 0] == pytest.approx(np.log1p(by_hand))


def test_band_energies_of_a_wave_by_hand():
    """A wave of 16 pixels and amplitude 100 across the face; gain of the blur at w: exp(-w^2 / 2).

    Octave 1 has the power left by a Gaussian of sigma 1. Octave 2 gets the blurred wave, halved by means of two pixels
    (gain cos(w / 2)), so its frequency is 2w.
    """
    w, power = 2 * np.pi / 16, 100**2 / 2
    face = np.round(128 + 100 * np.sin(w * np.arange(256))).astype(np.uint8)[None, None, :, None] * np.ones(
        (1, 256, 1, 3), np.uint8
    )
    kept, kept_then = np.exp(-(w**2) / 2), np.exp(-((2 * w) ** 2) / 2)
    first = power * (1 - kept) ** 2
    second = power * (kept * np.cos(w / 2)) ** 2 * (1 - kept_then) ** 2
    energies = np.exp(baselines.band_energies(face)[0].reshape(baselines.SCALES, len(baselines.REGIONS))) - 0.1
    eyes = list(baselines.REGIONS).index("eyes")  # 144 pixels wide: nine waves
    assert energies[:2, eyes] == pytest.approx([first, second], rel=0.03)
    assert np.allclose(baselines.band_energies(np.full((1, 256, 256, 3), 90, np.uint8)), np.log(0.1))


def test_more_faces_than_one_batch_are_learnt_from(tmp_path):
    """256 smooth forged faces, which fill a batch, and two sharp real ones: the last decide what real is."""
    rng, table = np.random.default_rng(0), pd.DataFrame({"path": [f"{i}.png" for i in range(258)]})
    for i, path in enumerate(table["path"]):
        spread = 2 + i % 3 if i < 256 else 60
        pictures.write_png(tmp_path / path, (128 + rng.integers(-spread, spread, (8, 8, 3))).astype(np.uint8))
    table["label"] = ["forged"] * 256 + ["real"] * 2
    score = baselines.fit("sharpness", table, tmp_path)
    p_real = pd.concat(evaluation.score_faces(score, table, tmp_path))["p_real"].to_numpy()
    assert (p_real > 0.5).tolist() == [False] * 256 + [True] * 2


def test_energy_shows_in_its_own_region_and_octave():
    rng = np.random.default_rng(0)
    face = np.full((256, 256, 3), 128, np.uint8)
    (top, bottom), (left, right) = baselines.REGIONS["mouth"]
    face[top:bottom, left:right] = rng.integers(0, 256, (bottom - top, right - left, 1))
    energies = baselines.band_energies(face[None])[0].reshape(baselines.SCALES, len(baselines.REGIONS))
    assert baselines.REGIONS.keys() and list(baselines.REGIONS)[int(energies[0].argmax())] == "mouth"
    assert energies[0, 2] > energies[2, 2]


def test_wrong_use_is_one_sentence(blurred):
    table, root = blurred
    with pytest.raises(ValueError, match="no baseline is called 'magic'"):
        baselines.fit("magic", table, root)
    with pytest.raises(ValueError, match="one class only"):
        baselines.fit("sharpness", table[table["label"] == "real"], root)


def _scored(right, clips):
    label = np.where(np.arange(len(right)) % 2, "forged", "real")
    p_real = np.where((label == "real") == np.array(right, bool), 0.9, 0.1)
    return pd.DataFrame({"clip": clips, "crf": 0, "frame": range(len(right)), "label": label, "p_real": p_real})


def test_the_interval_is_that_of_the_accuracy():
    rng = np.random.default_rng(0)
    scores = _scored(rng.random(60) < 0.8, np.repeat([f"c{i}" for i in range(6)], 10))
    right = ((scores["p_real"] > 0.5) == (scores["label"] == "real")).to_numpy(float)
    mean, low, high = evaluation.mean(right, scores["clip"])
    assert (low, high) == pytest.approx(evaluation.interval(scores))
    assert mean == pytest.approx(evaluation.accuracy(scores)["accuracy"])


def test_gain_is_counted_face_by_face():
    clips = ["a"] * 4 + ["b"] * 4
    good, poor = _scored([1, 1, 1, 0, 1, 1, 1, 0], clips), _scored([1, 0, 1, 0, 1, 0, 1, 0], clips)
    assert evaluation.difference(good, poor) == (0.25, 0.25, 0.25)  # both clips gain alike
    mean, low, high = evaluation.difference(good, _scored([0, 0, 0, 0, 1, 1, 1, 0], clips))
    assert (mean, low, high) == (0.375, 0, 0.75)
    with pytest.raises(ValueError, match="the same clips on both sides"):
        evaluation.difference(good, poor[:4])
