"""How far each work is from what the machine could do, and what holds it back: a simple roofline.

The two roofs are measured: floating-point operations a second in a large product of float32 matrices, bytes a second in
a large copy (read and written). A network needs 2 operations for each of `models.multiply_adds`, three times that for
a training step, and moves at least what its layers hand to each other: each output written once and read once, again
three times for training. Fused layers move less, so that the memory roof is an estimate, not a limit. Extraction needs
its three networks, on as many pixels and patches as they were called with. Reading a dataset multiplies each number
once and moves it twice as a byte and four times as a float: into its batch and through it.

Where a work is far below its roof, something else holds it, which is measured too: for extraction the share of the time
in which no network runs, for reading how fast all cores can decode the same PNG files.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import cv2
import numpy as np
import pandas as pd
from side_by_side import crops, frames, network, parser, report
from training import write_faces

from mesokit import evaluation, faces, fast, models
from mesokit.backend import keras
from mesokit.dataset import loading
from mesokit.faces import detecting


class Work(NamedTuple):
    """How many pieces a second were done, what a piece needs, and what holds the work beside the roofs."""

    name: str
    speed: float
    flops: float
    moved: float  # bytes
    held_by: str = ""


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


def networks(name: str, n: int, repeats: int) -> Iterator[Work]:
    """Scoring and training of one network."""
    images, model = crops(n), network(name)
    flops, moved, score = 2 * models.multiply_adds(model), traffic(model), evaluation.scorer(model)
    yield Work(f"scoring {name}", n / best(lambda: score(images), repeats), flops, moved)
    batch, labels = images[:16].astype(np.float32) / 255, np.ones((len(images[:16]), 1), np.float32)
    model.compile("adam", "mean_squared_error", jit_compile=fast.compiles())
    speed = len(batch) / best(lambda: model.train_on_batch(batch, labels), repeats)
    yield Work(f"training {name}", speed, 3 * flops, 3 * moved)


@contextmanager
def watched() -> Iterator[list[tuple[int, tuple[int, ...], float]]]:
    """The calls of MTCNN's networks in a `with` block: which of the three, the shape it was given, its seconds."""
    real, calls = detecting._networks(), []

    def watch(i: int) -> Callable[[np.ndarray], Any]:
        def call(batch: np.ndarray) -> Any:
            started = time.perf_counter()
            found = real[i](batch)
            calls.append((i, batch.shape, time.perf_counter() - started))
            return found

        return call

    with mock.patch.object(detecting, "_networks", lambda: tuple(watch(i) for i in range(3))):
        yield calls


def mtcnn_costs(side: int = 240) -> list[tuple[float, float]]:
    """(multiply-adds, bytes moved) of P-Net for one pixel, of R-Net and of O-Net for one patch."""
    from mtcnn.network import onet, pnet, rnet

    found = []
    for build, size, pieces in ((pnet.PNet, side, side**2), (rnet.RNet, 24, 1), (onet.ONet, 48, 1)):
        inputs = keras.Input((size, size, 3))
        model = keras.Model(inputs, build().call(inputs))
        found.append((models.multiply_adds(model) / pieces, traffic(model) / pieces))
    return found


def extraction(n: int, repeats: int) -> Work:
    images = frames(n)
    seconds = best(lambda: faces.follow(images), repeats)
    with watched() as calls:
        started = time.perf_counter()
        faces.follow(images)
        whole = time.perf_counter() - started
    pieces = [(i, np.prod(shape[:3]) if i == 0 else shape[0]) for i, shape, _ in calls]  # pixels; patches
    costs = mtcnn_costs()
    macs, moved = (sum(count * costs[i][j] for i, count in pieces) / n for j in (0, 1))
    rest = 1 - sum(s for *_, s in calls) / whole
    why = f"{rest:.0%} of the time no network runs; {len(calls) / n:.1f} small calls a frame"
    return Work("extraction of a clip", n / seconds, 2 * macs, moved, why)


def reading(n: int, repeats: int) -> Work:
    with tempfile.TemporaryDirectory() as folder:
        write_faces(Path(folder))
        table = pd.read_csv(Path(folder) / "faces.csv")
        table = pd.concat([table] * (n // len(table) + 1), ignore_index=True)[:n]
        seconds = best(lambda: [None for _ in loading.batches(table, folder)], repeats)
        files = [np.fromfile(Path(folder) / path, np.uint8) for path in table["path"]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        decoded = best(lambda: list(pool.map(lambda file: cv2.imdecode(file, cv2.IMREAD_COLOR).shape, files)), repeats)
    numbers = 3 * models.SIZE**2
    why = f"PNG: all cores decode {n / decoded:.0f} a second"
    return Work("reading a dataset", n / seconds, numbers, numbers * (2 * 1 + 4 * 4), why)


def points(n: int, repeats: int, side: int) -> Iterator[dict[str, Any]]:
    peak, bandwidth = roofs(side, repeats)

    def works() -> Iterator[Work]:
        yield from networks("meso4", n, repeats)
        yield from networks("meso_inception4", n, repeats)
        yield extraction(n, repeats)
        yield reading(4 * n, repeats)

    for work in works():
        roof = min(peak, work.flops / work.moved * bandwidth)
        gflops = work.speed * work.flops / 1e9
        yield {
            "work": work.name, "speed": round(work.speed, 1), "gflops": round(gflops, 2),
            "intensity": round(work.flops / work.moved, 2), "roof": round(roof, 2), "share": round(gflops / roof, 3),
            "roof_is": "arithmetic" if roof == peak else "memory", "held_by": work.held_by, "peak": round(peak, 1),
            "bandwidth": round(bandwidth, 2),
        }  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    found = []
    for point in points(4, 1, 1024) if arguments.quick else points(64, 5, 2048):
        if not found:
            print(f"roofline: {point['peak']} GFLOP/s in a product of matrices, {point['bandwidth']} GB/s in a copy")
        numbers = f"{point['speed']:8.1f}/s, {point['gflops']:8.2f} GFLOP/s = {point['share']:4.0%}"
        why = f"; {point['held_by']}" * bool(point["held_by"])
        print(f"  {point['work']:26} {numbers} of {point['roof']:.1f}, the roof of {point['roof_is']}{why}", flush=True)
        found.append(point)
    return report([], arguments.out, found)


if __name__ == "__main__":
    sys.exit(main())
