"""For a class: a deck of slides for each route of docs/instructor.md, and a handout of one page.

templates/slides.yaml holds the decks: order, titles, prompts and notes. Numbers, verdicts and figures are the run's.
"""

from typing import Any

from mesokit.lesson.recording import PLOT, as_text, found
from mesokit.report.page import TEMPLATES, figure, scripts, templates

SENTENCES = 5  # of the run, on the handout
HEIGHT = 320  # pixels of a figure on a slide, at most; it is then enlarged to what the slide leaves, letters, too


def teaching(
    books: list[dict[str, Any]], results: dict[str, Any], pages: list[str], plotly: str | None
) -> dict[str, str]:
    """The pages for a class, NAME.html -> HTML: each deck of slides.yaml, and handout.html.

    books, results: of the run; pages: the names of the documents' pages, for links; plotly: as for `page`. A slide
    whose notebook, figure or findings are not in this run is left out, and the last slide of its deck lists them.
    """
    import yaml

    contents = yaml.safe_load((TEMPLATES / "slides.yaml").read_text(encoding="utf-8"))
    known = templates()
    known.filters |= {"as_text": as_text, "found": found}
    made: dict[str, str] = {}
    for deck in contents["decks"]:
        stored: list[str] = []  # the data of the figures
        filled = [_filled(contents["slides"][name], books, results, stored) for name in deck["slides"]]
        told = {"slides": [slide for slide, _ in filled if slide], "deck": deck, "pages": pages}
        told["absent"] = list(dict.fromkeys(name for _, names in filled for name in names))
        text = known.get_template("slides.html.j2").render(results, **told)
        text = text.replace("<!--script-->", (TEMPLATES / "slides.js").read_text(encoding="utf-8"), 1)
        made[f"{deck['name']}.html"] = text.replace("<!--figures-->", scripts(stored, plotly) if stored else "", 1)
    decided = [row for row in results["findings"] if row["verdict"] != "undecided"]
    handout = known.get_template("handout.html.j2")
    made["handout.html"] = handout.render(results, sentences=_sentences(results), example=next(iter(decided), None))
    return made


def _filled(
    slide: dict[str, Any], books: list[dict[str, Any]], results: dict[str, Any], stored: list[str]
) -> tuple[dict[str, Any] | None, list[str]]:
    """(the slide with what this run puts on it, or None; the names of what this run lacks)."""
    about = slide.get("about")
    book = next((book for book in books if book["name"] == about and book["notebook"] is not None), None)
    if about and book is None:
        return None, [about]
    rows = {row["id"]: row for row in results["findings"]}
    wanted = slide.get("findings", [])
    absent = [name for name in wanted if name not in rows]
    made = slide | {"findings": [rows[name] for name in wanted if name in rows], "cell": None, "figure": None}
    if wanted and not made["findings"] and not about:
        return None, absent
    if book and slide.get("answer"):
        made["answer"] = next((row["text"] for row in book["answers"]), None)
    plot = None
    if book and slide.get("highlight"):
        shown: dict[str, Any] = next(iter(book["highlights"]), {})
        made |= {key: shown.get(key) for key in ("says", "control", "cell")}
        plot = shown.get("figure")
    elif book and "figure" in slide:
        made["cell"], plot = slide["figure"], _plot(book["notebook"], slide["figure"])
    if plot is None and ("figure" in slide or slide.get("highlight")):
        return None, [*absent, f"{about}: {slide['title']}"]
    if plot:
        low = min(HEIGHT, plot.get("layout", {}).get("height", HEIGHT))
        made["figure"] = figure(plot | {"layout": plot.get("layout", {}) | {"height": low}}, stored)
    return made, absent


def _plot(notebook: Any, cell_id: str) -> dict[str, Any] | None:
    """The first plotly figure that a cell of an executed notebook shows, or None."""
    outputs = (output for cell in notebook.cells if cell.get("id") == cell_id for output in cell.get("outputs", []))
    return next((output["data"][PLOT] for output in outputs if PLOT in output.get("data", {})), None)


def _sentences(results: dict[str, Any]) -> list[str]:
    """The first sentences on what this run shows: highlights with their controls, then answers of other notebooks."""
    shown = [row["notebook"] for row in results["highlights"]]
    answers = [row for row in results["answers"] if row["notebook"] not in shown]
    said = [f"{row['says']} {row['control']}" for row in results["highlights"]]
    said += [f"{row['text'][:1].upper()}{row['text'][1:]}." for row in answers]
    return said[:SENTENCES]
