"""The command line as a whole, the folder that `mesokit lab` makes, and what a wheel brings."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from mesokit import cli, commands
from mesokit.commands import lab
from mesokit.commands import report as report_command

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))


def test_help_lists_each_command_once_and_loads_none(capsys):
    there = sorted(path.stem for path in (ROOT / "mesokit" / "commands").glob("[a-z]*.py"))
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert sorted(re.findall(r"^  (\w+)  ", text, re.MULTILINE)) == there
    assert re.findall(r"^(\w+):$", text, re.MULTILINE) == ["learn", "data", "research", "judge", "check"]
    program = "import sys; from mesokit import cli; cli.main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if re.match(r"mesokit\.commands|numpy|pandas|tensorflow", name)]
    assert cli.main([]) == 2 and capsys.readouterr().err == text


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "mesokit" / "commands").glob("[a-z]*.py")))
def test_each_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    assert ended.value.code == 0 and f"usage: mesokit {name} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("scann", "; did you mean scan? There"),
        ("extrat", "; did you mean extract or train? There"),
        ("notebooks", "'notebooks'. There"),
    ],
)
def test_an_unknown_command_is_one_sentence_with_the_nearest_names(capsys, given, meant):
    assert cli.main([given, "--out", "x"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert f"mesokit: no command is called '{given}'" in said.err and meant in said.err
    assert all(name in said.err for name in ("lab", "make", "reproduce", "check"))


def test_scripts_have_the_options_of_their_commands_and_record_their_own_name(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "data_scripts"))
    import index_dataset

    for kind in ("real", "fake"):
        (tmp_path / "videos" / kind).mkdir(parents=True)
        (tmp_path / "videos" / kind / f"{kind}.mp4").write_bytes((ROOT / "mesokit/bundled/tour_real.mp4").read_bytes())
    given = ["folder", str(tmp_path / "videos"), "--out", str(tmp_path / "t.csv")]
    for main, called in (
        (index_dataset.main, f"index_dataset.py {' '.join(given)}"),
        (lambda argv: cli.main(["index", *argv]), f"mesokit index {' '.join(given)}"),
    ):
        assert main(given) == 0
        assert json.loads((tmp_path / "t_index.json").read_text())["indexed_by"]["command"] == called
    sys.modules.pop("index_dataset")


# --- mesokit lab ------------------------------------------------------------------------------------------------------


def prepared(folder, *more):
    assert cli.main(["lab", str(folder), "--prepare-only", *more]) == 0


def test_lab_gives_the_exercises_that_nbgrader_would_give(tmp_path, monkeypatch):
    pytest.importorskip("nbgrader", reason="nbgrader is not installed (extra dev)")
    monkeypatch.syspath_prepend(str(ROOT / "data_scripts"))
    import make_student

    prepared(tmp_path)
    assert sorted(path.name for path in (tmp_path / "notebooks").glob("*.ipynb")) == NOTEBOOKS
    for name in NOTEBOOKS:
        source = nbformat.read(ROOT / "notebooks" / name, as_version=4)
        made = nbformat.read(tmp_path / "notebooks" / name, as_version=4)
        nbformat.validate(made)
        wanted = make_student.edition(source, name)
        assert [cell.source for cell in made.cells] == [cell.source for cell in wanted.cells]
        assert sum(lab.STUB.splitlines()[0] in cell.source for cell in made.cells) >= 3
    sys.modules.pop("make_student")


def test_lab_brings_what_the_notebooks_link_to_and_their_solutions_where_asked(tmp_path):
    prepared(tmp_path, "--solutions")
    for name in NOTEBOOKS:
        assert (tmp_path / "notebooks" / name).read_bytes() == (ROOT / "notebooks" / name).read_bytes()
        for link in re.findall(r"\]\((\.\./[\w/.-]+)", (tmp_path / "notebooks" / name).read_text("utf-8")):
            assert (tmp_path / "notebooks" / link).is_file(), link
    assert (tmp_path / "notebooks" / "presets" / "smoke.yaml").is_file()
    assert (tmp_path / "notebooks" / "reference_times.json").is_file()


def test_lab_never_replaces_what_a_person_changed(tmp_path, capsys):
    prepared(tmp_path)
    changed, old, gone = (tmp_path / "notebooks" / name for name in NOTEBOOKS[:3])
    changed.write_bytes(b"my answers")
    gone.unlink()
    capsys.readouterr()
    prepared(tmp_path, "--solutions")  # the others are the kit's own, so the other edition replaces them
    said = [line for line in capsys.readouterr().out.splitlines() if "left as they are" in line]
    assert len(said) == 1 and f"notebooks/{changed.name};" in said[0] and old.name not in said[0]
    assert changed.read_bytes() == b"my answers"
    assert "BEGIN SOLUTION" in old.read_text("utf-8") and "BEGIN SOLUTION" in gone.read_text("utf-8")
    (tmp_path / ".mesokit.json").unlink()  # without the record, whatever differs may be a person's
    prepared(tmp_path)
    assert "BEGIN SOLUTION" in old.read_text("utf-8")


def test_lab_says_that_the_edition_for_students_has_no_solutions(tmp_path, monkeypatch, capsys):
    prepared(tmp_path / "student")
    monkeypatch.setattr(lab, "NOTEBOOKS", tmp_path / "student" / "notebooks")
    prepared(tmp_path / "again")
    assert cli.main(["lab", str(tmp_path / "with"), "--solutions", "--prepare-only"]) == 2
    assert "--solutions: this kit is the edition for students" in capsys.readouterr().err
    assert not (tmp_path / "with").exists()


def test_lab_starts_jupyterlab_in_the_folder(tmp_path, monkeypatch):
    from jupyterlab import labapp

    calls = []
    monkeypatch.setattr(labapp, "main", calls.append)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["lab", "--no-browser"]) == 0
    folder = tmp_path / "mesokit-notebooks"
    assert calls == [[f"--ServerApp.root_dir={folder}", "--no-browser", str(folder / "notebooks" / "00_tour.ipynb")]]
    assert Path(calls[0][-1]).is_file()


# --- from a wheel -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_notebooks_of_an_installation_write_where_the_command_is_called(tmp_path, monkeypatch):
    installed, here = tmp_path / "site" / "mesokit" / "notebooks", tmp_path / "here"
    cells = [
        nbformat.v4.new_code_cell("work = '../work'  # made things", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("from pathlib import Path\nPath(work).mkdir()\nPath(work, 'made').touch()"),
    ]
    (installed / "presets").mkdir(parents=True)
    (installed / "presets" / "smoke.yaml").write_text("")
    nbformat.write(nbformat.v4.new_notebook(cells=cells), installed / "00_a.ipynb")
    monkeypatch.setattr(report_command, "NOTEBOOKS", installed)
    monkeypatch.setattr(report_command, "INSTALLED", True)
    here.mkdir()
    monkeypatch.chdir(here)
    assert cli.main(["report"]) == 0
    assert sorted(path.name for path in here.iterdir()) == ["report", "work"] and (here / "work" / "made").exists()
    assert [path.name for path in installed.parent.iterdir()] == ["notebooks"]


@pytest.mark.slow
def test_a_wheel_brings_notebooks_presets_times_and_what_they_link_to(tmp_path):
    pytest.importorskip("setuptools")
    source, site = tmp_path / "source", tmp_path / "site"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    program = "from setuptools import build_meta as b; b.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", program], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(site)
    for place, path in lab.course(source / "notebooks"):
        assert (site / "mesokit" / place).read_bytes() == path.read_bytes(), place
    assert {f"mesokit/notebooks/{name}" for name in NOTEBOOKS} <= names
    assert {f"mesokit/notebooks/presets/{name}.yaml" for name in ("smoke", "class", "paper")} <= names
    assert {"mesokit/notebooks/reference_times.json", "mesokit/docs/glossary.md"} <= names
    modules = {path.relative_to(source).as_posix() for path in (source / "mesokit").rglob("*.py")}
    assert modules <= names and not [name for name in names if name.startswith(("tests", "data_scripts", "notebooks"))]
    here = tmp_path / "here"
    here.mkdir()
    command = [sys.executable, "-m", "mesokit.cli", "lab", "--prepare-only"]
    done = subprocess.run(
        command, cwd=here, env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (here / "mesokit-notebooks" / "notebooks").glob("*.ipynb")) == NOTEBOOKS


def test_a_checkout_uses_its_own_notebooks():
    assert not commands.INSTALLED and commands.NOTEBOOKS == ROOT / "notebooks"
