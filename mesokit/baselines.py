"""Detectors too simple to deserve the name: what a network must beat before it may claim to have learnt anything.

Each is a logistic regression on a few numbers of a face, and gives p_real as the networks do.
"""

import os
from collections.abc import Callable

import cv2
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mesokit import dataset
from mesokit.evaluation import Score

# Rows and columns, in 256ths, of the parts of an aligned face (see `faces.align`).
REGIONS = {
    "eyes": ((60, 112), (56, 200)),
    "nose": ((104, 150), (98, 158)),
    "mouth": ((150, 192), (84, 172)),
    "cheeks": ((116, 176), (56, 98)),
    "background": ((0, 256), (0, 28)),
}
SCALES = 4  # octaves


def sharpness(faces: np.ndarray) -> np.ndarray:
    """The blur meter: logarithm of the variance of the Laplacian of faces (n, h, w, 3) uint8 -> (n, 1)."""
    return np.log1p([[dataset.sharpness(face)] for face in faces])


def band_energies(faces: np.ndarray) -> np.ndarray:
    """Logarithms of the energy of each region in each octave of a Laplacian pyramid; (n, h, w, 3) uint8 -> (n, 20)."""
    return np.array([_energies(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)) for face in faces])


def _energies(gray: np.ndarray) -> list[float]:
    found, size = [], len(gray)
    for octave in range(SCALES):
        blurred = cv2.GaussianBlur(gray, (0, 0), 1.0)
        band = (gray - blurred) ** 2
        for (top, bottom), (left, right) in REGIONS.values():
            rows, columns = (
                slice(top * len(band) // 256, bottom * len(band) // 256),
                slice(left * len(band) // 256, right * len(band) // 256),
            )
            found.append(float(np.log(band[rows, columns].mean() + 0.1)))
        gray = cv2.resize(blurred, (size >> (octave + 1),) * 2, interpolation=cv2.INTER_AREA)
    return found


FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"sharpness": sharpness, "bands": band_energies}


def fit(features: str, table: pd.DataFrame, root: str | os.PathLike[str]) -> Score:
    """Learn from the faces of `table` (rows of faces.csv): a function from faces (n, h, w, 3) uint8 to p_real (n,).

    `features`: a name in `FEATURES`. Both classes weigh the same, however many faces they have. Raises ValueError for
    another name, and for a table with one class only.
    """
    if features not in FEATURES:
        raise ValueError(f"no baseline is called {features!r}; there are {', '.join(FEATURES)}")
    if table["label"].nunique() < 2:
        raise ValueError("a baseline needs real and forged faces; the query matches one class only")
    measure = FEATURES[features]
    values = [measure(dataset.images(table.iloc[i : i + 256], root)) for i in range(0, len(table), 256)]
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    model.fit(np.concatenate(values), table["label"] == "real")
    return lambda faces: model.predict_proba(measure(faces))[:, 1].astype(np.float32)


def mean_over_clips(
    values: np.ndarray, clips: pd.Series, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float, float]:
    """Mean of `values` (a number for each face) and its interval, by bootstrap over the `clips` they belong to.

    As `evaluation.interval`, for any number. Returns mean, low, high.
    """
    per = pd.DataFrame({"clip": clips.to_numpy(), "value": values}).groupby("clip")["value"].agg(["sum", "size"])
    draws = np.random.default_rng(seed).integers(0, len(per), (resamples, len(per)))
    sums, sizes = per.to_numpy()[draws].sum(axis=1).T
    low, high = np.quantile(sums / sizes, [(1 - level) / 2, (1 + level) / 2])
    return float(np.mean(values)), float(low), float(high)


def gain(scores: pd.DataFrame, simple: pd.DataFrame, threshold: float = 0.5) -> tuple[float, float, float]:
    """How much more often `scores` are right than those of a simpler detector on the same rows: mean, low, high.

    Both tables as `evaluation.score_faces` or `per_clip` give them, in the same order. The two are compared face by
    face before clips are drawn, so a clip that is hard for both widens the interval of neither.
    Raises ValueError where the rows are others.
    """
    keys = [name for name in ("clip", "crf", "frame") if name in scores]
    if not scores[keys].reset_index(drop=True).equals(simple[keys].reset_index(drop=True)):
        raise ValueError("both detectors must have scored the same faces in the same order")
    right = [(found["p_real"] > threshold).to_numpy() == (found["label"] == "real") for found in (scores, simple)]
    return mean_over_clips(right[0].to_numpy(float) - right[1].to_numpy(float), scores["clip"])
