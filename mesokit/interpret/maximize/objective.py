"""What is maximized: E(x) = f(x) - lambda * ||x||_p, where f is the output of one unit.

f is the value of a hidden neuron or of the logit, or the mean of a filter over its places, without those at the
border. `Units` (f) is a Score of tf-keras-vis and `PaperNorm` a Regularizer; both also work in its
`ActivationMaximization`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mesokit.backend import keras, quietly, tf
from mesokit.interpret.maximize.image import NOISE, TINY, start

with quietly():
    from tf_keras_vis.activation_maximization.regularizers import Regularizer
    from tf_keras_vis.utils.scores import Score


class Units(Score):
    """One unit of each image: (n,) from outputs (n, units), or from (n, h, w, units) as the mean over the inner places.

    The border, an eighth of the map on each side, is left out: there a filter also sees the zeros of the padding, and
    an image would show the edge of the picture in place of the filter's pattern.
    """

    def __init__(self, units: Any, signs: Any):
        """`units`: (n,) which unit; `signs`: (n,) 1 to make it large, -1 to make it small."""
        super().__init__("units")
        self.units, self.signs = units, signs

    def __call__(self, output: Any) -> Any:
        """The signed value of each image's unit (n,)."""
        values = output
        if len(output.shape) == 4:
            y, x = output.shape[1] // 8, output.shape[2] // 8
            values = tf.reduce_mean(output[:, y : output.shape[1] - y, x : output.shape[2] - x], (1, 2))
        return tf.cast(self.signs, values.dtype) * tf.gather(values, self.units, axis=1, batch_dims=1)


class PaperNorm(Regularizer):
    """lambda * ||x||_p of each image (n,), as in the paper.

    The `Norm` of tf-keras-vis divides by N**(1/p), N = size * size * 3, rounds p down, and its gradient is
    NaN at x = 0.
    """

    def __init__(self, lam: Any, p: Any):
        """`lam` (lambda) and `p`: numbers, or (n,) one for each image."""
        super().__init__("norm")
        self.lam, self.p = lam, p

    def __call__(self, images: Any) -> Any:
        """The penalty of each image (n,)."""
        if isinstance(self.p, float) and self.p == 2:  # the usual case: a power takes as long as two convolutions
            return tf.cast(self.lam, images.dtype) * tf.sqrt(tf.reduce_sum(images**2, (1, 2, 3)) + TINY)
        lam, p = (tf.convert_to_tensor(value, images.dtype) for value in (self.lam, self.p))
        exponent = tf.reshape(p, (-1, 1, 1, 1))
        size = tf.where(images < 0, -images, images)  # |x|, with slope 1 at 0, because images are never negative
        return lam * (tf.reduce_sum(size**exponent, (1, 2, 3)) + TINY) ** (1 / p)


def balance(
    network: keras.Model,
    layer: str,
    units: Sequence[int],
    pull: float,
    p: float = 2.0,
    seeds: Sequence[int] | int = 0,
    noise: float = NOISE,
) -> np.ndarray:
    """The lambda of each unit (n,) for which the gradient of the penalty is `pull` times that of f, at the start.

    The size of f differs by orders of magnitude between layers, so no single lambda suits them all: lambda = pull *
    length of the gradient of f / length of the gradient of ||x||_p. 0 for a unit without a gradient.
    """
    table = pd.DataFrame({"unit": list(units), "sign": 1, "seed": seeds, "p": p})
    check(network, layer, table)
    view = up_to(network, layer)
    found = []
    for row in table.itertuples():
        image = start(network.input_shape[1], row.seed, noise)
        with tf.GradientTape() as tape:
            x = tf.constant(image[None])
            tape.watch(x)
            f = Units([row.unit], [1.0])(view(x, training=False))
        slope = np.linalg.norm((image / np.linalg.norm(image.ravel(), p)) ** (p - 1))
        found.append(pull * np.linalg.norm(tape.gradient(f, x)) / slope)
    return np.array(found)


def up_to(network: keras.Model, layer: str) -> keras.Model:
    """The network from its input to the output of `layer`."""
    return keras.Model(network.inputs[0], network.get_layer(layer).output)


def check(network: keras.Model, layer: str, table: pd.DataFrame) -> None:
    """Raises ValueError for a layer, unit, sign or p (columns unit, sign, p) that does not fit `network`."""
    names = [one.name for one in network.layers]
    if layer not in names:
        raise ValueError(f"{network.name} has no layer {layer!r}; it has {', '.join(names)}")
    width = network.get_layer(layer).output.shape[-1]
    if table.empty or not table["unit"].between(0, width - 1).all():
        raise ValueError(f"{layer} has the units 0 to {width - 1}; got {table['unit'].tolist()}")
    if not table["sign"].isin([-1, 1]).all():
        raise ValueError(f"a sign is 1 (maximize) or -1 (minimize); got {table['sign'].tolist()}")
    if (table["p"] < 1).any():
        raise ValueError(f"p must be at least 1, or ||x||_p is not a norm; got {table['p'].tolist()}")
