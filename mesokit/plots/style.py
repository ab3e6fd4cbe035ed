"""The look of all figures: colours, dashes, patterns, symbols, the words of axes, and figures in words.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart. Dashes, patterns and symbols repeat the
distinction for print in black and white. Every figure carries its text alternative in `layout.meta["alt"]`.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

REAL, FORGED, OTHER, GRAY = "#0072B2", "#D55E00", "#009E73", "#777777"
COLOURS = (REAL, FORGED, OTHER, "#CC79A7", "#E69F00", "#56B4E9", GRAY)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
SHAPES = ("", "/", ".", "x", "-", "+", "|")  # patterns of bars
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star")


class Look(NamedTuple):
    """How one series is drawn, in the words of plotly."""

    colour: str
    dash: str
    shape: str
    symbol: str

    @property
    def line(self) -> dict[str, str]:
        """The `line` of a trace."""
        return {"color": self.colour, "dash": self.dash}

    @property
    def fill(self) -> dict[str, Any]:
        """The `marker` of bars and histograms."""
        return {"color": self.colour, "pattern": {"shape": self.shape}}

    def dot(self, size: Any) -> dict[str, Any]:
        """The `marker` of dots; `size` in pixels, one for all or one for each."""
        return {"color": self.colour, "symbol": self.symbol, "size": size}


LOOKS = tuple(Look(*one) for one in zip(COLOURS, DASHES, SHAPES, SYMBOLS, strict=True))
LABELS = {"real": LOOKS[0], "forged": LOOKS[1]}  # the same in every figure
SIGNED = ((0.0, FORGED), (0.5, "#FFFFFF"), (1.0, REAL))  # a colour scale: negative, zero, positive
PLAIN = ((0.0, "#00224E"), (0.25, "#35456C"), (0.5, "#7C7B78"), (0.75, "#BCAF6F"), (1.0, "#FEE838"))  # cividis
DOTTED = {"color": GRAY, "dash": "dot"}  # a line to compare with
ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}  # a legend over the figure
P_REAL = "p_real (1 = real, 0 = forged)"
UNIT = (-0.03, 1.03)  # range of an axis from 0 to 1, with room for markers
SCORES = {"start": 0, "end": 1.0001, "size": 0.05}  # bins of a histogram of p_real


def reach(rows: pd.DataFrame, value: str, **more: Any) -> dict[str, Any]:
    """Error bars from the columns low to high around the column `value`; `more` goes to plotly."""
    return {"array": rows["high"] - rows[value], "arrayminus": rows[value] - rows["low"], **more}


def layout(figure: go.Figure, height: int, alt: str, **axes: Any) -> go.Figure:
    """The layout that all figures share; `height` in pixels, `axes` goes to `update_layout` of plotly.

    `alt`: the figure in words, for those who do not see it. A report page makes it the figure's accessible name.
    """
    margin = {"l": 60, "r": 20, "t": 40, "b": 50}
    return figure.update_layout(template="plotly_white", height=height, margin=margin, meta={"alt": alt}, **axes)


def short(value: Any) -> str:
    """A number with three significant digits, from 1000 on whole; anything else as it is."""
    if not isinstance(value, int | float | np.number):
        return str(value)
    return f"{value:,.0f}" if abs(float(value)) >= 1000 else f"{value:.3g}"


def course(name: object, x: Iterable[Any], y: Iterable[Any]) -> str:
    """A line in words: its first and last value, and its extremes where they lie between: 'real: 0.9 at 0, ...'."""
    points = [(at, value) for at, value in zip(x, y, strict=True) if pd.notna(value)]
    if not points:
        return f"{name}: no values"
    ends = points[:1] + points[1:][-1:]
    told = [f"{short(value)} at {short(at)}" for at, value in ends]
    for word, pick in (("lowest", min), ("highest", max)):
        at, value = pick(points, key=lambda point: point[1])
        if value not in [end for _, end in ends]:
            told.append(f"{word} {short(value)} at {short(at)}")
    return f"{name}: " + ", ".join(told)


def spread(rows: pd.DataFrame, name: str, value: str) -> str:
    """Values with their intervals in words: 'a 0.9 (0.8 to 0.95); b ...'; columns `name`, `value`, low and high."""
    columns = (rows[column] for column in (name, value, "low", "high"))
    return "; ".join(
        f"{what} {short(v)} ({short(low)} to {short(high)})" for what, v, low, high in zip(*columns, strict=True)
    )


def listed(titles: Sequence[str]) -> str:
    """Titles in words; equal neighbours are counted: 'real (2), forged'."""
    counted = ((title, len(list(same))) for title, same in groupby(titles))
    return ", ".join(f"{title} ({n})" if n > 1 else str(title) for title, n in counted)


def ink(colour: np.ndarray) -> str:
    """Black or white, whichever stands out more from the RGB `colour`, 0 to 255: by at least 4.5:1 (WCAG 2)."""
    c = colour / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return "black" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "white"
