"""The palette and the axis words of all figures.

Colours are Okabe and Ito's, which the colour-blind can tell apart; line styles and patterns repeat them for print.
"""

from typing import Any

import plotly.graph_objects as go

REAL, FORGED, OTHER, GRAY = "#0072B2", "#D55E00", "#009E73", "#777777"
COLOURS = (REAL, FORGED, OTHER, "#CC79A7", "#E69F00", "#56B4E9", GRAY)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
SHAPES = ("", "/", ".", "x", "-", "+", "|")
P_REAL = "p_real (1 = real, 0 = forged)"
ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}  # a legend over the figure


def layout(figure: go.Figure, height: int, **axes: Any) -> go.Figure:
    """The look that all figures share; `height` in pixels, `axes` goes to plotly's `update_layout`."""
    margin = {"l": 60, "r": 20, "t": 40, "b": 50}
    return figure.update_layout(template="plotly_white", height=height, margin=margin, **axes)
