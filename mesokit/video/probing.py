"""What a clip really holds: its size, its times and its CRF, counted and not believed."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mesokit.video.opening import VideoError, open_video, printable
from mesokit.video.reading import ONE_PACKET_ONE_FRAME, upright


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


def probe(path: str | os.PathLike[str]) -> Probe:
    """Count and describe the first video stream of `path`. Reads the whole file, decodes one frame of it.

    Raises: VideoError when there is no readable video, or when the file is cut short.
    """
    with open_video(path) as (container, stream):
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
            raise VideoError(f"{printable(path)}: not one frame can be decoded; re-encode it or leave it out")
        if "mp4" in container.format.name and all_packets < stream.frames:
            raise VideoError(
                f"{printable(path)}: cut short, {all_packets} of {stream.frames} frames are there; copy it again"
            )
        duration = _duration(times, n, stream)
        height, width = upright(np.empty((first.height, first.width, 0), np.uint8), first).shape[:2]
        return Probe(
            Path(path), stream.codec_context.name, width, height, n / duration, n, duration, int(first.rotation),
            _x264_crf(first), int(stream.frames),
        )  # fmt: skip


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
