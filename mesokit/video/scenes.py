"""Scenes of a clip: where the camera or the light changes, frames taken evenly from each scene, and frames by shot.

The paper took frames in proportion to the changes of camera angle and illumination: few frames of a long take without
changes, many of a clip with many cuts. Built on PySceneDetect, which gets decoded frames and does not open the file.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, FrameTimecode

from mesokit import video
from mesokit.video.decoding import Decoding, decode
from mesokit.video.showing import shrunk

SHORTEST = 12  # frames: a change of less than half a second is a flash, not a scene
WIDTH = 128  # pixels: frames are shrunk to this width
WINDOW = 2  # frames before and behind a cut with which PySceneDetect compares it
FLASH = 3  # frames: where the old picture is back after that many, there was a flash and no cut


def detect(path: str | os.PathLike[str]) -> list[tuple[int, int]]:
    """The scenes of a clip in order: (first frame, one past the last); one scene where nothing changes.

    A scene begins with a frame that differs from the one before by 15 of 255 (mean over hue, saturation, lightness) and
    three times as much as the frames around it do. Motion and slow fades do not reach that. Decodes the whole clip.
    Raises: VideoError as `video.read_frames`.
    """
    detector, shrink, starts, n = AdaptiveDetector(min_scene_len=SHORTEST), shrunk(path, WIDTH), [0], 0
    for n, frame in enumerate(decode(path, Decoding()), 1):
        starts += [cut.frame_num for cut in detector.process_frame(_numbered(n - 1), shrink(frame))]
    return list(zip(starts, [*starts[1:], n], strict=True))


def shots(path: str | os.PathLike[str], wanted: Iterable[int]) -> Iterator[tuple[int, video.Frame]]:
    """The frames `wanted` of a clip in order, as `video.read_frames` gives them, each behind the number of its shot.

    Shots are counted from 0, over all frames of the clip. A cut is what `detect` finds, but a shot may be short, and a
    flash of up to FLASH frames is no cut. A frame is given when FLASH more are decoded; so few are held at a time.
    Raises: VideoError as `video.read_frames`.
    """
    cuts, shrink = _Cuts(), shrunk(path, WIDTH)
    held: deque[video.Frame] = deque()

    def ready(ahead: int) -> Iterator[tuple[int, video.Frame]]:
        while held and held[0].index + ahead < cuts.n:
            yield cuts.up_to(held[0].index), held.popleft()

    for frame in video.read_frames(path, wanted, lambda decoded: cuts.look(shrink(decoded))):
        held.append(frame)
        del frame  # or it would be held until the next one is decoded
        yield from ready(FLASH)
    cuts.end()
    yield from ready(0)


class _Cuts:
    """The cuts between the frames of a clip, found while these pass; they are known FLASH frames behind them."""

    def __init__(self) -> None:
        self.n = 0  # frames so far
        self._detector = AdaptiveDetector(min_scene_len=1, window_width=WINDOW)
        self._last: deque[np.ndarray] = deque(maxlen=FLASH + 2)  # the newest pictures
        self._found: list[int] = []  # frames after a sudden change, not yet told from flashes
        self._cuts: list[int] = []
        self._flash_end = -1

    def look(self, small: np.ndarray) -> None:
        """Look at the picture of the next frame."""
        for i in range(0 if self.n else WINDOW):  # a change near the start is compared with still pictures before it
            self._detector.process_frame(_numbered(i), small)
        changes = self._detector.process_frame(_numbered(self.n + WINDOW), small)
        self._found += [change.frame_num - WINDOW for change in changes]
        self._last.append(small)
        self.n += 1
        if self._found and self._found[0] == self.n - 1 - FLASH:
            self._decide(self._found.pop(0))

    def end(self) -> None:
        """Find the cuts in the last frames: they are compared with still pictures behind them."""
        n = self.n
        for _ in range(FLASH if n else 0):
            self.look(self._last[-1])
        self.n = n

    def up_to(self, index: int) -> int:
        """The number of cuts up to frame `index`; a cut is counted with the frame behind it."""
        return sum(cut <= index for cut in self._cuts)

    def _decide(self, change: int) -> None:
        before, behind, *later = self._last
        changed = cv2.absdiff(behind, before).mean()
        back = [i for i, picture in enumerate(later, 1) if cv2.absdiff(picture, before).mean() < changed / 2]
        if back:
            self._flash_end = change + back[0]
        elif change > self._flash_end:
            self._cuts.append(change)


def _numbered(n: int) -> FrameTimecode:
    return FrameTimecode(n, fps=25.0)  # the rate is required and not used


def indices(scenes: Sequence[tuple[int, int]], per_scene: int) -> np.ndarray:
    """`per_scene` frame indices spread evenly over each scene, all of a shorter one -> sorted unique int64.

    Raises: ValueError for no scenes, an empty or negative scene, or per_scene < 1.
    """
    for first, end in scenes:
        if not 0 <= first < end:
            raise ValueError(f"indices: the scene ({first}, {end}) is empty; give (first frame, one past the last)")
    if not len(scenes):
        raise ValueError("indices: there are no scenes; give at least one, as detect() does")
    return np.unique(np.concatenate([first + video.even_indices(end - first, per_scene) for first, end in scenes]))
