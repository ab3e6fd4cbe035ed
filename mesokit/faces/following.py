"""The main face of a clip, followed from frame to frame."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from mesokit.faces.detecting import CONFIDENT, SMALLEST, Face, checked, main_face, propose, refine

LASTING = 0.8  # instead of CONFIDENT, for a face seen on more than half of a clip's frames
RECHECK = 15  # frames between searches of the whole frame, for faces that come in
WINDOWS = 4  # faces looked for around their last place; the others must wait for a search of the whole frame
REACH = 1.5  # a face is the same one when its centre moved less than this many sizes ...
GROWTH = 1.6  # ... and its size changed by less than this factor


@dataclass
class _Track:
    faces: dict[int, Face] = field(default_factory=dict)  # by frame
    last: int = -1
    area: float = 0.0  # sum over its frames

    def add(self, index: int, face: Face) -> None:
        self.faces[index], self.last, self.area = face, index, self.area + face.area


def follow(frames: Iterable[np.ndarray], min_face: int = 40) -> list[Face | None]:
    """The main face of a clip on each of the given frames -> a list as long as `frames`, None where it is not seen.

    `frames`: (h, w, 3) uint8 RGB in the order of time, all or some of the clip; only one is held at a time.
    Searches around the last place; the whole frame first, when the main face is lost, and every RECHECK frames.
    The main face: the largest total area among those seen on two frames and a tenth of them, CONFIDENT on average, or
    LASTING where it is seen on more than half of them.
    Raises: ValueError as `detect`.
    """
    tracks: list[_Track] = []
    n = 0
    for n, image in enumerate(frames, 1):
        _step(tracks, n - 1, image, min_face)
    if n == 1:
        return [main_face([t.faces[0] for t in tracks])]
    lasting = [t for t in tracks if len(t.faces) >= max(2, n / 10) and _confidence(t) >= _needed(t, n)]
    main = max(lasting, key=lambda t: t.area, default=_Track())
    return [main.faces.get(i) for i in range(n)]


def _needed(track: _Track, n: int) -> float:
    """Confidence that a track over some of `n` frames needs: what is there on most of them has shown itself already."""
    return LASTING if len(track.faces) > n / 2 else CONFIDENT


def _confidence(track: _Track) -> float:
    return sum(f.confidence for f in track.faces.values()) / len(track.faces)


def _step(tracks: list[_Track], index: int, image: np.ndarray, min_face: int) -> None:
    """Look at one frame and lengthen `tracks`."""
    image = checked(image, min_face)
    recent = [t for t in tracks if index - t.last <= RECHECK]
    # The main one first; what was seen once comes last, or a false find would cost a search of each frame.
    watched = sorted(recent, key=lambda t: (len(t.faces) == 1, -t.area))[:WINDOWS]
    if watched and index % RECHECK:
        found = [_propose_near(image, t.faces[t.last]) for t in watched]
        _match(watched, index, refine(image, np.concatenate(found), min_face))
        if watched[0].last == index:
            return
        for track in watched:  # the main one is lost: start this frame again
            if track.last == index:
                track.area -= track.faces.pop(index).area
                track.last = max(track.faces)
    for face in _match(tracks, index, refine(image, propose(image, min_face), min_face)):
        tracks.append(_Track())
        tracks[-1].add(index, face)


def _propose_near(image: np.ndarray, face: Face) -> np.ndarray:
    """Proposals of about the size of `face` in a window of twice that size around it."""
    x0, y0 = np.maximum(face.centre - face.size, 0).astype(int)
    x1, y1 = np.minimum(face.centre + face.size, image.shape[1::-1]).astype(int)
    if x1 <= x0 or y1 <= y0:  # the frame has become smaller
        return np.empty((0, 6))
    return propose(image, max(0.35 * face.size, SMALLEST), 2 * face.size, (x0, y0, x1, y1))


def _match(tracks: list[_Track], index: int, faces: list[Face]) -> list[Face]:
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
