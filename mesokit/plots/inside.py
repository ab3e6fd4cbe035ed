"""What goes on inside a network: maps on a shared scale, explanations over faces, effects with their intervals."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mesokit.plots.pictures import coloured, faces, rgb
from mesokit.plots.style import (
    ABOVE,
    DOTTED,
    FORGED,
    GRAY,
    LOOKS,
    PLAIN,
    REAL,
    SIGNED,
    UNIT,
    course,
    layout,
    reach,
    short,
    spread,
)


def mean_maps(
    found: Sequence[np.ndarray], titles: Sequence[str], unit: str, signed: bool = False, columns: int = 4, *, alt: str
) -> go.Figure:
    """Maps (h, w) in one colour scale, from the minimum to the maximum of all, or symmetric around 0 if `signed`.

    `unit`: the title of the colour bar. Signed: blue is more for real, orange more for forged. `alt`: as in `faces`.
    """
    every = np.concatenate([np.ravel(one) for one in found])
    top = float(np.abs(every).max()) if signed else float(every.max())
    low, scale = (-top, SIGNED) if signed else (float(every.min()), PLAIN)
    drawn = [_squares((one - low) / max(top - low, 1e-12), scale, 256) for one in found]
    ranges = "; ".join(f"{t} {short(one.min())} to {short(one.max())}" for t, one in zip(titles, found, strict=True))
    figure = faces(drawn, titles, columns, alt=f"{alt} Range of {unit}: {ranges}.")
    bar = {"title": {"text": unit, "side": "right"}, "thickness": 12}
    marker = {"color": [low], "cmin": low, "cmax": max(top, low + 1e-12), "colorscale": scale, "colorbar": bar}
    figure.add_scatter(x=[None], y=[None], mode="markers", marker={**marker, "showscale": True}, showlegend=False)
    return figure.update_layout(margin={"r": 90})


def _squares(values: np.ndarray, scale: Sequence[tuple[float, str]], side: int) -> np.ndarray:
    """Values (h, w) in 0..1 -> (side, side, 3) uint8; each cell is a square of one colour."""
    image = coloured(values, scale).round().astype(np.uint8)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_NEAREST)


def overlays(
    images: Sequence[np.ndarray],
    found: Sequence[np.ndarray],
    titles: Sequence[str],
    masks: Sequence[np.ndarray] | None = None,
    columns: int = 6,
    *,
    alt: str,
) -> go.Figure:
    """Gray faces with their maps (h, w) >= 0 in colour, each scaled to its own largest value; white: a mask.

    `alt`: as in `faces`.
    """
    drawn = []
    for i, (image, one) in enumerate(zip(images, found, strict=True)):
        strength = (one / max(float(one.max()), 1e-12))[..., None]
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] * np.ones(3)
        weight = 0.35 + 0.65 * strength
        heat = _squares(strength[..., 0], PLAIN, len(image))
        canvas = ((1 - weight) * gray + weight * heat).round().astype(np.uint8)
        drawn.append(canvas if masks is None else _rim(canvas, masks[i], "#FFFFFF"))
    return faces(drawn, titles, columns, alt=alt)


def outlined(
    images: Sequence[np.ndarray],
    regions: Sequence[np.ndarray],
    titles: Sequence[str],
    columns: int = 6,
    side: int = 160,
    *,
    alt: str,
) -> go.Figure:
    """Faces (h, w, 3) uint8, each with the rim of one region (h, w) bool; `alt`: as in `faces`."""
    drawn = [_rim(image, region, FORGED) for image, region in zip(images, regions, strict=True)]
    return faces(drawn, titles, columns, side, alt=alt)


def _rim(image: np.ndarray, region: np.ndarray, colour: str) -> np.ndarray:
    found, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(image.copy(), found, -1, rgb(colour), 2)


def exchanges(largest: np.ndarray, unit: str) -> go.Figure:
    """The largest difference after each exchange of real and forged; a line at the first, which is the true one."""
    figure = go.Figure(go.Histogram(x=largest[1:], nbinsx=30, marker={"color": GRAY}, name="exchanged"))
    words = {"annotation_text": "true labels", "annotation_position": "top left"}
    figure.add_vline(largest[0], line={"color": REAL, "width": 3}, **words)
    alt = f"A histogram of the {unit} after {len(largest) - 1} exchanges: {short(min(largest[1:]))} to "
    alt += f"{short(max(largest[1:]))}. A line marks the true labels: {short(largest[0])}."
    return layout(figure, 280, alt, xaxis={"title": unit, "rangemode": "tozero"}, yaxis_title="exchanges")


def whiskers(table: pd.DataFrame, y: str, x: str, series: str | None = None, line: float | None = 0.0) -> go.Figure:
    """Means with whiskers: `table` has columns mean, low, high and `y`, whose values become rows from top to bottom.

    x: the title of the axis. series: a column whose values have a colour and a symbol each. line: a dotted level.
    """
    figure = go.Figure()
    labels = list(dict.fromkeys(table[y]))
    names = [None] if series is None else list(dict.fromkeys(table[series]))
    for i, (name, look) in enumerate(zip(names, LOOKS, strict=False)):
        rows = table if name is None else table[table[series] == name]
        beside = 0.16 * (i - (len(names) - 1) / 2)  # series side by side
        place = np.array([labels.index(value) for value in rows[y]], float) + beside
        dots = {"x": rows["mean"], "y": place, "error_x": reach(rows, "mean", thickness=2), "marker": look.dot(9)}
        figure.add_scatter(**dots, mode="markers", name=str(name), showlegend=name is not None)
    if line is not None:
        figure.add_vline(line, line=DOTTED)
    axis = {"tickvals": list(range(len(labels))), "ticktext": [str(v) for v in labels], "autorange": "reversed"}
    height = 140 + (30 + 12 * len(names)) * len(labels)
    named = table.assign(name=table[y].astype(str) if series is None else table[y].astype(str) + ", " + table[series])
    alt = f"Means with intervals: {x}. {spread(named, 'name', 'mean')}."
    return layout(figure, height, alt, xaxis_title=x, yaxis=axis, legend=ABOVE).update_layout(margin={"l": 140})


def deletions(table: pd.DataFrame, x: str, y: str, title: str) -> go.Figure:
    """A line for each value of `explanation`: columns explanation, share (of the picture changed, 0..1), value."""
    figure = go.Figure()
    for i, (name, rows) in enumerate(table.groupby("explanation", sort=False)):
        line = LOOKS[i % len(LOOKS)].line
        figure.add_scatter(x=rows["share"], y=rows["value"], name=str(name), mode="lines", line=line)
    rows_of = table.groupby("explanation", sort=False)
    alt = f"{title} {'; '.join(course(name, rows['share'], rows['value']) for name, rows in rows_of)}."
    return layout(figure, 360, alt, title=title, xaxis_title=x, yaxis={"title": y, "range": UNIT})


def band_losses(table: pd.DataFrame, y: str = "loss of accuracy") -> go.Figure:
    """A line with whiskers for each `treatment` over bands of frequency, in cycles per face.

    table: columns low_cycles and high_cycles (the band), treatment, mean, and low and high (the interval of the mean).
    """
    figure = go.Figure()
    for i, ((name, rows), look) in enumerate(zip(table.groupby("treatment", sort=False), LOOKS, strict=False)):
        middle = np.sqrt(rows["low_cycles"] * rows["high_cycles"]) * 1.06 ** (i - 1)  # of the octave; side by side
        points = {"x": middle, "y": rows["mean"], "error_y": reach(rows, "mean"), "line": look.line}
        marker = {"symbol": look.symbol, "size": 9}
        figure.add_scatter(**points, name=str(name), mode="lines+markers", marker=marker)
    figure.add_hline(0, line=DOTTED)
    edges = [*table["low_cycles"].unique(), table["high_cycles"].max()]
    axis = {"title": "cycles per face: coarse to fine", "type": "log", "tickvals": edges}
    axis["ticktext"] = [f"{edge:g}" for edge in edges]
    bands = table["treatment"] + ", " + table["low_cycles"].map(short) + " to " + table["high_cycles"].map(short)
    told = spread(table.assign(band=bands), "band", "mean")
    alt = f"{y} by band of frequency in cycles per face, with intervals. {told}."
    return layout(figure, 380, alt, xaxis=axis, yaxis_title=y, legend=ABOVE)
