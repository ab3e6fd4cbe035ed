"""The frames of a clip, in order, as RGB pictures: all of them, or those of chosen indices."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesokit.video.decoding import Decoding
from mesokit.video.decoding import decode as _decode
from mesokit.video.opening import VideoError, printable
from mesokit.video.showing import shown


@dataclass(frozen=True)
class Frame:
    """One decoded frame."""

    index: int  # 0-based, in presentation order, counted from the first frame that can be decoded
    time: float  # seconds since the first frame
    keyframe: bool
    image: np.ndarray  # (h, w, 3) uint8 RGB, as a player shows it: square pixels, SDR, upright


def even_indices(n_frames: int, n: int) -> np.ndarray:
    """`n` frame indices spread over a clip of `n_frames`: the middles of n equal segments -> sorted unique int64.

    All indices when n >= n_frames. Raises: ValueError for n_frames < 0 or n < 1.
    """
    if n_frames < 0 or n < 1:
        raise ValueError(f"even_indices: n_frames is {n_frames} and n is {n}; give n_frames >= 0 and n >= 1")
    if n >= n_frames:
        return np.arange(n_frames)
    return ((2 * np.arange(n) + 1) * n_frames) // (2 * n)


def keyframes(path: str | os.PathLike[str]) -> np.ndarray:
    """The indices of a clip's keyframes, (n,) int64: frames that were coded alone. Decodes the whole clip.

    Raises: VideoError as `read_frames`.
    """
    frames = enumerate(_decode(path, Decoding()))
    return np.array([index for index, frame in frames if frame.key_frame], np.int64)


def read_frames(
    path: str | os.PathLike[str], indices: Iterable[int] | None = None, look: Callable[[Any], None] | None = None
) -> Iterator[Frame]:
    """Decode from the start and yield the frames of `indices` (None: all) in order, each once.

    Never seeks: after a seek old x264 files decode to garbage without an error. Decoding stops behind the last index.
    `look` is called with each frame up to there as PyAV decoded it, also with those that are not in `indices`.
    Raises: ValueError for a negative index at once; VideoError while iterating: unreadable, damaged, or too short.
    """
    wanted = None if indices is None else sorted({int(i) for i in indices})
    if wanted and wanted[0] < 0:
        raise ValueError(f"read_frames: index {wanted[0]} is negative; count from 0")
    return _pick(path, wanted, look)


def _pick(
    path: str | os.PathLike[str], wanted: list[int] | None, look: Callable[[Any], None] | None
) -> Iterator[Frame]:
    if wanted == []:
        return
    last, chosen = (wanted[-1], set(wanted)) if wanted else (None, None)
    index, show, decoding = -1, None, Decoding()
    with closing(_decode(path, decoding)) as frames:
        for index, frame in enumerate(frames):
            if look:
                look(frame)
            if chosen is None or index in chosen:
                show = show or shown(path, decoding.stream)
                yield Frame(index, float(decoding.time), bool(frame.key_frame), show(frame))
            if index == last:
                return
    if last is not None:
        before = f" ({decoding.skipped} before the first key frame not counted)" if decoding.skipped else ""
        raise VideoError(
            f"{printable(path)}: frame {last} was asked for and it ends at {index}{before}; "
            "ask for fewer or copy it again"
        )
