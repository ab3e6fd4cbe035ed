"""All figures of an explorer, drawn once and stored compactly, for a page that has no kernel."""

import base64
import gzip
import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from mesokit import video

MIME = "application/vnd.mesokit.explorer+json"
STATES = 200  # figures of one explorer, at most
BYTES = 3_000_000  # of one explorer, compressed, at most


class Control(NamedTuple):
    """One control of an explorer: name, kind ("slide", "list" or "check"), words and values of its stops, the first."""

    name: str
    kind: str
    words: list[str]
    values: list[Any]
    start: int


def control(name: str, choices: Sequence[Any] | bool, start: Any = None) -> Control:
    """The control for `choices`, as in `explorers.explore`. Raises ValueError where `start` is none of them."""
    if isinstance(choices, bool):
        return Control(name, "check", ["no", "yes"], [False, True], int(choices if start is None else start))
    pairs = [item if isinstance(item, tuple) else (str(item), item) for item in choices]
    words, values = [word for word, _ in pairs], [value for _, value in pairs]
    numbers = all(isinstance(item, int | float) for item in choices)
    if start is not None and start not in values:
        raise ValueError(f"{name} cannot start at {start!r}; it can be {', '.join(words)}")
    return Control(name, "slide" if numbers else "list", words, values, 0 if start is None else values.index(start))


def collect(draw: Callable[..., go.Figure], controls: Sequence[Control]) -> dict[str, Any]:
    """What a page needs to show the explorer: controls, compressed figures, and a note of what was left out.

    Figures are in the order of `itertools.product` over the stops of the controls. Of too many stops some are taken,
    evenly, among them the first shown: at most STATES figures, and BYTES after compression.
    """
    kept = _fewer([list(range(len(one.values))) for one in controls], controls, STATES)
    drawn: dict[tuple[int, ...], Any] = {}
    for stops in itertools.product(*kept):
        figure = draw(**{one.name: one.values[i] for one, i in zip(controls, stops, strict=True)})
        drawn[stops] = json.loads(figure.to_json())
    while len(packed := _packed([drawn[stops] for stops in itertools.product(*kept)])) > BYTES and len(drawn) > 1:
        kept = _fewer(kept, controls, max(1, math.prod(map(len, kept)) // 2))
        drawn = {stops: drawn[stops] for stops in itertools.product(*kept)}
    out = [
        f"{words(one.name)}: {len(stops)} of {len(one.values)} values"
        for one, stops in zip(controls, kept, strict=True)
        if len(stops) < len(one.values)
    ]
    shown = [
        {
            "name": words(one.name),
            "kind": one.kind,
            "words": [one.words[i] for i in stops],
            "start": stops.index(one.start),
        }
        for one, stops in zip(controls, kept, strict=True)
    ]
    return {"controls": shown, "figures": packed, "note": "; ".join(out)}


def words(name: str) -> str:
    """The name of a control as people read it."""
    return name.replace("_", " ")


def _fewer(kept: list[list[int]], controls: Sequence[Control], most: int) -> list[list[int]]:
    """The stops of each control, thinned where there are most until their product is at most `most`."""
    kept = [list(stops) for stops in kept]
    while math.prod(map(len, kept)) > most:
        longest = max(range(len(kept)), key=lambda k: len(kept[k]))
        stops, first = kept[longest], controls[longest].start
        others = math.prod(len(one) for k, one in enumerate(kept) if k != longest)
        n = min(len(stops) - 1, max(1, len(stops) // 2, most // others))
        some = [stops[i] for i in video.even_indices(len(stops), n)]
        nearest = min(range(len(some)), key=lambda k: abs(some[k] - first))
        some[nearest] = first
        kept[longest] = sorted(set(some))
    return kept


def _packed(figures: Sequence[Mapping[str, Any]]) -> str:
    """The figures as base64 of gzip of JSON: {"parts": [...], "figures": [[[trace, ...], {key of the layout: part}]]}.

    What several figures share, a trace or a part of the layout, is stored once.
    """
    numbers: dict[str, int] = {}

    def part(value: Any) -> int:
        return numbers.setdefault(json.dumps(value, ensure_ascii=False, separators=(",", ":")), len(numbers))

    built = [
        [[part(trace) for trace in one["data"]], {key: part(value) for key, value in one["layout"].items()}]
        for one in figures
    ]
    text = json.dumps({"parts": list(numbers), "figures": built}, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
