"""Interventions: change one thing in a face, and watch what the network says.

In space: blur or sharpen one region. In frequency: take away one band of detail, from coarse to fine. A change is
compared with another of the same energy (its root mean square over the picture), for any change may move a network.
Pictures are float32 RGB in [0, 1] here, because small changes would be lost in rounding.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import cv2
import numpy as np
import pandas as pd
import scipy.fft

from mesokit.evaluation import Score

SOFT = 3.0  # pixels: how softly an edited region ends, or its rim would be a new edge


def _blur(face: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(face, (0, 0), sigma)


OPERATIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "blur": _blur,
    "sharpen": lambda face, sigma: np.clip(2 * face - _blur(face, sigma), 0, 1),  # unsharp mask of weight 1
}


def edit(face: np.ndarray, region: np.ndarray, operation: str, sigma: float, energy: float | None = None) -> np.ndarray:
    """`face` (h, w, 3) float32 in [0, 1] with one region (h, w) bool blurred or sharpened -> the same kind.

    sigma: pixels, of the Gaussian blur that is applied or undone. energy: at most so large a change (root mean square
    over the whole picture); a larger one is mixed with the original. Raises ValueError for an unknown operation.
    """
    if operation not in OPERATIONS:
        raise ValueError(f"no operation is called {operation!r}; there are {', '.join(OPERATIONS)}")
    weight = cv2.GaussianBlur(region.astype(np.float32), (0, 0), SOFT) * region  # nothing changes outside
    change = weight[..., None] * (OPERATIONS[operation](face, sigma) - face)
    return face + change * _share(change, energy)


def _share(change: np.ndarray, energy: float | None) -> float:
    return 1.0 if energy is None else min(1.0, energy / max(rms(change), 1e-12))


def rms(change: np.ndarray) -> float:
    """Root mean square of a change over all pixels and channels: its energy, in units of the pixels' range."""
    return float(np.sqrt(np.mean(np.square(change, dtype=np.float64))))


def scattered(face: np.ndarray, edited: np.ndarray, region: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A control for `edited`: the same changes in the same region, each at another pixel, so neither blur nor detail.

    Region and energy are the same, but for values that would leave [0, 1].
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
    """Edit each region of each face in turn, and its scattered control: yields a table per face, a row per region.

    logit: gives log-odds of real (`evaluation.scorer` of `models.logits`), where effects add up and do not saturate.
    faces (n, h, w, 3) uint8; regions: of each face, as from `regions.of_face`. Columns face, region, operation, sigma,
    area (share of the picture), rms, before, after and scattered (logits), effect and control (logits after minus
    before), p_before, p_after and p_scattered (p_real).
    """
    rng = np.random.default_rng(seed)
    for i, (pixels, parts) in enumerate(zip(faces, regions, strict=True)):
        face = pixels.astype(np.float32) / 255
        edited = [edit(face, part, operation, sigma, energy) for part in parts.values()]
        control = [scattered(face, one, part, rng) for one, part in zip(edited, parts.values(), strict=True)]
        z = logit(np.stack([face, *edited, *control])).astype(float)
        n = len(parts)
        table = pd.DataFrame({"face": i, "region": list(parts), "operation": operation, "sigma": sigma})
        table["area"] = [part.mean() for part in parts.values()]
        table["rms"] = [rms(one - face) for one in edited]
        table["before"], table["after"], table["scattered"] = z[0], z[1 : n + 1], z[n + 1 :]
        table["effect"], table["control"] = table["after"] - z[0], table["scattered"] - z[0]
        for when in ("before", "after", "scattered"):
            table[f"p_{when}"] = 1 / (1 + np.exp(-table[when]))
        yield table


# --- in frequency ---------------------------------------------------------------------------------------------------

# Cycles per face, an octave each; the last reaches into the corners of the spectrum (181 at 256 pixels).
BANDS = ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 182))


def frequencies(size: int) -> np.ndarray:
    """Cycles per picture of each entry of the Fourier transform of (size, size) pixels, [0, 0] first: numpy's order."""
    line = np.fft.fftfreq(size) * size
    return np.hypot(line[:, None], line[None, :])


def band(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """The part of images (n, h, h, 3) in [0, 1] with low <= cycles per picture < high: float32, mean 0 if low > 0."""
    radius = frequencies(images.shape[1])
    inside = ((low <= radius) & (radius < high))[None, :, :, None]
    return scipy.fft.ifft2(scipy.fft.fft2(images, axes=(1, 2)) * inside, axes=(1, 2)).real.astype(np.float32)


def remove_band(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """Images (n, h, h, 3) float32 in [0, 1] without what `band` finds; what would leave [0, 1] is cut off there."""
    return np.clip(images - band(images, low, high), 0, 1)


def scramble_band(images: np.ndarray, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """A control: the band keeps its energy at every frequency, but its waves are shifted at random, so shapes are gone.

    The shifts are those of a picture of white noise, the same for the three channels.
    """
    noise = scipy.fft.fft2(rng.standard_normal((len(images), *images.shape[1:3], 1)), axes=(1, 2))
    radius = frequencies(images.shape[1])
    inside = ((low <= radius) & (radius < high))[None, :, :, None]
    turned = np.where(inside, noise / np.abs(noise), 0)
    found = scipy.fft.ifft2(scipy.fft.fft2(images, axes=(1, 2)) * turned, axes=(1, 2)).real.astype(np.float32)
    return np.clip(images - band(images, low, high) + found, 0, 1)


def add_noise(images: np.ndarray, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """A control: nothing is taken away, but white noise is added, with the energy that the band has in each image."""
    energy = band(images, low, high).std(axis=(1, 2, 3), keepdims=True)
    return np.clip(images + energy * rng.standard_normal(images.shape, np.float32), 0, 1)


TREATMENTS: dict[str, Callable[..., np.ndarray]] = {
    "removed": lambda images, low, high, rng: remove_band(images, low, high),
    "scrambled": scramble_band,
    "noise": add_noise,
}


def without_bands(
    score: Score, images: np.ndarray, bands: Sequence[tuple[float, float]] = BANDS, seed: int = 0
) -> Iterator[pd.DataFrame]:
    """p_real of images (n, h, h, 3) uint8 after each of `TREATMENTS` of each band: yields a table per band.

    Columns face (0..n-1), low_cycles, high_cycles, treatment, p_real. The first table is of the images as they are:
    treatment "none".
    """
    rng = np.random.default_rng(seed)
    pixels = images.astype(np.float32) / 255
    face = np.arange(len(images))
    yield pd.DataFrame(
        {"face": face, "low_cycles": np.nan, "high_cycles": np.nan, "treatment": "none", "p_real": score(pixels)}
    )
    for low, high in bands:
        found = []
        for name, treat in TREATMENTS.items():
            p_real = np.concatenate([score(treat(pixels[i : i + 8], low, high, rng)) for i in range(0, len(face), 8)])
            found.append(
                pd.DataFrame(
                    {"face": face, "low_cycles": low, "high_cycles": high, "treatment": name, "p_real": p_real}
                )
            )
        yield pd.concat(found)


def losses(scores: pd.DataFrame, rows: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """What each face lost: `scores` of `without_bands` joined with `rows` (the rows of faces.csv, in the same order).

    Columns of both, and `right` (0 or 1) and `loss`: right without treatment minus right with it, -1, 0 or 1. Its mean
    is the loss of accuracy.
    """
    table = scores.merge(rows.reset_index(drop=True).rename_axis("number"), left_on="face", right_index=True)
    table["right"] = ((table["p_real"] > threshold) == (table["label"] == "real")).astype(float)
    before = table[table["treatment"] == "none"].set_index("face")["right"]
    return table.assign(loss=table["face"].map(before) - table["right"])
