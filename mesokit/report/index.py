"""From executed notebooks to `index.html`, a page each, `results.json` and `junit.xml`."""

import base64
import json
import math
import re
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from mesokit import files
from mesokit.lesson.checks import MIME as CHECK
from mesokit.lesson.findings import VERDICTS
from mesokit.lesson.recording import ANSWER, FINDING, HIGHLIGHT, NUMBER, PLOT, RECORD, as_text, found, plain
from mesokit.lesson.states import MIME as EXPLORER
from mesokit.report.compare import changes
from mesokit.report.execute import Outcome
from mesokit.report.inputs import inputs
from mesokit.report.junit import junit
from mesokit.report.network import network_page
from mesokit.report.page import PLOTLY, documents, figure, page, scripts, templates
from mesokit.report.parameters import notebook_parameters, read_notebook
from mesokit.report.teach import teaching

# Tables to which a cell may add a row: MIME type.
ROWS = {"findings": FINDING, "numbers": NUMBER, "checks": CHECK, "answers": ANSWER, "highlights": HIGHLIGHT}
STYLE = "notebook.css"  # beside the pages, for all of them
_SHEET = re.compile(r'<style type="text/css">([^<]{100000,})</style>')  # JupyterLab's own, the same in each page
PICTURE = "forgeries.jpg"  # of docs/, on the first page


def render(
    out: str | Path,
    outcomes: list[Outcome],
    environment: dict[str, Any],
    previous: dict[str, Any] | None = None,
    single_file: bool = False,
) -> Path:
    """Write a page per executed notebook, `network.html` (the network, live), the slides and the handout,
    `results.json`, `junit.xml` and `index.html` into `out`; return the last.

    previous: results of an earlier run (from `read_results`), for the list of changes. single_file: each page contains
    plotly.js and JupyterLab's style and stands alone; else these are files beside them. Every page is made
    before the first is written, and each is written completely or not at all. Then the figures of explorers are taken
    out of the executed notebooks, because only the pages draw them.
    """
    from plotly.offline import get_plotlyjs

    out = Path(out)
    books = [_collect(outcome) for outcome in outcomes]
    executed = [book for book in books if book["notebook"] is not None]
    for one, other in pairwise(executed):
        one["after"], other["before"] = other, one
    results, plotly = _results(books, environment), None if single_file else PLOTLY
    if previous is not None:
        results["changes"] = changes(previous, results)
    # The documents and the slides first: `page` replaces the links and the figures that they need.
    pages = {"network.html": network_page()} | documents(executed)
    pages |= teaching(books, results, [*pages], plotly)
    pages |= {f"{book['name']}.html": page(book, plotly) for book in executed}
    pages["results.json"] = json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False)
    pages["junit.xml"] = junit(results)
    pages["index.html"] = _first_page(books, results, [*pages], plotly)
    if not single_file:
        pages = _sharing(pages) | {PLOTLY: get_plotlyjs()}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        files.write(out / name, text.encode())
    for book in executed:
        _without_explorers(Path(book["executed"]))
    return out / "index.html"


def _sharing(pages: dict[str, str]) -> dict[str, str]:
    """The pages with JupyterLab's style in one file beside them."""
    sheets = [found[1] for text in pages.values() if (found := _SHEET.search(text))]
    link = f'<link rel="stylesheet" href="{STYLE}">'
    shared = {
        name: _SHEET.sub(lambda found: link if found[1] == sheets[0] else found[0], t) for name, t in pages.items()
    }
    return shared | ({STYLE: sheets[0]} if sheets else {})


def _without_explorers(path: Path) -> None:
    """Take the figures of explorers out of an executed notebook; the first figure of each stays."""
    notebook = files.read_json(path)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(EXPLORER, None)
    files.write(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())


def _first_page(books: list[dict[str, Any]], results: dict[str, Any], pages: list[str], plotly: str | None) -> str:
    """index.html; `pages`: the names of the other pages."""
    stored: list[str] = []  # the data of the figures
    highlights = [
        row | {"figure": figure(row["figure"], stored), "notebook": book["name"]}
        for book in books
        for row in book["highlights"]
    ]
    picture = next((path for book in books if (path := book["folder"].parent / "docs" / PICTURE).is_file()), None)
    address = picture and "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()
    books = sorted(books, key=lambda book: book["status"] in ("ok", "skipped"))  # failures first, else in order
    text = _template("report.html.j2").render(
        results, books=books, verdicts=VERDICTS, highlights=highlights, picture=address, pages=pages
    )
    return text.replace("<!--figures-->", scripts(stored, plotly), 1) if stored else text


def _results(books: list[dict[str, Any]], environment: dict[str, Any]) -> dict[str, Any]:
    """The content of results.json."""
    keys = ("name", "status", "seconds", "peak_mb", "error")
    results = {
        "environment": environment,
        "notebooks": [{key: book[key] for key in keys} for book in books],
        "results": {book["name"]: book["results"] for book in books},
        **{kind: [_light(row) for book in books for row in book[kind]] for kind in ROWS},
        "parameters": {book["name"]: book["parameters"] for book in books},
        "inputs": inputs([(book["folder"], book["parameters"]) for book in books]),
    }
    return plain(results)


def _light(row: dict[str, Any]) -> dict[str, Any]:
    """A row without its figure, which results.json does not repeat."""
    return {key: value for key, value in row.items() if key != "figure"}


def _collect(outcome: Outcome) -> dict[str, Any]:
    """The outcome's fields, all parameters of the run, the executed notebook, its title, and what its cells showed."""
    shown: dict[str, Any] = {
        "title": outcome.name,
        "question": "",
        "minutes": "",
        "thumbnail": None,
        "notebook": None,
        "results": {},
    }
    book = asdict(outcome) | shown | {kind: [] for kind in ROWS}
    if outcome.executed is None:
        return book
    with suppress(ValueError):  # a parameter cell with other lines than name = literal
        book["parameters"] = notebook_parameters(outcome.executed) | outcome.parameters
    book["notebook"] = read_notebook(outcome.executed)
    for cell in book["notebook"].cells:
        heading = re.search(r"^# +(.+)", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading and book["title"] == outcome.name:
            book["title"] = heading[1].strip()
            book["question"] = book["title"].partition(": ")[2]
            minutes = re.search(r"\*\*Time:\*\* (\d+) minutes", cell.source)
            book["minutes"] = minutes[1] if minutes else ""
        where = {"notebook": outcome.name, "cell": cell.get("id", "")}
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if RECORD in data:
                book["results"][data[RECORD]["key"]] = data[RECORD]["value"]
            for kind, mime in ROWS.items():
                book[kind] += [{**data[mime], **where}] if mime in data else []
            if PLOT in data:
                if HIGHLIGHT in data:
                    book["highlights"][-1]["figure"] = data[PLOT]
                book["thumbnail"] = book["thumbnail"] or _picture(data[PLOT])
    return book


def _picture(plot: dict[str, Any]) -> str | None:
    """The address of the first photograph in a plotly figure, or None."""
    sources = (trace.get("source", "") for trace in plot.get("data", []))
    return next((source for source in sources if str(source).startswith("data:image/jpeg;base64,")), None)


def _template(name: str) -> Any:
    known = templates()
    known.filters |= {"as_text": as_text, "found": found, "duration": duration, "times": times}
    return known.get_template(name)


def times(row: dict[str, Any]) -> int | None:
    """How many times as many clips would decide a finding, if its number stays: intervals shrink with the root."""
    ours, low, high = row["ours"], row["low"], row["high"]
    if not isinstance(ours, int | float) or not ours or low is None or high is None:
        return None
    return math.ceil(max(2.0, ((ours - low if ours > 0 else high - ours) / ours) ** 2))


def duration(seconds: float) -> str:
    """'7.3 s', '2 min 5 s' or '1 h 3 min'."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
