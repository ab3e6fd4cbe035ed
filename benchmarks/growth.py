"""How cost grows: scoring, extraction and reading a dataset at 1, 4 and 16 times the data.

A row's `naive` is what 16 times the work would take at the speed of 1 time, `ours` what it took: a ratio of 1 is linear
time. Its `equal` is both: at most a quarter over linear time, and constant memory, a peak at 16 times of at most 64 MB
above the one at 1 time. A peak is the largest resident memory of the process, looked at every 5 ms.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from side_by_side import Row, frames, network, parser, report
from training import write_faces

from mesokit import evaluation, faces, video
from mesokit.dataset import loading

TIMES = (1, 4, 16)
REPEATS = 3  # of the short ones; the median counts
LINEAR = 0.8  # the least ratio: a quarter more than 16 times as long
SLACK = 64  # MB that memory may grow by over 16 times the data: what allocators keep


class Peak(threading.Thread):
    """The largest resident memory (MB) of this process while a `with` block runs."""

    def __enter__(self) -> "Peak":
        self.process, self.stop, self.mb = psutil.Process(), threading.Event(), 0.0
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop.set()
        self.join()

    def run(self) -> None:
        while True:
            self.mb = max(self.mb, self.process.memory_info().rss / 1e6)
            if self.stop.wait(0.005):
                return


def works(root: Path, faces_: int, frames_: int) -> dict[str, tuple[int, str, Callable[[int], Any]]]:
    """Name -> (pieces at 1 time, their unit, the work on so many times the data), streamed from disk."""
    write_faces(root)
    table = pd.read_csv(root / "faces.csv")
    video.write_clip(root / "clip.mp4", frames(max(TIMES) * frames_), fps=25.0)
    score = evaluation.scorer(network("meso4"))

    def repeated(times: int) -> pd.DataFrame:
        return pd.concat([table] * (times * faces_ // len(table) + 1), ignore_index=True)[: times * faces_]

    def scoring(times: int) -> None:
        for _ in evaluation.score_faces(score, repeated(times), root):
            pass

    def extraction(times: int) -> None:
        read = video.read_frames(root / "clip.mp4", range(times * frames_))
        faces.follow(frame.image for frame in read)

    def reading(times: int) -> None:
        for _ in loading.batches(repeated(times), root):
            pass

    return {
        "scoring from disk": (faces_, "faces", scoring),
        "extraction of a clip": (frames_, "frames", extraction),
        "reading a dataset": (faces_, "faces", reading),
    }


def rows(points: list[dict[str, Any]], faces_: int, frames_: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        for name, (n, unit, work) in works(Path(folder), faces_, frames_).items():
            work(max(TIMES))  # compiling does not count, nor what allocators take once: some 110 MB of an extraction
            measured = []
            for times in TIMES:
                seconds = []
                with Peak() as peak:
                    for _ in range(REPEATS if times < max(TIMES) else 1):
                        started = time.perf_counter()
                        work(times)
                        seconds.append(time.perf_counter() - started)
                measured.append({"work": name, "times": times, "n": n * times, "unit": unit} | {
                    "seconds": round(statistics.median(seconds), 3), "peak_mb": round(peak.mb)})  # fmt: skip
            points.extend(measured)
            first, last = measured[0], measured[-1]
            expected, constant = first["seconds"] * max(TIMES), last["peak_mb"] <= first["peak_mb"] + SLACK
            ratio = round(expected / last["seconds"], 2)
            equal = constant and ratio >= LINEAR
            yield Row(f"growth to {last['n']} {unit}: {name}", round(expected, 2), last["seconds"], "s", ratio, equal)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    points: list[dict[str, Any]] = []
    sizes = (64, 2) if arguments.quick else (128, 24)  # fewer faces than some batches would not fill memory
    return report(rows(points, *sizes), arguments.out, points)


if __name__ == "__main__":
    sys.exit(main())
