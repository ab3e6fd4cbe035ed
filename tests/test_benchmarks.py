"""The benchmarks at tiny sizes: results are equal, the line is printed, the files are written. No time is tested."""

import importlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mesokit import fast, models
from mesokit.dataset import loading

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    """A function that imports a script by its name, for one test."""
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if (FOLDER / f"{name}.py").exists():
            del sys.modules[name]


def test_scoring_is_equal_and_prints_a_line(load, tmp_path, capsys):
    assert load("scoring").main(["--quick", "--out", str(tmp_path / "rows.json")]) == 0
    assert "scoring meso4 " in capsys.readouterr().out
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert list(rows[0]) == ["name", "naive", "ours", "unit", "ratio", "equal"]
    assert [row["equal"] for row in rows] == [True, True]


def test_a_row_that_is_not_equal_is_said_and_fails(load, tmp_path, capsys):
    shared = load("side_by_side")
    rows = [shared.rate("work", 10, "faces", 2.0, 0.5, False), shared.Skipped("other", "no such thing here")]
    assert shared.report(rows, tmp_path / "rows.json", [{"n": 1}]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["work", "naive", "5.00", "ours", "20.00", "faces/s", "ratio", "4.00", "NOT", "EQUAL"]
    assert second.split() == ["other", "skipped:", "no", "such", "thing", "here"]
    written = json.loads((tmp_path / "rows.json").read_text())
    assert (len(written["rows"]), written["points"]) == (1, [{"n": 1}])


def test_ways_take_turns_and_the_first_call_does_not_count(load):
    calls = []
    slow, fast, a, b = load("side_by_side").in_turn(lambda: calls.append("n") or 1, lambda: calls.append("o") or 2, 2)
    assert ("".join(calls), a, b) == ("nonono", 1, 2)
    assert min(slow, fast) >= 0


@pytest.fixture
def script(tmp_path):
    """A script for a process apart: it says whether oneDNN computes, and breaks where it gets one argument only."""
    path = tmp_path / "script.py"
    path.write_text(
        "import sys, numpy as np\n"
        f"sys.path.insert(0, {str(FOLDER)!r})\n"
        "from mesokit import fast\n"
        "from side_by_side import serve\n"
        "serve(lambda: np.array([fast.onednn(), sys.argv[1:3] == ['--naive', 'a'], 1 / len(sys.argv[3:])]))\n"
    )
    return str(path)


def test_the_naive_way_has_tensorflow_as_it_comes(load, script):
    program = "from tensorflow.python.util import _pywrap_util_port as port; print(port.IsMklEnabled())"
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    command = [sys.executable, "-c", program]
    by_itself = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    with load("side_by_side").Apart(script, "a", 1) as naive:
        assert naive() is None
        assert naive.result().tolist() == [by_itself == "True", True, 1]


def test_a_naive_way_that_breaks_is_no_silence(load, script):
    with load("side_by_side").Apart(script, "a") as naive, pytest.raises(RuntimeError, match="has ended"):
        naive()


def test_overlap_and_agreement_of_boxes(load):
    extraction = load("extraction")
    a, b = (0.0, 0.0, 10.0, 10.0), (5.0, 0.0, 10.0, 10.0)
    assert extraction.overlap(a, b) == pytest.approx(1 / 3)
    assert extraction.overlap(a, (20.0, 0.0, 1.0, 1.0)) == 0
    assert extraction.agree([a] * 49 + [None], [a] * 50)  # 98 %
    assert not extraction.agree([a] * 48 + [None, b], [a] * 50)
    assert not extraction.agree([None], [None]), "no face at all is no agreement"


def test_extraction_finds_the_same_boxes(load):
    (row,) = load("extraction").rows(4, 1)
    assert row.equal


def test_people_are_rendered_alike_and_found(load, tmp_path, capsys):
    assert load("people").main(["--quick", "--out", str(tmp_path / "rows.json")]) == 0
    assert capsys.readouterr().out.startswith("MTCNN finds 100.0% of 2 faces of 1 people, ")
    made = json.loads((tmp_path / "rows.json").read_text())
    assert made["rows"][0]["equal"]
    assert made["points"][0]["found"] == 1 and made["points"][0]["landmark error"] < 0.1


def test_energies_are_the_formula(load):
    maximization = load("maximization")
    model = models.meso4(size=32, seed=1)
    images = np.random.default_rng(0).random((16, 32, 32, 3), dtype=np.float32)
    hidden = np.reshape(models.activations(model, "hidden_leaky")(images), (16, 16))
    settings = maximization.maximize.Settings(lam=0.5, p=2.0)
    norms = [np.linalg.norm(image.astype(float)) for image in images]
    assert np.allclose(maximization.energies(model, images, settings), np.diag(hidden) - 0.5 * np.array(norms))


def test_one_by_one_and_together_give_the_same_images(load):
    script, model = load("maximization"), models.meso4(size=32, seed=1)
    settings = script.settings_of(2)
    before, after = script.one_by_one(model, settings), script.together(model, settings)
    assert script.equal(model, before, after, settings)
    assert not script.equal(model, before, before[::-1], settings)
    assert np.array_equal(script.naive("1")().shape, (16, 256, 256, 3))


def test_the_authors_weights_are_skipped_with_a_reason(load, tmp_path):
    (row,) = load("authors").rows(["Meso4_DF"], 1, tmp_path)
    assert "MESOKIT_REFERENCE" in row.reason


def test_the_authors_weights_agree(load, reference):
    (row,) = load("authors").rows(["Meso4_DF"], 1, reference / "afchar2018")
    assert row.equal


def test_layers_are_equal_compiled_or_not(load, monkeypatch):
    script = load("training")
    right = script.one_pass
    for name in ("meso4", "meso_inception4"):
        assert script.same_layers(name, 2)
    for wrong in range(3):  # half the gradient of a layer of Keras', of ours, or of ours compiled is seen
        calls = itertools.count()

        def one_pass(layer, start, feed, upstream, compiled, wrong=wrong, calls=calls):
            return right(layer, start, feed, upstream * (0.5 if next(calls) % 3 == wrong else 1), compiled)

        with monkeypatch.context() as patched:
            patched.setattr(script, "one_pass", one_pass)
            assert not script.same_layers("meso4", 2)
    for name in ("_fused", "_few_passes"):  # so is a percent too much contrast
        normalize = getattr(fast, name)
        monkeypatch.setattr(fast, name, lambda x, gamma, *more, f=normalize: f(x, 1.01 * gamma, *more))
    assert not script.same_layers("meso4", 2)


def test_the_naive_network_is_made_of_keras_alone(load):
    network = models.meso_inception4(size=32, seed=1)
    stock = load("side_by_side").stock(network)
    assert {type(layer).__module__.split(".")[0] for layer in stock.layers} == {"keras"}
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), stock.get_weights(), strict=True))
    assert load("training").same_faces(4)


def test_peers_are_compared_or_skipped_with_a_reason(load):
    rows = list(load("peers").rows(4, 4, 1))
    assert len(rows) == 3
    for row in rows:
        assert "torch: " in row.reason if hasattr(row, "reason") else row.equal


def test_a_peer_that_does_not_import_is_no_error(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert [row.reason[:7] for row in load("peers").rows(4, 4, 1)] == ["torch: "] * 3


def test_notebooks_are_held_to_their_limits(load, tmp_path):
    script = load("notebooks")
    (row,) = script.rows(tmp_path / "results.json")
    assert "make report" in row.reason

    def of(preset, names):
        books = [{"name": n, "status": "ok", "seconds": 60.0, "peak_mb": i} for i, n in enumerate(sorted(names), 1024)]
        found = {"environment": {"preset": preset}, "notebooks": books}
        (tmp_path / "results.json").write_text(json.dumps(found))
        return list(script.rows(tmp_path / "results.json"))

    time, memory = of("class", script.ALL)
    assert time[1:] == (2400.0, 540.0, "s", 4.44, True)
    assert memory[1:] == (4096, 1032, "MB", 3.97, True)
    assert [row.equal for row in of("smoke", sorted(script.ALL)[1:])] == [False, False], "a part is not the whole"
    assert "paper" in of("paper", script.ALL)[0].reason


def test_shards_give_the_faces_of_png_files(load, monkeypatch):
    for name in ("KEPT", "BUFFER"):  # the script sets them
        monkeypatch.setattr(loading, name, getattr(loading, name))
    rows = list(load("shards").rows(None, 48, 1))
    assert len(rows) == 4 and rows[2].name == "faces from disk, as batches, warm"
    assert rows[0].equal and rows[2].equal


def test_growth_has_a_point_for_each_size(load):
    points = []
    rows = list(load("growth").rows(points, 2, 2))
    assert len(rows) == 3
    assert [point["n"] for point in points] == [2, 8, 32] * 3
    assert all(row.ours > 0 and point["peak_mb"] > 50 for row, point in zip(rows, points[::3], strict=True))


def test_the_device_is_measured_with_and_without_its_input(load):
    points = []
    (row,) = load("device").rows(points, 2, ("meso4",))
    assert points[0]["resident"] > 0 and points[0]["input"] > 0 and row.equal
    assert row.ours == pytest.approx(points[0]["end to end"], abs=0.01)


def test_aims_are_reached_with_equal_results_only(load):
    names = ("scoring meso4", "training meso4", "PyTorch against ours: scoring", "growth of something", "start-up, its")
    ratios, equal = (4.0, 1.9, 0.9, 0.1, 1.0), (True, True, True, True, False)
    rows = [{"name": n, "ratio": r, "equal": e} for n, r, e in zip(names, ratios, equal, strict=True)]
    said = "missed: training meso4 (1.9 of 2), PyTorch against ours: scoring (0.9 of 1), start-up, its (1 of 1)"
    assert load("run_all").against_aims(rows) == f"ratios reached: 1 of 4; {said}"
    assert load("run_all").against_aims(rows[:1]) == "ratios reached: 1 of 1"


def test_traffic_by_hand(load):
    numbers = 2 * 256**2 * 8 + 128**2 * 8 + 2 * 128**2 * 8 + 64**2 * 8 + 2 * 64**2 * 16 + 32**2 * 16
    numbers += 2 * 32**2 * 16 + 8**2 * 16 + 16 + 1
    assert load("roofline").traffic(models.meso4()) == 8 * numbers


def test_the_networks_of_extraction_are_counted(load):
    script = load("roofline")
    (p_net, _), (r_net, _), (o_net, _) = script.mtcnn_costs()
    assert p_net == (238**2 * 270 + 117**2 * 1440 + 115**2 * (4608 + 192)) / 240**2
    r = 22**2 * 27 * 28 + 9**2 * 252 * 48 + 3**2 * 192 * 64 + 576 * 128 + 128 * 6
    o = 46**2 * 27 * 32 + 21**2 * 288 * 64 + 8**2 * 576 * 64 + 3**2 * 256 * 128 + 1152 * 256 + 256 * 16
    assert (r_net, o_net) == (r, o)
    work = script.extraction(2, 1)
    assert work.speed > 0 and work.flops > 1e6 and "no network runs" in work.held_by
    work = script.reading(4, 1)
    assert work.flops / work.moved == pytest.approx(1 / 18) and "PNG" in work.held_by


def test_figures_hold_the_numbers_and_the_page_needs_no_network(load):
    keys = ["name", "naive", "ours", "unit", "ratio", "equal"]
    rows = [("a", 1.0, 4.0, "faces/s", 4.0, True), ("b", 1.0, 0.5, "faces/s", 0.5, False)]
    figures = load("figures")
    figure = figures.speeds(pd.DataFrame(rows, columns=keys))
    assert [(bar.base + bar.x[0], bar.y[0]) for bar in figure.data] == [(4.0, "a"), (0.5, "b")]
    growth = [{"work": "w", "times": t, "seconds": 2.0 * t, "peak_mb": 100} for t in (1, 4, 16)]
    lines = figures.growth(pd.DataFrame(growth)).data
    assert [list(line.y) for line in lines] == [[2, 8, 32], [100, 100, 100], [2, 8, 32]]
    point = {"work": "w", "intensity": 2.0, "gflops": 5.0, "share": 0.25, "peak": 100.0, "bandwidth": 10.0}
    roof, seen = figures.roofline(pd.DataFrame([point])).data
    assert roof.y[1:] == (100, 100)
    assert (list(seen.x), list(seen.y)) == ([2.0], [5.0])
    page = load("run_all").page(
        [dict(zip(keys, row, strict=True)) for row in rows], {"growth": growth, "roofline": [point]}
    )
    assert page.count("<h2>") == 3
    assert "<script src=" not in page
