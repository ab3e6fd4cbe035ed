"""Fidelity: does an explanation point at what was tampered with, and at what the network uses? Beside its controls.

Two different questions. *Share inside* and *pointing game* compare a map with the tampered mask, which is known of
synthetic forgeries. *Deletion* and *insertion* ask the network: does its score fall fast when the pixels that the map
ranks highest are taken away, and rise fast when only these are given? A map can be right about one and wrong about the
other.
"""

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np
import pandas as pd

from mesokit.evaluation import Score

MEASURES = ("share_inside", "points_inside", "deletion", "insertion")


def share_inside(map_: np.ndarray, mask: np.ndarray) -> float:
    """The share of a map's (h, w) sum that lies where `mask` (h, w) bool holds: 0..1, NaN for a blank map.

    A map that is equal everywhere scores the mask's share of the picture.
    """
    total = float(map_.sum(dtype=np.float64))
    return float(map_[mask].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def points_inside(map_: np.ndarray, mask: np.ndarray) -> float:
    """The pointing game (Zhang et al. 2016): 1 if the map's largest value lies in the mask, else 0; NaN if blank."""
    if not map_.max() > 0:
        return float("nan")
    return float(mask.ravel()[int(np.argmax(map_))])


def curves(
    score: Score, face: np.ndarray, map_: np.ndarray, towards: str, steps: int = 8, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Deletion and insertion (Petsiuk et al. 2018): p towards the class, each (steps + 1,), as pixels go and come.

    Pixels change in the order of the map, highest first, 1 / steps of the picture at a time; those of equal value in
    random order. What is deleted takes the face's mean colour, from which insertion also starts. A good explanation has
    a deletion curve that falls early and an insertion curve that rises early; their areas are in `area`.
    """
    noise = np.random.default_rng(seed).random(map_.size)
    rank = np.empty(map_.size, int)
    rank[np.lexsort((noise, -map_.ravel()))] = np.arange(map_.size)
    plain = np.broadcast_to(face.mean(axis=(0, 1)).round().astype(face.dtype), face.shape)
    changed = [(rank < round(map_.size * step / steps)).reshape(map_.shape) for step in range(steps + 1)]
    deleted = [np.where(gone[..., None], plain, face) for gone in changed]
    inserted = [np.where(come[..., None], face, plain) for come in changed[1:-1]]  # its ends are those of deletion
    p_real = score(np.stack(deleted + inserted))
    p = (p_real if towards == "real" else 1 - p_real).astype(float)
    return p[: steps + 1], np.concatenate([p[steps : steps + 1], p[steps + 1 :], p[:1]])


def area(curve: np.ndarray) -> float:
    """The area under a curve over [0, 1] by the trapezoid rule: the mean score on the way, 0..1."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def centre_prior(size: int) -> np.ndarray:
    """A control: a bell in the middle of every face, (size, size) float32, which knows nothing of face or network."""
    line = np.exp(-0.5 * (np.linspace(-1, 1, size) / 0.4) ** 2)
    return np.outer(line, line).astype(np.float32)


def edges(face: np.ndarray) -> np.ndarray:
    """A control: where the gray picture changes (Sobel, slightly blurred), (h, w) float32, whatever the network."""
    gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cv2.GaussianBlur(np.hypot(cv2.Sobel(gray, -1, 1, 0), cv2.Sobel(gray, -1, 0, 1)), (0, 0), 2)


def measure(
    score: Score,
    faces: np.ndarray,
    masks: np.ndarray,
    maps: Mapping[str, np.ndarray],
    towards: str,
    steps: int = 8,
    keep: Callable[[str, int, np.ndarray, np.ndarray], object] | None = None,
) -> Iterator[pd.DataFrame]:
    """Every measure of every map: faces (n, h, w, 3) uint8, masks (n, h, w) bool, maps name -> (n, h, w).

    Yields a table per name with columns explanation, face (0..n-1) and `MEASURES`. Rows of blank maps are NaN.
    keep: called with (name, face, deletion, insertion) for who wants the curves.
    """
    for name, found in maps.items():
        rows = []
        for i, (face, mask, one) in enumerate(zip(faces, masks, found, strict=True)):
            row = {"explanation": name, "face": i, "share_inside": share_inside(one, mask)}
            row["points_inside"] = points_inside(one, mask)
            if one.max() > 0:
                deletion, insertion = curves(score, face, one, towards, steps)
                row |= {"deletion": area(deletion), "insertion": area(insertion)}
                if keep is not None:
                    keep(name, i, deletion, insertion)
            rows.append(row)
        yield pd.DataFrame(rows, columns=["explanation", "face", *MEASURES])
