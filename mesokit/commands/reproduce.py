"""Train on a dataset and write the paper's tables beside ours."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mesokit.commands import positive

if TYPE_CHECKING:
    import pandas as pd


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    preset = "or smoke, class or another preset, whose data are made in work/ if they are not there"
    parser.add_argument("dataset", help=f"dataset folder, as mesokit extract writes it; {preset}")
    parser.add_argument("--networks", nargs="+", default=["meso4", "meso_inception4"], metavar="NETWORK",
                       help="meso4, meso_inception4, xception (the first two)")  # fmt: skip
    parser.add_argument("--methods", nargs="+", metavar="METHOD", help="forgeries (all of the dataset)")
    parser.add_argument(
        "--levels", nargs="+", type=int, metavar="CRF", help="levels of compression (all of the dataset)"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED", help="trainings (0 1 2)")
    parser.add_argument("--recipe", default="paper", help="how to train: paper, long, class or smoke (%(default)s)")
    parser.add_argument("--iterations", type=positive, help="batches of each training, other than the recipe's")
    parser.add_argument("--test-on", nargs="+", type=Path, default=[], metavar="DATASET", help="score these too")
    parser.add_argument("--out", type=Path, default=Path("reproduced"), help="folder to write (%(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="list the trainings and say how long they will take")


def work(arguments: argparse.Namespace) -> int:
    """Train what is not there yet, then write the tables."""
    from mesokit import dataset, lesson, reproduce, training
    from mesokit.report import duration

    if arguments.recipe not in training.RECIPES:
        raise ValueError(f"--recipe {arguments.recipe}: there is none; there are {', '.join(training.RECIPES)}")
    root, made = _folder(arguments.dataset)
    if not made and not arguments.dry_run:
        lesson.ready(arguments.dataset, root.parent, frames=20, clips=None)
        made = True
    faces = dataset.read(root) if made else _of_preset(arguments.dataset)
    jobs = reproduce.plan(faces, arguments.networks, arguments.methods, arguments.levels, arguments.seeds)
    recipe = training.scaled(training.RECIPES[arguments.recipe], arguments.iterations)
    if arguments.dry_run:
        for job in jobs:
            print(job.name)
        if not made:
            print(f"the data of {arguments.dataset} will be made first, in {root}")
        print("measuring for some seconds ...", end="\r", flush=True)
        needed = reproduce.estimate(jobs, recipe)
        for network, seconds in needed.items():
            print(f"{network}: about {duration(seconds)} on this machine")
        print(f"{len(jobs)} trainings: about {duration(sum(needed.values()))}")
        return 0
    taken: list[float] = []
    running = reproduce.run(jobs, faces, root, arguments.out, arguments.recipe, arguments.iterations, arguments.test_on)
    for i, (job, seconds) in enumerate(running, 1):
        taken += [seconds] if seconds else []
        left = f", about {duration(sum(taken) / len(taken) * (len(jobs) - i))} left" if taken and i < len(jobs) else ""
        print(f"{i} of {len(jobs)}: {job.name} {duration(seconds) if seconds else 'was there'}{left}", flush=True)
    for path in reproduce.write(arguments.out):
        print(path)
    return 0


def _folder(data: str) -> tuple[Path, bool]:
    """The folder of a dataset, which is work/PRESET for the name of a preset, and whether there is a dataset in it.

    A folder that is no preset's is taken as it is, so that reading it gives the reason why it is none.
    """
    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    if data not in studio.PRESETS or manifest.face_table(Path(data)).is_file():
        return Path(data), True
    folder = Path("work") / data
    return folder, manifest.face_table(folder).is_file()


def _of_preset(name: str) -> pd.DataFrame:
    """What a plan needs to know of the faces of a preset before they are made."""
    import pandas as pd

    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    levels, splits = studio.PRESETS[name].levels, manifest.SPLITS
    kinds = [("real", "real"), ("deepfake", "forged"), ("face2face", "forged")]
    rows = [(*kind, crf, split) for kind in kinds for crf in levels for split in splits]
    return pd.DataFrame(rows, columns=["method", "label", "crf", "split"])
