"""What networks cost and what they are worth: sizes, accuracies with intervals, the two errors of a threshold."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.style import ABOVE, COLOURS, DASHES, FORGED, GRAY, P_REAL, REAL, layout

SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "star")


def costs(table: pd.DataFrame) -> go.Figure:
    """A panel for each column of `table` (its name is the axis title) on a logarithmic axis, a dot for each row."""
    figure = make_subplots(1, len(table.columns), shared_yaxes=True, horizontal_spacing=0.06)
    for column, name in enumerate(table.columns, start=1):
        values, words = table[name], [f"{value:,.3g}" if value < 1000 else f"{value:,.0f}" for value in table[name]]
        marker = {"color": REAL, "size": 12}
        text = {"text": words, "textposition": "top center", "cliponaxis": False}
        figure.add_scatter(x=values, y=list(table.index), mode="markers+text", marker=marker, **text, row=1, col=column)
        ends = np.log10(values.min()) - 0.6, np.log10(values.max()) + 0.8  # room for the words, in powers of ten
        axis = {"title": name, "type": "log", "range": ends, "dtick": 1, "exponentformat": "power"}
        figure.update_xaxes(axis, row=1, col=column)
    return layout(figure, 110 + 65 * len(table), showlegend=False).update_yaxes(autorange="reversed", automargin=True)


def detectors(table: pd.DataFrame, chance: float | None = None) -> go.Figure:
    """Accuracies with their intervals: rows of columns detector, unit, accuracy, low, high; a colour for each unit.

    `chance`: where to draw a dotted level to compare with.
    """
    names = list(table["detector"].unique())
    units = list(table["unit"].unique())
    figure = go.Figure()
    for (unit, rows), colour, symbol in zip(table.groupby("unit", sort=False), COLOURS, SYMBOLS, strict=False):
        away = {"array": rows["high"] - rows["accuracy"], "arrayminus": rows["accuracy"] - rows["low"], "width": 4}
        marker = {"color": colour, "symbol": symbol, "size": 10}
        beside = 0.3 * (units.index(unit) - (len(units) - 1) / 2)  # or one would cover the other
        y = [names.index(name) + beside for name in rows["detector"]]
        words = {"text": rows["detector"], "hovertemplate": "%{text}: %{x:.3f}"}
        figure.add_scatter(
            x=rows["accuracy"], y=y, name=str(unit), mode="markers", marker=marker, error_x=away, **words
        )
    if chance is not None:
        figure.add_vline(chance, line={"color": GRAY, "dash": "dot"})
    height = 130 + 48 * table["detector"].nunique()
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, automargin=True, showgrid=False)
    figure.update_yaxes(range=[len(names) - 0.4, -0.6], zeroline=False)
    axis = {"title": "accuracy (95 % interval over clips)", "range": [-0.02, 1.03]}
    return layout(figure, height, xaxis=axis, legend=ABOVE)


def both_errors(scores: pd.DataFrame, threshold: float) -> go.Figure:
    """Left: how p_real is spread over real and forged rows of `scores`. Right: both errors at every threshold.

    A row is called forged where p_real <= `threshold`.
    """
    figure = make_subplots(1, 2, horizontal_spacing=0.1)
    at = np.linspace(0, 1, 101)
    said = []
    for label, error, colour, shape, dash in (
        ("real", "real, called forged (false alarm)", REAL, "", "solid"),
        ("forged", "forged, called real (missed)", FORGED, "/", "dash"),
    ):
        p_real = scores.loc[scores["label"] == label, "p_real"].to_numpy()
        marker, bins = {"color": colour, "pattern": {"shape": shape}}, {"start": 0, "end": 1.0001, "size": 0.05}
        bars = go.Histogram(x=p_real, xbins=bins, name=label, marker=marker, opacity=0.65, histnorm="percent")
        figure.add_trace(bars, row=1, col=1)
        share = lambda t, p=p_real, low=label == "real": 100 * np.mean((p <= t) == low)  # noqa: E731
        line = {"color": colour, "dash": dash}
        errors = go.Scatter(x=at, y=[share(t) for t in at], name=error, mode="lines", line=line)
        figure.add_trace(errors, row=1, col=2)
        said.append(f"{share(threshold):.0f} % of {error}")
    figure.add_vline(threshold, line={"color": GRAY, "dash": "dot", "width": 3})
    figure.update_xaxes(title=P_REAL, range=[0, 1], col=1).update_xaxes(title="threshold", range=[0, 1], col=2)
    figure.update_yaxes(title="% of its class", col=1).update_yaxes(title="% of its class", range=[-2, 102], col=2)
    title = {"text": f"threshold {threshold:.2f}: " + "; ".join(said), "font": {"size": 14}, "y": 0.97}
    legend = {"orientation": "h", "y": -0.25}
    return layout(figure, 400, barmode="overlay", title=title, legend=legend)


def histories(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """Validation loss and accuracy over the iterations: a line for each run, name -> history of `training.fit`."""
    figure = make_subplots(1, 2, subplot_titles=["mean squared error, validation", "accuracy, validation"])
    for (name, table), colour, dash in zip(tables.items(), COLOURS, DASHES, strict=False):
        for column, key in enumerate(("val_loss", "val_accuracy"), start=1):
            line = {"color": colour, "dash": dash}
            trace = go.Scatter(x=table["iteration"], y=table[key], name=name, line=line, showlegend=column == 1)
            figure.add_trace(trace, row=1, col=column)
    figure.update_xaxes(title="iteration (batches)").update_yaxes(rangemode="tozero")
    figure.update_yaxes(range=[0, 1.02], col=2)
    return layout(figure, 360, showlegend=True)
