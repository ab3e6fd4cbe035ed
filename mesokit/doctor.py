"""What `mesokit check` prints: what is installed, what makes the kit fast here, how long each notebook will take."""

import os
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

Finding = tuple[
    str, bool, str
]  # what was looked at, whether it is fine, and what to do or what happens where it is not


def check(notebooks: Path, times: bool = True) -> int:
    """Print a line for each finding; `times`: also measure how long the notebooks in a folder will take here.

    Returns 1 when something needed is missing, else 0.
    """
    missing = 0
    for line, fine, remedy in _findings():
        print(f"{'ok' if fine else 'MISSING':8}{line}{'' if fine else ': ' + remedy}")
        missing += not fine
    if times and not missing:
        for line, fine, without in _tricks():
            print(f"{'fast' if fine else 'SLOW':8}{line}{'' if fine else ': not here, ' + without}")
        _print_times(notebooks)
    return int(missing > 0)


def _tricks() -> Iterator[Finding]:
    """What makes the kit fast, whether it works here, and what goes on without it."""
    from mesokit import backend, fast, models

    yield (
        "scoring on OpenVINO",
        fast.openvino(models.meso4(size=32)) is not None,
        "Keras scores, 2 to 3 times slower",
    )
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
    from mesokit.report import duration, estimate

    notebooks = [path.stem for path in sorted(folder.glob("[0-9]*.ipynb"))]
    reference = estimate.read(folder)
    if not notebooks or reference is None:
        print(f"\nno estimate of times: {folder} has no notebooks or no {estimate.FILE},")
        print("which data_scripts/set_reference_times.py makes from a report of all notebooks")
        return
    print("\nmeasuring for some seconds ...", end="\r", flush=True)
    ratios = estimate.ratios(reference["probe"], estimate.probe())
    print(estimate.words(reference, ratios))
    for name in notebooks:
        seconds = estimate.seconds(reference, ratios, name)
        print(f"  {name:28}{'not measured yet' if seconds is None else 'about ' + duration(seconds)}")


def _findings() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    yield f"Python {sys.version.split()[0]}", (3, 11) <= sys.version_info[:2] <= (3, 13), "use Python 3.11 to 3.13"
    for text in metadata.requires("mesokit") or []:
        need = Requirement(text)
        if need.marker is not None and not need.marker.evaluate():
            continue
        try:
            version = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            version = "is not installed"
        yield (
            f"{need.name} {version}",
            need.specifier.contains(version) if version[0].isdigit() else False,
            f"install {need}",
        )
    wheels = sorted({d.name for d in metadata.distributions() if d.name.lower().startswith("opencv-")})
    yield (
        f"one OpenCV ({', '.join(wheels)})",
        len(wheels) == 1,
        "several overwrite each other: install one of them only",
    )
    yield from _weights_found()


def _weights_found() -> Iterator[Finding]:
    from mesokit import weights

    for name, entry in weights.WEIGHTS.items():
        bundled = entry.url is None
        present = (weights.BUNDLED if bundled else weights.cache()).joinpath(entry.file).is_file()
        if bundled or present:
            yield f"weights {name}", present, "the installation is damaged: install mesokit again"
        else:
            yield f"weights {name}: not downloaded yet (optional, {entry.url})", True, ""
