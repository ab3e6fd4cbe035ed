"""Open one regular file, and the best video stream in it; what is wrong with a file is a `VideoError`."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av

from mesokit import files

# Demuxers that read one file and nothing else: playlists (concat, hls) could open other files.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,h264,hevc,gif"
# The usual endings of their names, in lower case.
CLIP_SUFFIXES = {
    ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".f4v",
    ".mkv", ".mk3d", ".webm",
    ".avi", ".divx",
    ".ts", ".mts", ".m2ts", ".m2t",
    ".mpg", ".mpeg", ".mpe", ".vob", ".m2p",
    ".flv", ".ogv", ".ogm", ".wmv", ".asf",
    ".h264", ".264", ".h265", ".265", ".hevc",
    ".gif",
}  # fmt: skip
# With it the decoder stops at damage. All of 160 damaged clips are then refused, with 1 wrong frame before, not 3.
ERRORS = "explode"
MAX_PIXELS = 89_478_485  # Pillow's own limit against decompression bombs, here for photographs and frames alike
# Some kinds of photographs, by the first bytes of a file. FFmpeg reads HEIC and AVIF as videos, each tile as a stream.
_SIGNATURES = [
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
]
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"), "HEIC"),
    b"avif": "AVIF",
}


class VideoError(ValueError):
    """A clip or photograph cannot be read; the message is one line: the file, what is wrong, what to do."""


@contextmanager
def open_video(path: str | os.PathLike[str]) -> Iterator[tuple[Any, Any]]:
    """Open `path` -> (container, its best video stream, see `_best`); what fails inside is a VideoError."""
    # The file is opened here and has no name for FFmpeg: no pattern, no protocol, no second file.
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
    with open_file(path) as file:
        if kind := photograph_kind(file):
            raise VideoError(f"{printable(path)}: a photograph (format {kind}), not a video; give a clip")
        try:
            with av.open(file, container_options=options, metadata_errors="replace", buffer_size=1 << 18) as container:
                stream = _best(container)
                if stream is None:
                    raise VideoError(f"{printable(path)}: holds no video (sound only?); give a clip with a picture")
                context = stream.codec_context
                if context is None or context.width * context.height > MAX_PIXELS:
                    raise VideoError(
                        f"{printable(path)}: no decoder, or frames over {MAX_PIXELS} pixels; re-encode it smaller"
                    )
                context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": ERRORS}
                yield container, stream
        except (av.FFmpegError, OSError, ValueError, IndexError, MemoryError) as error:
            if isinstance(error, VideoError):
                raise
            kind = files.kind(path)
            why = f": it is {kind}" if kind else f" ({error.__class__.__name__}); re-encode it"
            raise VideoError(f"{printable(path)}: not a readable video{why}") from error


def _best(container: Any) -> Any:
    """The video stream with the largest picture, of those the longest, of those the default one; None without any.

    Phones and cameras store small previews beside the clip, also before it. Attached pictures (cover art) are no video,
    and a stream of one picture is taken only where there is no other.
    """

    def merit(stream: Any) -> tuple[bool, bool, int, float, bool]:
        context, many = stream.codec_context, stream.frames != 1  # 0: not known
        if context is None:
            return False, many, 0, 0.0, False
        seconds = _tagged(stream) or float((stream.duration or 0) * (stream.time_base or 0))
        default = bool(stream.disposition & stream.disposition.default)
        return True, many, context.width * context.height, seconds, default

    def attached(stream: Any) -> bool:
        kinds = stream.disposition
        return bool(kinds & (kinds.attached_pic | kinds.timed_thumbnails))

    return max((s for s in container.streams.video if not attached(s)), key=merit, default=None)  # the first of equals


def _tagged(stream: Any) -> float:
    """Seconds by the tag that Matroska files carry for each stream ("00:00:01.200000000"); 0 without it."""
    try:
        hours, minutes, seconds = stream.metadata.get("DURATION", "").split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return 0.0


@contextmanager
def open_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A regular, non-empty file, opened for reading; VideoError otherwise (a pipe would wait for ever)."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise VideoError(f"{printable(path)}: not a file; give the files in it one by one")
        if status.st_size == 0:
            raise VideoError(f"{printable(path)}: the file is empty; copy it again")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        if isinstance(error, VideoError):
            raise
        why = f"{getattr(error, 'strerror', None) or error}; check the name"
        if isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            why = files.missing(path)
        raise VideoError(f"{printable(path)}: {printable(why)}") from error
    with os.fdopen(descriptor, "rb") as file:  # nameless, see `open_video`
        yield file


def photograph_kind(file: BinaryIO) -> str | None:
    """The kind of a photograph ("HEIC", "JPEG 2000", ...) by the first bytes of `file`, else None; it is rewound."""
    head = file.read(32)
    file.seek(0)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)


def printable(path: Any) -> str:
    """A file name that stays on one line of a message: unprintable characters escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in os.fsdecode(path))
