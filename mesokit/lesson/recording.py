"""How results reach the report: a cell shows a readable line, with the value beside it in a MIME type of its own.

So the executed notebook is the only store, and `report.render` collects the values from its outputs.
"""

import html
import json
import math
import os
from pathlib import Path
from typing import Any

RECORD = "application/vnd.mesokit.record+json"
FINDING = "application/vnd.mesokit.finding+json"
NUMBER = "application/vnd.mesokit.number+json"
ANSWER = "application/vnd.mesokit.answer+json"
HIGHLIGHT = "application/vnd.mesokit.highlight+json"
PLOT = "application/vnd.plotly.v1+json"


def plain(value: Any, name: str = "value") -> Any:
    """`value` with numpy's types as those of JSON; NaN and infinities, which JSON does not have, become None.

    Raises TypeError, with `name` in its message, for a type that has no form in JSON.
    """
    if hasattr(value, "tolist"):  # numpy arrays and scalars, pandas columns
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(plain(key, name)): plain(item, name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, name) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{name}: a {type(value).__name__} cannot be recorded; give numbers, text, lists or dicts")


def as_text(value: Any, length: int = 300) -> str:
    """`value` for people: floats with three significant digits, from 100 on four; at most `length` characters."""
    if isinstance(value, float):
        text = f"{value:.{3 if abs(value) < 100 else 4}g}"
    elif isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = "[" + ", ".join(as_text(item, length) for item in value) + "]"
    else:
        text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[: length - 1] + "…"


def found(row: dict[str, Any]) -> str:
    """The number of this run in a row of the findings or the numbers: '0.9 (0.8 to 0.95)', or 'not measured'."""
    if row["ours"] is None:
        return "not measured"
    if row["low"] is None and row["high"] is None:
        return as_text(row["ours"])
    return f"{as_text(row['ours'])} ({as_text(row['low']) or '?'} to {as_text(row['high']) or '?'})"


class _Shown:
    """An output of a cell: a MIME bundle in Jupyter, its text elsewhere."""

    def __init__(self, bundle: dict[str, Any]):
        self.bundle = bundle

    def __repr__(self) -> str:
        return self.bundle["text/plain"]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.bundle


def _show(bundle: dict[str, Any]) -> None:
    from IPython.display import display

    display(_Shown(bundle))


def _rounded(value: Any, digits: int) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item, digits) for item in value]
    return round(value, digits) if isinstance(value, float) else value


def record(key: str, value: Any, digits: int | None = None) -> None:
    """Store `value` under `key` in the report's results; a later value replaces an earlier one.

    In a report the cell shows "key = value"; elsewhere, as in JupyterLab, it shows nothing.
    value: None, bool, number, text, numpy array or scalar, or lists and dicts of these. NaN is stored as null.
    digits: decimal places to which floats are rounded; by default they are not rounded.
    Raises TypeError for a value of another type, ValueError for an empty key.
    """
    if not isinstance(key, str) or not key.strip():
        raise ValueError(f"key {key!r}: give the result a name")
    value = plain(value, key)
    if digits is not None:
        value = _rounded(value, digits)
    if not os.environ.get("MESOKIT_REPORT"):
        return
    line = f"{key} = {'nan' if value is None else as_text(value)}"
    _show({"text/plain": line, RECORD: {"key": key, "value": value}})


def record_each(keys: str, values: Any, digits: int | None = None) -> None:
    """`record` each value of a dict or a pandas Series under `keys`, in which {} stands for its name.

    digits: as in `record`. Raises ValueError where `keys` has no {}: all values would have the same key.
    """
    if "{}" not in keys:
        raise ValueError(f"keys {keys!r}: write {{}} where the name of each value goes")
    for name, value in values.items():
        record(keys.replace("{}", str(name)), value, digits)


def answer(text: str) -> None:
    """Show what this run answers to the notebook's question, in one sentence; the report's first page has it, too."""
    markup = f"<b>In this run:</b> {html.escape(text)}"
    _show({"text/plain": f"In this run: {text}", "text/html": markup, ANSWER: {"text": text}})


def plot(figure: Any) -> dict[str, Any]:
    """A plotly figure as an output of a cell."""
    return {PLOT: json.loads(figure.to_json())}


def highlight(figure: Any, says: str, control: str) -> None:
    """Show a plotly figure that the report's first page shows, too.

    says: what it shows in this run, in one sentence; control: what it must be compared with, in one sentence.
    """
    from IPython.display import display

    if not os.environ.get("MESOKIT_REPORT"):
        display(figure)
        return
    display(plot(figure) | {HIGHLIGHT: {"says": says, "control": control}}, raw=True)


def show_row(mime: str, row: dict[str, Any], title: str) -> None:
    """Show a row of the findings or the numbers beside the paper's, and store it under `mime`.

    row: id, paper, ours, low, high, why, data and, of a finding, verdict. Raises ValueError where low is above high.
    """
    row = {name: plain(value, f"{row['id']}, {name}") for name, value in row.items()}
    if row["low"] is not None and row["high"] is not None and row["low"] > row["high"]:
        raise ValueError(f"{row['id']}: low {row['low']} is above high {row['high']}; give the interval as low, high")
    verdict, why = row.get("verdict", ""), row["why"]
    line = f"{title}: paper {as_text(row['paper'])}, here {found(row)}"
    line += (f": {verdict}" if verdict else "") + (f" ({why})" if why else "")
    data = [f"data: {row['data']}"] if row["data"] else []
    parts = [f"paper {as_text(row['paper'])}", f"here {found(row)}", *([verdict] if verdict else []), *data]
    markup = "<br>".join([f"<b>{html.escape(title)}</b>", html.escape(" · ".join(parts)), html.escape(why)])
    style = "border-left: 4px solid #888; padding: .2em .8em"
    _show({"text/plain": line, "text/html": f'<div style="{style}">{markup}</div>', mime: row})
