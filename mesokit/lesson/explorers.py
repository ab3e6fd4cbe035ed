"""Explorers: a plotly figure with ipywidgets that select what it shows of the results of the cells above.

A report has no kernel: there the explorer stores all of its figures, and the page shows them with controls of its own.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import plotly.graph_objects as go
from IPython.display import display

from mesokit import dataset, plots
from mesokit.dataset import review as reviews
from mesokit.lesson import states
from mesokit.lesson.recording import plot


class Explorer:
    """A figure with controls. A cell shows it; tests set `controls[name].value`."""

    def __init__(self, draw: Callable[..., go.Figure], controls: Sequence[states.Control]):
        """Draw the first figure. `explore` describes the controls."""
        self.draw, self.described = draw, list(controls)
        self.controls = {one.name: _widget(one) for one in controls}
        self.output = ipywidgets.Output()
        self.figure = draw(**self.choices)
        for control in self.controls.values():
            control.observe(self._redraw, "value")

    @property
    def choices(self) -> dict[str, Any]:
        """The present value of each control, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _redraw(self, _change: object = None) -> None:
        self.figure = self.draw(**self.choices)
        self._show()

    def _show(self) -> None:
        with self.output:
            self.output.clear_output(wait=True)  # the old figure stays until the new one replaces it
            display(self.figure)

    def _ipython_display_(self) -> None:
        if os.environ.get("MESOKIT_REPORT"):
            first = plot(self.figure)  # for those who open the notebook
            display(first | {states.MIME: states.collect(self.draw, self.described)}, raw=True)
            return
        self._show()
        box = ipywidgets.HBox(self._row(), layout={"flex_flow": "row wrap", "grid_gap": "0 1em"})
        display(ipywidgets.VBox([box, self.output]))

    def _row(self) -> list[ipywidgets.Widget]:
        """The widgets above the figure."""
        return list(self.controls.values())


class Review(Explorer):
    """Accept or reject faces, one at a time, with two buttons and a list of reasons."""

    def __init__(self, root: Path, table: pd.DataFrame):
        """`table`: the faces to review, rows of faces.csv of the dataset in `root`."""
        self.root, self.table = root, table.reset_index(drop=True)
        self.reason = ipywidgets.Dropdown(options=reviews.REASONS, description="if rejected, because")
        self.reason.style.description_width = "initial"
        self.buttons = {word: ipywidgets.Button(description=word) for word in ("accept", "reject")}
        for word, button in self.buttons.items():
            button.on_click(lambda _button, keep=word == "accept": self._decide(keep))
        super().__init__(self._face, [states.control("face", range(len(table)))])

    def _face(self, face: int) -> go.Figure:
        row = self.table.loc[[face]]
        audit = reviews.read(self.root).set_index("face")
        said = "not judged yet"
        if (key := row["face"].iloc[0]) in audit.index:
            said = "accepted" if audit.loc[key, "keep"] else f"rejected: {audit.loc[key, 'reason']}"
        image = dataset.images(row, self.root)
        title = f"{face + 1} of {len(self.table)}: {key}, {said}"
        return plots.faces(image, [title], columns=1, side=300, alt="The face to review.")

    def _decide(self, keep: bool) -> None:
        slider = self.controls["face"]
        reviews.decide(self.root, self.table.loc[slider.value, "face"], keep, self.reason.value)
        if slider.value < len(self.table) - 1:
            slider.value += 1
        else:
            self._redraw()

    def _row(self) -> list[ipywidgets.Widget]:
        return [*self.controls.values(), *self.buttons.values(), self.reason]


def review(root: str | os.PathLike[str], table: pd.DataFrame) -> Review:
    """An explorer in which each face of `table` is accepted or rejected; `dataset.review` stores the decisions."""
    return Review(Path(root), table)


def explore(
    draw: Callable[..., go.Figure],
    choices: Mapping[str, Sequence[Any] | bool],
    start: Mapping[str, Any] | None = None,
) -> Explorer:
    """An explorer that calls `draw(name=value, ...)` again whenever a control changes.

    choices: name -> possible values. A range becomes a slider, a list of numbers a slider with these stops, a list of
    words (or of pairs of a word and a value) a drop-down list, a bool a checkbox. start: name -> first value, by
    default the first one. Sliders update on release and on arrow keys. Raises ValueError for a name or a value in
    `start` that is not in `choices`.
    """
    start = dict(start or {})
    if unknown := set(start) - set(choices):
        raise ValueError(f"start names {', '.join(sorted(unknown))}, which cannot be chosen; there are {list(choices)}")
    return Explorer(draw, [states.control(name, values, start.get(name)) for name, values in choices.items()])


def _widget(one: states.Control) -> ipywidgets.ValueWidget:
    look: dict[str, Any] = {"description": states.words(one.name), "style": {"description_width": "initial"}}
    value = one.values[one.start]
    if one.kind == "check":
        return ipywidgets.Checkbox(value=value, **look)
    options = list(zip(one.words, one.values, strict=True))
    if one.kind == "slide":
        return ipywidgets.SelectionSlider(options=options, value=value, continuous_update=False, **look)
    return ipywidgets.Dropdown(options=options, value=value, **look)
