"""The power of an image by spatial frequency: where forgeries and codecs leave their traces."""

import cv2
import numpy as np


def radial_power(faces: np.ndarray, bins: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Mean power of faces (n, h, h, 3) uint8 RGB by frequency: (bins,) cycles per pixel, (n, bins) gray levels squared.

    |FFT|^2 of the luma under a Hann window (else the borders of the picture would add power everywhere), over the
    window's own energy, averaged over rings up to 0.5, the finest that pixels can hold. White noise has its variance
    everywhere. Raises ValueError for other shapes.
    """
    if faces.ndim != 4 or faces.shape[1] != faces.shape[2]:
        raise ValueError(f"faces must be square, (n, h, h, 3); got {faces.shape}")
    side = faces.shape[1]
    window = np.outer(np.hanning(side), np.hanning(side))
    ring = _rings(side, bins)
    counts = np.bincount(ring.ravel(), minlength=bins + 1)[:bins]
    power = np.empty((len(faces), bins))
    for i, face in enumerate(faces):
        gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(float)
        spectrum = np.abs(np.fft.rfft2((gray - np.average(gray, weights=window)) * window)) ** 2 / (window**2).sum()
        power[i] = np.bincount(ring.ravel(), spectrum.ravel(), bins + 1)[:bins] / counts
    return (np.arange(bins) + 0.5) / (2 * bins), power


def _rings(side: int, bins: int) -> np.ndarray:
    """The ring of each coefficient of `np.fft.rfft2`; the corners, beyond 0.5 cycles per pixel, go to `bins`."""
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    return np.minimum((radius * 2 * bins).astype(int), bins)
