"""A build that is killed with SIGKILL at any point and started again gives the tables and images of an unbroken run.

The detector is replaced by one face for all frames. Each run is a fork of one process, which has imported everything
and started no thread. `python tests/test_kill.py FOLDER STEP` tries every STEP-th point and prints the result as JSON.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

FACE = (60.0, 40.0, 60.0, 80.0), 0.99, [[75, 70], [105, 70], [90, 88], [78, 105], [102, 105]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills copies of a process")
def test_killed_anywhere_and_started_again_it_is_the_same(tmp_path):
    _films(tmp_path / "films")
    done = subprocess.run([sys.executable, __file__, str(tmp_path), "9"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["points"] > 60  # every file written, moved or removed, every folder made
    assert len(found["killed"]) == -(-found["points"] // 9) + 3
    assert found["different"] == []


def _films(root, n=3):
    """`n` - 1 clips of four frames at two levels, and one that is no video."""
    from mesokit import video
    from mesokit.dataset import manifest

    root.mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i in range(n):
        for crf in (23, 40):
            path = root / f"{i}_{crf}.mp4"
            if i == n - 1:
                path.write_text("no video")
            else:
                image = np.kron(rng.integers(0, 256, (9, 12, 3)), np.ones((16, 16, 1))).astype(np.uint8)
                video.write_clip(path, [image] * 4, 25, crf)
            label = ("real", "forged")[i % 2]
            known = {"clip": f"c{i}", "identity": f"p{i}", "group": f"g{i}", "split": "train", "crf": crf}
            rows.append({**known, "path": path.name, "method": label, "label": label})
    manifest.save(pd.DataFrame(rows).reindex(columns=list(manifest.CLIPS)), root / "clips.csv")


def _build(root, out):
    from mesokit import dataset
    from mesokit.dataset import manifest

    for _ in dataset.build(manifest.read_clips(root / "clips.csv"), root, out, frames=2):
        pass


def _digest(out):
    """sha256 of each file in the dataset folder, except the lock and the records."""
    files = [path for path in out.rglob("*") if path.is_file() and path.name != ".lock" and path.parent.name != ".rows"]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _die_at(n):
    """Kill this process at the n-th operation on a file: in the middle of a write, before any other operation.

    Returns a list that grows by one with each operation.
    """
    seen = []

    def dying(name):
        act = getattr(Path, name)

        def acted(self, *given, **named):
            seen.append(name)
            if len(seen) == n:
                if name == "write_bytes":
                    act(self, given[0][: len(given[0]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return act(self, *given, **named)

        setattr(Path, name, acted)

    for name in ("write_bytes", "replace", "unlink", "mkdir"):
        dying(name)
    return seen


def _copy(work):
    """Start `work` in a fork of this process; returns its process id."""
    if not (child := os.fork()):
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return child


def _end(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _main(folder, step):
    from mesokit import faces

    one = faces.Face(FACE[0], FACE[1], np.array(FACE[2], np.float32))
    faces.load, faces.following.propose = (lambda: None), (lambda *rest: np.empty((0, 6)))
    faces.following.refine = lambda *rest: [one]
    root, whole = folder / "films", folder / "whole"

    def counted():
        seen = _die_at(-1)
        _build(root, whole)
        (folder / "points").write_text(str(len(seen)))

    started = time.perf_counter()
    assert _end(_copy(counted)) == 0
    seconds, points = time.perf_counter() - started, int((folder / "points").read_text())
    killed, different = [], []

    def go_on(name, out):
        killed.append(name)
        assert _end(_copy(lambda: _build(root, out))) == 0
        if _digest(out) != _digest(whole):
            different.append(name)

    for n in range(1, points + 1, step):
        out = folder / f"at{n}"
        assert _end(_copy(lambda: (_die_at(n), _build(root, out)))) == -signal.SIGKILL  # noqa: B023 (it has ended)
        go_on(f"at {n}", out)
    for share in (0.3, 0.6, 0.9):  # and from outside, at any moment, often in the decoder
        child = _copy(lambda: _build(root, folder / f"after{share}"))  # noqa: B023
        time.sleep(share * seconds)
        os.kill(child, signal.SIGKILL)
        assert _end(child) in (-signal.SIGKILL, 0)
        go_on(f"after {share}", folder / f"after{share}")
    print(json.dumps({"points": points, "seconds": seconds, "killed": killed, "different": different}))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
