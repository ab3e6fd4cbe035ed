"""What notebooks record, and the one place where an interval becomes a verdict."""

import numpy as np
import pandas as pd
import pytest

from mesokit import dataset, evaluation, lesson
from mesokit.lesson import data as lesson_data
from mesokit.lesson import paper
from mesokit.lesson.findings import FINDINGS, VERDICTS, Finding, verdict

NAN = float("nan")
IDS = {
    "falls_to_23_face2face",
    "falls_to_40_face2face",
    "clip_beats_frame_deepfake",
    "clip_beats_frame_face2face",
    "inception_beats_meso4_deepfake",
    "network_beats_blur_meter",
    "second_derivative_says_little",
    "sign_groups_meso4",
    "sign_groups_inception",
    "eyes_fire_for_real",
    "background_fires_for_forged",
    "eyes_speak_for_real",
    "mouth_speaks_for_real",
    "background_detail_speaks_for_forged",
    "mesoscopic_octaves_matter",
}


def test_the_table_of_findings_is_whole():
    assert set(FINDINGS) >= IDS
    assert {finding.expects for finding in FINDINGS.values()} == {"above 0", "below 0", "not above 0"}
    statements = [finding.statement for finding in FINDINGS.values()]
    assert len(set(statements)) == len(statements)


@pytest.mark.parametrize(
    ("low", "high", "above", "below", "not_above"),
    [
        (0.1, 0.2, "agrees", "differs", "differs"),
        (-0.2, -0.1, "differs", "agrees", "agrees"),
        (-0.1, 0.2, "undecided", "undecided", "agrees"),
        (0.0, 0.2, "undecided", "undecided", "agrees"),
        (-0.2, 0.0, "undecided", "undecided", "agrees"),
        (None, None, "undecided", "undecided", "undecided"),
        (0.1, None, "undecided", "undecided", "undecided"),
        (NAN, NAN, "undecided", "undecided", "undecided"),
        (np.float32(0.1), np.float64(0.2), "agrees", "differs", "differs"),
    ],
)
def test_the_interval_alone_decides(low, high, above, below, not_above):
    for expects, said in (("above 0", above), ("below 0", below), ("not above 0", not_above)):
        assert verdict(Finding("s", "p", expects), low, high) == said
        assert said in VERDICTS


def test_a_finding_takes_statement_and_paper_from_the_table(capsys):
    lesson.finding("falls_to_40_face2face", np.float64(0.1234), 0.05, 0.2, "three seeds")
    line = capsys.readouterr().out
    assert line.startswith("Meso-4 on Face2Face") and line.endswith(
        "paper 0.114, here 0.123 (0.05 to 0.2): agrees (three seeds)\n"
    )
    lesson.finding("eyes_fire_for_real", NAN, NAN, NAN)
    assert capsys.readouterr().out.endswith("paper seen in pictures, here not measured: undecided\n")
    with pytest.raises(ValueError, match="no finding is called 'falls'; there are inception_beats"):
        lesson.finding("falls", 1, 0, 2)
    with pytest.raises(ValueError, match="falls_to_40_face2face: low 2 is above high 0; give the interval"):
        lesson.finding("falls_to_40_face2face", 1, 2, 0)


def test_a_number_has_no_verdict(capsys):
    lesson.number("faces", "faces to learn from", "5,111 / 7,250", [3, 4], why="other people")
    assert capsys.readouterr().out == "faces to learn from: paper 5,111 / 7,250, here [3, 4] (other people)\n"
    with pytest.raises(ValueError, match="n: low 2 is above high 0"):
        lesson.number("n", "what", 1, 1, 2, 0)
    with pytest.raises(ValueError, match="give the number a name"):
        lesson.number(" ", "what", 1, 1)


def test_accuracies_stand_beside_the_papers_of_the_same_level(capsys):
    scores = pd.DataFrame(
        {"clip": list("aabb"), "crf": 40, "label": ["real"] * 2 + ["forged"] * 2, "p_real": [0.9, 0.4, 0.1, 0.2]}
    ).assign(method="face2face", identity="i", group="g", split="test")
    lesson.accuracy("meso4", "face2face", "frames", 40, scores)
    assert "Meso-4 on Face2Face, CRF 40: accuracy, frames: paper 0.832, here 0.75 (" in capsys.readouterr().out
    lesson.accuracy("meso4", "face2face", "clips", 23, scores)  # a: .65, b: .15
    assert "clips: paper 0.953, here 1 (1 to 1)" in capsys.readouterr().out
    lesson.accuracy("meso4", "face2face", "clips", 0, scores)  # the paper has clips at CRF 23 only
    lesson.accuracy("meso4", "face2face", "frames", 30, scores)
    lesson.accuracy("my own", "deepfake", "frames", 23, scores)
    assert capsys.readouterr().out == ""
    lesson.accuracy("xception", "face2face", "frames", 23, scores.head(0))
    assert "paper 0.935, here not measured (there are no scores of such a network)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "level", "why"),
    [
        ("films", "40", "(other people and other forgeries than the paper's)"),
        ("films", "all", "(one network of all levels, where the paper has one for each; other people and"),
        (
            "faceforensics",
            "40",
            "(clips of FaceForensics++, whose first edition the paper used; the networks learnt from",
        ),
    ],
)
def test_an_accuracy_says_of_what_data_and_networks_it_is(data, level, why, capsys):
    scores = pd.DataFrame({"clip": ["a", "b"], "label": ["real", "forged"], "p_real": [0.9, 0.4]})
    lesson.accuracy("meso4", "face2face", "frames", 40, scores.assign(data=data, level=level))
    assert why in capsys.readouterr().out


def _results(folder, tables):
    """A folder of results: name -> {crf: p_real of the real clip, of the forged clip}."""
    for name, levels in tables.items():
        method = name.split("-")[1]
        rows = [
            {"clip": f"{label}{i}", "crf": crf, "frame": 0, "label": label, "method": kind, "identity": "i",
             "group": "g", "split": split, "p_real": p}
            for crf, both in levels.items()
            for label, kind, p in (("real", "real", both[0]), ("forged", method, both[1]), ("forged", "other", 0))
            for i, split in enumerate(("test", "test", "val"))
        ]  # fmt: skip
        (folder / "scores").mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(folder / "scores" / f"{name}.csv", index=False)


def test_results_of_reproduce_are_read_like_those_of_the_package(tmp_path, capsys):
    _results(
        tmp_path,
        {
            "meso4-face2face-crf0-seed0": {0: (0.9, 0.1)},
            "meso4-face2face-crf23-seed0": {23: (0.9, 0.8)},
            "meso4-face2face-crf23-seed1": {23: (0.9, 0.9)},
            "meso4-face2face-crf0-seed0@celebdf": {0: (0.1, 0.9)},
        },
    )
    stored = lesson.known_scores(str(tmp_path))
    told = f"test scores of {tmp_path.name} by meso4, trained on face2face at CRF 0, 23\n"
    assert capsys.readouterr().out == f"{tmp_path}: {told}"
    assert set(stored["split"]) == {"test"} and set(stored["method"]) == {"real", "face2face"}
    rows = lesson.scores_of(stored, "meso4", "face2face", 23)
    assert len(rows) == 2 * 2 * 2 and set(rows["seed"]) == {0, 1}
    assert lesson.scores_of(stored, "meso4", "face2face", 40).empty
    wanted = {f"falls_to_{crf}_face2face": [("meso4", "face2face", at) for at in (0, crf)] for crf in (23, 40)}
    ((finding, (before, after)),) = lesson.with_scores(stored, wanted)
    assert finding == "falls_to_23_face2face" and len(before) == 4 and len(after) == 8
    assert evaluation.difference(before, after)[0] == 0.5  # all right at CRF 0; every forged frame is wrong at 23
    told = capsys.readouterr().out
    assert told.startswith(
        "Skipped. Meso-4 on Face2Face, a network for each level: accuracy per frame falls from CRF 0"
    )
    assert told.endswith("to 40: no scores of meso4 on face2face at CRF 40.\n")


def test_findings_are_judged_on_the_clips_that_both_levels_have(tmp_path, capsys):
    _results(tmp_path, {"meso4-face2face-crf0-seed0": {0: (0.9, 0.1)}, "meso4-face2face-crf23-seed0": {23: (0.9, 0.8)}})
    stored = lesson.known_scores(tmp_path)
    wanted = {"falls_to_23_face2face": [("meso4", "face2face", 0), ("meso4", "face2face", 23)]}
    part = stored[(stored["crf"] == 0) | stored["clip"].isin(["real1", "forged1"])]
    ((_, both),) = lesson.with_scores(part, wanted)
    assert [set(scores["clip"]) for scores in both] == [{"real1", "forged1"}] * 2
    apart = stored.assign(clip=stored["clip"] + stored["level"])
    capsys.readouterr()
    assert list(lesson.with_scores(apart, wanted)) == []
    assert "at CRF 0, meso4 on face2face at CRF 23 of the same clips." in capsys.readouterr().out


def test_the_scores_of_the_package_are_of_levels_as_in_the_paper():
    stored = lesson.known_scores("")
    assert set(stored["data"]) == {"bundled"} and set(stored["other"]) == {""}
    assert set(lesson.scores_of(stored, "meso4", "deepfake", 23)["level"]) == {"all"}
    assert set(lesson.scores_of(stored, "meso4", "face2face", 23)["level"]) == {"23"}
    of_all = stored[stored["level"] == "all"]  # where a network of one level is missing, that of all stands in
    assert set(lesson.scores_of(of_all, "meso4", "face2face", 23)["level"]) == {"all"}


def test_cells_of_a_forgery_without_scores_are_skipped(tmp_path):
    with pytest.raises(ValueError, match="there are no scores in it; give the folder that mesokit reproduce wrote"):
        lesson.known_scores(tmp_path)
    _results(tmp_path, {"meso4-deepfake-crf23-seed0": {23: (0.9, 0.1)}})
    lesson.known_scores(tmp_path)
    assert lesson_data._left_out["scores of deepfake"] == ""
    lacks = f"{tmp_path}: no network there learnt face2face; there are meso4, trained on deepfake at CRF 23"
    assert lesson_data._left_out["scores of face2face"] == lacks
    _results(tmp_path / "b", {"meso4-deepfake-crf23-seed0": {0: (0.9, 0.1)}})
    with pytest.raises(ValueError, match="no test faces at the level of training"):
        lesson.known_scores(tmp_path / "b")


def test_the_papers_values():
    assert paper.accuracy("meso4", "deepfake", "clips", 23) == paper.accuracy("meso4", "deepfake", "clips", 40) == 0.969
    assert paper.accuracy("xception", "face2face", "frames", 40) is None
    assert paper.fall("meso_inception4", 40) == 0.155
    assert paper.clip_gain("meso_inception4", "face2face") == 0.019
    with pytest.raises(ValueError, match="no accuracy per clip of meso4 on face2face at CRF 40"):
        paper.clip_gain("meso4", "face2face", 40)


@pytest.fixture
def in_a_report(monkeypatch):
    monkeypatch.setenv("MESOKIT_REPORT", "1")


def test_record_is_silent_outside_a_report(capsys, monkeypatch):
    monkeypatch.delenv("MESOKIT_REPORT", raising=False)
    lesson.record("accuracy", 0.9)
    lesson.record_each("p of {}", {"conv1": 0.1})
    assert capsys.readouterr().out == ""
    with pytest.raises(TypeError, match="model: a object cannot be recorded"):
        lesson.record("model", object())


def test_record_rounds_floats_at_any_depth(capsys, in_a_report):
    lesson.record("curve", {"loss": np.array([0.12345, 1]), "n": 3, "why": "few", "none": float("nan")}, digits=2)
    assert capsys.readouterr().out == 'curve = {"loss": [0.12, 1.0], "n": 3, "why": "few", "none": null}\n'


def test_a_series_is_recorded_value_by_value(capsys, in_a_report):
    lesson.record_each("p of {}", pd.Series({"conv1": 0.12345, "conv2": 0.5}), digits=3)
    lesson.record_each("{}: low, high", {4: np.array([0.5, 1])})
    assert capsys.readouterr().out == "p of conv1 = 0.123\np of conv2 = 0.5\n4: low, high = [0.5, 1]\n"
    with pytest.raises(ValueError, match="write {} where the name"):
        lesson.record_each("p", {"conv1": 1})


def test_a_build_names_the_clips_that_failed(capsys, monkeypatch):
    asked = {}

    def build(clips, root, out, **options):
        asked.update(options)
        yield from (dataset.Built("good", 3, None), dataset.Built("bad", 0, "no face in any of 5 frames"))

    monkeypatch.setattr(dataset, "build", build)
    lesson.build(pd.DataFrame({"clip": ["good", "bad"], "crf": [23, -1]}), "root", "out", sampling="keyframes")
    assert capsys.readouterr().out == "bad no face in any of 5 frames\n"
    assert asked == {"sampling": "keyframes"}


def test_record_refuses_what_it_cannot_hold(capsys, in_a_report):
    lesson.record("curve", {"loss": np.arange(2), 3: (1, None)})
    assert capsys.readouterr().out == 'curve = {"loss": [0, 1], "3": [1, null]}\n'
    with pytest.raises(TypeError, match="model: a object cannot be recorded"):
        lesson.record("model", object())
    with pytest.raises(ValueError, match="name"):
        lesson.record(" ", 1)
