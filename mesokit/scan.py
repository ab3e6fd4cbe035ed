"""Judge clips and photographs: from a file to a verdict with its reasons.

A teaching tool for the forgeries of 2018, not a detector to rely on: a verdict is the output of one small network, and
`abstain` means that there was no face to judge.
"""

import base64
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from mesokit import evaluation, faces, video
from mesokit.dataset import indexing
from mesokit.evaluation import Score, baselines

SUFFIXES = video.CLIP_SUFFIXES | (video.PHOTO_SUFFIXES - {".tif", ".tiff"})
_ALIGNED = 0.8  # a square image is a crop if its face's crop takes this share of it; the authors' faces: 0.83 to 1.03
_LIMIT = 3600  # seconds for the decoder of one clip, as in extract_faces.py
_RANGED = ("box_h", "sharpness")  # columns of faces.csv that `known_range` and `doubts` compare
CAVEAT = "A teaching tool for the forgeries of 2018: do not rely on its verdicts."


@dataclass(frozen=True)
class Judged:
    """The verdict on one file, and what it rests on."""

    path: str
    verdict: str  # real, forged, abstain or error
    reason: str
    p_real: float | None = None
    frames: list[dict[str, Any]] = field(default_factory=list)  # frame, time (s), p_real, box (x, y, w, h), confidence
    crops: np.ndarray = field(default_factory=lambda: np.empty((0, 1, 1, 3), np.uint8))  # (n, size, size, 3), RGB

    def record(self) -> dict[str, Any]:
        """The entry of `scan --json`."""
        p_forged = None if self.p_real is None else 1 - self.p_real
        known = {"path": self.path, "verdict": self.verdict, "reason": self.reason}
        return known | {"p_real": self.p_real, "p_forged": p_forged, "frames": self.frames}


def find(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """The given files, and for each given folder the clips and photographs below it, sorted."""
    for path in map(Path, paths):
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            yield from sorted(p for p in inside if p.is_file())
        else:
            yield path


def left_out(paths: Iterable[str | os.PathLike[str]]) -> list[str]:
    """A line for each reason why files in the given folders are not judged: how many, and some of them."""
    findings: indexing.Findings = []
    for folder in filter(Path.is_dir, map(Path, paths)):
        used = [path.relative_to(folder).as_posix() for path in find([folder])]
        indexing.unused(folder, map(indexing.shown, used), findings, "not a file, or a link to nothing", SUFFIXES)
    return indexing.summary(indexing.found(findings))


def judge(
    path: str | os.PathLike[str],
    score: Score,
    size: int = 256,
    frames: int = 30,
    rule: str = "mean",
    threshold: float = 0.5,
    min_face: int = 40,
) -> Judged:
    """The verdict on one clip or photograph; a file that cannot be read gives the verdict `error`.

    `score`: from `evaluation.scorer`, of a network that takes `size` pixels. `frames`: the maximum number of frames,
    spread evenly over the clip. The clip is decoded in a separate process: a crash or a hang there gives the verdict
    `error`, too. `rule`: a key of `evaluation.RULES`. Forged when p_real <= `threshold`. Faces below `min_face` pixels
    are not judged. Raises ValueError for wrong arguments.
    """
    aggregate = evaluation.rule(rule)
    try:
        looked, found, skipped = _faces(Path(path), frames, min_face)
    except (ValueError, OSError) as error:
        return Judged(str(path), "error", str(error))
    note = f"; {skipped} frames before the first key frame cannot be decoded and were skipped" if skipped else ""
    if not found:
        where = "in it" if looked == 1 else f"in any of {looked} frames"
        return Judged(str(path), "abstain", f"no face of at least {min_face} pixels {where}{note}")
    crops = np.stack([_crop(frame.image, face, size) for frame, face in found])
    p_real = score(crops)
    rows = [_row(frame, face, p) for (frame, face), p in zip(found, p_real, strict=True)]
    value = aggregate(p_real)
    verdict = "real" if value > threshold else "forged"
    what = "p_real of its face" if looked == 1 else f"{rule} of p_real over the face in {len(found)} of {looked} frames"
    reason = f"{what} is {value:.3f}, threshold {threshold:g}{note}"
    return Judged(str(path), verdict, reason, round(value, 6), rows, crops)


def light(one: Judged) -> Judged:
    """The same with only the crop that a page shows, so that a folder of any size fits into memory."""
    if not len(one.crops):
        return one
    return replace(one, crops=one.crops[[_middle(one)]].copy())


def _middle(one: Judged) -> int:
    """The index of the face with the median score."""
    return int(np.argsort([row["p_real"] for row in one.frames])[len(one.frames) // 2])


def _faces(path: Path, frames: int, min_face: int) -> tuple[int, list[tuple[video.Frame, faces.Face]], int]:
    """The number of frames that were read; those with a face, each with its face; the number of skipped frames."""
    if video.is_image(path):
        image = video.read_image(path)
        face = faces.main_face(faces.detect(image, min_face))
        return 1, [] if face is None else [(video.Frame(0, 0.0, True, image), face)], 0
    taken, skipped = video.read_apart(path, frames, _LIMIT)
    found = faces.follow([frame.image for frame in taken], min_face)
    return len(taken), [(frame, face) for frame, face in zip(taken, found, strict=True) if face is not None], skipped


def _crop(image: np.ndarray, face: faces.Face, size: int) -> np.ndarray:
    """The aligned face; an image that is an aligned face already, as in public face datasets, is only resized."""
    height, width = image.shape[:2]
    if height == width and faces.square(face)[2] >= _ALIGNED * width:
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if width > size else cv2.INTER_CUBIC)
    return faces.align(image, face, size)


def _row(frame: video.Frame, face: faces.Face, p_real: float) -> dict[str, Any]:
    return {
        "frame": int(frame.index),
        "time": round(float(frame.time), 4),
        "p_real": round(float(p_real), 6),
        "box": [round(float(v), 1) for v in face.box],
        "confidence": round(float(face.confidence), 4),
    }


def page(judged: list[Judged], weights: str, rule: str, threshold: float) -> str:
    """A self-contained HTML page of the verdicts; untrusted text is escaped."""
    import jinja2

    environment = jinja2.Environment(loader=jinja2.PackageLoader("mesokit"), autoescape=True, trim_blocks=True)
    clips = [{"it": one, "image": _thumbnail(one), "line": _timeline(one)} for one in judged]
    template = environment.get_template("scan.html")
    return template.render(clips=clips, weights=weights, rule=rule, threshold=threshold, caveat=CAVEAT)


def _thumbnail(one: Judged) -> str | None:
    """The face with the median score, as a data URL."""
    if not len(one.crops):
        return None
    middle = one.crops[_middle(one) if len(one.crops) == len(one.frames) else 0]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(cv2.resize(middle, (128, 128)), cv2.COLOR_RGB2BGR))
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def _timeline(one: Judged) -> str | None:
    """The points of an SVG line of p_real over time in a box of 200 x 40."""
    if len(one.frames) < 2:
        return None
    last = max(row["time"] for row in one.frames) or math.inf
    return " ".join(f"{200 * row['time'] / last:.1f},{40 - 40 * row['p_real']:.1f}" for row in one.frames)


def known_range(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """The 1st and 99th percentile of box_h and sharpness of `table` (rows of faces.csv)."""
    return {name: (float(table[name].quantile(0.01)), float(table[name].quantile(0.99))) for name in _RANGED}


def doubts(judged: Judged, known: Mapping[str, tuple[float, float]], threshold: float = 0.5) -> list[str]:
    """Reasons to abstain on one clip, as sentences; `known`: from `known_range` of the training faces.

    An empty list is no guarantee: it means only that these checks found no reason against a verdict.
    """
    if judged.p_real is None:
        return [judged.reason]
    p_real = np.array([row["p_real"] for row in judged.frames])
    height = float(np.median([row["box"][3] for row in judged.frames]))
    sharp = float(np.median(np.expm1(baselines.sharpness(judged.crops))))
    reasons = []
    for what, value, (low, high) in (
        ("height of the face, in pixels", height, known["box_h"]),
        ("sharpness (variance of the Laplacian)", sharp, known["sharpness"]),
    ):
        if not low <= value <= high:
            reasons.append(f"the {what}, is {value:.0f}; the training faces have {low:.0f} to {high:.0f}")
    other = float(np.mean((p_real > threshold) != (judged.p_real > threshold)))
    if other >= 0.25:  # our choice, like the 0.2 below: there is no true limit
        reasons.append(f"{other:.0%} of its frames would give the other verdict on their own")
    if abs(judged.p_real - threshold) < 0.2:
        reasons.append(f"p_real {judged.p_real:.2f} is near the threshold {threshold:g}")
    return reasons
