"""How good a judge is: matrices, intervals, curves over compression and over the number of frames."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.pictures import faces
from mesokit.plots.style import ABOVE, COLOURS, DASHES, FORGED, GRAY, P_REAL, REAL, SHAPES, layout

SYMBOLS = ("circle", "diamond", "square", "x", "triangle-up", "cross", "star")
ACCURACY = "accuracy (share of 1)"


def heatmap(values: pd.DataFrame, low: pd.DataFrame, high: pd.DataFrame, x: str, y: str) -> go.Figure:
    """A cell for each row and column of `values` (shares), its number and its interval in it; cividis from 0.4 to 1."""
    text = [
        [f"<b>{v:.2f}</b><br>{a:.2f} to {b:.2f}" for v, a, b in zip(*rows, strict=True)]
        for rows in zip(values.to_numpy(), low.to_numpy(), high.to_numpy(), strict=True)
    ]
    cells = go.Heatmap(
        z=values.to_numpy(float),
        x=[str(name) for name in values.columns],
        y=[str(name) for name in values.index],
        text=text,
        texttemplate="%{text}",
        colorscale="Cividis",
        zmin=0.4,
        zmax=1,
        colorbar={"title": "accuracy"},
    )
    axis = {"title": y, "autorange": "reversed", "automargin": True}
    return layout(go.Figure(cells), 130 + 46 * len(values), xaxis_title=x, yaxis=axis)


def intervals(table: pd.DataFrame, x: str = ACCURACY, line: float | None = None) -> go.Figure:
    """A dot for each row of `table` at its `value`, with a bar from `low` to `high`; `line`: a level to compare."""
    figure = go.Figure()
    for i, (name, row) in enumerate(table.iterrows()):
        bar = {"type": "data", "symmetric": False, "array": [row["high"] - row["value"]]}
        figure.add_scatter(
            x=[row["value"]],
            y=[str(name)],
            mode="markers",
            error_x={**bar, "arrayminus": [row["value"] - row["low"]]},
            marker={"size": 11, "color": COLOURS[i % len(COLOURS)], "symbol": SYMBOLS[i % len(SYMBOLS)]},
            showlegend=False,
        )
    if line is not None:
        figure.add_vline(line, line={"color": GRAY, "dash": "dot"})
    axis = {"autorange": "reversed", "automargin": True}
    return layout(figure, 110 + 34 * len(table), xaxis_title=x, yaxis=axis)


def crf_curve(table: pd.DataFrame, threshold: float = 0.5) -> go.Figure:
    """Size, PSNR and p_real over the CRF, a line for each `clip`: columns clip, crf, kB per frame, psnr, p_real."""
    titles = ("kB per frame", "PSNR (dB)", P_REAL)
    figure = make_subplots(1, 3, horizontal_spacing=0.09)
    looks = dict(zip(("real", "forged"), zip(COLOURS, DASHES, strict=False), strict=False))  # the same in every figure
    for (name, rows), other in zip(table.groupby("clip"), zip(COLOURS, DASHES, strict=True), strict=False):
        colour, dash = looks.get(str(name), other)
        for column, key in enumerate(("kB per frame", "psnr", "p_real"), start=1):
            line = {"color": colour, "dash": dash}
            values = rows[key].replace(np.inf, np.nan)  # lossless: no error to measure
            trace = go.Scatter(x=rows["crf"], y=values, name=name, line=line, showlegend=column == 1)
            figure.add_trace(trace, 1, column)
    figure.add_hline(threshold, row=1, col=3, line={"color": GRAY, "dash": "dot"})
    figure.update_yaxes(type="log", col=1).update_yaxes(range=[-0.03, 1.03], col=3).update_xaxes(title="CRF")
    for column, title in enumerate(titles, start=1):
        figure.update_yaxes(title=title, col=column)
    return layout(figure, 340, legend=ABOVE)


def spectra(frequencies: np.ndarray, curves: Mapping[str, np.ndarray], y: str, log: bool = True) -> go.Figure:
    """Curves (bins,) over the spatial frequency. Names that start alike, up to a comma, share a colour."""
    figure = go.Figure()
    colours: dict[str, str] = {}
    seen: dict[str, int] = {}
    for name, values in curves.items():
        start = name.partition(",")[0]
        colour = colours.setdefault(start, COLOURS[len(colours) % len(COLOURS)])
        dash = DASHES[seen.setdefault(start, 0)]
        seen[start] += 1
        figure.add_scatter(x=frequencies, y=values, name=name, mode="lines", line={"color": colour, "dash": dash})
    axis = {"title": y, "type": "log", "exponentformat": "power"} if log else {"title": y}
    return layout(figure, 380, xaxis_title="spatial frequency (cycles per pixel of the crop)", yaxis=axis)


def level_view(face: np.ndarray, change: np.ndarray, gain: float, title: str) -> go.Figure:
    """A face (h, w, 3) uint8 and beside it what changed (h, w, 3), signed, `gain` times amplified around gray."""
    shown = np.clip(128 + gain * change, 0, 255).astype(np.uint8)
    return faces([face, shown], [title, f"difference to the original x {gain:g}"], columns=2, side=300)


def by_number(table: pd.DataFrame) -> go.Figure:
    """Accuracy per clip over the number of frames: frames of one clip, and of strangers (`evaluation.by_number`)."""
    figure = go.Figure()
    for key, name, colour, dash in (
        ("one_clip", "n frames of the clip", REAL, "solid"),
        ("strangers", "control: n frames of as many clips", FORGED, "dash"),
    ):
        line = {"color": colour, "dash": dash}
        figure.add_scatter(x=table["n"], y=table[key], name=name, mode="lines+markers", line=line)
    axis = {"title": "frames (n), logarithmic", "type": "log", "tickvals": list(table["n"])}
    return layout(figure, 340, xaxis=axis, yaxis_title=ACCURACY, legend=ABOVE)


def effective(numbers: Sequence[int], curves: Mapping[str, Sequence[float]]) -> go.Figure:
    """How many independent frames n frames are worth: a line for each name."""
    figure = go.Figure()
    for (name, values), colour, dash in zip(curves.items(), COLOURS, DASHES, strict=False):
        line = {"color": colour, "dash": dash}
        figure.add_scatter(x=list(numbers), y=list(values), name=name, mode="lines", line=line)
    return layout(figure, 340, xaxis_title="frames (n)", yaxis_title="independent frames they are worth")


def calibration(curves: Mapping[str, pd.DataFrame]) -> go.Figure:
    """How often a p_real is right: share of real rows over p_real, from `evaluation.calibration`, and the diagonal."""
    figure = go.Figure()
    line = {"color": GRAY, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], name="as it should be", mode="lines", line=line)
    for (name, table), colour, symbol in zip(curves.items(), COLOURS, SYMBOLS, strict=False):
        marker = {"size": 5 + 2 * np.sqrt(table["n"]), "symbol": symbol, "color": colour}
        x, y = table["p_real"], table["share_real"]
        figure.add_scatter(x=x, y=y, name=name, mode="lines+markers", marker=marker, text=table["n"])
    axes = {"xaxis": {"title": P_REAL, "range": [-0.03, 1.03]}, "yaxis": {"title": "share that is real"}}
    return layout(figure, 360, **axes)


def clip_timeline(rows: pd.DataFrame, running: Sequence[float], title: str, threshold: float = 0.5) -> go.Figure:
    """p_real of each frame of a clip over time, and what its clip's p_real is if one stops there: `running`."""
    figure = go.Figure()
    bar = {"color": COLOURS[5], "pattern": {"shape": SHAPES[1]}}
    figure.add_bar(x=rows["time"], y=rows["p_real"], name="frame", marker=bar)
    line = {"color": REAL, "width": 3}
    figure.add_scatter(x=rows["time"], y=list(running), name="clip so far", mode="lines+markers", line=line)
    figure.add_hline(threshold, line={"color": GRAY, "dash": "dot"}, annotation_text=f"threshold {threshold:g}")
    axis = {"title": P_REAL, "range": [0, 1.03]}
    return layout(figure, 340, title=title, xaxis_title="time (s)", yaxis=axis)
