"""What single filters compute: their weights, the signs of these, the frequencies that pass, the feature maps.

Afchar et al. 2018 read a run +,-,+ in the first weights as a discrete second derivative. Three random weights alternate
in a quarter of all cases, so the count needs its null distribution, from `untrained` kernels.
A kernel is (h, w, channels, filters) float32, as in Keras.
"""

from collections.abc import Iterable

import numpy as np

from mesokit import models
from mesokit.backend import keras

SECOND = np.array([1.0, -2.0, 1.0]) / np.sqrt(6)  # the discrete second derivative, of length 1


def _convolutions(network: keras.Model) -> list[str]:
    return [layer.name for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]


def first_kernels(network: keras.Model) -> list[str]:
    """The convolutions larger than 1x1 of the first block: conv1 of Meso-4, the three 3x3 branches of MesoInception-4.

    The branches of MesoInception-4 follow a 1x1 convolution, so their input is mixtures of the colours. Raises
    ValueError for a network without such a layer.
    """
    wide = [name for name in _convolutions(network) if max(kernel(network, name).shape[:2]) > 1]
    if not wide:
        raise ValueError(f"{network.name} has no convolution larger than 1x1")
    block = wide[0].split("_")[0]
    return [name for name in wide if name.split("_")[0] == block]


def _convolution(network: keras.Model, layer: str) -> keras.layers.Conv2D:
    if layer not in (names := _convolutions(network)):
        raise ValueError(f"{network.name} has no convolution {layer!r}; it has {', '.join(names)}")
    return network.get_layer(layer)


def kernel(network: keras.Model, layer: str) -> np.ndarray:
    """The weights of the convolution `layer`: (h, w, channels, filters) float32."""
    return np.asarray(_convolution(network, layer).kernel)


def untrained(network: keras.Model, layer: str, seeds: Iterable[int]) -> np.ndarray:
    """Random kernels of `layer`, as before training, one for each seed: (n, h, w, channels, filters) float32."""
    one = _convolution(network, layer)
    draw, config = type(one.kernel_initializer), one.kernel_initializer.get_config()
    return np.stack([np.asarray(draw.from_config({**config, "seed": seed})(one.kernel.shape)) for seed in seeds])


def _lines(weights: np.ndarray) -> np.ndarray:
    """The rows, then the columns of kernels (..., s, s, channels, filters): (..., 2 * s, s, channels, filters).

    Axis -4 numbers the lines, axis -3 runs along a line.
    """
    if weights.shape[-4] != weights.shape[-3] or weights.shape[-4] < 3:
        raise ValueError(f"kernels must be square and at least 3x3 to have lines; got {weights.shape[-4:-2]}")
    return np.concatenate([weights, np.swapaxes(weights, -4, -3)], axis=-4)


def alternates(weights: np.ndarray) -> np.ndarray:
    """Which lines run like +,-,+ or -,+,-: (..., 2 * s, channels, filters) bool.

    In a line of more than three weights, neighbours of one sign count as one: +,+,-,-,+ alternates, +,-,+,- does not. A
    weight of exactly 0 has no sign and is skipped.
    """
    signs = np.moveaxis(np.sign(_lines(weights)), -3, -1)
    changes, last = np.zeros(signs.shape[:-1], int), signs[..., 0]
    for place in range(1, signs.shape[-1]):
        now = signs[..., place]
        changes += now * last < 0
        last = np.where(now == 0, last, now)
    return changes == 2


def second_derivative_share(weights: np.ndarray) -> np.ndarray:
    """How much of each line of 3x3 kernels is a second derivative: (..., 6, channels, filters) in [0, 1].

    The squared cosine between the line and 1, -2, 1: a third on average for a random line, NaN for a line of zeros.
    """
    if weights.shape[-3] != 3:
        raise ValueError(f"this share needs kernels of 3x3; got {weights.shape[-4:-2]}")
    found = _lines(weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.einsum("...lscf,s->...lcf", found, SECOND) ** 2 / (found**2).sum(axis=-3)


def p_value(found: float, null: np.ndarray) -> float:
    """How often chance reaches `found`: (k + 1) / (n + 1), where k of the n values of `null` are at least as large.

    The 1 stands for `found` itself, so the smallest p is 1 / (n + 1) (Davison and Hinkley 1997, 4.2).
    """
    return float((1 + (null >= found).sum()) / (1 + null.size))


def alternation(weights: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """How much more often lines of `weights` alternate than those of untrained kernels `others` (n, *weights.shape).

    share: of the lines of `weights` that alternate; untrained: the mean share of `others`; value: their difference;
    low, high: share minus the interval of 95 % of the shares of `others`; if 0 is inside, chance explains the
    share. p: `p_value`, one-sided. p_finer: p of the mean `second_derivative_share` (NaN unless 3x3).
    """
    share, null = float(alternates(weights).mean()), alternates(others).mean(axis=(1, 2, 3))
    low, high = share - np.quantile(null, [0.975, 0.025])
    finer = float("nan")
    if weights.shape[0] == 3:
        along = np.nanmean(second_derivative_share(weights))
        finer = p_value(float(along), np.nanmean(second_derivative_share(others), axis=(1, 2, 3)))
    found = {"share": share, "untrained": float(null.mean()), "value": share - float(null.mean())}
    return found | {"low": float(low), "high": float(high), "p": p_value(share, null), "p_finer": finer}


def frequency_response(weights: np.ndarray, size: int = 64, dilation: int = 1) -> np.ndarray:
    """Frequency responses of kernels: magnitudes (size, size, channels, filters), frequency 0 in the middle.

    The first axis is down, the second across, both from -1/2 to almost 1/2 cycles per pixel. `dilation`: of the layer.
    """
    height, width = (dilation * (side - 1) + 1 for side in weights.shape[:2])
    spread = np.zeros((height, width, *weights.shape[2:]))
    spread[::dilation, ::dilation] = weights
    return np.abs(np.fft.fftshift(np.fft.fft2(spread, (size, size), axes=(0, 1)), axes=(0, 1)))


def dilation(network: keras.Model, layer: str) -> int:
    """The dilation of the convolution `layer`: the distance of its weights in cells of its input."""
    return int(_convolution(network, layer).dilation_rate[0])


def feature_maps(network: keras.Model, layer: str, faces: np.ndarray) -> np.ndarray:
    """The outputs of `layer`: (n, h, w, filters) float32, for faces (n, size, size, 3) uint8 RGB."""
    size = network.input_shape[1]
    if faces.dtype != np.uint8 or faces.shape[1:] != (size, size, 3):
        raise ValueError(f"faces must be (n, {size}, {size}, 3) uint8; got {faces.shape} {faces.dtype}")
    outputs = models.activations(network, layer)(faces.astype(np.float32) / 255, training=False)
    (found,) = keras.tree.flatten(outputs)  # versions of Keras return an array or a list of one
    if len(found.shape) != 4:
        raise ValueError(f"{layer} has no maps: its output is {tuple(found.shape[1:])}; take a layer before flatten")
    return np.asarray(found)
