"""Building on a Dask cluster: two processes here, one of them killed, and the tables are those of an unbroken run.

Slow: each process loads TensorFlow, and the killed one's successor too.
"""

import os
import signal

import pandas as pd
import pytest

from mesokit import dataset, manifest

CLIPS = 6


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no signals on this system")
def test_a_killed_worker_changes_nothing(tiny, tmp_path):
    clips = manifest.read_clips(tiny / "clips.csv")
    clips = clips[clips["clip"].isin(sorted(clips["clip"].unique())[:CLIPS])]
    with dataset.processes(2) as client:
        building = dataset.build(clips, tiny, tmp_path / "out", frames=3, client=client)
        first = next(building)
        victims = list(client.run(os.getpid).values())
        assert len(victims) == 2
        os.kill(victims[0], signal.SIGKILL)
        built = [first, *building]
        assert victims[0] not in client.run(os.getpid).values()
    assert sorted(one.clip for one in built) == sorted(clips["clip"].unique())
    assert all(one.error is None for one in built)
    here, there = (manifest.read_faces(root / "faces.csv") for root in (tiny, tmp_path / "out"))
    pd.testing.assert_frame_equal(here[here["clip"].isin(clips["clip"])].reset_index(drop=True), there)
    for path in [*there["path"], *there["mask"].dropna()]:
        assert (tmp_path / "out" / path).read_bytes() == (tiny / path).read_bytes()
