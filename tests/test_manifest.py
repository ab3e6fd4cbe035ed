"""The two tables: what is accepted, what is refused and how."""

import pandas as pd
import pytest

from mesokit.dataset import manifest

CLIP = {
    "clip": "a_real", "path": "clips/a.mp4", "method": "real", "label": "real", "identity": "a", "source": "",
    "group": "g0", "split": "train", "crf": "23", "fps": "25", "frames": "10", "width": "64", "height": "48",
    "sha256": "", "mask": "",
}  # fmt: skip


def _write(path, *rows):
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_round_trip_keeps_bytes_and_types(tmp_path):
    path = _write(tmp_path / "clips.csv", CLIP, {**CLIP, "crf": "", "path": "clips/b.mp4"})
    clips = manifest.read_clips(path)
    assert clips["crf"].tolist() == [23, pd.NA]
    assert clips["frames"].tolist() == [10, 10]
    manifest.save(clips, tmp_path / "again.csv")
    manifest.save(manifest.read_clips(tmp_path / "again.csv"), tmp_path / "third.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "third.csv").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.csv", "clips.csv", "third.csv"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "fake"}, "the column label holds 'fake'; it may hold forged, real"),
        ({"split": "dev"}, "the column split holds 'dev'"),
        ({"path": "../secret.mp4"}, "leaves the dataset"),
        ({"path": "/etc/passwd"}, "leaves the dataset"),
        ({"path": "a\\..\\b.mp4"}, "leaves the dataset"),
        ({"mask": "../m.mp4"}, "leaves the dataset"),
        ({"clip": "a/b"}, "may hold letters, digits"),
        ({"clip": "<script>"}, "may hold letters, digits"),
        ({"group": ""}, "the column group is empty in row 1"),
        ({"frames": "many"}, "the column frames should hold whole numbers"),
        ({"crf": "99"}, "the column crf must lie between 0 and 51"),
    ],
)
def test_wrong_values_are_named(tmp_path, change, message):
    path = _write(tmp_path / "clips.csv", {**CLIP, **change})
    with pytest.raises(ValueError, match=message) as caught:
        manifest.read_clips(path)
    assert str(path) in str(caught.value)


def test_missing_column_duplicate_key_and_leak(tmp_path):
    short = {key: value for key, value in CLIP.items() if key not in ("group", "crf")}
    with pytest.raises(ValueError, match="the columns group, crf are missing"):
        manifest.read_clips(_write(tmp_path / "clips.csv", short))
    with pytest.raises(ValueError, match="two rows have the same clip and crf"):
        manifest.read_clips(_write(tmp_path / "clips.csv", CLIP, CLIP))
    with pytest.raises(ValueError, match="the group 'g0' is in two splits"):
        manifest.read_clips(_write(tmp_path / "clips.csv", CLIP, {**CLIP, "clip": "b", "split": "test"}))


def test_not_a_table(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such table"):
        manifest.read_clips(tmp_path / "absent.csv")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 4)
    for name in ("empty.csv", "binary.csv"):
        with pytest.raises(ValueError, match="not a CSV table"):
            manifest.read_clips(tmp_path / name)


def test_flags_are_true_or_false(tmp_path):
    values = pd.Series(["True", "yes"], name="keep", dtype="string")
    with pytest.raises(ValueError, match="the column keep should hold True or False"):
        manifest._typed(values, "boolean", tmp_path / "faces.csv")


def test_clip_keys_are_safe_and_distinct():
    assert manifest.clip_key("real_01.mp4") == "real_01"
    keys = {
        manifest.clip_key(name)
        for name in ("a/b.mp4", "a_b.mp4", "a b.mp4", "a:b.mp4", "\u00e4.mp4", "<b>.mp4", "a/b.avi")
    }
    assert len(keys) == 7
    clips = pd.DataFrame([{**CLIP, "clip": key} for key in keys]).replace("", pd.NA)
    manifest.check_clips(clips)


def test_split_by_group_leaks_nothing_and_fills_every_split():
    groups = pd.Series([f"g{i}" for i in range(10)]).repeat(3)
    split = manifest.split_by_group(groups, {"train": 0.6, "val": 0.2, "test": 0.2}, seed=1)
    assert split.groupby(groups).nunique().max() == 1
    assert split.value_counts().to_dict() == {"train": 18, "val": 6, "test": 6}
    assert split.equals(manifest.split_by_group(groups, {"train": 0.6, "val": 0.2, "test": 0.2}, seed=1))
    assert not split.equals(manifest.split_by_group(groups, {"train": 0.6, "val": 0.2, "test": 0.2}, seed=2))
    few = manifest.split_by_group(pd.Series(["a", "b", "c"]), {"train": 0.9, "val": 0.05, "test": 0.05}, seed=0)
    assert sorted(few) == ["test", "train", "val"]
    with pytest.raises(ValueError, match="give at least 3 groups"):
        manifest.split_by_group(pd.Series(["a", "b"]), {"train": 0.6, "val": 0.2, "test": 0.2}, seed=0)
