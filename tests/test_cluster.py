"""Building on workers that crash, hang, come and go: every other clip is built, and the tables are the same.

The detector is replaced on the workers. What it does to a worker is real: SIGKILL, or a wait without end.
"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster, WorkerPlugin
from test_kill import FACE, _digest, _films

from mesokit import dataset, faces
from mesokit.dataset import clip, cropping, manifest, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal on this system"),
]

CLIPS = 13  # c12 is no video
WORKERS = 3


class _Trouble(WorkerPlugin):
    """Replaces the detector on each worker, also on later ones. The file `folder` / c1 says what happens to clip c1."""

    name = "trouble"

    def __init__(self, folder):
        self.folder = folder

    def setup(self, worker):
        cropping._find = self.find

    def find(self, first, root, n_frames, parameters):
        time.sleep(0.1)  # so that jobs are waiting when a worker is killed
        order = self.folder / first["clip"]
        if order.exists():
            if (what := order.read_text()) == "crash once":
                order.unlink()
            if what == "hang":
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        one = faces.Face(FACE[0], FACE[1], np.array(FACE[2], np.float32))
        return [{0: one, 2: one}], [], []


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder with the clips in films/, and in whole/ the dataset of an unbroken run in threads."""
    folder = tmp_path_factory.mktemp("cluster")
    _films(folder / "films", CLIPS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cropping, "_find", _Trouble(folder).find)
        patch.setattr(faces, "load", lambda: None)
        assert list(_errors(_build(folder, "whole"))) == [f"c{CLIPS - 1}"]
    return folder


@pytest.fixture(scope="module")
def client(films):
    with dataset.processes(WORKERS) as client:
        client.register_plugin(_Trouble(films))
        yield client


def _build(folder, name, client=None, **options):
    clips = manifest.read_clips(folder / "films" / "clips.csv")
    return dataset.build(clips, folder / "films", folder / name, frames=2, client=client, **options)


def _errors(building):
    return {built.clip: built.error for built in building if built.error is not None}


def _kill(client, n):
    for pid in list(client.run(os.getpid).values())[:n]:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("after", "n"), [(1, 1), (CLIPS - 2, 1), (2, WORKERS - 1)], ids=["early", "late", "all but one"]
)
def test_killed_workers_change_nothing(films, client, after, n):
    client.wait_for_workers(WORKERS)
    name = f"killed-{after}"
    building = _build(films, name, client)
    for _ in range(after):
        next(building)
    _kill(client, n)
    assert len(list(building)) == CLIPS - after
    assert _digest(films / name) == _digest(films / "whole")


def test_a_clip_that_crashes_once_is_built(films, client):
    (films / "c1").write_text("crash once")
    assert list(_errors(_build(films, "once", client))) == ["c12"]
    assert _digest(films / "once") == _digest(films / "whole")


@pytest.mark.parametrize(
    ("what", "error"),
    [("crash", "1_23.mp4: its process crashed each time"), ("hang", "1_23.mp4: not finished after 3 seconds")],
)
def test_a_clip_that_always_crashes_or_hangs_is_a_failure(films, client, what, error):
    client.cluster.scheduler.allowed_failures = 0  # to save the time of two more attempts
    (films / "c1").write_text(what)
    found = _errors(_build(films, what, client, limit=3))
    (films / "c1").unlink()
    assert sorted(found) == ["c1", "c12"] and error in found["c1"]
    assert set(dataset.read(films / what)["clip"]) == set(dataset.read(films / "whole")["clip"]) - {"c1"}
    assert _errors(_build(films, what)) == found  # a failed clip is not tried again without `retry`


def test_a_cluster_that_grows_and_shrinks_with_a_clip_that_hangs(films):
    """On a cluster that `processes` did not make, with two jobs in each process."""
    (films / "c1").write_text("hang")
    with LocalCluster(n_workers=0, threads_per_worker=2, dashboard_address=":0") as cluster, Client(cluster) as client:
        client.register_plugin(_Trouble(films))
        cluster.adapt(minimum=0, maximum=2, interval="100ms", wait_count=1, target_duration="200ms")
        found = _errors(_build(films, "adaptive", client, limit=3))
        (films / "c1").unlink()
        assert sorted(found) == ["c1", "c12"] and "not finished after 3 seconds" in found["c1"]
        assert list(_errors(_build(films, "adaptive", client, retry=True))) == ["c12"]
    assert _digest(films / "adaptive") == _digest(films / "whole")


def test_a_cluster_of_jobs(films, monkeypatch):
    """dask-jobqueue, as in the recipe for SLURM of docs/scaling.md; its local cluster starts the jobs here."""
    from dask_jobqueue.local import LocalCluster as Jobs

    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # of the jobs, for the plugin
    jobs = Jobs(cores=1, processes=1, memory="2GB", scheduler_options={"dashboard_address": ":0"})
    with jobs as cluster, Client(cluster.scheduler_address) as client:
        client.register_plugin(_Trouble(films))
        cluster.adapt(minimum_jobs=0, maximum_jobs=2)
        assert list(_errors(_build(films, "jobs", client))) == ["c12"]
    assert _digest(films / "jobs") == _digest(films / "whole")


def test_no_more_jobs_are_handed_over_than_the_cluster_has_room_for(monkeypatch):
    """The cluster shrinks to nothing while jobs are waiting, and grows again."""
    started = []
    monkeypatch.setattr(clip, "build", lambda job, limit: started.append(job) or time.sleep(0.01) or job)
    widths = iter([6, 6, 1, 0, 0, 0, 0, 0, *[4] * 100])
    with ThreadPoolExecutor(6) as pool:
        done = list(running._in_windows(pool, lambda: next(widths), range(1, 21), None))
    assert sorted(done) == sorted(started) == list(range(1, 21))
