"""A clip of any length is looked through in constant memory: measured in a process of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SIZE = (120, 160, 3)


def test_a_clip_ten_times_as_long_takes_no_more_memory(tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("the meter of memory is Linux's")
    done = subprocess.run([sys.executable, __file__, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["frames"] == [200, 2000]
    short, long = found["peak"]
    assert long - short < 50e6  # the frames that came on top have 104 MB; 15 to 20 were seen
    assert found["control"] - long > 70e6  # so a program that kept them would have been seen


def _look(path):
    """All ways in which a clip is read from its beginning to its end -> the number of its frames, peak memory."""
    from mesokit import scan, scenes, video

    assert scan.judge(path, lambda crops: np.ones(len(crops)), frames=10).verdict == "abstain"
    assert scenes.detect(path) and len(video.keyframes(path))
    return video.probe(path).frames, _peak()


def _peak():
    """The peak in bytes. Not getrusage's: that one begins with the peak of whoever started this process."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def _main(folder):
    from mesokit import faces, video

    faces.follow = lambda frames, min_face: [None for _ in frames]  # it has one frame at a time, see its docstring
    pattern = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8) // 8
    found = []
    for n in (200, 200, 2000):  # the first for what libraries keep
        video.write_clip(folder / "clip.mp4", (np.roll(pattern, i, axis=1) for i in range(n)), 25)
        found.append(_look(folder / "clip.mp4"))
    frames, peak = zip(*found[1:], strict=True)
    kept = list(video.read_frames(folder / "clip.mp4"))
    print(json.dumps({"frames": frames, "peak": peak, "control": _peak(), "kept": len(kept)}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
