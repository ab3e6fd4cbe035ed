"""Describe a clip: size, times and CRF, measured in the stream and not taken from the file's header."""

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from mesokit.video.decoding import (
    LEADING,
    ONE_PACKET_ONE_FRAME,
    UNTIMED,
    Decoding,
    Packets,
    codec_name,
    decode,
    demuxed,
)
from mesokit.video.opening import open_video
from mesokit.video.showing import shown


@dataclass(frozen=True)
class Probe:
    """What a clip holds, measured in its stream."""

    path: Path
    codec: str  # "h264", "hevc", "vp9", ...
    width: int  # of the frames `read_frames` gives: upright, in square pixels
    height: int
    fps: float  # average: frames / duration
    frames: int  # counted: those that `read_frames` gives
    duration: float  # seconds, from the first frame's time to the last one's end
    rotation: int  # degrees counter-clockwise by which stored frames are turned
    crf: float | None  # read back from x264's own note in the stream; None: another encoder or another rate control
    declared_frames: int  # what the header says; 0 when it says nothing
    skipped: int = 0  # frames before the first key frame, which cannot be decoded and are not counted


def probe(path: str | os.PathLike[str]) -> Probe:
    """Count and describe the frames of a clip. Reads the whole file, and decodes all of it only where it must.

    Packets are counted instead of frames where each packet is a frame: not in interlaced video, and not where a
    recording was cut or joined. Raises: VideoError as `read_frames`, and where the file is cut short.
    """
    return _by_packets(path) or _by_frames(path)


def _by_packets(path: Any) -> Probe | None:
    """What `probe` gives, with one frame decoded; None where packets are not frames."""
    with open_video(path) as (container, stream):
        codec, known, times = codec_name(stream), None, _Times()
        if codec not in ONE_PACKET_ONE_FRAME or (codec in LEADING and container.format.name in UNTIMED):
            return None
        packets = Packets(codec)
        for packet in demuxed(path, container, stream):
            if packet.size and (packet.is_corrupt or packets.skips(packet) or packets.leading):
                return None
            if packet.size and not packet.is_discard and packet.pts is not None:
                times.add(packet.pts, packet.duration or 0)
            if known is None and (frame := next(iter(packet.decode()), None)) is not None:
                if frame.interlaced_frame:
                    return None
                known = _known(path, stream, frame)
        if known is None:
            return None
        duration = _duration(times, packets.fed, stream)
        return Probe(**known, fps=packets.fed / duration, frames=packets.fed, duration=duration)


def _by_frames(path: Any) -> Probe:
    """What `probe` gives, with all frames decoded."""
    decoding, known, last = Decoding(), None, Fraction(0)
    for frame in decode(path, decoding):
        known = known or _known(path, decoding.stream, frame)
        last = (frame.duration or 0) * (frame.time_base or Fraction(0))
    n, usual = decoding.frames, decoding.time / max(decoding.frames - 1, 1)
    # The duration of an interlaced frame may be that of one of its two fields.
    end = usual if decoding.interlaced or not last else last
    duration = float(decoding.time + (end or 1 / (decoding.stream.average_rate or 25)))
    return Probe(**known or {}, fps=n / duration, frames=n, duration=duration, skipped=decoding.skipped)


def _known(path: Any, stream: Any, frame: Any) -> dict[str, Any]:
    """What the first frame tells."""
    height, width = shown(path, stream)(frame).shape[:2]
    known = {"path": Path(path), "codec": codec_name(stream), "width": width, "height": height}
    return {
        **known, "rotation": int(frame.rotation), "crf": _x264_crf(frame), "declared_frames": int(stream.frames)
    }  # fmt: skip


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
