"""What limits training on this device: the network, or the faces that are read and augmented for it.

For each network, with the recipe's batch, in faces a second: `resident`, steps on one batch that stays on the device;
`input`, batches read, decoded and augmented without a network (a GPU augments in its own steps); `end to end`, both, as
`training.fit` joins them. The device is busy for the share end to end / resident of the time. A row's `naive` is the
two one after the other, its `ours` end to end: a ratio near 1 means that nothing overlaps. Its `equal` is that the
losses are numbers.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from side_by_side import Row, parser, rate, report
from training import write_faces

from mesokit import fast, models, training
from mesokit.dataset import loading


def seconds(work: Callable[[Any], Any], batches: Iterator[Any], n: int) -> tuple[float, list[Any]]:
    """Seconds of `work` on each of `n` batches, after two that do not count, and what it gave."""
    for batch in itertools.islice(batches, 2):
        work(batch)
    started = time.perf_counter()
    made = [work(batch) for batch in itertools.islice(batches, n)]
    return (time.perf_counter() - started) / n, made


def measured(points: list[dict[str, Any]], name: str, root: Path, n: int) -> Row:
    """The row of a network; its point is added to `points`."""
    recipe = training.RECIPES["class"]
    table = pd.read_csv(root / "faces.csv")
    network = models.NETWORKS[name](seed=0)
    whole, augmentation = network, recipe.augmentation
    if fast.on_gpu():  # then faces are augmented there
        whole, augmentation = training._augmenting(network, augmentation, 0), None
    training._compile(network, whole, recipe, fast.compiles())

    def batches() -> Iterator[Any]:
        return iter(loading.training_batches(table, root, recipe.batch, augmentation, 0))

    one = next(batches())
    resident, _ = seconds(lambda batch: whole.train_on_batch(*batch), itertools.repeat(one), n)
    alone, _ = seconds(lambda batch: batch, batches(), n)
    both, losses = seconds(lambda batch: whole.train_on_batch(*batch), batches(), n)
    each = {"resident": resident, "input": alone, "end to end": both}
    points.append({"network": name, "gpu": fast.on_gpu(), **{k: recipe.batch / s for k, s in each.items()}})
    rates = ", ".join(f"{what} {recipe.batch / s:.0f}" for what, s in each.items())
    print(f"{name}, {'GPU' if fast.on_gpu() else 'processor'}: {rates} faces/s; busy {min(1.0, resident / both):.0%}")
    return rate(f"device: {name}", recipe.batch, "faces", resident + alone, both, np.isfinite(losses).all())


def rows(points: list[dict[str, Any]], n: int, names: tuple[str, ...] = ("meso4", "meso_inception4")) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as root:
        write_faces(Path(root))
        for name in names:
            yield measured(points, name, Path(root), n)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    points: list[dict[str, Any]] = []
    made = rows(points, 2, ("meso4",)) if arguments.quick else rows(points, 30)
    return report(made, arguments.out, points)


if __name__ == "__main__":
    sys.exit(main())
