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


def _bytes(table, encoding="utf-8", sep=",", end="\r\n"):
    return table.to_csv(index=False, sep=sep, lineterminator=end).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_tables_that_a_spreadsheet_saved_are_read(tmp_path, encoding, end):
    path = tmp_path / "clips.csv"
    rows = pd.DataFrame([CLIP, {**CLIP, "crf": "", "method": "Žlutý"}])
    path.write_bytes(_bytes(rows, encoding, end=end))
    clips = manifest.read_clips(path)
    assert clips["clip"].tolist() == ["a_real", "a_real"] and clips["method"].tolist() == ["real", "Žlutý"]
    empty = rows.assign(**{"": "", " ": ""}).rename(columns={" ": ""})  # two empty columns, and then an empty row
    path.write_bytes(_bytes(empty, encoding, end=end) + ("," * 16 + end).encode(encoding.removesuffix("-sig"))[-34:])
    assert manifest.read_clips(path).equals(clips)


FACE = {"face": "a", "path": "a.png", "keep": "TRUE", "label": "real", "method": "real", "identity": "a", "group": "g",
        "split": "test"}  # fmt: skip


@pytest.mark.parametrize("words", [("TRUE", "FALSE"), ("true", "false"), ("True", "False")])
def test_flags_of_spreadsheets(tmp_path, words):
    rows = pd.DataFrame([{**FACE, "keep": words[0]}, {**FACE, "face": "b", "keep": words[1]}])
    path = tmp_path / "faces.csv"
    path.write_bytes(_bytes(rows.reindex(columns=list(manifest.FACES)), "utf-8-sig"))
    assert manifest.is_face_table(path)
    assert manifest.read_faces(path)["keep"].tolist() == [True, False]
    quoted = ('"' + '","'.join(manifest.FACES) + '"').encode("utf-8-sig")
    path.write_bytes(quoted + path.read_bytes()[path.read_bytes().index(b"\r\n") :])
    assert manifest.is_face_table(path) and len(manifest.read_faces(path)) == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_bytes(pd.DataFrame([CLIP]), sep=";"), "its columns are separated by semicolons; save it with commas"),
        (_bytes(pd.DataFrame([{**CLIP, "fps": "25,0"}]), "utf-8-sig", ";"), "are separated by semicolons"),
        (_bytes(pd.DataFrame([CLIP]), "utf-16", "\t"), "its columns are separated by tabs"),
        (_bytes(pd.DataFrame([{**CLIP, "fps": "29,97"}])), "fps should hold numbers, with a point for the decimals"),
        (_bytes(pd.DataFrame([{**CLIP, "method": "Žlutý"}]), "cp1250"), "not a CSV table in UTF-8 .*as CSV UTF-8"),
        (b"PK\x03\x04" + bytes(range(256)), "not a CSV table: it is a zip archive that is cut short"),
        (b"\x89HDF\r\n\x1a\n" + bytes(range(256)), "not a CSV table: it is an HDF5 file"),
        (b"\0\0\0\x18ftypisom" + bytes(range(256)), "not a CSV table: it is a video"),
    ],
)
def test_what_a_spreadsheet_did_is_named(tmp_path, data, words):
    path = tmp_path / "clips.csv"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=words) as caught:
        manifest.read_clips(path)
    assert str(path) in str(caught.value)


def test_a_folder_a_link_and_a_web_address_are_no_tables(tmp_path):
    (tmp_path / "link.csv").symlink_to("gone.csv")
    for path, words in (
        (tmp_path, "no such table: it is a folder; give the table in it"),
        (tmp_path / "link.csv", "no such table: a link to gone.csv"),
        ("https://example.org/clips.csv", "no such table: a web address"),
    ):
        with pytest.raises(FileNotFoundError, match=words):
            manifest.read_clips(path)


def test_a_folder_that_has_none_of_the_files_asks_for_root(tmp_path):
    clips = manifest.read_clips(_write(tmp_path / "clips.csv", CLIP, {**CLIP, "crf": "", "path": "clips/b.mp4"}))
    with pytest.raises(ValueError, match=r"lists/clips/a\.mp4: no such file, nor are the other 1; .* with --root$"):
        manifest.check_there(clips, tmp_path / "lists")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").touch()
    with pytest.raises(ValueError, match=f"with --root; it is in --root {tmp_path}$"):
        manifest.check_there(clips, tmp_path / "lists")
    manifest.check_there(clips, tmp_path)  # one of two is enough: the other one is a failure of its own


def test_a_face_is_of_the_person_that_the_table_names_or_of_the_only_one(tmp_path):
    two = pd.DataFrame([FACE, {**FACE, "face": "b"}]).reindex(columns=list(manifest.FACES)).assign(person=[1, 0])
    two.to_csv(tmp_path / "faces.csv", index=False)
    assert manifest.read_faces(tmp_path / "faces.csv")["person"].tolist() == [1, 0]
    two.drop(columns="person").to_csv(tmp_path / "faces.csv", index=False)  # of an older version
    assert manifest.read_faces(tmp_path / "faces.csv")["person"].tolist() == [0, 0]
