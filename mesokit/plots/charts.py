"""Bars, histograms and lines: scores, losses, distances."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mesokit.plots.style import ABOVE, DOTTED, GRAY, LABELS, LOOKS, P_REAL, REAL, SCORES, UNIT, course, layout, short


def bars(table: pd.DataFrame, y: str, line: float | None = None) -> go.Figure:
    """Grouped bars: a group for each row of `table`, a bar in it for each column; `y` names their unit.

    `line`: a dotted level to compare with.
    """
    figure = go.Figure()
    for column, look in zip(table.columns, LOOKS, strict=False):
        text = [f"{value:.2f}" for value in table[column]]
        figure.add_bar(x=list(table.index), y=table[column], name=str(column), marker=look.fill, text=text)
    if line is not None:
        figure.add_hline(line, line=DOTTED)
    figure.update_traces(textposition="outside", cliponaxis=False)
    told = (f"{row}: " + ", ".join(f"{name} {v:.2f}" for name, v in values.items()) for row, values in table.iterrows())
    alt = f"Bars of {y}, a group for each row. {'; '.join(told)}."
    return layout(figure, 380, alt, barmode="group", yaxis={"title": y, "rangemode": "tozero"}, legend=ABOVE)


def losses(values: Sequence[float]) -> go.Figure:
    """The loss of each training step, and its running mean over 10 steps, on a logarithmic axis."""
    steps, smooth = np.arange(1, len(values) + 1), pd.Series(values).rolling(10, min_periods=1).mean()
    figure = go.Figure()
    figure.add_scatter(x=steps, y=list(values), name="each step", mode="lines", line={"color": GRAY, "width": 1})
    figure.add_scatter(x=steps, y=smooth, name="mean of 10", mode="lines", line={"color": REAL, "width": 3})
    axis = {"title": "mean absolute error", "type": "log"}
    told = course("Mean of 10 steps", steps, smooth)
    alt = f"The loss over {len(steps)} training steps, on a logarithmic axis. {told}."
    return layout(figure, 300, alt, xaxis_title="step", yaxis=axis)


def distances(values: dict[str, np.ndarray], x: str) -> go.Figure:
    """The distribution of distances: a histogram for each name, in percent of its own number; `x`: what is measured."""
    figure = go.Figure()
    top = float(max(v.max() for v in values.values()))
    bins = {"start": 0, "end": top * 1.05, "size": top / 30}
    for (name, found), look in zip(values.items(), (LOOKS[1], LOOKS[0], LOOKS[2]), strict=False):
        figure.add_histogram(x=found, xbins=bins, name=name, marker=look.fill, opacity=0.65, histnorm="percent")
    medians = "; ".join(f"{name} {short(np.median(found))}" for name, found in values.items())
    alt = f"Histograms of {x}, in percent of the faces. Medians: {medians}."
    return layout(figure, 340, alt, barmode="overlay", xaxis_title=x, yaxis_title="% of the faces", legend=ABOVE)


def timeline(clips: dict[str, list[dict[str, Any]]], threshold: float = 0.5) -> go.Figure:
    """p_real over time: a line for each clip, name -> frames as in `scan.Judged.frames`."""
    figure = go.Figure()
    for (name, frames), look in zip(clips.items(), LOOKS, strict=False):
        x, y = [row["time"] for row in frames], [row["p_real"] for row in frames]
        figure.add_scatter(x=x, y=y, name=name, mode="lines+markers", line=look.line)
    words = {"annotation_text": f"threshold {threshold:g}", "annotation_position": "bottom left"}
    figure.add_hline(threshold, line=DOTTED, **words)
    told = (course(name, [r["time"] for r in rows], [r["p_real"] for r in rows]) for name, rows in clips.items())
    alt = f"p_real of single frames over the time in seconds; threshold {threshold:g}. {'; '.join(told)}."
    return layout(figure, 360, alt, xaxis_title="time (s)", yaxis={"title": P_REAL, "range": UNIT})


def lines(table: pd.DataFrame, x: str, y: str, line: float | None = None) -> go.Figure:
    """A line for each column of `table` over its index, whose values are evenly spaced; `line`: a dotted level."""
    figure = go.Figure()
    places = [f"{value:g}" for value in table.index]
    for name, look in zip(table, LOOKS, strict=False):
        marks = {"mode": "lines+markers", "line": look.line, "marker": look.dot(8)}
        figure.add_scatter(x=places, y=table[name], name=str(name), **marks)
    if line is not None:
        figure.add_hline(line, line=DOTTED)
    alt = f"Lines of {y} over {x}. {'; '.join(course(name, places, table[name]) for name in table)}."
    return layout(figure, 340, alt, xaxis={"title": x, "type": "category"}, yaxis_title=y, legend=ABOVE)


def scores(table: pd.DataFrame, title: str = "", threshold: float = 0.5) -> go.Figure:
    """The distribution of p_real: a histogram for real and one for forged faces."""
    figure = go.Figure()
    for label, look in LABELS.items():
        values = table.loc[table["label"] == label, "p_real"]
        name = f"{label} ({len(values)})"
        inside = values.clip(upper=1 - 1e-6)  # a score of 1 belongs to the last bin
        figure.add_histogram(x=inside, xbins=SCORES, name=name, marker=look.fill, opacity=0.65)
    figure.add_vline(threshold, line=DOTTED)
    axis = {"title": P_REAL, "range": [0, 1]}
    above = (table["p_real"] > threshold).groupby(table["label"]).agg(["size", "mean"])
    told = "; ".join(f"{r['mean']:.0%} of {r['size']:.0f} {label} faces" for label, r in above.iterrows())
    alt = f"Histograms of p_real. Above the threshold {threshold:g} are {told}."
    return layout(figure, 340, alt, title=title, barmode="overlay", xaxis=axis, yaxis_title="faces")


def learning_rate(rates: pd.Series) -> go.Figure:
    """The learning rate (values) by iteration (index), on a logarithmic axis."""
    figure = go.Figure(go.Scatter(x=rates.index, y=rates, mode="lines", line={"color": REAL, "shape": "hv"}))
    axis = {"title": "learning rate", "type": "log", "exponentformat": "power", "dtick": 1}
    alt = f"The learning rate over the iterations, on a logarithmic axis. {course('Rate', rates.index, rates)}."
    return layout(figure, 300, alt, xaxis_title="iteration (batches)", yaxis=axis)
