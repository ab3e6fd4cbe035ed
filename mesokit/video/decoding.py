"""Decode a clip from its first key frame on. Damage raises an error; a damaged frame is never given.

A packet of a file is not always a frame that is shown. In interlaced video a packet can be a field, and an edit list
hides packets. A clip that was cut out of a longer recording can begin with pictures that need others from before the
cut: these are skipped and counted. Damage is what cannot be decoded after the first key frame.
"""

import heapq
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, takewhile
from typing import Any

import av

from mesokit.video.opening import VideoError, open_video, printable

# Of these, each packet gives one frame, unless the video is interlaced. VP8 and MPEG-4 also hold frames never shown.
ONE_PACKET_ONE_FRAME = {"h264", "hevc", "vp9", "av1", "mjpeg", "gif"}
# Leading pictures follow a key frame in the file and are shown before it. In an open group of pictures they also need
# frames before the key frame. These decoders drop them where such frames are absent, at most 16 at a time.
LEADING = {"h264", "hevc"}
MOST_LEADING = 16
UNTIMED = {"avi", "h264", "hevc"}  # containers whose times do not tell the order of showing
# Transport streams number their packets, and FFmpeg marks the frame before a jump of the numbers. Where a few packets
# are lost, up to 50 frames have wrong pixels; the decoders did not notice it in 3 (H.264) and 6 (HEVC) of 60 clips.
AHEAD = 3  # packets that are looked at before one is decoded, to tell the other causes of such a jump


class _DamagedError(VideoError):
    """Data of a clip are wrong or missing."""


@dataclass
class Decoding:
    """What is known of a clip while `decode` goes through it."""

    stream: Any = None
    frames: int = 0  # so far
    skipped: int = 0  # frames before the first key frame, which cannot be decoded; known at the end
    interlaced: bool = False
    time: Fraction = Fraction(0)  # seconds from the first frame to the last one decoded
    offset: Fraction | None = None  # seconds: the file's time of the first frame
    joint: bool = False  # whether the numbers of packets have jumped since the last key frame

    def add(self, frame: Any, pts: int | None) -> None:
        """Count `frame`, which the file shows at `pts`, and set its time."""
        expected = self.time + (1 / self.stream.average_rate if self.stream.average_rate else Fraction(1, 25))
        now = expected
        if pts is not None:
            at = pts * (frame.time_base or Fraction(1))
            self.offset = at if self.offset is None else self.offset
            now = at - self.offset
            # Where streams were joined, the times of the file begin anew or jump.
            if self.frames and frame.key_frame and (now < self.time or (self.joint and now - self.time > 1)):
                self.offset, now = at - expected, expected
        self.joint &= not frame.key_frame
        self.time = now if self.frames else Fraction(0)
        self.interlaced |= bool(frame.interlaced_frame)
        self.frames += 1


@dataclass
class Packets:
    """The packets of a stream: how many come before its first key frame, and how many are for the decoder."""

    codec: str
    marked: bool = True  # whether key frames are marked as such; otherwise the first packet is taken for one
    key: Any = None  # the packet of the first key frame
    skipped: int = 0  # shown packets that come before `key` in the file, or, of H.264, when shown
    leading: bool = False  # whether packets for the decoder follow `key` that are shown before it, or may be
    fed: int = 0  # shown packets for the decoder
    head: list[int | None] = field(default_factory=list)  # times of the first of them behind `key`
    waiting: Counter[int | None] = field(default_factory=Counter)  # times of those that have given no frame
    _trailing: bool = False  # whether a packet came that is shown after `key`

    def skips(self, packet: Any) -> bool:
        """Whether `packet` is to be skipped. The decoder of HEVC drops leading pictures itself, that of H.264 fails."""
        if self.key is None:
            if self.marked and not packet.is_keyframe:
                self.skipped += not packet.is_discard
                return True
            self.key = packet
        elif not self._trailing:
            known = packet.pts is not None and self.key.pts is not None
            self._trailing = known and packet.pts > self.key.pts
            if self.codec == "h264" and known and packet.pts < self.key.pts:
                self.skipped += not packet.is_discard
                return True
            self.leading |= not self._trailing
        if not packet.is_discard:
            if 0 < self.fed <= MOST_LEADING:
                self.head.append(packet.pts)
            self.fed += 1
            self.waiting[packet.pts] += 1
        return False

    def gave(self, frame: Any) -> None:
        """Note that a frame came out of the decoder."""
        self.waiting[frame.pts] -= 1
        if self.waiting[frame.pts] == 0:
            del self.waiting[frame.pts]

    def without_frame(self, decoding: Decoding) -> tuple[int, int]:
        """At the end: how many frames before the first key frame were skipped, and how many behind it are lost."""
        if decoding.interlaced:  # where a packet is a field, two of them are a frame
            fields = 2 if self.fed > 1.5 * decoding.frames else 1
            return -(-self.skipped // fields), 0
        lost, dropped = max(self.fed - decoding.frames, 0), 0
        if self.leading or self.codec in LEADING:
            for pts in self.head[:lost]:
                if self.waiting[pts] <= 0:
                    break
                self.waiting[pts] -= 1
                dropped += 1
        return self.skipped + dropped, lost - dropped


def decode(path: Any, decoding: Decoding) -> Generator[Any, None, None]:
    """All frames in order, from the first key frame on.

    Raises: VideoError where FFmpeg would conceal damage in gray or green, where the file is cut short, and where not
    one frame can be decoded.

    If the first packets cannot be decoded and the file's times do not tell which (as in AVI), the file is opened again
    and decoded without threads, so that an error belongs to one packet. If no packet is marked as a key frame, decoding
    begins with the first one.
    """
    patient, marked = False, True
    while True:
        try:
            with open_video(path) as (container, stream):
                decoding.stream = stream
                packets = Packets(codec_name(stream), marked)
                yield from _decoded(path, container, packets, decoding, patient)
            if decoding.frames:
                return
            if packets.key is not None or not marked:
                raise VideoError(f"{printable(path)}: not one frame can be decoded; re-encode it or leave it out")
            marked = False
        except _DamagedError:
            if decoding.frames or patient:
                raise
            patient = True


def codec_name(stream: Any) -> str:
    """The name of a stream's format ("h264", "hevc", "av1", ...), which is not always that of its decoder."""
    return str(stream.codec_context.codec.canonical_name)


def demuxed(path: Any, container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a stream. Raises VideoError where the file ends before the last one, or cannot be read on."""
    came, whole = 0, False
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt and container.format.name != "mpegts":  # only a part of it is there
                break
            came += bool(packet.size)
            yield packet
        else:
            whole = True
    except av.FFmpegError:
        whole = False
    # The index of an MP4 or MOV file has no entry for what an edit list hides, unless frames that are shown need it.
    if "mp4" in container.format.name and came < len(stream.index_entries):
        there = f"{came} of {len(stream.index_entries)} frames are there"
        raise VideoError(f"{printable(path)}: cut short, {there}; copy it again")
    if not whole:
        raise _damaged(path, came)


def _decoded(path: Any, container: Any, packets: Packets, decoding: Decoding, patient: bool) -> Iterator[Any]:
    stream = decoding.stream
    times: list[int] | None = [] if container.format.name == "avi" else None  # AVI has them in the order of decoding
    stream.thread_type = "SLICE" if patient else "AUTO"
    for packet, following in _checked(demuxed(path, container, stream), path, decoding):
        if (packet.size and packets.skips(packet)) or (not packet.size and following):
            continue
        if times is not None and packet.pts is not None:
            heapq.heappush(times, packet.pts)
        try:
            frames = packet.decode()
        except av.FFmpegError as error:
            if patient and packets.fed > 1 and not decoding.frames:  # a leading picture: see `decode`
                continue
            raise _damaged(path, decoding.frames) from error
        for frame in frames:
            if frame.is_corrupt:
                raise _damaged(path, decoding.frames)
            packets.gave(frame)
            decoding.add(frame, heapq.heappop(times) if times else frame.pts)
            yield frame
    decoding.skipped, lost = packets.without_frame(decoding)
    if lost and packets.codec in ONE_PACKET_ONE_FRAME:
        raise _damaged(path, decoding.frames)


def _checked(packets: Iterable[Any], path: Any, decoding: Decoding) -> Iterator[tuple[Any, list[Any]]]:
    """Each packet with those that follow it, at most `AHEAD`. Raises VideoError where packets between are lost.

    Nothing is lost where transport streams were joined, which is where a key frame comes two packets after the mark, or
    where their numbers are wrong all the time.
    """
    window: deque[Any] = deque()
    marked = 0  # marks without a break, up to and including the packet
    for packet in chain(packets, [None] * AHEAD):
        window.append(packet)
        if len(window) <= AHEAD:
            continue
        first = window.popleft()
        following = [one for one in window if one is not None]
        marked = marked + 1 if first.is_corrupt else 0
        if marked:
            decoding.joint = True
            row = marked + len(list(takewhile(lambda one: one.is_corrupt, following)))
            if row <= AHEAD and not any(one.is_keyframe for one in following[1:2]):
                raise _damaged(path, decoding.frames)
        yield first, following


def _damaged(path: Any, frame: int) -> VideoError:
    return _DamagedError(
        f"{printable(path)}: damaged from about frame {frame} on; copy it again or re-encode it with ffmpeg"
    )
