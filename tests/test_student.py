"""Every exercise: with its solution the check passes, without it the check says that it is open, never a traceback.

The notebooks are not run here: an exercise is run alone, with the imports of its notebook. What it needs beyond them
(values that cells above compute) is replaced by a stand-in for the student edition, where the check must answer before
it looks at them. With its solution such an exercise is left to the run of all notebooks: its report holds every check.
"""

import ast
import builtins
import json
import sys
from pathlib import Path

import nbformat
import pytest

from mesokit.commands import lab
from mesokit.lesson import checks

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def exercises(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]


ALL = [(path, cell.id) for path in NOTEBOOKS for cell in exercises(nbformat.read(path, as_version=4))]
each_exercise = pytest.mark.parametrize(("path", "cell_id"), ALL, ids=[f"{p.stem}-{c}" for p, c in ALL])


@pytest.fixture
def make_student(monkeypatch):
    pytest.importorskip("nbgrader", reason="nbgrader is not installed (extra dev)")
    monkeypatch.syspath_prepend(str(ROOT / "data_scripts"))
    import make_student

    yield make_student
    sys.modules.pop("make_student", None)


class Computed:
    """Stands for whatever the cells above computed: any attribute, item or call of it is another."""

    def __getattr__(self, name):
        return Computed()

    def __getitem__(self, key):
        return Computed()

    def __call__(self, *_, **__):
        return Computed()


def imported(notebook):
    """The namespace that the notebook's imports make."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source)
            tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
            exec(compile(tree, cell.id, "exec"), found)
    return found


def needed(source, known):
    """The names that a cell takes from cells above it."""
    nodes = list(ast.walk(ast.parse(source)))
    made = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    made |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    loaded = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return loaded - made - set(known) - set(dir(builtins))


def answered(source, namespace):
    """The check's result: the cell's last expression."""
    tree = ast.parse(source)
    *before, last = tree.body
    exec(compile(ast.Module(before, []), "exercise", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "exercise", "eval"), namespace)


def cell_of(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


@each_exercise
def test_with_its_solution_the_check_passes(path, cell_id):
    notebook = nbformat.read(path, as_version=4)
    namespace, source = imported(notebook), cell_of(notebook, cell_id).source
    if above := needed(source, namespace):
        pytest.skip(f"needs {', '.join(sorted(above))} of cells above: the run of all notebooks checks it")
    result = answered(source, namespace)
    assert isinstance(result, checks.Result), "an exercise ends with its check"
    assert result.passed, result.message


@each_exercise
def test_without_it_the_check_says_that_it_is_open(path, cell_id, make_student):
    notebook = nbformat.read(path, as_version=4)
    source = cell_of(make_student.edition(notebook, path.stem), cell_id).source
    assert lab.STUB.splitlines()[0] in source and "SOLUTION" not in source
    namespace = imported(notebook)
    namespace |= {name: Computed() for name in needed(source, namespace)}
    result = answered(source, namespace)
    assert not result.passed
    assert result.message.startswith("Nothing to check yet"), result.message


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_has_three_exercises_with_hints(path):
    notebook = nbformat.read(path, as_version=4)
    found = exercises(notebook)
    assert len(found) >= 3
    assert len({cell.metadata.nbgrader.grade_id for cell in found}) == len(found)
    hints = sum("<summary>Hint</summary>" in cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert hints >= len(found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_needs_what_an_exercise_makes(path):
    """So the student edition runs to its end, whatever is still open."""
    notebook = nbformat.read(path, as_version=4)
    made, read = set(), set()
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        if cell not in exercises(notebook):
            read |= needed(cell.source, {})
            continue
        for node in ast.parse(cell.source).body:
            made |= {node.name} if isinstance(node, ast.FunctionDef) else set()
            made |= {to.id for to in getattr(node, "targets", []) if isinstance(to, ast.Name)}
    assert made and not made & read


def test_the_script_writes_an_edition_without_solutions(tmp_path, make_student, capsys):
    assert make_student.main(["--out", str(tmp_path)]) == 0
    assert f"{len(NOTEBOOKS)} notebooks with {len(ALL)} exercises" in capsys.readouterr().out
    for path in (tmp_path / "notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "BEGIN SOLUTION" not in text and "END SOLUTION" not in text
        assert all(not cell.get("outputs") for cell in json.loads(text)["cells"])
    assert (tmp_path / "notebooks" / "presets" / "smoke.yaml").is_file()
    assert (tmp_path / "docs" / "glossary.md").is_file(), "the notebooks link to it"
    (tmp_path / "empty").mkdir()
    assert make_student.main(["--notebooks", str(tmp_path / "empty"), "--out", str(tmp_path)]) == 2


def test_an_unmarked_or_endless_solution_is_refused(make_student):
    from nbformat.v4 import new_code_cell, new_notebook

    for source in ("### BEGIN SOLUTION\n1\n### END SOLUTION", "### BEGIN SOLUTION\n1"):
        with pytest.raises(RuntimeError):
            make_student.edition(new_notebook(cells=[new_code_cell(source)]), "x")


def test_without_nbgrader_one_sentence_says_what_to_install(make_student, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    assert make_student.main(["--out", str(tmp_path / "out")]) == 2
    assert "pip install -e '.[dev]'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
