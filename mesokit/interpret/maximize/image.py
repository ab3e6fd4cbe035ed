"""The image: pixels in [0, 1], from a random start, changed by steps of a given size."""

from typing import Any

import numpy as np

from mesokit.backend import tf

NOISE = 0.05  # of the start, by default
TINY = 1e-12  # avoids a division by 0


def start(size: int, seed: int, noise: float) -> np.ndarray:
    """The random image at which the search starts: (size, size, 3) float32, gray 0.5 plus or minus up to `noise`."""
    rng = np.random.default_rng(seed)
    return (0.5 + noise * rng.uniform(-1, 1, (size, size, 3))).astype(np.float32)


def weighed(gradient: Any, decay: float) -> Any:
    """The gradient (n, size, size, 3) with each spatial frequency k, in cycles of the picture, divided by k**decay.

    The mean counts as one cycle. Natural pictures have amplitudes near 1/k. With decay 2 this is the step of lucid's
    Fourier image, without its colours (Olah et al. 2017, https://distill.pub/2017/feature-visualization).
    """
    size = gradient.shape[1]
    cycles = size * np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    spectrum = tf.signal.rfft2d(tf.transpose(gradient, (0, 3, 1, 2))) / np.maximum(cycles, 1) ** decay
    return tf.transpose(tf.signal.irfft2d(spectrum, (size, size)), (0, 2, 3, 1))


def step(images: Any, gradient: Any, rate: Any) -> Any:
    """Images (n, size, size, 3) moved along their gradient, by `rate` (root mean square), and clipped to [0, 1].

    Each gradient is scaled to the same length, so one rate suits all layers. Without a gradient nothing moves.
    """
    length = tf.sqrt(tf.reduce_mean(gradient**2, (1, 2, 3), keepdims=True))
    return tf.clip_by_value(images + rate * (gradient / tf.maximum(length, TINY)), 0.0, 1.0)
