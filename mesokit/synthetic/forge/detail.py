"""Fine detail by region of the face: what a forgery keeps of it, and where.

Detail is the mean square of the Laplacian of the gray picture: it answers to what changes from pixel to pixel, lashes,
pores and the camera's noise alike, and not to light or colour.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from mesokit.synthetic.people import GROUPS

NAMES = ("eyes", "nose", "mouth", "skin")
EYES, NOSE, MOUTH = (("eye_left",), ("eye_right",)), (("nose_bridge", "nose_base"),), (("mouth_outer",),)
REACH = {
    "eyes": 0.12,
    "nose": 0.04,
    "mouth": 0.06,
}  # how far a region goes past its landmarks, in distances of the eyes


def regions(landmarks: np.ndarray, where: np.ndarray) -> dict[str, np.ndarray]:
    """Eyes, nose, mouth and the skin between them, each (h, w) bool, as far as `where` (h, w) bool holds.

    landmarks: (N, 2) pixels, rows as in `render.LANDMARKS`. No pixel is in two regions.
    """
    unit = float(np.linalg.norm(landmarks[GROUPS["eye_left"]].mean(0) - landmarks[GROUPS["eye_right"]].mean(0)))
    left, found = where.copy(), {}
    for name, parts in zip(NAMES, (EYES, NOSE, MOUTH), strict=False):
        filled = np.zeros(where.shape, np.uint8)
        for groups in parts:
            points = np.concatenate([landmarks[GROUPS[group]] for group in groups])
            cv2.fillConvexPoly(filled, cv2.convexHull(np.round(points).astype(np.int32)), 1)
        round_brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(REACH[name] * unit) + 1,) * 2)
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
    """The share of the originals' detail that `images` have, by region: 1 is as much. `parts`: `regions` of each."""
    have, had = (
        [energy(image, part) for image, part in zip(sequence, parts, strict=True)] for sequence in (images, originals)
    )
    return {name: float(np.nanmean([e[name] for e in have]) / np.nanmean([e[name] for e in had])) for name in parts[0]}
