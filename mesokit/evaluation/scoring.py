"""From faces to scores, fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mesokit import graphs

if TYPE_CHECKING:
    from mesokit.backend import keras

Score = Callable[[np.ndarray], np.ndarray]


def scorer(network: keras.Model | graphs.Graph) -> Score:
    """A fast function from faces (n, size, size, 3), uint8 or float in [0, 1], to p_real (n,) float32.

    It uses a snapshot of the weights: make a new one after training. It runs on OpenVINO, equal to Keras to 1e-5; a
    Keras model runs on Keras where there is a GPU or OpenVINO is missing. Raises ValueError for pixels outside [0, 1].
    """
    size = network.input_shape[1]
    if isinstance(network, graphs.Graph):
        run, n = graphs.scoring(network), graphs.AT_ONCE
    else:
        from mesokit import fast  # here, not above: it starts TensorFlow, which a graph does without

        run, n = fast.running(network)

    def score(images: np.ndarray) -> np.ndarray:
        faces = _checked(np.asarray(images), size)
        parts = [run(faces[i : i + n])[:, 0] for i in range(0, len(faces), n)]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    return score


def _checked(images: np.ndarray, size: int) -> np.ndarray:
    """The same faces, uint8 or float32."""
    if images.ndim != 4 or images.shape[1:] != (size, size, 3):
        raise ValueError(f"faces must have the shape (n, {size}, {size}, 3); got {images.shape}")
    if images.dtype == np.uint8:
        return images
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    if not (0 <= low and high <= 1):
        raise ValueError(f"float faces must lie in [0, 1]; got {low:g} to {high:g}: divide by 255, or pass uint8")
    return images.astype(np.float32)
