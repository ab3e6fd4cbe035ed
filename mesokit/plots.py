"""A function per figure: arrays or tables in, a plotly figure out. The palette and the axis words live here only.

Colours are Okabe and Ito's, which the colour-blind can tell apart; line styles repeat what colours say, for print.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

REAL, FORGED, OTHER, GRAY = "#0072B2", "#D55E00", "#009E73", "#777777"
P_REAL = "p_real (1 = real, 0 = forged)"


def _layout(figure: go.Figure, height: int, **axes: Any) -> go.Figure:
    margin = {"l": 60, "r": 20, "t": 40, "b": 50}
    return figure.update_layout(template="plotly_white", height=height, margin=margin, **axes)


def faces(
    images: np.ndarray | Sequence[np.ndarray], titles: Sequence[str], columns: int = 6, side: int = 160
) -> go.Figure:
    """A grid of images (h, w, 3) uint8 RGB, or (h, w) uint8 masks, with a title above each."""
    rows = -(-len(images) // columns)
    figure = make_subplots(
        rows, columns, subplot_titles=list(titles), horizontal_spacing=0.01, vertical_spacing=0.12 / rows
    )
    for i, image in enumerate(images):
        picture = go.Image(source=_data_address(image), hoverinfo="skip")
        figure.add_trace(picture, row=i // columns + 1, col=i % columns + 1)
    figure.update_xaxes(visible=False).update_yaxes(visible=False)
    figure.update_annotations(font_size=12)
    return _layout(figure, rows * (side + 30) + 40).update_layout(margin={"l": 5, "r": 5, "t": 40, "b": 5})


def landmarks(
    images: Sequence[np.ndarray],
    points: Sequence[np.ndarray],
    titles: Sequence[str],
    wanted: Sequence[np.ndarray] | None = None,
    columns: int = 3,
    side: int = 300,
) -> go.Figure:
    """Images (h, w, 3) uint8 RGB with a dot at each of their points (n, 2) x, y, and a line to where it is `wanted`."""
    goals = points if wanted is None else wanted
    drawn = [_marked(*item) for item in zip(images, points, goals, strict=True)]
    return faces(drawn, titles, columns, side)


def _marked(image: np.ndarray, points: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """The image, enlarged so that dots stay small, with its points and the lines from them to their goals."""
    zoom = max(1, round(720 / image.shape[0]))
    canvas = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    here, there = (np.round((np.asarray(p) + 0.5) * zoom * 16).astype(int) for p in (points, goals))  # sixteenths
    for a, b in zip(here, there, strict=True):
        cv2.line(canvas, a, b, _rgb(FORGED), 2, cv2.LINE_AA, shift=4)
        cv2.circle(canvas, a, 48 if len(points) > 20 else 112, _rgb(REAL), -1, cv2.LINE_AA, shift=4)
    return canvas


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:], 16)


def bars(table: pd.DataFrame, y: str, line: float | None = None) -> go.Figure:
    """Grouped bars: a group for each row of `table`, a bar in it for each column; `y` names their unit.

    `line`: where to draw a dotted level to compare with.
    """
    figure = go.Figure()
    looks = [(REAL, ""), (OTHER, "."), (FORGED, "/"), (GRAY, "x")]
    for column, (colour, shape) in zip(table.columns, looks, strict=False):
        marker = {"color": colour, "pattern": {"shape": shape}}
        text = [f"{value:.2f}" for value in table[column]]
        figure.add_bar(x=list(table.index), y=table[column], name=str(column), marker=marker, text=text)
    if line is not None:
        figure.add_hline(line, line={"color": GRAY, "dash": "dot"})
    figure.update_traces(textposition="outside", cliponaxis=False)
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    return _layout(figure, 380, barmode="group", yaxis={"title": y, "rangemode": "tozero"}, legend=legend)


def losses(values: Sequence[float]) -> go.Figure:
    """The loss of each training step, and its mean over the 10 steps before, on a logarithmic axis."""
    steps, smooth = np.arange(1, len(values) + 1), pd.Series(values).rolling(10, min_periods=1).mean()
    figure = go.Figure()
    figure.add_scatter(x=steps, y=list(values), name="each step", mode="lines", line={"color": GRAY, "width": 1})
    figure.add_scatter(x=steps, y=smooth, name="mean of 10", mode="lines", line={"color": REAL, "width": 3})
    axis = {"title": "mean absolute error", "type": "log"}
    return _layout(figure, 300, xaxis_title="step", yaxis=axis)


def distances(values: dict[str, np.ndarray], x: str) -> go.Figure:
    """How distances are spread: a histogram for each name, as shares of its own number; `x` names what is measured."""
    figure = go.Figure()
    top = float(max(v.max() for v in values.values()))
    for (name, found), (colour, shape) in zip(values.items(), [(FORGED, "/"), (REAL, ""), (OTHER, ".")], strict=False):
        bins = {"start": 0, "end": top * 1.05, "size": top / 30}
        marker = {"color": colour, "pattern": {"shape": shape}}
        figure.add_histogram(x=found, xbins=bins, name=name, marker=marker, opacity=0.65, histnorm="percent")
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    return _layout(figure, 340, barmode="overlay", xaxis_title=x, yaxis_title="% of the faces", legend=legend)


def _data_address(image: np.ndarray) -> str:
    """JPEG at quality 92: a page of faces stays small, and only people look at it."""
    import base64

    _, data = cv2.imencode(
        ".jpg", image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92]
    )
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def timeline(clips: dict[str, list[dict[str, Any]]], threshold: float = 0.5) -> go.Figure:
    """p_real over time: a line for each clip, name -> frames as `scan.Judged.frames` holds them."""
    figure = go.Figure()
    styles = [(REAL, "solid"), (FORGED, "dash"), (OTHER, "dot"), (GRAY, "dashdot")]
    for (name, frames), (colour, dash) in zip(clips.items(), styles, strict=False):
        x, y = [row["time"] for row in frames], [row["p_real"] for row in frames]
        figure.add_scatter(x=x, y=y, name=name, mode="lines+markers", line={"color": colour, "dash": dash})
    figure.add_hline(
        threshold,
        line={"color": GRAY, "dash": "dot"},
        annotation_text=f"threshold {threshold:g}",
        annotation_position="bottom left",
    )
    return _layout(figure, 360, xaxis_title="time (s)", yaxis={"title": P_REAL, "range": [-0.03, 1.03]})


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
    return _layout(figure, 360)


def scores(table: pd.DataFrame, title: str = "", threshold: float = 0.5) -> go.Figure:
    """How p_real is spread over real and over forged faces: a histogram of each."""
    figure = go.Figure()
    for label, colour, shape in (("real", REAL, ""), ("forged", FORGED, "/")):
        values = table.loc[table["label"] == label, "p_real"]
        bins = {"start": 0, "end": 1.0001, "size": 0.05}
        marker = {"color": colour, "pattern": {"shape": shape}}
        figure.add_histogram(x=values, xbins=bins, name=f"{label} ({len(values)})", marker=marker, opacity=0.65)
    figure.add_vline(threshold, line={"color": GRAY, "dash": "dot"})
    return _layout(
        figure, 340, title=title, barmode="overlay", xaxis={"title": P_REAL, "range": [0, 1]}, yaxis_title="faces"
    )


def learning_rate(rates: pd.Series) -> go.Figure:
    """The learning rate (values) by iteration (index), on a logarithmic axis."""
    figure = go.Figure(go.Scatter(x=rates.index, y=rates, mode="lines", line={"color": REAL, "shape": "hv"}))
    axis = {"title": "learning rate", "type": "log", "exponentformat": "power", "dtick": 1}
    return _layout(figure, 300, xaxis_title="iteration (batches)", yaxis=axis)
