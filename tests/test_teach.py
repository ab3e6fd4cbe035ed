"""The slides and the handout hold the numbers of the run and no others."""

import copy
import html
import json
import re
from pathlib import Path

import nbformat
import pytest
import yaml

from mesokit.lesson.findings import FINDINGS
from mesokit.lesson.recording import as_text, found
from mesokit.report import teach

ROOT = Path(__file__).parent.parent
CONTENTS = yaml.safe_load((ROOT / "mesokit" / "templates" / "slides.yaml").read_text("utf-8"))
NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in sorted((ROOT / "notebooks").glob("0*.ipynb"))}
NAMES = (
    r"Meso-4|MesoInception-4|Face2Face|CRF \d+|0\d_\w+|\(0\d\)|WIFS 2018|of 2018|50 minutes|90 minutes"  # not results
)
FIGURE = {"data": [{"y": [1, 2]}], "layout": {"height": 500}}


def books():
    """A run of all notebooks, each with an answer and a highlight, every finding, and a figure in each cell."""
    made = []
    for place, (name, notebook) in enumerate(NOTEBOOKS.items()):
        notebook = copy.deepcopy(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [nbformat.v4.new_output("display_data", {teach.PLOT: FIGURE})]
        says = {"says": f"It rises by 0.7{place}4.", "control": f"Control: 0.1{place}7.", "figure": FIGURE, "cell": "c"}
        book = {"name": name, "notebook": notebook, "status": "ok", "results": {}, "checks": [], "numbers": []}
        book |= {
            "answers": [{"text": f"it is 0.3{place}6", "notebook": name}],
            "highlights": [says | {"notebook": name}],
        }
        made.append(book | {"findings": [], "parameters": {}, "folder": ROOT / "notebooks", "seconds": 1.0})
    for place, (id, one) in enumerate(FINDINGS.items()):
        row = {
            "id": id,
            "statement": one.statement,
            "paper": one.paper,
            "ours": 0.5 + place / 1000,
            "verdict": "agrees",
        }
        made[-1]["findings"].append(
            row | {"low": 0.2 + place / 1000, "high": 0.8 + place / 1000, "why": "", "data": "x"}
        )
    return made


def results_of(made):
    rows = {kind: [row for book in made for row in book[kind]] for kind in ("answers", "highlights", "findings")}
    return {"environment": {"date": "2031-02-03T04:05", "preset": "smoke"}, **rows}


def rendered(made):
    return teach.teaching(made, results_of(made), ["quiz.html", "instructor.html"], "plotly.min.js")


def visible(page):
    """The text of a page without scripts, styles, page numbers and names with a digit."""
    text = re.sub(r"(?s)<(script|style)\b.*?</\1>|<footer>.*?</footer>", " ", page)
    text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))
    return re.sub(rf"{NAMES}|Notes for slide \d+", " ", text)


@pytest.fixture(scope="module")
def pages():
    return rendered(books())


def test_every_slide_is_in_a_deck_and_names_what_there_is():
    assert [deck["name"] for deck in CONTENTS["decks"]] == [
        "slides-50-minutes",
        "slides-two-sessions",
        "slides-half-day",
    ]
    assert {name for deck in CONTENTS["decks"] for name in deck["slides"]} == set(CONTENTS["slides"])
    shown = set()
    for name, slide in CONTENTS["slides"].items():
        assert slide["title"] and slide["notes"], name
        assert ("ask" in slide) == ("options" in slide) and ("ask" in slide) == name.endswith("-guess")
        assert all(re.search(r"[.?!]$", text) for text in [*slide.get("points", []), *slide.get("options", [])]), name
        shown |= set(slide.get("findings", []))
        if "about" in slide:
            cells = {cell.id: cell for cell in NOTEBOOKS[slide["about"]].cells}
            assert slide.get("figure") is None or slide["figure"] in cells, f"{name}: no cell {slide['figure']}"
            if slide.get("highlight"):
                assert any("lesson.highlight(" in cell.source for cell in cells.values()), name
            if slide.get("answer"):
                assert any("lesson.answer(" in cell.source for cell in cells.values()), name
    assert shown <= set(FINDINGS)


def test_a_guess_comes_before_its_result():
    for deck in CONTENTS["decks"]:
        for name in deck["slides"]:
            if name.endswith("-guess"):
                assert deck["slides"].index(name) + 1 == deck["slides"].index(name.removesuffix("-guess"))


def test_words_hold_no_result():
    for name, slide in CONTENTS["slides"].items():
        words = [
            slide["title"],
            slide.get("ask", ""),
            slide["notes"],
            *slide.get("options", []),
            *slide.get("points", []),
        ]
        assert not re.search(r"\d", re.sub(NAMES, "", " ".join(words))), name


def test_each_number_of_a_deck_is_one_of_the_run(pages):
    results = results_of(books())
    told = json.dumps({key: results[key] for key in ("answers", "highlights", "environment")})
    told += " ".join(f"{row['statement']} {as_text(row['paper'])} {found(row)}" for row in results["findings"])
    for name, page in pages.items():
        if name.startswith("slides"):
            numbers = set(re.findall(r"\d[\d.]*", re.sub(r"Slide \d+ of \d+", "", visible(page))))
            assert len(numbers) > 3
            assert {one for one in numbers if one.rstrip(".") not in told} == set(), name


def test_a_changed_result_changes_decks_and_handout(pages):
    made = books()
    rows = {row["id"]: row for row in made[-1]["findings"]}
    rows["network_beats_blur_meter"] |= {"ours": -0.4321, "low": -0.6543, "high": -0.2109, "verdict": "differs"}
    made[2]["highlights"][0] |= {"says": "It falls to 0.1357.", "control": "Control: 0.2468."}
    made[0]["answers"][0]["text"] = "it is 0.9753"
    now = rendered(made)
    for name in ("slides-two-sessions.html", "slides-half-day.html"):
        assert "-0.432 (-0.654 to -0.211)" in now[name] and ">differs<" in now[name]
        assert "-0.432" not in pages[name] and ">differs<" not in pages[name]
        assert "0.1357" in now[name] and "0.2468" in now[name] and "0.724" in pages[name] and "0.724" not in now[name]
    assert "0.9753" in now["slides-50-minutes.html"] and "0.306" not in now["slides-50-minutes.html"]
    assert "0.1357" in now["handout.html"] and "0.724" not in now["handout.html"]


def test_what_is_not_in_the_run_is_left_out_and_named():
    made = [book for book in books() if book["name"] in ("00_tour", "08_where_it_fails")]
    made[1]["findings"] = [row for row in made[1]["findings"] if row["id"] != "inception_beats_meso4_deepfake"]
    made[0]["notebook"].cells = [cell for cell in made[0]["notebook"].cells if cell.id != "blur"]
    page = rendered(made)["slides-two-sessions.html"]
    body, _, last = page.rpartition("<section")
    missing = {"01_dataset_construction", "02_training", "inception_beats_meso4_deepfake"}
    missing.add("00_tour: Blur makes a real face look forged")
    (listed,) = re.findall(r"Left out, because this run does not have it: (.*?)\.</p>", last)
    assert set(listed.split("; ")) == missing
    assert "01_dataset" not in body and "Blur makes a real face" not in body and "Meso-4 judges frames better" in body
    assert "Left out" not in rendered(books())["slides-two-sessions.html"]
    total = len(re.findall('<section class="frame"', page))
    assert f"{total} / {total}" in last
    alone = rendered([])
    assert (
        'mk-figure"' not in alone["slides-half-day.html"]
        and "Nothing: this run has no highlights" in alone["handout.html"]
    )


def test_text_of_a_run_is_escaped():
    made = books()
    made[2]["highlights"][0]["says"] = made[0]["answers"][0]["text"] = "<script>alert(1)</script>"
    for page in rendered(made).values():
        assert "<script>alert(1)" not in page and ("&lt;script&gt;" in page)


def test_the_handout_has_five_sentences_of_the_run(pages):
    (listed,) = re.findall(r"What this run shows</h2>\s*<ol>(.*?)</ol>", pages["handout.html"])
    assert [f"0.7{place}4" in text for place, text in enumerate(listed.split("</li>")[:5])] == [True] * 5
    assert listed.count("<li>") == 5
    few = [book | {"highlights": book["highlights"] * (place == 3)} for place, book in enumerate(books())]
    (listed,) = re.findall(r"What this run shows</h2>\s*<ol>(.*?)</ol>", rendered(few)["handout.html"])
    assert re.findall(r"0\.[37]\d\d", listed) == ["0.734", "0.306", "0.316", "0.326", "0.346"]


@pytest.mark.slow
def test_paper_and_keys_in_a_browser(pages, tmp_path):
    """The handout is one A4 page; a deck prints a slide a page; keys move, and N shows the notes."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    from plotly.offline import get_plotlyjs
    from test_browser import chromium

    long = [
        book["highlights"][0] | {"says": "A long sentence of a run with numbers, 0.123 to 0.456. " * 3}
        for book in books()
    ]
    full = [book | {"highlights": [row]} for book, row in zip(books(), long, strict=True)]
    for name, text in rendered(full).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")
    sheets = lambda pdf: len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))  # noqa: E731
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page, errors = browser.new_page(viewport={"width": 1200, "height": 700}), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((tmp_path / "handout.html").as_uri())
        assert sheets(page.pdf(prefer_css_page_size=True)) == 1
        page.goto((tmp_path / "slides-50-minutes.html").as_uri())
        total = page.locator(".frame").count()
        assert sheets(page.pdf(prefer_css_page_size=True)) == total
        for key in ("ArrowRight", "PageDown", "ArrowLeft"):
            page.keyboard.press(key)
        assert page.evaluate("Math.round(scrollY / innerHeight)") == 1
        assert not page.locator(".notes").nth(1).is_visible()
        page.keyboard.press("n")
        assert page.locator(".notes").nth(1).is_visible()
        page.locator(".mk-figure").first.scroll_into_view_if_needed()
        page.locator(".mk-figure svg.main-svg").first.wait_for()
        high = page.evaluate("[...document.querySelectorAll('.slide')].map((slide) => slide.scrollHeight)")
        assert max(high) <= 675, "each slide fits on its screen"
        browser.close()
    assert errors == []
