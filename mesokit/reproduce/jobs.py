"""One job is one training: a network, a forgery, a level of compression, a seed."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mesokit import __version__, dataset, evaluation, files, models, training, weights
from mesokit.dataset import manifest

NEEDED = ("train", "val", "test")
PROBE = 3  # batches that `seconds_per_batch` times, after two that compile


@dataclass(frozen=True)
class Job:
    """A training. `crf` None: the level of the dataset's clips is unknown."""

    network: str
    method: str
    crf: int | None
    seed: int

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.network}-{self.method}-crf{'unknown' if self.crf is None else self.crf}-seed{self.seed}"

    def rows(self, faces: pd.DataFrame) -> pd.DataFrame:
        """The faces of its level, of all forgeries."""
        return faces[faces["crf"].isna() if self.crf is None else faces["crf"] == self.crf]

    def learns(self, faces: pd.DataFrame) -> pd.DataFrame:
        """The faces that it learns from: real ones and its own forgery, at its level."""
        rows = self.rows(faces)
        return rows[rows["method"].isin(["real", self.method])]


def plan(
    faces: pd.DataFrame,
    networks: Sequence[str],
    methods: Sequence[str] | None = None,
    levels: Sequence[int] | None = None,
    seeds: Sequence[int] = (0,),
) -> list[Job]:
    """All jobs, in an order that gives every forgery and level a first result early: seed by seed.

    faces: of `dataset.read`. methods, levels: all of the dataset by default. Raises ValueError for a network, a method
    or a level that is not there, and for a job without real or forged faces in one of the splits.
    """
    there = sorted(set(faces["method"]) - {"real"})
    known = sorted(faces["crf"].dropna().unique().astype(int).tolist()) or [None]
    for what, asked, have in (
        ("--networks", networks, list(models.NETWORKS)),
        ("--methods", methods or there, there),
        ("--levels", levels or known, known),
    ):
        if other := [one for one in asked if one not in have]:
            raise ValueError(f"{what} {other[0]}: there is none; there are {', '.join(map(str, have)) or 'none'}")
    order = product(seeds, networks, methods or there, levels or known)
    jobs = [Job(network, method, crf, seed) for seed, network, method, crf in order]
    for job in jobs:
        rows = job.learns(faces)
        for split in NEEDED:
            labels = set(rows.loc[rows["split"] == split, "label"])
            if missing := [label for label in manifest.LABELS if label not in labels]:
                way = "leave this method or level out"
                raise ValueError(f"{job.name}: the split {split} has no {missing[0]} faces; {way}")
    return jobs


def run(
    jobs: Sequence[Job],
    faces: pd.DataFrame,
    root: Path,
    out: Path,
    recipe: str,
    iterations: int | None = None,
    others: Sequence[Path] = (),
    verbose: int | str = "auto",
) -> Iterator[tuple[Job, float]]:
    """Do each job that is not done yet; yields it with the seconds that it took (0: its scores were there).

    faces: of `dataset.read`, as for `plan`; root: the dataset folder. recipe: a key of `training.RECIPES`; iterations:
    other than the recipe's. others: dataset folders whose test faces are scored, too. Raises ValueError where `out`
    holds results of other data or another recipe, and where it is the package's own folder of weights.
    """
    if weights.BUNDLED in (out, *out.absolute().parents):
        raise ValueError(f"{out}: this is the package's own folder; name another one with --out")
    recipe_ = training.scaled(training.RECIPES[recipe], iterations)
    if twice := [
        other.name for other in others if sum(one.resolve().name == other.resolve().name for one in others) > 1
    ]:
        raise ValueError(f"--test-on: two datasets are called {twice[0]}; results are named so; rename a folder")
    tests = {other: dataset.read(other).query("split == 'test'") for other in others}
    stamp = {
        "version": __version__,
        "data": files.read_json(root / "dataset.json"),
        "recipe": {"name": recipe, **asdict(recipe_)},
    }
    for card in sorted((out / "weights").glob("*.json")):
        _same(card, stamp)
    for job in jobs:
        started = time.perf_counter()
        targets = _targets(job, root, faces, out, tests)
        if not all(path.exists() for path in targets):
            _train(job, faces, root, out, recipe_, stamp, verbose)
            _score(job, out, targets)
            yield job, time.perf_counter() - started
        else:
            yield job, 0.0


def _same(card: Path, stamp: dict[str, Any]) -> None:
    """Raise ValueError where the card of a job is of other data or another recipe: tables would mix them."""
    told = files.read_json(card)
    same = {
        "data": told["data"]["sha256"] == stamp["data"]["sha256"],
        "recipe": told["recipe"] == stamp["recipe"],
    }
    for what in (what for what, equal in same.items() if not equal):
        raise ValueError(f"{card}: this job was done with another {what}; name another folder with --out")


def _targets(
    job: Job, root: Path, faces: pd.DataFrame, out: Path, tests: dict[Path, pd.DataFrame]
) -> dict[Path, tuple[pd.DataFrame, Path]]:
    """The tables of scores that a job writes, and the faces and the folder of each."""
    own = job.rows(faces)
    found = {out / "scores" / f"{job.name}.csv": (own[own["split"].isin(["val", "test"])], root)}
    for other, rows in tests.items():
        same = job.rows(rows)  # a dataset of one level, or of an unknown one, is taken as it is
        name = f"{job.name}@{other.resolve().name}.csv"
        found[out / "scores" / name] = (rows if same.empty else same, other)
    return found


def _train(
    job: Job, faces: pd.DataFrame, root: Path, out: Path, recipe: training.Recipe, stamp: dict, verbose: int | str
) -> None:
    """Train the network of a job and write its weights, unless they are there; its card says of what it learnt."""
    path = out / "weights" / f"{job.name}.weights.h5"
    card = path.with_name(f"{job.name}.json")
    if path.exists() and card.exists():
        return
    network = models.NETWORKS[job.network](seed=job.seed)
    training.fit(network, job.learns(faces), root, recipe, job.seed, verbose=verbose)
    weights.save(network, path)
    about = f"{job.network}, trained by `mesokit reproduce` on {job.method} faces of {stamp['data']['name']}"
    files.write_json({**weights.card(path, job.network, about), "crf": job.crf, "seed": job.seed, **stamp}, card)


def _score(job: Job, out: Path, targets: dict[Path, tuple[pd.DataFrame, Path]]) -> None:
    score = evaluation.scorer(weights.load(out / "weights" / f"{job.name}.weights.h5"))
    for path, (rows, root) in targets.items():
        if not path.exists():
            evaluation.save_scores(pd.concat(evaluation.score_faces(score, rows, root)), path)


def estimate(jobs: Sequence[Job], recipe: training.Recipe) -> dict[str, float]:
    """Seconds that the trainings of each network will take here, by timing a few batches of noise.

    Scoring is not counted: it is fast beside training.
    """
    counts = Counter(job.network for job in jobs)
    return {name: seconds_per_batch(name, recipe.batch) * recipe.iterations * n for name, n in counts.items()}


def seconds_per_batch(name: str, size: int) -> float:
    """Seconds that a training step of the network `name` takes here, on a batch of `size` faces of noise."""
    network, rng = models.NETWORKS[name](), np.random.default_rng(0)
    network.compile("adam", "mean_squared_error", jit_compile=False)
    batch = rng.random((size, models.SIZE, models.SIZE, 3), np.float32), rng.integers(0, 2, (size, 1)).astype("float32")
    for i in range(2 + PROBE):
        if i == 2:
            started = time.perf_counter()
        network.train_on_batch(*batch)
    return (time.perf_counter() - started) / PROBE
