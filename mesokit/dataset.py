"""From clips to a dataset of aligned faces on disk, and from there to batches for training.

    DATASET/dataset.json, clips.csv, faces.csv            what it is, and the two tables of `manifest`
    DATASET/faces/<crf>/<split>/<forged|real>/<clip>_f00012.png     aligned faces, 256x256 RGB
    DATASET/masks/<split>/<clip>_f00012.png               synthetic forgeries: the tampered region, in the same geometry

A clip is built whole or not at all: its images are moved into place together, and a row file in DATASET/.rows, written
last, says that they are. A run that was killed is repeated with the same command and does the rest.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from mesokit import __version__, faces, manifest, video
from mesokit.backend import tf
from mesokit.manifest import POINTS

SIZE = 256  # the paper's faces, pixels a side
_POINT_COLUMNS = [f"{point}_{c}" for point in POINTS for c in "xy"]


class Built(NamedTuple):
    """What became of one clip: its key, the number of faces written over all levels, and why there are none."""

    clip: str
    faces: int
    error: str | None


def build(
    clips: pd.DataFrame,
    root: Path,
    out: Path,
    frames: int = 30,
    min_face: int = 40,
    about: dict[str, Any] | None = None,
) -> Iterator[Built]:
    """Write the faces of `clips` (paths relative to `root`) into the dataset folder `out`; yields a `Built` per clip.

    `frames`: at most so many of each clip, evenly over its length; faces are sought on the least compressed level and
    cropped alike on all. The tables are written when the last clip is done, so exhaust the iterator. `about`: name,
    origin, licence, consent, command, seed, for dataset.json. A clip that cannot be used is yielded with its error.
    """
    clips = manifest.check_clips(clips)
    root, out = Path(root), Path(out)
    parameters = {"frames": frames, "min_face": min_face, "size": SIZE}
    rows: list[pd.DataFrame] = []
    measured: list[pd.DataFrame] = []
    failed: list[str] = []
    faces.load()
    # Threads, not processes: TensorFlow, OpenCV and FFmpeg leave Python's lock, and each process would load them anew.
    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        groups = {str(key): levels for key, levels in clips.groupby("clip", sort=True)}
        built = pool.map(lambda levels: _built(levels, root, out, parameters), groups.values())
        for key, (found, levels, error) in zip(groups, built, strict=True):
            if error is None:
                rows.append(found)
                measured.append(levels)
            else:
                failed.append(key)
            yield Built(key, len(found), error)
    finally:
        pool.shutdown(cancel_futures=True)
    shutil.rmtree(out / ".part", ignore_errors=True)
    if not rows:
        raise ValueError(f"{out}: no clip gave a face, so there is no dataset; the reasons are above")
    _finish(pd.concat(measured), pd.concat(rows), out, {**(about or {}), "parameters": parameters, "failed": failed})


def _built(
    levels: pd.DataFrame, root: Path, out: Path, parameters: dict[str, int]
) -> tuple[pd.DataFrame, pd.DataFrame, str | None]:
    """Build one clip unless it is there: its rows of faces.csv, its measured rows of clips.csv, what went wrong."""
    stamp = hashlib.sha256((levels.to_csv() + json.dumps(parameters)).encode()).hexdigest()[:12]
    done = out / ".rows" / f"{levels['clip'].iloc[0]}-{stamp}.csv"
    try:
        measured = _measure(levels, root)
        if not done.exists():
            _build_clip(measured, root, out, done, **parameters)
        return manifest.read_faces(done), measured, None
    except (ValueError, OSError) as error:
        return pd.DataFrame(), levels, str(error)


def read(root: str | os.PathLike[str]) -> pd.DataFrame:
    """The face table of the dataset in `root`, without the faces that a review rejected (`keep` is False)."""
    table = manifest.read_faces(Path(root) / "faces.csv")
    return table[table["keep"].astype(bool)].reset_index(drop=True)


def images(table: pd.DataFrame, root: str | os.PathLike[str], column: str = "path") -> np.ndarray:
    """The images of the rows of `table`: faces (n, size, size, 3) uint8 RGB, or for column="mask" (n, size, size)."""
    return np.stack([_read_png(Path(root) / path, gray=column == "mask") for path in table[column]])


def _read_png(path: Path, gray: bool) -> np.ndarray:
    data = np.fromfile(path, np.uint8)  # not cv2.imread, which crashes on some file names
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR_RGB) if len(data) else None
    if image is None:
        raise ValueError(f"{path}: not an image; build the dataset again")
    return image


def _write_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    assert ok
    data.tofile(path)


def _build_clip(levels: pd.DataFrame, root: Path, out: Path, done: Path, frames: int, min_face: int, size: int) -> None:
    """Crop one clip at all its levels and write the row file `done`."""
    levels = levels.sort_values("crf", na_position="last")
    first = levels.iloc[0]
    part = out / ".part" / first["clip"]
    shutil.rmtree(part, ignore_errors=True)
    indices = video.even_indices(int(levels["frames"].min()), frames)
    found = dict(
        zip(
            indices.tolist(),
            faces.follow((f.image for f in video.read_frames(root / first["path"], indices)), min_face),
            strict=True,
        )
    )
    found = {index: face for index, face in found.items() if face is not None}
    if not found:
        raise ValueError(
            f"{root / first['path']}: no face in any of {len(indices)} frames; drop the clip or lower min_face"
        )
    masks = _write_masks(first, root, part, found, size)
    rows = [row for level in levels.itertuples() for row in _crop_level(level, root, part, found, masks, size)]
    _move_into_place(part, out, first["clip"])
    manifest.save(manifest.check_faces(pd.DataFrame(rows), f"the faces of {first['clip']}"), done)


def _crop_level(level: Any, root: Path, part: Path, found: dict, masks: dict[int, str], size: int) -> Iterator[dict]:
    crf = "unknown" if pd.isna(level.crf) else str(level.crf)
    for frame in video.read_frames(root / level.path, np.array(sorted(found))):
        face = found[frame.index]
        crop = faces.align(frame.image, face, size)
        name = f"{level.clip}_f{frame.index:05d}"
        path = f"faces/{crf}/{level.split}/{level.label}/{name}.png"
        _write_png(part / path, crop)
        yield {
            "face": f"{name}_{crf}", "clip": level.clip, "frame": frame.index, "time": round(frame.time, 6),
            "keyframe": frame.keyframe, "confidence": round(face.confidence, 4), "sharpness": round(sharpness(crop), 3),
            **{f"box_{c}": round(v, 2) for c, v in zip("xywh", face.box, strict=True)},
            **{column: round(float(v), 2) for column, v in zip(_POINT_COLUMNS, face.landmarks.ravel(), strict=True)},
            "path": path, "mask": masks.get(frame.index, pd.NA), "keep": True,
            "label": level.label, "method": level.method, "identity": level.identity, "group": level.group,
            "split": level.split, "crf": level.crf,
        }  # fmt: skip


def _write_masks(clip: Any, root: Path, part: Path, found: dict, size: int) -> dict[int, str]:
    """Crop the mask video of a clip as its faces are cropped; frame index -> path in the dataset."""
    if pd.isna(clip["mask"]):
        return {}
    paths = {}
    for frame in video.read_frames(root / clip["mask"], np.array(sorted(found))):
        name = f"{clip['clip']}_f{frame.index:05d}"
        paths[frame.index] = f"masks/{clip['split']}/{name}.png"
        _write_png(part / paths[frame.index], faces.align(frame.image[..., 0], found[frame.index], size))
    return paths


def _move_into_place(part: Path, out: Path, clip: str) -> None:
    for old in [*out.glob(f"faces/*/*/*/{clip}_f*.png"), *out.glob(f"masks/*/{clip}_f*.png")]:
        if old.stem.removeprefix(f"{clip}_f").isdigit():  # of a run with other parameters, or one killed right here
            old.unlink()
    for file in sorted(part.rglob("*.png")):
        target = out / file.relative_to(part)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    shutil.rmtree(part)


def sharpness(image: np.ndarray) -> float:
    """Variance of the Laplacian of an (h, w, 3) uint8 RGB image, in gray levels squared: the usual blur meter."""
    return float(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def _measure(levels: pd.DataFrame, root: Path) -> pd.DataFrame:
    """The clip rows with what their files say of themselves."""
    levels = levels.copy()
    for row in levels.itertuples():
        info = video.probe(root / row.path)
        values = [round(info.fps, 4), info.frames, info.width, info.height, manifest.sha256(root / row.path)]
        levels.loc[row.Index, ["fps", "frames", "width", "height", "sha256"]] = values
    return levels


def _finish(clips: pd.DataFrame, found: pd.DataFrame, out: Path, about: dict[str, Any]) -> None:
    clips = manifest.check_clips(clips.sort_values(["clip", "crf"]))
    found = manifest.check_faces(found.sort_values(["clip", "crf", "frame"]))
    manifest.save(clips, out / "clips.csv")
    manifest.save(found, out / "faces.csv")
    counts = {"clips": len(clips), "faces": len(found)}
    for split, rows in found.groupby("split"):
        counts[f"faces_{split}"] = len(rows)
    about = {**about, "counts": counts, "version": __version__}
    about["sha256"] = {name: manifest.sha256(out / name) for name in ("clips.csv", "faces.csv")}
    manifest.write_json(about, out / "dataset.json")


@dataclass(frozen=True)
class Augmentation:
    """Magnitudes of the paper's light random augmentation; each is drawn uniformly for each face."""

    zoom: float = 0.2  # scale between 1 - zoom and 1 + zoom
    rotation: float = 15.0  # degrees, both ways
    flip: bool = True  # left and right, half of the time
    brightness: float = 0.2  # pixels times 1 - brightness to 1 + brightness
    hue: float = 0.05  # turn of the colours around the gray axis (YIQ), in full turns, both ways


def batches(table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 32) -> tf.data.Dataset:
    """The faces of `table`, once and in order: pairs (b, size, size, 3) float32 in [0, 1], (b, 1) float32 real = 1."""
    return _loaded(_rows(table, root)).batch(batch).prefetch(2)


def training_batches(
    table: pd.DataFrame, root: str | os.PathLike[str], batch: int, augmentation: Augmentation | None, seed: int
) -> tf.data.Dataset:
    """Endless shuffled batches, augmented: as `batches`. The same seed gives the same batches."""
    rows = _rows(table, root).shuffle(len(table), seed=seed, reshuffle_each_iteration=True).repeat()
    data = _loaded(rows).batch(batch, drop_remainder=True)
    if augmentation is not None:  # each batch has its own seed: the result does not depend on which thread comes first
        numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(), data)
        data = numbered.map(
            lambda n, pair: (augment(pair[0], augmentation, tf.stack([tf.constant(seed, tf.int64), n])), pair[1]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    return data.prefetch(2)


def _rows(table: pd.DataFrame, root: str | os.PathLike[str]) -> tf.data.Dataset:
    if table.empty:
        raise ValueError("no faces to read: the query for method, split and crf matches no row of the face table")
    paths = [str(Path(root) / path) for path in table["path"]]
    return tf.data.Dataset.from_tensor_slices((paths, (table["label"] == "real").to_numpy(np.float32)[:, None]))


def _loaded(rows: tf.data.Dataset) -> tf.data.Dataset:
    def load(path, label):
        image = tf.io.decode_png(tf.io.read_file(path), channels=3)
        image = tf.ensure_shape(image, (SIZE, SIZE, 3))
        return tf.image.convert_image_dtype(image, tf.float32), label

    return rows.map(load, num_parallel_calls=tf.data.AUTOTUNE)


def augment(faces_: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """A random variant of each of a batch of faces (b, h, w, 3) float32 in [0, 1]; `seed`: (2,) integers."""
    height, width = faces_.shape[1:3]
    draws = tf.random.stateless_uniform((5, tf.shape(faces_)[0]), seed, -1.0, 1.0)
    scale = 1 / (1 + augmentation.zoom * draws[0])
    angle = augmentation.rotation * np.pi / 180 * draws[1]
    mirror = tf.where(draws[2] < 0, -1.0, 1.0) if augmentation.flip else tf.ones_like(scale)
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    a, b, c, d = (
        mirror * cos,
        -sin,
        mirror * sin,
        cos,
    )  # from a point of the result to one of the face, about the middle
    x, y = (width - 1) / 2, (height - 1) / 2
    zero = tf.zeros_like(a)
    transforms = tf.stack([a, b, x - a * x - b * y, c, d, y - c * x - d * y, zero, zero], axis=1)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=faces_,
        transforms=transforms,
        output_shape=(height, width),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    bright = moved * (1 + augmentation.brightness * draws[3])[:, None, None, None]
    return tf.clip_by_value(_turn_hue(bright, 2 * np.pi * augmentation.hue * draws[4]), 0.0, 1.0)


_RGB_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], np.float32)


def _turn_hue(images_: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    """Turn the colours of each image (b, h, w, 3) by `angle` (b,) radians around the gray axis: one 3x3 matrix each."""
    one, zero = tf.ones_like(angle), tf.zeros_like(angle)
    cos, sin = tf.cos(angle), tf.sin(angle)
    turn = tf.reshape(tf.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], axis=1), (-1, 3, 3))
    matrix = np.linalg.inv(_RGB_TO_YIQ) @ turn @ _RGB_TO_YIQ
    return tf.einsum("bhwc,bdc->bhwd", images_, matrix)
