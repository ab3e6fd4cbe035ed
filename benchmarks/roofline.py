"""How far scoring and training are from what the machine could do: a simple roofline.

The two roofs are measured: floating-point operations a second in a large product of float32 matrices, bytes a second in
a large copy (read and written). A network needs 2 operations for each of `models.multiply_adds`, three times that for
a training step, and moves at least what its layers hand to each other: each output written once and read once, again
three times for training. Fused layers move less, so that the memory roof is an estimate, not a limit.
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from side_by_side import crops, network, parser, report

from mesokit import evaluation, models
from mesokit.backend import keras


def best(work: Callable[[], Any], repeats: int) -> float:
    """Seconds of the fastest of `repeats` calls, after one that does not count."""
    work()
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return min(found)


def roofs(side: int, repeats: int) -> tuple[float, float]:
    """(GFLOP/s of a product of (side, side) float32 matrices, GB/s of a copy of 32 times as many numbers)."""
    a = np.random.default_rng(0).random((side, side), np.float32)
    source = np.ones(32 * side * side, np.float32)
    target = np.empty_like(source)
    flops = 2 * side**3 / best(lambda: a @ a, repeats)
    return flops / 1e9, 2 * source.nbytes / best(lambda: np.copyto(target, source), repeats) / 1e9


def traffic(model: keras.Model) -> int:
    """Bytes that the layers of `model` hand to each other for one face: each output written once and read once."""
    shapes = [layer.output.shape[1:] for layer in model.layers if layer.count_params() or "pool" in layer.name]
    return 2 * 4 * sum(int(np.prod(shape)) for shape in shapes)


def measured(name: str, n: int, repeats: int) -> Iterator[tuple[str, int, float]]:
    """(work, how many times the forward pass it does, faces a second) for scoring and training of one network."""
    images, model = crops(n), network(name)
    score = evaluation.scorer(model)
    yield f"scoring {name}", 1, n / best(lambda: score(images), repeats)
    batch, labels = images[:16].astype(np.float32) / 255, np.ones((len(images[:16]), 1), np.float32)
    model.compile("adam", "mean_squared_error", jit_compile=True)
    yield f"training {name}", 3, len(batch) / best(lambda: model.train_on_batch(batch, labels), repeats)


def points(n: int, repeats: int, side: int) -> Iterator[dict[str, Any]]:
    peak, bandwidth = roofs(side, repeats)
    for name in ("meso4", "meso_inception4"):
        model = network(name)
        for work, passes, speed in measured(name, n, repeats):
            flops, moved = 2 * passes * models.multiply_adds(model), passes * traffic(model)
            roof = min(peak, flops / moved * bandwidth)
            yield {
                "work": work, "faces": round(speed, 1), "gflops": round(speed * flops / 1e9, 2),
                "intensity": round(flops / moved, 2), "roof": round(roof, 2),
                "share": round(speed * flops / 1e9 / roof, 3),
                "held_by": "arithmetic" if roof == peak else "memory", "peak": round(peak, 1),
                "bandwidth": round(bandwidth, 2),
            }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    found = []
    for point in points(4, 1, 256) if arguments.quick else points(64, 5, 2048):
        if not found:
            print(f"roofline: {point['peak']} GFLOP/s in a product of matrices, {point['bandwidth']} GB/s in a copy")
        numbers = f"{point['gflops']:8.2f} GFLOP/s = {point['share']:4.0%} of {point['roof']:.1f}"
        print(
            f"  {point['work']:26} {point['faces']:8.1f} faces/s, {numbers}, the roof is {point['held_by']}", flush=True
        )
        found.append(point)
    return report([], arguments.out, found)


if __name__ == "__main__":
    sys.exit(main())
