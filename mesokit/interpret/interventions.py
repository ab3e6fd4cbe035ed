"""Interventions: blur or sharpen one region of a face, and measure how the output of the network changes.

Any change of an image may change the output. So each edit is compared with a control of the same energy (root mean
square over the picture) in the same region. Pictures are float32 RGB in [0, 1] here, because rounding to 8 bits would
lose small changes. Interventions by frequency are in `spectrum`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import cv2
import numpy as np
import pandas as pd

from mesokit.evaluation import Score

SOFT = 3.0  # pixels: width of the soft edge of an edited region; a hard edge would be a new feature of the face


def _blur(face: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(face, (0, 0), sigma)


OPERATIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "blur": _blur,
    "sharpen": lambda face, sigma: np.clip(2 * face - _blur(face, sigma), 0, 1),  # unsharp mask of weight 1
}


def edit(face: np.ndarray, region: np.ndarray, operation: str, sigma: float, energy: float | None = None) -> np.ndarray:
    """`face` (h, w, 3) float32 in [0, 1] with one region (h, w) bool blurred or sharpened -> the same shape and range.

    sigma: of the Gaussian blur, in pixels. energy: the largest change allowed (root mean square over the whole
    picture); a larger change is scaled down to it. Raises ValueError for an unknown operation.
    """
    if operation not in OPERATIONS:
        raise ValueError(f"no operation is called {operation!r}; there are {', '.join(OPERATIONS)}")
    weight = cv2.GaussianBlur(region.astype(np.float32), (0, 0), SOFT) * region  # nothing changes outside
    change = weight[..., None] * (OPERATIONS[operation](face, sigma) - face)
    return face + change * (1.0 if energy is None else min(1.0, energy / max(_rms(change), 1e-12)))


def _rms(change: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(change, dtype=np.float64))))


def _scattered(face: np.ndarray, edited: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A control for `edited`: the same changes, but at random pixels of the region, so neither blurred nor sharpened.

    Region and energy are the same, except where values are clipped to [0, 1].
    """
    result = face.copy()
    result[region] += rng.permutation((edited - face)[region], axis=0)
    return np.clip(result, 0, 1)


def effects(
    logit: Score,
    faces: np.ndarray,
    regions: Sequence[Mapping[str, np.ndarray]],
    operation: str,
    sigma: float,
    energy: float | None = None,
    seed: int = 0,
) -> Iterator[pd.DataFrame]:
    """Edit each region of each face, one at a time, and its control: yields a table per face, a row per region.

    logit: gives the log-odds of real (`evaluation.scorer` of `models.logits`), because p_real saturates.
    faces (n, h, w, 3) uint8; regions: of each face, as from `regions.of_face`. Columns: face, region, operation, sigma,
    area (share of the picture), rms (energy of the change), before, after and scattered (logits of the face, the edit
    and the control), effect and control (after and scattered minus before), p_before, p_after, p_scattered (p_real).
    """
    rng = np.random.default_rng(seed)
    for i, (pixels, parts) in enumerate(zip(faces, regions, strict=True)):
        face = pixels.astype(np.float32) / 255
        edited = [edit(face, part, operation, sigma, energy) for part in parts.values()]
        control = [_scattered(face, one, part, rng) for one, part in zip(edited, parts.values(), strict=True)]
        z = logit(np.stack([face, *edited, *control])).astype(float)
        n = len(parts)
        table = pd.DataFrame({"face": i, "region": list(parts), "operation": operation, "sigma": sigma})
        table["area"] = [part.mean() for part in parts.values()]
        table["rms"] = [_rms(one - face) for one in edited]
        table["before"], table["after"], table["scattered"] = z[0], z[1 : n + 1], z[n + 1 :]
        table["effect"], table["control"] = table["after"] - z[0], table["scattered"] - z[0]
        for when in ("before", "after", "scattered"):
            table[f"p_{when}"] = 1 / (1 + np.exp(-table[when]))
        yield table
