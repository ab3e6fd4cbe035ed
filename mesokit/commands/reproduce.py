"""Train on a dataset and write the paper's tables beside ours."""

import argparse
from pathlib import Path

from mesokit.commands import positive


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("dataset", type=Path, help="dataset folder, as mesokit extract writes it")
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
    from mesokit import dataset, reproduce, training
    from mesokit.report import duration

    if arguments.recipe not in training.RECIPES:
        raise ValueError(f"--recipe {arguments.recipe}: there is none; there are {', '.join(training.RECIPES)}")
    faces = dataset.read(arguments.dataset)
    jobs = reproduce.plan(faces, arguments.networks, arguments.methods, arguments.levels, arguments.seeds)
    recipe = training.scaled(training.RECIPES[arguments.recipe], arguments.iterations)
    if arguments.dry_run:
        for job in jobs:
            print(job.name)
        print("measuring for some seconds ...", end="\r", flush=True)
        for network, seconds in reproduce.estimate(jobs, recipe).items():
            print(f"{network}: about {duration(seconds)} on this machine")
        return 0
    taken: list[float] = []
    running = reproduce.run(
        jobs, faces, arguments.dataset, arguments.out, arguments.recipe, arguments.iterations, arguments.test_on
    )
    for i, (job, seconds) in enumerate(running, 1):
        taken += [seconds] if seconds else []
        left = f", about {duration(sum(taken) / len(taken) * (len(jobs) - i))} left" if taken and i < len(jobs) else ""
        print(f"{i} of {len(jobs)}: {job.name} {duration(seconds) if seconds else 'was there'}{left}", flush=True)
    for path in reproduce.write(arguments.out):
        print(path)
    return 0
