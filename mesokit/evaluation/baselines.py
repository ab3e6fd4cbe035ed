"""Simple detectors: what a network must beat before we say that it has learnt something.

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
from mesokit.evaluation.scoring import Score

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
