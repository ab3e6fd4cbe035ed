"""How long the first answers take, against the limits that the project sets itself.

`naive` is the limit in seconds, `ours` the median measured, `equal` says that the command did its work. The clip of
10 s is the bundled one to and fro.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
from side_by_side import Row, frames, parser, report

from mesokit import video

COMMAND = [sys.executable, "-m", "mesokit.cli"]
IMPORT = "import time; t = time.perf_counter(); import mesokit; print(time.perf_counter() - t)"


def median_of(command: list[str], repeats: int) -> tuple[float, list[str]]:
    """Median seconds of `command` and what it printed each time. Raises CalledProcessError where it fails."""
    seconds, printed = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        printed.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), printed


def against(name: str, limit: float, seconds: float, done: bool) -> Row:
    return Row(f"start-up, its limit: {name}", limit, round(seconds, 3), "s", round(limit / seconds, 2), done)


def rows(repeats: int, n_frames: int) -> Iterator[Row]:
    seconds, printed = median_of([*COMMAND, "--help"], repeats)
    yield against("mesokit --help", 0.3, seconds, all("scan" in text for text in printed))
    _, printed = median_of([sys.executable, "-c", IMPORT], repeats)
    yield against("import mesokit", 0.1, statistics.median(float(text) for text in printed), True)
    with tempfile.TemporaryDirectory() as folder:
        clip, photograph = Path(folder) / "clip.mp4", Path(folder) / "photograph.png"
        video.write_clip(clip, frames(n_frames), fps=25.0)
        cv2.imwrite(str(photograph), cv2.cvtColor(frames(1)[0], cv2.COLOR_RGB2BGR))
        for name, limit, path in ((f"{n_frames / 25:g} s of video", 2.5, clip), ("a photograph", 1.5, photograph)):
            seconds, printed = median_of([*COMMAND, "scan", "--json", str(path)], max(1, repeats // 2))
            judged = all(json.loads(text)["clips"][0]["verdict"] in ("real", "forged") for text in printed)
            yield against(f"mesokit scan, {name}", limit, seconds, judged)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    return report(rows(1, 10) if arguments.quick else rows(5, 250), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
