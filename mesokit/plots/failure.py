"""Where detectors fail: curves over the strength of a change, other forgeries, rare forgeries."""

from collections.abc import Sequence

import cv2
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mesokit.plots.pictures import data_address, rgb
from mesokit.plots.style import (
    COLOURS,
    DOTTED,
    FORGED,
    GRAY,
    LABELS,
    LOOKS,
    OTHER,
    REAL,
    UNIT,
    Look,
    course,
    layout,
    spread,
)

OUTCOMES = {  # of a clip: colour, symbol of plotly, symbol of OpenCV
    "found": (FORGED, "square-open", cv2.MARKER_SQUARE),
    "missed": (COLOURS[3], "diamond-open", cv2.MARKER_DIAMOND),
    "false alarm": (REAL, "x-thin-open", cv2.MARKER_TILTED_CROSS),
    "passed": (GRAY, "cross-thin-open", cv2.MARKER_CROSS),
}


def curves(table: pd.DataFrame, x: str, untouched: float | Sequence[float] = (), log: bool = False) -> go.Figure:
    """Accuracy of each detector, then p_real of real and forged faces for each, with intervals, over the strength.

    `table`: as from `stress.curve`; `x`: the name of the strength, with its unit; `untouched`: strengths to mark with
    dotted lines (faces without a change, or levels of the training data); `log`: logarithmic strengths.
    """
    names = list(table["detector"].unique())
    titles = ["accuracy", *(f"p_real by the {name}" for name in names)]
    figure = make_subplots(1, len(titles), subplot_titles=titles, horizontal_spacing=0.06)
    looks = [look._replace(colour=colour) for look, colour in zip(LOOKS, (OTHER, *COLOURS[3:]), strict=False)]
    of_detector = [table[table["detector"] == name] for name in names]
    for name, rows, look in zip(names, of_detector, looks, strict=False):
        _line(figure, rows[rows["what"] == "accuracy"], name, look, 1)
    for column, rows in enumerate(of_detector, start=2):
        for label, look in LABELS.items():
            some = rows[rows["what"] == f"p_real of {label}"]
            _line(figure, some, f"{label} faces", look, column, legend=column == 2)
    for at in np.atleast_1d(untouched):
        figure.add_vline(at, line=DOTTED)
    strengths = sorted(table["strength"].unique())
    axis = {"type": "log", "tickvals": strengths, "ticktext": [f"{value:g}" for value in strengths]} if log else {}
    figure.update_xaxes(title=x, **axis).update_yaxes(range=UNIT)
    told = (
        course(f"{what}, {name}", rows["strength"], rows["value"])
        for (name, what), rows in table.sort_values("strength").groupby(["detector", "what"], sort=False)
    )
    alt = f"Accuracy, and p_real of real and forged faces, over {x}. {'; '.join(told)}."
    return layout(figure, 400, alt, legend={"orientation": "h", "y": -0.25}).update_layout(margin_t=70)


def _line(figure: go.Figure, rows: pd.DataFrame, name: str, look: Look, column: int, legend: bool = True) -> None:
    """A line with its interval as a band."""
    rows, at = rows.sort_values("strength"), {"row": 1, "col": column}
    band = {"x": [*rows["strength"], *rows["strength"][::-1]], "y": [*rows["high"], *rows["low"][::-1]]}
    filled = {"fill": "toself", "fillcolor": look.colour, "opacity": 0.18, "line": {"width": 0}, "mode": "lines"}
    figure.add_scatter(**band, **filled, showlegend=False, hoverinfo="skip", **at)
    line = {"x": rows["strength"], "y": rows["value"], "line": look.line, "mode": "lines+markers"}
    figure.add_scatter(**line, name=name, showlegend=legend, **at)


def crossed(table: pd.DataFrame) -> go.Figure:
    """A field for each row of `table` (columns trained, tested, accuracy, low, high), its accuracy written in it."""
    words = [f"<b>{r.accuracy:.2f}</b><br>{r.low:.2f} to {r.high:.2f}" for r in table.itertuples()]
    value = table.pivot_table("accuracy", "trained", "tested", sort=False)
    text = table.assign(words=words).pivot_table("words", "trained", "tested", aggfunc="first", sort=False)
    bar = {"title": "accuracy"}
    field = go.Heatmap(z=value, x=list(value.columns), y=list(value.index), zmin=0.5, zmax=1, colorbar=bar)
    field.update(text=text, texttemplate="%{text}", textfont={"color": "black"}, xgap=3, ygap=3)
    field.update(colorscale=[(0, "white"), (1, COLOURS[5])])  # light enough for black words, also in print
    figure = go.Figure(field).update_yaxes(autorange="reversed", automargin=True, title="trained on")
    told = spread(table.assign(pair=table["trained"] + " tested on " + table["tested"]), "pair", "accuracy")
    alt = f"Accuracy by what a detector was trained on (rows) and tested on (columns), with intervals. {told}."
    return layout(figure, 140 + 75 * len(value), alt, xaxis_title="tested on")


def base_rate(shares: dict[str, float], right: dict[float, float], prevalence: float) -> go.Figure:
    """Left: 1000 clips by truth and verdict. Right: the share of alarms that are right, over the share of forgeries.

    `shares`: of found, missed, false alarm, passed, as from `evaluation.alarms` at `prevalence`;
    `right`: prevalence -> share of alarms that are right.
    """
    figure = make_subplots(1, 2, horizontal_spacing=0.1, column_widths=[0.5, 0.5])
    picture = data_address(_waffle(_thousand(shares)), drawn=True)
    figure.add_image(source=picture, hoverinfo="skip", row=1, col=1)
    for name, (colour, symbol, _) in OUTCOMES.items():
        marker = {"color": colour, "symbol": symbol, "size": 9, "line": {"width": 2}}
        legend = {"x": [None], "y": [None], "mode": "markers", "name": f"{name}: {1000 * shares[name]:.3g}"}
        figure.add_scatter(**legend, marker=marker, row=1, col=1)
    line = {"x": list(right), "y": list(right.values()), "line": {"color": OTHER}, "showlegend": False}
    figure.add_scatter(**line, mode="lines", row=1, col=2)
    here = float(np.interp(np.log(prevalence), np.log(list(right)), list(right.values())))
    words = {"text": [f" {here:.1%}"], "textposition": "top center", "cliponaxis": False}
    dot = {"x": [prevalence], "y": [here], "marker": {"color": FORGED, "size": 12}, "showlegend": False}
    figure.add_scatter(**dot, **words, mode="markers+text", row=1, col=2)
    figure.update_xaxes(visible=False, col=1).update_yaxes(visible=False, col=1)
    figure.update_xaxes(title="share of clips that are forged", type="log", tickformat="~%", col=2)
    figure.update_yaxes(title="share of alarms that are right", range=[-0.03, 1.1], tickformat=".0%", col=2)
    title = {"text": f"1000 clips, {100 * prevalence:.3g} % of them forged", "font": {"size": 14}, "y": 0.97}
    counts = ", ".join(f"{1000 * shares[name]:.3g} {name}" for name in OUTCOMES)
    alt = f"Left: a mark for each of {title['text']}: {counts}. "
    alt += f"Right: the share of alarms that are right, over the share of forged clips; here {here:.1%}."
    return layout(figure, 420, alt, title=title, legend={"orientation": "h", "y": -0.2})


def _waffle(counts: dict[str, int], wide: int = 40, side: int = 24) -> np.ndarray:
    """A mark for each clip, as one picture: a browser is slow with a thousand marks of plotly."""
    names = [name for name in OUTCOMES for _ in range(counts[name])]
    canvas = np.full((-(-len(names) // wide) * side, wide * side, 3), 255, np.uint8)
    for i, name in enumerate(names):
        colour, _, symbol = OUTCOMES[name]
        middle = (i % wide * side + side // 2, i // wide * side + side // 2)
        cv2.drawMarker(canvas, middle, rgb(colour), symbol, side // 2, 3)
    return canvas


def _thousand(shares: dict[str, float]) -> dict[str, int]:
    """The four shares as whole numbers with the sum 1000. The largest takes the error of rounding."""
    counts = {name: round(1000 * shares[name]) for name in OUTCOMES}
    largest = max(counts, key=lambda name: counts[name])
    return counts | {largest: counts[largest] + 1000 - sum(counts.values())}
