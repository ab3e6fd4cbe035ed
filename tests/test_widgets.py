"""Explorers redraw what was computed, and fall back on a figure in reports."""

import plotly.graph_objects as go
import pytest

from mesokit.lesson import explorers


def draw(filter, layer, p, log):
    return go.Figure(layout={"title": f"{layer} {filter} {p} {log}"})


@pytest.fixture
def explorer():
    choices = {"layer": ["conv1", "conv2"], "filter": range(8), "p": [0.5, 1.0, 2.0], "log": False}
    return explorers.explore(draw, choices, start={"filter": 3})


def test_a_choice_redraws(explorer):
    assert explorer.figure.layout.title.text == "conv1 3 0.5 False"
    explorer.controls["filter"].value = 7
    explorer.controls["layer"].value = "conv2"
    explorer.controls["p"].value = 2.0
    explorer.controls["log"].value = True
    assert explorer.figure.layout.title.text == "conv2 7 2.0 True"


def test_sliders_are_debounced_and_labelled(explorer):
    assert explorer.controls["filter"].continuous_update is False
    assert [control.description for control in explorer.controls.values()] == ["layer", "filter", "p", "log"]


def test_a_report_gets_the_figure_and_what_it_shows(explorer, monkeypatch):
    shown = []
    monkeypatch.setattr(explorers, "display", shown.append)
    monkeypatch.setenv("MESOKIT_REPORT", "1")
    explorer._ipython_display_()
    assert shown[0] is explorer.figure
    assert "layer = conv1, filter = 3" in shown[1].data


def test_start_must_be_a_choice():
    with pytest.raises(ValueError, match="colour"):
        explorers.explore(draw, {"layer": ["conv1"]}, start={"colour": 1})
