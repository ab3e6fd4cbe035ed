"""One clip: a `Job` says what to build and where; `build` builds it whole or not at all, and records the result.

The images are written in DATASET/.part and moved into place. Then the clip's rows of the face table are written in
DATASET/.rows. The record, beside them, is written last: it holds the result and the state of the clip's files. A killed
run is continued by the same command. A clip is built again where one of its files has changed or an image is missing.
"""

import csv
import hashlib
import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mesokit import files
from mesokit.dataset import manifest
from mesokit.dataset.cropping import Parameters, crop


class Built(NamedTuple):
    """The result of one clip: its key, the number of faces written over all levels, and the error if there are none."""

    clip: str
    faces: int
    error: str | None


_State = dict[str, list[int | str] | None]  # of each file of a clip: see `files.state`


@dataclass(frozen=True, eq=False)
class Job:
    """One clip to build: its rows of the clip table, where the clips are, the dataset folder, and the parameters.

    root: a folder, or the URL of an object store, from which the clip is copied while it is built.
    """

    levels: pd.DataFrame
    root: Path | str
    out: Path
    parameters: Parameters

    @cached_property
    def clip(self) -> str:
        """The key of the clip."""
        return str(self.levels["clip"].iloc[0])

    @property
    def paths(self) -> list[str]:
        """Its files, relative to `root`: its levels and its masks."""
        return [*self.levels["path"], *self.levels["mask"].dropna().unique()]

    @cached_property
    def rows(self) -> Path:
        """The file of the clip's face rows. Its name depends on the parameters and on the rows of the clip table."""
        # These values are left out, so that datasets built before there were others are continued
        usual = {("sampling", "even"), ("people", "longest")}
        named = {name: value for name, value in asdict(self.parameters).items() if (name, value) not in usual}
        stamp = hashlib.sha256((self.levels.to_csv() + json.dumps(named)).encode()).hexdigest()[:12]
        return self.out / ".rows" / f"{self.clip}-{stamp}.csv"

    @property
    def record(self) -> Path:
        """The file of the record."""
        return self.rows.with_suffix(".json")


def plan(clips: pd.DataFrame, root: Path | str, out: Path, parameters: Parameters) -> Iterator[Job]:
    """One job for each clip of a checked clip table, sorted by key."""
    for _, levels in clips.groupby("clip", sort=True):
        yield Job(levels, root, out, parameters)


def build(job: Job, limit: int | None = None) -> Built:
    """Build one clip unless it is built already. A fault of the clip is recorded and returned, not raised.

    `limit`: seconds after which the clip is recorded as failed and this process ends, whatever it is doing.
    Raises: OSError where the dataset folder cannot be written (a full disk).
    """
    if limit is None:
        return _build(job)
    timer = threading.Timer(limit, _end_process, (job, limit))
    timer.start()
    try:
        return _build(job)
    finally:
        timer.cancel()


def fail(job: Job, why: str) -> Built:
    """Record that a clip failed, with the reason."""
    first = job.paths[0]
    named = job.root / first if isinstance(job.root, Path) else f"{job.root}/{first}"
    return _record(job, _state(job), 0, f"{named}: {why}")


def _end_process(job: Job, limit: int) -> None:
    try:
        fail(job, f"not finished after {limit} seconds (--limit); re-encode the clip or raise the limit")
    finally:
        os._exit(1)  # a thread that hangs in the decoder cannot be stopped in another way


def _build(job: Job) -> Built:
    state = _state(job)
    record = files.read_json(job.record) if job.record.exists() else None
    if record and record["files"] == state and (record["error"] is not None or _is_whole(job)):
        return Built(job.clip, record["faces"], record["error"])
    if record:  # a file has changed: this folder makes `tables.finish` remove images that are not replaced
        (job.out / ".part" / f"{job.clip}-again").mkdir(parents=True, exist_ok=True)
    try:
        with files.at_hand(job.root, job.paths) as root:
            levels = measure(job.levels, root)
            n, people = _write_faces(job, levels, root)
    except ValueError as error:  # of this clip; an OSError is one of the folder
        return _record(job, state, 0, str(error))
    clips = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in levels.to_dict("records")]
    return _record(job, state, n, None, clips, people)


def _record(
    job: Job, state: _State, faces: int, error: str | None, clips: Sequence[Any] = (), people: Sequence[Any] = ()
) -> Built:
    """Write the record. `clips`: the clip's rows of the clip table, as measured; `people`: those of people.csv."""
    found = {"files": state, "faces": faces, "error": error, "clips": clips, "people": people}
    files.write_json(found, job.record)
    return Built(job.clip, faces, error)


def _state(job: Job) -> _State:
    """The present state of the files of a clip."""
    return {path: files.state(job.root, path) for path in job.paths}


def _is_whole(job: Job) -> bool:
    """Whether the row file and all images named in it exist. The images are not read: there may be millions."""
    try:
        with job.rows.open(encoding="utf-8", newline="") as file:
            names = {row[column] for row in csv.DictReader(file) for column in ("path", "mask")} - {""}
        return all((job.out / name).is_file() for name in names)
    except (OSError, ValueError, KeyError, TypeError, csv.Error):  # absent or damaged
        return False


def measure(levels: pd.DataFrame, root: Path) -> pd.DataFrame:
    """The rows of a clip, with the columns that are measured from its files."""
    levels = levels.copy()
    for row in levels.itertuples():
        known = manifest.measured(root / row.path)
        levels.loc[row.Index, list(known)] = list(known.values())
    return levels


def _write_faces(job: Job, levels: pd.DataFrame, root: Path) -> tuple[int, list[dict[str, Any]]]:
    """Crop one clip at all its levels, move the images into place, write the row file.

    Returns its number of rows, and the clip's rows of people.csv.
    """
    # A random name, because Dask may run the job a second time when it has lost contact with the first worker.
    part = job.out / ".part" / f"{job.clip}-{secrets.token_hex(4)}"
    rows, people = crop(levels, root, part, job.parameters)
    for file in sorted(part.rglob("*.png")):
        target = job.out / file.relative_to(part)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    manifest.save(manifest.check_faces(pd.DataFrame(rows), f"the faces of {job.clip}"), job.rows)
    shutil.rmtree(part)  # last: while the folder exists, images of this clip may have no row
    return len(rows), people
