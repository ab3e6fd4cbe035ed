"""The tables and images of a finished dataset: read tables, read and write PNG files, measure sharpness.

`contents` is the one place where a path of the face table becomes the bytes of a picture.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from mesokit import files
from mesokit.dataset import manifest

SIZE = 256  # the paper's faces, pixels a side
# One filter for all lines, and run-length coding: 3.3 ms and 69 kB a face. zlib's level 3 takes 8.6 ms and 74 kB.
PNG = [
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH),
    *(cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE),
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
]
TABLES = ("faces.parquet", "faces.csv", "shards.csv")
PIECE = re.compile(r"(.+\.tfrecord)#(\d+)\+(\d+)")  # a path that is a piece of a shard: its file, first byte and size
_GAP = 1 << 20  # bytes between two pieces that are read over rather than left out


def read(
    root: str | os.PathLike[str],
    where: Mapping[str, Collection[Any]] | None = None,
    columns: Iterable[str] | None = None,
) -> pd.DataFrame:
    """The face table of the dataset in the folder or URL `root`, without rejected faces (`keep` is False).

    where, columns: which rows and columns, as for `manifest.read_faces`. Raises ValueError where the table is wrong,
    where a path leaves `root` through a link, and where a shard is cut short or missing. `root` may be a link.
    """
    place = files.place(root)
    with files.at_hand(place, TABLES) as folder:
        return faces(place, folder, where, columns)


def faces(
    place: Path | str,
    folder: Path,
    where: Mapping[str, Collection[Any]] | None = None,
    columns: Iterable[str] | None = None,
) -> pd.DataFrame:
    """`read` where the tables of `place` are at hand in `folder`."""
    table = manifest.read_faces(manifest.face_table(folder), where, columns)
    if isinstance(place, Path):
        manifest.check_links(table, place)
    if (folder / "shards.csv").is_file():
        _check_shards(place, manifest.read_table(folder / "shards.csv", {"bytes": "Int64"}))
    return table[table["keep"].astype(bool)].reset_index(drop=True)


def _check_shards(place: Path | str, listed: pd.DataFrame) -> None:
    fs, base = files.store(place)
    there = {path.removeprefix(f"{base}/"): one["size"] for path, one in fs.find(f"{base}/shards", detail=True).items()}
    for path, size in zip(listed["path"], listed["bytes"], strict=True):
        if there.get(path) != size:
            raise ValueError(f"{place}/{path}: this shard has {there.get(path, 0)} of {size} bytes; copy it again")


def clips(root: str | os.PathLike[str]) -> pd.DataFrame:
    """The clip table of the dataset in `root`. Raises ValueError like `read`."""
    table = manifest.read_clips(Path(root) / "clips.csv")
    manifest.check_links(table, root)
    return table


def images(table: pd.DataFrame, root: str | os.PathLike[str], column: str = "path") -> np.ndarray:
    """The faces of the rows of `table`, (n, size, size, 3) uint8 RGB; for column="mask" the masks, (n, size, size)."""
    how, place = cv2.IMREAD_GRAYSCALE if column == "mask" else cv2.IMREAD_COLOR_RGB, files.place(root)
    found = []
    for path, data in zip(table[column], contents(place, table[column]), strict=True):
        # not cv2.imread, which crashes on some file names
        image = cv2.imdecode(np.frombuffer(data, np.uint8), how) if data else None
        if image is None:
            raise ValueError(f"{place}/{path}: not an image; build the dataset again")
        found.append(image)
    return np.stack(found)


def contents(root: Path | str, paths: Iterable[str]) -> list[bytes]:
    """The PNG files at `paths` of the face table, relative to the folder or URL `root`: files, or pieces of shards.

    Pieces that follow each other in a shard are read at once. Raises OSError, or ValueError for a shard cut short.
    """
    parts = [_part(path) for path in paths]
    found: list[bytes] = []
    while len(found) < len(parts):
        name, first, last = parts[len(found)]
        run = [(first, last)]
        for other, start, stop in parts[len(found) + 1 :]:
            if last is None or stop is None or other != name or not 0 <= start - last <= _GAP:
                break
            run.append((start, stop))
            last = stop
        data = files.read_bytes(root, name, first, last)
        if last is not None and len(data) < last - first:
            raise ValueError(f"{root}/{name}: this shard is cut short; copy it again")
        found += [data[start - first : None if stop is None else stop - first] for start, stop in run]
    return found


def _part(path: str) -> tuple[str, int, int | None]:
    """File, first byte and the byte after the last one (None: the whole file) of a picture."""
    piece = PIECE.fullmatch(path)
    return (piece[1], int(piece[2]), int(piece[2]) + int(piece[3])) if piece else (path, 0, None)


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an (h, w, 3) RGB or (h, w) gray uint8 image, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(".png", pixels, PNG)
    assert ok
    path.write_bytes(data.tobytes())  # not tofile(), whose error for a full disk has no error number


def sharpness(image: np.ndarray) -> float:
    """Variance of the Laplacian of an (h, w, 3) uint8 RGB image, in gray levels squared: low for blurred images."""
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
