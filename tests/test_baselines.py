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
