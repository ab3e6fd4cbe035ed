"""Hidden neurons grouped by the sign of their output weight, and where the images that they want to see are detailed.

Afchar et al. 2018: positive weights (real) show detailed eyes, nose and mouth; negative ones (forged) a
detailed background and a smooth face. Here that is a number: all faces are aligned, so the face has one place.
"""

import cv2
import numpy as np
import pandas as pd

from mesokit.backend import keras

BORDER = 8  # pixels along the edge that are left out: 'same' padding makes a network look at them in its own way
BLUR = 2.0  # pixels: what a Gaussian of this sigma takes away is detail


def of(network: keras.Model, layer: str = "logit") -> pd.DataFrame:
    """unit, weight, sign (1 or -1) and group ("real" or "forged") of each neuron that the unit `layer` weighs."""
    weights = np.asarray(network.get_layer(layer).kernel)[:, 0]
    sign = np.where(weights > 0, 1, -1)
    group = np.where(weights > 0, "real", "forged")
    return pd.DataFrame({"unit": np.arange(len(weights)), "weight": weights, "sign": sign, "group": group})


def face_region(masks: np.ndarray) -> np.ndarray:
    """Where forgeries change a face: (h, w) bool, what at least half of the masks (n, h, w) uint8 cover."""
    return masks.mean(axis=0) >= 127.5


def detail(images: np.ndarray) -> np.ndarray:
    """Energy of the fine structure of images (n, h, w, 3) float in [0, 1]: (n, h, w), squared, mean of the colours."""
    smooth = np.stack([cv2.GaussianBlur(image, (0, 0), BLUR) for image in images])
    return ((images - smooth) ** 2).mean(axis=-1)


def face_share(images: np.ndarray, face: np.ndarray) -> np.ndarray:
    """How the detail of images (n, h, w, 3) is shared out: (n,), a / (a + b) with its means a inside `face`, b outside.

    1: only the face is detailed, 0: only the background, 0.5: both alike (and for an image without any detail).
    """
    energy = detail(images)[:, BORDER:-BORDER, BORDER:-BORDER]
    inside = face[BORDER:-BORDER, BORDER:-BORDER]
    a, b = energy[:, inside].mean(axis=1), energy[:, ~inside].mean(axis=1)
    return (a + 1e-12) / (a + b + 2e-12)


def difference(values: np.ndarray, signs: np.ndarray) -> float:
    """Mean of `values` (n,) over the neurons of sign 1, less their mean over those of sign -1."""
    return float(values[signs > 0].mean() - values[signs < 0].mean())


def sign_test(values: np.ndarray, signs: np.ndarray, draws: int = 9999, seed: int = 0) -> float:
    """How often signs dealt at random give so large a `difference`: the p-value of a permutation test, one-sided.

    `values`: (n,) one for each neuron (restarts are averaged first: they are not independent neurons). Raises
    ValueError where a group is empty.
    """
    if len(set(np.sign(signs))) != 2:
        raise ValueError("all neurons have one sign: there are no two groups to compare")
    rng = np.random.default_rng(seed)
    dealt = rng.permuted(np.tile(signs, (draws, 1)), axis=1) > 0
    number = dealt[0].sum()
    found = dealt @ values / number - ~dealt @ values / (len(values) - number)
    return float((1 + (found >= difference(values, signs) - 1e-12).sum()) / (1 + draws))
