"""What `mesokit check` prints: what is installed, what is fast on this machine, how long each notebook will take.

Times are those of one run on another machine, scaled by a short measurement on both machines.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from mesokit import files

_Finding = tuple[str, bool, str]  # what was examined, whether it is fine, and the remedy or the effect where it is not
TIMES = "reference_times.json"  # beside the notebooks; data_scripts/set_reference_times.py writes it


def check(notebooks: Path, times: bool = True) -> int:
    """Print a line for each finding and, with `times`, an estimate for each notebook in that folder.

    Returns 1 when something required is missing, else 0.
    """
    missing = 0
    for line, fine, remedy in _findings():
        print(f"{'ok' if fine else 'MISSING':8}{line}{'' if fine else ': ' + remedy}")
        missing += not fine
    if times and not missing:
        for line, fine, effect in _tricks():
            print(f"{'fast' if fine else 'SLOW':8}{line}{'' if fine else ': not here, ' + effect}")
        _print_times(notebooks)
    return int(missing > 0)


def _findings() -> Iterator[_Finding]:
    from packaging.requirements import Requirement

    yield f"Python {sys.version.split()[0]}", (3, 11) <= sys.version_info[:2] <= (3, 13), "use Python 3.11 to 3.13"
    for need in map(Requirement, metadata.requires("mesokit") or []):
        if need.marker is None or need.marker.evaluate():
            try:
                version = metadata.version(need.name)
            except metadata.PackageNotFoundError:
                yield f"{need.name} is not installed", False, f"install {need}"
            else:
                yield f"{need.name} {version}", need.specifier.contains(version), f"install {need}"
    wheels = sorted({d.name for d in metadata.distributions() if d.name.lower().startswith("opencv-")})
    remedy = "several overwrite each other: install one of them only"
    yield f"one OpenCV ({', '.join(wheels)})", len(wheels) == 1, remedy
    try:
        from mesokit import backend
    except (ImportError, ValueError) as error:
        yield "TensorFlow and Keras start", False, str(error)
        return
    for told in backend.settled:
        yield told, True, ""
    yield from _weights_found()


def _weights_found() -> Iterator[_Finding]:
    from mesokit import weights

    for name, entry in weights.WEIGHTS.items():
        bundled = entry.url is None
        present = (weights.BUNDLED if bundled else weights.cache()).joinpath(entry.file).is_file()
        if bundled or present:
            yield f"weights {name}", present, "the installation is damaged: install mesokit again"
        else:
            yield f"weights {name}: not downloaded yet (optional, {entry.url})", True, ""


def _tricks() -> Iterator[_Finding]:
    """What makes the kit fast, whether it works here, and the effect where it does not."""
    from mesokit import backend, fast, models

    scored = fast.openvino(models.meso4(size=32)) is not None
    yield "scoring on OpenVINO", scored, "Keras scores, 2 to 3 times slower"
    if fast.onednn():
        yield "training with oneDNN", True, ""
    else:
        yield "training steps compiled by XLA", fast.compiles(), "uncompiled steps, about half as fast"
    caching = os.environ.get("TF_CPU_ALLOCATOR_USE_BFC") == "1"
    yield "TensorFlow's caching allocator", caching, "TF_CPU_ALLOCATOR_USE_BFC is set to something else"
    half = backend.precision() != "float32"
    gpus = len(backend.tf.config.list_physical_devices("GPU"))
    yield f"training in {'half' if half else 'single'} precision on {gpus or 'no'} GPU", True, ""


def _print_times(folder: Path) -> None:
    """An estimate for each notebook, and how it was made."""
    from mesokit.report import duration

    notebooks, reference = [path.stem for path in sorted(folder.glob("[0-9]*.ipynb"))], folder / TIMES
    if not notebooks or not reference.is_file():
        print(f"\nno estimate of times: {folder} has no notebooks or no {TIMES},")
        print("which data_scripts/set_reference_times.py makes from a report of all notebooks")
        return
    print("\nmeasuring for some seconds ...", end="\r", flush=True)
    seconds, words = scaled(files.read_json(reference), probe())
    print(words)
    for name in notebooks:
        print(f"  {name:28}{'about ' + duration(seconds[name]) if name in seconds else 'not measured yet'}")


def probe() -> dict[str, float]:
    """Seconds that two small parts of the notebooks' work take here; the measurement takes a few seconds.

    training: four steps of Meso-4 on 8 faces. pictures: see `_pictures`.
    """
    from mesokit.reproduce import jobs

    return {"training": 4 * jobs.seconds_per_batch("meso4", 8), "pictures": _pictures()}


def _pictures(frames: int = 50) -> float:
    """Encoding and decoding of a clip of 480x360, as in the making of the data."""
    from mesokit import video

    clip = np.random.default_rng(0).integers(0, 256, (frames, 36, 48, 3), np.uint8).repeat(10, 1).repeat(10, 2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.mp4"
        started = time.perf_counter()
        video.write_clip(path, list(clip), 25.0, 23)
        for _ in video.read_frames(path):
            pass
        return time.perf_counter() - started


def reference(results: dict[str, Any], probed: dict[str, float]) -> dict[str, Any]:
    """The content of TIMES: the times of a run (`results` of results.json), and the probe on the same machine.

    Raises ValueError where a notebook of that run failed: its time has no meaning.
    """
    if broken := [book["name"] for book in results["notebooks"] if book["status"] != "ok"]:
        raise ValueError(f"{broken[0]} did not end well in this run: repeat it, then take its times")
    return {
        **{name: results["environment"][name] for name in ("date", "preset", "cores")},
        "probe": {name: round(value, 3) for name, value in probed.items()},
        "seconds": {book["name"]: book["seconds"] for book in results["notebooks"]},
    }


def scaled(reference: dict[str, Any], probed: dict[str, float]) -> tuple[dict[str, float], str]:
    """Estimated seconds of each notebook on the machine of `probed`, and in words what the estimates are."""
    ratios = {name: probed[name] / seconds for name, seconds in reference["probe"].items()}
    factor = sum(ratios.values()) / len(ratios)
    compared = ", ".join(f"{name} takes {value:.2g} times as long here" for name, value in ratios.items())
    words = (
        f"times with preset {reference['preset']}: those of one run on {reference['cores']} cores,"
        f" scaled by a measurement of some seconds ({compared}).\n"
        "A rough guide, less reliable while the machine is busy. Making the data, which is done once, is included."
    )
    return {name: seconds * factor for name, seconds in reference["seconds"].items()}, words
