"""Run jobs in threads of this process, or on a Dask cluster, where workers may come, go, crash and hang."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import Any

from mesokit import faces
from mesokit.dataset import clip
from mesokit.dataset.clip import Built, Job

PULSE = 2  # seconds after which the size of a cluster is read again, although no job has ended


@contextmanager
def processes(n: int) -> Iterator[Any]:
    """A Dask client of `n` processes on this machine. A process that ends is replaced, and its clip is tried again.

    Each process builds one clip at a time, so that a crash affects one clip only.
    """
    import dask
    from distributed import Client, LocalCluster

    rules = {
        "distributed.scheduler.allowed-failures": 2,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.no-workers-timeout": "10 minutes",  # without it, a build with no process waits for ever
        "distributed.deploy.lost-worker-timeout": "1 hour",  # of 15 seconds, too short for a process on a busy machine
    }
    with (
        dask.config.set(rules),
        LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


def run(jobs: Iterable[Job], client: Any = None, limit: int | None = None) -> Iterator[Built]:
    """Build each job, here or on the cluster of `client`, and yield the results as they come.

    `limit`: seconds for a clip on a cluster, see `clip.build`.
    """
    if client is not None:
        with client.get_executor(pure=False) as executor:
            yield from _in_windows(executor, lambda: 2 * sum(client.nthreads().values()), jobs, limit)
        return
    faces.load()  # once, before the threads need it
    cores = os.cpu_count() or 1
    # Threads, not processes: OpenVINO, OpenCV and FFmpeg release Python's lock, and each process would load them.
    pool = ThreadPoolExecutor(cores)
    try:
        yield from _in_windows(pool, lambda: 2 * cores, jobs, None)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_windows(
    executor: Executor, width: Callable[[], int], jobs: Iterable[Job], limit: int | None
) -> Iterator[Built]:
    """Keep about `width()` jobs with the executor, so that a long table is not handed over at once.

    When a worker crashes, some of its jobs were only queued behind the clip that crashed. Therefore all of them are
    tried again at the end, one at a time; one that crashes its worker again has failed.
    """
    remaining, crashed = iter(jobs), []  # type: Iterator[Job], list[Job]
    waiting: dict[Future[Built], Job] = {}
    while True:
        room = max(1, width()) - len(waiting)  # negative after a cluster has shrunk
        waiting |= {executor.submit(clip.build, job, limit): job for job in islice(remaining, max(0, room))}
        if not waiting:
            break
        for future in wait(waiting, PULSE, FIRST_COMPLETED).done:
            job = waiting.pop(future)
            if (built := _result(future)) is not None:
                yield built
            else:
                crashed.append(job)
    for job in crashed:
        why = "its process crashed each time (the decoder, or too little memory); re-encode it"
        yield _result(executor.submit(clip.build, job, limit)) or clip.fail(job, why)


def _result(future: Future[Built]) -> Built | None:
    """The result of a job, None where its worker crashed."""
    try:
        return future.result()
    except Exception as error:
        if type(error).__name__ != "KilledWorker":  # of distributed, which is imported only where it is used
            raise
        return None
