"""Every exercise: with its solution the check passes, without it the check says that it is open, never a traceback.

The notebooks are not run here: an exercise is run alone, with the imports of its notebook. What it needs beyond them
(values that cells above compute) is replaced by a stand-in for the student edition, where the check must answer before
it looks at them. With its solution such an exercise is left to the run of all notebooks: its report holds every check.
"""

import ast
import builtins
import io
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from mesokit import files, lesson
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


def packed(archive):
    """{path in the archive without its folder: content}, those of the wheel in it under WHEEL/."""
    with zipfile.ZipFile(archive) as opened:
        found = {name.partition("/")[2]: opened.read(name) for name in opened.namelist()}
        assert opened.namelist() == sorted(opened.namelist())
        assert {name.partition("/")[0] for name in opened.namelist()} == {"mesokit-student"}
        assert {entry.date_time for entry in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    (wheel,) = (name for name in found if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(found[wheel])) as opened:
        return found | {f"WHEEL/{name}": opened.read(name) for name in opened.namelist()}


def without_solutions(files):
    books = {name: content for name, content in files.items() if name.endswith(".ipynb")}
    assert {Path(name).name for name in books} == {path.name for path in NOTEBOOKS}
    for name, content in books.items():
        assert b"BEGIN SOLUTION" not in content and b"END SOLUTION" not in content, name
        cells = [cell for cell in json.loads(content)["cells"] if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] for cell in cells)
        assert sum(lab.STUB.splitlines()[0] in "".join(cell["source"]) for cell in cells) >= 3


@pytest.mark.slow
def test_the_script_writes_a_folder_and_a_zip_without_solutions(tmp_path, make_student, capsys):
    out = tmp_path / "student"
    assert make_student.main(["--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert f"{len(NOTEBOOKS)} notebooks with {len(ALL)} exercises" in said
    assert re.search(r"student\.zip: \d+ MB, without data", said)
    for path in (out / "notebooks").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "BEGIN SOLUTION" not in text and "END SOLUTION" not in text
        assert all(not cell.get("outputs") for cell in json.loads(text)["cells"])
    found = packed(tmp_path / "student.zip")
    without_solutions({name: content for name, content in found.items() if not name.startswith("WHEEL/")})
    without_solutions({name: content for name, content in found.items() if name.startswith("WHEEL/")})
    assert {"README.md", "requirements.txt", "environment.yml", "notebooks/presets/smoke.yaml"} <= set(found)
    assert "WHEEL/mesokit/lesson/checks/tour.py" in found and not any(name.startswith("work/") for name in found)
    for name, content in found.items():
        if name.startswith("WHEEL/"):
            continue
        assert (out / name).read_bytes() == content
        for link in re.findall(r"\]\(\.\./([\w/.-]+)", content.decode() if name.endswith(".ipynb") else ""):
            assert link in found, f"{name} links to it"
    before = (tmp_path / "student.zip").read_bytes()
    (out / "mesokit-0.0.1-py3-none-any.whl").write_bytes(b"of an earlier version")
    assert make_student.main(["--out", str(out)]) == 0
    assert (tmp_path / "student.zip").read_bytes() == before and len([*out.glob("*.whl")]) == 1
    (tmp_path / "empty").mkdir()
    assert make_student.main(["--notebooks", str(tmp_path / "empty"), "--out", str(out)]) == 2


def test_the_readme_of_students_installs_what_the_zip_holds():
    text = (ROOT / "docs" / "student.md").read_text("utf-8")
    assert text.count("--no-index --find-links . mesokit") == 2 and "-r requirements.txt" in text
    assert "environment.yml" in text and "work/smoke" in text and "notebooks/00_tour.ipynb" in text


@pytest.mark.slow
def test_of_a_dataset_the_zip_holds_what_notebooks_read(tiny, tmp_path, make_student, monkeypatch, capsys):
    """The clips of the lowest level are those of val and test people, real or Deepfake, and the first of the table."""
    root = tmp_path / "work" / "tiny"
    shutil.copytree(tiny, root)
    about = files.read_json(root / "dataset.json")
    files.write_json(about | {"name": "tiny"}, root / "dataset.json")
    monkeypatch.setattr(make_student, "_wheel", lambda made: {"mesokit-1-py3-none-any.whl": b"PK\x05\x06" + bytes(18)})
    call = ["--out", str(tmp_path / "out"), "--data", str(root)]
    assert make_student.main(call) == 0
    assert "with the data that the notebooks read, in work/tiny" in capsys.readouterr().out
    found = {name.removeprefix("work/tiny/") for name in packed(tmp_path / "out.zip") if name.startswith("work/tiny/")}
    # Pair 0 is of train, pair 1 of val, pair 2 of test; people 2k and 2k + 1 form pair k.
    lowest = {f"p00{n}_real.mp4" for n in (2, 3, 4, 5)} | {f"p00{n}_p00{n ^ 1}_deepfake.mp4" for n in (2, 3, 4, 5)}
    lowest |= {"p000_p001_deepfake.mp4"}
    assert {Path(name).name for name in found if name.startswith("clips/0/")} == lowest
    assert len([name for name in found if name.startswith("clips/40/")]) == 18
    everything = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {name for name in everything if name.startswith(("faces/", "masks/"))} <= found
    assert {name for name in found if "/" not in name} == {"clips.csv", "faces.csv", "dataset.json"}
    assert {name for name in found if name.startswith("masters/")} == {"masters/made.json"}
    with zipfile.ZipFile(tmp_path / "out.zip") as opened:
        opened.extractall(tmp_path / "class")
    ds = lesson.ready("tiny", tmp_path / "class" / "mesokit-student" / "work", 4)
    assert ds.name == "tiny" and not ds.lacks("clips") and not ds.lacks("masks") and len(ds.clips) == 36
    kept = (tmp_path / "out.zip").read_bytes()
    (root / "clips" / "40" / "p000_real.mp4").unlink()
    assert (
        make_student.main(call) == 2 and "p000_real.mp4: this file of the dataset is missing" in capsys.readouterr().err
    )
    files.write_json(about | {"name": "faceforensics"}, root / "dataset.json")
    assert make_student.main(call) == 2 and "not the data of a preset of the kit" in capsys.readouterr().err
    assert (tmp_path / "out.zip").read_bytes() == kept


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
