"""Verdicts on clips and photographs, and the command lines as a user types them."""

import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mesokit import cli, dataset, evaluation, models, scan, video, weights

CASES = Path(os.environ.get("MESOKIT_CASES", Path(__file__).parents[2] / "shared" / "cases"))


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
    assert one.record()["p_real"] == pytest.approx(0.4) and one.record()["p_forged"] == pytest.approx(0.6)
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
    here_all = video.read_frames(clip, video.even_indices(n, 4))
    for (apart, shot, skipped), here in zip(video.read_apart(clip, 4), here_all, strict=True):
        assert (shot, skipped) == (0, 0)
        assert (apart.index, apart.time, apart.keyframe) == (here.index, here.time, here.keyframe)
        assert np.array_equal(apart.image, here.image)


def _judged(p_real, height, crops):
    frames = [
        {"frame": i, "time": 0, "p_real": p, "box": [0, 0, 50, height], "confidence": 1} for i, p in enumerate(p_real)
    ]
    return scan.Judged("x", "real", "", float(np.mean(p_real)), frames, crops)


def test_doubts_name_what_is_unlike_the_training():
    crops = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3)).astype(np.uint8)
    sharp = dataset.sharpness(crops[0])
    known = {"box_h": (80.0, 200.0), "sharpness": (0.5 * sharp, 2 * sharp)}
    assert scan.doubts(_judged([0.9] * 4, 100, crops), known) == []
    assert "height of the face, in pixels, is 50; the" in scan.doubts(_judged([0.9] * 4, 50, crops), known)[0]
    assert "sharpness" in scan.doubts(_judged([0.9] * 4, 100, np.full_like(crops, 90)), known)[0]
    found = scan.doubts(_judged([0.9, 0.9, 0.8, 0.1], 100, crops), known)
    assert found[0].startswith("25% of its frames")
    assert "near the threshold" in found[1]
    assert scan.doubts(scan.Judged("x", "abstain", "no face"), known) == ["no face"]


def test_known_range_are_percentiles():
    table = pd.DataFrame({"box_h": np.arange(101.0), "sharpness": 5.0})
    assert scan.known_range(table) == {"box_h": (1.0, 99.0), "sharpness": (5.0, 5.0)}


# --- several people, by a detector and a decoder that give what the test says ----------------------------------------


def _face(x, confidence=0.99):
    """A face whose crop of 114 pixels lies within 60 pixels of x, 100."""
    points = np.array([[-20, -15], [20, -15], [0, 0], [-15, 20], [15, 20]], np.float32) + np.float32([x, 100])
    return scan.faces.Face((x - 30, 70.0, 60.0, 60.0), confidence, points)


@pytest.fixture
def film(tmp_path, monkeypatch):
    """A function that makes a clip: of each frame what is at the left (100) and at the right (300), and its shot.

    What is there is a gray value, which is p_real times 250, or None for nobody.
    """
    path, kept = tmp_path / "film.mp4", []
    path.write_bytes(b"never opened")

    def make(frames, shots=None):
        def read_apart(path, n, limit):
            for i, (frame, shot) in enumerate(zip(frames, shots or [0] * len(frames), strict=True)):
                image = np.zeros((200, 400, 3), np.uint8)
                for side, gray in enumerate(frame):
                    image[:, 200 * side : 200 * side + 200] = gray or 0
                kept.append(weakref.ref(image))
                found = [_face(100 + 200 * side) for side, gray in enumerate(frame) if gray]
                monkeypatch.setattr(scan.faces.following, "refine", lambda *rest, found=found: found)
                yield video.Taken(video.Frame(10 * i, 0.4 * i, i == 0, image), shot, 0)
                del image
                most.append(sum(image() is not None for image in kept))

        monkeypatch.setattr(video, "read_apart", read_apart)
        monkeypatch.setattr(scan.faces.following, "propose", lambda *rest: np.empty((0, 6)))
        return path

    most = make.most = []
    return make


def _gray(crops):
    return crops.mean(axis=(1, 2, 3), dtype=np.float64) / 250


def test_one_forged_person_makes_a_clip_forged(film):
    one = scan.judge(film([(225, 50)] * 10), _gray).record()
    real, forged = one["people"]
    assert (real["verdict"], real["p_real"], forged["verdict"], forged["p_real"]) == ("real", 0.9, "forged", 0.2)
    assert (one["verdict"], one["p_real"], one["frames"]) == ("forged", 0.2, forged["frames"])
    assert [row["box"][0] for row in one["frames"]] == [270.0] * 10
    assert (real["first"], real["last"], forged["p_forged"]) == (0, 90, 0.8)
    assert one["reason"] == "person 2 of 2: mean of p_real over the face in 10 of 10 frames is 0.200, threshold 0.5"


def test_a_clip_is_real_if_all_who_are_judged_are(film):
    """The real person with the lower score decides. Who is there for two of 30 frames is seen too shortly."""
    frames = [(225, None)] * 10 + [(None, 150)] * 14 + [(50, 150)] * 2 + [(None, 150)] * 4
    one = scan.judge(film(frames, [0] * 10 + [1] * 20), _gray)
    assert [(who.verdict, who.p_real, len(who.frames)) for who in one.people] == [
        ("real", 0.9, 10), ("real", 0.6, 20), ("abstain", None, 1),
    ]  # fmt: skip
    assert (one.verdict, one.p_real, one.frames) == ("real", 0.6, one.people[1].frames)
    assert one.reason.startswith("person 2 of 3: mean of p_real") and one.reason.endswith("; 1 cannot be judged")
    assert one.people[2].frames[0]["p_real"] == 0.2


def test_a_montage_is_not_averaged(film):
    """Two people in the same place, one after the other: their mean, 0.55, would be real."""
    frames, shots = [(225, None)] * 6 + [(50, None)] * 6, [0] * 6 + [1] * 6
    assert scan.judge(film(frames), _gray).p_real == 0.55  # without the cut
    one = scan.judge(film(frames, shots), _gray)
    assert (one.verdict, one.p_real, [who.p_real for who in one.people]) == ("forged", 0.2, [0.9, 0.2])


@pytest.mark.parametrize(("rule", "p_real"), [("mean", 0.6), ("median", 0.8), ("vote", 0.666667)])
def test_the_rule_joins_the_scores_of_a_persons_frames(film, rule, p_real):
    one = scan.judge(film([(25, None), (200, None), (225, None)]), _gray, rule=rule)  # 0.1, 0.8, 0.9
    assert one.p_real == pytest.approx(p_real)
    assert one.reason.startswith(f"{rule} of p_real over the face in 3 of 3 frames is {p_real:.3f}")


def test_frames_give_place_and_confidence_rounded(film, monkeypatch):
    face = scan.faces.Face((70.123, 70.0, 60.06, 60.0), 0.987654, _face(100).landmarks)
    monkeypatch.setitem(globals(), "_face", lambda x: face)
    rows = scan.judge(film([(225, None)] * 3), _gray).frames
    assert {tuple(row["box"]) for row in rows} == {(70.1, 70.0, 60.1, 60.0)}
    assert {row["confidence"] for row in rows} == {0.9877}


def test_a_score_on_the_threshold_is_forged(film):
    assert scan.judge(film([(125, None)] * 3), _gray).verdict == "forged"
    assert scan.judge(film([(125, None)] * 3), _gray, threshold=0.499).verdict == "real"


def test_nobody_can_be_judged(film):
    one = scan.judge(film([(225, None)] * 2 + [(None, None)] * 28), _gray, frames=30)
    assert (one.verdict, one.p_real, one.frames, len(one.people)) == ("abstain", None, [], 1)
    few = "a face in 2 of 30 frames, too few to judge: at least 3 are needed"
    assert one.reason == one.people[0].reason == f"{few}; give more with --frames, if the clip has more"
    assert (
        scan.judge(film([(225, None)] * 2 + [(None, None)] * 28), _gray, frames=40).reason == few
    )  # there are no more
    two = scan.judge(film([(225, 50)] * 2 + [(None, None)] * 28), _gray, frames=40)
    assert two.reason == f"2 people, none on enough frames to judge; person 1: {few}"


def test_everybody_in_a_photograph_is_judged(tmp_path, monkeypatch):
    image = np.zeros((200, 400, 3), np.uint8)
    image[:, :200], image[:, 200:] = 225, 50
    Image.fromarray(image).save(tmp_path / "two.png")
    monkeypatch.setattr(scan.faces.following, "propose", lambda *rest: np.empty((0, 6)))
    monkeypatch.setattr(scan.faces.following, "refine", lambda *rest: [_face(100), _face(300), _face(200, 0.85)])
    one = scan.judge(tmp_path / "two.png", _gray)
    assert (one.verdict, [who.p_real for who in one.people]) == ("forged", [0.9, 0.2])
    assert one.reason == "person 2 of 2: p_real of its face is 0.200, threshold 0.5"


def test_memory_does_not_grow_with_the_number_of_frames(film):
    """Of 300 frames few are held at a time, faces are scored in batches, and few crops are kept; no score is lost."""
    batches = []

    def score(crops):
        batches.append(len(crops))
        return _gray(crops)

    grays = [1 + i % 250 for i in range(300)]
    one = scan.judge(film([(gray, None) for gray in grays]), score, frames=300)
    assert len(film.most) == 300 and max(film.most) <= 2
    assert sum(batches) == 300 and max(batches) <= 32
    assert [row["p_real"] for row in one.frames] == [round(gray / 250, 6) for gray in grays]
    assert len(one.crops) == 38 and one.crops[:, 128, 128, 0].tolist() == grays[::8]  # 300, 150, 75, 38
    shown = scan.light(one)
    assert shown.crops[0, 128, 128, 0] == np.sort(grays[::8])[19] and len(shown.people[0].crops) == 1


def test_frames_read_apart_are_let_go(clip):
    held = []
    for taken in video.read_apart(clip, 6):
        held.append(weakref.ref(taken.frame.image))
        del taken
        assert sum(image() is not None for image in held) <= 1
    assert len(held) == 6


def test_the_page_and_the_text_list_the_people(film, monkeypatch, tmp_path, capsys):
    path, page = film([(225, 50)] * 10), tmp_path / "page.html"
    monkeypatch.setattr(evaluation, "scorer", lambda network: _gray)
    assert cli.main(["scan", str(path), "--html", str(page)]) == 0
    said = capsys.readouterr().out
    assert "forged  p_real 0.200  p_forged 0.800" in said
    assert "real    p_real 0.900  p_forged 0.100   person 1, frames 0 to 90" in said
    assert "forged  p_real 0.200  p_forged 0.800   person 2, frames 0 to 90" in said
    text = page.read_text()
    assert "Person 1, frames 0 to 90" in text and "Person 2, frames 0 to 90" in text
    assert text.count("<img") == 3 and text.count("<polyline") == 3
    scan_one = scan.page([scan.judge(film([(225, None)] * 10), _gray)], "w", "mean", 0.5)
    assert "Person 1" not in scan_one and scan_one.count("<img") == 1


GIVEN = {  # verdicts of the people, by the bundled weights
    "two_people.mp4": (["real", "real"], [30, 30], "30 of 30 frames"),
    "short_appearance.mp4": (["abstain"], [2], "a face in 2 of 30 frames"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GIVEN)
def test_given_cases(name):
    if not CASES.is_dir():
        pytest.skip("the odd inputs are absent: name their folder in MESOKIT_CASES")
    verdicts, frames, words = GIVEN[name]
    one = scan.judge(CASES / name, evaluation.scorer(weights.load(weights.DEFAULT)))
    assert [who.verdict for who in one.people] == verdicts and [len(who.frames) for who in one.people] == frames
    assert words in one.reason and one.verdict == verdicts[0]


@pytest.mark.slow
def test_a_montage_of_the_bundled_clips(tmp_path):
    """The real clip, then the forged one; and both side by side: the verdicts are those of each by itself."""
    score = evaluation.scorer(weights.load(weights.DEFAULT))
    frames = {
        kind: [f.image for f in video.read_frames(weights.BUNDLED / f"tour_{kind}.mp4")] for kind in ("real", "forged")
    }
    real, forged = frames["real"], [image[:, ::-1] for image in frames["forged"]]  # mirrored: another background
    video.write_clip(tmp_path / "both.mp4", [np.hstack(pair) for pair in zip(real, forged, strict=True)], 25, 10)
    one = scan.judge(tmp_path / "both.mp4", score)
    assert (one.verdict, [who.verdict for who in one.people]) == ("forged", ["real", "forged"])
    video.write_clip(tmp_path / "montage.mp4", real + forged, 25, 10)
    one = scan.judge(tmp_path / "montage.mp4", score)
    assert (one.verdict, [who.verdict for who in one.people]) == ("forged", ["real", "forged"])
    n = len(real)
    assert one.people[0].frames[-1]["frame"] < n <= one.people[1].frames[0]["frame"]


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
    assert set(good) == set(bad) == {"path", "verdict", "reason", "p_real", "p_forged", "frames", "people"}
    person = {name: good[name] for name in ("verdict", "reason", "p_real", "p_forged", "frames")}
    assert good["people"] == [person | {"first": good["frames"][0]["frame"], "last": good["frames"][-1]["frame"]}]
    assert bad["people"] == []
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
