"""A dataset folder describes itself, and every notebook runs on what it holds."""

import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import filelock
import layouts
import pandas as pd
import pytest

from mesokit import cli, dataset, evaluation, files, lesson, reproduce
from mesokit.commands import train
from mesokit.lesson import data as lesson_data

ROOT = Path(__file__).parent.parent
LACKS = {  # layout -> what it lacks
    "complete": set(),
    "one level": {"levels"},
    "no masks": {"masks"},
    "one class": {"levels"},
    "celebdf": {"masks", "levels"},
    "dfdc": {"masks", "levels"},
    "folder": {"masks", "levels", "pairs", "groups"},
    "authors": {"masks", "levels", "pairs", "clips", "landmarks"},
}
WORDS = ("masks", "clips", "landmarks", "levels", "training", "groups", "pairs")


@pytest.fixture(scope="module")
def built(tiny, tmp_path_factory):
    """Layout -> its dataset folder, built once."""
    made = {}

    def of(layout):
        if layout not in made:
            made[layout] = layouts.build(layout, tiny, tmp_path_factory.mktemp(layout.replace(" ", "_")))
        return made[layout]

    return of


@pytest.mark.parametrize("layout", LACKS)
def test_a_dataset_tells_what_it_lacks(built, layout):
    ds = dataset.open(built(layout))
    assert {word for word in WORDS if ds.lacks(word)} == LACKS[layout]
    assert all(ds.lacks(word).startswith(f"{ds.name}: ") for word in LACKS[layout])
    with pytest.raises(ValueError, match="'frames': a dataset can lack masks, clips"):
        ds.lacks("frames")


def test_what_is_in_a_dataset(built):
    ds = dataset.open(built("complete"))
    assert (ds.name, ds.methods, ds.levels) == ("faceforensics", ["deepfake", "face2face"], [0, 23, 40])
    assert ds.sentence() == ("faceforensics: 162 faces of 18 clips; deepfake, face2face; CRF 0, CRF 23, CRF 40; masks")
    assert ds.summary().loc[("real", "test")].tolist() == [2, 18, 2]
    assert ds.choose("face2face", 40) == ("face2face", 40)
    with pytest.raises(ValueError, match=r"crf = 30: faceforensics has no such faces; set crf to one of: 0, 23, 40"):
        ds.choose("face2face", 30)
    with pytest.raises(ValueError, match="set method to one of: deepfake, face2face"):
        ds.choose("dfdc", 0)


def test_where_there_is_one_forgery_or_level_it_is_taken(built):
    assert dataset.open(built("dfdc")).choose("deepfake", 23) == ("dfdc", dataset.UNKNOWN)
    assert dataset.open(built("one level")).choose("deepfake", 40) == ("deepfake", 23)


def test_rows_name_the_split_without_a_class(built):
    ds = dataset.open(built("one class"))
    assert len(ds.rows("deepfake", 0, ["train", "val"])) == 6 * 5
    with pytest.raises(
        ValueError, match=r"test has no real faces for deepfake at CRF 0; faces there are: .*6 deepfake in test"
    ):
        ds.rows("deepfake", 0, ["train", "test"])
    with pytest.raises(ValueError, match=r"test has no forged \(dfdc\) faces"):
        dataset.open(built("complete")).rows("dfdc", None, ["test"])


def test_faces_without_clips_are_clips_of_their_own(built):
    ds = dataset.open(built("authors"))
    assert (ds.faces["clip"] == ds.faces["face"]).all() and (ds.faces["frame"] == 0).all()
    assert ds.clips.empty and ds.clip_folder is None
    assert "intervals are too narrow" in ds.notes[0] and "CRF -1" in ds.notes[1]


def test_pairs_show_one_moment(built):
    rows = dataset.pairs(dataset.open(built("complete")).rows("deepfake", 0))
    assert len(rows) == 6 * 3
    assert (rows["label"] == "real").all() and (rows["label_b"] == "forged").all()
    celeb = dataset.pairs(dataset.open(built("celebdf")).faces)
    assert len(celeb) == 6 * 3 and (celeb["clip"] != celeb["clip_b"]).all()
    alone = dataset.open(built("folder"))
    assert dataset.pairs(alone.faces).empty
    real, forged = alone.examples(alone.faces, 4)
    assert list(real["label"]) == ["real"] * 4 and list(forged["label"]) == ["forged"] * 4
    assert real["clip"].is_unique and forged["clip"].is_unique


def test_the_same_person_is_paired_where_a_clip_shows_two():
    """Ann (left) and Bob (right) are in both clips, but Bob is seen longest in the forged one and is its person 0."""

    def face(clip, frame, person, x, label):
        box = {"box_x": x, "box_y": 50.0, "box_w": 40.0, "box_h": 40.0}
        name = f"{clip}_{frame}_{person}"
        return {"face": name, "clip": clip, "frame": frame, "person": person, "label": label, "crf": 23, **box}

    rows = [
        face("real", 1, 0, 100.0, "real"),  # Ann
        face("real", 1, 1, 300.0, "real"),  # Bob
        face("forged", 1, 0, 305.0, "forged"),  # Bob
        face("forged", 1, 1, 98.0, "forged"),  # Ann
        face("real", 2, 0, 110.0, "real"),  # Ann alone ...
        face("forged", 2, 0, 306.0, "forged"),  # ... and Bob alone, 196 pixels away: another person
        face("real", 3, 0, 120.0, "real"),  # Ann
        face("forged", 3, 1, 121.0, "forged"),  # Ann
        face("forged", 3, 2, 150.0, "forged"),  # somebody whose box overlaps Ann's, but whose own is not there
    ]
    table = pd.DataFrame(rows).assign(group="g", identity="id")
    found = dataset.pairs(table)
    assert found[["face", "face_b"]].to_numpy().tolist() == [
        ["real_1_0", "forged_1_1"],
        ["real_1_1", "forged_1_0"],
        ["real_3_0", "forged_3_1"],
    ]
    one = table[table["person"] == 0].assign(crf=pd.NA, box_x=0.0)
    assert len(dataset.pairs(one)) == 2, "with one person in each clip the frame is enough"
    assert dataset.pairs(table[table["label"] == "real"]).empty


def test_examples_are_pairs_of_different_people(built):
    ds = dataset.open(built("complete"))
    real, forged = ds.examples(ds.rows("face2face", 23), 3)
    assert list(real["identity"]) == list(forged["identity"]) and real["identity"].is_unique
    assert list(real["frame"]) == list(forged["frame"])
    assert set(forged["method"]) == {"face2face"}


@pytest.fixture
def made():
    """Eight groups, each with a real clip and its Deepfake, six of them of train; four faces of each clip, no masks."""
    rows = [
        {
            "face": f"{group}{method}{frame}", "clip": f"{group}_{method}", "frame": frame, "method": method, "crf": 23,
            "label": "real" if method == "real" else "forged", "identity": group, "group": group, "mask": pd.NA,
            "split": ("train", "val", "test")[max(0, i - 5)], "nose_x": 1.0, "person": 0,
        }
        for i, group in enumerate("abcdefgh") for method in ("real", "deepfake") for frame in range(4)
    ]  # fmt: skip
    return dataset.Dataset(Path("made"), {"name": "films"}, pd.DataFrame(rows), pd.DataFrame(), None, ())


def test_a_dataset_in_words(made):
    assert made.sentence() == "films: 64 faces of 16 clips; deepfake; CRF 23"
    masked = replace(made, faces=made.faces.assign(mask="m.png"))
    assert masked.sentence() == "films: 64 faces of 16 clips; deepfake; CRF 23; masks"
    assert replace(made, about={}).name == "made"
    assert made.summary().loc[("deepfake", "train")].tolist() == [6, 24, 6]
    assert made.lacks("clips") == "films: the clips are not there"


def test_what_a_dataset_must_have_to_train_to_pair_and_to_group(made):
    assert not any(made.lacks(word) for word in ("training", "groups", "landmarks"))
    assert made.lacks("levels") and not replace(made, faces=made.faces.assign(crf=made.faces["frame"])).lacks("levels")
    no_forged_val = made.faces[~((made.faces["split"] == "val") & (made.faces["label"] == "forged"))]
    assert replace(made, faces=no_forged_val).lacks("training")
    assert replace(made, faces=made.faces.query("split == 'val'")).lacks("training")
    assert replace(made, faces=made.faces.query("group == 'a' or label == 'real'")).lacks("groups")
    assert not replace(made, faces=made.faces.query("group in ['a', 'b']")).lacks("groups")


def test_of_six_groups_every_second_and_of_four_frames_every_second(made):
    """Of train 3 of 6 clips of a method, of val and test the one that is there; frames 1 and 3 of 0 to 3."""
    few = made.thinned(2, clips=3)
    assert sorted(few.faces["group"].unique()) == ["b", "d", "f", "g", "h"]
    assert few.faces.groupby("clip")["frame"].agg(list).tolist() == [[1, 3]] * 10
    assert [*few.faces.columns] == [*made.faces.columns] and [*few.faces.index] == [*range(20)]
    assert few.notes == (
        "20 of 64 faces are used: at most 2 of each clip and level, and about 3 clips of each split and method.",
    )
    assert made.thinned(4) is made and made.thinned(4, clips=6) is made
    assert len(made.thinned(1, clips=1).faces) == 2 * 3  # at least one group of each split


def test_thinned_takes_frames_evenly_and_groups_whole(built):
    ds = dataset.open(built("complete"))
    assert ds.thinned(3) is ds
    two = ds.thinned(2)
    assert set(two.faces.groupby(["clip", "crf"]).size()) == {2}
    one = ds.thinned(1)
    assert one.notes[-1] == "54 of 162 faces are used: at most 1 of each clip and level."
    few = ds.thinned(3, clips=1)  # a pair is one group of two clips of each method, and stays whole
    assert few.faces["clip"].nunique() == 18
    celeb = dataset.open(built("celebdf")).thinned(3, clips=1)
    assert set(celeb.faces.groupby(["split", "method"])["clip"].nunique()) == {1}
    assert "about 1 clips of each split and method" in celeb.notes[-1]


def test_the_clips_of_the_tour_come_from_their_own_folder(built, tmp_path, capsys):
    ds = dataset.open(built("complete"))
    test = ds.rows("deepfake", 23).query("split == 'test'")
    # p_real of the real face less that of the forged one: .8 of 004 and .4 of 005, the upper of the two in the middle.
    p_real = {("004", "real"): 0.9, ("004", "deepfake"): 0.1, ("005", "real"): 0.7, ("005", "deepfake"): 0.3}
    scores = test.assign(p_real=[p_real[row.identity, row.method] for row in test.itertuples()])
    train._tour(ds.folder, scores, "deepfake", tmp_path)
    tree = ds.folder.parent / "tree"
    for name, clip in (
        ("real", "original_sequences/youtube/c23/videos/004.mp4"),
        ("forged", "manipulated_sequences/Deepfakes/c23/videos/004_005.mp4"),
    ):
        assert (tmp_path / f"tour_{name}.mp4").read_bytes() == (tree / clip).read_bytes()
    (tmp_path / "moved").mkdir()
    for name in ("faces.csv", "clips.csv", "dataset.json"):
        (tmp_path / "moved" / name).write_bytes((ds.folder / name).read_bytes())
    assert cli.main(["train", str(tmp_path / "moved"), "--tour", "--out", str(tmp_path / "out")]) == 2
    assert "--tour: faceforensics: the clips are not there; name their folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_clips_are_found_where_they_were_or_where_told(built, tmp_path):
    out = built("celebdf")
    ds = dataset.open(out)
    assert json.loads((out / "dataset.json").read_text())["clips"] == "../tree"
    assert (ds.clip_folder / ds.clips["path"].iloc[0]).is_file()
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("faces.csv", "clips.csv", "dataset.json"):
        (moved / name).write_bytes((out / name).read_bytes())
    lost = dataset.open(moved)
    assert lost.clip_folder is None and lost.lacks("clips")
    assert "The clips are not in" in lost.notes[-1]
    assert dataset.open(moved, clips=out.parent / "tree").clip_folder == out.parent / "tree"
    with pytest.raises(ValueError, match=r"the clip .*mp4 of .*clips.csv is not there"):
        dataset.open(moved, clips=tmp_path)


def test_a_folder_without_a_dataset_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no dataset in this folder; build one"):
        dataset.open(tmp_path)


def test_ready_makes_nothing_where_the_name_is_wrong(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no preset is called so \(did you mean 'smoke'\?\)"):
        lesson.ready("smok", tmp_path, 2)
    with pytest.raises(FileNotFoundError, match="there is no dataset in this folder"):
        (tmp_path / "empty").mkdir()
        lesson.ready("empty", tmp_path, 2)
    mine = tmp_path / "work" / "smoke"
    files.write(mine / "holiday.mp4", b"mine")
    with pytest.raises(ValueError, match="it holds other files, so no data are made there"):
        lesson.ready("smoke", tmp_path / "work", 2)
    other = tmp_path / "other"
    other.mkdir()
    (other / "smoke").symlink_to(tiny, target_is_directory=True)
    with pytest.raises(ValueError, match="it holds tiny, not the data of 'smoke'|made otherwise"):
        lesson.ready("smoke", other, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "other", "work"]
    assert [path.name for path in mine.iterdir()] == ["holiday.mp4"]


@pytest.mark.slow
def test_a_notebook_waits_for_the_data_that_another_one_makes(tiny, tmp_path, capsys):
    root, later = tmp_path / "tiny", tmp_path / "later.json"
    shutil.copytree(tiny, root)
    (root / "dataset.json").rename(later)  # the other one is about to write it
    with ThreadPoolExecutor(1) as pool:
        with filelock.FileLock(tmp_path / ".tiny.lock"):
            waiting = pool.submit(lesson.ready, "tiny", tmp_path, 3)
            printed = ""
            while "another notebook makes these data now" not in printed and not waiting.done():
                printed += capsys.readouterr().out
            later.rename(root / "dataset.json")
            assert not waiting.done()
        assert waiting.result().name == "tiny"
    assert "another notebook makes these data now" in printed


def test_a_cell_that_needs_what_is_not_there_prints_the_reason(built, tmp_path, capsys):
    lesson.ready(str(built("dfdc")), tmp_path, 3)
    assert capsys.readouterr().out.startswith("dfdc: 36 faces of 12 clips; dfdc; unknown compression\n")
    cell = ["# needs: clips, masks\n", "plots.faces(masks)\n"]
    assert lesson_data.skipped(cell) == ["print('Skipped. dfdc: there are no masks of the tampered region.')\n"]
    assert lesson_data.skipped(["# needs: clips\n", "x\n"]) == ["# needs: clips\n", "x\n"]
    lesson.leave_out("clips", "they are too long")
    assert lesson_data.skipped(["# needs: clips\n", "x\n"]) == ["print('Skipped. they are too long.')\n"]
    assert lesson_data.skipped([]) == []


def test_cells_need_only_what_a_dataset_can_lack():
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if needs := re.match(r"# needs: (.+)", source):
                assert cell["cell_type"] == "code"
                known = {*WORDS, "scores of deepfake", "scores of face2face"}  # the last two: `lesson.known_scores`
                assert {word.strip() for word in needs[1].split(",")} <= known, (path.name, source)


def test_the_paper_of_a_level_stands_beside_that_level(built, tmp_path, capsys):
    """Results on FaceForensics++ at CRF 23 and 40: 03 shows the paper's numbers of these two, and of no other level."""
    ds = dataset.open(built("complete"))
    for crf in (23, 40):
        rows = ds.rows("face2face", crf, ["test"]).query("split == 'test'")
        scores = rows.assign(p_real=(rows["label"] == "real").astype(float) * (crf == 23))
        evaluation.save_scores(scores, tmp_path / "scores" / f"meso4-face2face-crf{crf}-seed0.csv")
        files.write_json({"data": ds.about}, tmp_path / "weights" / f"meso4-face2face-crf{crf}-seed0.json")
    stored = lesson.known_scores(str(tmp_path))
    assert f"{tmp_path}: test scores of faceforensics by meso4" in capsys.readouterr().out
    for crf in (0, 23, 40):
        lesson.accuracy("meso4", "face2face", "frames", crf, lesson.scores_of(stored, "meso4", "face2face", crf))
    zero, usual, high = capsys.readouterr().out.splitlines()
    assert zero.startswith("Meso-4 on Face2Face, CRF 0: accuracy, frames: paper 0.946, here not measured")
    assert usual.startswith("Meso-4 on Face2Face, CRF 23: accuracy, frames: paper 0.924, here 1 (")
    assert high.startswith("Meso-4 on Face2Face, CRF 40: accuracy, frames: paper 0.832, here 0.5 (")
    assert "clips of FaceForensics++, whose first edition the paper used" in usual
    shown = reproduce.beside_paper(stored, "frames")
    assert shown[["CRF", "paper", "ours"]].to_numpy().tolist() == [["23", "0.924", "1.000"], ["40", "0.832", "0.500"]]


STOPPED = "test has no real faces for deepfake"
SKIPPED = {  # a part of the sentence that each layout must show in a notebook
    "one level": {"03_compression_levels": "one level of compression only"},
    "no masks": {"02_training": "no masks", "07_mean_activations": "no masks"},
    "celebdf": {"03_compression_levels": "one level of compression only"},
    "dfdc": {"07_mean_activations": "no masks"},
    "folder": {"05_filter_visualization": "no forged frame", "07_mean_activations": "fewer than two groups"},
    "authors": {"04_image_aggregation": "the clips are not there", "08_where_it_fails": "the clips are not there"},
}


@pytest.fixture(scope="module")
def runs(built, tmp_path_factory):
    """Layout -> {notebook: [error, skipped sentences, results of checks]}, two layouts at a time, a core each.

    And "student": the edition for students on the complete layout, its exercises open and then answered wrongly.
    """
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "PLOTLY_RENDERER": "json", "OMP_NUM_THREADS": "1"}

    def run(layout):
        work = tmp_path_factory.mktemp("work")
        program = [sys.executable, str(ROOT / "tests" / "run_notebooks.py"), *folders[layout][:1], str(work)]
        program += folders[layout][1:]
        done = subprocess.run(program, capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])

    edition = tmp_path_factory.mktemp("edition")
    assert cli.main(["lab", str(edition), "--prepare-only"]) == 0
    folders = {layout: [str(built(layout))] for layout in LACKS}
    folders["student"] = [*folders["complete"], str(edition / "notebooks")]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(folders, pool.map(run, folders), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("layout", LACKS)
def test_all_notebooks_run_on_each_layout(runs, layout):
    found = runs[layout]
    assert len(found) == 9
    errors = {name: error for name, (error, *_) in found.items() if error}
    if layout == "one class":  # the sentence comes at the first cell that needs the test faces
        assert {"00_tour", "01_dataset_construction", "06_activation_maximization"}.isdisjoint(errors)
        assert errors and all(STOPPED in error for error in errors.values())
    else:
        assert errors == {}
    for name, part in SKIPPED.get(layout, {}).items():
        assert any(part in sentence for sentence in found[name][1]), (name, found[name][1])
    if layout == "complete":  # of its test people there is one group only, and 07 tests groups
        assert {name for name, (_, skips, _) in found.items() if skips} == {"07_mean_activations"}
        assert all("fewer than two groups of test" in sentence for sentence in found["07_mean_activations"][1])


@pytest.mark.slow
def test_the_student_edition_runs_to_its_end_with_open_and_with_wrong_answers(runs):
    """Each exercise is run as it is handed out, then with -1 as its answer; with its solution in the other runs."""
    solved, student = runs["complete"], runs["student"]
    assert {name: error for name, (error, *_) in student.items() if error} == {}
    for name, (_, skips, checks) in student.items():
        assert skips == solved[name][1]
        empty, answered = checks[::2], checks[1::2]
        assert len(empty) == len(answered) == len(solved[name][2]) >= 3, name
        assert all(not passed and message.startswith("Nothing to check yet") for passed, message in empty)
        assert all(not passed and message.startswith("Not yet: ") for passed, message in answered), answered
        assert all(passed for passed, _ in solved[name][2]), solved[name][2]
