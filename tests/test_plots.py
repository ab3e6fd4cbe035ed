"""Figures hold the numbers that they were given."""

import base64

import cv2
import numpy as np
import pandas as pd

from mesokit import plots
from mesokit.plots import pictures, style


def picture(trace) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(trace.source.split(",")[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)


def near(pixel, colour) -> bool:
    return bool(np.abs(pixel.astype(int) - pictures.rgb(colour)).max() < 40)


def test_landmarks_are_drawn_where_they_are():
    image = np.full((72, 96, 3), 128, np.uint8)
    here, there = [np.array([[20, 30]])] * 2, [np.array([[60, 30]])] * 2
    figure = plots.landmarks([image, image], here, ["a", "b"], there, alt="A dot.")
    assert [note.text for note in figure.layout.annotations] == ["a", "b"]
    drawn = picture(figure.data[0])
    zoom = drawn.shape[0] / 72
    at = lambda x, y: drawn[int((y + 0.5) * zoom), int((x + 0.5) * zoom)]  # noqa: E731
    assert near(at(20, 30), style.REAL)
    assert near(at(40, 30), style.FORGED)
    assert near(at(40, 40), "#808080")
    assert image.max() == image.min() == 128


def test_bars_have_a_group_for_each_row():
    table = pd.DataFrame({"forged": [0.2, 0.5], "control": [1.0, 0.9]}, index=["eyes", "skin"])
    figure = plots.bars(table, "detail", line=1)
    assert [trace.name for trace in figure.data] == ["forged", "control"]
    assert list(figure.data[0].x) == ["eyes", "skin"]
    assert list(figure.data[1].y) == [1.0, 0.9]
    assert len({trace.marker.color for trace in figure.data}) == 2
    assert figure.layout.yaxis.title.text == "detail"


def test_losses_are_counted_from_one_and_smoothed_over_what_came_before():
    figure = plots.losses([4.0, 2.0, 1.0])
    assert list(figure.data[0].x) == [1, 2, 3]
    assert np.allclose(figure.data[1].y, [4, 3, 7 / 3])


def test_distances_share_their_bins():
    figure = plots.distances({"a": np.array([1.0, 2.0]), "b": np.array([9.0])}, "gray levels")
    assert figure.data[0].xbins == figure.data[1].xbins
    assert figure.data[0].xbins.end > 9


def test_level_view_shows_what_changed_around_gray():
    face = np.full((32, 32, 3), 90, np.uint8)
    figure = plots.level_view(face, np.zeros(face.shape), 5, "CRF 0")
    assert [note.text for note in figure.layout.annotations] == ["CRF 0", "difference from the original, x 5"]
