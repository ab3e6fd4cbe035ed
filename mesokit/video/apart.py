"""Decode a clip in a process of its own, which may crash or hang there."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from mesokit.video.opening import VideoError, printable
from mesokit.video.probing import probe
from mesokit.video.reading import Frame, even_indices, read_frames

READER = "import sys; from mesokit.video import apart; apart.send(sys.argv[1], int(sys.argv[2]), sys.stdout.buffer)"


def read_apart(path: str | os.PathLike[str], n: int, limit: float = 3600) -> list[Frame]:
    """`n` frames spread evenly over a clip, decoded in a process of its own, which may crash or hang there.

    Raises: VideoError as `read_frames`, and where that process died or took more than `limit` seconds.
    """
    paths = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
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
        raise VideoError(f"{printable(path)}: its decoder {what}; re-encode it or leave it out")
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
