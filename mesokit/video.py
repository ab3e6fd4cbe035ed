"""Video files in and out: look at a clip, read chosen frames, write H.264 at a chosen CRF; and read photographs.

Built on PyAV and Pillow; never imports TensorFlow. Frames are (h, w, 3) uint8 RGB, turned upright. Whatever is wrong
with a file is a `VideoError`: one sentence with the file, the fact and the way out. Damaged frames are never handed on.
"""

import json
import os
import secrets
import stat
import subprocess
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Demuxers that read one file and nothing else: playlists (concat, hls) could open other files.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,h264,hevc,gif"
ONE_PACKET_ONE_FRAME = {
    "h264",
    "hevc",
    "vp9",
    "av1",
    "mjpeg",
    "gif",
}  # vp8 and old MPEG-4 also hold frames never shown
ERRORS = (
    "explode"  # the decoder gives up at damage; of 160 damaged clips all are refused, with 1 wrong frame before, not 3
)
MAX_PIXELS = 89_478_485  # Pillow's own limit against decompression bombs, here for photographs and frames alike
PHOTOS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # JPEG includes MPO: of phones that store a second picture
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}
CLIP_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg"}
ENCODER_THREADS = (
    4  # fixed: x264 gives other pixels with one thread than with several, and notes the number in the file
)


READER = "import sys; from mesokit import video; video.send(sys.argv[1], int(sys.argv[2]), sys.stdout.buffer)"


class VideoError(ValueError):
    """A clip or photograph cannot be read; the message is one line: the file, what is wrong, what to do."""


@dataclass(frozen=True)
class Probe:
    """What a clip really holds, counted and not believed."""

    path: Path
    codec: str  # "h264", "hevc", "vp9", ...
    width: int  # of the frames `read_frames` gives: upright, stored pixels
    height: int
    fps: float  # average: frames / duration
    frames: int  # counted
    duration: float  # seconds, from the first frame's time to the last one's end
    rotation: int  # degrees counter-clockwise by which stored frames are turned
    crf: float | None  # read back from x264's own note in the stream; None: another encoder or another rate control
    declared_frames: int  # what the header says; 0 when it says nothing


@dataclass(frozen=True)
class Frame:
    """One decoded frame."""

    index: int  # 0-based, in presentation order
    time: float  # seconds since the first frame
    keyframe: bool
    image: np.ndarray  # (h, w, 3) uint8 RGB, upright


def probe(path: str | os.PathLike[str]) -> Probe:
    """Count and describe the first video stream of `path`. Reads the whole file, decodes one frame of it.

    Raises: VideoError when there is no readable video, or when the file is cut short.
    """
    with _video(path) as (container, stream):
        first, n, all_packets, times = None, 0, 0, _Times()
        counted_by_packet = stream.codec_context.name in ONE_PACKET_ONE_FRAME
        for packet in container.demux(stream):
            all_packets += bool(packet.size)
            shown = bool(packet.size) and not packet.is_discard
            if shown and packet.pts is not None:
                times.add(packet.pts, packet.duration or 0)
            if first is None or not counted_by_packet:
                decoded = packet.decode()
                first = first or next(iter(decoded), None)
                n += 0 if counted_by_packet else len(decoded)
            n += counted_by_packet and shown
        if first is None or not n:
            raise VideoError(f"{_name(path)}: not one frame can be decoded; re-encode it or leave it out")
        if "mp4" in container.format.name and all_packets < stream.frames:
            raise VideoError(
                f"{_name(path)}: cut short, {all_packets} of {stream.frames} frames are there; copy it again"
            )
        duration = _duration(times, n, stream)
        height, width = _upright(np.empty((first.height, first.width, 0), np.uint8), first).shape[:2]
        return Probe(
            Path(path), stream.codec_context.name, width, height, n / duration, n, duration, int(first.rotation),
            _x264_crf(first), int(stream.frames),
        )  # fmt: skip


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
    with _video(path) as (container, stream):
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
    index, start = -1, None
    with _video(path) as (container, stream):
        stream.thread_type = "AUTO"
        step = 1 / stream.average_rate if stream.average_rate else Fraction(1, 25)
        for index, frame in enumerate(_decode(path, container, stream)):
            start = frame.pts if start is None else start
            if chosen is None or index in chosen:
                time = index * step if frame.pts is None else (frame.pts - start) * (frame.time_base or 1)
                image = _upright(frame.to_ndarray(format="rgb24"), frame)
                yield Frame(index, float(time), bool(frame.key_frame), np.ascontiguousarray(image))
            if index == last:
                return
    if last is not None:
        raise VideoError(
            f"{_name(path)}: frame {last} was asked for and it ends at {index}; ask for fewer or copy it again"
        )


def read_apart(path: str | os.PathLike[str], n: int, limit: float = 3600) -> list[Frame]:
    """`n` frames spread evenly over a clip, decoded in a process of its own, which may crash or hang there.

    Raises: VideoError as `read_frames`, and where that process died or took more than `limit` seconds.
    """
    paths = os.pathsep.join([str(Path(__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    # -P: modules are not sought in the current folder, which may be full of other people's files.
    command = [sys.executable, "-P", "-c", READER, os.fspath(path), str(n)]
    quiet, env = subprocess.DEVNULL, {**os.environ, "PYTHONPATH": paths}
    started = time.monotonic()
    with subprocess.Popen(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, env=env) as child:
        timer = threading.Timer(limit, child.kill)
        timer.start()
        try:
            frames = _received(child.stdout)
        finally:
            timer.cancel()
            child.kill()
    if frames is None:
        hung = time.monotonic() - started >= limit
        what = f"took more than {limit:g} seconds" if hung else f"crashed (exit status {child.returncode})"
        raise VideoError(f"{_name(path)}: its decoder {what}; re-encode it or leave it out")
    return frames


def send(path: str | os.PathLike[str], n: int, out: BinaryIO) -> None:
    """The other end of `read_apart`: a line of JSON and the bytes of each frame; last a line that says the error."""
    error = None
    try:
        for frame in read_frames(path, even_indices(probe(path).frames, n)):
            said = {"index": frame.index, "time": frame.time, "keyframe": frame.keyframe, "shape": frame.image.shape}
            out.write(json.dumps(said).encode() + b"\n")
            out.write(frame.image.data)
    except ValueError as problem:
        error = str(problem)
    out.write(json.dumps({"error": error}).encode() + b"\n")
    out.flush()


def _received(stream: Any) -> list[Frame] | None:
    """What `send` wrote; None where it did not come to its end. Raises: VideoError with its error."""
    frames: list[Frame] = []
    while (line := stream.readline()).endswith(b"\n"):
        said = json.loads(line)
        if said.get("error"):
            raise VideoError(said["error"])
        if "error" in said:
            return frames
        image = np.empty(said.pop("shape"), np.uint8)
        if stream.readinto(image.data.cast("B")) < image.size:
            return None
        frames.append(Frame(**said, image=image))
    return None


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
    return VideoError(f"{_name(path)}: damaged from about frame {index} on; copy it again or re-encode it with ffmpeg")


@contextmanager
def _video(path: str | os.PathLike[str]) -> Iterator[tuple[Any, Any]]:
    """Open `path` -> (container, its first video stream that is not cover art); what fails inside is a VideoError."""
    # The file is opened here and has no name for FFmpeg: no pattern, no protocol, no second file.
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
    with _file(path) as file:
        try:
            with av.open(file, container_options=options, metadata_errors="replace", buffer_size=1 << 18) as container:
                streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
                if not streams:
                    raise VideoError(f"{_name(path)}: holds no video (sound only?); give a clip with a picture")
                context = streams[0].codec_context
                if context is None or context.width * context.height > MAX_PIXELS:
                    raise VideoError(
                        f"{_name(path)}: no decoder, or frames over {MAX_PIXELS} pixels; re-encode it smaller"
                    )
                context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": ERRORS}
                yield container, streams[0]
        except (av.FFmpegError, OSError, ValueError, IndexError, MemoryError) as error:
            if isinstance(error, VideoError):
                raise
            raise VideoError(
                f"{_name(path)}: not a readable video ({error.__class__.__name__}); re-encode it"
            ) from error


@contextmanager
def _file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A regular, non-empty file, opened for reading; VideoError otherwise (a pipe would wait for ever)."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise VideoError(f"{_name(path)}: not a file; give the files in it one by one")
        if status.st_size == 0:
            raise VideoError(f"{_name(path)}: the file is empty; copy it again")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        if isinstance(error, VideoError):
            raise
        raise VideoError(f"{_name(path)}: {getattr(error, 'strerror', None) or error}; check the name") from error
    with os.fdopen(descriptor, "rb") as file:  # nameless, see `_video`
        yield file


def _name(path: Any) -> str:
    """A file name that stays on one line of a message: unprintable characters escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in os.fsdecode(path))


@dataclass
class _Times:
    """When the first packet starts and the last one ends: all that is kept of the times of a clip of any length."""

    n: int = 0
    first: int = 0
    last: int = 0
    last_duration: int = 0  # of the last one in order of time, which may have none

    def add(self, pts: int, duration: int) -> None:
        self.first = min(self.first, pts) if self.n else pts
        if not self.n or pts > self.last:
            self.last, self.last_duration = pts, duration
        self.n += 1


def _duration(times: _Times, n: int, stream: Any) -> float:
    """Seconds from the first packet's time to the last one's end."""
    span = times.last - times.first
    if times.n > 1:
        end = times.last_duration or span / (times.n - 1)
        if span + end > 0:
            return float((span + end) * stream.time_base)
    if times.n and times.last_duration:
        return float(times.last_duration * stream.time_base)
    return float(n / (stream.average_rate or 25))


def _upright(image: np.ndarray, frame: Any) -> np.ndarray:
    """Apply the display matrix (turns by 90 degrees and mirrorings) of `frame` to `image` (h, w, c) -> a view."""
    data = next((d for d in frame.side_data if d.type.name == "DISPLAYMATRIX"), None)
    if data is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]  # x' = a x + c y, y' = b x + d y, y downwards
    if abs(int(b)) > abs(int(a)):
        image, a, d = image.transpose(1, 0, 2), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


def _x264_crf(frame: Any) -> float | None:
    """The CRF in the note x264 leaves in the first frame. Lossless (CRF 0) is noted as a constant quantizer of 0."""
    for data in frame.side_data:
        words = bytes(data).decode("latin-1").rstrip("\0").split() if data.type.name == "SEI_UNREGISTERED" else []
        settings = dict(word.split("=", 1) for word in words if "=" in word)
        if settings.get("rc") == "crf":
            return float(settings["crf"])
        if settings.get("rc") == "cqp" and settings.get("qp") == "0":
            return 0.0
    return None


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
        raise ValueError(f"write_clip: {_name(path)} must end in .mp4")
    temporary = path.with_name(f".mesokit-{os.getpid()}-{secrets.token_hex(4)}.tmp")  # beside it: one file system
    try:
        with temporary.open("xb") as file:
            _encode(file, frames, Fraction(fps).limit_denominator(100_000), crf, loss)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


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
            self.squares += cv2.norm(frame.to_ndarray(format="rgb24"), before, cv2.NORM_L2SQR)
            self.values += before.size


def _encode(file: BinaryIO, frames: Iterable[np.ndarray], fps: Fraction, crf: float, loss: _Loss | None) -> None:
    shape = None
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


def is_image(path: str | os.PathLike[str]) -> bool:
    """Whether `path` is a photograph, by its content, else by its name (then `read_image` says what is wrong)."""
    try:
        with _file(path) as file, _bombs_allowed(), Image.open(file, formats=PHOTOS):
            return True
    except (
        VideoError,
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ):
        return Path(path).suffix.lower() in PHOTO_SUFFIXES


@contextmanager
def _bombs_allowed() -> Iterator[None]:
    with warnings.catch_warnings():  # the limit is checked by hand, as an error and not as a warning
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """A photograph -> (h, w, 3) uint8 RGB, turned as its EXIF note says; gray is repeated, transparency put on white.

    Raises: VideoError for what is unreadable, over MAX_PIXELS, animated, in print colours (CMYK) or of 16 or 32 bits.
    """
    try:
        with _file(path) as file, _bombs_allowed(), Image.open(file, formats=PHOTOS) as photo:
            if photo.width * photo.height > MAX_PIXELS:
                raise VideoError(
                    f"{_name(path)}: {photo.width}x{photo.height} is over {MAX_PIXELS} pixels; scale it down"
                )
            if getattr(photo, "n_frames", 1) > 1 and photo.format != "MPO":
                raise VideoError(f"{_name(path)}: holds several pictures; save the one you mean as PNG or JPEG")
            if photo.mode not in {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "YCbCr"}:
                raise VideoError(f"{_name(path)}: has pixels of type {photo.mode}; save it as 8-bit RGB PNG or JPEG")
            photo.load()
            upright = ImageOps.exif_transpose(photo)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
            return np.array(upright.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, VideoError):
            raise
        raise VideoError(
            f"{_name(path)}: not a readable photograph; open it and save it again as PNG or JPEG"
        ) from error
