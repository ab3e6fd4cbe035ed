"""How long a notebook will take here: times of a run elsewhere, scaled by a short measurement done on both machines."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

FILE = "reference_times.json"  # beside the notebooks; data_scripts/set_reference_times.py writes it


def probe() -> dict[str, float]:
    """Seconds that two small pieces of the notebooks' work take here, warmed up; some seconds in all."""
    return {"training": _training(), "pictures": _pictures()}


def _training(steps: int = 4) -> float:
    """Training steps of Meso-4 on 8 faces, 256x256; the first, which compiles, does not count."""
    import numpy as np

    from mesokit import models

    network = models.meso4()
    network.compile("adam", "mse")
    faces = np.random.default_rng(0).random((8, 256, 256, 3), np.float32)
    network.train_on_batch(faces, np.ones((8, 1)))
    started = time.perf_counter()
    for _ in range(steps):
        network.train_on_batch(faces, np.ones((8, 1)))
    return time.perf_counter() - started


def _pictures(frames: int = 50) -> float:
    """Encode and decode a clip of 480x360, as making the data does."""
    import numpy as np

    from mesokit import video

    clip = np.random.default_rng(0).integers(0, 256, (frames, 36, 48, 3), np.uint8).repeat(10, 1).repeat(10, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.mp4"
        started = time.perf_counter()
        video.write_clip(path, list(clip), 25.0, 23)
        for _ in video.read_frames(path):
            pass
        return time.perf_counter() - started


def read(folder: Path) -> dict[str, Any] | None:
    """The reference times beside the notebooks in `folder`, or None."""
    path = folder / FILE
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def reference(results: dict[str, Any], probed: dict[str, float]) -> dict[str, Any]:
    """What FILE holds: the times of the run `results` (of results.json), and the probe done on the same machine.

    Raises ValueError where a notebook of that run did not end well: its time would say nothing.
    """
    if broken := [book["name"] for book in results["notebooks"] if book["status"] != "ok"]:
        raise ValueError(f"{broken[0]} did not end well in this run: repeat it, then take its times")
    environment = results["environment"]
    return {
        "date": environment["date"],
        "preset": environment["preset"],
        "cores": environment["cores"],
        "probe": {name: round(value, 3) for name, value in probed.items()},
        "seconds": {book["name"]: book["seconds"] for book in results["notebooks"]},
    }


def ratios(there: dict[str, float], here: dict[str, float]) -> dict[str, float]:
    """How many times as long each piece of the probe takes here."""
    return {name: here[name] / there[name] for name in there}


def seconds(reference: dict[str, Any], ratios: dict[str, float], name: str) -> float | None:
    """The estimate for the notebook `name`, or None where the reference run did not have it."""
    known = reference["seconds"].get(name)
    return None if known is None else known * sum(ratios.values()) / len(ratios)


def words(reference: dict[str, Any], ratios: dict[str, float]) -> str:
    """What the estimates are, for people."""
    compared = ", ".join(f"{name} takes {value:.2g} times as long here" for name, value in ratios.items())
    return (
        f"times with preset {reference['preset']}: those of one run on {reference['cores']} cores,"
        f" scaled by a measurement of some seconds ({compared}).\n"
        "A rough guide, and worse while the machine is busy. Making the data, which is done once, is included."
    )
