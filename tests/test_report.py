"""Tiny notebooks that succeed, raise, hang and die, through papermill, to the report."""

import _thread
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from mesokit import cli, files, report
from mesokit.lesson import states
from mesokit.lesson.findings import FINDINGS
from mesokit.report import execute, index, watch
from mesokit.report.compare import changes
from mesokit.report.inputs import inputs
from mesokit.report.junit import junit
from mesokit.report.page import page as html_page

pytestmark = pytest.mark.slow  # nearly all read one run of tiny notebooks

ROOT = Path(__file__).parent.parent
LIMIT = 12  # seconds for the notebook that hangs: enough to start a kernel on a busy machine
HOSTILE = "<script>alert(1)</script>"
PARAMETERS = 'epochs = 3  # passes\nrate = 0.1  # step\nname = "a"  # word\nlevels: list = [0, 23]\nnothing = None'


def write(folder, name, *sources, parameters=None, title=None, **metadata):
    cells = [new_code_cell(source, metadata=metadata) for source in sources]
    if parameters is not None:
        cells.insert(0, new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    if title:
        cells.insert(0, new_markdown_cell(f"# {title}\n\nWhy $x$?"))
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


def good(folder):
    return write(
        folder,
        "00_good",
        "import os, numpy as np\nfrom mesokit import lesson\nimport plotly.graph_objects as go",
        'lesson.record("epochs", np.int64(epochs))\nlesson.record("auc", np.float32(0.5))\n'
        f'lesson.record({HOSTILE!r}, {HOSTILE!r})\nlesson.record("empty", float("nan"))\n'
        'lesson.record("folder", os.path.basename(os.getcwd()))',
        "from mesokit.lesson import checks\nchecks.exercise('Right.')(len)([])",
        "checks.exercise('Right.')(len)(3)",
        f'lesson.finding("eyes_fire_for_real", np.float64(0.9), 0.8, 0.95, "because {HOSTILE}")\n'
        f'lesson.number("n", "counts {HOSTILE}", 0.891, None, float("nan"), float("nan"), "because {HOSTILE}")',
        f'go.Figure(go.Scatter(y=[1, 2])).update_layout(title="{HOSTILE}")',
        "import ipywidgets\nipywidgets.interact(lambda a: print(a), a=3);",
        f'lesson.answer("yes, {HOSTILE}")\n'
        f'lesson.highlight(go.Figure(go.Scatter(y=[3, 4])), "it rises, {HOSTILE}", "Control: a flat line.")',
        parameters=PARAMETERS,
        title=f"A good one {HOSTILE.replace('<', '&lt;')}",
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """(out, outcomes by name, progress events) of one run over notebooks of every fate."""
    folder = tmp_path_factory.mktemp("run") / "note {books}"
    out = folder.parent / "out {x}"
    broken = folder / "05_broken.ipynb"
    hang = "while True:\n    time.sleep(0.05)"
    notebooks = [
        good(folder),
        write(folder, "01_raises", "x = 1", f'raise KeyError("{HOSTILE}\\nmore")', "print('never')", title="Raises"),
        write(folder, "02_hangs", "import time, subprocess\nchild = subprocess.Popen(['sleep', '987'])", hang),
        write(folder, "03_dies", "import os, time\ntime.sleep(0.4)", "os._exit(3)"),
        write(folder, "04_expected", "1 / 0", "x = 1", tags=["raises-exception"]),
        broken,
    ]
    broken.write_text("{not a notebook")
    events = []
    parameters = {"00_good": {"epochs": 5, "rate": "1e-3"}, "not here": {"x": 1}}
    hanging = notebooks.pop(2)
    outcomes = list(report.run(notebooks, parameters, out, progress=lambda *event: events.append(event)))
    outcomes[2:2] = report.run([hanging], {}, out, timeout=LIMIT)
    report.render(out, outcomes, report.environment("smoke", parameters))
    return out, {outcome.name: outcome for outcome in outcomes}, events


def test_each_notebook_ends_as_it_should(finished):
    _, outcomes, _ = finished
    assert {name: outcome.status for name, outcome in outcomes.items()} == {
        "00_good": "ok",
        "01_raises": "failed",
        "02_hangs": "timeout",
        "03_dies": "failed",
        "04_expected": "ok",
        "05_broken": "failed",
    }
    assert (
        outcomes["01_raises"].error
        == f"KeyError: '{HOSTILE}\\nmore', in cell [2]: raise KeyError(\"{HOSTILE}\\nmore\")"
    )
    assert outcomes["02_hangs"].error == f"stopped after its limit of {LIMIT} s, in cell [2]: while True:"
    assert outcomes["03_dies"].error == "the kernel died, exit status 3, in cell [2]: os._exit(3)"
    assert "JSON" in outcomes["05_broken"].error
    assert outcomes["00_good"].error is None and outcomes["04_expected"].error is None
    assert LIMIT < outcomes["02_hangs"].seconds < LIMIT + watch._GRACE
    assert all(20 < outcomes[name].peak_mb < 1000 for name in ("00_good", "03_dies"))


def test_nothing_is_left_running(finished):
    mine = psutil.Process().children(recursive=True)
    assert [p for p in mine if "ipykernel" in " ".join(p.cmdline())] == []
    assert [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] == ["sleep", "987"]] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_the_memory_that_a_fork_shares_counts_once():
    code = "import os, time; held = b'x' * 200_000_000; os.fork(); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        looked = watch.Watch(60, lambda *_: None)
        looked.family.add(psutil.Process(parent.pid))
        parent.stdout.readline()
        try:
            for _ in range(3):
                looked.sample()
            assert len(looked.family) == 2
            assert 200e6 < looked.peak < 300e6
        finally:
            looked.kill()


def test_progress_counts_cells(finished):
    _, _, events = finished
    of_good = [event[1:] for event in events if event[0] == "00_good"]
    assert of_good == sorted(of_good) and of_good[-1] == (11, 11)  # with the injected cell
    assert ("01_raises", 2, 4) in events


def test_results_json(finished):
    out, _, _ = finished
    results = json.loads((out / "results.json").read_text())
    assert {"environment", "notebooks", "results", "findings", "numbers"} <= set(results) and "claims" not in results
    assert results["parameters"]["00_good"]["epochs"] == 5 and results["parameters"]["00_good"]["levels"] == [0, 23]
    assert [(check["notebook"], check["passed"]) for check in results["checks"]] == [
        ("00_good", True),
        ("00_good", False),
    ]
    assert [set(row) for row in results["notebooks"]] == [{"name", "status", "seconds", "peak_mb", "error"}] * 6
    recorded = {"epochs": 5, "auc": 0.5, HOSTILE: HOSTILE, "empty": None, "folder": "note {books}"}
    assert results["results"]["00_good"] == recorded
    (finding,), (number,) = results["findings"], results["numbers"]
    cell = finding.pop("cell")
    known = FINDINGS["eyes_fire_for_real"]
    assert finding == {
        "id": "eyes_fire_for_real", "notebook": "00_good", "statement": known.statement, "paper": known.paper,
        "ours": 0.9, "low": 0.8, "high": 0.95, "verdict": "agrees", "why": f"because {HOSTILE}", "data": None,
    }  # fmt: skip
    assert number == {
        "id": "n", "notebook": "00_good", "what": f"counts {HOSTILE}", "paper": 0.891, "ours": None, "low": None,
        "high": None, "why": f"because {HOSTILE}", "data": None, "exact": False, "cell": cell,
    }  # fmt: skip
    assert "1 agrees, 0 differs, 0 undecided" in (out / "index.html").read_text()
    assert results["environment"]["preset"] == "smoke" and "plotly" in results["environment"]["packages"]
    assert f'id="cell-id={cell}"' in (out / "00_good.html").read_text()


def test_pages_need_no_network(finished):
    out, _, _ = finished
    for page in out.glob("*.html"):
        text = page.read_text()
        assert len(text) < 1_000_000
        assert not re.search(r"<(script|link|img|iframe)\b[^>]*\b(src|href)\s*=\s*[\"']?(https?:)?//", text), page.name
        assert "connect-src 'none'" in text or "default-src 'none'" in text
    text = (out / "00_good.html").read_text()
    assert '<script src="plotly.min.js" defer></script>' in text and "plotly.js v" not in text
    assert "plotly.js v" in (out / "plotly.min.js").read_text()[:1000]
    assert text.count('<link rel="stylesheet" href="notebook.css">') == 1 and len(text) < 200_000
    assert ".jp-Cell" in (out / "notebook.css").read_text()
    assert text.index('class="mk-figure"') < text.index('<script type="application/json" id="mk-0">')
    assert "mathjax" not in re.sub(r"(?s)<script>.*?</script>", "", text).lower()


def test_hostile_text_is_escaped(finished):
    out, _, _ = finished
    for page in ("index.html", "00_good.html", "01_raises.html"):
        assert HOSTILE not in (out / page).read_text(), page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in (out / "index.html").read_text()


def test_the_first_page_has_the_answers_and_figures_of_the_run(finished):
    out, _, _ = finished
    results = json.loads((out / "results.json").read_text())
    assert [row["text"] for row in results["answers"]] == [f"yes, {HOSTILE}"]
    assert [set(row) for row in results["highlights"]] == [{"says", "control", "notebook", "cell"}]
    index = (out / "index.html").read_text()
    assert "In this run: yes, &lt;script&gt;" in index
    assert '<div class="mk-figure" data-from="mk-0"' in index and '"y":[3,4]' in index.replace(" ", "")
    assert "it rises, &lt;script&gt;" in index and "Control: a flat line." in index
    assert '<script src="plotly.min.js" defer></script>' in index


def test_findings_stand_by_kind_with_how_many_clips_would_decide(tmp_path, finished):
    row = {"cell": "c", "notebook": "00_good", "paper": 0.1, "low": -0.01, "high": 0.05, "why": "", "data": "smoke"}
    undecided = row | {"id": "a", "statement": "rises", "ours": 0.02, "verdict": "undecided"}
    exact = row | {"id": "b", "what": "sides", "ours": 0.1, "exact": True}
    beside = row | {"id": "c", "what": "accuracy", "ours": 0.1, "exact": False}
    _, outcomes, _ = finished
    book = index._collect(outcomes["04_expected"]) | {"findings": [undecided], "numbers": [exact, beside]}
    text = index._first_page([book], index._results([book], {}), [], None)
    assert text.index("Rebuilt exactly") < text.index("sides") < text.index("Undecided") < text.index("rises")
    # the half width .03 must shrink to .02: (3/2)**2 = 2.25 times as many clips
    assert "With about 3 times as many clips" in text
    assert text.index("without a verdict") < text.index("accuracy")
    assert index.times(undecided | {"ours": 0.001}) == 121
    assert index.times(undecided | {"ours": None}) is None


def test_hints_stay_folded(tmp_path):
    hint = "<details><summary>Hint</summary>\n\nLook at `x`.\n\n</details>"
    notebook = new_notebook(cells=[new_markdown_cell(f"Why?\n\n{hint}")])
    text = html_page({"notebook": notebook, "title": "a", "folder": tmp_path, "error": None})
    assert re.search(r"<details><summary>Hint</summary>\s*<p>Look at <code>x</code>.</p>\s*</details>", text)


def test_teach_leads_to_pages_that_are_there(finished):
    out, _, _ = finished
    index = (out / "index.html").read_text()
    assert '<a href="#teach">Teach</a>' in index
    section = re.search(r'<section id="teach">.*?</section>', index, re.DOTALL)[0]
    links = set(re.findall(r'href="([\w-]+\.html)"', section))
    assert {"slides-50-minutes.html", "slides-two-sessions.html", "slides-half-day.html", "handout.html"} <= links
    for page in [out / link for link in links]:
        for link in re.findall(r'href="([\w-]+\.(?:html|json))', page.read_text("utf-8")):
            assert (out / link).is_file(), f"{page.name} links to {link}"


def test_failures_come_first_and_link_to_where_it_broke(finished):
    out, _, _ = finished
    index = (out / "index.html").read_text()
    assert index.index("Raises") < index.index("A good one")
    assert "2 ok" in index and "4 failed" in index
    (cell,) = set(re.findall(r'href="01_raises.html#(cell-id=[\w-]+)"', index))
    page = (out / "01_raises.html").read_text()
    assert f'id="{cell}"' in page and "never" in page
    assert "An interactive control" in (out / "00_good.html").read_text()


def test_a_check_that_failed_stands_above_the_notebooks_with_a_link_to_its_cell(finished):
    out, _, _ = finished
    index = (out / "index.html").read_text()
    assert index.index("Not yet: checking it raised TypeError") < index.index('id="notebooks"')
    (cell,) = set(re.findall(r'<a href="00_good.html#(cell-id=[\w-]+)">00_good</a></section>', index))
    assert f'id="{cell}"' in (out / "00_good.html").read_text()


def test_junit(finished):
    suite = ElementTree.fromstring((finished[0] / "junit.xml").read_text())
    assert suite.attrib["tests"] == "8" and suite.attrib["failures"] == "5"
    failed = {case.attrib["name"]: case.find("failure") for case in suite}
    assert failed["04_expected"] is None and failed["02_hangs"].attrib["type"] == "timeout"
    assert HOSTILE in failed["01_raises"].attrib["message"]
    bad = {"name": "a\x00b", "status": "failed", "seconds": 1.0, "error": "\x1b[31mred"}
    assert "\x00" not in ElementTree.fromstring(junit({"notebooks": [bad], "checks": []}))[0].attrib["name"]


def result(**changed):
    """The results of a run of one notebook with one finding and one number, as results.json holds them."""
    row = {"notebook": "a", "ours": 0.9, "low": 0.8, "high": 0.95}
    finding, number = row | {"id": "f", "statement": "falls", "verdict": "agrees"}, row | {"id": "n", "what": "counts"}
    environment = {"preset": "smoke", "packages": {"keras": changed.pop("keras", "3.1")}}
    book = {"name": "a", "status": changed.pop("status", "ok"), "seconds": changed.pop("seconds", 40.0)}
    files = {"data": [{"name": "d", "sha256": changed.pop("sha256", "0")}], "weights": []}
    number |= changed.pop("number", {})
    rows = {"findings": [finding | changed], "numbers": [number]}
    return {"environment": environment, "notebooks": [book], "results": {}, **rows, "inputs": files}


@pytest.mark.parametrize(
    ("now", "kinds"),
    [
        ({}, []),
        ({"ours": 0.81}, []),
        ({"ours": 0.7}, ["number"]),
        ({"ours": 0.7, "verdict": "differs"}, ["verdict", "number"]),
        ({"ours": None, "low": None, "high": None, "verdict": "undecided"}, ["verdict", "number"]),
        ({"id": "d"}, ["finding", "finding"]),
        ({"number": {"ours": 0.81}}, []),
        ({"number": {"ours": 0.7}}, ["number"]),
        ({"number": {"ours": None}}, ["number"]),
        ({"number": {"id": "d"}}, ["number", "number"]),
        ({"status": "failed"}, ["status"]),
        ({"seconds": 44.0}, []),
        ({"seconds": 60.0}, ["time"]),
        ({"keras": "3.2", "sha256": "1"}, ["setting", "setting"]),
    ],
)
def test_changes(now, kinds):
    assert [row["kind"] for row in changes(result(), result(**now))] == kinds


def test_changes_of_a_finding_without_an_interval():
    assert changes(result(low=None, high=None, ours="falls"), result(ours="falls")) == []
    (row,) = changes(result(low=None, high=None), result(low=None, high=None, ours=0.91))
    assert (row["old"], row["new"]) == ("0.9", "0.91")


def test_render_shows_what_changed(tmp_path, finished):
    out, outcomes, _ = finished
    chosen = [outcomes["00_good"]]
    previous = report.read_results(out)
    previous["findings"][0]["verdict"] = "differs"
    text = report.render(tmp_path, chosen, previous["environment"], previous).read_text()
    assert "<b>verdict</b>" in text and "Changes since the earlier run" not in (out / "index.html").read_text()
    assert [row["kind"] for row in json.loads((tmp_path / "results.json").read_text())["changes"]] == ["verdict"]
    with pytest.raises(ValueError, match="not the results of a report"):
        report.read_results(tmp_path / "absent")


def test_on_github_each_notebook_links_to_binder_and_colab(tmp_path, finished, monkeypatch):
    _, outcomes, _ = finished
    chosen = [outcomes["04_expected"]]
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert "mybinder" not in report.render(tmp_path, chosen, report.environment()).read_text()
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    monkeypatch.setenv("GITHUB_REF_NAME", "main")
    text = report.render(tmp_path, chosen, report.environment()).read_text()
    lab = "main?urlpath=lab/tree/mesokit-notebooks/notebooks/04_expected.ipynb"  # without solutions, both
    assert f'href="https://mybinder.org/v2/gh/a/b/{lab}"' in text
    assert 'href="https://colab.research.google.com/github/a/b/blob/student/notebooks/04_expected.ipynb"' in text


def test_inputs_hash_the_data_and_say_whether_they_are_as_described(tmp_path):
    root = tmp_path / "work" / "smoke"
    (root / "weights").mkdir(parents=True)
    (root / "weights" / "mine.weights.h5").write_bytes(b"1")
    (root / "clips.csv").write_text("a")
    (root / "faces.csv").write_text("b")
    hashes = {"clips.csv": files.sha256(root / "clips.csv"), "faces.csv": "of another table"}
    files.write_json({"sha256": hashes}, root / "dataset.json")
    found = inputs([(tmp_path / "notebooks", {"work": "../work", "data": "smoke"}), (tmp_path, {})])
    assert [(row["name"], row["as_described"]) for row in found["data"]] == [
        ("smoke/clips.csv", True),
        ("smoke/faces.csv", False),
    ]
    bundled = {row["name"]: row for row in found["weights"]}
    assert bundled["meso4-deepfake"]["as_described"] is True
    assert bundled["smoke/mine.weights.h5"]["as_described"] is None
    assert inputs([(tmp_path, {"work": "nowhere", "data": "smoke"})])["data"] == []


def test_render_leaves_the_old_report_when_it_fails(tmp_path, finished, monkeypatch):
    _, outcomes, _ = finished
    chosen = [outcomes["01_raises"], outcomes["04_expected"]]
    report.render(tmp_path, chosen, {})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {
        "index.html",
        "network.html",
        "handout.html",
        "slides-50-minutes.html",
        "slides-two-sessions.html",
        "slides-half-day.html",
        "plotly.min.js",
        "notebook.css",
        "results.json",
        "junit.xml",
        "01_raises.html",
        "04_expected.html",
    }
    monkeypatch.setattr(index, "_template", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        report.render(tmp_path, chosen[:1], {})
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        files.write(tmp_path / "index.html", b"half")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.fixture
def ctrl_c():
    """Ctrl-C raises KeyboardInterrupt, as in a command: dask_jobqueue, which other tests import, replaces that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("jobs", [1, 2])
def test_interruption_ends_what_runs_and_skips_the_rest_and_still_reports(tmp_path, jobs):
    """Ctrl-C while the first notebooks are in a cell that would take an hour."""
    notebooks = [write(tmp_path, name, "import time\ntime.sleep(3600)") for name in ("a", "b", "c")]
    started = set()

    def progress(name, *_):
        started.add(name)
        if len(started) == jobs:
            threading.Timer(1, _thread.interrupt_main).start()

    outcomes = list(report.run(notebooks, {}, tmp_path / "out", progress=progress, jobs=jobs))
    assert [outcome.status for outcome in outcomes] == ["failed"] * jobs + ["skipped"] * (3 - jobs)
    assert outcomes[0].error.startswith("interrupted by the user, in cell [1]")
    assert f"{3 - jobs} skipped" in report.render(tmp_path / "out", outcomes, report.environment()).read_text()


def test_notebooks_run_side_by_side(tmp_path):
    """Each of the two waits for a file that the other one writes."""
    meet = "import time, pathlib\npathlib.Path({!r}).touch()\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.05)"
    files = [str(tmp_path / name) for name in ("one", "two")]
    notebooks = [write(tmp_path, "a", meet.format(*files)), write(tmp_path, "b", meet.format(*files[::-1]))]
    outcomes = list(report.run(notebooks, {}, tmp_path / "out", timeout=60, jobs=2))
    assert [(outcome.name, outcome.status) for outcome in outcomes] == [("a", "ok"), ("b", "ok")]


def test_an_ignored_interrupt_ends_in_a_kill(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "_GRACE", 1)
    stubborn = "import time\nwhile True:\n    try: time.sleep(1)\n    except KeyboardInterrupt: pass"
    started = time.monotonic()
    (outcome,) = report.run([write(tmp_path, "a", stubborn)], {}, tmp_path / "out", timeout=8)
    assert outcome.status == "timeout" and time.monotonic() - started < 30


def test_the_command_reports_every_notebook_whatever_becomes_of_it(tmp_path, capsys):
    folder, out = tmp_path / "notebooks", tmp_path / "out"
    write(folder, "00_good", "print(epochs)", parameters=PARAMETERS, title="Good")
    write(folder, "01_raises", "1 / 0", title="Raises")
    write(folder, "02_hangs", "import time\nwhile True:\n    time.sleep(0.05)", title="Hangs")
    write(folder, "03_dies", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", title="Dies")
    write(folder, "04_last", "print('last')", title="Last")
    arguments = ["report", "--notebooks", str(folder), "--out", str(out), "--timeout", str(2 * LIMIT)]
    files.write(folder / "presets" / "smoke.yaml", b"00_good: {epochs: many}")
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert "'epochs': 'many' is str, where int" in said.err and said.err.count("\n") == 1 and not said.out
    assert not out.exists()
    files.write(folder / "presets" / "smoke.yaml", b"00_good: {epochs: 4}")
    assert cli.main(arguments) == 1
    rows = report.read_results(out)["notebooks"]
    assert [row["status"] for row in rows] == ["ok", "failed", "timeout", "failed", "ok"]
    assert "ZeroDivisionError" in rows[1]["error"] and "the kernel died" in rows[3]["error"]
    text = (out / "index.html").read_text()
    assert max(map(text.index, ("Raises", "Hangs", "Dies"))) < min(map(text.index, ("Good", "Last")))
    assert "Traceback" not in capsys.readouterr().err


def test_run_refuses_wrong_parameters_before_anything_runs(tmp_path):
    notebook, untagged = good(tmp_path), write(tmp_path, "untagged", "x = 1")
    with pytest.raises(ValueError, match="did you mean 'epochs'"):
        report.run([notebook], {"00_good": {"epoch": 1}}, tmp_path / "out")
    with pytest.raises(ValueError, match="no cell is tagged"):
        report.run([untagged], {"untagged": {"x": 2}}, tmp_path / "out")
    with pytest.raises(ValueError, match="different names"):
        report.run([notebook, notebook], {}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_notebook_parameters(tmp_path):
    found = report.notebook_parameters(good(tmp_path))
    assert found == {"epochs": 3, "rate": 0.1, "name": "a", "levels": [0, 23], "nothing": None}
    assert report.notebook_parameters(write(tmp_path, "plain", "x = 1")) == {}
    for cell in ("x = 1 + y", "import os", "x = ", "x, y = 1, 2"):
        with pytest.raises(ValueError, match="name = literal"):
            report.notebook_parameters(write(tmp_path, "derived", parameters=cell))
    (tmp_path / "junk.ipynb").write_text('{"cells": 3}')
    with pytest.raises(ValueError, match="not a readable notebook"):
        report.notebook_parameters(tmp_path / "junk.ipynb")


def preset(tmp_path, text):
    path = tmp_path / "presets" / "smoke.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return report.load_preset(path)


def test_preset(tmp_path):
    good(tmp_path)
    write(tmp_path, "01_other", parameters="epochs = 1")
    loaded = preset(tmp_path, "all: {epochs: 2}\n00_good: {epochs: 7, rate: 1e-3, levels: [40], nothing: [1, 2]}\n")
    assert loaded == {
        "00_good": {"epochs": 7, "rate": 0.001, "levels": [40], "nothing": [1, 2]},
        "01_other": {"epochs": 2},
    }
    assert preset(tmp_path, "") == {} == preset(tmp_path, "00_good:\n")
    assert isinstance(preset(tmp_path, "00_good: {rate: 2}")["00_good"]["rate"], float)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("00_god: {epochs: 1}", "no notebook '00_god'.*did you mean '00_good'"),
        ("00_good: {epoch: 1}", "00_good: no parameter 'epoch'.*did you mean 'epochs'.*rate"),
        ("all: {epoch: 1}", "no notebook has a parameter 'epoch'.*'epochs'"),
        ("00_good: {epochs: many}", "'epochs': 'many' is str, where int"),
        ("00_good: {epochs: true}", "True is bool, where int"),
        ("00_good: {epochs: 1.5}", "1.5 is float, where int"),
        ("00_good: {rate: true}", "True is bool, where float"),
        ("00_good: {name: 2020-01-01}", "is date, where str"),
        ("00_good: {levels: 23}", "23 is int, where list"),
        ("00_good: 3", "a table of notebooks"),
        ("[1]", "a table of notebooks"),
        ("a: [", "not a readable preset"),
        ("a: !!python/object/apply:os.getcwd []", "not a readable preset"),
    ],
)
def test_preset_errors_are_one_sentence_naming_the_file(tmp_path, text, words):
    good(tmp_path)
    with pytest.raises(ValueError, match=words) as caught:
        preset(tmp_path, text)
    assert "smoke.yaml" in str(caught.value) and "\n" not in str(caught.value)


def shown(tmp_path, *cells):
    text = html_page({"notebook": new_notebook(cells=list(cells)), "title": "a", "folder": tmp_path, "error": None})
    return text[text.index("<main>") :]


def test_the_figures_of_explorers_are_in_the_pages_only(tmp_path):
    stored = {"controls": [], "figures": "AAAA", "note": ""}
    data = {states.MIME: stored, "application/vnd.plotly.v1+json": {"data": [], "layout": {}}}
    path = tmp_path / "in" / "05_maps.ipynb"
    notebook = new_notebook(cells=[new_code_cell(outputs=[new_output("display_data", data)])])
    files.write(path, nbformat.writes(notebook).encode())
    outcome = execute.Outcome("05_maps", "ok", folder=path.parent, executed=path)
    report.render(tmp_path / "out", [outcome], {})
    assert "AAAA" in (tmp_path / "out" / "05_maps.html").read_text()
    left = files.read_json(path)["cells"][0]["outputs"][0]["data"]
    assert list(left) == ["application/vnd.plotly.v1+json"]


def test_formulas_become_mathml(tmp_path):
    text = shown(tmp_path, new_markdown_cell("# Of $x$\n\nThe mean $\\bar p < 1$ is\n\n$$\\frac{1}{n} \\sum_i p_i$$"))
    assert text.count("<math") == 3 and text.count('display="block"') == 1 and "$" not in text
    assert re.search(r"<math[^>]*><mrow><mfrac><mrow><mn>1</mn></mrow><mrow><mi>n</mi></mrow></mfrac>", text)
    assert "<mo>&lt;</mo>" in text and ":math" not in text


@pytest.mark.parametrize(
    "source",
    [
        "It costs $5 and $6, or $7-$8.",
        "Write `$x$` or `a $b` and `c$ d`.",
        "```\n$x$\n```",
        "    $x$",
        "A broken $\\left( x$ or $\\frac{$, and $\\nothing{x}$.",
        "\\begin{nothing}x & y\\end{nothing}",
    ],
)
def test_prices_code_and_broken_formulas_stay_as_they_are(tmp_path, source):
    text = shown(tmp_path, new_markdown_cell(source), new_code_cell("cost = '$x$'"))
    assert "<math" not in text and "$x$" in re.sub(r"<[^>]*>", "", text)
    for part in re.findall(r"\$[\w\\]+", source):
        assert part in text


def test_text_in_a_formula_is_escaped(tmp_path):
    text = shown(tmp_path, new_markdown_cell(f"$\\text{{{HOSTILE}}}$"))
    assert HOSTILE not in text and "<math" in text


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_formula_of_the_notebooks_can_be_shown(path, tmp_path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]
    text = re.sub(r"(?s)<(code|pre)\b.*?</\1>", "", shown(tmp_path, *cells))
    assert "$" not in text and "\\begin" not in text


def test_documents_that_notebooks_link_to_are_pages_of_the_report(tmp_path):
    folder = tmp_path / "notebooks"
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "terms.md").write_text("# Terms\n\n### ROC AUC\n\nA number.\n", encoding="utf-8")
    text = "[auc](../docs/terms.md#roc-auc) and [gone](../docs/gone.md)"
    cell = new_markdown_cell(text, id="c0")
    files.write(folder / "00_links.ipynb", nbformat.writes(new_notebook(cells=[cell])).encode())
    outcome = execute.Outcome("00_links", "ok", executed=folder / "00_links.ipynb", folder=folder)
    report.render(tmp_path / "out", [outcome], {})
    page = (tmp_path / "out" / "00_links.html").read_text(encoding="utf-8")
    assert '<a href="terms.html#roc-auc">' in page and "../docs/gone.md" in page
    assert '<h3 id="roc-auc">' in (tmp_path / "out" / "terms.html").read_text(encoding="utf-8")
