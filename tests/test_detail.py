"""Regions lie at their landmarks, and blur in one region lowers the detail of that region only."""

import cv2
import numpy as np
import pytest

from mesokit.synthetic.forge import detail
from mesokit.synthetic.people import GROUPS, Renderer, State, sample_person, sample_scene


@pytest.fixture(scope="module")
def taken():
    camera = Renderer(sample_person(3), sample_scene(3, (240, 180)))
    return camera.render(State(), np.random.default_rng(0))


@pytest.mark.slow
def test_regions_share_no_pixel_and_hold_their_landmarks(taken):
    where = taken.face > 0.5
    parts = detail.regions(taken.landmarks, where)
    assert list(parts) == ["eyes", "nose", "mouth", "skin"]
    assert (sum(part.astype(int) for part in parts.values()) == where).all()
    for name, group in (("eyes", "eye_left"), ("eyes", "eye_right"), ("mouth", "mouth_inner"), ("nose", "nose_base")):
        x, y = np.round(taken.landmarks[GROUPS[group]].mean(0)).astype(int)
        assert parts[name][y, x], name
    assert parts["skin"].sum() > parts["eyes"].sum() > 0


@pytest.mark.slow
def test_blurred_eyes_lose_detail_and_the_rest_keeps_it(taken):
    parts = detail.regions(taken.landmarks, taken.face > 0.5)
    blurred = np.where(parts["eyes"][..., None], cv2.GaussianBlur(taken.image, (0, 0), 2), taken.image)
    kept = detail.kept([blurred], [taken.image], [parts])
    assert kept["eyes"] < 0.5
    assert all(kept[name] == pytest.approx(1, abs=0.15) for name in ("nose", "mouth", "skin"))


def test_energy_is_the_mean_square_of_the_laplacian():
    image = np.zeros((9, 9, 3), np.uint8)
    image[4, 4] = 10
    everywhere = {"all": np.ones((9, 9), bool), "none": np.zeros((9, 9), bool)}
    found = detail.energy(image, everywhere)
    assert found["all"] == pytest.approx((40**2 + 4 * 10**2) / 81)  # 4-neighbour kernel: -4 in the middle
    assert np.isnan(found["none"])
