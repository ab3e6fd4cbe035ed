"""The tables of a dataset folder: locked while a run writes them, put together from the row files of the clips.

Face rows are copied line by line, so that 120,000 clips need no more memory than one.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pandas as pd

from mesokit import __version__, files, video
from mesokit.dataset import manifest
from mesokit.dataset.clip import Job
from mesokit.dataset.cropping import PEOPLE

PATIENCE = 30  # seconds to wait for another run in the same folder, for example a notebook that only checks it


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other runs out of the folder `out`. The system releases the lock when a run is killed."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        # not thread_local: a generator may be closed in another thread than the one that started it
        lock = filelock.FileLock(out / ".lock", PATIENCE, thread_local=False).acquire()
    except filelock.Timeout:
        raise ValueError(f"{out}: another run is writing here; wait for it, or choose another folder") from None
    with lock:
        yield


def write_failures(failed: dict[str, str], out: Path) -> None:
    """Write failures.csv: the clips that gave no face, with the reason."""
    table = pd.DataFrame(sorted(failed.items()), columns=["clip", "reason"])
    manifest.save(table, out / "failures.csv")


def forget_failures(out: Path) -> None:
    """Remove the records of failed clips, so that they are tried again."""
    for record in (out / ".rows").glob("*.json"):
        if files.read_json(record)["error"] is not None:
            record.unlink()


def finish(jobs: Iterable[Job], out: Path, match: bool, about: dict[str, Any]) -> None:
    """Write the tables and dataset.json from the records of the jobs, and remove what earlier runs left."""
    clips: list[dict[str, Any]] = []
    faces: Counter[str] = Counter()  # by split
    people: list[dict[str, Any]] = []
    parts = []
    for job in jobs:
        record = files.read_json(job.record)
        if record["error"] is None:
            parts.append(job.rows)
            clips += record["clips"]
            people += record.get("people", [])  # absent from older records
            faces[record["clips"][0]["split"]] += record["faces"]
    table = pd.DataFrame(clips, dtype=object).fillna(np.nan)  # not NA, which no column of floats takes
    table = manifest.check_clips(table.sort_values(["clip", "crf"]))
    manifest.save(table, out / "clips.csv")
    manifest.save(pd.DataFrame(people, columns=[*PEOPLE]).astype({"person": "Int64"}), out / "people.csv")
    _join(parts, out / "faces.csv")
    if match:
        _match(out / "faces.csv")
    _sweep(parts, out)
    counts = {"clips": len(table), "faces": faces.total(), **{f"faces_{k}": n for k, n in sorted(faces.items())}}
    describe(out, about, counts, ["clips.csv", "faces.csv"])


def describe(out: Path, about: dict[str, Any], counts: dict[str, int], tables: list[str]) -> None:
    """Write dataset.json: what is known of the dataset, counts, version of the package, sha256 of the tables."""
    hashes = {name: files.sha256(out / name) for name in tables}
    files.write_json({**about, "counts": counts, "version": __version__, "sha256": hashes}, out / "dataset.json")


def _join(parts: list[Path], path: Path) -> None:
    """Write the row files one after the other, with one header, whole or not at all."""
    with files.writing(path) as whole, whole.open("wb") as file:
        for i, part in enumerate(parts):
            header, body = part.read_bytes().split(b"\n", 1)
            if not header.endswith(b",person"):  # of an older version
                header, body = header + b",person", body.replace(b"\n", b",0\n")
            file.write(body if i else header + b"\n" + body)


def _match(path: Path) -> None:
    """Write the table with the faces that `matched` rejects. Only the columns that it needs are in memory."""
    needed = ["split", "crf", "label", "box_w", "box_h", "keep"]
    keep = matched(pd.concat([part[needed] for part in manifest.face_parts(path)], ignore_index=True))["keep"].array
    with files.writing(path) as whole, whole.open("w", encoding="utf-8", newline="") as file:
        done = 0
        for part in manifest.face_parts(path):
            part["keep"] = keep[done : done + len(part)]
            part.to_csv(file, index=False, header=not done, lineterminator="\n")
            done += len(part)


def _sweep(parts: list[Path], out: Path) -> None:
    """Remove images, row files and temporary files of killed runs and of other parameters, where no table uses them."""
    rows = out / ".rows"
    old = sorted({*rows.glob("*.csv")} - {*parts})
    _sweep_images(
        {_clip(path.stem) for path in old} | {_clip(path.name) for path in (out / ".part").glob("*")}, parts, out
    )
    for path in old:
        path.unlink()
        path.with_suffix(".json").unlink(missing_ok=True)
    for path in [*out.glob(f"{files.PART}*"), *rows.glob(f"{files.PART}*")]:
        path.unlink()
    shutil.rmtree(out / ".part", ignore_errors=True)


def _sweep_images(clips: set[str], parts: list[Path], out: Path) -> None:
    """Remove images of the named clips that are in none of the row files `parts`."""
    if not clips:
        return
    tables = [manifest.read_faces(path) for path in parts if _clip(path.stem) in clips]
    keep = {path for table in tables for path in [*table["path"], *table["mask"].dropna()]}
    for image in [*out.glob("faces/*/*/*/*.png"), *out.glob("masks/*/*.png")]:
        name = re.fullmatch(r"(.+)_f\d+(_p\d+)?", image.stem)
        if name and name[1] in clips and image.relative_to(out).as_posix() not in keep:
            image.unlink()


def _clip(name: str) -> str:
    """The key of the clip in a name made of the key, '-' and a hash."""
    return name.rpartition("-")[0]


def matched(faces: pd.DataFrame) -> pd.DataFrame:
    """Reject faces (`keep` False) until real and forged ones have the same sizes: same shares in each half octave.

    Without this, a network may learn which class was filmed from closer up (paper, section 4.1). It is done for each
    split and level, with the larger side of the box as the size. The faces that are kept are spread evenly over the
    order of the table.
    """
    size = faces[["box_w", "box_h"]].max(axis=1).to_numpy(float)
    octave = pd.Series(np.floor(2 * np.log2(np.maximum(size, 1))), faces.index)
    keep = faces["keep"].astype(bool).copy()
    for _, rows in faces[keep].groupby(["split", "crf"], dropna=False):
        table = pd.crosstab(octave[rows.index], rows["label"]).reindex(columns=list(manifest.LABELS), fill_value=0)
        share = (table / table.sum()).min(axis=1)  # of the classes that are there: one alone keeps all its faces
        for label in manifest.LABELS:
            for step, total in table[label].items():
                index = rows.index[(rows["label"] == label) & (octave[rows.index] == step)]
                n = int(np.floor(share[step] * table[label].sum() + 1e-9))
                stay = index[video.even_indices(int(total), n)] if n else index[:0]
                keep[index.difference(stay)] = False
    return faces.assign(keep=keep.astype("boolean"))
