"""What goes on inside a network: maps on a shared scale, explanations over faces, effects with their intervals."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mesokit.plots.pictures import faces
from mesokit.plots.style import ABOVE, COLOURS, DASHES, FORGED, GRAY, REAL, layout

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star")
SIGNED = [[0.0, FORGED], [0.5, "#FFFFFF"], [1.0, REAL]]  # below 0 more for forged, above 0 more for real
PLAIN = [[0.0, "#00224E"], [0.25, "#35456C"], [0.5, "#7C7B78"], [0.75, "#BCAF6F"], [1.0, "#FEE838"]]  # cividis


def mean_maps(
    found: Sequence[np.ndarray], titles: Sequence[str], unit: str, signed: bool = False, columns: int = 4
) -> go.Figure:
    """Maps (h, w) in one colour scale: from the least to the most of all, or, if `signed`, equally far around 0.

    `unit` names what the colour bar counts. Signed: blue is more for real, orange more for forged.
    """
    every = np.concatenate([np.ravel(one) for one in found])
    top = float(np.abs(every).max()) if signed else float(every.max())
    low = -top if signed else float(every.min())
    scale = SIGNED if signed else PLAIN
    drawn = [_coloured((one - low) / max(top - low, 1e-12), scale) for one in found]
    figure = faces(drawn, titles, columns)
    bar = {"title": {"text": unit, "side": "right"}, "thickness": 12}
    marker = {"color": [low], "cmin": low, "cmax": max(top, low + 1e-12), "colorscale": scale, "colorbar": bar}
    figure.add_scatter(x=[None], y=[None], mode="markers", marker={**marker, "showscale": True}, showlegend=False)
    return figure.update_layout(margin={"r": 90})


def _coloured(values: np.ndarray, scale: list[list[Any]], side: int = 256) -> np.ndarray:
    """Values (h, w) in 0..1 -> (side, side, 3) uint8, cells left as squares."""
    stops = [stop for stop, _ in scale]
    colours = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for _, colour in scale])
    channels = [np.interp(values, stops, colours[:, channel]) for channel in range(3)]
    image = np.stack(channels, axis=-1).round().astype(np.uint8)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_NEAREST)


def overlays(
    images: Sequence[np.ndarray],
    found: Sequence[np.ndarray],
    titles: Sequence[str],
    masks: Sequence[np.ndarray] | None = None,
    columns: int = 6,
) -> go.Figure:
    """Gray faces with their maps (h, w) >= 0 in colour, each scaled to its own largest value; white: a mask."""
    drawn = []
    for i, (image, one) in enumerate(zip(images, found, strict=True)):
        strength = (one / max(float(one.max()), 1e-12))[..., None]
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] * np.ones(3)
        heat = _coloured(strength[..., 0], PLAIN, len(image))
        weight = 0.35 + 0.65 * strength
        canvas = ((1 - weight) * gray + weight * heat).round().astype(np.uint8)
        drawn.append(canvas if masks is None else _rim(canvas, masks[i], (255, 255, 255)))
    return faces(drawn, titles, columns)


def outlined(
    images: Sequence[np.ndarray],
    regions: Sequence[np.ndarray],
    titles: Sequence[str],
    columns: int = 6,
    side: int = 160,
) -> go.Figure:
    """Faces (h, w, 3) uint8 with the rim of one region (h, w) bool each."""
    rim = tuple(int(FORGED[i : i + 2], 16) for i in (1, 3, 5))
    return faces([_rim(i, r, rim) for i, r in zip(images, regions, strict=True)], titles, columns, side)


def _rim(image: np.ndarray, region: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    found, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(image.copy(), found, -1, colour, 2)


def exchanges(largest: np.ndarray, unit: str) -> go.Figure:
    """The largest difference after each exchange of real and forged, and a line at the true one, which comes first."""
    figure = go.Figure(go.Histogram(x=largest[1:], nbinsx=30, marker={"color": GRAY}, name="exchanged"))
    figure.add_vline(
        largest[0], line={"color": REAL, "width": 3}, annotation_text="as it is", annotation_position="top left"
    )
    return layout(figure, 280, xaxis={"title": unit, "rangemode": "tozero"}, yaxis_title="exchanges")


def whiskers(table: pd.DataFrame, y: str, x: str, series: str | None = None, line: float | None = 0.0) -> go.Figure:
    """Means with whiskers: `table` has columns mean, low, high and `y`, whose values become rows from top to bottom.

    x: the words of the axis. series: a column whose values are told apart by colour and sign. line: where nothing is.
    """
    figure = go.Figure()
    names = [None] if series is None else list(dict.fromkeys(table[series]))
    for i, name in enumerate(names):
        rows = table if name is None else table[table[series] == name]
        reach = {"array": rows["high"] - rows["mean"], "arrayminus": rows["mean"] - rows["low"], "thickness": 2}
        place = np.array([list(dict.fromkeys(table[y])).index(value) for value in rows[y]], float)
        figure.add_scatter(
            x=rows["mean"],
            y=place + 0.16 * (i - (len(names) - 1) / 2),  # side by side, or one would cover the other
            error_x=reach,
            mode="markers",
            name=str(name),
            marker={"color": COLOURS[i], "symbol": SYMBOLS[i], "size": 9},
            showlegend=name is not None,
        )
    if line is not None:
        figure.add_vline(line, line={"color": GRAY, "dash": "dot"})
    labels = list(dict.fromkeys(table[y]))
    axis = {"tickvals": list(range(len(labels))), "ticktext": [str(v) for v in labels], "autorange": "reversed"}
    height = 140 + (30 + 12 * len(names)) * len(labels)
    return layout(figure, height, xaxis_title=x, yaxis=axis, legend=ABOVE).update_layout(margin={"l": 140})


def deletions(table: pd.DataFrame, x: str, y: str, title: str) -> go.Figure:
    """A line for each value of `explanation`: columns explanation, share (of the picture changed, 0..1), value."""
    figure = go.Figure()
    for i, (name, rows) in enumerate(table.groupby("explanation", sort=False)):
        line = {"color": COLOURS[i % len(COLOURS)], "dash": DASHES[i % len(DASHES)]}
        figure.add_scatter(x=rows["share"], y=rows["value"], name=str(name), mode="lines", line=line)
    axis = {"title": y, "range": [-0.03, 1.03]}
    return layout(figure, 360, title=title, xaxis_title=x, yaxis=axis)


def band_losses(table: pd.DataFrame, y: str = "loss of accuracy") -> go.Figure:
    """A line with whiskers for each `treatment` over bands of frequency, in cycles per face.

    table: columns low_cycles and high_cycles (the band), treatment, mean, and low and high (the interval of the mean).
    """
    figure = go.Figure()
    for i, (name, rows) in enumerate(table.groupby("treatment", sort=False)):
        reach = {"array": rows["high"] - rows["mean"], "arrayminus": rows["mean"] - rows["low"]}
        figure.add_scatter(
            x=np.sqrt(rows["low_cycles"] * rows["high_cycles"])
            * 1.06 ** (i - 1),  # middle of an octave; apart, to be seen
            y=rows["mean"],
            error_y=reach,
            name=str(name),
            mode="lines+markers",
            line={"color": COLOURS[i], "dash": DASHES[i]},
            marker={"symbol": SYMBOLS[i], "size": 9},
        )
    figure.add_hline(0, line={"color": GRAY, "dash": "dot"})
    edges = [*table["low_cycles"].unique(), table["high_cycles"].max()]
    axis = {"title": "cycles per face: coarse to fine", "type": "log", "tickvals": edges}
    axis["ticktext"] = [f"{edge:g}" for edge in edges]
    return layout(figure, 380, xaxis=axis, yaxis_title=y, legend=ABOVE)
