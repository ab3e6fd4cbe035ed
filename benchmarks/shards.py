"""Faces from a dataset on disk: a PNG file for each face against shards, as `loading.training_batches` reads them.

Each way gives the same faces, in random order, as the bytes of PNG files and as decoded batches of 16, with a warm page
cache and with a cold one: the pages of its files are dropped before. A virtual machine's host may have them still.
Equal: the same sum of bytes or pixels. Shards are read as a table is read that is larger than the buffer.
"""

import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from side_by_side import Row, Skipped, crops, parser, rate, report

from mesokit import dataset, files
from mesokit.dataset import loading, manifest, pictures, shards

BATCH = 16


def write_faces(root: Path, n: int) -> None:
    """A dataset of `n` faces as PNG files."""
    numbers = {column: 1.0 for column in manifest.FACES if column[-2:] in ("_x", "_y", "_w", "_h")}
    rows = []
    for i, crop in enumerate(crops(min(n, 80))):
        pictures.write_png(root / "first" / f"{i}.png", crop)
    for i in range(n):
        label, path = (
            ("real", "forged")[i % 2],
            f"faces/23/train/{('real', 'forged')[i % 2]}/c{i // 30:04d}_f{i:05d}.png",
        )
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / "first" / f"{i % min(n, 80)}.png", root / path)
        rows.append({
            "face": f"f{i}", "clip": f"c{i // 30:04d}", "frame": i, "time": 0.0, "keyframe": False, **numbers,
            "confidence": 1.0, "sharpness": 1.0, "path": path, "mask": pd.NA, "keep": True, "label": label,
            "method": label, "identity": "p", "group": "g", "split": "train", "crf": 23, "person": 0,
        })  # fmt: skip
    manifest.save(manifest.check_faces(pd.DataFrame(rows)), root / "faces.csv")
    files.write_json({"name": "benchmark"}, root / "dataset.json")


def forget(root: Path) -> None:
    """Drop the pages of all files of a folder from the page cache."""
    for path in root.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def as_batches(root: Path, table: pd.DataFrame) -> float:
    """Read and decode each face of `table` once, as training does; returns the sum of all pixels."""
    data = loading.training_batches(table, root, BATCH, None, seed=0).take(len(table) // BATCH)
    return sum(float(faces.numpy().sum(dtype=float)) for faces, _ in data)


def as_bytes(root: Path, table: pd.DataFrame) -> float:
    """Read each face of `table` once, PNG files at random, shards by pieces at random; returns the number of bytes."""
    place = table["path"].str.extract(pictures.PIECE.pattern)
    order = np.lexsort((place[1].astype("Int64").fillna(0), place[0].fillna(table["path"])))
    rng, piece = np.random.default_rng(0), loading.PIECE
    if place[0].isna().any():
        rng.shuffle(order)
    paths = table["path"].to_numpy(object)[order]
    starts = rng.permutation(np.arange(0, len(paths), piece))
    return float(sum(len(data) for i in starts for data in pictures.contents(root, paths[i : i + piece])))


def rows(root: Path | None, n: int, repeats: int) -> Iterator[Row | Skipped]:
    loading.KEPT = 0
    with tempfile.TemporaryDirectory() as folder:
        if root is None:
            write_faces(root := Path(folder) / "png", n)
        for _ in shards.write(root, Path(folder) / "shards", 64_000_000):
            pass
        places = {"naive": root, "ours": Path(folder) / "shards"}
        tables = {way: dataset.read(place) for way, place in places.items()}
        tables = {way: table[: len(table) // BATCH * BATCH] for way, table in tables.items()}
        loading.BUFFER = min(len(tables["ours"]) // 4, loading.BUFFER)  # or few faces would all be in the buffer
        for work, cold in itertools.product((as_bytes, as_batches), (False, True)):
            name = f"faces from disk, {work.__name__.replace('_', ' ')}, {'cold' if cold else 'warm'}"
            if cold and not hasattr(os, "posix_fadvise"):
                yield Skipped(name, "this system drops no pages of a file from the page cache")
                continue
            seconds: dict[str, list[float]] = {way: [] for way in places}
            result = {}
            for turn in range(repeats + 1):  # the first does not count: it fills the cache
                for way, place in places.items():
                    if cold:
                        forget(place)
                    started = time.perf_counter()
                    result[way] = work(place, tables[way])
                    seconds[way] += [time.perf_counter() - started] if turn else []
            slow, fast = (statistics.median(seconds[way]) for way in places)
            equal = abs(result["naive"] - result["ours"]) <= 1e-6 * result["naive"]
            yield rate(name, len(tables["ours"]), "faces", slow, fast, equal)


def main(argv: list[str] | None = None) -> int:
    options = parser(__doc__)
    options.add_argument("--dataset", type=Path, metavar="FOLDER", help="a dataset of PNG files, in place of copies")
    arguments = options.parse_args(argv)
    return report(rows(arguments.dataset, *((128, 1) if arguments.quick else (2048, 3))), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
