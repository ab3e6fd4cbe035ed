"""The cards say what is in the repository: their table is made from the files, their links lead somewhere."""

import os
import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))


def test_the_model_card_is_that_of_the_bundled_weights(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "data_scripts"))
    import update_cards

    text = update_cards.CARD.read_text(encoding="utf-8")
    assert text.partition(update_cards.MARK)[2].strip() == update_cards.table().strip(), (
        "run data_scripts/update_cards.py"
    )
    sys.modules.pop("update_cards")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.stem)
def test_files_and_notebooks_that_docs_name_exist(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:mesokit|data_scripts|docs|tests|notebooks)/[\w./-]+\.\w+)`", text):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`(0\d_\w+)`", text):
        assert (ROOT / "notebooks" / f"{name}.ipynb").exists(), name
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(), target


def test_the_quiz_has_fifteen_questions_with_an_answer_and_a_misconception_for_each_wrong_option():
    text = (ROOT / "docs" / "quiz.md").read_text("utf-8")
    questions = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert [one.partition(".")[0] for one in questions] == [str(n) for n in range(1, 16)]
    right = []
    for one in questions:
        asked, _, fold = one.partition("<details><summary>Answer and misconceptions</summary>\n\n")
        assert re.findall(r"^- \*\*([A-D])\.\*\* \S", asked, re.MULTILINE) == list("ABCD"), one
        (answer,) = re.findall(r"^\*\*([A-D])\.\*\* \S", fold, re.MULTILINE)
        assert sorted([answer, *re.findall(r"^- \*\*([A-D])\*\* \S", fold, re.MULTILINE)]) == list("ABCD"), one
        assert fold.count("</details>") == 1
        right.append(answer)
    assert {right.count(letter) for letter in "ABCD"} <= {3, 4}, "the place of the answer tells nothing"
    assert not re.search(r"\b0\.\d{2,}", text.replace("0.05", "")), "no number of a run"
    assert "](quiz.md)" in (ROOT / "docs" / "instructor.md").read_text("utf-8")


def test_instructors_find_objectives_routes_and_a_container():
    text = (ROOT / "docs" / "instructor.md").read_text("utf-8")
    section = re.search(r"^## Learning objectives\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    rows = re.findall(r"^\| `(0\d_\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    assert [row[0] for row in rows] == sorted(path.stem for path in (ROOT / "notebooks").glob("0*.ipynb"))
    assert "branch=student" in text and "git-pull" in text
    docker = (ROOT / "Dockerfile").read_text()
    assert "--no-index --find-links /build/wheels -r /build/student/requirements.txt" in docker
    assert docker.index("RUN ") < docker.index("USER student") < docker.index("CMD ")
    assert "pip wheel --wheel-dir build/wheels -r requirements.txt" in text and "not built or run" in text
    assert re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE) == [
        "build/wheels",
        "build/student",
    ]


def test_links_to_the_glossary_lead_to_an_entry():
    text = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    terms = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert terms == sorted(terms, key=str.casefold)
    anchors = {re.sub(r"[^\w -]", "", term.casefold()).replace(" ", "-") for term in terms}  # as GitHub makes them
    assert len(anchors) == len(terms)
    linked = set()
    for path in sorted((ROOT / "notebooks").glob("0*.ipynb")):
        prose = "\n".join(
            cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"
        )
        links = re.findall(r"\]\(([^)]*glossary[^)]*)\)", prose)
        assert {link.removeprefix("../docs/glossary.md#") for link in links} <= anchors, path.stem
        linked |= {link.removeprefix("../docs/glossary.md#") for link in links}
        assert len(set(links)) == len(links), f"{path.stem} links a term at its first use only"
    assert linked == anchors, "every entry has a notebook that links to it"


def test_the_readme_gives_the_minutes_that_notebooks_give():
    rows = re.findall(r"^\| `(0\d_\w+)` \|.*\| (\d+) \|[^|]*\|$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    first = {path: nbformat.read(path, as_version=4).cells[0].source for path in (ROOT / "notebooks").glob("0*.ipynb")}
    minutes = {path.stem: re.search(r"(\d+) minutes for you", text)[1] for path, text in first.items()}
    assert dict(rows) == minutes


def test_binder_and_colab_open_notebooks_without_solutions():
    text = (ROOT / "README.md").read_text("utf-8")
    links = re.findall(r"^https://\S+OWNER/mesokit/(\S+)$", text, re.MULTILINE)
    assert links == [
        "main?urlpath=lab/tree/mesokit-notebooks/notebooks/00_tour.ipynb",
        "blob/student/notebooks/00_tour.ipynb",
    ]
    assert "-r requirements.txt" in (ROOT / "environment.yml").read_text()
    made = (ROOT / "postBuild").read_text()
    assert os.access(ROOT / "postBuild", os.X_OK)
    assert made.index("-e .") < made.index("mesokit lab mesokit-notebooks --prepare-only\n"), "the folder of the link"
    workflow = (ROOT / ".github" / "workflows" / "report.yml").read_text()
    assert "mesokit lab build/branch --prepare-only" in workflow and "git push origin student" in workflow


def test_the_workflows_call_what_there_is_and_cache_dependencies():
    import yaml

    files = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    jobs = {f"{name} {key}": job for name, file in files.items() for key, job in file["jobs"].items()}
    steps = [step for job in jobs.values() for step in job["steps"]]
    for target in re.findall(r"\bmake ([a-z-]+)", "\n".join(step.get("run", "") for step in steps)):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(), target
    pythons = [step["with"] for step in steps if "setup-python" in step.get("uses", "")]
    assert pythons and all(one["cache"] == "pip" and (ROOT / one["cache-dependency-path"]).is_file() for one in pythons)
    assert "actions/deploy-pages" in str(jobs["report publish"])
    assert "gh release create" in str(jobs["release release"])
