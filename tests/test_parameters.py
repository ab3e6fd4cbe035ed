"""Paths in parameters of notebooks, presets of all editors, and what a missing preset is called."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook

from mesokit import cli, report, video
from mesokit.report.parameters import PATHS

ROOT = Path(__file__).parent.parent


def test_paths_on_the_command_line_start_in_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("net.h5", "clip.mp4", "meso4"):
        Path(name).touch()
    (tmp_path / "deepfake").mkdir()
    for name, value, placed in (
        ("work", "made", tmp_path / "made"),
        ("work", str(tmp_path / "made"), tmp_path / "made"),
        ("own_clip", "clip.mp4", tmp_path / "clip.mp4"),
        ("own_clip", "gone.mp4", tmp_path / "gone.mp4"),  # the notebook then says where it looked
        ("own_clip", "", ""),
        ("own_clips", "deepfake", tmp_path / "deepfake"),
        ("weights_name", "net.h5", tmp_path / "net.h5"),
        ("weights_name", "../x.h5", "../x.h5"),
        ("network", "meso4", "meso4"),  # a word, although a file is called so
        ("method", "deepfake", "deepfake"),
        ("levels", [0, 23], [0, 23]),
        ("weights", ["net.h5", "meso4-deepfake"], [str(tmp_path / "net.h5"), "meso4-deepfake"]),
        ("results", "reproduced", tmp_path / "reproduced"),
        ("seed", 3, 3),
    ):
        assert report.from_here(name, value) == (str(placed) if isinstance(placed, Path) else placed), name


def test_every_parameter_that_is_a_path_is_known_as_one():
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(notebook, as_version=4).cells
        source = next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))
        for name, comment in re.findall(r"^(\w+) = .*?  # (.*)$", source, re.MULTILINE):
            if re.match("(the )?(path of a clip|(a )?folder)", comment):
                assert name in PATHS, f"{notebook.name}: {name}"


def test_weights_means_the_same_in_every_notebook_that_loads_some():
    without = set()
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        code = "\n".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells)
        known = report.notebook_parameters(notebook)
        if "weights.load(" not in code:
            without.add(notebook.stem)
            continue
        assert isinstance(known["weights"], list) and all(isinstance(one, str) for one in known["weights"]), notebook
        assert re.search(r"^weights = .*  # .*or paths", code, re.MULTILINE), notebook
    assert without == {"01_dataset_construction"}


def test_a_notebook_without_a_given_parameter_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "smoke.yaml").write_text("all: {}")
    for name, source in (("00_a", 'weights = ["x"]\nwork = ""'), ("01_b", 'work = ""'), ("02_c", 'results = ""')):
        cell = new_code_cell(source, metadata={"tags": ["parameters"]})
        nbformat.write(new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")
    given = []
    monkeypatch.setattr(report, "run", lambda chosen, parameters, *rest: given.append(parameters) or [])
    monkeypatch.setattr(report, "render", lambda *rest: "index.html")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", "--notebooks", ".", "-p", "weights", "y", "-p", "results", "out"]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mesokit")]
    assert told == [
        "mesokit report: 00_a has no parameter results",
        "mesokit report: 01_b has no parameter results, weights",
        "mesokit report: 02_c has no parameter weights",
    ]
    assert given == [{"00_a": {"weights": ["y"]}, "01_b": {}, "02_c": {"results": str(tmp_path / "out")}}]


def test_the_report_hands_whole_paths_to_a_notebook(tmp_path, monkeypatch, capsys):
    cells = [new_code_cell('work = "../work"\nown_clip = ""', metadata={"tags": ["parameters"]})]
    (tmp_path / "books" / "presets").mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells), tmp_path / "books" / "00_a.ipynb")
    preset = tmp_path / "books" / "presets" / "smoke.yaml"
    preset.write_bytes("all:\r\n  work: ../ü\r\n".encode("utf-8-sig"))
    given = []
    monkeypatch.setattr(report, "run", lambda chosen, parameters, *rest: given.append(parameters) or [])
    monkeypatch.setattr(report, "render", lambda *rest: "index.html")
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").touch()
    assert cli.main(["report", "--notebooks", "books", "-p", "own_clip", "clip.mp4"]) == 0
    assert given == [{"00_a": {"work": "../ü", "own_clip": str(tmp_path / "clip.mp4")}}]
    assert cli.main(["report", "--notebooks", "books", "--preset", "grand"]) == 2
    assert "grand.yaml: no such preset; there are smoke" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_presets_with_a_byte_order_mark(tmp_path, encoding):
    nbformat.write(
        new_notebook(cells=[new_code_cell('word = ""', metadata={"tags": ["parameters"]})]), tmp_path / "00_a.ipynb"
    )
    path = tmp_path / "own.yaml"
    path.write_bytes(yaml.safe_dump({"00_a": {"word": "ž"}}, allow_unicode=True).replace("\n", "\r\n").encode(encoding))
    assert report.load_preset(path, tmp_path) == {"00_a": {"word": "ž"}}


def test_a_notebook_that_looks_in_its_own_folder_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(video.VideoError, match=f"^clip.mp4: no such file in {tmp_path}, where a relative path starts"):
        video.probe("clip.mp4")
