"""How good a detector is: matrices, intervals, curves over compression and over the number of frames."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.pictures import coloured
from mesokit.plots.style import (
    ABOVE,
    COLOURS,
    DASHES,
    DOTTED,
    LABELS,
    LOOKS,
    P_REAL,
    PLAIN,
    REAL,
    UNIT,
    course,
    ink,
    layout,
    reach,
    spread,
)

ACCURACY = "accuracy (0 to 1)"


def heatmap(values: pd.DataFrame, low: pd.DataFrame, high: pd.DataFrame, x: str, y: str) -> go.Figure:
    """A cell for each row and column of `values` (shares), with its number and interval; cividis from 0.4 to 1."""
    v, a, b = (one.map("{:.2f}".format) for one in (values, low, high))
    text = "<b>" + v + "</b><br>" + a + " to " + b
    x_names, y_names = ([str(name) for name in names] for names in (values.columns, values.index))
    bar = {"title": "accuracy"}
    figure = go.Figure(go.Heatmap(z=values.to_numpy(float), x=x_names, y=y_names, zmin=0.4, zmax=1, colorbar=bar))
    figure.update_traces(colorscale=PLAIN, hoverinfo="skip")
    shares = np.nan_to_num((values.to_numpy(float) - 0.4) / 0.6, nan=1)  # nan: an empty cell, which is white
    inks = [ink(colour) for colour in coloured(shares, PLAIN).reshape(-1, 3)]
    places = {"x": x_names * len(y_names), "y": np.repeat(y_names, len(x_names)), "text": text.to_numpy().ravel()}
    figure.add_scatter(**places, mode="text", textfont={"color": inks}, hoverinfo="skip", showlegend=False)
    axis = {"title": y, "autorange": "reversed", "automargin": True}
    words = v + " (" + a + " to " + b + ")"
    cells = (f"{row}, {column} {words.loc[row, column]}" for row in v.index for column in v)
    alt = f"Accuracy with intervals by {y} (rows) and {x} (columns). {'; '.join(cells)}."
    return layout(figure, 130 + 46 * len(values), alt, xaxis_title=x, yaxis=axis)


def intervals(table: pd.DataFrame, x: str = ACCURACY, line: float | None = None) -> go.Figure:
    """A dot for each row of `table` at its `value`, with a bar from `low` to `high`; `line`: a dotted level."""
    figure = go.Figure()
    for i, name in enumerate(table.index):
        row, look = table.iloc[[i]], LOOKS[i % len(LOOKS)]
        dot = {"x": row["value"], "y": [str(name)], "error_x": reach(row, "value", type="data", symmetric=False)}
        figure.add_scatter(**dot, mode="markers", marker=look.dot(11), showlegend=False)
    if line is not None:
        figure.add_vline(line, line=DOTTED)
    axis = {"autorange": "reversed", "automargin": True}
    alt = f"Values with intervals: {x}. {spread(table.assign(name=table.index), 'name', 'value')}."
    return layout(figure, 110 + 34 * len(table), alt, xaxis_title=x, yaxis=axis)


def crf_curve(table: pd.DataFrame, threshold: float = 0.5) -> go.Figure:
    """Size, PSNR and p_real over the CRF, a line for each `clip`: columns clip, crf, kB per frame, psnr, p_real."""
    titles = {"kB per frame": "kB per frame", "psnr": "PSNR (dB)", "p_real": P_REAL}
    figure = make_subplots(1, 3, horizontal_spacing=0.09)
    for (name, rows), other in zip(table.groupby("clip"), LOOKS, strict=False):
        for column, key in enumerate(titles, start=1):
            values = rows[key].replace(np.inf, np.nan)  # lossless: no error to measure
            line = {"x": rows["crf"], "y": values, "line": LABELS.get(str(name), other).line}
            figure.add_scatter(**line, name=name, showlegend=column == 1, row=1, col=column)
    figure.add_hline(threshold, row=1, col=3, line=DOTTED)
    figure.update_yaxes(type="log", col=1).update_yaxes(range=UNIT, col=3).update_xaxes(title="CRF")
    for column, title in enumerate(titles.values(), start=1):
        figure.update_yaxes(title=title, col=column)
    told = (
        course(f"{title}, {name}", r["crf"], r[key].replace(np.inf, np.nan))
        for key, title in titles.items()
        for name, r in table.groupby("clip")
    )
    return layout(figure, 340, f"Three panels over the CRF. {'; '.join(told)}.", legend=ABOVE)


def spectra(frequencies: np.ndarray, curves: Mapping[str, np.ndarray], y: str, log: bool = True) -> go.Figure:
    """Curves (bins,) over the spatial frequency. Names with the same beginning, up to a comma, share a colour."""
    figure = go.Figure()
    seen: dict[str, int] = {}  # beginning of a name -> number of its curves so far
    for name, values in curves.items():
        start = name.partition(",")[0]
        seen[start] = seen.get(start, 0) + 1
        line = {"color": COLOURS[list(seen).index(start) % len(COLOURS)], "dash": DASHES[seen[start] - 1]}
        figure.add_scatter(x=frequencies, y=values, name=name, mode="lines", line=line)
    axis = {"title": y, "type": "log", "exponentformat": "power"} if log else {"title": y}
    told = "; ".join(course(name, frequencies, values) for name, values in curves.items())
    alt = f"Lines of {y} over the spatial frequency in cycles per pixel. {told}."
    return layout(figure, 380, alt, xaxis_title="spatial frequency (cycles per pixel of the crop)", yaxis=axis)


def by_number(table: pd.DataFrame) -> go.Figure:
    """Accuracy per clip over the number of frames, of one clip or of n clips, from `evaluation.by_number`."""
    figure = go.Figure()
    names = {"one_clip": "n frames of the clip", "strangers": "control: n frames of n clips"}
    for (key, name), look in zip(names.items(), LOOKS, strict=False):
        figure.add_scatter(x=table["n"], y=table[key], name=name, mode="lines+markers", line=look.line)
    axis = {"title": "frames (n), logarithmic", "type": "log", "tickvals": list(table["n"])}
    told = "; ".join(course(name, table["n"], table[key]) for key, name in names.items())
    alt = f"Accuracy of clips over the number of frames. {told}."
    return layout(figure, 340, alt, xaxis=axis, yaxis_title=ACCURACY, legend=ABOVE)


def effective(numbers: Sequence[int], curves: Mapping[str, Sequence[float]]) -> go.Figure:
    """The number of independent frames that hold as much information as n frames: a line for each name."""
    figure = go.Figure()
    for (name, values), look in zip(curves.items(), LOOKS, strict=False):
        figure.add_scatter(x=list(numbers), y=list(values), name=name, mode="lines", line=look.line)
    told = "; ".join(course(name, numbers, values) for name, values in curves.items())
    alt = f"How many independent frames n frames are worth. {told}."
    return layout(figure, 340, alt, xaxis_title="frames (n)", yaxis_title="equivalent number of independent frames")


def calibration(curves: Mapping[str, pd.DataFrame]) -> go.Figure:
    """The share of real rows over p_real, from `evaluation.calibration`, and the diagonal of a calibrated detector."""
    figure = go.Figure()
    figure.add_scatter(x=[0, 1], y=[0, 1], name="calibrated", mode="lines", line=DOTTED)
    for (name, table), look in zip(curves.items(), LOOKS, strict=False):
        points = {"x": table["p_real"], "y": table["share_real"], "marker": look.dot(5 + 2 * np.sqrt(table["n"]))}
        figure.add_scatter(**points, name=name, mode="lines+markers", text=table["n"])
    told = "; ".join(course(name, table["p_real"], table["share_real"]) for name, table in curves.items())
    alt = f"The share of real faces or clips over p_real; on the diagonal both are equal. {told}."
    return layout(figure, 360, alt, xaxis={"title": P_REAL, "range": UNIT}, yaxis_title="share that is real")


def clip_timeline(rows: pd.DataFrame, running: Sequence[float], title: str, threshold: float = 0.5) -> go.Figure:
    """p_real of each frame of a clip over time, and p_real of the clip from the frames so far: `running`."""
    figure = go.Figure()
    frames = LOOKS[1]._replace(colour=COLOURS[5]).fill
    figure.add_bar(x=rows["time"], y=rows["p_real"], name="frame", marker=frames)
    line = {"color": REAL, "width": 3}
    figure.add_scatter(x=rows["time"], y=list(running), name="clip so far", mode="lines+markers", line=line)
    figure.add_hline(threshold, line=DOTTED, annotation_text=f"threshold {threshold:g}")
    axis = {"title": P_REAL, "range": [0, 1.03]}
    told = f"{course('Frames', rows['time'], rows['p_real'])}; {course('clip so far', rows['time'], running)}"
    alt = f"{title}. p_real over the time in seconds; threshold {threshold:g}. {told}."
    return layout(figure, 340, alt, title=title, xaxis_title="time (s)", yaxis=axis)
