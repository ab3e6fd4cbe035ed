"""The faces of one clip: choose frames, find the face on the least compressed level, cut it out of all levels alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mesokit import faces, video
from mesokit.dataset.manifest import POINTS
from mesokit.dataset.pictures import SIZE, sharpness, write_png
from mesokit.video import scenes

KEPT = 64_000_000  # bytes: frames of a longer clip are decoded again for cropping instead of being kept
_POINT_COLUMNS = [f"{point}_{c}" for point in POINTS for c in "xy"]


def _even(path: Path, n_frames: int, frames: int) -> np.ndarray:
    return video.even_indices(n_frames, frames)


def _scenes(path: Path, n_frames: int, frames: int) -> np.ndarray:
    return scenes.indices(scenes.detect(path), frames)


def _keyframes(path: Path, n_frames: int, frames: int) -> np.ndarray:
    keys = video.keyframes(path)
    return keys[video.even_indices(len(keys), frames)]


# Which frames to take: (path, frames in the clip, frames wanted) -> indices, sorted.
SAMPLINGS: dict[str, Callable[[Path, int, int], np.ndarray]] = {
    "even": _even,  # evenly spread over the clip
    "scenes": _scenes,  # the wanted number from each scene, so that each camera position and light is there (the paper)
    "keyframes": _keyframes,  # evenly spread over the keyframes, which are coded without reference to other frames
}


@dataclass(frozen=True)
class Parameters:
    """How faces are taken from a clip."""

    frames: int = 30
    min_face: int = 40
    size: int = SIZE
    sampling: str = "even"

    def check(self) -> None:
        """Raise ValueError where a value is impossible."""
        if self.frames < 1:
            raise ValueError(f"frames is {self.frames}; give at least 1")
        if self.min_face < faces.SMALLEST:
            raise ValueError(f"min_face is {self.min_face}; give at least {faces.SMALLEST} pixels")
        if self.sampling not in SAMPLINGS:
            raise ValueError(f"no sampling is called {self.sampling!r}; there are {', '.join(SAMPLINGS)}")


def crop(levels: pd.DataFrame, root: Path, part: Path, parameters: Parameters) -> list[dict[str, Any]]:
    """Write the face and mask images of one clip into the folder `part`; returns the rows of the face table.

    `levels`: the clip's rows of the clip table, with their numbers of frames. Raises ValueError where no face is found.
    """
    levels = levels.sort_values("crf", na_position="last")
    first = levels.iloc[0]
    found, frames = _find(first, root, int(levels["frames"].min()), parameters)
    masks = _write_masks(first, root, part, found, parameters.size)
    rows: list[dict[str, Any]] = []
    for level in levels.itertuples():
        rows += _crop_level(level, frames, root, part, found, masks, parameters)
        frames = []  # they belong to the first level only
    return rows


def _find(
    first: Any, root: Path, n_frames: int, parameters: Parameters
) -> tuple[dict[int, faces.Face], list[video.Frame]]:
    """The main face of a clip in each frame, by frame index, from its least compressed level `first`.

    Also returns the decoded frames, or an empty list where they are larger than `KEPT`. Raises ValueError where no
    frame has a face.
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
    """Write the faces of one level and yield their rows. Decodes the level where `frames` is empty."""
    crf = "unknown" if pd.isna(level.crf) else str(level.crf)
    for frame in frames or video.read_frames(root / level.path, np.array(sorted(found))):
        if frame.index not in found:
            continue
        face = found[frame.index]
        cut = faces.align(frame.image, face, parameters.size)
        name = f"{level.clip}_f{frame.index:05d}"
        path = f"faces/{crf}/{level.split}/{level.label}/{name}.png"
        write_png(part / path, cut)
        yield {
            "face": f"{name}_{crf}", "clip": level.clip, "frame": frame.index, "time": round(frame.time, 6),
            "keyframe": frame.keyframe, "confidence": round(face.confidence, 4), "sharpness": round(sharpness(cut), 3),
            **{f"box_{c}": round(v, 2) for c, v in zip("xywh", face.box, strict=True)},
            **{column: round(float(v), 2) for column, v in zip(_POINT_COLUMNS, face.landmarks.ravel(), strict=True)},
            "path": path, "mask": masks.get(frame.index, pd.NA), "keep": True,
            "label": level.label, "method": level.method, "identity": level.identity, "group": level.group,
            "split": level.split, "crf": level.crf,
        }  # fmt: skip


def _write_masks(first: Any, root: Path, part: Path, found: dict[int, faces.Face], size: int) -> dict[int, str]:
    """Crop the mask video of a clip with the geometry of its faces; returns the path of each mask by frame index."""
    if pd.isna(first["mask"]):
        return {}
    paths = {}
    for frame in video.read_frames(root / first["mask"], np.array(sorted(found))):
        name = f"{first['clip']}_f{frame.index:05d}"
        paths[frame.index] = f"masks/{first['split']}/{name}.png"
        write_png(part / paths[frame.index], faces.align(frame.image[..., 0], found[frame.index], size))
    return paths
