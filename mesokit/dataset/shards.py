"""A dataset in a few large files, TFRecord shards, in place of one PNG file for each face.

    DATASET/faces.parquet, clips.csv, dataset.json      as of the dataset that it was made of, with other paths
    DATASET/shards.csv                                  a row per shard: path, faces, bytes, sha256
    DATASET/shards/<crf>/<split>-00000.tfrecord         tf.train.Example: face, image, label (1 = real), mask

A path of faces.parquet is a piece of a shard: `shards/23/train-00000.tfrecord#4096+70000` are the 70,000 bytes from
byte 4096 on, which are a whole PNG file. So a face is read without the faces around it. A shard has one level and one
split. It takes clips at random, so that it holds real and forged ones, and the faces of a clip side by side, in order.

Each shard is written whole or not at all, and then, in DATASET/.pieces, where its pictures lie. faces.parquet is last.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mesokit import __version__, files
from mesokit.backend import tf
from mesokit.dataset import manifest, pictures, tables

_FRAME = 12, 4  # bytes before and after the data of a TFRecord: its length and checksums
_KEYS = ["face", "clip", "label", "split", "crf", "path", "mask"]


class _Shard(NamedTuple):
    path: str
    rows: np.ndarray  # of the face table


def write(root: Path, out: Path | str, size: int, command: str = "") -> Iterator[int]:
    """Write the dataset in the folder `root` as shards of about `size` bytes to the folder or URL `out`.

    Yields the number of faces of each shard. A stopped call is continued by the next one; where `out` is finished, that
    one writes nothing. Raises ValueError where `out` has another dataset, FileNotFoundError where a picture is missing.
    """
    table, inside = manifest.face_table(root), files.place(out)
    stamp = hashlib.sha256(f"{files.sha256(table)} {size}".encode()).hexdigest()[:12]
    with tables.locked(inside) if isinstance(inside, Path) else contextlib.nullcontext():
        if _finished(inside, stamp):
            return
        faces = pd.concat([part[_KEYS] for part in manifest.face_parts(table)], ignore_index=True)
        if isinstance(root, Path):
            manifest.check_links(faces, root)
        shards = list(_plan(faces, _sizes(root, faces["path"]) + _sizes(root, faces["mask"]), size))
        where, listed = np.zeros((len(faces), 4), np.int64), []
        for i, shard in enumerate(shards):
            where[shard.rows], told = _shard(shard, faces, root, inside, f".pieces/{stamp}-{i}.npz")
            listed.append({"path": shard.path, "faces": len(shard.rows), **told})
            yield len(shard.rows)
        names = pd.Series("", faces.index, dtype="string")
        for shard in shards:
            names.iloc[shard.rows] = shard.path
        _finish(root, inside, pd.DataFrame(listed), {"command": command, "size": size, "stamp": stamp}, names, where)


def _finished(out: Path | str, stamp: str) -> bool:
    """Whether `out` holds just these shards. Raises ValueError where it holds another dataset."""
    with files.at_hand(out, [*pictures.TABLES, "dataset.json"]) as folder:
        if not manifest.face_table(folder).is_file():
            return False
        about = files.read_json(folder / "dataset.json") if (folder / "dataset.json").is_file() else {}
        if about.get("shards", {}).get("stamp") != stamp:
            raise ValueError(f"{out}: there is another dataset in this folder; name a new one with --out")
        return True


def _sizes(root: Path, paths: pd.Series) -> np.ndarray:
    """The bytes of each picture, 0 where there is none."""

    def size(path: str) -> int:
        piece = pictures.PIECE.fullmatch(path)
        try:
            return int(piece[3]) if piece else (root / path).stat().st_size
        except OSError:
            raise FileNotFoundError(f"{root / path}: this picture is missing; build the dataset again") from None

    return np.array([0 if pd.isna(path) else size(path) for path in paths], np.int64)


def _plan(faces: pd.DataFrame, sizes: np.ndarray, size: int) -> Iterator[_Shard]:
    """The shards of a level and a split: nearly equal ones of at most about `size` bytes."""
    clip, rng = faces["clip"].fillna(faces["face"]), np.random.default_rng(0)
    for (crf, split), rows in faces.groupby(["crf", "split"], dropna=False).indices.items():
        codes, names = pd.factorize(clip.iloc[rows])
        rows = rows[np.argsort(rng.permutation(len(names))[codes], kind="stable")]
        ends = np.cumsum(sizes[rows])
        number = np.minimum((ends - 1) * -(-ends[-1] // size) // ends[-1], len(rows) - 1)
        for i, own in enumerate(np.split(rows, np.flatnonzero(np.diff(number)) + 1)):
            yield _Shard(f"shards/{'unknown' if pd.isna(crf) else int(crf)}/{split}-{i:05d}.tfrecord", own)


def _shard(
    shard: _Shard, faces: pd.DataFrame, root: Path, out: Path | str, record: str
) -> tuple[np.ndarray, dict[str, Any]]:
    """Write a shard and its record unless they are there: where its pictures lie (n, 4), and its bytes and sha256."""
    with files.at_hand(out, [record]) as folder:
        if (folder / record).is_file():
            with np.load(folder / record, allow_pickle=False) as known:
                return known["where"], {"bytes": int(known["bytes"]), "sha256": str(known["sha256"])}
    with files.sending(out, shard.path) as part:
        where = np.array(list(_examples(faces.iloc[shard.rows], root, part)), np.int64)
        told: dict[str, Any] = {"bytes": part.stat().st_size, "sha256": files.sha256(part)}
    with files.sending(out, record) as part, part.open("wb") as file:
        np.savez(file, where=where, bytes=told["bytes"], sha256=told["sha256"])
    return where, told


def _examples(rows: pd.DataFrame, root: Path, path: Path) -> Iterator[tuple[int, int, int, int]]:
    """Write the faces of `rows`; yields the first byte and the size of each one's picture and mask."""

    def feature(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    start = 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows.itertuples():
            image, *mask = pictures.contents(root, [row.path, *([] if pd.isna(row.mask) else [row.mask])])
            real = tf.train.Feature(int64_list=tf.train.Int64List(value=[int(row.label == "real")]))
            known = {"face": feature(row.face.encode()), "image": feature(image), "label": real}
            known |= {"mask": feature(mask[0])} if mask else {}
            data = tf.train.Example(features=tf.train.Features(feature=known)).SerializeToString(deterministic=True)
            writer.write(data)
            first = start + _FRAME[0]
            at = (first + data.index(mask[0]), len(mask[0])) if mask else (0, 0)
            yield first + data.index(image), len(image), *at
            start = first + len(data) + _FRAME[1]


def _finish(
    root: Path, out: Path | str, listed: pd.DataFrame, how: dict[str, Any], names: pd.Series, where: np.ndarray
) -> None:
    """Write the tables and dataset.json, and remove records, and shards of other sizes."""
    about = files.read_json(root / "dataset.json") if (root / "dataset.json").is_file() else {"name": root.name}
    clips = (root / str(about.pop("clips", "."))).absolute()
    if isinstance(out, Path):
        about["clips"] = Path(os.path.relpath(clips, out.absolute())).as_posix()
    with tempfile.TemporaryDirectory() as folder:
        _faces(manifest.face_table(root), Path(folder) / "faces.parquet", names, where)
        manifest.save(listed, Path(folder) / "shards.csv")
        if (root / "clips.csv").is_file():
            files.write(Path(folder) / "clips.csv", (root / "clips.csv").read_bytes())
        about["sha256"] = {path.name: files.sha256(path) for path in sorted(Path(folder).iterdir())}
        files.write_json({**about, "version": __version__, "shards": how}, Path(folder) / "dataset.json")
        for path in sorted(Path(folder).iterdir(), key=lambda path: path.name == "faces.parquet"):
            with files.sending(out, path.name) as part:
                shutil.copyfile(path, part)
    fs, base = files.store(out)
    for path in fs.find(f"{base}/shards"):
        if path.removeprefix(f"{base}/") not in set(listed["path"]):
            fs.rm_file(path)
    fs.rm(f"{base}/.pieces", recursive=True)


def _faces(source: Path, path: Path, names: pd.Series, where: np.ndarray) -> None:
    """Write the face table with its new paths, in parts."""
    import pyarrow
    import pyarrow.parquet

    done, writer = 0, None
    for part in manifest.face_parts(source):
        own = slice(done, done := done + len(part))
        for column, start, size in (("path", *where[own, :2].T), ("mask", *where[own, 2:].T)):
            new = [f"{name}#{a}+{n}" for name, a, n in zip(names[own], start, size, strict=True)]
            part[column] = part[column].mask(part[column].notna(), pd.Series(new, part.index, dtype="string"))
        made = pyarrow.Table.from_pandas(part, preserve_index=False)
        writer = writer or pyarrow.parquet.ParquetWriter(path, made.schema)
        writer.write_table(made)
    assert writer
    writer.close()
