"""Pictures: faces, masks, landmarks, differences."""

import base64
from collections.abc import Sequence

import cv2
import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.style import FORGED, REAL, layout, listed


def faces(
    images: np.ndarray | Sequence[np.ndarray], titles: Sequence[str], columns: int = 6, side: int = 160, *, alt: str
) -> go.Figure:
    """A grid of images (h, w, 3) uint8 RGB, or (h, w) uint8 masks, with a title above each; `side`: its width.

    `alt`: one or two sentences that say what the pictures show, for those who do not see them; the titles follow them.
    """
    rows = -(-len(images) // columns)
    gaps = {"horizontal_spacing": 0.01, "vertical_spacing": 0.12 / rows}
    figure = make_subplots(rows, columns, subplot_titles=list(titles), **gaps)
    for i, image in enumerate(images):
        figure.add_image(source=data_address(image), hoverinfo="skip", row=i // columns + 1, col=i % columns + 1)
    figure.update_xaxes(visible=False).update_yaxes(visible=False, constraintoward="top")
    figure.update_annotations(font_size=12)
    words = f"{alt} Pictures: {listed(titles)}."
    tall = round(side * max(len(image) / image.shape[1] for image in images))
    layout(figure, rows * (tall + 30) + 40, words).update_layout(margin={"l": 5, "r": 5, "t": 40, "b": 5})
    return figure.update_layout(meta={"alt": words, "wide": columns * side})  # a narrow page makes it lower


def landmarks(
    images: Sequence[np.ndarray],
    points: Sequence[np.ndarray],
    titles: Sequence[str],
    wanted: Sequence[np.ndarray] | None = None,
    columns: int = 3,
    side: int = 300,
    *,
    alt: str,
) -> go.Figure:
    """Images (h, w, 3) uint8 RGB with a dot at each of their points (n, 2) x, y, and a line to where it is `wanted`.

    `alt`: as in `faces`.
    """
    goals = points if wanted is None else wanted
    drawn = [_marked(*item) for item in zip(images, points, goals, strict=True)]
    return faces(drawn, titles, columns, side, alt=alt)


def _marked(image: np.ndarray, points: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """The image with its points and the lines from them to their goals, enlarged so that dots are small in it."""
    zoom = max(1, round(720 / image.shape[0]))
    canvas = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)
    here, there = (np.round((np.asarray(p) + 0.5) * zoom * 16).astype(int) for p in (points, goals))  # sixteenths
    for a, b in zip(here, there, strict=True):
        cv2.line(canvas, a, b, rgb(FORGED), 2, cv2.LINE_AA, shift=4)
        cv2.circle(canvas, a, 48 if len(points) > 20 else 112, rgb(REAL), -1, cv2.LINE_AA, shift=4)
    return canvas


def level_view(face: np.ndarray, change: np.ndarray, gain: float, title: str) -> go.Figure:
    """A face (h, w, 3) uint8 and its `change` (h, w, 3), signed, multiplied by `gain` and shown around gray."""
    shown = np.clip(128 + gain * change, 0, 255).astype(np.uint8)
    titles = [title, f"difference from the original, x {gain:g}"]
    alt = "A face, and its difference from the original: gray where there is none. "
    alt += f"Mean difference {np.abs(change).mean():.2f} gray levels."
    return faces([face, shown], titles, columns=2, side=300, alt=alt)


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a colour like "#0072B2"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:], 16)


def coloured(values: np.ndarray, scale: Sequence[tuple[float, str]]) -> np.ndarray:
    """Values (h, w) in 0..1 by a colour scale, as in `style`: (h, w, 3) float64 RGB, 0 to 255."""
    stops, colours = zip(*scale, strict=True)
    return np.stack([np.interp(values, stops, channel) for channel in zip(*map(rgb, colours), strict=True)], axis=-1)


def data_address(image: np.ndarray, drawn: bool = False) -> str:
    """A data URL: JPEG of quality 92 for photographs, PNG if `drawn`. Both keep the page small."""
    kind, quality = ("png", [cv2.IMWRITE_PNG_COMPRESSION, 9]) if drawn else ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, 92])
    colours = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(f".{kind}", colours, quality)
    return f"data:image/{kind};base64," + base64.b64encode(data.tobytes()).decode()
