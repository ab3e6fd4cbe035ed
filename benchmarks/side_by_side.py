"""What the benchmarks share: two ways in turn, one line and one row each, and pictures from the bundled clips."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mesokit import faces, models, video, weights
from mesokit.backend import keras


class Row(NamedTuple):
    """One line of `benchmarks.json`: `ratio` is how many times faster ours is, whatever the unit."""

    name: str
    naive: float
    ours: float
    unit: str
    ratio: float
    equal: bool  # the results agree within the tolerance that the script states


class Skipped(NamedTuple):
    """A row that this machine cannot measure: printed with its reason, not written."""

    name: str
    reason: str


def start(script: str, *arguments: object, plain: bool = True) -> subprocess.Popen[str]:
    """A process that runs the file `script`; `plain`: with TensorFlow as it comes, whatever this one was told."""
    told = ("TF_CPU_ALLOCATOR_USE_BFC", "TF_ENABLE_ONEDNN_OPTS") if plain else ()  # what mesokit.backend sets
    environment = {name: value for name, value in os.environ.items() if name not in told}
    launcher = [str(Path(__file__).with_name("plain_tensorflow.py"))] * plain
    command = [sys.executable, *launcher, script, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)


class Apart:
    """The naive way of a script, in a process that `start` makes: each call has it done once, there.

    The script, given `--naive` and the arguments, must call `serve`.
    """

    def __init__(self, script: str, *arguments: object):
        self.process = start(script, "--naive", *arguments)

    def __call__(self) -> None:
        self._ask("")

    def result(self) -> np.ndarray:
        """What the last call gave."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "result.npy"
            self._ask(str(path))
            return np.load(path, allow_pickle=False)

    def _ask(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise RuntimeError("the process of the naive way has ended; its message is above")

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.communicate()


def serve(work: Callable[[], np.ndarray]) -> int:
    """Do `work` for each empty line that comes in; for another, write what it last gave to the file of that name."""
    result = None
    for line in sys.stdin:
        if path := line.strip():
            np.save(path, result)
        else:
            result = work()
        print(flush=True)
    return 0


def predicting(model: keras.Model, images: np.ndarray) -> Callable[[], np.ndarray]:
    """The naive way to score faces (n, 256, 256, 3) uint8 -> p_real (n,) float32."""
    return lambda: model.predict(images.astype(np.float32) / 255, verbose=0)[:, 0]


def in_turn(naive: Callable[[], Any], ours: Callable[[], Any], repeats: int) -> tuple[float, float, Any, Any]:
    """Median seconds of each, timed alternately after one call of each that does not count, and their last results."""
    results = [naive(), ours()]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for i, work in enumerate((naive, ours)):
            started = time.perf_counter()
            results[i] = work()
            seconds[i].append(time.perf_counter() - started)
    return statistics.median(seconds[0]), statistics.median(seconds[1]), *results


def rate(name: str, n: int, unit: str, naive: float, ours: float, equal: bool) -> Row:
    """A row of rates: `n` pieces of work took the seconds `naive` and `ours`."""
    return Row(name, round(n / naive, 2), round(n / ours, 2), f"{unit}/s", round(naive / ours, 2), bool(equal))


def parser(doc: str | None, apart: bool = False) -> argparse.ArgumentParser:
    """The options of every script; `--quick` is for trying them: its sizes are too small for ratios to report.

    apart: the script has its naive way in a process of its own (`Apart`), so it takes `--naive`, too.
    """
    made = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    made.add_argument("--quick", action="store_true", help="tiny sizes: does it work? The ratios mean little")
    made.add_argument("--out", type=Path, metavar="FILE", help="also write rows and points here, as JSON")
    if apart:
        made.add_argument("--naive", nargs="+", metavar="ARGUMENT", help="only the naive way, when told: its process")
    return made


def report(rows: Iterable[Row | Skipped], out: Path | None, points: list[dict[str, Any]] | None = None) -> int:
    """Print each row as it comes and write them to `out`; 1 where results were not equal, else 0.

    `points`: what a figure needs besides; may be filled while `rows` are made.
    """
    made = []
    for row in rows:
        if isinstance(row, Skipped):
            print(f"{row.name:44} skipped: {row.reason}", flush=True)
            continue
        numbers = f"naive {row.naive:9.2f}   ours {row.ours:9.2f} {row.unit:9} ratio {row.ratio:6.2f}"
        print(f"{row.name:44} {numbers}   {'equal' if row.equal else 'NOT EQUAL'}", flush=True)
        made.append(row)
    if out:
        text = json.dumps({"rows": [row._asdict() for row in made], "points": points or []}, indent=1)
        out.write_text(text, encoding="utf-8")
    return int(not all(row.equal for row in made))


def frames(n: int, name: str = "tour_forged") -> list[np.ndarray]:
    """`n` frames (h, w, 3) uint8 RGB of a bundled clip, to and fro, so that no face jumps."""
    found = [frame.image for frame in video.read_frames(weights.BUNDLED / f"{name}.mp4")]
    there_and_back = found + found[-2:0:-1]
    return [there_and_back[i % len(there_and_back)] for i in range(n)]


def crops(n: int) -> np.ndarray:
    """`n` aligned faces (n, 256, 256, 3) uint8, every second one forged: those of the bundled clips, repeated."""
    both = []
    for name in ("tour_real", "tour_forged"):
        images = frames(min(40, (n + 1) // 2), name)
        found = zip(images, faces.follow(images), strict=True)
        both.append([faces.align(image, face) for image, face in found if face is not None])
    mixed = [face for pair in zip(*both, strict=False) for face in pair]
    return np.stack([mixed[i % len(mixed)] for i in range(n)])


def network(name: str) -> Any:
    """The network with its bundled weights, or untrained where none are bundled: speed is the same."""
    bundled = [key for key, entry in weights.WEIGHTS.items() if entry.network == name and entry.url is None]
    return weights.load(sorted(bundled)[0]) if bundled else models.NETWORKS[name](seed=1)


def stock(model: keras.Model) -> keras.Model:
    """The same network and weights made of Keras' own layers."""
    made = keras.models.clone_model(model, clone_function=plain)
    made.set_weights(model.get_weights())
    return made


def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
    """Keras' own layer of the same configuration: ours are called as those that they replace."""
    return getattr(keras.layers, type(layer).__name__).from_config(layer.get_config())
