"""Fidelity: does a map mark the tampered region, and the pixels that the network uses? With two controls.

*Share inside* and *pointing game* compare a map with the tampered mask, which is known for synthetic forgeries.
*Deletion* and *insertion* measure the network: how fast its score falls when the highest pixels of the map are removed,
and how fast it rises when only these are shown. A map can do well in one question and badly in the other.
"""

from collections.abc import Callable, Iterator, Mapping

import cv2
import numpy as np
import pandas as pd

from mesokit.evaluation import Score

MEASURES = ("share_inside", "points_inside", "deletion", "insertion")


def _share_inside(map_: np.ndarray, mask: np.ndarray) -> float:
    """The share of the sum of a map (h, w) that lies inside `mask` (h, w) bool: 0..1, NaN for a blank map.

    A constant map has the mask's share of the picture.
    """
    total = float(map_.sum(dtype=np.float64))
    return float(map_[mask].sum(dtype=np.float64)) / total if total > 0 else float("nan")


def _points_inside(map_: np.ndarray, mask: np.ndarray) -> float:
    """The pointing game (Zhang et al. 2016): 1 if the largest value of the map is in the mask, else 0; NaN if blank."""
    return float(mask.ravel()[int(np.argmax(map_))]) if map_.max() > 0 else float("nan")


def _curves(
    score: Score, face: np.ndarray, map_: np.ndarray, towards: str, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Deletion and insertion (Petsiuk et al. 2018): the probability of the class after each step, each (steps + 1,).

    A step changes 1 / steps of the pixels, in the order of the map, highest first, pixels of equal value in random
    order. Deleted pixels get the mean colour of the face; insertion starts from a picture of that colour. A good map
    has a deletion curve that falls early and an insertion curve that rises early.
    """
    noise = np.random.default_rng(0).random(map_.size)
    rank = np.empty(map_.size, int)
    rank[np.lexsort((noise, -map_.ravel()))] = np.arange(map_.size)
    plain = np.broadcast_to(face.mean(axis=(0, 1)).round().astype(face.dtype), face.shape)
    changed = [(rank < round(map_.size * step / steps)).reshape(map_.shape) for step in range(steps + 1)]
    deleted = [np.where(gone[..., None], plain, face) for gone in changed]
    inserted = [np.where(come[..., None], face, plain) for come in changed[1:-1]]  # the ends are those of deletion
    p_real = score(np.stack(deleted + inserted))
    p = (p_real if towards == "real" else 1 - p_real).astype(float)
    return p[: steps + 1], np.concatenate([p[steps : steps + 1], p[steps + 1 :], p[:1]])


def _area(curve: np.ndarray) -> float:
    """The area under a curve over [0, 1] by the trapezoid rule: the mean probability, 0..1."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def centre_prior(size: int) -> np.ndarray:
    """A control: a bell curve around the centre, (size, size) float32, independent of face and network."""
    line = np.exp(-0.5 * (np.linspace(-1, 1, size) / 0.4) ** 2)
    return np.outer(line, line).astype(np.float32)


def edges(face: np.ndarray) -> np.ndarray:
    """A control: the edges of the gray picture (Sobel, slightly blurred), (h, w) float32, whatever the network."""
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

    Yields a table per name with columns explanation, face (0..n-1) and `MEASURES`. Blank maps have NaN.
    keep: called with (name, face, deletion, insertion), the two curves of each map.
    """
    for name, found in maps.items():
        rows = []
        for i, (face, mask, one) in enumerate(zip(faces, masks, found, strict=True)):
            row = {"explanation": name, "face": i}
            row |= {"share_inside": _share_inside(one, mask), "points_inside": _points_inside(one, mask)}
            if one.max() > 0:
                deletion, insertion = _curves(score, face, one, towards, steps)
                row |= {"deletion": _area(deletion), "insertion": _area(insertion)}
                if keep is not None:
                    keep(name, i, deletion, insertion)
            rows.append(row)
        yield pd.DataFrame(rows, columns=["explanation", "face", *MEASURES])
