"""Every face of a clip, followed from frame to frame within its shot."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from mesokit.faces.detecting import CONFIDENT, SMALLEST, Face, checked, propose, refine

LASTING = 0.8  # instead of CONFIDENT, for a face seen on more than half of a clip's frames
RECHECK = 15  # frames between searches of the whole frame, for faces that come in
NEWCOMERS = 5  # frames between searches for faces at least half as large as the main one, which cost a fifth
WINDOWS = 4  # faces looked for around their last place; the others must wait for a search of the whole frame
REACH = 1.5  # a face is the same one when its centre moved less than this many sizes ...
GROWTH = 1.6  # ... and its size changed by less than this factor
USUAL = 30  # frames taken of a clip: a person must be on a tenth of them, and on a tenth of the frames of the shot
ALIKE = 0.9  # people seen on at least this share of the frames of the longest seen are seen as long


@dataclass(eq=False)
class Track:
    """One person in one shot: a face without a cut, a jump or a gap of more than RECHECK frames."""

    shot: int = 0
    faces: dict[int, Face] = field(default_factory=dict)  # by frame
    last: int = -1  # frame
    area: float = 0.0  # sum over its frames

    def add(self, index: int, face: Face) -> None:
        """Lengthen it by the face on frame `index`."""
        self.faces[index], self.last, self.area = face, index, self.area + face.area

    @property
    def first(self) -> int:
        """The frame of the first face."""
        return min(self.faces)


@dataclass(eq=False)
class Following:
    """All people in a clip. Somebody who is back after a cut or a gap counts again: nobody is recognized."""

    min_face: int = 40  # pixels
    n: int = 0  # frames so far
    _tracks: list[Track] = field(default_factory=list)
    _in_shot: Counter[int] = field(default_factory=Counter)  # frames so far, by shot

    def look(self, image: np.ndarray, shot: int = 0) -> list[tuple[Track, Face]]:
        """Look at the next frame -> the faces on it, each with its track. The frame is not kept.

        `image`: (h, w, 3) uint8 RGB, some or all frames of a clip in the order of time. `shot`: the number of its shot;
        no track goes on into another. Searches around the last places of the faces; the whole frame first, when the
        main face is lost, and every RECHECK frames. Raises: ValueError as `detect`.
        """
        index, self.n = self.n, self.n + 1
        self._in_shot[shot] += 1
        recent = [t for t in self._tracks if t.shot == shot and index - t.last <= RECHECK]
        old = len(recent)
        _step(recent, index, checked(image, self.min_face), self.min_face)
        for track in recent[old:]:
            track.shot = shot
        self._tracks += recent[old:]
        return [(t, t.faces[index]) for t in recent if t.last == index]

    def people(self) -> list[Track]:
        """The people so far in order of appearance, those seen too shortly among them; without unsure finds."""
        sure = [t for t in self._tracks if _confidence(t) >= self._needed_confidence(t)]
        return sorted(sure, key=lambda t: (t.first, t.faces[t.first].box))

    def needed(self, track: Track) -> int:
        """The number of frames on which a person must be seen to be judged: false finds rarely last."""
        return 1 if self.n == 1 else math.ceil(max(2, min(self.n, USUAL) / 10, self._in_shot[track.shot] / 10))

    def lasting(self) -> list[Track]:
        """Those of `people` who are seen on enough frames."""
        return [t for t in self.people() if len(t.faces) >= self.needed(t)]

    def longest(self) -> Track | None:
        """The one of `lasting` who is seen longest; of several seen about as long, with the largest total area."""
        lasting = self.lasting()
        most = max((len(t.faces) for t in lasting), default=0)
        return max((t for t in lasting if len(t.faces) >= ALIKE * most), key=lambda t: t.area, default=None)

    def _needed_confidence(self, track: Track) -> float:
        """On average. What is there on most frames of a clip has shown itself already."""
        return LASTING if len(track.faces) > max(self.n / 2, 1) else CONFIDENT


def follow(frames: Iterable[np.ndarray], min_face: int = 40) -> list[Face | None]:
    """The main face of a clip without cuts on each of the given frames -> a list as long as `frames`, None: not seen.

    `frames`: as for `Following.look`; only one is held at a time. The main face: that of `Following.longest`.
    Raises: ValueError as `detect`.
    """
    following = Following(min_face)
    for image in frames:
        following.look(image)
    main = following.longest() or Track()
    return [main.faces.get(i) for i in range(following.n)]


def _confidence(track: Track) -> float:
    return sum(f.confidence for f in track.faces.values()) / len(track.faces)


def _step(tracks: list[Track], index: int, image: np.ndarray, min_face: int) -> None:
    """Look at one frame, lengthen `tracks` and append new ones."""
    # The main one first; what was seen once comes last, or a false find would cost a search of each frame.
    watched = sorted(tracks, key=lambda t: (len(t.faces) == 1, -t.area))[:WINDOWS]
    if watched and index % RECHECK:
        found = [_propose_near(image, t.faces[t.last]) for t in watched]
        _match(watched, index, refine(image, np.concatenate(found), min_face))
        if watched[0].last == index:
            if index % NEWCOMERS == 0:
                _add_newcomers(tracks, index, image, min_face, watched[0].faces[index].size / 2)
            return
        for track in watched:  # the main one is lost: start this frame again
            if track.last == index:
                track.area -= track.faces.pop(index).area
                track.last = max(track.faces)
    _begin(tracks, index, _match(tracks, index, refine(image, propose(image, min_face), min_face)))


def _begin(tracks: list[Track], index: int, faces: list[Face]) -> None:
    for face in faces:
        tracks.append(Track())
        tracks[-1].add(index, face)


def _add_newcomers(tracks: list[Track], index: int, image: np.ndarray, min_face: int, smallest: float) -> None:
    """Look for faces of at least `smallest` pixels beside those that are found on this frame already."""
    known = [t.faces[index].box for t in tracks if t.last == index]

    def new(x: float, y: float) -> bool:
        return not any(0 <= x - left <= width and 0 <= y - top <= height for left, top, width, height in known)

    rows = propose(image, max(min_face, smallest))
    rows = rows[[new(*row[1:3] + row[3:5]) for row in rows / 2]] if len(rows) else rows
    faces = [face for face in refine(image, rows, min_face) if new(*face.centre)]
    _begin(tracks, index, _match([t for t in tracks if t.last < index], index, faces))


def _propose_near(image: np.ndarray, face: Face) -> np.ndarray:
    """Proposals of about the size of `face` in a window of twice that size around it."""
    x0, y0 = np.maximum(face.centre - face.size, 0).astype(int)
    x1, y1 = np.minimum(face.centre + face.size, image.shape[1::-1]).astype(int)
    if x1 <= x0 or y1 <= y0:  # the frame has become smaller
        return np.empty((0, 6))
    return propose(image, max(0.35 * face.size, SMALLEST), 2 * face.size, (x0, y0, x1, y1))


def _match(tracks: list[Track], index: int, faces: list[Face]) -> list[Face]:
    """Give each of `faces` to the nearest track it can belong to, those seen last first -> the faces left over."""
    pairs = []
    for t, track in enumerate(tracks):
        before = track.faces[track.last]
        for f, face in enumerate(faces):
            moved = float(np.hypot(*(face.centre - before.centre))) / before.size
            if moved < REACH and 1 / GROWTH < face.size / before.size < GROWTH:
                pairs.append((index - track.last, moved, t, f))
    left, taken = dict(enumerate(faces)), set()
    for _, _, t, f in sorted(pairs):
        if f in left and t not in taken:
            taken.add(t)
            tracks[t].add(index, left.pop(f))
    return list(left.values())
