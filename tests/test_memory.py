"""A clip of any length is read in constant memory: measured in a separate process.

`python tests/test_memory.py FOLDER --hours 2` scans a clip of two hours at 1920x1080, and prints its memory over time.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

pytestmark = pytest.mark.slow

SIZE = (120, 160, 3)


def test_a_clip_ten_times_as_long_takes_no_more_memory(tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("memory is measured in a way that only Linux has")
    done = subprocess.run([sys.executable, __file__, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["frames"] == [200, 2000]
    short, long = found["peak"]
    assert long - short < 50e6  # the additional frames take 104 MB; 15 to 20 MB were measured
    assert found["control"] - long > 70e6  # so the test would find a program that keeps them


def _look(path):
    """Read a clip to its end in all ways; returns the number of its frames and the peak memory in bytes."""
    from mesokit import scan, video
    from mesokit.video import apart, scenes

    with Path(os.devnull).open("wb") as nowhere:
        apart.send(path, 10, nowhere)  # `judge` does this in a separate process, which is not measured
    assert scan.judge(path, lambda crops: np.ones(len(crops)), frames=10).verdict == "abstain"
    assert scenes.detect(path) and len(video.keyframes(path))
    return video.probe(path).frames, _peak()


def _peak():
    """Peak memory in bytes. Not from getrusage, which starts with the peak of the parent process."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def _main(folder):
    from mesokit import faces, video

    faces.following.propose, faces.following.refine = (lambda *rest: np.empty((0, 6))), (lambda *rest: [])
    pattern = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8) // 8
    found = []
    for n in (200, 200, 2000):  # the first run fills the caches of the libraries
        video.write_clip(folder / "clip.mp4", (np.roll(pattern, i, axis=1) for i in range(n)), 25)
        found.append(_look(folder / "clip.mp4"))
    frames, peak = zip(*found[1:], strict=True)
    kept = list(video.read_frames(folder / "clip.mp4"))
    print(json.dumps({"frames": frames, "peak": peak, "control": _peak(), "kept": len(kept)}))


def _repeat(path, out, times):
    """Copy the stream of a clip `times` times into `out`, without encoding, which would take hours."""
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = source.streams.video[0]
        packets = [packet for packet in source.demux(stream) if packet.size]
        copied = target.add_stream_from_template(stream)
        length = sum(packet.duration for packet in packets)
        pts, dts = [packet.pts for packet in packets], [packet.dts for packet in packets]
        for i in range(times):
            for packet, shown, decoded in zip(packets, pts, dts, strict=True):
                packet.pts, packet.dts, packet.stream = shown + i * length, decoded + i * length, copied
                target.mux(packet)
                packet.stream, packet.time_base = stream, stream.time_base


def _now():
    """Memory of this process and of its child, the decoder, in MB."""
    me, found = psutil.Process(), 0
    for process in [me, *me.children()]:
        with suppress(psutil.NoSuchProcess):
            found += process.memory_info().rss // 2**20
    return found


def _hours(folder, hours):
    """Scan clips of a minute and of `hours`, with the real detector; MB over time of each."""
    from mesokit import scan, video

    gray = np.kron(np.random.default_rng(0).integers(0, 256, (27, 48, 1)), np.ones((40, 40, 3))).astype(np.uint8)
    video.write_clip(folder / "gop.mp4", (np.roll(gray, 8 * i, axis=1) for i in range(250)), 25, 40)
    for minutes in (1, 60 * hours):
        _repeat(folder / "gop.mp4", folder / "long.mp4", 6 * minutes)
        done, seen, started = threading.Event(), [], time.perf_counter()

        def watch(done=done, seen=seen, started=started):
            while not done.wait(1):
                seen.append((round(time.perf_counter() - started), _now()))

        watching = threading.Thread(target=watch)
        watching.start()
        judged = scan.judge(folder / "long.mp4", lambda crops: np.ones(len(crops)), frames=30)
        done.set()
        watching.join()
        said = {"minutes": minutes, "frames": video.probe(folder / "long.mp4").frames, "verdict": judged.reason}
        print(
            json.dumps(
                {
                    **said,
                    "seconds": seen[-1][0],
                    "peak": max(mb for _, mb in seen),
                    "over_time": seen[:: len(seen) // 20 + 1],
                }
            )
        )


if __name__ == "__main__":
    if sys.argv[2:3] == ["--hours"]:
        _hours(Path(sys.argv[1]), int(sys.argv[3]))
    else:
        _main(Path(sys.argv[1]))
