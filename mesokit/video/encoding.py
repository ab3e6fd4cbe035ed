"""Write H.264 at a chosen CRF, and measure what it loses."""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from mesokit import files
from mesokit.video.opening import printable
from mesokit.video.showing import rgb_converter

# Fixed: x264 gives other pixels with one thread than with several, and it notes the number in the file.
ENCODER_THREADS = 4


def write_clip(path: str | os.PathLike[str], frames: Iterable[np.ndarray], fps: float, crf: float = 23) -> None:
    """Write `frames` (h, w, 3) uint8 RGB, all of one even size, as H.264 in `path` (.mp4), atomically.

    crf 1..51: libx264, yuv420p, exactly that CRF. crf 0: libx264rgb, so that the frames read back bit by bit.
    Raises: ValueError for anything else, and then there is no file.
    """
    _write(Path(path), frames, fps, crf)


def _write(path: Path, frames: Iterable[np.ndarray], fps: float, crf: float, loss: "_Loss | None" = None) -> None:
    if crf != 0 and not 1 <= crf <= 51:
        raise ValueError(f"write_clip: crf is {crf}; give 0 (lossless) or 1..51")
    if not 0 < fps <= 1000:
        raise ValueError(f"write_clip: fps is {fps}; give frames per second, more than 0 and at most 1000")
    if path.suffix.lower() != ".mp4":
        raise ValueError(f"write_clip: {printable(path)} must end in .mp4")
    with files.writing(path) as part, part.open("xb") as file:
        _encode(file, frames, Fraction(fps).limit_denominator(100_000), crf, loss)


def compress(path: str | os.PathLike[str], frames: Iterable[np.ndarray], fps: float, crf: float) -> tuple[int, float]:
    """As `write_clip`; returns the file's size in bytes and its PSNR in dB (RGB, over all frames; inf: lossless).

    `frames` are never held whole: what the encoder gives is decoded at once, and compared with what it came from.
    """
    if crf == 0:
        write_clip(path, frames, fps, crf)
        return Path(path).stat().st_size, float("inf")
    loss = _Loss()
    _write(Path(path), loss.watched(frames), fps, crf, loss)
    error = loss.squares / loss.values
    return Path(path).stat().st_size, float(10 * np.log10(255**2 / error)) if error else float("inf")


class _Loss:
    """Squared error of encoded frames; it keeps those that the encoder still has (14 were seen)."""

    def __init__(self) -> None:
        self.decoder: Any = None
        self.converted = rgb_converter()
        self.waiting: deque[np.ndarray] = deque()
        self.squares, self.values = 0.0, 0

    def watched(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """`frames`, as they are."""
        for image in frames:
            self.waiting.append(image)
            yield image

    def add(self, packet: Any, stream: Any) -> None:
        """Decode a packet of `stream`, or None at the end, and compare."""
        if self.decoder is None:
            self.decoder = av.CodecContext.create("h264", "r")
            self.decoder.extradata = stream.codec_context.extradata
        for frame in self.decoder.decode(packet):
            before = self.waiting.popleft()
            self.squares += cv2.norm(self.converted(frame), before, cv2.NORM_L2SQR)
            self.values += before.size


def _encode(file: BinaryIO, frames: Iterable[np.ndarray], fps: Fraction, crf: float, loss: _Loss | None) -> None:
    shape, scaler = None, VideoReformatter()
    with av.open(file, "w", format="mp4") as container:
        # Without mbtree=0 the same frames give other bytes, and pixels, from run to run: the macroblock tree of x264
        # depends on memory that nobody wrote (seen with PyAV 18.1; 150 of 150 encodings agree without it).
        # Lossless pixels are the same whatever the effort: ultrafast takes a ninth of the time, a third more bytes.
        options = {"crf": str(crf), "mbtree": "0", "preset": "medium" if crf else "ultrafast"}
        stream: Any = container.add_stream("libx264" if crf else "libx264rgb", rate=fps, options=options)
        stream.pix_fmt = "yuv420p" if crf else "rgb24"
        stream.thread_type, stream.thread_count = (
            "FRAME",
            ENCODER_THREADS,
        )  # slices would change with the threads
        for index, image in enumerate(frames):
            if shape is None:
                stream.height, stream.width = _checked(index, image, None)[:2]
            shape = _checked(index, image, shape)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            # The encoder would convert it, too, with threads that are started for each frame: the same pixels, later.
            picture = scaler.reformat(picture, format=stream.pix_fmt, threads=1)
            picture.pts, picture.time_base = index, 1 / fps
            _mux(container, stream, picture, loss)
        if shape is None:
            raise ValueError("write_clip: no frames were given; give at least one")
        _mux(container, stream, None, loss)
        if loss is not None:
            loss.add(None, stream)


def _mux(container: Any, stream: Any, picture: Any, loss: _Loss | None) -> None:
    for packet in stream.encode(picture):
        if loss is not None:
            loss.add(packet, stream)  # before mux(), which gives the packet the file's clock
        container.mux(packet)


def _checked(index: int, image: Any, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape of one frame to write; ValueError unless it is even (h, w, 3) uint8 and as the first one's."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"write_clip: frame {index} is {got}; give (h, w, 3) uint8 RGB")
    if shape is not None and image.shape != shape:
        raise ValueError(f"write_clip: frame {index} is {image.shape}, the first is {shape}; give one size")
    if image.shape[0] % 2 or image.shape[1] % 2 or not image.size:
        raise ValueError(
            f"write_clip: frames are {image.shape[1]}x{image.shape[0]}; H.264 needs an even width and height"
        )
    return image.shape
