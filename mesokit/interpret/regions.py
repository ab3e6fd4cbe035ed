"""Where eyes, nose, mouth, skin and background lie in an aligned face, from the five landmarks of its row.

Every aligned face has the same scale: its side is `faces.ZOOM` times the larger of eye-eye and eyes-mouth, here called
a span. So the sizes of the regions are fixed, and only their places follow the landmarks.
"""

import cv2
import numpy as np
import pandas as pd

from mesokit import faces
from mesokit.dataset.manifest import POINTS

NAMES = ("eyes", "nose", "mouth", "skin", "background")
# Half axes (across, down) in spans, chosen by eye on synthetic faces. What lies between the inner and the outer oval
# (hair, ears, jaw) belongs to neither skin nor background: five landmarks do not say where a face ends.
EYE, NOSE, MOUTH, INNER, OUTER = (0.27, 0.15), (0.2, 0.22), (0.36, 0.17), (0.72, 1.0), (1.15, 1.55)


def points(table: pd.DataFrame, size: int = 256) -> np.ndarray:
    """The landmarks of the rows of `table` (of faces.csv) in their crops: (n, 5, 2) float64 x, y in `manifest.POINTS`'
    order, in pixels of a crop of `size`."""
    columns = [f"{point}_{c}" for point in POINTS for c in "xy"]
    frame = table[columns].to_numpy(float).reshape(-1, 5, 2)
    return np.array([faces.to_crop(faces.Face((0, 0, 0, 0), 1, one.astype(np.float32)), one, size) for one in frame])


def of_face(landmarks: np.ndarray, size: int = 256) -> dict[str, np.ndarray]:
    """Name in `NAMES` -> (size, size) bool, from landmarks (5, 2) in the crop. No pixel is in two regions."""
    span = size / faces.ZOOM
    left, right, nose = landmarks[:3]
    mouth, middle = landmarks[3:].mean(0), (landmarks[:2].mean(0) + landmarks[3:].mean(0)) / 2
    parts = {
        "eyes": _oval(left, EYE, span, size) | _oval(right, EYE, span, size),
        "nose": _oval(nose, NOSE, span, size),
        "mouth": _oval(mouth, MOUTH, span, size),
        "skin": _oval(middle, INNER, span, size),
    }
    taken = np.zeros((size, size), bool)
    for name, part in parts.items():  # the first to come keeps a pixel
        parts[name] = part & ~taken
        taken |= part
    return parts | {"background": ~_oval(middle, OUTER, span, size) & ~taken}


def _oval(centre: np.ndarray, half: tuple[float, float], span: float, size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return ((x - centre[0]) / (half[0] * span)) ** 2 + ((y - centre[1]) / (half[1] * span)) ** 2 <= 1


def mean(table: pd.DataFrame, size: int = 256) -> dict[str, np.ndarray]:
    """Name -> (size, size) float32: the share of the faces of `table` in whose region a pixel of the crop lies."""
    parts = [of_face(landmarks, 256) for landmarks in points(table, 256)]
    return {name: shrink(np.mean([part[name] for part in parts], axis=0), size) for name in NAMES}


def shrink(weights: np.ndarray, size: int) -> np.ndarray:
    """A map (h, h) of shares as (size, size) float32: each cell is the mean of the pixels that it covers."""
    return cv2.resize(weights.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
