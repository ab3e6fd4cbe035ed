"""Verdicts on clips and photographs, and the command lines as a user types them."""

import json
import subprocess
import sys

import numpy as np
import pytest

from mesokit import cli, evaluation, models, scan, video, weights


def _p(value):
    """A score that says the same of every face."""
    return lambda images: np.full(len(images), value, np.float32)


@pytest.fixture
def clip(tiny):
    return tiny / "clips" / "0" / "p000_real.mp4"


def test_verdicts_follow_the_rule_and_the_threshold(clip):
    assert scan.judge(clip, _p(0.9), frames=2).verdict == "real"
    assert scan.judge(clip, _p(0.4), frames=2).verdict == "forged"
    assert scan.judge(clip, _p(0.4), frames=2, threshold=0.3).verdict == "real"
    one = scan.judge(clip, _p(0.4), frames=2)
    assert one.crops.shape == (2, 256, 256, 3)
    assert one.record()["p_real"] + one.record()["p_forged"] == 1
    with pytest.raises(ValueError, match="no aggregation rule"):
        scan.judge(clip, _p(0.4), rule="best")


def test_nothing_to_look_at_is_an_abstention(tmp_path):
    video.write_clip(tmp_path / "gray.mp4", [np.full((120, 160, 3), 128, np.uint8)] * 3, 25)
    one = scan.judge(tmp_path / "gray.mp4", _p(0.9))
    assert (one.verdict, one.p_real, one.frames) == ("abstain", None, [])
    assert "no face of at least 40 pixels in any of 3 frames" in one.reason


def test_unreadable_is_an_error_not_an_exception(tmp_path):
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "text.jpg").write_text("hello")
    for path in (tmp_path / "text.mp4", tmp_path / "text.jpg", tmp_path / "absent.mp4"):
        one = scan.judge(path, _p(0.9))
        assert one.verdict == "error"
        assert path.name in one.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "its decoder crashed (exit status -11); re-encode it or leave it out"),
        ("time.sleep(600)", "its decoder took more than 5 seconds"),
        ("1 / 0", "its decoder crashed (exit status 1)"),
    ],
)
def test_a_crash_or_a_hang_of_the_decoder_is_the_error_of_its_clip(clip, tmp_path, monkeypatch, trouble, words):
    """In the middle of the clip's third frame; the clips before and after it are judged."""
    (tmp_path / "bad.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "json.py").write_text("raise SystemExit('a module of the current folder was imported')")
    monkeypatch.chdir(tmp_path)
    decoder = (
        "import os, signal, time; from mesokit.video import reading; decode = reading._decode\n"
        "def troubled(path, *rest):\n"
        "    for i, frame in enumerate(decode(path, *rest)):\n"
        f"        if i == 2 and 'bad' in str(path): {trouble}\n"
        "        yield frame\n"
        "reading._decode = troubled\n"
    )
    monkeypatch.setattr(video.apart, "READER", decoder + video.apart.READER)
    monkeypatch.setattr(scan, "_LIMIT", 5)
    first, bad, last = (scan.judge(path, _p(0.9), frames=9) for path in (clip, tmp_path / "bad.mp4", clip))
    assert (bad.verdict, bad.p_real) == ("error", None)
    assert bad.reason.startswith(f"{tmp_path / 'bad.mp4'}: {words}")
    assert (first.verdict, last.verdict) == ("real", "real")


def test_frames_read_apart_are_those_read_here(clip):
    n = video.probe(clip).frames
    for apart, here in zip(
        video.read_apart(clip, 4).frames, video.read_frames(clip, video.even_indices(n, 4)), strict=True
    ):
        assert (apart.index, apart.time, apart.keyframe) == (here.index, here.time, here.keyframe)
        assert np.array_equal(apart.image, here.image)


@pytest.mark.parametrize("name", ["Meso4_DF", "MesoInception_DF"])
def test_the_authors_faces_are_classified_right_by_their_weights(reference, name):
    score = evaluation.scorer(weights.load(reference / "afchar2018" / f"{name}.h5"))
    verdicts = {p: scan.judge(p, score).verdict for p in scan.find([reference / "afchar2018" / "test_images"])}
    assert len(verdicts) == 4
    assert all(verdict == ("real" if path.parent.name == "real" else "forged") for path, verdict in verdicts.items())


def _run(*arguments):
    return subprocess.run([sys.executable, "-m", "mesokit.cli", *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def small_weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "small.weights.h5"
    weights.save(models.meso4(size=64, seed=0), path)
    return path


@pytest.mark.slow
def test_json_is_the_contract(clip, tmp_path, small_weights):
    (tmp_path / "<b>bad<i>.mp4").write_text("hello")
    page = tmp_path / "page.html"
    done = _run("scan", clip, tmp_path, "--weights", small_weights, "--frames", 3, "--json", "--html", page)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == {"weights", "rule", "threshold", "clips"}
    good, bad = found["clips"]
    assert set(good) == set(bad) == {"path", "verdict", "reason", "p_real", "p_forged", "frames"}
    assert (good["path"], good["verdict"] in {"real", "forged"}) == (str(clip), True)
    assert [set(row) for row in good["frames"]] == [{"frame", "time", "p_real", "box", "confidence"}] * 3
    assert bad["verdict"] == "error"
    text = page.read_text()
    assert "&lt;b&gt;bad" in text
    assert "<b>bad" not in text
    assert "http" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.mp4", "--weights", "nothing"], "no such weight file"),
        (["x.mp4", "--rule", "best"], "no aggregation rule is called 'best'"),
        (["x.mp4", "--frames", "0"], "whole number from 1 to 999999"),
        (["x.mp4", "--html", "absent/page.html"], "its folder does not exist"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments, message, capsys):
    try:
        status = cli.main(["scan", *arguments])
    except SystemExit as stopped:  # argparse's own
        status = stopped.code
    assert status == 2
    assert message in capsys.readouterr().err


def test_empty_folder(tmp_path, capsys):
    assert cli.main(["scan", str(tmp_path)]) == 2
    assert "no clip or photograph in there" in capsys.readouterr().err


def test_what_a_folder_scan_leaves_out_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scan, "judge", lambda path, *rest: scan.Judged(str(path), "abstain", "not looked at"))
    monkeypatch.setattr(evaluation, "scorer", lambda network: None)
    for name in (
        "in/a.MTS",
        "in/b.wmv",
        "in/c.heic",
        "in/d.xyz",
        "in/e.tif",
        "in/.f.mp4",
        "in/notes.txt",
        "disk/g.mp4",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "disk")
    (tmp_path / "in" / "gone.mp4").symlink_to(tmp_path / "nothing")
    assert [path.name for path in scan.find([tmp_path / "in"])] == ["a.MTS", "b.wmv", "c.heic"]
    assert cli.main(["scan", str(tmp_path / "in"), "--json"]) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)["clips"]) == 3
    for words in (
        "not judged:",
        "1 a linked folder, not followed: give the real folder instead, or copy it: linked (1 clips)",
        "1 hidden: a name that begins with a dot: .f.mp4",
        "1 not a file, or a link to nothing: gone.mp4",
        ".tif: 1 files, e.tif, .xyz: 1 files, d.xyz",
    ):
        assert words in said.err
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "linked").symlink_to(tmp_path / "disk")
    assert cli.main(["scan", str(tmp_path / "links")]) == 2
    assert "found instead: 1 a linked folder, not followed" in capsys.readouterr().err


@pytest.mark.slow
def test_the_bundled_weights_judge_the_bundled_clips():
    score = evaluation.scorer(weights.load(weights.DEFAULT))
    verdicts = {name: scan.judge(weights.BUNDLED / f"tour_{name}.mp4", score).verdict for name in ("real", "forged")}
    assert verdicts == {"real": "real", "forged": "forged"}


@pytest.mark.slow
def test_check_finds_everything_here(capsys):
    assert cli.main(["check"]) == 0
    assert "one OpenCV (opencv-python-headless)" in capsys.readouterr().out


def test_report_refuses_what_is_not_there(tmp_path, capsys):
    for arguments, message in (
        (["--only", "99"], "no notebook starts with it"),
        (["--preset", "huge"], "huge.yaml"),
        (["--notebooks", str(tmp_path)], "no notebooks here"),
        (["-p", "epoch", "3"], "no notebook has a parameter 'epoch'"),
        (["-p", "seed", "[1"], "-p seed: '[1' is not YAML data"),
        (["-p", "seed", "!!python/object/apply:os.system [exit]"], "is not YAML data"),
    ):
        assert cli.main(["report", "--out", str(tmp_path / "report"), *arguments]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
