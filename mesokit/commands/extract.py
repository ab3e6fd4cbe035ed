"""Cut aligned faces out of clips: a clip table in, a dataset folder out. A second call does only what is missing.

mesokit extract work/smoke/clips.csv --out work/smoke
mesokit extract FaceForensics++/clips.csv --out work/ff --frames 30 --dry-run
mesokit extract FaceForensics++/clips.csv --out work/ff --frames 30 --scheduler tcp://head:8786

By default the clips are built in threads. --workers N starts N processes, so that a clip that crashes or hangs the
decoder does not stop the others. --scheduler uses a Dask cluster whose machines see the same folders. A table of
aligned faces (the authors', from mesokit index) is copied into the form of a dataset.

Of a clip that shows several people the one seen longest is kept; people.csv in the dataset folder lists them. Nobody is
recognized: somebody who is back after a cut counts again.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from mesokit import dataset, files
from mesokit.dataset import manifest


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("clips", type=Path, help="clip table; its paths are relative to its folder, or to --root")
    parser.add_argument("--out", type=Path, required=True, help="dataset folder to write")
    where = "folder to which the paths of the table are relative, or its URL in an object store (s3://...)"
    parser.add_argument("--root", type=files.place, help=where)
    parser.add_argument("--frames", type=int, default=30, help="frames to take of each clip, or scene (%(default)s)")
    parser.add_argument("--min-face", type=int, default=40, help="smallest face in pixels (%(default)s)")
    parser.add_argument(
        "--sampling",
        choices=list(dataset.SAMPLINGS),
        default="even",
        help="evenly over the clip; from each scene, as in the paper; keyframes only (%(default)s)",
    )
    parser.add_argument(
        "--people",
        choices=["longest", "all"],
        default="longest",
        help="of a clip with several: the person seen longest, or everybody, with the label of the clip (%(default)s)",
    )
    parser.add_argument("--match", action="store_true", help="keep equal shares of face sizes in both classes")
    parser.add_argument("--retry", action="store_true", help="try failed clips again")
    parser.add_argument("--dry-run", action="store_true", help="print the expected faces, gigabytes and hours")
    runs = parser.add_mutually_exclusive_group()
    runs.add_argument("--workers", type=int, metavar="N", help="number of processes here; each takes 300 MB or more")
    runs.add_argument("--scheduler", metavar="ADDRESS", help="address of a Dask cluster, for example tcp://head:8786")
    parser.add_argument("--limit", type=int, default=3600, help="with either: seconds for a clip (%(default)s)")


def work(arguments: argparse.Namespace) -> int:
    """Build the dataset, with a progress bar. 1 when some clips gave no face, 2 when there is no dataset."""
    root, out = arguments.root or arguments.clips.parent, arguments.out
    faces = manifest.is_face_table(arguments.clips)
    table = (manifest.read_faces if faces else manifest.read_clips)(arguments.clips)
    said = [arguments.clips.with_name(f"{arguments.clips.stem}_index.json")]
    if isinstance(root, Path):
        said.insert(0, root / "dataset.json")
    elif faces:
        raise ValueError(f"--root {root}: aligned faces are copied from a folder only; copy them there first")
    origin = next((_origin(path) for path in said if path.is_file()), {"name": out.name})
    origin = {**origin, "command": arguments.command, "table": files.sha256(arguments.clips)}
    if faces:
        return _report(dataset.adopt(table, root, out, origin), len(table), "face", out)
    if arguments.dry_run:
        return _dry_run(table, root, arguments)
    with _client(arguments) as client:
        building = dataset.build(
            table, root, out, arguments.frames, arguments.min_face, origin, arguments.sampling, arguments.match,
            arguments.retry, client, arguments.limit, arguments.people,
        )  # fmt: skip
        return _report(building, table["clip"].nunique(), "clip", out)


def _origin(path: Path) -> dict[str, Any]:
    """Facts about the clips, for dataset.json."""
    origin = files.read_json(path)
    if not isinstance(origin, dict):
        raise ValueError(f"{path}: not an object of facts about a dataset; make it again, or move it away")
    return origin


def _dry_run(clips: pd.DataFrame, root: Path | str, arguments: argparse.Namespace) -> int:
    found = dataset.estimate(clips, root, arguments.frames, arguments.min_face, arguments.sampling)
    print(
        f"{found['clips']:.0f} clips: about {found['faces']:.0f} faces, {found['gigabytes']:.2f} GB and "
        f"{found['hours']:.2f} hours on this machine, from {found['tried']:.0f} clips tried"
    )
    return 0


@contextmanager
def _client(arguments: argparse.Namespace) -> Iterator[Any]:
    """A Dask client as the arguments say, or None for threads."""
    if arguments.scheduler:
        from distributed import Client

        with Client(arguments.scheduler, timeout=30) as client:
            yield client
    elif arguments.workers is not None:
        if arguments.workers < 1:
            raise ValueError(f"--workers {arguments.workers}: give at least 1")
        with dataset.processes(arguments.workers) as client:
            yield client
    else:
        yield None


def _report(building: Iterator[dataset.Built], total: int, unit: str, out: Path) -> int:
    failed = found = 0
    with tqdm(total=total, unit=unit) as bar:
        for built in building:
            found += built.faces
            bar.update()
            if built.error is not None:
                failed += 1
                bar.write(f"{built.clip}: {built.error}", file=sys.stderr)
            bar.set_postfix(faces=found, failed=failed)
    where = ", see failures.csv" if failed else ""
    print(f"{out / 'faces.csv'}: {found} faces; {failed} of {total} {unit}s without any{where}")
    if unit == "clip" and len(people := pd.read_csv(out / "people.csv")):
        others = f"{(~people['kept']).sum()} of {len(people)} were not kept"
        print(f"{people['clip'].nunique()} clips show several people; {others}, see people.csv")
    keys = ["crf", "split", "label"]  # counted in parts: the table may be larger than memory
    counts = pd.concat(part.groupby(keys, dropna=False).size() for part in manifest.face_parts(out / "faces.csv"))
    counts = counts.groupby(keys, dropna=False).sum()
    print(counts.unstack(fill_value=0).to_string())  # noqa: PD010 (counts, not a pivot of values)
    return int(bool(failed))
