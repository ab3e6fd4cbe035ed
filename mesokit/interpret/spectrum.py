"""Spatial frequencies: the power of faces in each, and how a detector does without a band of them.

A band of frequencies is removed, or scrambled, or noise of its energy is added: the last two are controls, because any
change of an image may change the output.
"""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import pandas as pd
import scipy.fft

from mesokit.evaluation import Score

BATCH = 8  # images treated and scored at once
# Cycles per face, an octave each; the last one includes the corners of the spectrum (181 at 256 pixels).
BANDS = ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 182))


def radial_power(faces: np.ndarray, bins: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of faces (n, h, h, 3) uint8 RGB by frequency: (bins,) cycles per pixel, (n, bins) gray levels squared.

    |FFT|^2 of the luma under a Hann window, without which the borders of the picture would add power everywhere. It is
    divided by the energy of the window, so that white noise has its variance at each frequency, and averaged over rings
    up to 0.5 cycles per pixel, the highest frequency of pixels. Raises ValueError for other shapes.
    """
    if faces.ndim != 4 or faces.shape[1] != faces.shape[2]:
        raise ValueError(f"faces must be square, (n, h, h, 3); got {faces.shape}")
    side = faces.shape[1]
    window = np.outer(np.hanning(side), np.hanning(side))
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    ring = np.minimum((radius * 2 * bins).astype(int), bins).ravel()  # the corners, beyond 0.5, go to a last ring
    counts = np.bincount(ring, minlength=bins + 1)[:bins]
    power = np.empty((len(faces), bins))
    for i, face in enumerate(faces):
        gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(float)
        found = np.abs(np.fft.rfft2((gray - np.average(gray, weights=window)) * window)) ** 2 / (window**2).sum()
        power[i] = np.bincount(ring, found.ravel(), bins + 1)[:bins] / counts
    return (np.arange(bins) + 0.5) / (2 * bins), power


def _ring(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where the Fourier transform of images (n, h, h, 3) has low <= cycles per picture < high: (1, h, h, 1) bool."""
    line = np.fft.fftfreq(images.shape[1]) * images.shape[1]
    cycles = np.hypot(line[:, None], line[None, :])[None, :, :, None]
    return (low <= cycles) & (cycles < high)


def _filtered(images: np.ndarray, factors: np.ndarray) -> np.ndarray:
    return scipy.fft.ifft2(scipy.fft.fft2(images, axes=(1, 2)) * factors, axes=(1, 2)).real.astype(np.float32)


def _band(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """The part of images (n, h, h, 3) in [0, 1] with low <= cycles per picture < high: float32, mean 0 if low > 0."""
    return _filtered(images, _ring(images, low, high))


def remove_band(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """Images (n, h, h, 3) float32 in [0, 1] without frequencies of low <= cycles per picture < high, clipped."""
    return np.clip(images - _band(images, low, high), 0, 1)


def _scramble(images: np.ndarray, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """A control: the band keeps its energy at each frequency, but its phases are turned at random: shapes are lost.

    The phases are those of white noise, the same for the three channels.
    """
    noise = scipy.fft.fft2(rng.standard_normal((len(images), *images.shape[1:3], 1)), axes=(1, 2))
    turned = _filtered(images, np.where(_ring(images, low, high), noise / np.abs(noise), 0))
    return np.clip(images - _band(images, low, high) + turned, 0, 1)


def _add_noise(images: np.ndarray, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """A control: the band stays, and white noise of its energy in each image is added."""
    energy = _band(images, low, high).std(axis=(1, 2, 3), keepdims=True)
    return np.clip(images + energy * rng.standard_normal(images.shape, np.float32), 0, 1)


TREATMENTS: dict[str, Callable[..., np.ndarray]] = {
    "removed": lambda images, low, high, rng: remove_band(images, low, high),
    "scrambled": _scramble,
    "noise": _add_noise,
}


def without_bands(
    score: Score, images: np.ndarray, bands: Sequence[tuple[float, float]] = BANDS, seed: int = 0
) -> Iterator[pd.DataFrame]:
    """p_real of images (n, h, h, 3) uint8 after each of `TREATMENTS` of each band: yields a table per band.

    Columns face (0..n-1), low_cycles, high_cycles, treatment, p_real. The first table is of the untreated images, with
    the treatment "none".
    """
    rng = np.random.default_rng(seed)
    pixels = images.astype(np.float32) / 255
    starts = range(0, len(images), BATCH)
    table = pd.DataFrame({"face": np.arange(len(images)), "low_cycles": np.nan, "high_cycles": np.nan})
    yield table.assign(treatment="none", p_real=score(pixels))
    for low, high in bands:
        found = []
        for name, treat in TREATMENTS.items():
            p_real = np.concatenate([score(treat(pixels[i : i + BATCH], low, high, rng)) for i in starts])
            found.append(table.assign(low_cycles=low, high_cycles=high, treatment=name, p_real=p_real))
        yield pd.concat(found)


def losses(scores: pd.DataFrame, rows: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """The loss of each face: `scores` of `without_bands` joined with `rows` (of faces.csv, in the same order).

    Columns of both, and `right` (0 or 1) and `loss` (-1, 0 or 1): right without treatment minus right with it. The mean
    of `loss` is the loss of accuracy.
    """
    table = scores.merge(rows.reset_index(drop=True).rename_axis("number"), left_on="face", right_index=True)
    table["right"] = ((table["p_real"] > threshold) == (table["label"] == "real")).astype(float)
    before = table[table["treatment"] == "none"].set_index("face")["right"]
    return table.assign(loss=table["face"].map(before) - table["right"])
