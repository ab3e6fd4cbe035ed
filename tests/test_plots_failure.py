"""Figures of failure hold the numbers that they were given."""

import pandas as pd
import pytest

from mesokit import plots
from mesokit.plots import failure
from mesokit.plots.pictures import rgb

WHAT = ("accuracy", "p_real of real", "p_real of forged")


def test_curves_have_a_panel_for_accuracy_and_one_for_each_detector():
    rows = [(d, s, w, 0.1 * i, 0.0, 1.0) for d in ("network", "blur") for s in (2, 1) for i, w in enumerate(WHAT)]
    table = pd.DataFrame(rows, columns=["detector", "strength", "what", "value", "low", "high"])
    figure = plots.curves(table, "pixels", 1, log=True)
    assert [note.text for note in figure.layout.annotations] == [
        "accuracy",
        "p_real by the network",
        "p_real by the blur",
    ]
    lines = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in lines] == ["network", "blur", *["real faces", "forged faces"] * 2]
    assert list(lines[0].x) == [1, 2]
    assert list(lines[3].y) == [0.2, 0.2]
    assert len(figure.data) == 2 * len(lines)
    assert figure.layout.xaxis3.ticktext == ("1", "2")


def test_crossed_fields_keep_their_places():
    rows = [("z", "a", 0.9, 0.8, 1.0), ("z", "b", 0.6, 0.5, 0.7), ("y", "a", 0.7, 0.6, 0.8)]
    figure = plots.crossed(pd.DataFrame(rows, columns=["trained", "tested", "accuracy", "low", "high"]))
    field = figure.data[0]
    assert list(field.y) == ["z", "y"]
    assert field.z[0][1] == pytest.approx(0.6)
    assert field.text[1][0] == "<b>0.70</b><br>0.60 to 0.80"


def test_a_thousand_clips_are_a_thousand_marks():
    shares = {"found": 0.00095, "missed": 0.00005, "false alarm": 0.04995, "passed": 0.94905}
    figure = plots.base_rate(shares, {0.0001: 0.002, 0.001: 0.02, 1: 1.0}, 0.001)
    assert [trace.name for trace in figure.data[1:5]] == [
        "found: 0.95", "missed: 0.05", "false alarm: 50", "passed: 949"
    ]  # fmt: skip
    assert figure.data[6].y[0] == pytest.approx(0.02)
    counts = failure._thousand(shares)
    assert counts == {"found": 1, "missed": 0, "false alarm": 50, "passed": 949}
    cells = failure._waffle(counts).reshape(25, 24, 40, 24, 3).swapaxes(1, 2).reshape(1000, -1, 3)
    drawn = {name: (cells == rgb(colour)).all(-1).any(-1).sum() for name, (colour, *_) in failure.OUTCOMES.items()}
    assert drawn == counts
    assert (
        sum(failure._thousand({"found": 0.3335, "missed": 0.3335, "false alarm": 0.333, "passed": 0}).values()) == 1000
    )
