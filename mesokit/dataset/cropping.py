"""The faces of one clip: choose frames, find them on the least compressed level, cut them out of all levels alike."""

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
# Columns of people.csv, with a row for each person of a clip that shows several. person: 0 is the one seen longest, the
# others are counted in order of appearance, and it is empty for people on too few frames; frames: how many show the
# face, from `first` to `last`; kept: whether faces.csv has the person; reason: why not.
PEOPLE = ("clip", "person", "frames", "first", "last", "kept", "reason")


@dataclass(frozen=True)
class Parameters:
    """How faces are taken from a clip."""

    frames: int = 30
    min_face: int = 40
    size: int = SIZE
    sampling: str = "even"
    people: str = "longest"  # the person seen longest, or "all"

    def check(self) -> None:
        """Raise ValueError where a value is impossible."""
        if self.frames < 1:
            raise ValueError(f"frames is {self.frames}; give at least 1")
        if self.min_face < faces.SMALLEST:
            raise ValueError(f"min_face is {self.min_face}; give at least {faces.SMALLEST} pixels")
        if self.sampling not in SAMPLINGS:
            raise ValueError(f"no sampling is called {self.sampling!r}; there are {', '.join(SAMPLINGS)}")
        if self.people not in ("longest", "all"):
            raise ValueError(f"people is {self.people!r}; it may be longest or all")


def crop(
    levels: pd.DataFrame, root: Path, part: Path, parameters: Parameters
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Write the face and mask images of one clip into the folder `part`.

    Returns the rows of the face table, and where the clip shows several people, a row of people.csv for each.
    `levels`: the clip's rows of the clip table, with their numbers of frames. Raises ValueError where no face is found.
    """
    levels = levels.sort_values("crf", na_position="last")
    first = levels.iloc[0]
    found, frames, people = _find(first, root, int(levels["frames"].min()), parameters)
    rows: list[dict[str, Any]] = []
    masks = _write_masks(first, root, part, found, parameters.size)
    for level in levels.itertuples():
        cut = _crop_level(level, frames, root, part, found, masks, parameters)
        rows += sorted(cut, key=lambda row: row["person"])
        frames = []  # they belong to the first level only
    return rows, [{"clip": first["clip"], **person} for person in people]


_People = list[dict[int, faces.Face]]  # the faces of each person who is kept, by frame index


def _find(
    first: Any, root: Path, n_frames: int, parameters: Parameters
) -> tuple[_People, list[video.Frame], list[dict[str, Any]]]:
    """The people of a clip who are kept, from its least compressed level `first`.

    Also returns the decoded frames, or an empty list where they are larger than `KEPT`, and the rows of people.csv
    without their clip. Raises ValueError where no frame has a face, and where everybody is seen too shortly.
    """
    path = root / first["path"]
    chosen = SAMPLINGS[parameters.sampling](path, n_frames, parameters.frames)
    indices = chosen[chosen < n_frames]  # another level may be shorter
    frames: list[video.Frame] = []
    few = len(indices) * int(first["width"]) * int(first["height"]) * 3 <= KEPT
    following = faces.Following(parameters.min_face)
    for shot, frame in scenes.shots(path, indices):
        following.look(frame.image, shot)
        if few:
            frames.append(frame)
        del frame  # before the next one comes
    main, n = following.longest(), following.n
    if main is None:
        if seen := max(following.people(), key=lambda track: len(track.faces), default=None):
            what = f"a face in {len(seen.faces)} of {n} frames, and at least {following.needed(seen)} are needed"
            raise ValueError(f"{path}: {what}; drop the clip or take more frames")
        raise ValueError(f"{path}: no face in any of {n} frames; drop the clip or lower min_face")
    lasting = [main, *(track for track in following.lasting() if track is not main)]
    kept = lasting if parameters.people == "all" else [main]
    rows = [_person(track, indices, lasting, kept, following) for track in following.people()]
    found = [{int(indices[i]): face for i, face in track.faces.items()} for track in kept]
    return found, frames, rows if len(rows) > 1 else []


def _person(
    track: faces.Track, indices: np.ndarray, lasting: list[faces.Track], kept: list[faces.Track], clip: faces.Following
) -> dict[str, Any]:
    """A row of people.csv without its clip."""
    reason = ""
    if track not in lasting:
        reason = f"seen on {len(track.faces)} of {clip.n} frames, and at least {clip.needed(track)} are needed"
    elif track not in kept:
        reason = "not the person seen longest; --people all keeps everybody"
    return {
        "person": lasting.index(track) if track in lasting else None,
        "frames": len(track.faces), "first": int(indices[track.first]), "last": int(indices[track.last]),
        "kept": track in kept, "reason": reason,
    }  # fmt: skip


def _name(clip: str, frame: int, person: int) -> str:
    """What the images of a face are called, without the level."""
    return f"{clip}_f{frame:05d}{f'_p{person}' if person else ''}"


def _crop_level(
    level: Any,
    frames: list[video.Frame],
    root: Path,
    part: Path,
    found: _People,
    masks: dict[tuple[int, int], str],
    parameters: Parameters,
) -> Iterator[dict[str, Any]]:
    """Write the faces of one level and yield their rows. Decodes the level where `frames` is empty."""
    crf = "unknown" if pd.isna(level.crf) else str(level.crf)
    for frame in frames or video.read_frames(root / level.path, np.array(sorted(set().union(*found)))):
        for person, seen in enumerate(found):
            if frame.index not in seen:
                continue
            face = seen[frame.index]
            cut = faces.align(frame.image, face, parameters.size)
            name = _name(level.clip, frame.index, person)
            path = f"faces/{crf}/{level.split}/{level.label}/{name}.png"
            write_png(part / path, cut)
            yield {
                "face": f"{name}_{crf}", "clip": level.clip, "frame": frame.index, "time": round(frame.time, 6),
                "keyframe": frame.keyframe, "confidence": round(face.confidence, 4),
                "sharpness": round(sharpness(cut), 3),
                **{f"box_{c}": round(v, 2) for c, v in zip("xywh", face.box, strict=True)},
                **{c: round(float(v), 2) for c, v in zip(_POINT_COLUMNS, face.landmarks.ravel(), strict=True)},
                "path": path, "mask": masks.get((person, frame.index), pd.NA), "keep": True,
                "label": level.label, "method": level.method, "identity": level.identity, "group": level.group,
                "split": level.split, "crf": level.crf, "person": person,
            }  # fmt: skip


def _write_masks(first: Any, root: Path, part: Path, found: _People, size: int) -> dict[tuple[int, int], str]:
    """Crop the mask video of a clip with the geometry of its faces; returns the path of each by person and frame."""
    if pd.isna(first["mask"]):
        return {}
    paths = {}
    for frame in video.read_frames(root / first["mask"], np.array(sorted(set().union(*found)))):
        for person, seen in enumerate(found):
            if frame.index in seen:
                path = f"masks/{first['split']}/{_name(first['clip'], frame.index, person)}.png"
                write_png(part / path, faces.align(frame.image[..., 0], seen[frame.index], size))
                paths[person, frame.index] = path
    return paths
