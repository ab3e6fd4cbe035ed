"""All clips of a clip table become a dataset: plan one job for each clip, run the jobs, finish the tables."""

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mesokit import faces, files, video
from mesokit.dataset import manifest, tables
from mesokit.dataset.clip import Built, plan
from mesokit.dataset.cropping import Parameters
from mesokit.dataset.running import run

SAMPLE = 4  # clips that `estimate` builds


def build(
    clips: pd.DataFrame,
    root: Path | str,
    out: Path,
    frames: int = 30,
    min_face: int = 40,
    about: dict[str, Any] | None = None,
    sampling: str = "even",
    match: bool = False,
    retry: bool = False,
    client: Any = None,
    limit: int | None = None,
    people: str = "longest",
) -> Iterator[Built]:
    """Write the faces of `clips` into the dataset folder `out`; yields a `Built` per clip.

    Their paths are relative to `root`, a folder or the URL of an object store, from which each clip is copied while it
    is built. At most `frames` frames of each clip are taken, chosen by `sampling` (a key of SAMPLINGS). Faces are found
    on the least compressed level and cropped alike on all levels. `match`: see `matched`. `retry`: also try again the
    clips that failed before and have not changed. `client`: of a Dask cluster whose machines see the same folders;
    without one, threads are used. `limit`: seconds for a clip on a cluster, after which it has failed and its worker
    process is ended. `people`: of a clip that shows several, "longest" keeps the person seen longest and "all" keeps
    everybody; all of them have the label of the clip. `about`: name, origin, licence, consent, command, seed, for
    dataset.json.

    The tables are written after the last clip, so exhaust the iterator. A clip that cannot be used is yielded with its
    error, and written to failures.csv; clips that show several people are listed in people.csv. Raises ValueError where
    no clip gives a face, where another run is writing, or where a path of the table leaves `root` through a link.
    """
    clips = manifest.check_clips(clips)
    parameters = Parameters(frames, min_face, sampling=sampling, people=people)
    parameters.check()
    root, out = _checked(clips, root), Path(out).absolute()
    files.check_links(("faces", "masks", ".rows", ".part"), out, "--out")
    with tables.locked(out):
        if retry:
            tables.forget_failures(out)
        failed = {}
        try:
            for built in run(plan(clips, root, out, parameters), client, limit):
                if built.error is not None:
                    failed[built.clip] = built.error
                yield built
        finally:
            tables.write_failures(failed, out)
        if len(failed) == clips["clip"].nunique():
            raise ValueError(f"{out}: no clip gave a face, so there is no dataset; the reasons are in failures.csv")
        how = {**asdict(parameters), "match": match}
        about = {**(about or {}), "clips": _relative(root, out), "parameters": how, "failed": sorted(failed)}
        tables.finish(plan(clips, root, out, parameters), out, match, about)


def _checked(clips: pd.DataFrame, root: Path | str) -> Path | str:
    """`root` as jobs need it, after a look at whether the clips are there and inside."""
    root = files.place(root)
    if isinstance(root, Path):
        root = root.absolute()
        manifest.check_links(clips, root)
    manifest.check_there(clips, root)
    return root


def _relative(root: Path | str, out: Path) -> str:
    """`root` as dataset.json stores it: relative to `out` where that is possible, so that both can be moved."""
    if isinstance(root, str):
        return root
    try:
        return Path(os.path.relpath(root, out)).as_posix()
    except ValueError:  # another drive of Windows
        return root.as_posix()


def estimate(
    clips: pd.DataFrame, root: Path | str, frames: int, min_face: int, sampling: str = "even"
) -> dict[str, float]:
    """What `build` would take here: faces (at most), gigabytes and hours, from building SAMPLE clips of the table."""
    root = _checked(clips, root)
    keys = np.sort(clips["clip"].unique())
    chosen = keys[video.even_indices(len(keys), SAMPLE)]
    with tempfile.TemporaryDirectory() as folder:
        parameters = Parameters(frames, min_face, sampling=sampling)
        jobs = plan(clips[clips["clip"].isin(chosen)], root, Path(folder), parameters)
        faces.load()  # before the clock starts
        started = time.perf_counter()
        built = list(run(jobs))
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in Path(folder).rglob("*.png"))
    times = len(keys) / len(chosen)
    n = sum(one.faces for one in built) * times
    if not n:
        raise ValueError(f"none of {len(built)} clips tried gave a face; the first error: {built[0].error}")
    hours = seconds * times / 3600
    return {"clips": len(keys), "faces": n, "gigabytes": size * times / 1e9, "hours": hours, "tried": len(built)}
