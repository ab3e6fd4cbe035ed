"""What changed against the report of a run before: verdicts, numbers beyond their interval, fates, times, inputs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mesokit.lesson.recording import as_text, found

SLOWER = 1.25  # times within a quarter, or within SECONDS, are the noise of a shared machine
SECONDS = 5.0


def read_results(folder: str | Path) -> dict[str, Any]:
    """The `results.json` of the report in `folder`. Raises ValueError with one sentence where there is none."""
    path = Path(folder) / "results.json"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        if not {"environment", "notebooks", "results", "findings", "numbers"} <= set(results):
            raise ValueError("it has other parts")
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: not the results of a report ({error})") from None
    return results


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
    """What differs between two `results.json`: rows of `kind`, `notebook`, `what`, `old`, `new`, the gravest first.

    Only notebooks that both runs executed are compared. A number, of a finding too, counts as changed when it lies
    outside the interval that the old run gave it, or where that run gave none, when it is another number.
    """
    before, after = _by_name(old["notebooks"]), _by_name(new["notebooks"])
    both = [name for name in after if name in before]
    compared = [row for kind in ("finding", "number") for row in _rows(old, new, both, kind)]
    rows = [*_fates(before, after, both), *compared, *_setting(old, new), *_times(before, after, both)]
    return [dict(zip(("kind", "notebook", "what", "old", "new"), row, strict=True)) for row in rows]


def _by_name(notebooks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {book["name"]: book for book in notebooks}


def _fates(before: dict, after: dict, both: list[str]) -> Iterator[tuple[str, ...]]:
    for name in both:
        if before[name]["status"] != after[name]["status"]:
            yield "status", name, "how it ended", before[name]["status"], after[name]["status"]


def _rows(old: dict, new: dict, both: list[str], kind: str) -> Iterator[tuple[str, ...]]:
    """Of the `kind` "finding" or "number": verdicts that changed, numbers beyond, and rows that came or went."""
    before, after = ({(row["notebook"], row["id"]): row for row in results[f"{kind}s"]} for results in (old, new))
    for key, now in after.items():
        what, was = now.get("statement") or now["what"], before.get(key)
        if was is None:
            if key[0] in both:
                yield kind, key[0], what, "not there", now.get("verdict") or found(now)
            continue
        if was.get("verdict") != now.get("verdict"):
            yield "verdict", key[0], what, was["verdict"], now["verdict"]
        if _beyond(was, now["ours"]):
            yield "number", key[0], what, found(was), found(now)
    for key, was in before.items():
        if key[0] in both and key not in after:
            yield kind, key[0], was.get("statement") or was["what"], was.get("verdict") or found(was), "no longer there"


def _beyond(was: dict[str, Any], now: Any) -> bool:
    numbers = [was["ours"], was["low"], was["high"], now]
    if not all(isinstance(value, int | float) for value in numbers):
        return bool(was["ours"] != now)
    return not was["low"] <= now <= was["high"]


def _setting(old: dict, new: dict) -> Iterator[tuple[str, ...]]:
    """Preset, packages, data and weights: why numbers may have moved."""
    there, here = (_flat(results) for results in (old, new))
    for what in sorted({*there, *here}):
        if what in there and what in here and there[what] != here[what]:
            yield "setting", "", what, as_text(there[what], 24), as_text(here[what], 24)


def _flat(results: dict[str, Any]) -> dict[str, Any]:
    environment = results["environment"]
    flat = {key: environment.get(key) for key in ("preset", "python", "platform", "cores")}
    flat |= {f"package {name}": version for name, version in (environment.get("packages") or {}).items()}
    files = [row for rows in results.get("inputs", {}).values() for row in rows]
    return flat | {f"sha256 of {row['name']}": row["sha256"] for row in files}


def _times(before: dict, after: dict, both: list[str]) -> Iterator[tuple[str, ...]]:
    for name in both:
        was, now = before[name]["seconds"], after[name]["seconds"]
        if abs(now - was) > SECONDS and not was / SLOWER <= now <= was * SLOWER:
            yield "time", name, "seconds", f"{was:.1f}", f"{now:.1f}"
