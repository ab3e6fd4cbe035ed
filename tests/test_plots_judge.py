"""Figures of evaluation hold what they were given."""

import numpy as np
import pandas as pd

from mesokit import plots


def test_heatmap_writes_each_number_with_its_interval():
    values = pd.DataFrame([[0.9, 0.6]], ["CRF 0"], [0, 40])
    figure = plots.heatmap(values, values - 0.1, values + 0.05, "tested at CRF", "trained on")
    cells, words = figure.data
    assert (words.x[1], words.y[1]) == ("40", "CRF 0") and words.text[1] == "<b>0.60</b><br>0.50 to 0.65"
    assert list(cells.x) == ["0", "40"]
    assert list(cells.y) == ["CRF 0"]
    assert figure.layout.xaxis.title.text == "tested at CRF"


def test_intervals_reach_from_low_to_high():
    table = pd.DataFrame({"value": [0.7], "low": [0.5], "high": [0.8]}, index=["mean"])
    dot = plots.intervals(table, line=0.5).data[0]
    assert dot.x[0] - dot.error_x.arrayminus[0] == 0.5
    assert np.isclose(dot.x[0] + dot.error_x.array[0], 0.8)


def test_crf_curve_leaves_out_the_error_of_a_lossless_clip():
    table = pd.DataFrame(
        {"clip": "real", "crf": [0, 23], "kB per frame": [90.0, 2.0], "psnr": [np.inf, 40.0], "p_real": [0.9, 0.8]}
    )
    sizes, errors, scores = plots.crf_curve(table).data
    assert list(sizes.y) == [90, 2]
    assert np.isnan(errors.y[0])
    assert list(scores.y) == [0.9, 0.8]


def test_spectra_of_one_level_share_their_colour():
    curves = {name: np.ones(3) for name in ("CRF 0, real", "CRF 0, forged", "CRF 40, real")}
    lines = [trace.line for trace in plots.spectra(np.arange(3), curves, "power").data]
    assert lines[0].color == lines[1].color != lines[2].color
    assert lines[0].dash != lines[1].dash


def test_lines_hold_their_tables():
    table = pd.DataFrame({"n": [1, 8], "one_clip": [0.7, 0.75], "strangers": [0.7, 0.9]})
    assert [list(trace.y) for trace in plots.by_number(table).data] == [[0.7, 0.75], [0.7, 0.9]]
    assert list(plots.effective([1, 2], {"rho = 0": [1, 2]}).data[0].y) == [1, 2]
    curve = pd.DataFrame({"p_real": [0.1, 0.9], "share_real": [0.0, 1.0], "n": [4, 9]})
    assert list(plots.calibration({"frames": curve}).data[1].marker.size) == [9, 11]
    rows = pd.DataFrame({"time": [0.0, 0.5], "p_real": [0.2, 0.6]})
    assert list(plots.clip_timeline(rows, [0.2, 0.4], "a").data[1].y) == [0.2, 0.4]
