"""The two tables of a dataset: clips.csv, a row per clip and compression level, and faces.csv, a row per face.

Tables are untrusted input. `read_clips` and `read_faces` check columns, types, words, keys, paths and splits; an error
is one sentence with the file, the row or the column. The key of clips.csv is (clip, crf), the key of faces.csv is face.
`check_links` refuses paths that leave their folder through a link, `check_there` a folder that has none of the files.
"""

import csv
import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from mesokit import files, video

# Text as Python objects, also where pyarrow is installed: comparisons of its text have a dtype without a mean.
pd.set_option("mode.string_storage", "python")

LABELS = ("forged", "real")  # sorted as the authors' folders: forged = 0, real = 1
SPLITS = ("train", "val", "test")
POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")  # left = smaller x

_TEXT, _WHOLE, _NUMBER, _FLAG = "string", "Int64", "float64", "boolean"
CLIPS = {
    "clip": _TEXT,  # key of the clip, the same for all its compression levels
    "path": _TEXT,  # of the video, relative to the folder of the clips
    "method": _TEXT,  # real, deepfake, face2face, or a dataset's own name
    "label": _TEXT,  # real or forged
    "identity": _TEXT,  # the person filmed
    "source": _TEXT,  # forged clips: the person whose face was put in, or whose expression is copied
    "group": _TEXT,  # identities that share pixels; a group is never in two splits
    "split": _TEXT,  # train, val or test
    "crf": _WHOLE,  # empty: unknown
    "fps": _NUMBER,
    "frames": _WHOLE,
    "width": _WHOLE,
    "height": _WHOLE,
    "sha256": _TEXT,
    "mask": _TEXT,  # synthetic forgeries: a video of the tampered region, relative like `path`
    "bytes": _WHOLE,  # size of the file
    "psnr": _NUMBER,  # dB against the frames before compression; inf where they are equal
}
FACES = {
    "face": _TEXT,
    "clip": _TEXT,
    "frame": _WHOLE,
    "time": _NUMBER,  # seconds
    "keyframe": _FLAG,
    **{f"box_{c}": _NUMBER for c in "xywh"},  # pixels of the frame
    "confidence": _NUMBER,
    **{f"{point}_{c}": _NUMBER for point in POINTS for c in "xy"},  # pixels of the frame
    "sharpness": _NUMBER,  # variance of the Laplacian of the crop, in gray levels squared
    "path": _TEXT,
    "mask": _TEXT,
    "keep": _FLAG,
    "label": _TEXT,
    "method": _TEXT,
    "identity": _TEXT,
    "group": _TEXT,
    "split": _TEXT,
    "crf": _WHOLE,
    "person": _WHOLE,  # of the clip: 0 is seen longest; absent from older tables, which have nobody else
}
_COORDINATES = {"_x", "_y", "_w", "_h"}
_NEVER_NEGATIVE = {"fps", "frames", "width", "height", "bytes", "frame", "time", "confidence", "sharpness", "person"}
_MOST = 2**53  # larger whole numbers are not exact as floats, which many readers of CSV use
_MAY_BE_ABSENT = ("mask", "bytes", "psnr")
_MAY_BE_EMPTY = {"source", "crf", "fps", "frames", "width", "height", "sha256", "time", *_MAY_BE_ABSENT}
NEEDED = {"face", "clip", "path", "mask", "keep", "label", "group", "split", "crf"}  # of faces: what is always read
_ROWS = 100_000  # of a part of a table that is read in parts
# Columns that are empty for a face that was published without its clip.
_OF_A_CLIP = {"clip", "frame", "keyframe", "confidence", "sharpness", "person"}
_OF_A_CLIP |= {c for c in FACES if c[-2:] in _COORDINATES}


def read_clips(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read and check a clip table. Raises ValueError or OSError with one sentence."""
    return check_clips(read_table(Path(path), CLIPS), str(path))


def read_faces(
    path: str | os.PathLike[str],
    where: Mapping[str, Collection[Any]] | None = None,
    columns: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Read and check a face table, CSV or Parquet. Raises ValueError or OSError with one sentence.

    where: column -> values: only rows with one of the values in each of these columns; columns: only these and NEEDED.
    What is left out of a Parquet file is not in memory.
    """
    path = Path(path)
    wanted = [c for c in FACES if columns is None or c in NEEDED | {*columns}]
    if path.suffix != ".parquet":
        table = check_faces(read_table(path, FACES), str(path))
        for column, values in (where or {}).items():
            table = table[table[column].isin(values)]
        return table[wanted].reset_index(drop=True)
    try:
        filters = [(column, "in", list(values)) for column, values in (where or {}).items()]
        table = pd.read_parquet(path, columns=wanted, filters=filters or None)
    except (ValueError, OSError, KeyError) as error:
        raise ValueError(
            f"{path}: not a Parquet file of faces ({str(error).splitlines()[0]}); make it again"
        ) from error
    return check_faces(table, str(path), wanted)


def face_parts(path: Path) -> Iterator[pd.DataFrame]:
    """The face table in parts, each checked for itself, so that a table need not fit into memory."""
    if path.suffix == ".parquet":
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path) as file:
            yield from (check_faces(part.to_pandas(), str(path)) for part in file.iter_batches(_ROWS))
        return
    encoding = files.encoding(path)
    for part in pd.read_csv(path, dtype="string", keep_default_na=False, encoding=encoding, chunksize=_ROWS):
        known = {c: _typed(part[c], FACES[c], path) for c in part.columns if c in FACES}
        yield check_faces(part.assign(**known), str(path))


def face_table(folder: Path) -> Path:
    """The file of the face table in a dataset folder: faces.parquet of a dataset in shards, or faces.csv."""
    return path if (path := folder / "faces.parquet").is_file() else folder / "faces.csv"


def is_face_table(path: Path) -> bool:
    """Whether a CSV file has the columns of a face table, judged by its first line."""
    try:
        with path.open(encoding=files.encoding(path), newline="") as file:
            return {"face", "keep"} <= set(next(csv.reader([file.readline(10_000)]), []))
    except (OSError, UnicodeError, csv.Error):
        return False  # reading it as a clip table then gives the error


def check_clips(clips: pd.DataFrame, name: str = "the clip table") -> pd.DataFrame:
    """Return `clips` with the columns of `CLIPS` in order, or raise ValueError with `name` in the sentence."""
    clips = _check(clips, CLIPS, name)
    for key in clips["clip"].unique():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,150}", key):
            raise ValueError(
                f"{name}: the clip key {key!r} may hold letters, digits, '_', '-' and '.' only: use clip_key()"
            )
    _unique(clips, ["clip", "crf"], name)
    return clips


def check_faces(faces: pd.DataFrame, name: str = "the face table", columns: Iterable[str] = FACES) -> pd.DataFrame:
    """Return `faces` with the `columns` of `FACES` in order, or raise ValueError with `name` in the sentence."""
    faces = _check(faces if "person" in faces else faces.assign(person=0), {c: FACES[c] for c in columns}, name)
    _unique(faces, ["face"], name)
    return faces


def need_clips(faces: pd.DataFrame) -> None:
    """Raise ValueError where faces have no clip (the authors published theirs so): no figure per clip is possible."""
    if (without := int(faces["clip"].isna().sum())) > 0:
        raise ValueError(
            f"{without} of {len(faces)} faces were published without their clips, so it is unknown which faces belong "
            "to one clip: give figures per face only"
        )


def save(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, or Parquet by its name, whole or not at all. Equal tables give equal bytes."""
    if path.suffix == ".parquet":
        with files.writing(path) as part:
            table.to_parquet(part, index=False)
        return
    files.write(path, table.to_csv(index=False, lineterminator="\n").encode())


def measured(path: Path) -> dict[str, Any]:
    """The columns fps, frames, width, height and sha256 of a clip, measured from its file. Raises VideoError."""
    info = video.probe(path)
    known = {"fps": round(info.fps, 4), "frames": info.frames, "width": info.width, "height": info.height}
    return {**known, "sha256": files.sha256(path)}


def clip_key(path: str) -> str:
    """A key for the clip at a relative path: readable, safe as a file name, different for different paths.

    >>> clip_key("a/b c.mp4")
    'a_b_c-2cd8bf9d'
    """
    stem = PurePosixPath(path).with_suffix("").as_posix()
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).strip("_.-")[:100] or "clip"
    return slug if slug == stem else f"{slug}-{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def split_by_group(groups: pd.Series, fractions: dict[str, float], seed: int) -> pd.Series:
    """A split (a key of `fractions`) for each row, the same for all rows of a group; a Series like `groups`.

    `fractions` sum to 1. Every split with a share gets at least one group. Raises ValueError if there are too few.
    """
    names = np.random.default_rng(seed).permutation(sorted(groups.unique())).tolist()
    wanted = [split for split, share in fractions.items() if share > 0]
    if len(names) < len(wanted):
        raise ValueError(
            f"{len(names)} groups cannot fill the splits {', '.join(wanted)}: give at least {len(wanted)} groups"
        )
    ends = np.round(np.cumsum([fractions[split] for split in wanted]) * len(names)).astype(int)
    for i in range(len(wanted)):  # rounding must leave no split empty: a group for this one, and one for each later one
        ends[i] = min(max(ends[i], (ends[i - 1] if i else 0) + 1), len(names) - (len(wanted) - 1 - i))
    owner = dict(zip(names, np.repeat(wanted, np.diff(ends, prepend=0)), strict=True))
    return groups.map(owner)


def read_table(path: Path, columns: dict[str, str]) -> pd.DataFrame:
    """A CSV table, as text but for the `columns` (name: type). Raises ValueError or OSError with one sentence."""
    table = _cells(path)
    table = table.iloc[1:].set_axis(table.iloc[0].to_list(), axis=1)
    # Spreadsheets write empty rows and columns at the end of a table.
    table = table.loc[(table != "").any(axis=1), (table != "").any() | (table.columns != "")].reset_index(drop=True)
    if double := table.columns[table.columns.duplicated()].to_list():
        raise ValueError(f"{path}: the column {double[0]} is there twice")
    if table.empty:
        raise ValueError(f"{path}: the table has no rows")
    for column in [c for c in table.columns if c in columns]:
        table[column] = _typed(table[column], columns[column], path)
    return table


def _cells(path: Path) -> pd.DataFrame:
    """The cells of a CSV file as text, its header being the first row."""
    if not path.is_file():
        why = "it is a folder; give the table in it" if path.is_dir() else files.missing(path)
        raise FileNotFoundError(f"{path}: no such table: {why}")
    try:
        with path.open(encoding=files.encoding(path)) as file:
            first = file.readline(10_000)
        for sign, name in ((";", "semicolons"), ("\t", "tabs")):
            if sign in first and "," not in first:
                raise ValueError(f"{path}: its columns are separated by {name}; save it with commas between them")
        # header=None, because pandas renames the second of two columns with one name without an error.
        return pd.read_csv(path, dtype="string", keep_default_na=False, encoding=files.encoding(path), header=None)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeError) as error:
        if (kind := files.kind(path)) not in (None, files.TEXT):
            raise ValueError(f"{path}: not a CSV table: it is {kind}") from error
        way = "; save it again as CSV UTF-8" if isinstance(error, UnicodeError) else ""
        raise ValueError(f"{path}: not a CSV table in UTF-8 ({str(error).splitlines()[0]}){way}") from error


def _typed(values: pd.Series, kind: str, path: Path) -> pd.Series:
    values = values.mask(values == "", pd.NA)
    if kind == _TEXT:
        return values
    try:
        if kind == _FLAG:  # spreadsheets write TRUE and FALSE
            return values.str.lower().map({"true": True, "false": False, pd.NA: pd.NA}.__getitem__).astype(kind)
        numbers = pd.to_numeric(values)
        if kind == _WHOLE and (numbers.dropna() % 1 != 0).any():  # astype() would round them down
            raise ValueError
        return numbers.astype(kind)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        wanted = {_WHOLE: "whole numbers", _NUMBER: "numbers", _FLAG: "True or False"}[kind]
        comma = ", with a point for the decimals" if values.str.contains(r"^-?\d+,\d+$").any() else ""
        raise ValueError(f"{path}: the column {values.name} should hold {wanted}{comma}") from error


def _check(table: pd.DataFrame, columns: dict[str, str], name: str) -> pd.DataFrame:
    absent = [c for c in _MAY_BE_ABSENT if c in columns and c not in table]
    table = table.assign(**{c: np.nan if columns[c] == _NUMBER else pd.NA for c in absent})
    if missing := [c for c in columns if c not in table]:
        raise ValueError(f"{name}: the columns {', '.join(missing)} are missing")
    table = table[list(columns)].astype(columns).reset_index(drop=True)
    _filled(table, columns, name)
    _in_range(table, columns, name)
    for column in ("path", "mask"):
        for path in table[column].dropna().unique():
            if not files.inside(path):
                raise ValueError(f"{name}: the path {path!r} leaves the dataset; paths are relative, without '..'")
    _one_split_a_group(table, name)
    return table


def _filled(table: pd.DataFrame, columns: dict[str, str], name: str) -> None:
    """Raise ValueError where a column is empty that must not be."""
    for column in [c for c in columns if c not in _MAY_BE_EMPTY]:
        empty = table[column].isna()
        if "face" in columns and column in _OF_A_CLIP:
            empty &= table["clip"].notna()
        if empty.any():
            raise ValueError(f"{name}: the column {column} is empty in row {int(empty.argmax()) + 1}")


def _in_range(table: pd.DataFrame, columns: dict[str, str], name: str) -> None:
    """Raise ValueError where a word or a number is none of those that its column may hold."""
    for column, words in (("label", LABELS), ("split", SPLITS)):
        if other := sorted(set(table[column]) - set(words)):
            raise ValueError(f"{name}: the column {column} holds {other[0]!r}; it may hold {', '.join(words)}")
    if not table["crf"].dropna().between(0, 51).all():
        raise ValueError(f"{name}: the column crf must lie between 0 and 51, or be empty where it is unknown")
    for column in set(columns) & _NEVER_NEGATIVE:
        if (wrong := table[column].dropna()[lambda values: ~values.between(0, _MOST)]).size:
            raise ValueError(f"{name}: the column {column} holds {wrong.iloc[0]:g}; it must lie between 0 and 2**53")


def check_links(table: pd.DataFrame, root: str | os.PathLike[str]) -> None:
    """Raise ValueError where a path of a checked table (columns path, mask) leaves `root` through a link.

    `root` itself may be a link, for example to another disk.
    """
    inside = [table[column].dropna().str.replace(r"(?<=\.tfrecord)#.*", "", regex=True) for column in ("path", "mask")]
    columns = [column.unique() for column in inside]  # few, where many pictures are pieces of one shard
    files.check_links([path for paths in columns for path in paths], Path(root), "--root")


def check_there(table: pd.DataFrame, root: str | os.PathLike[str]) -> None:
    """Raise ValueError where none of the clips or faces of a checked table is in `root`: another place is meant."""
    paths, root = table["path"].dropna().unique(), files.place(root)
    if not any(files.state(root, path) for path in paths):
        others = f", nor are the other {len(paths) - 1}" if len(paths) > 1 else ""
        if isinstance(root, str):
            raise ValueError(f"{root}/{paths[0]}: no such file{others}; name where the paths start with --root")
        places = [Path(), *root.absolute().parents]
        found = next((f"; it is in --root {place}" for place in places if (place / paths[0]).is_file()), "")
        way = "give the folder that the paths of the table start from with --root"
        raise ValueError(f"{root / paths[0]}: no such file{others}; {way}{found}")


def _one_split_a_group(table: pd.DataFrame, name: str) -> None:
    splits = table.groupby("group")["split"].nunique()
    if (splits > 1).any():
        group = splits.index[splits > 1][0]
        raise ValueError(f"{name}: the group {group!r} is in two splits, which would leak people: use split_by_group()")


def _unique(table: pd.DataFrame, key: list[str], name: str) -> None:
    if (double := table.duplicated(key)).any():
        values = table.loc[double.idxmax(), key].tolist()
        raise ValueError(f"{name}: two rows have the same {' and '.join(key)} {values}")
