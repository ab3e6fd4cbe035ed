"""Lines, bars and histograms: scores, losses, training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.style import ABOVE, COLOURS, DASHES, FORGED, GRAY, OTHER, P_REAL, REAL, SHAPES, layout


def bars(table: pd.DataFrame, y: str, line: float | None = None) -> go.Figure:
    """Grouped bars: a group for each row of `table`, a bar in it for each column; `y` names their unit.

    `line`: where to draw a dotted level to compare with.
    """
    figure = go.Figure()
    for column, colour, shape in zip(table.columns, COLOURS, SHAPES, strict=False):
        marker = {"color": colour, "pattern": {"shape": shape}}
        text = [f"{value:.2f}" for value in table[column]]
        figure.add_bar(x=list(table.index), y=table[column], name=str(column), marker=marker, text=text)
    if line is not None:
        figure.add_hline(line, line={"color": GRAY, "dash": "dot"})
    figure.update_traces(textposition="outside", cliponaxis=False)
    return layout(figure, 380, barmode="group", yaxis={"title": y, "rangemode": "tozero"}, legend=ABOVE)


def losses(values: Sequence[float]) -> go.Figure:
    """The loss of each training step, and its mean over the 10 steps before, on a logarithmic axis."""
    steps, smooth = np.arange(1, len(values) + 1), pd.Series(values).rolling(10, min_periods=1).mean()
    figure = go.Figure()
    figure.add_scatter(x=steps, y=list(values), name="each step", mode="lines", line={"color": GRAY, "width": 1})
    figure.add_scatter(x=steps, y=smooth, name="mean of 10", mode="lines", line={"color": REAL, "width": 3})
    axis = {"title": "mean absolute error", "type": "log"}
    return layout(figure, 300, xaxis_title="step", yaxis=axis)


def distances(values: dict[str, np.ndarray], x: str) -> go.Figure:
    """How distances are spread: a histogram for each name, as shares of its own number; `x` names what is measured."""
    figure = go.Figure()
    top = float(max(v.max() for v in values.values()))
    for (name, found), (colour, shape) in zip(values.items(), [(FORGED, "/"), (REAL, ""), (OTHER, ".")], strict=False):
        bins = {"start": 0, "end": top * 1.05, "size": top / 30}
        marker = {"color": colour, "pattern": {"shape": shape}}
        figure.add_histogram(x=found, xbins=bins, name=name, marker=marker, opacity=0.65, histnorm="percent")
    return layout(figure, 340, barmode="overlay", xaxis_title=x, yaxis_title="% of the faces", legend=ABOVE)


def timeline(clips: dict[str, list[dict[str, Any]]], threshold: float = 0.5) -> go.Figure:
    """p_real over time: a line for each clip, name -> frames as `scan.Judged.frames` holds them."""
    figure = go.Figure()
    for (name, frames), colour, dash in zip(clips.items(), COLOURS, DASHES, strict=False):
        x, y = [row["time"] for row in frames], [row["p_real"] for row in frames]
        figure.add_scatter(x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "dash": dash})
    figure.add_hline(
        threshold,
        line={"color": GRAY, "dash": "dot"},
        annotation_text=f"threshold {threshold:g}",
        annotation_position="bottom left",
    )
    return layout(figure, 360, xaxis_title="time (s)", yaxis={"title": P_REAL, "range": [-0.03, 1.03]})


def history(table: pd.DataFrame) -> go.Figure:
    """Loss and accuracy over the iterations, on training and validation faces, from `training.fit`."""
    figure = make_subplots(1, 2, subplot_titles=["mean squared error", "accuracy"])
    for column, name in enumerate(("loss", "accuracy"), start=1):
        for key, label, colour, dash in (
            (name, "training", GRAY, "dash"),
            (f"val_{name}", "validation", REAL, "solid"),
        ):
            line = {"color": colour, "dash": dash}
            trace = go.Scatter(x=table["iteration"], y=table[key], name=label, line=line, showlegend=column == 1)
            figure.add_trace(trace, row=1, col=column)
    figure.update_xaxes(title="iteration (batches)").update_yaxes(rangemode="tozero")
    figure.update_yaxes(range=[0, 1.02], col=2)
    return layout(figure, 360)


def scores(table: pd.DataFrame, title: str = "", threshold: float = 0.5) -> go.Figure:
    """How p_real is spread over real and over forged faces: a histogram of each."""
    figure = go.Figure()
    for label, colour, shape in (("real", REAL, ""), ("forged", FORGED, "/")):
        values = table.loc[table["label"] == label, "p_real"]
        bins = {"start": 0, "end": 1.0001, "size": 0.05}
        marker = {"color": colour, "pattern": {"shape": shape}}
        figure.add_histogram(x=values, xbins=bins, name=f"{label} ({len(values)})", marker=marker, opacity=0.65)
    figure.add_vline(threshold, line={"color": GRAY, "dash": "dot"})
    return layout(
        figure, 340, title=title, barmode="overlay", xaxis={"title": P_REAL, "range": [0, 1]}, yaxis_title="faces"
    )


def learning_rate(rates: pd.Series) -> go.Figure:
    """The learning rate (values) by iteration (index), on a logarithmic axis."""
    figure = go.Figure(go.Scatter(x=rates.index, y=rates, mode="lines", line={"color": REAL, "shape": "hv"}))
    axis = {"title": "learning rate", "type": "log", "exponentformat": "power", "dtick": 1}
    return layout(figure, 300, xaxis_title="iteration (batches)", yaxis=axis)
