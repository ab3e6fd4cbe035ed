"""What a notebook calls: `record` and `claim` show a readable line and carry the value in the output's own mime type.

So the executed notebook is the only store, and `render` collects from there.
"""

from __future__ import annotations

import html
import json
import math
from pathlib import Path
from typing import Any

RECORD = "application/vnd.mesokit.record+json"
CLAIM = "application/vnd.mesokit.claim+json"
VERDICTS = ("agrees", "differs", "cannot be compared")


def plain(value: Any, name: str = "value") -> Any:
    """`value` with numpy's types turned into JSON's; NaN and infinities become None, which JSON can hold.

    Raises TypeError, naming `name`, for what JSON has no form for.
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


class _Shown:
    """What a cell shows: a mime bundle in Jupyter, its text elsewhere."""

    def __init__(self, bundle: dict[str, Any]):
        self.bundle = bundle

    def __repr__(self) -> str:
        return self.bundle["text/plain"]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.bundle


def _show(bundle: dict[str, Any]) -> None:
    from IPython.display import display

    display(_Shown(bundle))


def record(key: str, value: Any) -> None:
    """Show "key = value" and store it under `key` in the report's results; a later value replaces an earlier one.

    value: None, bool, number, text, numpy array or scalar, or lists and dicts of these. NaN is stored as null.
    Raises TypeError for anything else, ValueError for an empty key.
    """
    if not isinstance(key, str) or not key.strip():
        raise ValueError(f"key {key!r}: give the result a name")
    value = plain(value, key)
    line = f"{key} = {'nan' if value is None else as_text(value)}"
    _show({"text/plain": line, RECORD: {"key": key, "value": value}})


def claim(claim: str, paper: Any, ours: Any, low: Any, high: Any, verdict: str, why: str = "") -> None:
    """Show one row of the table of claims and store it for the report.

    paper, ours: what the paper says and what this run found (a number or words); low, high: the interval of `ours` or
    None. verdict: "agrees", "differs" or "cannot be compared"; why: the reason in one sentence.
    Raises ValueError for another verdict or an interval upside down.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"verdict {verdict!r}: choose one of {', '.join(map(repr, VERDICTS))}")
    if low is not None and high is not None and low > high:
        raise ValueError(f"low {low} is above high {high}: give the interval as low, high")
    row = {"claim": claim, "paper": paper, "ours": ours, "low": low, "high": high, "verdict": verdict, "why": why}
    row = {name: plain(value, name) for name, value in row.items()}
    found = f"{as_text(row['ours'])}{interval(row)}"
    line = f"{claim}: paper {as_text(row['paper'])}, here {found}: {verdict}" + (f" ({why})" if why else "")
    markup = "<b>{}</b><br>paper {} · here {} · <b>{}</b><br>{}".format(
        *(html.escape(text) for text in (claim, as_text(row["paper"]), found, verdict, why))
    )
    style = "border-left: 4px solid #888; padding: .2em .8em"
    _show({"text/plain": line, "text/html": f'<div style="{style}">{markup}</div>', CLAIM: row})


def interval(row: dict[str, Any]) -> str:
    """' (low to high)' of a row of the claims, or nothing where it has no interval."""
    if row["low"] is None and row["high"] is None:
        return ""
    return f" ({as_text(row['low']) or '?'} to {as_text(row['high']) or '?'})"
