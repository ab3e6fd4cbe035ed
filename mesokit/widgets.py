"""Explorers: choose among what the cell above computed, and look again. Stock ipywidgets around a plotly figure.

In a report there is no kernel to answer, so an explorer shows its first figure and says what could be chosen.
"""

import html
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import plotly.graph_objects as go
from IPython.display import HTML, display


class Explorer:
    """Controls over a figure: a cell shows it, tests set `controls[name].value`."""

    def __init__(self, draw: Callable[..., go.Figure], controls: dict[str, ipywidgets.ValueWidget]):
        """Draw the first figure; `explore` makes the controls."""
        self.draw, self.controls = draw, controls
        self.output = ipywidgets.Output()
        self.figure = draw(**self.choices)
        for control in controls.values():
            control.observe(self._redraw, "value")

    @property
    def choices(self) -> dict[str, Any]:
        """What is chosen now, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self, _change: object = None) -> None:
        self.figure = self.draw(**self.choices)
        self._show()

    def _show(self) -> None:
        with self.output:
            self.output.clear_output(wait=True)  # the old figure stays until the new one is there
            display(self.figure)

    def _ipython_display_(self) -> None:
        if os.environ.get("MESOKIT_REPORT"):
            shown = ", ".join(f"{_words(name)} = {value}" for name, value in self.choices.items())
            display(self.figure)
            note = f"<i>In JupyterLab this is an explorer. Here it shows {html.escape(shown)}.</i>"
            display(HTML(note))
            return
        self._show()
        box = ipywidgets.HBox(list(self.controls.values()), layout={"flex_flow": "row wrap"})
        display(ipywidgets.VBox([box, self.output]))


def explore(
    draw: Callable[..., go.Figure],
    choices: Mapping[str, Sequence[Any] | bool],
    start: Mapping[str, Any] | None = None,
) -> Explorer:
    """An explorer that calls `draw(name=value, ...)` again whenever a choice changes.

    choices: name -> what there is to choose. A range becomes a slider, numbers in a row stops of a slider, words (or
    pairs of a word and a value) a list, a bool a box to tick. start: what is chosen first, by default the first.
    A slider answers when it is let go, and to the arrow keys. Raises ValueError for a name in `start` without choices.
    """
    start = dict(start or {})
    if unknown := set(start) - set(choices):
        raise ValueError(f"start names {', '.join(sorted(unknown))}, which cannot be chosen; there are {list(choices)}")
    return Explorer(draw, {name: _control(name, values, start.get(name)) for name, values in choices.items()})


def _words(name: str) -> str:
    return name.replace("_", " ")


def _control(name: str, values: Sequence[Any] | bool, start: Any) -> ipywidgets.ValueWidget:
    look: dict[str, Any] = {"description": _words(name), "style": {"description_width": "initial"}}
    if isinstance(values, bool):
        return ipywidgets.Checkbox(value=values if start is None else start, **look)
    if isinstance(values, range):
        first = values[0] if start is None else start
        return ipywidgets.IntSlider(first, values[0], values[-1], values.step, continuous_update=False, **look)
    options = list(values)
    first = {} if start is None else {"value": start}
    if all(isinstance(value, int | float) for value in options):
        return ipywidgets.SelectionSlider(options=options, continuous_update=False, **first, **look)
    return ipywidgets.Dropdown(options=options, **first, **look)
