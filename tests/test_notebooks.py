"""The notebooks, run as `mesokit report` runs them, and the data scripts as the README shows them."""

import http.server
import json
import re
import sys
import threading
from functools import partial
from pathlib import Path

import nbformat
import pytest

from mesokit import cli, dataset, files, video, weights
from mesokit.dataset import manifest
from mesokit.lesson.findings import FINDINGS, VERDICTS
from mesokit.lesson.recording import PLOT

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The results of the default report."""
    out = tmp_path_factory.mktemp("report")
    assert cli.main(["report", "--preset", "smoke", "--out", str(out)]) == 0
    return json.loads((out / "results.json").read_text()) | {"out": out}


def on_the_card():
    """{finding: verdict}, as docs/model_card.md lists them."""
    card = (ROOT / "docs" / "model_card.md").read_text(encoding="utf-8")
    section = re.search(r"^## Findings\n(.*?)(?=^## |\Z)", card, re.MULTILINE | re.DOTALL)
    assert section, "docs/model_card.md has no section 'Findings'"
    header, _, *rows = [line for line in section[1].splitlines() if line.startswith("|")]
    assert [name.strip() for name in header.split("|")[1:3]] == ["finding", "verdict"]
    cells = [[cell.strip().strip("`*") for cell in row.split("|")[1:3]] for row in rows]
    assert len(dict(cells)) == len(cells), "a finding stands there twice"
    return dict(cells)


def test_the_card_lists_findings_that_there_are():
    listed = on_the_card()
    assert set(listed) <= set(FINDINGS)
    assert set(listed.values()) <= set(VERDICTS)


def test_all_notebooks_run_with_the_smoke_preset(results):
    assert {book["status"] for book in results["notebooks"]} == {"ok"}
    assert set(results["results"]) == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert max(book["peak_mb"] for book in results["notebooks"]) < 4000
    learned = results["results"]["02_training"]
    assert learned["trainable parameters"] == 27_977
    frames = learned["accuracy, frames"]
    assert frames["meso4, trained here"] > frames["meso4, untrained"]
    assert len(results["checks"]) >= 30
    assert all(check["passed"] for check in results["checks"])


def test_each_figure_is_said_in_words(results):
    books = [nbformat.read(path, as_version=4) for path in results["out"].glob("*.ipynb")]
    outputs = [output for book in books for cell in book.cells for output in cell.get("outputs", [])]
    figures = [output.data[PLOT] for output in outputs if PLOT in output.get("data", {})]
    assert len(figures) >= 50
    assert all(len(figure["layout"]["meta"]["alt"]) > 30 for figure in figures)


def test_each_finding_is_there_once_and_ten_are_decided(results):
    ids = [row["id"] for row in results["findings"]]
    assert sorted(ids) == sorted(FINDINGS)
    assert sum(row["verdict"] != "undecided" for row in results["findings"]) >= 10
    assert all(row["paper"] is not None and row["why"] for row in results["numbers"])


def test_the_report_finds_what_the_card_says(results):
    found = {row["id"]: row["verdict"] for row in results["findings"]}
    listed = on_the_card()
    assert {name: found.get(name) for name in listed} == listed


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "data_scripts"))
    yield
    for name in ("make_synthetic", "extract_faces", "compress_clips", "download"):
        sys.modules.pop(name, None)


def test_data_scripts(scripts, tmp_path, capsys):
    import extract_faces
    import make_synthetic

    assert make_synthetic.main(["--preset", "tiny", "--out", str(tmp_path)]) == 0
    assert extract_faces.main([str(tmp_path / "clips.csv"), "--out", str(tmp_path), "--frames", "2"]) == 0
    about = json.loads((tmp_path / "dataset.json").read_text())
    assert about["created_by"]["seed"] == 0
    assert about["name"] == "tiny", "as if a notebook had made them: data = tiny opens them"
    assert "Nobody is shown" in about["consent"]
    assert len(dataset.read(tmp_path)) == 18 * 2 * 2
    assert extract_faces.main([str(tmp_path / "absent.csv"), "--out", str(tmp_path)]) == 2
    assert "no such table" in capsys.readouterr().err


def test_compress_clips(scripts, tiny, tmp_path, capsys):
    import compress_clips

    clips = manifest.read_clips(tiny / "clips.csv")
    few = clips[clips["clip"].isin(["p000_real", "p000_p001_deepfake"])]
    for column in ("path", "mask"):
        for path in few[column].dropna():
            files.write(tmp_path / path, (tiny / path).read_bytes())
    manifest.save(few, tmp_path / "clips.csv")
    call = [str(tmp_path / "clips.csv"), "--out", str(tmp_path / "levels"), "--crf", "30", "45"]
    assert compress_clips.main(call) == 0
    made = manifest.read_clips(tmp_path / "levels" / "clips.csv")
    assert made.groupby("clip")["crf"].agg(list).tolist() == [[30, 45]] * 2
    first, second = (made[made["crf"] == crf] for crf in (30, 45))
    assert (first["psnr"].to_numpy() > second["psnr"].to_numpy()).all()
    assert (first["bytes"].to_numpy() > second["bytes"].to_numpy()).all()
    assert [video.probe(tmp_path / "levels" / path).crf for path in made["path"]] == [30, 45] * 2
    assert (tmp_path / "levels" / made["mask"].dropna().iloc[0]).exists()
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("levels/clips/*/*.mp4")}
    assert compress_clips.main(call) == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert compress_clips.main([*call[:-1], "60"]) == 2
    assert "between 0 (lossless) and 51" in capsys.readouterr().err


def test_download(scripts, tmp_path, monkeypatch, capsys):
    """From a server on this machine, with the hash of what it serves, and with another."""
    import download

    www = tmp_path / "www"
    www.mkdir()
    (www / "w.h5").write_bytes(b"some weights")
    monkeypatch.setenv("MESOKIT_CACHE", str(tmp_path / "cache"))
    entry = weights.Entry("meso4", "w.h5", files.sha256(www / "w.h5"), "http://127.0.0.1:9/w.h5", "")
    monkeypatch.setattr(weights, "WEIGHTS", {"small": entry})
    assert download.main([]) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("download: cannot download small (no network?): get http://127.0.0.1:9/w.h5 elsewhere")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=www)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        entry = entry._replace(url=f"http://127.0.0.1:{server.server_port}/w.h5")
        monkeypatch.setattr(weights, "WEIGHTS", {"small": entry._replace(sha256="0" * 64)})
        assert download.main(["small"]) == 2
        assert "another sha256 than small should; nothing was kept" in capsys.readouterr().err
        assert not list((tmp_path / "cache").iterdir())
        monkeypatch.setattr(weights, "WEIGHTS", {"small": entry})
        assert download.main(["small"]) == 0
        server.shutdown()
    assert "w.h5, 0 kB, sha256 as published" in capsys.readouterr().out
    assert download.main([]) == 0  # no server any more: it is there
    assert (tmp_path / "cache" / "w.h5").read_bytes() == b"some weights"
    assert download.main(["nothing"]) == 2
    assert "nothing to download is called 'nothing'; there are small" in capsys.readouterr().err
