"""From faces to scores, fast."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mesokit import dataset, weights
from mesokit.backend import keras
from mesokit.dataset import manifest
from mesokit.evaluation.rules import SHARED
from mesokit.fast import AT_ONCE, openvino

Score = Callable[[np.ndarray], np.ndarray]


def scorer(network: keras.Model) -> Score:
    """A fast function from faces (n, size, size, 3), uint8 or float in [0, 1], to p_real (n,) float32.

    It uses a snapshot of the weights: make a new one after training. It runs on OpenVINO, equal to Keras to 1e-5, and
    on Keras where OpenVINO is missing. Raises ValueError for pixels outside [0, 1].
    """
    size = network.input_shape[1]
    run = openvino(network) or (lambda batch: np.asarray(network(_unit_range(batch))))

    def score(images: np.ndarray) -> np.ndarray:
        faces = _checked(np.asarray(images), size)
        parts = [run(faces[i : i + AT_ONCE])[:, 0] for i in range(0, len(faces), AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    return score


def _checked(images: np.ndarray, size: int) -> np.ndarray:
    """The same faces, uint8 or float32."""
    if images.ndim != 4 or images.shape[1:] != (size, size, 3):
        raise ValueError(f"faces must have the shape (n, {size}, {size}, 3); got {images.shape}")
    if images.dtype == np.uint8:
        return images
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    if not (0 <= low and high <= 1):
        raise ValueError(f"float faces must lie in [0, 1]; got {low:g} to {high:g}: divide by 255, or pass uint8")
    return images.astype(np.float32)


def _unit_range(faces: np.ndarray) -> np.ndarray:
    return faces.astype(np.float32) / 255 if faces.dtype == np.uint8 else faces


def score_faces(
    score: Score, table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 32
) -> Iterator[pd.DataFrame]:
    """Score the faces of `table` (a query of faces.csv): yields its rows with a column `p_real`, batch by batch."""
    for start in range(0, len(table), batch):
        rows = table.iloc[start : start + batch]
        yield rows.assign(p_real=score(dataset.images(rows, root)))


def save_scores(scores: pd.DataFrame, path: Path) -> None:
    """Write the columns of `scores` that the tables of results need as a CSV file, p_real to six digits."""
    kept = ["clip", "crf", "frame", *SHARED]
    manifest.save(scores[kept].assign(p_real=scores["p_real"].round(6)), path)


def bundled_scores(name: str) -> pd.DataFrame:
    """p_real of each test face of the preset `bundled` by the networks called `name`, with a column `seed`.

    name: network, method and level, for example "meso4-face2face-crf23". The package brings scores of some networks
    whose weights it does not bring. `data_scripts/train_bundled_weights.py --scores` made them. Raises ValueError for
    an unknown name.
    """
    folder = weights.BUNDLED / "scores"
    paths = [*folder.glob(f"{name}.csv"), *sorted(folder.glob(f"{name}-seed*.csv"))]
    if not paths:
        known = sorted({path.stem.partition("-seed")[0] for path in folder.glob("*.csv")})
        raise ValueError(f"the package has no scores of {name!r}; it has those of {', '.join(known)}")
    each = {int(path.stem.partition("-seed")[2] or 0): pd.read_csv(path) for path in paths}
    return pd.concat([table.assign(seed=seed) for seed, table in each.items()], ignore_index=True)
