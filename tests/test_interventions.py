"""Edits stay in their region and keep to their energy; a band takes exactly the planted wave."""

import cv2
import numpy as np
import pandas as pd
import pytest

from mesokit.interpret import interventions

SIZE = 64


@pytest.fixture
def face():
    return np.random.default_rng(0).random((SIZE, SIZE, 3)).astype(np.float32)


@pytest.fixture
def region():
    found = np.zeros((SIZE, SIZE), bool)
    found[20:50, 10:40] = True
    return found


def detail(image, where):
    return float((cv2.Laplacian(image, cv2.CV_32F)[where] ** 2).mean())


@pytest.mark.parametrize(("operation", "more"), [("blur", False), ("sharpen", True)])
def test_an_edit_stays_in_its_region(face, region, operation, more):
    smooth = cv2.GaussianBlur(face, (0, 0), 1.5)  # something to sharpen
    edited = interventions.edit(smooth, region, operation, 2.0)
    assert np.array_equal(edited[~region], smooth[~region])
    assert (detail(edited, region) > detail(smooth, region)) == more
    assert edited.min() >= 0 and edited.max() <= 1


def test_energy_limits_a_change_and_leaves_a_smaller_one(face, region):
    whole = interventions.rms(interventions.edit(face, region, "blur", 2.0) - face)
    assert interventions.rms(interventions.edit(face, region, "blur", 2.0, whole / 3) - face) == pytest.approx(
        whole / 3
    )
    assert interventions.rms(interventions.edit(face, region, "blur", 2.0, 9.0) - face) == pytest.approx(whole)
    with pytest.raises(ValueError, match="no operation is called 'paint'"):
        interventions.edit(face, region, "paint", 2.0)


def test_scattered_changes_have_the_same_values_elsewhere(face, region):
    middle = 0.4 + 0.2 * face  # far from 0 and 1
    edited = interventions.edit(middle, region, "blur", 2.0)
    control = interventions.scattered(middle, edited, region, np.random.default_rng(1))
    assert np.array_equal(control[~region], middle[~region])
    assert interventions.rms(control - middle) == pytest.approx(interventions.rms(edited - middle), rel=1e-4)
    sort = lambda image: np.sort((image - middle)[region][:, 0])  # noqa: E731
    assert np.allclose(sort(control), sort(edited), atol=1e-6)
    assert not np.allclose(control, edited, atol=0.01)


def test_effects_are_what_the_network_says_of_the_edit(face, region):
    faces = np.stack([(255 * face).astype(np.uint8)] * 2)
    parts = {"inside": region, "none": np.zeros_like(region)}
    logit = lambda images: 10 * np.array([detail(image, region) for image in images])  # noqa: E731
    table = pd.concat(interventions.effects(logit, faces, [parts, parts], "blur", 2.0))
    assert table["region"].tolist() == ["inside", "none"] * 2
    inside, none = table.iloc[0], table.iloc[1]
    assert inside["effect"] < 0 < inside["rms"]
    assert inside["effect"] < inside["control"]
    assert inside["area"] == region.mean()
    assert none["effect"] == none["control"] == none["rms"] == 0
    for when in ("before", "after", "scattered"):
        assert inside[f"p_{when}"] == pytest.approx(1 / (1 + np.exp(-inside[when])))


def wave(cycles_x, cycles_y, size=SIZE, strength=0.2):
    y, x = np.mgrid[:size, :size] / size
    return (strength * np.sin(2 * np.pi * (cycles_x * x + cycles_y * y)))[..., None] * np.ones(3)


def test_a_band_takes_the_planted_wave_and_nothing_else():
    coarse, fine = wave(2, 1), wave(12, 9)  # 2.2 and 15 cycles
    image = (0.5 + coarse + fine).astype(np.float32)[None]
    assert np.allclose(interventions.remove_band(image, 8, 16), 0.5 + coarse, atol=1e-5)
    assert np.allclose(interventions.remove_band(image, 2, 4), 0.5 + fine, atol=1e-5)
    assert np.allclose(interventions.remove_band(image, 4, 8), image, atol=1e-5)
    assert np.allclose(interventions.band(image, 8, 16), fine, atol=1e-5)


def test_bands_are_a_partition(face):
    bands = [(0, 1), *interventions.BANDS]
    assert np.allclose(sum(interventions.band(face[None], *edges) for edges in bands), face[None], atol=1e-4)
    assert interventions.frequencies(256).max() < interventions.BANDS[-1][1]
    assert interventions.frequencies(8)[0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]


def test_controls_keep_the_energy_of_the_band(face):
    image = 0.45 + 0.1 * face[None]
    rng = np.random.default_rng(3)
    band = interventions.band(image, 4, 16)
    scrambled = interventions.scramble_band(image, 4, 16, rng)
    spectrum = lambda x: np.abs(np.fft.fft2(x, axes=(1, 2)))  # noqa: E731
    assert np.allclose(spectrum(scrambled), spectrum(image), atol=1e-2)  # the same power at each frequency
    assert abs(np.corrcoef(interventions.band(scrambled, 4, 16).ravel(), band.ravel())[0, 1]) < 0.2
    noisy = interventions.add_noise(image, 4, 16, rng)
    assert interventions.rms(noisy - image) == pytest.approx(interventions.rms(band), rel=0.05)


def test_losses_count_the_faces_that_a_band_was_needed_for():
    """A network that calls a face real when it has the fine wave, and looks at nothing else."""
    real, forged = 0.5 + wave(2, 1) + wave(12, 9), 0.5 + wave(2, 1)
    images = (255 * np.stack([real, forged])).round().astype(np.uint8)
    rows = pd.DataFrame({"label": ["real", "forged"], "group": ["a", "a"]}, index=[7, 3])

    def score(pixels):
        return (interventions.band(pixels, 8, 16).std(axis=(1, 2, 3)) > 0.05).astype(np.float32)

    scores = pd.concat(interventions.without_bands(score, images, [(2, 4), (8, 16)]))
    table = interventions.losses(scores, rows)
    found = table.groupby(["treatment", "low_cycles"], dropna=False)["loss"].mean()
    assert found["none"].item() == 0
    assert found["removed", 8] == 0.5  # the real one is lost, the forged one stays right
    assert found["removed", 2] == 0
    assert found["scrambled", 8] == 0  # this network only asks for the energy
