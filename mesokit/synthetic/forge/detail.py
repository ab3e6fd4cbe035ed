"""Fine detail by region of the face: how much of it a forgery keeps, and where.

Detail is the mean square of the Laplacian of the gray image. It measures changes from pixel to pixel, such as lashes,
pores and the noise of the camera, and ignores light and colour.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from mesokit.synthetic.people import GROUPS

# Of each region: the groups of landmarks of its parts, and how far it reaches past them, in distances of the eyes.
_PARTS = {
    "eyes": ((("eye_left",), ("eye_right",)), 0.12),
    "nose": ((("nose_bridge", "nose_base"),), 0.04),
    "mouth": ((("mouth_outer",),), 0.06),
}


def regions(landmarks: np.ndarray, where: np.ndarray) -> dict[str, np.ndarray]:
    """Eyes, nose, mouth and the remaining skin, each (h, w) bool, inside `where` (h, w) bool.

    landmarks: (N, 2) pixels, rows as in `LANDMARKS`. No pixel is in two regions.
    """
    unit = float(np.linalg.norm(landmarks[GROUPS["eye_left"]].mean(0) - landmarks[GROUPS["eye_right"]].mean(0)))
    left, found = where.copy(), {}
    for name, (parts, reach) in _PARTS.items():
        filled = np.zeros(where.shape, np.uint8)
        for groups in parts:
            points = np.concatenate([landmarks[GROUPS[group]] for group in groups])
            cv2.fillConvexPoly(filled, cv2.convexHull(np.round(points).astype(np.int32)), 1)
        round_brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(reach * unit) + 1,) * 2)
        found[name] = (cv2.dilate(filled, round_brush) > 0) & left
        left &= ~found[name]
    return {**found, "skin": left}


def energy(image: np.ndarray, parts: dict[str, np.ndarray]) -> dict[str, float]:
    """Mean square of the Laplacian of `image` (h, w, 3) uint8 RGB in each region, in gray levels squared."""
    square = cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_64F) ** 2
    return {name: float(square[part].mean()) if part.any() else np.nan for name, part in parts.items()}


def kept(
    images: Sequence[np.ndarray], originals: Sequence[np.ndarray], parts: Sequence[dict[str, np.ndarray]]
) -> dict[str, float]:
    """Detail of `images` as a share of that of the `originals`, by region. `parts`: the `regions` of each original."""
    have, had = ([energy(*pair) for pair in zip(some, parts, strict=True)] for some in (images, originals))
    return {name: float(np.nanmean([e[name] for e in have]) / np.nanmean([e[name] for e in had])) for name in parts[0]}
