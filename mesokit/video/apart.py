"""Decode a clip in a process of its own: a crash or a hang of the decoder ends only that process."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from mesokit.video.opening import VideoError, printable
from mesokit.video.probing import probe
from mesokit.video.reading import Frame, even_indices

READER = "import sys; from mesokit.video import apart; apart.send(sys.argv[1], int(sys.argv[2]), sys.stdout.buffer)"


class Taken(NamedTuple):
    """A frame of a clip."""

    frame: Frame
    shot: int  # the number of its shot, as `scenes.shots` counts them
    skipped: int  # frames before the clip's first key frame, which could not be decoded (`Probe.skipped`)


def read_apart(path: str | os.PathLike[str], n: int, limit: float = 3600) -> Iterator[Taken]:
    """`n` frames spread evenly over a clip, decoded in a process of its own, which begins at once.

    It is one or two frames ahead: then it waits until a frame is asked for.

    Raises: VideoError as `read_frames`, and where that process crashed or was waited for over `limit` seconds in all.
    """
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    # -P: Python does not import modules from the current folder, which may hold files of other people.
    command = [sys.executable, "-P", "-c", READER, os.fspath(path), str(n)]
    quiet, env = subprocess.DEVNULL, {**os.environ, "PYTHONPATH": paths}
    return _coming(path, subprocess.Popen(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, env=env), limit)


def _coming(path: str | os.PathLike[str], child: subprocess.Popen[bytes], left: float) -> Iterator[Taken]:
    limit = left
    with child:
        try:
            while True:
                started, timer = time.monotonic(), threading.Timer(left, child.kill)
                timer.start()
                try:
                    taken = _received(child.stdout)
                finally:
                    timer.cancel()
                    left -= time.monotonic() - started
                if taken is None:
                    return
                yield taken
                del taken  # or it would be held until the next one has come
        except EOFError:
            what = f"took more than {limit:g} seconds" if left <= 0 else f"crashed (exit status {child.wait()})"
            raise VideoError(f"{printable(path)}: its decoder {what}; re-encode it or leave it out") from None
        finally:
            child.kill()


def send(path: str | os.PathLike[str], n: int, out: BinaryIO) -> None:
    """Write for `read_apart`: for each frame a line of JSON and its bytes; then a line with the error, if any."""
    from mesokit.video import scenes  # here, because `scenes` imports this room

    error = None
    try:
        known = probe(path)
        for shot, frame in scenes.shots(path, even_indices(known.frames, n)):
            said = {"index": frame.index, "time": frame.time, "keyframe": frame.keyframe, "shape": frame.image.shape}
            out.write(json.dumps(said | {"shot": shot, "skipped": known.skipped}).encode() + b"\n")
            out.write(frame.image.data)
            del frame
    except ValueError as problem:
        error = str(problem)
    out.write(json.dumps({"error": error}).encode() + b"\n")
    out.flush()


def _received(stream: Any) -> Taken | None:
    """The next frame that `send` wrote; None at the end. Raises: VideoError with its error, EOFError at a break."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    said = json.loads(line)
    if said.get("error"):
        raise VideoError(said["error"])
    if "error" in said:
        return None
    image, shot, skipped = np.empty(said.pop("shape"), np.uint8), said.pop("shot"), said.pop("skipped")
    if stream.readinto(image.data.cast("B")) < image.size:
        raise EOFError
    return Taken(Frame(**said, image=image), shot, skipped)
