"""The inputs of a run: machine, packages, datasets and weight files, with their present sha256."""

import importlib.metadata
import json
import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesokit import files
from mesokit.lesson.recording import plain
from mesokit.report.parameters import Parameters

_BUNDLED = Path(__file__).parents[1] / "bundled"
_PACKAGES = (  # what results depend on
    "mesokit", "tensorflow", "keras", "tf-keras-vis", "mtcnn", "opencv-python-headless", "av",
    "openvino", "numpy", "pandas", "scikit-learn", "plotly", "papermill", "nbconvert",
)  # fmt: skip


def environment(preset: str | None = None, parameters: dict[str, Parameters] | None = None) -> dict[str, Any]:
    """UTC date, Python, platform, cores, memory, package versions, and the git commit of a checkout or None."""
    import psutil

    versions = {}
    for name in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "preset": preset,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "git": _commit(),
        "repository": os.environ.get("GITHUB_REPOSITORY"),  # owner/name, and branch, in a workflow on GitHub
        "branch": os.environ.get("GITHUB_REF_NAME"),
        "packages": versions,
        "parameters": plain(parameters or {}, "parameters"),
    }


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():  # installed, perhaps inside someone else's checkout
        return None
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(describe, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    return None


def inputs(runs: list[tuple[Path, Parameters]]) -> dict[str, list[dict[str, Any]]]:
    """Data and weights of notebooks, each given as its folder and all of its parameters.

    The dataset of a notebook is found by its parameters `data` and `work`, as in every notebook of the kit; `work` has
    the weights that notebooks trained on it. Each row has name, sha256 and `as_described`: whether the file has the
    sha256 in its dataset.json or model card, or None where no such file describes it.
    """
    named = [((folder / p["work"]).resolve(), folder, p["data"]) for folder, p in runs if {"work", "data"} <= {*p}]
    places = []  # a preset's dataset is in `work`, any other in its own folder
    for work, folder, data in named:
        inside = (work / data / "dataset.json").is_file()
        places.append((work, work / data if inside else (folder / data).resolve()))
    rows, made = [], []
    for work, root in dict.fromkeys(places):
        about = _about(root)
        hashes = about.get("sha256", {})
        rows += [{"name": f"{root.name}/{name}", **_hashed(root / name, was)} for name, was in hashes.items()]
        trained = sorted((work / about.get("name", root.name) / "weights").glob("*.weights.h5"))
        made += [{"name": f"{path.parents[1].name}/{path.name}", **_hashed(path, None)} for path in trained]
    return {"data": rows, "weights": [*_bundled(), *made]}


def _about(root: Path) -> dict[str, Any]:
    """The content of dataset.json in `root`; empty where there is no dataset."""
    try:
        about = files.read_json(root / "dataset.json")
        return about if isinstance(about, dict) else {}
    except (OSError, ValueError):
        return {}


def _bundled() -> list[dict[str, Any]]:
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_BUNDLED.glob("*.json"))]
    return [{"name": card["name"], **_hashed(_BUNDLED / card["file"], card["sha256"])} for card in cards]


def _hashed(path: Path, described: str | None) -> dict[str, Any]:
    found = files.sha256(path) if path.is_file() else None
    return {"sha256": found, "as_described": None if described is None else found == described}
