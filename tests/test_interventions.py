"""Edits change only their region, and by no more than their energy."""

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


def test_sharpening_stays_between_black_and_white(region):
    stripes = np.zeros((SIZE, SIZE, 3), np.float32)
    stripes[:, ::4] = 1
    edited = interventions.edit(stripes, region, "sharpen", 2.0)
    assert (edited.min(), edited.max()) == (0, 1)


def test_energy_limits_a_change_and_leaves_a_smaller_one(face, region):
    whole = interventions._rms(interventions.edit(face, region, "blur", 2.0) - face)
    assert interventions._rms(interventions.edit(face, region, "blur", 2.0, whole / 3) - face) == pytest.approx(
        whole / 3
    )
    assert interventions._rms(interventions.edit(face, region, "blur", 2.0, 9.0) - face) == pytest.approx(whole)
    with pytest.raises(ValueError, match="no operation is called 'paint'"):
        interventions.edit(face, region, "paint", 2.0)


def test_scattered_changes_have_the_same_values_elsewhere(face, region):
    middle = 0.4 + 0.2 * face  # far from 0 and 1
    edited = interventions.edit(middle, region, "blur", 2.0)
    control = interventions._scattered(middle, edited, region, np.random.default_rng(1))
    assert np.array_equal(control[~region], middle[~region])
    assert interventions._rms(control - middle) == pytest.approx(interventions._rms(edited - middle), rel=1e-4)
    sort = lambda image: np.sort((image - middle)[region][:, 0])  # noqa: E731
    assert np.allclose(sort(control), sort(edited), atol=1e-6)
    assert not np.allclose(control, edited, atol=0.01)


def test_the_control_follows_its_seed(face, region):
    faces, parts = (255 * face[None]).astype(np.uint8), [{"inside": region}]
    logit = lambda images: 10 * np.array([detail(image, region) for image in images])  # noqa: E731
    first, again, other = (
        next(interventions.effects(logit, faces, parts, "blur", 2.0, seed=seed)) for seed in (1, 1, 2)
    )
    assert first.equals(again)
    assert first["effect"].equals(other["effect"]) and first["control"].item() != other["control"].item()


def test_effects_are_the_change_of_the_output(face, region):
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
