"""The look of all figures: colours, dashes, patterns, symbols, and the words of axes that several figures share.

Colours are those of Okabe and Ito, which colour-blind readers can tell apart. Dashes, patterns and symbols repeat the
distinction for print in black and white.
"""

from typing import Any, NamedTuple

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


def layout(figure: go.Figure, height: int, **axes: Any) -> go.Figure:
    """The layout that all figures share; `height` in pixels, `axes` goes to `update_layout` of plotly."""
    margin = {"l": 60, "r": 20, "t": 40, "b": 50}
    return figure.update_layout(template="plotly_white", height=height, margin=margin, **axes)
