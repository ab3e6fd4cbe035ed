"""Reproduce: planned, resumed and summed up right; the numbers of a hand-made table of scores."""

import json

import numpy as np
import pandas as pd
import pytest

from mesokit import dataset, evaluation, reproduce, training
from mesokit.reproduce import jobs, tables


def _scores(folder, name, rows):
    """rows: (clip, label, method, split, p_real of its frames)."""
    made = [
        {"clip": clip, "crf": 23, "frame": i, "label": label, "method": method, "identity": clip, "group": clip,
         "split": split, "p_real": p}
        for clip, label, method, split, each in rows
        for i, p in enumerate(each)
    ]  # fmt: skip
    (folder / "scores").mkdir(exist_ok=True, parents=True)
    pd.DataFrame(made).to_csv(folder / "scores" / f"{name}.csv", index=False)


def _printed(folder):
    scores = evaluation.read_scores(folder)
    return tables.as_printed(scores, tables.measured(scores))


@pytest.fixture
def out(tmp_path):
    real = [("r1", "real", "real", "test", [0.9, 0.8, 0.2]), ("r2", "real", "real", "test", [0.7, 0.4, 0.9])]
    forged = [
        ("f1", "forged", "deepfake", "test", [0.1, 0.1, 0.6]),
        ("f2", "forged", "deepfake", "test", [0.6, 0.7, 0.9]),
    ]
    val = [("v1", "real", "real", "val", [0.8]), ("v2", "forged", "deepfake", "val", [0.7])]
    _scores(tmp_path, "meso4-deepfake-crf23-seed0", real + forged + val)
    perfect = [(*row[:4], [1.0 if row[1] == "real" else 0.0] * 3) for row in real + forged]
    _scores(tmp_path, "meso4-deepfake-crf23-seed1", perfect + val)
    return tmp_path


def test_the_numbers_by_hand(out):
    found = tables.measured(evaluation.read_scores(out)).set_index("unit")
    frames, clips = found.loc["frames"], found.loc["clips"]
    assert frames["accuracy"] == pytest.approx((6 / 12 + 1) / 2)  # of seed 0: 4 of 6 real, 2 of 6 forged
    assert (frames["lowest"], frames["highest"], frames["seeds"], frames["clips"]) == (0.5, 1.0, 2, 4)
    assert clips["accuracy"] == pytest.approx((3 / 4 + 1) / 2)  # only f2 is judged wrong
    assert frames["of_real"] == pytest.approx((4 / 6 + 1) / 2)
    assert frames["threshold"] == pytest.approx(0.75)  # half-way between the two validation scores
    assert frames["accuracy_chosen"] == pytest.approx((8 / 12 + 1) / 2)
    assert (frames["paper"], clips["paper"]) == (0.891, 0.969)
    assert frames["low"] <= frames["accuracy"] <= frames["high"]


def test_tables_are_written_and_escaped(out):
    _scores(out, "meso4-<b>-crf23-seed0", [("a", "real", "real", "test", [0.9]), ("b", "forged", "<b>", "test", [0.2])])
    names = [path.name for path in reproduce.write(out)]
    assert names == ["tables.csv", "tables.md", "tables.html"]
    page = (out / "tables.html").read_text()
    assert "0.891" in page and "paper, table 2" in page and "<b>" not in page
    assert "| Meso-4 | Deepfake | 23 | 0.891 | 0.750 | 0." in (out / "tables.md").read_text()
    assert "Trained on one forgery" in page


def test_columns_without_a_value_are_left_out(out):
    own = [("a", "real", "real", "test", [0.9]), ("b", "forged", "dfdc", "test", [0.2])]
    _scores(out, "meso4-dfdc-crf23-seed0", own)
    shown = _printed(out)
    other = shown["Other forgeries, each frame by itself"]
    # The paper has no such forgery, there are no validation people, and one seed has no spread.
    gone = {"paper", "best threshold", "ours at it", "lowest to highest seed", "trained at CRF"}
    assert gone & {*other} == set() and other["clips"].tolist() == [2]
    clips = shown["Clips: the mean over their frames (paper, table 4)"].set_index("forgery")
    assert clips["paper"].to_dict() == {"Deepfake": "0.969", "dfdc": ""}


def test_the_papers_number_stands_beside_its_own_level_only(out):
    for level in (0, 40):
        _scores(out, f"meso4-face2face-crf{level}-seed0", [("a", "forged", "face2face", "test", [0.2])])
    both = evaluation.read_scores(out)
    both.loc[both["learnt"] == "face2face", "crf"] = both["level"].map({"0": 0, "40": 40})
    both = both[both["learnt"] == "face2face"]
    shown = tables.beside_paper(both, "frames")
    assert shown[["CRF", "paper"]].to_numpy().tolist() == [["0", "0.946"], ["40", "0.832"]]
    apart = tables.beside_paper(both.assign(crf=23), "frames")  # tested where they were not trained
    assert apart["trained at CRF"].tolist() == ["0", "40"] and "paper" not in apart


def test_rules_are_those_of_each_clip(out):
    (row,) = tables.by_rule(evaluation.read_scores(out)).to_dict("records")
    # Seed 0: r1 .63, r2 .67, f1 .27, f2 .73 by the mean; medians .8, .7, .1, .7. Only f2 is wrong.
    assert (row["network"], row["mean"], row["median"]) == ("Meso-4", "0.875", "0.875")


def test_other_datasets_stand_in_a_matrix(out):
    other = [("x", "real", "real", "test", [0.1]), ("y", "forged", "deepfake", "test", [0.1])]
    _scores(out, "meso4-deepfake-crf23-seed0@celebdf", other)
    shown = _printed(out)
    matrix = shown["Trained here, tested on another dataset (columns): accuracy per frame"]
    assert matrix[["its own", "celebdf"]].to_numpy().tolist() == [["0.750", "0.500"]]


def test_no_scores_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="there are no scores in it; give the folder that mesokit reproduce wrote"):
        reproduce.write(tmp_path)


def _faces(**changes):
    rows = [
        {"method": method, "label": "real" if method == "real" else "forged", "crf": crf, "split": split}
        for method in ("real", "deepfake", "face2face")
        for crf in (0, 23)
        for split in ("train", "val", "test")
    ]
    return pd.DataFrame(rows).astype({"crf": "Int64"}).assign(**changes)


def test_the_plan_is_every_combination_seed_by_seed():
    planned = reproduce.plan(_faces(), ["meso4", "xception"], seeds=[0, 1])
    assert len(planned) == len(set(planned)) == 2 * 2 * 2 * 2
    assert [job.seed for job in planned] == [0] * 8 + [1] * 8
    assert planned[0].name == "meso4-deepfake-crf0-seed0"
    (unknown,) = reproduce.plan(_faces(crf=pd.NA), ["meso4"], ["deepfake"])
    assert unknown.name == "meso4-deepfake-crfunknown-seed0"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"networks": ["resnet"]}, "--networks resnet: there is none; there are meso4, meso_inception4, xception"),
        ({"methods": ["faceswap"]}, "--methods faceswap: there is none; there are deepfake, face2face"),
        ({"levels": [40]}, "--levels 40: there is none; there are 0, 23"),
    ],
)
def test_what_is_not_there_is_named(asked, told):
    with pytest.raises(ValueError, match=told):
        reproduce.plan(_faces(), **{"networks": ["meso4"], **asked})


def test_a_split_without_one_class_is_named():
    faces = _faces()
    with pytest.raises(ValueError, match="meso4-deepfake-crf0-seed0: the split val has no real faces"):
        reproduce.plan(faces[~((faces["split"] == "val") & (faces["label"] == "real"))], ["meso4"])


@pytest.fixture
def quick(monkeypatch):
    """Trainings of two batches, and how many there were."""
    recipe = training.Recipe(iterations=2, batch=4, check_every=1, augmentation=None)
    monkeypatch.setitem(training.RECIPES, "quick", recipe)
    calls, fit = [], training.fit
    monkeypatch.setattr(jobs.training, "fit", lambda *args, **named: calls.append(1) or fit(*args, **named))
    return calls


def test_a_run_is_resumed_and_refuses_other_data(tiny, tmp_path, quick):
    faces = dataset.read(tiny)
    planned = reproduce.plan(faces, ["meso4"], ["deepfake", "face2face"], [40])
    first = list(reproduce.run(planned[:1], faces, tiny, tmp_path, "quick", verbose=0))
    assert len(first) == len(quick) == 1 and first[0][1] > 0
    again = list(reproduce.run(planned, faces, tiny, tmp_path, "quick", others=[tiny], verbose=0))
    assert len(quick) == 2, "the first job is not trained again; it only scores the other dataset"
    assert len(again) == 2
    assert [
        seconds for _, seconds in reproduce.run(planned, faces, tiny, tmp_path, "quick", others=[tiny], verbose=0)
    ] == [
        0,
        0,
    ]
    card = json.loads((tmp_path / "weights" / f"{planned[0].name}.json").read_text())
    assert (card["network"], card["crf"], card["seed"], card["recipe"]["iterations"]) == ("meso4", 40, 0, 2)
    scores = pd.read_csv(tmp_path / "scores" / f"{planned[0].name}.csv")
    assert set(scores["split"]) == {"val", "test"} and set(scores["method"]) == {"real", "deepfake", "face2face"}
    assert np.isfinite(scores["p_real"]).all()
    assert len(reproduce.write(tmp_path)) == 3
    other = reproduce.plan(faces, ["meso4"], ["deepfake"], [0])  # a job that is not there yet would be mixed in, too
    with pytest.raises(ValueError, match="done with another recipe; name another folder with --out"):
        list(reproduce.run(other, faces, tiny, tmp_path, "quick", iterations=4, verbose=0))
    with pytest.raises(ValueError, match="two datasets are called"):
        list(reproduce.run(planned, faces, tiny, tmp_path, "quick", others=[tiny, tmp_path / ".." / tiny.name]))


def test_the_command_writes_the_tables(tiny, tmp_path, quick, capsys):
    from mesokit import cli

    asked = ["reproduce", str(tiny), "--networks", "meso4", "--methods", "deepfake", "--levels", "40", "--seeds", "0"]
    asked += ["--recipe", "quick", "--out", str(tmp_path / "out")]
    assert cli.main([*asked, "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("meso4-deepfake-crf40-seed0\n") and not (tmp_path / "out").exists()
    assert cli.main(asked) == 0
    assert "1 of 1: meso4-deepfake-crf40-seed0" in capsys.readouterr().out
    assert (tmp_path / "out" / "tables.html").is_file()
    assert cli.main([*asked[:-3], "none"]) == 2
    assert "--recipe none: there is none; there are" in capsys.readouterr().err


def test_the_name_of_a_preset_is_its_data(tiny, tmp_path, quick, capsys, monkeypatch):
    from mesokit import cli

    monkeypatch.chdir(tmp_path)
    asked = ["reproduce", "tiny", "--networks", "meso4", "--methods", "face2face", "--levels", "40", "--seeds", "0"]
    asked += ["--recipe", "quick"]
    assert cli.main([*asked, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "the data of tiny will be made first" in told and "1 trainings: about" in told
    assert not any(tmp_path.iterdir()), "a dry run makes nothing"
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "tiny").symlink_to(tiny, target_is_directory=True)
    assert cli.main([*asked, "--dry-run"]) == 0 and "made first" not in capsys.readouterr().out
    assert cli.main(asked) == 0
    page = (tmp_path / "reproduced" / "tables.html").read_text()
    assert "Data: tiny." in page and "0.832" in page, "the paper's accuracy at CRF 40"


def test_the_package_is_never_written_to(tiny):
    from mesokit import weights

    with pytest.raises(ValueError, match="the package's own folder"):
        list(reproduce.run([], _faces(), tiny, weights.BUNDLED / "x", "smoke"))


@pytest.mark.slow
def test_the_estimate_counts_jobs():
    planned = reproduce.plan(_faces(), ["meso4"], seeds=[0, 1])
    recipe = training.Recipe(iterations=10, batch=2)
    assert list(reproduce.estimate(planned, recipe)) == ["meso4"]
    one = reproduce.estimate(planned[:1], recipe)["meso4"]
    assert one > 0
