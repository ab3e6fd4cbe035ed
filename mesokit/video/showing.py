"""From a decoded frame to the picture that a player shows: square pixels, SDR colours, upright, 8-bit RGB."""

import os
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from mesokit.video.opening import MAX_PIXELS, VideoError, printable

HDR = {16: "PQ", 18: "HLG"}  # transfer functions, by their numbers in ITU-T H.273
NEARLY_SQUARE = 0.02  # of the ratio: pixels that are this near to squares are left alone, resampling would blur them
# Relative colorimetric: colours up to the reference white of SDR (203 cd/m2) stay as they are, so that skin looks as in
# an SDR clip, and what is brighter becomes white. A perceptual mapping darkens the whole picture instead.
_TO_SDR = "out_transfer=bt709:out_primaries=bt709:out_color_matrix=bt709:intent=relative_colorimetric:flags=bicubic"


def shown(path: str | os.PathLike[str], stream: Any) -> Callable[[Any], np.ndarray]:
    """A function for the decoded frames of `stream` of the file `path`: PyAV's frame -> (h, w, 3) uint8 RGB.

    Pixels that are not square are resampled so that they are. PQ and HLG are mapped to SDR by FFmpeg. Frames are turned
    and mirrored as the file says. Raises: VideoError (at once, or for a frame) for what cannot be shown.
    """
    convert, to_sdr = rgb_converter(), _sdr_converter()
    aspect = stream.sample_aspect_ratio

    def show(frame: Any) -> np.ndarray:
        width, height = square(frame.width, frame.height, aspect)
        if width * height > MAX_PIXELS:
            what = f"its pixels are {aspect} times as wide as high, which makes frames of {width}x{height}"
            raise VideoError(f"{printable(path)}: {what}, over {MAX_PIXELS} pixels; re-encode it with square pixels")
        try:
            image = (to_sdr if frame.color_trc in HDR else convert)(frame, width, height)
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise _unshown(path, frame) from error
        return np.ascontiguousarray(upright(image, frame))

    if str(stream.codec_context.codec_tag) in {"dvh1", "dvhe"} and stream.codec_context.color_trc not in HDR:
        what = "Dolby Vision without a picture that other players can show"
        raise VideoError(f"{printable(path)}: {what}; export it as SDR (H.264, BT.709)")
    return show


def shrunk(path: str | os.PathLike[str], width: int) -> Callable[[Any], np.ndarray]:
    """A function for the decoded frames of the file `path`: PyAV's frame -> (h, `width` or less, 3) uint8, BGR.

    For programs that compare frames: colours are those of the file, and no frame is turned. All frames get the size of
    the first. Raises: VideoError for what cannot be converted.
    """
    scaler, size = VideoReformatter(), (0, 0)

    def shrink(frame: Any) -> np.ndarray:
        nonlocal size
        if not size[0]:
            scale = min(1, width / frame.width)
            size = max(1, round(scale * frame.width)), max(1, round(scale * frame.height))
        try:
            return scaler.reformat(frame, size[0], size[1], "bgr24", interpolation="AREA", threads=1).to_ndarray()
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise _unshown(path, frame) from error

    return shrink


def _unshown(path: str | os.PathLike[str], frame: Any) -> VideoError:
    what = f"its pixels ({HDR.get(frame.color_trc, frame.format.name)}) cannot be converted to RGB"
    return VideoError(f"{printable(path)}: {what}; re-encode it as H.264 in the colours of SDR")


def square(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """The size in square pixels of a frame whose pixels have the ratio `aspect` (width : height); even if it changes.

    The frame is enlarged and never shrunk, which would lose detail. No ratio, or 0: the pixels are square.

    >>> square(720, 576, Fraction(16, 15)), square(720, 480, Fraction(8, 9)), square(720, 576, None)
    ((768, 576), (720, 540), (720, 576))
    """
    if not aspect or aspect < 0 or abs(aspect - 1) <= NEARLY_SQUARE:
        return width, height
    if aspect > 1:
        return 2 * round(width * aspect / 2), height
    return width, 2 * round(height / aspect / 2)


def rgb_converter() -> Callable[..., np.ndarray]:
    """A function for the frames of one clip: (PyAV's frame, width, height) -> (height, width, 3) uint8 RGB.

    Without a size it gives the pixels of `frame.to_ndarray("rgb24")`, which sets up FFmpeg's scaler and threads anew
    for each frame: that costs several times the conversion.
    """
    scaler = VideoReformatter()

    def convert(frame: Any, width: int | None = None, height: int | None = None) -> np.ndarray:
        resized = width is not None and (width, height) != (frame.width, frame.height)
        how = "BICUBIC" if resized else None
        return scaler.reformat(frame, width, height, "rgb24", interpolation=how, threads=1).to_ndarray()

    return convert


def _sdr_converter() -> Callable[[Any, int, int], np.ndarray]:
    """As `rgb_converter`, for frames in PQ or HLG. FFmpeg's filters are set up once for each format."""
    graphs: dict[tuple[Any, ...], Any] = {}

    def convert(frame: Any, width: int, height: int) -> np.ndarray:
        key = (frame.format.name, frame.width, frame.height, frame.color_trc, width, height)
        if key not in graphs:
            graphs[key] = _sdr_graph(frame, width, height)
        graphs[key].push(frame)
        return graphs[key].pull().to_ndarray()

    return convert


def _sdr_graph(frame: Any, width: int, height: int) -> Any:
    """FFmpeg's filters from frames like `frame` to RGB of `width` x `height` in the colours of SDR (BT.709)."""
    graph = av.filter.Graph()
    last = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    for name, arguments in (("scale", f"{width}:{height}:{_TO_SDR}"), ("format", "rgb24"), ("buffersink", None)):
        following = graph.add(name, arguments)
        last.link_to(following)
        last = following
    graph.configure()
    return graph


def upright(image: np.ndarray, frame: Any) -> np.ndarray:
    """Apply the display matrix (turns by 90 degrees and mirrorings) of `frame` to `image` (h, w, c) -> a view."""
    data = next((d for d in frame.side_data if d.type.name == "DISPLAYMATRIX"), None)
    if data is None:
        return image
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]  # x' = a x + c y, y' = b x + d y, y downwards
    if abs(int(b)) > abs(int(a)):
        image, a, d = image.transpose(1, 0, 2), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
