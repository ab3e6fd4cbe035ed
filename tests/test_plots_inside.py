"""Figures of the inside hold what they were given, on one scale, and rims lie where regions end."""

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
    return bool(np.abs(pixel.astype(int) - pictures.rgb(colour)).max() < 25)


def test_signed_maps_share_a_scale_around_zero():
    maps = [np.array([[2.0, 0.0]] * 2), np.array([[-1.0, 0.0]] * 2)]
    figure = plots.mean_maps(maps, ["a", "b"], "x", signed=True, alt="Maps.")
    first, second = picture(figure.data[0]), picture(figure.data[1])
    assert near(first[128, 60], style.REAL)
    assert near(first[128, 200], "#FFFFFF")
    halfway = (np.array(pictures.rgb(style.FORGED)) + 255) // 2  # -1 of a scale from -2 to 2
    assert np.abs(second[128, 60].astype(int) - halfway).max() < 25
    marker = figure.data[2].marker
    assert (marker.cmin, marker.cmax) == (-2, 2)
    plain = plots.mean_maps([np.array([[1.0, 3.0]])], ["a"], "x", alt="A map.").data[1].marker
    assert (plain.cmin, plain.cmax) == (1, 3)


def test_rims_and_heat():
    face = np.full((64, 64, 3), 100, np.uint8)
    region = np.zeros((64, 64), bool)
    region[20:41, 20:41] = True
    drawn = picture(plots.outlined([face], [region], ["a"], alt="A face.").data[0])
    rim, inside = drawn[20, 30].astype(int), drawn[30, 30]
    assert rim[0] - rim[2] > 80  # orange; JPEG shares the colours of neighbours
    assert near(inside, "#646464")
    assert face.max() == 100
    heat = picture(plots.overlays([face], [region.astype(np.float32)], ["a"], alt="A face.").data[0])
    assert near(heat[30, 30], "#FEE838")
    assert not near(heat[50, 50], "#FEE838")


def test_whiskers_reach_from_low_to_high():
    table = pd.DataFrame({"region": ["eyes", "skin"] * 2, "network": list("aabb"), "mean": [1.0, 2, 3, 4]})
    table = table.assign(low=table["mean"] - 0.5, high=table["mean"] + 0.25)
    figure = plots.whiskers(table, "region", "effect", "network")
    assert [trace.name for trace in figure.data] == ["a", "b"]
    assert list(figure.data[1].x) == [3, 4]
    assert np.allclose(figure.data[0].error_x.array, 0.25)
    assert np.allclose(figure.data[0].error_x.arrayminus, 0.5)
    assert list(figure.layout.yaxis.ticktext) == ["eyes", "skin"]


def test_deletions_exchanges_and_bands():
    lines = pd.DataFrame({"explanation": ["a", "a", "b", "b"], "share": [0, 1, 0, 1], "value": [1, 0, 0.9, 0]})
    assert [trace.name for trace in plots.deletions(lines, "share", "p", "").data] == ["a", "b"]
    figure = plots.exchanges(np.array([3.0, 1.0, 2.0]), "x")
    assert list(figure.data[0].x) == [1, 2]
    assert figure.layout.shapes[0].x0 == 3
    table = pd.DataFrame({"low_cycles": [1, 2], "high_cycles": [2, 4], "treatment": "removed", "mean": [0.1, 0.2]})
    figure = plots.band_losses(table.assign(low=[0.0, 0.1], high=[0.3, 0.3]))
    assert np.allclose(figure.data[0].error_y.array, [0.2, 0.1])
    assert list(figure.layout.xaxis.ticktext) == ["1", "2", "4"]
