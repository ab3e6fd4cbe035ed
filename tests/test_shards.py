"""A dataset in shards is the same dataset: its tables, pictures, masks and batches, from a disk and from a URL."""

import json
import shutil
import struct
from collections import Counter

import cv2
import fsspec
import numpy as np
import pandas as pd
import pytest

from mesokit import cli, dataset, evaluation, files
from mesokit.backend import tf
from mesokit.dataset import loading, manifest, pictures, review, shards, tables

N = 48  # faces: 24 of train, in 8 clips of 3 at two levels; every clip of val and test is another person
SIZE = 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A dataset of pictures of one colour, 16 times the row number, so that a picture says which row it is of."""
    root = tmp_path_factory.mktemp("data") / "png"
    rows = []
    for i in range(N):
        clip, crf, split = (
            f"c{i // 6}",
            (0, 23)[i // 3 % 2],
            ("train", "train", "train", "train", "val", "test")[i // 6 % 6],
        )
        label = ("real", "forged")[i // 6 % 2]
        path = f"faces/{crf}/{split}/{label}/{clip}_f{i % 3:05d}.png"
        image = np.full((SIZE, SIZE, 3), 5 * i, np.uint8)
        cv2.putText(image, str(i), (20, 120), 0, 3, (255, 255, 255))
        pictures.write_png(root / path, image)
        mask = f"masks/{split}/{clip}_f{i % 3:05d}.png" if label == "forged" else pd.NA
        if label == "forged":
            pictures.write_png(root / mask, np.full((SIZE, SIZE), i // 6, np.uint8))
        numbers = {c: 1.0 for c in manifest.FACES if c[-2:] in ("_x", "_y", "_w", "_h")}
        rows.append({
            "face": f"{clip}_{crf}_{i % 3}", "clip": clip, "frame": i % 3, "time": 0.04 * (i % 3), "keyframe": False,
            **numbers, "confidence": 0.9, "sharpness": 10.0 + i, "path": path, "mask": mask, "keep": i != 7,
            "label": label, "method": label.replace("forged", "deepfake"), "identity": f"p{i // 6}",
            "group": f"g{i // 6}", "split": split, "crf": crf, "person": 0,
        })  # fmt: skip
    manifest.save(manifest.check_faces(pd.DataFrame(rows)), root / "faces.csv")
    hashes = {"faces.csv": files.sha256(root / "faces.csv")}
    files.write_json({"name": "colours", "clips": "../films", "sha256": hashes}, root / "dataset.json")
    return root


def _write(root, out, size=6000):
    return list(shards.write(root, out, size))


@pytest.fixture(scope="module")
def sharded(folder, tmp_path_factory):
    """The same in shards of about two faces."""
    out = tmp_path_factory.mktemp("shards") / "out"
    assert sum(_write(folder, out)) == N
    return out


def _same(one, other):
    """Whether two opened datasets have equal tables, but for the paths, and equal pictures and masks."""
    where = ["path", "mask"]
    pd.testing.assert_frame_equal(one.faces.drop(columns=where), other.faces.drop(columns=where))
    assert one.faces["mask"].notna().equals(other.faces["mask"].notna())
    masked = one.faces["mask"].notna()
    for rows, column in ((slice(None), "path"), (masked, "mask")):
        a, b = (dataset.images(each.faces[rows], each.folder, column) for each in (one, other))
        assert np.array_equal(a, b)


def test_the_same_dataset_in_a_folder_of_its_own(folder, sharded, tmp_path):
    shutil.copytree(sharded, tmp_path / "moved")
    _same(dataset.open(folder), dataset.open(tmp_path / "moved"))
    assert not list(sharded.rglob("*.png")) and not (sharded / ".pieces").exists()
    about = json.loads((sharded / "dataset.json").read_text())
    assert about["sha256"] == {name: files.sha256(sharded / name) for name in ("faces.parquet", "shards.csv")}
    assert (sharded / about["clips"]).resolve() == folder.parent / "films"


def test_the_table_of_clips_goes_along(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "png")
    (tmp_path / "png" / "clips.csv").write_text("clip\n", "utf-8")
    _write(tmp_path / "png", tmp_path / "out", 10**9)
    assert (tmp_path / "out" / "clips.csv").read_text("utf-8") == "clip\n"
    about = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert about["sha256"]["clips.csv"] == files.sha256(tmp_path / "out" / "clips.csv")
    assert about["name"] == "colours"


def test_two_calls_do_not_write_into_one_folder(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PATIENCE", 0.1)
    with tables.locked(tmp_path / "out"), pytest.raises(ValueError, match="another run is writing here"):
        _write(folder, tmp_path / "out")


def test_a_dataset_without_a_table_of_clips_has_nothing_to_note(folder):
    assert dataset.open(folder).notes == ()


def test_shards_hold_one_level_and_split_and_whole_clips_in_order(sharded):
    faces = manifest.read_faces(sharded / "faces.parquet")
    place = faces["path"].str.extract(pictures.PIECE.pattern)
    assert (
        place[0].str.replace(r"-\d+\.tfrecord", "", regex=True)
        == "shards/" + faces["crf"].astype(str) + "/" + faces["split"]
    ).all()
    listed = pd.read_csv(sharded / "shards.csv")
    assert listed["faces"].sum() == N and listed["path"].tolist() == sorted(place[0].unique())
    for row in listed.itertuples():
        assert (files.sha256(sharded / row.path), (sharded / row.path).stat().st_size) == (row.sha256, row.bytes)
    for _, rows in faces.assign(start=place[1].astype(int)).groupby(place[0]):
        by_place = rows.sort_values("start")
        assert (by_place.groupby("clip")["frame"].diff().dropna() == 1).all()
        assert by_place["clip"].ne(by_place["clip"].shift(fill_value="")).sum() == by_place["clip"].nunique()


def test_the_record_at_a_path_read_by_hand(sharded):
    """TFRecord: length (8 bytes), its checksum (4), data, checksum (4); the path points at the PNG file in the data."""
    faces = manifest.read_faces(sharded / "faces.parquet")
    name, start, size = pictures.PIECE.fullmatch(faces["path"].iloc[10]).groups()
    raw = (sharded / name).read_bytes()
    assert raw[int(start) :][:8] == b"\x89PNG\r\n\x1a\n" and raw[int(start) + int(size) - 8 :][:4] == b"IEND"
    at, records = 0, []
    while at < len(raw):
        (length,) = struct.unpack("<Q", raw[at : at + 8])
        records.append((at, at + length + 16))
        at += length + 16
    assert at == len(raw) and sum(a < int(start) and int(start) + int(size) < b for a, b in records) == 1


def test_any_program_that_reads_tfrecords_reads_them(sharded):
    text = tf.io.FixedLenFeature([], tf.string, "")
    known = {"face": text, "image": text, "label": tf.io.FixedLenFeature([], tf.int64), "mask": text}
    found = {}
    for record in tf.data.TFRecordDataset([str(path) for path in sorted(sharded.rglob("*.tfrecord"))]):
        one = tf.io.parse_single_example(record, known)
        found[one["face"].numpy().decode()] = one
    faces = manifest.read_faces(sharded / "faces.parquet")
    assert len(found) == N
    for row in faces.itertuples():
        one = found[row.face]
        assert one["image"].numpy() == pictures.contents(sharded, [row.path])[0]
        assert bool(one["mask"].numpy()) == (row.label == "forged") and one["label"] == int(row.label == "real")


def test_contents_of_pieces_and_files_in_any_order(folder, sharded):
    """One call for neighbours, another for a jump, a piece twice, and a file."""
    paths = manifest.read_faces(sharded / "faces.parquet")["path"].to_numpy(object)
    pngs = manifest.read_faces(folder / "faces.csv")["path"].to_numpy(object)
    for order in ([0, 1, 2], [2, 1, 0, 0], [40, 3, 4, 41]):
        assert pictures.contents(sharded, paths[order]) == pictures.contents(folder, pngs[order])


def _batches(root, batch, number, seed=3, **options):
    faces = dataset.read(root)
    train = faces[faces["split"] == "train"]
    data = loading.training_batches(train, root, batch, loading.Augmentation(), seed, **options).take(number)
    return [tuple(part.numpy() for part in pair) for pair in data]


@pytest.mark.slow
@pytest.mark.parametrize("kept", [1 << 29, 0], ids=["decoded faces in memory", "decoded each time"])
def test_batches_are_those_of_the_png_files(folder, sharded, monkeypatch, kept):
    monkeypatch.setattr(loading, "KEPT", kept)
    for (faces, labels), (again, labels_again) in zip(_batches(folder, 8, 7), _batches(sharded, 8, 7), strict=True):
        assert np.array_equal(faces, again) and np.array_equal(labels, labels_again)
    scores = [
        pd.concat(evaluation.score_faces(lambda images: images.mean(axis=(1, 2, 3)), dataset.read(root), root, 7))
        for root in (folder, sharded)
    ]
    assert scores[0]["p_real"].equals(scores[1]["p_real"])


def _numbers(root, epochs, n, **options):
    """The row numbers in the batches of some epochs of n faces: a face has five times its number as its first pixel."""
    faces = dataset.read(root)
    train = faces[faces["split"] == "train"]
    data = loading.training_batches(train, root, 1, None, 3, **options).take(epochs * n)
    drawn = [round(float(images[0, 0, 0, 0]) * 255 / 5) for images, _ in data]
    return [drawn[i * n : (i + 1) * n] for i in range(epochs)]


def test_a_small_buffer_gives_each_face_once_in_each_epoch(sharded, monkeypatch):
    monkeypatch.setattr(loading, "KEPT", 0)
    monkeypatch.setattr(loading, "BUFFER", 5)
    monkeypatch.setattr(loading, "PIECE", 2)
    train = dataset.read(sharded).query("split == 'train'")
    n = len(train)
    expected = [i for i in range(N) if i // 6 % 6 < 4 and i != 7]
    first, second = _numbers(sharded, 2, n)
    assert sorted(first) == sorted(second) == expected
    assert first != second and first != expected
    assert [first, second] == _numbers(sharded, 2, n)


@pytest.mark.slow
def test_each_replica_reads_its_own_shards(folder, sharded, monkeypatch):
    monkeypatch.setattr(loading, "KEPT", 0)
    expected = [i for i in range(N) if i // 6 % 6 < 4 and i != 7]
    faces = dataset.read(sharded)
    shard = faces.loc[faces["split"] == "train", "path"].str.partition("#")[0]
    for buffer in (4096, 4):
        monkeypatch.setattr(loading, "BUFFER", buffer)
        own = []
        for index in range(3):
            names = sorted(shard.unique())[index::3]
            (one,) = _numbers(sharded, 1, int(shard.isin(names).sum()), replica=(index, 3))
            own += one
            assert {shard[faces["sharpness"] == 10 + i].iloc[0] for i in one} == {*names}
        assert sorted(own) == expected  # the union is all, and no face is there twice
    counts = Counter(
        i for index in range(2) for i in _numbers(folder, 1, (len(expected) + 1 - index) // 2, replica=(index, 2))[0]
    )
    assert sorted(counts) == expected and {*counts.values()} == {1}
    with pytest.raises(ValueError, match=r"replica = \(2, 99\): there are \d+ shards; make more"):
        _numbers(sharded, 1, 1, replica=(2, 99))


def test_a_stopped_call_is_continued_and_a_finished_one_is_left_alone(folder, sharded, tmp_path):
    out = tmp_path / "out"
    writing = shards.write(folder, out, 6000)
    next(writing), next(writing)
    writing.close()
    with pytest.raises(FileNotFoundError, match="there is no dataset in this folder"):
        dataset.open(out)
    first = next(out.rglob("*.tfrecord"))
    before = first.stat().st_mtime_ns
    (first.parent / ".part-1-of a killed run").write_text("x")
    assert sum(_write(folder, out)) == N and first.stat().st_mtime_ns == before
    made = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    whole = {path.relative_to(sharded): path.read_bytes() for path in sharded.rglob("*") if path.is_file()}
    del made[(p := next(k for k in made if k.name == "dataset.json"))], whole[p]  # the folder of the clips differs
    assert made == whole
    assert _write(folder, out) == []
    with pytest.raises(ValueError, match="there is another dataset in this folder; name a new one"):
        _write(folder, out, 9000)
    with pytest.raises(ValueError, match="there is another dataset in this folder"):
        _write(folder, folder)


def test_another_size_replaces_the_shards_of_a_stopped_call(folder, tmp_path):
    writing = shards.write(folder, tmp_path / "out", 6000)
    next(writing)
    writing.close()
    assert _write(folder, tmp_path / "out", 10**9) == [3, 18, 3] * 2  # of the two levels: test, train, val
    assert len(list((tmp_path / "out").rglob("*.tfrecord"))) == 6
    _same(dataset.open(folder), dataset.open(tmp_path / "out"))


def test_shards_are_made_of_shards(folder, sharded, tmp_path):
    assert len(_write(sharded, tmp_path / "larger", 10**9)) == 6
    _same(dataset.open(folder), dataset.open(tmp_path / "larger"))


def test_what_is_wrong_is_said_in_one_sentence(folder, sharded, tmp_path, capsys):
    def said(*arguments):
        assert cli.main(["shard", *map(str, arguments)]) == 2
        return capsys.readouterr().err.splitlines()[-1]

    with pytest.raises(SystemExit):
        cli.main(["shard", str(folder), "--size", "256"])
    assert "'256' is not a size of a shard; give 1MB or more, such as 256MB or 1GB" in capsys.readouterr().err
    assert "there is no dataset in this folder" in said(tmp_path)
    assert "fsspec cannot open this URL" in said(folder, "--out", "nonsense://a/b")
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    gone = next(copy.glob("faces/0/train/real/*.png"))
    gone.unlink()
    assert said(copy, "--out", tmp_path / "out").endswith(f"{gone}: this picture is missing; build the dataset again")
    assert not list((tmp_path / "out").rglob("*.tfrecord"))

    cut = tmp_path / "cut"
    shutil.copytree(sharded, cut)
    path = next(cut.rglob("*.tfrecord"))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=f"{path.name}: this shard has 100 of {size} bytes; copy it again"):
        dataset.open(cut)
    path.unlink()
    with pytest.raises(ValueError, match=f"{path.name}: this shard has 0 of {size} bytes"):
        dataset.read(cut)
    (cut / "faces.parquet").write_text("face,clip\n")
    with pytest.raises(ValueError, match=r"faces.parquet: not a Parquet file of faces \(.*\); make it again"):
        dataset.open(cut)


def test_the_command(folder, tmp_path, capsys):
    assert cli.main(["shard", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: {N} faces in 6 shards\n"
    assert cli.main(["shard", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert "these shards were there already" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["memory", "file"])
def test_an_object_store(folder, tmp_path, kind, monkeypatch):
    url = {"memory": "memory://bucket/colours", "file": f"file://{tmp_path}/colours"}[kind]
    writing = shards.write(folder, url, 6000)
    next(writing)
    writing.close()
    assert sum(_write(folder, url)) == N
    there = fsspec.core.url_to_fs(url)[0].find(url)
    assert {path.rpartition("/")[2] for path in there} >= {"faces.parquet", "shards.csv", "dataset.json"}
    assert not any(".pieces" in path for path in there)
    ds = dataset.open(url)
    _same(dataset.open(folder), ds)
    monkeypatch.setattr(loading, "KEPT", 0)
    for (faces, _), (again, _) in zip(_batches(folder, 8, 4), _batches(url, 8, 4), strict=True):
        assert np.array_equal(faces, again)
    with pytest.raises(FileNotFoundError, match="colours/none: there is no dataset in this folder"):
        dataset.open(f"{url}/none")


def test_a_parquet_table_is_read_by_rows_and_columns(folder, sharded):
    """The same rows and columns of both kinds of table; CRF 23 of train has 2 faces a clip fewer by one rejected."""
    where = {"split": ["train"], "crf": [23]}
    one, other = (dataset.read(root, where, ["identity"]) for root in (folder, sharded))
    assert {*one.columns} == manifest.NEEDED | {"identity"}
    pd.testing.assert_frame_equal(one.drop(columns=["path", "mask"]), other.drop(columns=["path", "mask"]))
    assert one["face"].tolist() == [f"c{clip}_23_{i}" for clip in (0, 1, 2, 3, 6, 7) for i in range(3)]


def test_a_table_read_in_parts_is_the_table(folder, sharded, monkeypatch):
    monkeypatch.setattr(manifest, "_ROWS", 7)
    for table in (folder / "faces.csv", sharded / "faces.parquet"):
        parts = list(manifest.face_parts(table))
        assert [len(part) for part in parts] == [7] * 6 + [6]
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), manifest.read_faces(table))


def test_sizes_are_matched_in_parts(folder, tmp_path, monkeypatch):
    """Clip c1 (forged, train) has faces eight times as large, and no real clip has: they go.

    6 of 8 forged faces are small at CRF 0 and 6 of 9 at CRF 23, so 6 of 9 real ones stay: 6.75, rounded down, and 6.
    """
    monkeypatch.setattr(manifest, "_ROWS", 5)
    path = tmp_path / "faces.csv"
    faces = manifest.read_faces(folder / "faces.csv")
    manifest.save(faces.assign(box_w=faces["box_w"].mask(faces["clip"] == "c1", 8.0)), path)
    tables._match(path)
    made = manifest.read_faces(path)
    kept = made[made["keep"].astype(bool) & (made["split"] == "train")]
    assert "c1" not in set(kept["clip"]) and kept.groupby(["crf", "label"]).size().tolist() == [6] * 4
    assert path.read_text().count("face,clip") == 1


def test_a_review_of_shards(sharded, tmp_path):
    root = tmp_path / "reviewed"
    shutil.copytree(sharded, root)
    face = dataset.read(root)["face"].iloc[0]
    review.decide(root, face, False, "blurred")
    assert face not in set(dataset.read(root)["face"]) and len(dataset.read(root)) == N - 2
