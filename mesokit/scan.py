"""Judge clips and photographs: from a file to a verdict with its reasons.

A teaching tool for the forgeries of 2018, not a detector to rely on: a verdict is the output of one small network, and
`abstain` means that there was no face to judge.
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from mesokit import evaluation, faces, video

if TYPE_CHECKING:  # below, what needs pandas or TensorFlow is imported where it is used: a verdict needs neither
    import pandas as pd

    from mesokit.evaluation import Score

SUFFIXES = video.CLIP_SUFFIXES | (video.PHOTO_SUFFIXES - {".tif", ".tiff"})
_ALIGNED = 0.8  # a square image is a crop if its face's crop takes this share of it; the authors' faces: 0.83 to 1.03
_BATCH = 32  # faces that are scored at once
_KEPT = 64  # crops that are kept of a person, at most
_LIMIT = 3600  # seconds for the decoder of one clip, as in extract_faces.py
_RANGED = ("box_h", "sharpness")  # columns of faces.csv that `known_range` and `doubts` compare
CAVEAT = "A teaching tool for the forgeries of 2018: do not rely on its verdicts."


@dataclass(frozen=True)
class Person:
    """The verdict on one person of a clip: a face followed without a cut, a jump or a long gap."""

    verdict: str  # real, forged or abstain
    reason: str
    p_real: float | None
    frames: list[dict[str, Any]]  # frame, time (s), p_real, box (x, y, w, h), confidence
    crops: np.ndarray  # (n, size, size, 3), RGB, of `frames`; of more than 64 those of every second, fourth, ...

    def record(self) -> dict[str, Any]:
        """The entry of `people` in `scan --json`; `first` and `last` are numbers of frames."""
        where = {"first": self.frames[0]["frame"], "last": self.frames[-1]["frame"]}
        return _verdict(self) | where | {"frames": self.frames}


@dataclass(frozen=True)
class Judged:
    """The verdict on one file, and what it rests on: the person who decided."""

    path: str
    verdict: str  # real, forged, abstain or error
    reason: str
    p_real: float | None = None
    frames: list[dict[str, Any]] = field(default_factory=list)  # as of the person who decided
    crops: np.ndarray = field(default_factory=lambda: np.empty((0, 1, 1, 3), np.uint8))
    people: list[Person] = field(default_factory=list)  # in order of appearance

    def record(self) -> dict[str, Any]:
        """The entry of `scan --json`."""
        people = [person.record() for person in self.people]
        return {"path": self.path} | _verdict(self) | {"frames": self.frames, "people": people}


def _verdict(one: Judged | Person) -> dict[str, Any]:
    p_forged = None if one.p_real is None else 1 - one.p_real
    return {"verdict": one.verdict, "reason": one.reason, "p_real": one.p_real, "p_forged": p_forged}


def find(paths: Iterable[str | os.PathLike[str]]) -> Iterator[Path]:
    """The given files, and for each given folder the clips and photographs below it, sorted."""
    for path in map(Path, paths):
        if path.is_dir():
            inside = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            yield from sorted(p for p in inside if p.is_file())
        else:
            yield path


def left_out(paths: Iterable[str | os.PathLike[str]], found: Iterable[Path]) -> list[str]:
    """A line for each reason why files in the given folders are not judged: how many, and some of them.

    found: what `find` gave for these paths.
    """
    folders, findings = [*filter(Path.is_dir, map(Path, paths))], []  # type: list[Path], list[tuple[str, str]]
    if not folders:
        return []
    from mesokit.dataset import indexing

    for folder in folders:
        used = [path.relative_to(folder).as_posix() for path in found if path.is_relative_to(folder)]
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
    `error`, too. `rule`: a key of `evaluation.RULES`. Faces below `min_face` pixels are not judged. Each person is
    judged: forged when p_real <= `threshold`. The person with the lowest p_real decides on the clip, so that one forged
    person makes it forged. Memory does not grow with `frames`. Raises ValueError for wrong arguments.
    """
    aggregate = evaluation.rule(rule)
    following, seen, skipped = faces.Following(min_face), {}, 0  # type: faces.Following, dict[faces.Track, _Seen], int
    try:
        coming = _frames(Path(path), frames)  # a process begins to decode; meanwhile the networks are loaded
        faces.load()
        for taken in coming:
            for track, face in following.look(taken.frame.image, taken.shot):
                seen.setdefault(track, _Seen(score)).add(taken.frame, face, _crop(taken.frame.image, face, size))
            skipped = taken.skipped
            del taken  # before the next frame comes
    except (video.VideoError, OSError) as error:
        return Judged(str(path), "error", str(error))

    def person(track: faces.Track) -> Person:
        rows, crops, p_real = seen[track].result()
        if len(rows) < (needed := following.needed(track)):
            more = "; give more with --frames, if the clip has more" if following.n == frames else ""
            why = f"a face in {len(rows)} of {following.n} frames, too few to judge: at least {needed} are needed{more}"
            return Person("abstain", why, None, rows, crops)
        value = aggregate(p_real)
        what = f"{rule} of p_real over the face in {len(rows)} of {following.n} frames"
        reason = f"{'p_real of its face' if following.n == 1 else what} is {value:.3f}, threshold {threshold:g}"
        return Person("real" if value > threshold else "forged", reason, round(value, 6), rows, crops)

    note = f"; {skipped} frames before the first key frame cannot be decoded and were skipped" if skipped else ""
    people = [person(track) for track in following.people()]
    if not people:
        where = "in it" if following.n == 1 else f"in any of {following.n} frames"
        return Judged(str(path), "abstain", f"no face of at least {min_face} pixels {where}{note}")
    return _decided(str(path), people, note)


def _decided(path: str, people: list[Person], note: str) -> Judged:
    """The verdict on a clip from those on its people."""
    judged = [person for person in people if person.p_real is not None]
    if not judged:
        which = f"{len(people)} people, none on enough frames to judge; person 1: " if len(people) > 1 else ""
        return Judged(path, "abstain", f"{which}{people[0].reason}{note}", people=people)
    one = min(judged, key=lambda person: (person.p_real, person.verdict))
    reason = one.reason
    if len(people) > 1:
        number = next(i for i, person in enumerate(people, 1) if person is one)
        without = len(people) - len(judged)
        reason = f"person {number} of {len(people)}: {reason}{f'; {without} cannot be judged' if without else ''}"
    return Judged(path, one.verdict, f"{reason}{note}", one.p_real, one.frames, one.crops, people)


def light(one: Judged) -> Judged:
    """The same with only the crops that a page shows, so that a folder of any size fits into memory."""
    people = [replace(person, crops=person.crops[[_middle(person)]].copy()) for person in one.people]
    shown = one.crops[[_middle(one)]].copy() if len(one.crops) else one.crops
    return replace(one, crops=shown, people=people)


def _middle(one: Judged | Person) -> int:
    """The index among its crops of the face with the median score."""
    step = 1  # see _Seen
    while -(-len(one.frames) // step) > len(one.crops):
        step *= 2
    return int(np.argsort([row["p_real"] for row in one.frames[::step]])[len(one.crops) // 2])


def _frames(path: Path, frames: int) -> Iterable[video.Taken]:
    """The chosen frames of a clip as they come; of a photograph, itself."""
    if video.is_image(path):
        return [video.Taken(video.Frame(0, 0.0, True, video.read_image(path)), 0, 0)]
    return video.read_apart(path, frames, _LIMIT)


@dataclass
class _Seen:
    """The faces of one person, scored in batches while the frames pass. Of more than _KEPT faces not all are kept."""

    score: Score
    rows: list[dict[str, Any]] = field(default_factory=list)
    p_real: list[np.ndarray] = field(default_factory=list)
    waiting: list[np.ndarray] = field(default_factory=list)  # crops without a score
    crops: list[np.ndarray] = field(default_factory=list)  # kept: of each `step`-th face
    step: int = 1

    def add(self, frame: video.Frame, face: faces.Face, crop: np.ndarray) -> None:
        if len(self.rows) % self.step == 0:
            self.crops.append(crop)
        if len(self.crops) > _KEPT:
            self.crops, self.step = self.crops[::2], 2 * self.step
        self.rows.append(_row(frame, face))
        self.waiting.append(crop)
        if len(self.waiting) == _BATCH:
            self._score_waiting()

    def _score_waiting(self) -> None:
        self.p_real.append(self.score(np.stack(self.waiting)))
        self.waiting.clear()

    def result(self) -> tuple[list[dict[str, Any]], np.ndarray, np.ndarray]:
        """Its rows of `Person.frames`, the crops kept, and p_real of each row."""
        if self.waiting:
            self._score_waiting()
        p_real = np.concatenate(self.p_real)
        rows = [row | {"p_real": round(float(p), 6)} for row, p in zip(self.rows, p_real, strict=True)]
        return rows, np.stack(self.crops), p_real


def _crop(image: np.ndarray, face: faces.Face, size: int) -> np.ndarray:
    """The aligned face; an image that is an aligned face already, as in public face datasets, is only resized."""
    height, width = image.shape[:2]
    if height == width and faces.square(face)[2] >= _ALIGNED * width:
        return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if width > size else cv2.INTER_CUBIC)
    return faces.align(image, face, size)


def _row(frame: video.Frame, face: faces.Face) -> dict[str, Any]:
    return {
        "frame": int(frame.index),
        "time": round(float(frame.time), 4),
        "p_real": None,  # not known yet
        "box": [round(float(v), 1) for v in face.box],
        "confidence": round(float(face.confidence), 4),
    }


def page(judged: list[Judged], weights: str, rule: str, threshold: float) -> str:
    """A self-contained HTML page of the verdicts; untrusted text is escaped."""
    import jinja2

    environment = jinja2.Environment(loader=jinja2.PackageLoader("mesokit"), autoescape=True, trim_blocks=True)
    clips = [{"it": one, "image": _thumbnail(one), "line": _timeline(one), "people": _people(one)} for one in judged]
    template = environment.get_template("scan.html")
    return template.render(clips=clips, weights=weights, rule=rule, threshold=threshold, caveat=CAVEAT)


def _people(one: Judged) -> list[dict[str, Any]]:
    """What a page shows of each person, where there are several."""
    people = one.people if len(one.people) > 1 else []
    return [{"it": person, "image": _thumbnail(person), "line": _timeline(person)} for person in people]


def _thumbnail(one: Judged | Person) -> str | None:
    """The face with the median score, as a data URL."""
    if not len(one.crops):
        return None
    _, data = cv2.imencode(".jpg", cv2.cvtColor(cv2.resize(one.crops[_middle(one)], (128, 128)), cv2.COLOR_RGB2BGR))
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()


def _timeline(one: Judged | Person) -> str | None:
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
    from mesokit.evaluation import baselines

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
