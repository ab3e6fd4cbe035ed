"""The crop: a face cut out upright, as the authors of the paper did."""

import cv2
import numpy as np

from mesokit.faces.detecting import Face

ZOOM = 1.3 * 2.2  # side of the crop over the larger of eye-eye and eyes-mouth: l_factor * K of the authors' pipeline.py


def _crop_matrix(face: Face, size: int = 256) -> np.ndarray:
    """The map of the crop: (2, 3) float64, frame pixels -> crop pixels (turn, scale, shift).

    Geometry of the authors' pipeline.py: centre = nose, side = 1.3 * 2.2 * max(eye-eye, eyes-mouth), turned so that
    the line from between the eyes to the mouth is upright.
    """
    points = face.landmarks.astype(np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    side = ZOOM * max(np.linalg.norm(points[1] - points[0]), np.linalg.norm(mouth - eyes))
    if not np.isfinite(side) or side <= 0:
        raise ValueError("faces: the landmarks are all in one place; this is no face to crop")
    down = mouth - eyes
    angle = np.arctan2(down[0], down[1])  # 0: upright
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * size / side
    return np.column_stack([turn, (size - 1) / 2 - turn @ points[2]])


def to_crop(face: Face, points: np.ndarray, size: int = 256) -> np.ndarray:
    """Points of the frame (n, 2) x, y -> the same points in the crop of `align`, (n, 2) float64."""
    matrix = _crop_matrix(face, size)
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def square(face: Face) -> tuple[float, float, float]:
    """(x0, y0, side) of the crop before it is turned, in frame pixels: for drawing; may reach over the border."""
    matrix = _crop_matrix(face, 1)
    side = 1 / float(np.hypot(*matrix[0, :2]))
    x, y = (float(v) for v in face.landmarks[2])
    return x - side / 2, y - side / 2, side


def align(image: np.ndarray, face: Face, size: int = 256) -> np.ndarray:
    """Crop `image` upright around `face`: (h, w, 3) or (h, w), any type OpenCV knows or bool -> the same, (size, size).

    Geometry: `_crop_matrix`; beyond the border the picture is mirrored. Turned at full size, then shrunk by area.
    """
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(f"faces: the image to crop is {image.shape}; give (h, w, 3) or (h, w)")
    pixels = np.ascontiguousarray(image.astype(np.uint8) if image.dtype == bool else image)
    full = max(size, round(square(face)[2]))
    smooth = cv2.INTER_CUBIC if image.ndim == 3 else cv2.INTER_LINEAR  # cubic would overshoot in a mask
    crop = cv2.warpAffine(
        pixels, _crop_matrix(face, full), (full, full), flags=smooth, borderMode=cv2.BORDER_REFLECT_101
    )
    if full > size:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    if crop.dtype.kind == "f":
        crop = np.clip(crop, pixels.min(), pixels.max())  # interpolation may leave 0..1 by a hair
    return crop.astype(image.dtype)
