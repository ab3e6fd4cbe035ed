"""The image: plain pixels in [0, 1], from a random start, changed by steps of one size."""

from typing import Any

import numpy as np

from mesokit.backend import tf

NOISE = 0.05  # of the start, by default
TINY = 1e-12  # avoids a division by 0


def start(size: int, seed: int, noise: float) -> np.ndarray:
    """The random image at which the search starts: (size, size, 3) float32, gray 0.5 plus or minus up to `noise`."""
    rng = np.random.default_rng(seed)
    return (0.5 + noise * rng.uniform(-1, 1, (size, size, 3))).astype(np.float32)


def step(images: Any, gradient: Any, rate: Any) -> Any:
    """Images (n, size, size, 3) moved along their gradient, by `rate` (root mean square), and clipped to [0, 1].

    Each gradient is scaled to the same length, so one rate suits all layers. Without a gradient nothing moves.
    """
    length = tf.sqrt(tf.reduce_mean(gradient**2, (1, 2, 3), keepdims=True))
    return tf.clip_by_value(images + rate * (gradient / tf.maximum(length, TINY)), 0.0, 1.0)
