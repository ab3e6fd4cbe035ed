"""Time and memory of the notebooks against the project's limits: those of the report that `make report` made last.

A run takes minutes, so nothing is run here. `naive` is the limit, `ours` what the run took, `equal` says that every
notebook of the kit was in it and ended well. Making the data, which is done once, is in the time; set-up is not.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from side_by_side import Row, Skipped, parser, report

MINUTES = {"smoke": 10, "class": 40}
MEMORY = 4096  # MB, of any notebook with everything that it started
ALL = {path.stem for path in (Path(__file__).parent.parent / "notebooks").glob("[0-9]*.ipynb")}


def rows(results: Path) -> Iterator[Row | Skipped]:
    name = "notebooks, the limit"
    try:
        found = json.loads(results.read_text(encoding="utf-8"))
    except OSError:
        yield Skipped(name, f"no {results.name} in this folder yet: run make report first")
        return
    preset, books = found["environment"]["preset"], found["notebooks"]
    whole = {book["name"] for book in books if book["status"] == "ok"} == ALL
    if preset in MINUTES:
        seconds, limit = sum(book["seconds"] for book in books), 60.0 * MINUTES[preset]
        yield Row(f"{name}: time, {preset}", limit, round(seconds, 1), "s", round(limit / seconds, 2), whole)
    else:
        yield Skipped(f"{name}: time", f"the preset {preset} has none")
    peak = max(book["peak_mb"] for book in books)
    yield Row(f"{name}: memory, {preset}", MEMORY, peak, "MB", round(MEMORY / peak, 2), whole)


def main(argv: list[str] | None = None) -> int:
    options = parser(__doc__)
    options.add_argument("--results", type=Path, default=Path("report/results.json"), help="of a report (%(default)s)")
    arguments = options.parse_args(argv)
    return report(rows(arguments.results), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
