"""The frames of a clip, decoded from its start, in order and upright; damage is an error before it is a frame."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from av.video.reformatter import VideoReformatter

from mesokit.video.opening import VideoError, open_video, printable

ONE_PACKET_ONE_FRAME = {
    "h264",
    "hevc",
    "vp9",
    "av1",
    "mjpeg",
    "gif",
}  # vp8 and old MPEG-4 also hold frames never shown


@dataclass(frozen=True)
class Frame:
    """One decoded frame."""

    index: int  # 0-based, in presentation order
    time: float  # seconds since the first frame
    keyframe: bool
    image: np.ndarray  # (h, w, 3) uint8 RGB, upright


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
    with open_video(path) as (container, stream):
        stream.thread_type = "AUTO"
        frames = enumerate(_decode(path, container, stream))
        return np.array([index for index, frame in frames if frame.key_frame], np.int64)


def read_frames(path: str | os.PathLike[str], indices: Iterable[int] | None = None) -> Iterator[Frame]:
    """Decode from the start and yield the frames of `indices` (None: all) in order, each once.

    Never seeks: after a seek old x264 files decode to garbage without an error. Decoding stops behind the last index.
    Raises: ValueError for a negative index at once; VideoError while iterating: unreadable, damaged, or too short.
    """
    wanted = None if indices is None else sorted({int(i) for i in indices})
    if wanted and wanted[0] < 0:
        raise ValueError(f"read_frames: index {wanted[0]} is negative; count from 0")
    return _pick(path, wanted)


def _pick(path: str | os.PathLike[str], wanted: list[int] | None) -> Iterator[Frame]:
    if wanted == []:
        return
    last, chosen = (wanted[-1], set(wanted)) if wanted else (None, None)
    index, start, convert = -1, None, rgb_converter()
    with open_video(path) as (container, stream):
        stream.thread_type = "AUTO"
        step = 1 / stream.average_rate if stream.average_rate else Fraction(1, 25)
        for index, frame in enumerate(_decode(path, container, stream)):
            start = frame.pts if start is None else start
            if chosen is None or index in chosen:
                time = index * step if frame.pts is None else (frame.pts - start) * (frame.time_base or 1)
                image = upright(convert(frame), frame)
                yield Frame(index, float(time), bool(frame.key_frame), np.ascontiguousarray(image))
            if index == last:
                return
    if last is not None:
        raise VideoError(
            f"{printable(path)}: frame {last} was asked for and it ends at {index}; ask for fewer or copy it again"
        )


def rgb_converter() -> Callable[[Any], np.ndarray]:
    """A function for the frames of one clip: PyAV's frame -> (h, w, 3) uint8 RGB, as `frame.to_ndarray("rgb24")` gives.

    That sets up FFmpeg's scaler and threads for it anew at each frame, which costs several times the conversion.
    """
    scaler = VideoReformatter()
    return lambda frame: scaler.reformat(frame, format="rgb24", threads=1).to_ndarray()


def _decode(path: Any, container: Any, stream: Any) -> Iterator[Any]:
    """All frames in order; VideoError at the first sign of damage, where FFmpeg would conceal it in gray or green."""
    frames = packets = 0
    for packet in container.demux(stream):
        packets += bool(packet.size) and not packet.is_discard
        for frame in () if packet.is_corrupt else packet.decode():
            if frame.is_corrupt:
                raise _damaged(path, frames)
            yield frame
            frames += 1
        if packet.is_corrupt:
            raise _damaged(path, frames)
    if frames < packets and stream.codec_context.name in ONE_PACKET_ONE_FRAME:
        raise _damaged(path, frames)


def _damaged(path: Any, index: int) -> VideoError:
    return VideoError(
        f"{printable(path)}: damaged from about frame {index} on; copy it again or re-encode it with ffmpeg"
    )


def upright(image: np.ndarray, frame: Any) -> np.ndarray:
    """Apply the display matrix (turns by 90 degrees and mirrorings) of `frame` to `image` (h, w, c) -> a view."""
    data = next((d for d in frame.side_data if d.type.name == "DISPLAYMATRIX"), None)
    if data is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]  # x' = a x + c y, y' = b x + d y, y downwards
    if abs(int(b)) > abs(int(a)):
        image, a, d = image.transpose(1, 0, 2), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
