"""Where eyes, nose, mouth, skin and background are in an aligned face, from its five landmarks.

All aligned faces have the same scale: the side is `faces.ZOOM` times a *span*, the larger of the distances eye to eye
and eyes to mouth. So the sizes of the regions are fixed, and only their places follow the landmarks.
"""

import cv2
import numpy as np
import pandas as pd

from mesokit import faces
from mesokit.dataset.manifest import POINTS

SIZE = 256  # of an aligned face, in pixels
NAMES = ("eyes", "nose", "mouth", "skin", "background")
# Half axes (across, down) in spans, chosen by eye on synthetic faces. What lies between the inner and the outer oval
# (hair, ears, jaw) belongs to neither skin nor background, because five landmarks do not tell where a face ends.
EYE, NOSE, MOUTH, INNER, OUTER = (0.27, 0.15), (0.2, 0.22), (0.36, 0.17), (0.72, 1.0), (1.15, 1.55)


def points(table: pd.DataFrame) -> np.ndarray:
    """The landmarks of the rows of `table` (of faces.csv) in their aligned faces: (n, 5, 2) float64 x, y in pixels."""
    frame = table[[f"{point}_{c}" for point in POINTS for c in "xy"]].to_numpy(float).reshape(-1, 5, 2)
    return np.array([faces.to_crop(faces.Face((0, 0, 0, 0), 1, one.astype(np.float32)), one, SIZE) for one in frame])


def of_face(landmarks: np.ndarray) -> dict[str, np.ndarray]:
    """Name in `NAMES` -> (256, 256) bool, from landmarks (5, 2) as in `points`. No pixel is in two regions."""
    left, right, nose = landmarks[:3]
    mouth, middle = landmarks[3:].mean(0), (landmarks[:2].mean(0) + landmarks[3:].mean(0)) / 2
    parts = {
        "eyes": _oval(left, EYE) | _oval(right, EYE),
        "nose": _oval(nose, NOSE),
        "mouth": _oval(mouth, MOUTH),
        "skin": _oval(middle, INNER),
    }
    taken = np.zeros((SIZE, SIZE), bool)
    for name, part in parts.items():  # a pixel belongs to the first region that contains it
        parts[name] = part & ~taken
        taken |= part
    return parts | {"background": ~_oval(middle, OUTER) & ~taken}


def _oval(centre: np.ndarray, half: tuple[float, float]) -> np.ndarray:
    span = SIZE / faces.ZOOM
    y, x = np.mgrid[:SIZE, :SIZE]
    return ((x - centre[0]) / (half[0] * span)) ** 2 + ((y - centre[1]) / (half[1] * span)) ** 2 <= 1


def mean(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Name -> (256, 256) float32: for each pixel, the share of the faces of `table` whose region contains it."""
    parts = [of_face(landmarks) for landmarks in points(table)]
    return {name: np.mean([part[name] for part in parts], axis=0).astype(np.float32) for name in NAMES}


def shrink(weights: np.ndarray, size: int) -> np.ndarray:
    """A map (h, h) of shares as (size, size) float32: each cell is the mean of the pixels that it covers."""
    return cv2.resize(weights.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
