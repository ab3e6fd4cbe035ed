"""Decode a clip in a process of its own: a crash or a hang of the decoder ends only that process."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from mesokit.video.opening import VideoError, printable
from mesokit.video.probing import probe
from mesokit.video.reading import Frame, even_indices, read_frames

READER = "import sys; from mesokit.video import apart; apart.send(sys.argv[1], int(sys.argv[2]), sys.stdout.buffer)"


class Taken(NamedTuple):
    """Frames of a clip, and how many frames before its first key frame could not be decoded (`Probe.skipped`)."""

    frames: list[Frame]
    skipped: int


def read_apart(path: str | os.PathLike[str], n: int, limit: float = 3600) -> Taken:
    """`n` frames spread evenly over a clip, decoded in a process of its own.

    Raises: VideoError as `read_frames`, and where that process crashed or took more than `limit` seconds.
    """
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    # -P: Python does not import modules from the current folder, which may hold files of other people.
    command = [sys.executable, "-P", "-c", READER, os.fspath(path), str(n)]
    quiet, env = subprocess.DEVNULL, {**os.environ, "PYTHONPATH": paths}
    started = time.monotonic()
    with subprocess.Popen(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, env=env) as child:
        timer = threading.Timer(limit, child.kill)
        timer.start()
        try:
            taken = _received(child.stdout)
        finally:
            timer.cancel()
            child.kill()
    if taken is None:
        hung = time.monotonic() - started >= limit
        what = f"took more than {limit:g} seconds" if hung else f"crashed (exit status {child.returncode})"
        raise VideoError(f"{printable(path)}: its decoder {what}; re-encode it or leave it out")
    return taken


def send(path: str | os.PathLike[str], n: int, out: BinaryIO) -> None:
    """Write for `read_apart`: for each frame a line of JSON and its bytes; then a line with the error, if any."""
    error, skipped = None, 0
    try:
        known = probe(path)
        skipped = known.skipped
        for frame in read_frames(path, even_indices(known.frames, n)):
            said = {"index": frame.index, "time": frame.time, "keyframe": frame.keyframe, "shape": frame.image.shape}
            out.write(json.dumps(said).encode() + b"\n")
            out.write(frame.image.data)
    except ValueError as problem:
        error = str(problem)
    out.write(json.dumps({"error": error, "skipped": skipped}).encode() + b"\n")
    out.flush()


def _received(stream: Any) -> Taken | None:
    """What `send` wrote; None where its last line is missing. Raises: VideoError with its error."""
    frames: list[Frame] = []
    while (line := stream.readline()).endswith(b"\n"):
        said = json.loads(line)
        if said.get("error"):
            raise VideoError(said["error"])
        if "error" in said:
            return Taken(frames, said["skipped"])
        image = np.empty(said.pop("shape"), np.uint8)
        if stream.readinto(image.data.cast("B")) < image.size:
            return None
        frames.append(Frame(**said, image=image))
    return None
