"""Open one regular file, as it is or as a clip, and no other; what is wrong with it is a `VideoError`."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av

# Demuxers that read one file and nothing else: playlists (concat, hls) could open other files.
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,h264,hevc,gif"
ERRORS = (
    "explode"  # the decoder gives up at damage; of 160 damaged clips all are refused, with 1 wrong frame before, not 3
)
MAX_PIXELS = 89_478_485  # Pillow's own limit against decompression bombs, here for photographs and frames alike
CLIP_SUFFIXES = {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".mpg", ".mpeg"}


class VideoError(ValueError):
    """A clip or photograph cannot be read; the message is one line: the file, what is wrong, what to do."""


@contextmanager
def open_video(path: str | os.PathLike[str]) -> Iterator[tuple[Any, Any]]:
    """Open `path` -> (container, its first video stream that is not cover art); what fails inside is a VideoError."""
    # The file is opened here and has no name for FFmpeg: no pattern, no protocol, no second file.
    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
    with open_file(path) as file:
        try:
            with av.open(file, container_options=options, metadata_errors="replace", buffer_size=1 << 18) as container:
                streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
                if not streams:
                    raise VideoError(f"{printable(path)}: holds no video (sound only?); give a clip with a picture")
                context = streams[0].codec_context
                if context is None or context.width * context.height > MAX_PIXELS:
                    raise VideoError(
                        f"{printable(path)}: no decoder, or frames over {MAX_PIXELS} pixels; re-encode it smaller"
                    )
                context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": ERRORS}
                yield container, streams[0]
        except (av.FFmpegError, OSError, ValueError, IndexError, MemoryError) as error:
            if isinstance(error, VideoError):
                raise
            raise VideoError(
                f"{printable(path)}: not a readable video ({error.__class__.__name__}); re-encode it"
            ) from error


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
        raise VideoError(f"{printable(path)}: {getattr(error, 'strerror', None) or error}; check the name") from error
    with os.fdopen(descriptor, "rb") as file:  # nameless, see `open_video`
        yield file


def printable(path: Any) -> str:
    """A file name that stays on one line of a message: unprintable characters escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in os.fsdecode(path))
