"""Figures of the benchmarks: ratios to the naive way, growth with the data, distance from the limits of the machine."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.style import ABOVE, DOTTED, GRAY, LOOKS, layout


def speeds(table: pd.DataFrame) -> go.Figure:
    """A bar for each row of benchmarks.json (name, naive, ours, unit, ratio, equal): how many times faster.

    Bars begin at 1, no gain. Rows with unequal results have another colour, because they are not a valid comparison.
    """
    figure = go.Figure()
    for equal, look, name in ((True, LOOKS[0], "equal: yes"), (False, LOOKS[1], "equal: no")):
        some = table[table["equal"] == equal]
        if some.empty:
            continue
        text = [f"{r.ratio:.2f} ({r.naive:g} → {r.ours:g} {r.unit})" for r in some.itertuples()]
        bars = {"x": some["ratio"] - 1, "base": 1, "y": some["name"], "orientation": "h"}
        figure.add_bar(**bars, name=name, marker=look.fill, text=text)
    figure.update_traces(textposition="outside", cliponaxis=False, showlegend=True)
    figure.add_vline(1, line=DOTTED)
    ends = np.log10([min(1.0, *table["ratio"]) / 5, max(2.0, *table["ratio"]) * 5])  # room for the text
    axis = {"title": "times faster (1: no gain; logarithmic)", "type": "log", "range": list(ends)}
    order = {"categoryorder": "array", "categoryarray": list(table["name"])[::-1], "automargin": True}
    words = "; ".join(f"{r.name}: {r.ratio:.2f} times faster" for r in table.itertuples())
    return layout(figure, 120 + 30 * len(table), words, xaxis=axis, yaxis=order, legend=ABOVE)


def growth(table: pd.DataFrame) -> go.Figure:
    """Seconds and peak memory over the amount of data: columns work, times, seconds, peak_mb.

    Gray: time proportional to the data, from the first point of each work.
    """
    figure = make_subplots(1, 2, subplot_titles=["time (s)", "peak memory (MB)"])
    for (name, some), look in zip(table.groupby("work", sort=False), LOOKS, strict=False):
        for column, value in enumerate(("seconds", "peak_mb"), start=1):
            trace = {"name": str(name), "line": look.line, "legendgroup": str(name), "showlegend": column == 1}
            figure.add_scatter(x=some["times"], y=some[value], mode="lines+markers", row=1, col=column, **trace)
        linear = some["seconds"].iloc[0] * some["times"] / some["times"].iloc[0]
        thin = {"line": {**DOTTED, "width": 1}, "mode": "lines"}
        figure.add_scatter(x=some["times"], y=linear, **thin, showlegend=False, row=1, col=1)
    ticks = sorted(table["times"].unique())
    figure.update_xaxes(title="times the data", type="log", tickvals=ticks, ticktext=[f"{t}" for t in ticks])
    figure.update_yaxes(type="log", col=1).update_yaxes(rangemode="tozero", col=2)
    last = table.groupby("work", sort=False).last()
    words = "; ".join(
        f"{r.Index}, {r.times} times the data: {r.seconds:.3g} s, {r.peak_mb:.0f} MB" for r in last.itertuples()
    )
    return layout(figure, 400, words, legend={"orientation": "h", "y": -0.2})


def roofline(table: pd.DataFrame) -> go.Figure:
    """Measured speed under the two roofs of the machine: columns work, intensity, gflops, share, peak, bandwidth."""
    peak, bandwidth = table["peak"].iloc[0], table["bandwidth"].iloc[0]
    ridge = peak / bandwidth
    x = [min(0.5, table["intensity"].min() / 2), ridge, max(4 * ridge, 2 * table["intensity"].max())]
    figure = go.Figure()
    name = f"roof: {bandwidth:g} GB/s, then {peak:g} GFLOP/s"
    figure.add_scatter(x=x, y=[x[0] * bandwidth, peak, peak], mode="lines", name=name, line={"color": GRAY})
    for row, look in zip(table.itertuples(), LOOKS, strict=False):
        name = f"{row.work}: {row.share:.0%} of its roof"
        figure.add_scatter(x=[row.intensity], y=[row.gflops], mode="markers", name=name, marker=look.dot(11))
    axes = {"xaxis_title": "operations for each byte moved (FLOP/byte)", "yaxis_title": "GFLOP/s"}
    figure.update_xaxes(type="log").update_yaxes(type="log")
    words = "; ".join(
        f"{row.work}: {row.gflops:.3g} GFLOP/s, {row.share:.0%} of its roof" for row in table.itertuples()
    )
    return layout(figure, 420, words, legend={"orientation": "h", "y": -0.25}, **axes)
