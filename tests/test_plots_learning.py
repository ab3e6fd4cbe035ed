"""Figures of training hold the numbers that they were given."""

import numpy as np
import pandas as pd

from mesokit import plots


def test_costs_have_a_logarithmic_panel_for_each_column():
    table = pd.DataFrame({"parameters": [28_000, 2e7], "ms": [3.0, 300.0]}, index=["small", "big"])
    figure = plots.costs(table)
    assert [list(trace.x) for trace in figure.data] == [[28_000, 2e7], [3.0, 300.0]]
    assert figure.data[0].text == ("28,000", "20,000,000")
    assert figure.layout.xaxis.type == figure.layout.xaxis2.type == "log"
    assert figure.layout.xaxis.range[0] < np.log10(28_000) and np.log10(2e7) < figure.layout.xaxis.range[1]


def test_detectors_carry_their_intervals():
    rows = [("meso4", "frames", 0.8, 0.7, 0.95), ("meso4", "clips", 0.9, 0.5, 1.0), ("blur", "frames", 0.6, 0.6, 0.6)]
    figure = plots.detectors(pd.DataFrame(rows, columns=["detector", "unit", "accuracy", "low", "high"]))
    frames = figure.data[0]
    assert (frames.name, list(frames.x), list(frames.text)) == ("frames", [0.8, 0.6], ["meso4", "blur"])
    assert frames.y[1] - frames.y[0] == 1
    assert frames.y[0] != figure.data[1].y[0]
    assert np.allclose(frames.error_x.array, [0.15, 0])
    assert np.allclose(frames.error_x.arrayminus, [0.1, 0])


def test_both_errors_at_a_threshold():
    scores = pd.DataFrame({"label": ["real"] * 4 + ["forged"] * 2, "p_real": [0.2, 0.6, 0.8, 0.9, 0.1, 0.7]})
    figure = plots.both_errors(scores, 0.5)
    assert "25 % of real, called forged" in figure.layout.title.text
    assert "50 % of forged, called real" in figure.layout.title.text
    false_alarms, missed = figure.data[1], figure.data[3]
    assert (false_alarms.y[0], false_alarms.y[-1]) == (0, 100)
    assert (missed.y[0], missed.y[-1]) == (100, 0)


def test_no_face_lies_outside_the_axis():
    scores = pd.DataFrame({"label": ["real"] * 3 + ["forged"] * 3, "p_real": [1.0, 0.99995, 0.5, 0.0, 1e-9, 1.0]})
    for figure in (plots.both_errors(scores, 0.9), plots.scores(scores)):
        axis = figure.layout.xaxis.range
        for bars in [trace for trace in figure.data if trace.type == "histogram"]:
            first, last, size = bars.xbins.start, bars.xbins.end, bars.xbins.size
            edges = np.arange(first, last + size / 2, size)
            assert np.histogram(bars.x, edges)[0].sum() == len(bars.x) == 3
            assert axis[0] <= min(bars.x) and max(bars.x) <= axis[1]


def test_lines_have_a_stop_for_each_row():
    table = pd.DataFrame({"real": [0.9, 0.5], "forged": [0.1, 0.6]}, index=[0.0, 12.0])
    figure = plots.lines(table, "blur", "p_real", 0.5)
    assert [trace.name for trace in figure.data] == ["real", "forged"]
    assert list(figure.data[1].x) == ["0", "12"] and list(figure.data[1].y) == [0.1, 0.6]


def test_histories_have_a_line_for_each_run():
    table = pd.DataFrame({"iteration": [5, 10], "val_loss": [0.3, 0.2], "val_accuracy": [0.5, 0.7]})
    figure = plots.histories({"seed 0": table, "seed 1": table / 2})
    assert [trace.name for trace in figure.data] == ["seed 0", "seed 0", "seed 1", "seed 1"]
    assert list(figure.data[1].y) == [0.5, 0.7]
