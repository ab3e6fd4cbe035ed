"""The notebooks, run as `mesokit report` runs them, and the data scripts as the README shows them."""

import json
import sys
from pathlib import Path

import pytest

from mesokit import cli, dataset

ROOT = Path(__file__).parent.parent


def test_all_notebooks_run_with_the_smoke_preset(tmp_path):
    assert cli.main(["report", "--preset", "smoke", "--out", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "results.json").read_text())
    assert {book["status"] for book in found["notebooks"]} == {"ok"}
    assert set(found["results"]) == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert max(book["peak_mb"] for book in found["notebooks"]) < 4000
    learned = found["results"]["02_training"]
    assert learned["trainable parameters"] == 27_977
    assert learned["accuracy, frames"] > learned["accuracy, frames, untrained"]
    assert found["claims"]


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "data_scripts"))
    yield
    for name in ("make_synthetic", "extract_faces"):
        sys.modules.pop(name, None)


def test_data_scripts(scripts, tmp_path, capsys):
    import extract_faces
    import make_synthetic

    assert make_synthetic.main(["--preset", "tiny", "--out", str(tmp_path)]) == 0
    assert extract_faces.main([str(tmp_path / "clips.csv"), "--out", str(tmp_path), "--frames", "2"]) == 0
    about = json.loads((tmp_path / "dataset.json").read_text())
    assert about["created_by"]["seed"] == 0
    assert "Nobody is shown" in about["consent"]
    assert len(dataset.read(tmp_path)) == 12 * 2 * 2
    assert extract_faces.main([str(tmp_path / "absent.csv"), "--out", str(tmp_path)]) == 2
    assert "no such table" in capsys.readouterr().err
