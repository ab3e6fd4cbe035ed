"""One clip: choose frames, find its face, crop all its levels alike, put everything into place.

A clip is built whole or not at all. Its images are written in DATASET/.part and moved; then its rows are written in
DATASET/.rows, and last a record that says so: what became of the clip, and which files it was made from. A run that
was killed is repeated with the same command and does the rest; a clip whose file has changed, or that lacks an image,
is built again.
"""

import csv
import hashlib
import json
import secrets
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mesokit import faces, files, video
from mesokit.dataset import manifest
from mesokit.dataset.manifest import POINTS
from mesokit.dataset.pictures import SIZE, sharpness, write_png
from mesokit.video import scenes

KEPT = 64_000_000  # bytes of frames that are kept between finding faces and cropping them, or read again
_POINT_COLUMNS = [f"{point}_{c}" for point in POINTS for c in "xy"]


class Built(NamedTuple):
    """What became of one clip: its key, the number of faces written over all levels, and why there are none."""

    clip: str
    faces: int
    error: str | None


def _even(path: Path, n_frames: int, frames: int) -> np.ndarray:
    return video.even_indices(n_frames, frames)


def _scenes(path: Path, n_frames: int, frames: int) -> np.ndarray:
    return scenes.indices(scenes.detect(path), frames)


def _keyframes(path: Path, n_frames: int, frames: int) -> np.ndarray:
    keys = video.keyframes(path)
    return keys[video.even_indices(len(keys), frames)]


# Which frames: (path, frames in the clip, frames wanted) -> indices, sorted.
SAMPLINGS: dict[str, Callable[[Path, int, int], np.ndarray]] = {
    "even": _even,  # so many of each clip, evenly over its length
    "scenes": _scenes,  # so many of each scene: in proportion to the changes of camera and light, as in the paper
    "keyframes": _keyframes,  # so many of each clip's keyframes, the frames that were coded alone
}


@dataclass(frozen=True)
class Parameters:
    """How faces are taken from a clip."""

    frames: int = 30
    min_face: int = 40
    size: int = SIZE
    sampling: str = "even"

    def check(self) -> None:
        """Raise ValueError for what cannot be, before hours of work."""
        if self.frames < 1:
            raise ValueError(f"frames is {self.frames}; give at least 1")
        if self.min_face < faces.SMALLEST:
            raise ValueError(f"min_face is {self.min_face}; give at least {faces.SMALLEST} pixels")
        if self.sampling not in SAMPLINGS:
            raise ValueError(f"no sampling is called {self.sampling!r}; there are {', '.join(SAMPLINGS)}")

    def stamp(self, levels: pd.DataFrame) -> str:
        """What distinguishes the result from that of other parameters or other rows of the clip table."""
        said = {name: value for name, value in asdict(self).items() if (name, value) != ("sampling", "even")}
        return hashlib.sha256((levels.to_csv() + json.dumps(said)).encode()).hexdigest()[:12]


class Place(NamedTuple):
    """Where one clip's results lie: the row file and the record beside it."""

    rows: Path
    record: Path


def place(levels: pd.DataFrame, out: Path, parameters: Parameters) -> Place:
    """The place of a clip in the dataset folder `out`."""
    rows = out / ".rows" / f"{levels['clip'].iloc[0]}-{parameters.stamp(levels)}.csv"
    return Place(rows, rows.with_suffix(".json"))


def build(
    levels: pd.DataFrame, root: Path, out: Path, parameters: Parameters, retry: bool = False, limit: int | None = None
) -> Built:
    """Build one clip unless it is there; what is wrong with it is recorded and returned, not raised.

    `retry`: try again what failed before. `limit`: seconds after which this process ends, wherever it hangs; for
    processes that do one clip at a time. Raises: OSError where `out` cannot be written (a full disk).
    """
    if limit is None or not hasattr(signal, "setitimer"):
        return _built(levels, root, out, parameters, retry)
    signal.setitimer(signal.ITIMER_REAL, limit)  # its signal ends the process also where FFmpeg hangs in C
    try:
        return _built(levels, root, out, parameters, retry)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _built(levels: pd.DataFrame, root: Path, out: Path, parameters: Parameters, retry: bool) -> Built:
    key, at, seen = str(levels["clip"].iloc[0]), place(levels, out, parameters), _files(levels, root)
    record = files.read_json(at.record) if at.record.exists() else None
    whole = _whole(at.rows, out)
    if record and record["files"] == seen and (whole if record["error"] is None else not retry):
        return Built(key, record["faces"], record["error"])
    n, error = 0, None
    rows: list[dict[str, Any]] = []
    if record:  # its file has changed: images that the new ones do not replace must go
        (out / ".part" / f"{key}-again").mkdir(parents=True, exist_ok=True)
    try:
        measured = measure(levels, root)
        again = record or not whole
        n = _build(measured, root, out, at.rows, parameters) if again else len(manifest.read_faces(at.rows))
        rows = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in measured.to_dict("records")]
    except ValueError as problem:  # of this clip; an OSError is one of the folder
        error = str(problem)
    files.write_json({"files": seen, "faces": n, "error": error, "clips": rows}, at.record)
    return Built(key, n, error)


def _whole(rows: Path, out: Path) -> bool:
    """Whether a row file and each image that it names are there. A stat each, and no reading: there may be millions."""
    try:
        with rows.open(encoding="utf-8", newline="") as file:
            names = {row[column] for row in csv.DictReader(file) for column in ("path", "mask")} - {""}
        return all((out / name).is_file() for name in names)
    except (OSError, ValueError, KeyError, TypeError, csv.Error):  # whatever it is, it is no row file
        return False


def give_up(levels: pd.DataFrame, root: Path, out: Path, parameters: Parameters) -> Built:
    """Record that a clip failed where `build` could not: its process died each time."""
    why = "its process died or hung each time it was read (the decoder, or too little memory); re-encode it"
    error = f"{root / levels['path'].iloc[0]}: {why}"
    record = {"files": _files(levels, root), "faces": 0, "error": error, "clips": []}
    files.write_json(record, place(levels, out, parameters).record)
    return Built(str(levels["clip"].iloc[0]), 0, error)


def _files(levels: pd.DataFrame, root: Path) -> dict[str, list[int] | None]:
    """Size and time of change of each file of a clip, None for one that is not there."""
    found: dict[str, list[int] | None] = {}
    for path in [*levels["path"], *levels["mask"].dropna().unique()]:
        try:
            status = (root / path).stat()
            found[path] = [status.st_size, status.st_mtime_ns]
        except (OSError, ValueError):
            found[path] = None
    return found


def measure(levels: pd.DataFrame, root: Path) -> pd.DataFrame:
    """The rows of a clip with what their files say of themselves."""
    levels = levels.copy()
    for row in levels.itertuples():
        known = manifest.measured(root / row.path)
        levels.loc[row.Index, list(known)] = list(known.values())
    return levels


def _build(levels: pd.DataFrame, root: Path, out: Path, rows: Path, parameters: Parameters) -> int:
    """Crop one clip at all its levels and write the row file; returns its number of rows."""
    levels = levels.sort_values("crf", na_position="last")
    first = levels.iloc[0]
    found, frames = _find(first, root, int(levels["frames"].min()), parameters)
    part = out / ".part" / f"{first['clip']}-{secrets.token_hex(4)}"  # a lost worker's twin may be at the same clip
    masks = _write_masks(first, root, part, found, parameters.size)
    crops: list[dict[str, Any]] = []
    for level in levels.itertuples():
        crops += _crop_level(level, frames, root, part, found, masks, parameters)
        frames = []  # those of the first level
    for file in sorted(part.rglob("*.png")):
        target = out / file.relative_to(part)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    manifest.save(manifest.check_faces(pd.DataFrame(crops), f"the faces of {first['clip']}"), rows)
    shutil.rmtree(part)  # last: as long as it is there, images of this clip may have no row
    return len(crops)


def _find(
    first: Any, root: Path, n_frames: int, parameters: Parameters
) -> tuple[dict[int, faces.Face], list[video.Frame]]:
    """The main face of a clip by frame, sought on its least compressed level. Raises ValueError where there is none.

    Returns the frames that were read, too, or none where they are more than `KEPT`.
    """
    path = root / first["path"]
    chosen = SAMPLINGS[parameters.sampling](path, n_frames, parameters.frames)
    indices = chosen[chosen < n_frames]  # another level may be shorter
    frames: list[video.Frame] = []
    few = len(indices) * int(first["width"]) * int(first["height"]) * 3 <= KEPT

    def images() -> Iterator[np.ndarray]:
        for frame in video.read_frames(path, indices):
            if few:
                frames.append(frame)
            yield frame.image

    followed = faces.follow(images(), parameters.min_face)
    found = {i: face for i, face in zip(indices.tolist(), followed, strict=True) if face is not None}
    if not found:
        raise ValueError(f"{path}: no face in any of {len(indices)} frames; drop the clip or lower min_face")
    return found, frames


def _crop_level(
    level: Any,
    frames: list[video.Frame],
    root: Path,
    part: Path,
    found: dict[int, faces.Face],
    masks: dict[int, str],
    parameters: Parameters,
) -> Iterator[dict[str, Any]]:
    """Crop the faces of one level, from `frames` if there are any, and yield their rows."""
    crf = "unknown" if pd.isna(level.crf) else str(level.crf)
    for frame in frames or video.read_frames(root / level.path, np.array(sorted(found))):
        if frame.index not in found:
            continue
        face = found[frame.index]
        crop = faces.align(frame.image, face, parameters.size)
        name = f"{level.clip}_f{frame.index:05d}"
        path = f"faces/{crf}/{level.split}/{level.label}/{name}.png"
        write_png(part / path, crop)
        yield {
            "face": f"{name}_{crf}", "clip": level.clip, "frame": frame.index, "time": round(frame.time, 6),
            "keyframe": frame.keyframe, "confidence": round(face.confidence, 4), "sharpness": round(sharpness(crop), 3),
            **{f"box_{c}": round(v, 2) for c, v in zip("xywh", face.box, strict=True)},
            **{column: round(float(v), 2) for column, v in zip(_POINT_COLUMNS, face.landmarks.ravel(), strict=True)},
            "path": path, "mask": masks.get(frame.index, pd.NA), "keep": True,
            "label": level.label, "method": level.method, "identity": level.identity, "group": level.group,
            "split": level.split, "crf": level.crf,
        }  # fmt: skip


def _write_masks(clip: Any, root: Path, part: Path, found: dict[int, faces.Face], size: int) -> dict[int, str]:
    """Crop the mask video of a clip as its faces are cropped; frame index -> path in the dataset."""
    if pd.isna(clip["mask"]):
        return {}
    paths = {}
    for frame in video.read_frames(root / clip["mask"], np.array(sorted(found))):
        name = f"{clip['clip']}_f{frame.index:05d}"
        paths[frame.index] = f"masks/{clip['split']}/{name}.png"
        write_png(part / paths[frame.index], faces.align(frame.image[..., 0], found[frame.index], size))
    return paths
