"""Filters and maximized images: kernels, maps, the ascent, sign groups."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.pictures import coloured, faces
from mesokit.plots.style import ABOVE, DOTTED, GRAY, LABELS, LOOKS, REAL, SIGNED, course, layout, listed, short


def kernels(weights: np.ndarray, channels: Sequence[str] = ("red", "green", "blue"), side: int = 85) -> go.Figure:
    """Kernels (h, w, channels, filters): a row for each input channel, a column for each filter, one signed scale."""
    figure = _panels(weights, channels, None)
    figure.update_xaxes(visible=False).update_yaxes(visible=False, autorange="reversed")
    top = float(np.abs(weights).max())
    axis = {"colorscale": SIGNED, "cmin": -top, "cmax": top, "colorbar": {"title": "weight"}}
    alt = f"Kernels of {weights.shape[3]} filters (columns) on {listed(channels)} (rows). "
    alt += f"Blue weights are positive, orange negative: {short(weights.min())} to {short(weights.max())}."
    return layout(figure, weights.shape[2] * side + 60, alt, coloraxis=axis).update_layout(margin_b=10)


def responses(found: np.ndarray, rows: Sequence[str], side: int = 100) -> go.Figure:
    """Frequency responses (size, size, rows, filters), frequency 0 in the middle, all on one scale from 0."""
    size = len(found)
    cycles = (np.arange(size) - size // 2) / size
    figure = _panels(found, rows, cycles)
    ticks = {"tickvals": [-0.25, 0, 0.25], "range": [-0.5, 0.5], "tickfont": {"size": 9}}
    figure.update_xaxes(showticklabels=False, **ticks).update_yaxes(showticklabels=False, **ticks)
    figure.update_xaxes(showticklabels=True, row=len(rows)).update_yaxes(showticklabels=True, col=1)
    figure.update_xaxes(title="cycles per pixel, across", row=len(rows), col=1 + found.shape[3] // 2)
    figure.update_yaxes(title="cycles per pixel, down", row=1 + len(rows) // 2, col=1)
    axis = {"colorscale": "Viridis", "cmin": 0, "cmax": float(found.max()), "colorbar": {"title": "response"}}
    means = zip(rows, found[size // 2, size // 2].mean(axis=1), found.mean(axis=(0, 1, 3)), strict=True)
    told = "; ".join(f"{name} {short(flat)} and {short(mean)}" for name, flat, mean in means)
    alt = f"Frequency responses of {found.shape[3]} filters (columns), frequency 0 in the middle. "
    alt += f"Mean at frequency 0 and over all frequencies: {told}."
    return layout(figure, len(rows) * side + 110, alt, coloraxis=axis)


def _panels(found: np.ndarray, rows: Sequence[str], places: np.ndarray | None) -> go.Figure:
    """(h, w, rows, columns) as a heatmap for each row and column; `places`: coordinates of the cells on both axes."""
    columns = found.shape[3]
    titles = [f"filter {i}" for i in range(columns)]
    figure = make_subplots(len(rows), columns, column_titles=titles, row_titles=list(rows), horizontal_spacing=0.01)
    for row in range(len(rows)):
        for column in range(columns):
            one = found[:, :, row, column].astype(np.float32)  # half the bytes of float64 in the page
            look = {"coloraxis": "coloraxis", "hovertemplate": "%{z:.3f}<extra/>"}
            figure.add_heatmap(z=one, x=places, y=places, **look, row=row + 1, col=column + 1)
    return figure.update_annotations(font_size=11)


def chance(found: float, null: np.ndarray, x: str) -> go.Figure:
    """The null distribution: a histogram of `null` (n,), and a line at `found`; `x` names what is counted."""
    figure = go.Figure(go.Histogram(x=null, nbinsx=30, name="untrained", marker={"color": GRAY}))
    figure.add_vline(found, line={"color": REAL, "width": 3}, annotation_text=f"trained: {found:.3f}")
    alt = f"A histogram of the {x} in {len(null)} untrained networks: {short(null.min())} to {short(null.max())}, "
    alt += f"median {short(np.median(null))}. A line marks the trained network: {short(found)}."
    return layout(figure, 320, alt, xaxis_title=x, yaxis_title="untrained networks", bargap=0.05)


def filter_maps(
    maps: Sequence[np.ndarray],
    titles: Sequence[str],
    columns: int = 6,
    side: int = 160,
    tops: Sequence[float] | None = None,
    *,
    alt: str,
) -> go.Figure:
    """Maps (h, w) from 0 (dark violet) to `tops` (yellow), by default the maximum of each map, which is in its title.

    A map with negative values is white at 0, blue where positive, orange where negative. `alt`: as in `faces`.
    """
    largest = [float(np.abs(one).max()) for one in maps]
    ends = largest if tops is None else tops
    drawn = [_coloured(np.asarray(one, float) / (end or 1.0)) for one, end in zip(maps, ends, strict=True)]
    words = [f"{title}, max {top:.3g}" for title, top in zip(titles, largest, strict=True)]
    return faces(drawn, words, columns, side, alt=alt)


def _coloured(values: np.ndarray) -> np.ndarray:
    """A map in [-1, 1] or [0, 1] as a picture (h, w, 3) uint8 RGB, enlarged without blur when it is small."""
    picture: np.ndarray
    if values.min() < 0:
        picture = coloured((values + 1) / 2, SIGNED).astype(np.uint8)
    else:
        bgr = cv2.applyColorMap((255 * values).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
        picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    zoom = max(1, 256 // len(picture))
    return cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)


def ascent(trace: pd.DataFrame) -> go.Figure:
    """The search for one image: f, the penalty, and their difference; `trace` has columns step, f and penalty."""
    figure = go.Figure()
    lines = {"f": LOOKS[0].line, "penalty": LOOKS[1].line, "E = f - penalty": {**DOTTED, "width": 4}}
    trace = trace.assign(**{"E = f - penalty": trace["f"] - trace["penalty"]})
    for name, line in lines.items():
        figure.add_scatter(x=trace["step"], y=trace[name], name=name, mode="lines", line=line)
    told = "; ".join(course(name, trace["step"], trace[name]) for name in lines)
    alt = f"Three lines over the steps. {told}."
    return layout(figure, 340, alt, xaxis_title="step", yaxis_title="value", legend=ABOVE)


def sign_shares(table: pd.DataFrame) -> go.Figure:
    """The share of detail in the face: a dot for each neuron; columns unit, network, group and face_share."""
    figure = go.Figure()
    rng = np.random.default_rng(0)  # for places side by side, so that no dot hides another
    names = list(dict.fromkeys(table["network"]))
    for group, offset in (("forged", -0.18), ("real", 0.18)):
        rows = table[table["group"] == group]
        x = rows["network"].map(names.index).to_numpy(float) + offset + rng.uniform(-0.08, 0.08, len(rows))
        dots = {"x": x, "y": rows["face_share"], "marker": LABELS[group].dot(9)}
        words = {"name": f"{group} neurons", "text": [f"neuron {unit}" for unit in rows["unit"]]}
        figure.add_scatter(**dots, **words, mode="markers")
    note = {"annotation_text": "same detail inside and outside", "annotation_position": "top left"}
    figure.add_hline(0.5, line=DOTTED, **note)
    axis = {"title": "network", "tickvals": list(range(len(names))), "ticktext": names}
    axis["range"] = [-1.1, len(names) - 0.5]  # room for the words to the left of the dots
    y = {"title": "share of detail in the face", "range": [0, 1]}
    means = table.groupby(["network", "group"], sort=False)["face_share"].agg(["size", "mean"])
    told = "; ".join(f"{network}, {r['size']:.0f} {kind}: {r['mean']:.2f}" for (network, kind), r in means.iterrows())
    alt = f"A dot for each neuron: the share of detail in the face; 0.5: as much outside. Means: {told}."
    return layout(figure, 380, alt, xaxis=axis, yaxis=y, legend=ABOVE)
