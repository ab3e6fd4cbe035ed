"""What changed since an earlier report: status, verdicts, numbers outside their interval, inputs, times."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mesokit import files
from mesokit.lesson.recording import as_text, found

_SLOWER = 1.25  # smaller ratios of times, and differences below _SECONDS, are the noise of a shared machine
_SECONDS = 5.0
_Row = tuple[str, str, str, str, str]  # kind, notebook, what, old, new


def read_results(folder: str | Path) -> dict[str, Any]:
    """The `results.json` of the report in `folder`. Raises ValueError with one sentence where there is none."""
    path = Path(folder) / "results.json"
    try:
        results = json.loads(files.read_text(path))
        if not {"environment", "notebooks", "results", "findings", "numbers"} <= set(results):
            raise ValueError("it has other parts")
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: not the results of a report ({error})") from None
    return results


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, str]]:
    """What differs between two `results.json`: rows of `kind`, `notebook`, `what`, `old`, `new`, the gravest first.

    Only notebooks that both runs executed are compared. The number of a finding or a number changed when it lies
    outside the interval of the old run or, where that run gave none, when it is another number.
    """
    before, after = ({book["name"]: book for book in results["notebooks"]} for results in (old, new))
    both = [(name, before[name], after[name]) for name in after if name in before]
    rows: list[_Row] = [
        ("status", name, "how it ended", was["status"], now["status"])
        for name, was, now in both
        if was["status"] != now["status"]
    ]
    for kind in ("finding", "number"):
        rows += _compared(old, new, {name for name, _, _ in both}, kind)
    there, here = _settings(old), _settings(new)
    rows += [
        ("setting", "", what, as_text(there[what], 24), as_text(here[what], 24))
        for what in sorted({*there} & {*here})
        if there[what] != here[what]
    ]
    for name, was, now in both:
        ratio, seconds = now["seconds"] / max(was["seconds"], 1e-9), now["seconds"] - was["seconds"]
        if abs(seconds) > _SECONDS and not 1 / _SLOWER <= ratio <= _SLOWER:
            rows.append(("time", name, "seconds", f"{was['seconds']:.1f}", f"{now['seconds']:.1f}"))
    return [dict(zip(("kind", "notebook", "what", "old", "new"), row, strict=True)) for row in rows]


def _compared(old: dict, new: dict, both: set[str], kind: str) -> Iterator[_Row]:
    """Of the `kind` "finding" or "number": changed verdicts, changed numbers, rows that are new or missing."""
    before, after = ({(row["notebook"], row["id"]): row for row in results[f"{kind}s"]} for results in (old, new))
    for key, row in {**after, **before}.items():
        name, what, was, now = key[0], row.get("statement") or row["what"], before.get(key), after.get(key)
        if was is None or now is None:
            if name in both:
                words = [one and (one.get("verdict") or found(one)) for one in (was, now)]
                yield kind, name, what, words[0] or "not there", words[1] or "no longer there"
            continue
        if was.get("verdict") != now.get("verdict"):
            yield "verdict", name, what, was["verdict"], now["verdict"]
        numbers = [was["low"], now["ours"], was["high"], was["ours"]]
        if all(isinstance(number, int | float) for number in numbers):
            changed = not numbers[0] <= numbers[1] <= numbers[2]
        else:
            changed = was["ours"] != now["ours"]
        if changed:
            yield "number", name, what, found(was), found(now)


def _settings(results: dict[str, Any]) -> dict[str, Any]:
    """Preset, machine, packages, data and weights: the reasons why numbers may change."""
    environment = results["environment"]
    flat = {key: environment.get(key) for key in ("preset", "python", "platform", "cores")}
    flat |= {f"package {name}": version for name, version in (environment.get("packages") or {}).items()}
    rows = [row for rows in results.get("inputs", {}).values() for row in rows]
    return flat | {f"sha256 of {row['name']}": row["sha256"] for row in rows}
