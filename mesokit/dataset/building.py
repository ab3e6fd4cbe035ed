"""All clips of a table: in threads here, or on a Dask cluster with the same code; then the tables.

The tables are put together from the row files of the clips, line by line: 120,000 clips need no more memory than one.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import locket
import numpy as np
import pandas as pd

from mesokit import __version__, faces, files, video
from mesokit.dataset import clip as one
from mesokit.dataset import manifest
from mesokit.dataset.clip import Built, Parameters
from mesokit.dataset.pictures import SIZE, sharpness, write_png

PATIENCE = 30  # seconds to wait for another run in the same folder: two notebooks that only look are done by then
SAMPLE = 4  # clips that `estimate` builds


def build(
    clips: pd.DataFrame,
    root: Path,
    out: Path,
    frames: int = 30,
    min_face: int = 40,
    about: dict[str, Any] | None = None,
    sampling: str = "even",
    match: bool = False,
    retry: bool = False,
    client: Any = None,
    limit: int | None = None,
) -> Iterator[Built]:
    """Write the faces of `clips` (paths relative to `root`) into the dataset folder `out`; yields a `Built` per clip.

    `frames`: at most so many of each clip, chosen as `sampling` says (a key of SAMPLINGS); faces are sought on the
    least compressed level and cropped alike on all. `match`: see `matched`. `retry`: try again what failed before, and
    not only where a file has changed. `client`: of a Dask cluster whose machines see the same folders; without one,
    threads. `limit`: seconds for a clip, see `processes`. `about`: name, origin, licence, consent, command, seed, for
    dataset.json.

    The tables are written when the last clip is done, so exhaust the iterator. A clip that cannot be used is yielded
    with its error and stands in failures.csv. Raises ValueError where no clip gave a face, another run is at work, or a
    link leads a path of the table out of `root`.
    """
    clips = manifest.check_clips(clips)
    parameters = Parameters(frames, min_face, SIZE, sampling)
    parameters.check()
    root, out = Path(root).absolute(), Path(out).absolute()
    manifest.check_links(clips, root)
    files.check_links(("faces", "masks", ".rows", ".part"), out, "--out")
    with _locked(out):
        failed = {}
        try:
            for built in _run(clips, client, (root, out, parameters, retry, limit)):
                if built.error is not None:
                    failed[built.clip] = built.error
                yield built
        finally:
            _write_failures(failed, out)
        if len(failed) == clips["clip"].nunique():
            raise ValueError(f"{out}: no clip gave a face, so there is no dataset; the reasons are in failures.csv")
        parameters_said = {**asdict(parameters), "match": match}
        _finish(clips, out, parameters, match, {**(about or {}), "parameters": parameters_said, "failed": [*failed]})


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep other runs out of `out`; the system frees the lock when a run dies, however it dies."""
    out.mkdir(parents=True, exist_ok=True)
    lock = locket.lock_file(str(out / ".lock"), timeout=PATIENCE)
    try:
        lock.acquire()
    except locket.LockError:
        raise ValueError(f"{out}: another run is writing here; wait for it, or choose another folder") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def processes(n: int) -> Iterator[Any]:
    """A client of `n` processes here: one that dies, or that `limit` ends, is replaced, and its clip tried again.

    One clip at a time each, so that nobody dies for a neighbour, and `limit` knows whom it ends.
    """
    import dask
    from distributed import Client, LocalCluster

    rules = {"distributed.scheduler.allowed-failures": 2, "distributed.scheduler.worker-saturation": 1.0}
    with (
        dask.config.set(rules),
        LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _run(clips: pd.DataFrame, client: Any, how: tuple[Path, Path, Parameters, bool, int | None]) -> Iterator[Built]:
    """Build each clip, here or on the cluster, and yield them as they are done."""
    if client is not None:
        with client.get_executor(pure=False) as executor:
            yield from _in_windows(executor, lambda: 2 * sum(client.nthreads().values()), clips, how)
        return
    faces.load()
    cores = os.cpu_count() or 1
    # Threads, not processes: TensorFlow, OpenCV and FFmpeg leave Python's lock, and each process would load them anew.
    pool = ThreadPoolExecutor(cores)
    try:
        yield from _in_windows(pool, lambda: 2 * cores, clips, how)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_windows(
    executor: Executor,
    width: Callable[[], int],
    clips: pd.DataFrame,
    how: tuple[Path, Path, Parameters, bool, int | None],
) -> Iterator[Built]:
    """Keep `width()` clips with the executor, so that a long table is not all handed over at once.

    A clip whose process died may only have waited behind the one that ended it: these come last, each alone.
    """
    suspects: list[pd.DataFrame] = []
    waiting: dict[Future[Built], pd.DataFrame] = {}
    groups = (levels for _, levels in clips.groupby("clip", sort=True))
    more = True
    while more or waiting:
        room = max(1, width()) - len(waiting)
        ready = list(islice(groups, room))
        more = len(ready) == room
        waiting |= {executor.submit(one.build, levels, *how): levels for levels in ready}
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            levels = waiting.pop(future)
            try:
                yield future.result()
            except Exception as error:
                _only_killed(error)
                suspects.append(levels)
    for levels in suspects:
        try:
            yield executor.submit(one.build, levels, *how).result()
        except Exception as error:
            _only_killed(error)
            yield one.give_up(levels, *how[:3])


def _only_killed(error: Exception) -> None:
    """Raise again what is not the death of a process: of distributed, which is loaded only where it is used."""
    if type(error).__name__ != "KilledWorker":
        raise error


def _write_failures(failed: dict[str, str], out: Path) -> None:
    table = pd.DataFrame(sorted(failed.items()), columns=["clip", "reason"])
    manifest.save(table, out / "failures.csv")


def _finish(clips: pd.DataFrame, out: Path, parameters: Parameters, match: bool, about: dict[str, Any]) -> None:
    """Write the tables and dataset.json, and remove what earlier runs left."""
    rows: list[dict[str, Any]] = []
    used = []
    counts: dict[str, int] = {}
    for _, levels in clips.groupby("clip", sort=True):
        at = one.place(levels, out, parameters)
        record = files.read_json(at.record)
        if record["error"] is None:
            used.append(at.rows)
            rows += record["clips"]
            split = f"faces_{levels['split'].iloc[0]}"
            counts[split] = counts.get(split, 0) + record["faces"]
    table = pd.DataFrame(rows, dtype=object).fillna(np.nan)  # not NA, which no column of floats takes
    table = manifest.check_clips(table.sort_values(["clip", "crf"]))
    manifest.save(table, out / "clips.csv")
    _join(used, out / "faces.csv")
    if match:
        manifest.save(matched(manifest.read_faces(out / "faces.csv")), out / "faces.csv")
    _sweep(used, out)
    counts = {"clips": len(table), "faces": sum(counts.values()), **dict(sorted(counts.items()))}
    about = {**about, "counts": counts, "version": __version__}
    about["sha256"] = {name: files.sha256(out / name) for name in ("clips.csv", "faces.csv")}
    files.write_json(about, out / "dataset.json")


def _join(parts: list[Path], path: Path) -> None:
    """Write the row files one after the other, with one header, whole or not at all."""
    with files.writing(path) as whole, whole.open("wb") as file:
        for i, part in enumerate(parts):
            header, body = part.read_bytes().split(b"\n", 1)
            file.write(body if i else header + b"\n" + body)


def _sweep(used: list[Path], out: Path) -> None:
    """Remove images and rows of clips killed half-way or built with other parameters, where they are not used now."""
    wanted, part = {path.name for path in used}, out / ".part"
    old = [path for path in (out / ".rows").glob("*.csv") if path.name not in wanted]
    names = {path.stem.rpartition("-")[0] for path in old} | {path.name.rpartition("-")[0] for path in part.glob("*")}
    if names:
        rows = [path for path in used if path.stem.rpartition("-")[0] in names]
        keep = {path for table in map(manifest.read_faces, rows) for path in [*table["path"], *table["mask"].dropna()]}
        for image in [*out.glob("faces/*/*/*/*.png"), *out.glob("masks/*/*.png")]:
            clip, _, frame = image.stem.rpartition("_f")
            if clip in names and frame.isdigit() and image.relative_to(out).as_posix() not in keep:
                image.unlink()
    for path in old:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
    for path in [
        *out.glob(f"{files.PART}*"),
        *(out / ".rows").glob(f"{files.PART}*"),
    ]:  # tables that a killed run was writing
        path.unlink()
    shutil.rmtree(part, ignore_errors=True)


def matched(faces_: pd.DataFrame) -> pd.DataFrame:
    """Reject faces (`keep` False) until real and forged ones have the same sizes: same shares in each half octave.

    Paper, section 4.1: without care a network learns which class was filmed closer. Per split and level, the sizes are
    those of the boxes; of each class and octave the faces that stay are spread evenly over the table's order.
    """
    size = faces_[["box_w", "box_h"]].max(axis=1).to_numpy(float)
    octave = pd.Series(np.floor(2 * np.log2(np.maximum(size, 1))), faces_.index)
    keep = faces_["keep"].astype(bool).copy()
    for _, rows in faces_[keep].groupby(["split", "crf"], dropna=False):
        table = pd.crosstab(octave[rows.index], rows["label"]).reindex(columns=list(manifest.LABELS), fill_value=0)
        share = (table / table.sum()).min(axis=1)  # NaN where one class is absent: nothing to match, nothing stays
        for label in manifest.LABELS:
            for step, total in table[label].items():
                index = rows.index[(rows["label"] == label) & (octave[rows.index] == step)]
                n = int(np.floor(np.nan_to_num(share[step]) * table[label].sum() + 1e-9))
                stay = index[video.even_indices(int(total), n)] if n else index[:0]
                keep[index.difference(stay)] = False
    return faces_.assign(keep=keep.astype("boolean"))


def estimate(clips: pd.DataFrame, root: Path, frames: int, min_face: int, sampling: str = "even") -> dict[str, float]:
    """What `build` would take here: faces (at most), gigabytes and hours, from building SAMPLE clips of the table."""
    manifest.check_links(clips, root)
    keys = np.sort(clips["clip"].unique())
    chosen = keys[video.even_indices(len(keys), SAMPLE)]
    sample = clips[clips["clip"].isin(chosen)]
    faces.load()  # once, however many clips there are
    with tempfile.TemporaryDirectory() as folder:
        out, started = Path(folder), time.perf_counter()
        how = (Path(root).absolute(), out, Parameters(frames, min_face, SIZE, sampling), False, None)
        built = list(_run(sample, None, how))
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in out.rglob("*.png"))
    times = len(keys) / len(chosen)
    n = sum(one_.faces for one_ in built) * times
    if not n:
        raise ValueError(f"none of {len(built)} clips tried gave a face; the first says: {built[0].error}")
    hours = seconds * times / 3600
    return {"clips": len(keys), "faces": n, "gigabytes": size * times / 1e9, "hours": hours, "tried": len(built)}


def adopt(table: pd.DataFrame, root: Path, out: Path, about: dict[str, Any] | None = None) -> Iterator[Built]:
    """Make a dataset of faces that are aligned already, as the authors' are: 256x256 PNG, named by their keys.

    `table`: face rows, paths relative to `root`. Yields a `Built` per face, with the error of one that cannot be read.
    """
    table, out = manifest.check_faces(table), Path(out).absolute()
    manifest.check_links(table, root)
    files.check_links(("faces", ".part"), out, "--out")
    with _locked(out):
        rows, failed = [], {}  # type: list[dict[str, Any]], dict[str, str]
        for row in table.to_dict("records"):
            target = f"faces/unknown/{row['split']}/{row['label']}/{row['face']}.png"
            try:
                face = _resized(video.read_image(Path(root) / row["path"]))
                temporary = out / ".part" / f"{row['face']}.png"
                write_png(temporary, face)
                (out / target).parent.mkdir(parents=True, exist_ok=True)
                temporary.replace(out / target)
                rows.append({**row, "path": target, "sharpness": round(sharpness(face), 3)})
            except video.VideoError as error:
                failed[row["face"]] = str(error)
            yield Built(row["face"], int(row["face"] not in failed), failed.get(row["face"]))
        _write_failures(failed, out)
        if not rows:
            raise ValueError(f"{out}: no face could be read, so there is no dataset; the reasons are in failures.csv")
        shutil.rmtree(out / ".part", ignore_errors=True)
        manifest.save(manifest.check_faces(pd.DataFrame(rows)), out / "faces.csv")
        counts = {"faces": len(rows), **{f"faces_{k}": int(v) for k, v in table["split"].value_counts().items()}}
        hashes = {"faces.csv": files.sha256(out / "faces.csv")}
        said = {**(about or {}), "failed": [*failed], "counts": counts, "version": __version__, "sha256": hashes}
        files.write_json(said, out / "dataset.json")


def _resized(image: np.ndarray) -> np.ndarray:
    way = cv2.INTER_AREA if max(image.shape[:2]) > SIZE else cv2.INTER_CUBIC
    return cv2.resize(image, (SIZE, SIZE), interpolation=way)
