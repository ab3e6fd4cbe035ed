"""Training and its results: progress, sizes of networks, accuracies with intervals, the two errors of a threshold."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.special import expit, logit

from mesokit.plots.style import ABOVE, DOTTED, LABELS, LOOKS, P_REAL, REAL, Look, course, layout, reach, short, spread

LIMIT = 0.0005  # scores closer to 0 or 1 are drawn at this distance from them: a float32 sigmoid can be exactly 1
MARKS = (0.0005, 0.01, 0.1, 0.5, 0.9, 0.99, 0.9995)  # p_real beside the axis of `both_errors`


def history(table: pd.DataFrame) -> go.Figure:
    """Loss and accuracy over the iterations, on training and validation faces, from `training.fit`."""
    training = LOOKS[-1]._replace(dash="dash")
    return _progress({"training": (table, "", training), "validation": (table, "val_", LOOKS[0])}, "")


def histories(tables: dict[str, pd.DataFrame]) -> go.Figure:
    """Validation loss and accuracy over the iterations: a line for each run, name -> history of `training.fit`."""
    runs = zip(tables.items(), LOOKS, strict=False)
    return _progress({name: (table, "val_", look) for (name, table), look in runs}, ", validation")


def _progress(lines: dict[str, tuple[pd.DataFrame, str, Look]], what: str) -> go.Figure:
    """Loss and accuracy: a line for each name -> table, beginning of its columns, look; `what` ends the titles."""
    figure = make_subplots(1, 2, subplot_titles=[f"mean squared error{what}", f"accuracy{what}"])
    for name, (table, start, look) in lines.items():
        for column, key in enumerate((f"{start}loss", f"{start}accuracy"), start=1):
            line = {"x": table["iteration"], "y": table[key], "line": look.line}
            figure.add_scatter(**line, name=name, showlegend=column == 1, row=1, col=column)
    figure.update_xaxes(title="iteration (batches)").update_yaxes(rangemode="tozero")
    keys = {"loss": "mean squared error", "accuracy": "accuracy"}
    told = (
        course(f"{word}, {name}", t["iteration"], t[s + key])
        for key, word in keys.items()
        for name, (t, s, _) in lines.items()
    )
    alt = f"Error (left) and accuracy (right) over the iterations{what}. {'; '.join(told)}."
    return layout(figure.update_yaxes(range=[0, 1.02], col=2), 360, alt, showlegend=True)


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
    rows = ((name, ", ".join(f"{short(v)} {key}" for key, v in row.items())) for name, row in table.iterrows())
    told = "; ".join(f"{name}: {row}" for name, row in rows)
    alt = f"A panel for each cost, on logarithmic axes. {told}."
    figure.update_yaxes(autorange="reversed", automargin=True)
    return layout(figure, 110 + 65 * len(table), alt, showlegend=False)


def detectors(table: pd.DataFrame, chance: float | None = None) -> go.Figure:
    """Accuracies with their intervals: rows of columns detector, unit, accuracy, low, high; a colour for each unit.

    `chance`: a dotted level to compare with.
    """
    names, units = list(table["detector"].unique()), list(table["unit"].unique())
    figure = go.Figure()
    for i, (unit, look) in enumerate(zip(units, LOOKS, strict=False)):
        rows = table[table["unit"] == unit]
        y = [names.index(name) + 0.3 * (i - (len(units) - 1) / 2) for name in rows["detector"]]  # side by side
        words = {"text": rows["detector"], "hovertemplate": "%{text}: %{x:.3f}"}
        dots = {"x": rows["accuracy"], "y": y, "error_x": reach(rows, "accuracy", width=4)}
        figure.add_scatter(**dots, **words, name=str(unit), mode="markers", marker=look.dot(10))
    if chance is not None:
        figure.add_vline(chance, line=DOTTED)
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, automargin=True, showgrid=False)
    figure.update_yaxes(range=[len(names) - 0.4, -0.6], zeroline=False)
    axis = {"title": "accuracy (95 % interval over clips)", "range": [-0.02, 1.03]}
    named = table.assign(name=table["detector"] + ", " + table["unit"])
    alt = f"Accuracies with 95 % intervals. {spread(named, 'name', 'accuracy')}."
    return layout(figure, 130 + 48 * len(names), alt, xaxis=axis, legend=ABOVE)


def both_errors(scores: pd.DataFrame, threshold: float) -> go.Figure:
    """Left: the distribution of p_real of real and forged rows of `scores`. Right: both errors at every threshold.

    A row is called forged where p_real <= `threshold`, which is inside (0, 1). The axes are log-odds with marks of
    p_real, since a trained network gives most faces a p_real near 0 or 1. Scores beyond LIMIT stand at it.
    """
    figure = make_subplots(1, 2, horizontal_spacing=0.1)
    end = float(logit(1 - LIMIT))
    at = np.linspace(-end, end, 101)
    errors = {"real": "real, called forged (false alarm)", "forged": "forged, called real (missed)"}
    said = []
    for label, look in LABELS.items():
        p_real = scores.loc[scores["label"] == label, "p_real"].to_numpy(float)
        odds = logit(np.clip(p_real, LIMIT, 1 - LIMIT))
        bins = {"start": -end - 0.25, "end": end + 0.3, "size": 0.5}
        bars = {"x": odds, "xbins": bins, "histnorm": "percent", "marker": look.fill, "opacity": 0.65}
        figure.add_histogram(**bars, name=label, row=1, col=1)
        called = [100 * np.mean((p_real <= t) == (label == "real")) for t in (*expit(at), threshold)]
        figure.add_scatter(x=at, y=called[:-1], name=errors[label], mode="lines", line=look.line, row=1, col=2)
        said.append(f"{called[-1]:.0f} % of {errors[label]}")
    figure.add_vline(float(logit(threshold)), line={**DOTTED, "width": 3})
    marks = {"tickvals": logit(MARKS), "ticktext": [f"{p:g}" for p in MARKS], "range": [-end - 0.4, end + 0.4]}
    figure.update_xaxes(title=P_REAL, **marks, col=1).update_xaxes(title="threshold", **marks, col=2)
    figure.update_yaxes(title="% of the class", col=1).update_yaxes(title="% of the class", range=[-2, 102], col=2)
    title = {"text": f"threshold {threshold:g}: " + "; ".join(said), "font": {"size": 14}, "y": 0.97}
    alt = "Left: histograms of p_real of real and forged faces. Right: both errors over the threshold. "
    alt += f"At {title['text']}."
    return layout(figure, 400, alt, barmode="overlay", title=title, legend={"orientation": "h", "y": -0.25})
