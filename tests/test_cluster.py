"""Building with processes that die or hang in one clip: whatever happens to it, the others are built.

The detector is replaced on the workers, and brings the trouble: what it does to a process is real (SIGKILL, a hang).
"""

import os
import signal
import time

import numpy as np
import pytest
from distributed import WorkerPlugin
from test_kill import FACE, _digest, _films

from mesokit import dataset, faces
from mesokit.dataset import clip as clip_module
from mesokit.dataset import manifest


class _Trouble(WorkerPlugin):
    """Replaces the detector on each worker, also on those that come later; `folder` / trouble says what befalls c1."""

    name = "trouble"

    def __init__(self, folder):
        self.folder = folder

    def setup(self, worker):
        clip_module._find = self.find

    def find(self, first, root, n_frames, parameters):
        trouble = self.folder / "trouble"
        if first["clip"] == "c1" and trouble.exists():
            if (what := trouble.read_text()) == "dies once":
                trouble.unlink()
            if what == "hangs":
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        one = faces.Face(FACE[0], FACE[1], np.array(FACE[2], np.float32))
        return {0: one, 2: one}, []


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signals on this system")
def test_a_process_that_dies_or_hangs_ends_only_its_clip(tmp_path, monkeypatch):
    root = tmp_path / "films"
    _films(root)
    trouble = _Trouble(tmp_path)
    monkeypatch.setattr(clip_module, "_find", trouble.find)
    monkeypatch.setattr(faces, "load", lambda: None)

    def build(name, client=None, limit=None):
        clips = manifest.read_clips(root / "clips.csv")
        built = dataset.build(clips, root, tmp_path / name, frames=2, client=client, limit=limit)
        return {one.clip: one.error for one in built}

    expected = build("whole")
    assert sorted(expected) == ["c0", "c1", "c2"] and expected["c1"] is None
    with dataset.processes(2) as client:
        client.register_plugin(trouble)
        (tmp_path / "trouble").write_text("dies once")
        assert build("once", client) == expected
        assert _digest(tmp_path / "once") == _digest(tmp_path / "whole")
        client.cluster.scheduler.allowed_failures = 0  # not two more chances, which take their time
        (tmp_path / "trouble").write_text("hangs")
        found = build("hangs", client, limit=8)
    (tmp_path / "trouble").unlink()
    assert "1_23.mp4: its process died or hung each time it was read" in found["c1"]
    assert (found["c0"], found["c2"]) == (expected["c0"], expected["c2"])  # also if they waited for the same process
    assert set(dataset.read(tmp_path / "hangs")["clip"]) == {"c0"}
    assert build("hangs") == found  # what failed is not tried again unasked
