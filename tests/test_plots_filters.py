"""Figures of filters and climbs hold what they were given."""

import numpy as np
import pandas as pd

from mesokit import plots
from mesokit.plots import filters, pictures, style


def test_kernels_share_a_signed_scale():
    weights = np.zeros((3, 3, 2, 4))
    weights[0, 1, 1, 2] = -0.5
    figure = plots.kernels(weights, ["a", "b"])
    assert len(figure.data) == 8
    assert figure.data[6].z[0][1] == -0.5
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-0.5, 0.5)


def test_responses_are_where_their_frequencies_are():
    found = np.zeros((8, 8, 2, 3))
    found[4, 4, 1, 2] = 5  # what is flat
    figure = plots.responses(found, ["red", "gray"])
    assert len(figure.data) == 6
    x, y = (list(figure.data[5][axis]) for axis in "xy")
    assert (x[4], y[4], x[0]) == (0, 0, -0.5)
    assert figure.data[5].z[4][4] == figure.layout.coloraxis.cmax == 5
    assert "cycles per pixel, across" in [axis.title.text for axis in figure.select_xaxes()]


def test_signed_maps_are_white_at_zero():
    picture = filters._coloured(np.array([[-1.0, 0.0], [1.0, 0.0]]))
    assert picture.shape == (256, 256, 3)
    assert tuple(picture[0, -1]) == (255, 255, 255)
    assert tuple(picture[0, 0]) == pictures.rgb(style.FORGED)
    assert tuple(picture[-1, 0]) == pictures.rgb(style.REAL)


def test_filter_maps_name_their_maximum():
    figure = plots.filter_maps([np.eye(4) * 3, np.zeros((4, 4))], ["a", "b"], alt="Maps.")
    assert [note.text for note in figure.layout.annotations] == ["a, max 3", "b, max 0"]


def test_maps_that_share_a_scale_can_be_compared(monkeypatch):
    drawn = []
    monkeypatch.setattr(filters, "faces", lambda images, titles, *_, alt: drawn.extend([images, titles]))
    plots.filter_maps([np.full((4, 4), 1.0), np.full((4, 4), 4.0)], ["a", "b"], tops=[4, 4], alt="Maps.")
    assert np.array_equal(drawn[0][0], filters._coloured(np.full((4, 4), 0.25)))
    assert drawn[1] == ["a, max 1", "b, max 4"]


def test_an_ascent_shows_f_less_the_penalty():
    figure = plots.ascent(pd.DataFrame({"step": [0, 1], "f": [1.0, 4.0], "penalty": [2.0, 1.0]}))
    assert list(figure.data[2].y) == [-1.0, 3.0]


def test_chance_marks_what_was_found():
    figure = plots.chance(0.4, np.array([0.1, 0.2]), "share")
    assert figure.layout.shapes[0].x0 == 0.4
    assert list(figure.data[0].x) == [0.1, 0.2]


def test_sign_shares_have_a_dot_for_each_neuron():
    table = pd.DataFrame(
        {
            "unit": [0, 1, 0],
            "network": ["trained", "trained", "untrained"],
            "group": ["real", "forged", "real"],
            "face_share": [0.8, 0.3, 0.5],
        }
    )
    figure = plots.sign_shares(table)
    assert list(figure.data[0].y) == [0.3]
    assert list(figure.data[1].y) == [0.8, 0.5]
    assert list(figure.layout.xaxis.ticktext) == ["trained", "untrained"]
