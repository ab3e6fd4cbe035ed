"""Explorers redraw what was computed, and store all of their figures for reports."""

import base64
import gzip
import itertools
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from mesokit.lesson import explorers, states


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


def test_a_report_gets_the_first_figure_and_all_states(explorer, monkeypatch):
    shown = []
    monkeypatch.setattr(explorers, "display", lambda bundle, raw: shown.append((bundle, raw)))
    monkeypatch.setenv("MESOKIT_REPORT", "1")
    explorer._ipython_display_()
    ((bundle, raw),) = shown
    assert raw and set(bundle) == {"application/vnd.plotly.v1+json", states.MIME}
    assert bundle["application/vnd.plotly.v1+json"]["layout"]["title"]["text"] == "conv1 3 0.5 False"
    assert [one["name"] for one in bundle[states.MIME]["controls"]] == ["layer", "filter", "p", "log"]


def unpacked(collected):
    """The figures as a page puts them together: [{"data", "layout"}]."""
    stored = json.loads(gzip.decompress(base64.b64decode(collected["figures"])))
    part = [json.loads(text) for text in stored["parts"]]
    assert len(set(stored["parts"])) == len(stored["parts"])
    return [
        {"data": [part[i] for i in traces], "layout": {key: part[i] for key, i in layout.items()}}
        for traces, layout in stored["figures"]
    ]


def test_all_figures_are_stored_in_the_order_of_the_controls(explorer):
    collected = states.collect(explorer.draw, explorer.described)
    titles = [figure["layout"]["title"]["text"] for figure in unpacked(collected)]
    wanted = itertools.product(["conv1", "conv2"], range(8), [0.5, 1.0, 2.0], [False, True])
    assert titles == [f"{layer} {filter} {p} {log}" for layer, filter, p, log in wanted]
    assert collected["note"] == ""
    assert collected["controls"][1] == {
        "name": "filter", "kind": "slide", "words": [str(i) for i in range(8)], "start": 3,
    }  # fmt: skip
    assert [one["kind"] for one in collected["controls"]] == ["list", "slide", "slide", "check"]


def test_a_figure_is_the_same_after_packing():
    def drawn(k):
        return go.Figure(go.Scatter(x=np.arange(3), y=[k, None, 2.5]), layout={"title": "ünï </script>"})

    (figure,) = unpacked(states.collect(drawn, [states.control("k", [1])]))
    assert figure == json.loads(drawn(1).to_json())


def test_too_many_states_are_thinned_and_the_note_says_so():
    def drawn(a, b):
        return go.Figure(layout={"title": f"{a} {b}"})

    collected = states.collect(drawn, [states.control("a", range(100), 77), states.control("b", range(6))])
    first, second = collected["controls"]
    assert len(first["words"]) * len(second["words"]) <= states.STATES
    assert first["words"][first["start"]] == "77"
    assert collected["note"] == f"a: {len(first['words'])} of 100 values"
    titles = [figure["layout"]["title"]["text"] for figure in unpacked(collected)]
    assert titles == [f"{a} {b}" for a in first["words"] for b in second["words"]]


def test_figures_that_do_not_compress_are_left_out_too(monkeypatch):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(states, "BYTES", 20_000)
    collected = states.collect(lambda n: go.Figure(go.Scatter(y=rng.random(200))), [states.control("n", range(40))])
    assert len(collected["figures"]) <= 20_000
    assert 1 < len(unpacked(collected)) < 40 and "of 40 values" in collected["note"]


def test_start_must_be_a_choice():
    with pytest.raises(ValueError, match="colour"):
        explorers.explore(draw, {"layer": ["conv1"]}, start={"colour": 1})
    with pytest.raises(ValueError, match="layer cannot start at 'conv9'; it can be conv1"):
        explorers.explore(draw, {"layer": ["conv1"]}, start={"layer": "conv9"})
