"""The networks of Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network" (WIFS 2018).

Input: (n, size, size, 3) float32 RGB in [0, 1]. Output: (n, 1) float32, the score p_real in [0, 1] (real = 1).
Notebooks use the names of the layers: conv1.. or block1.. (the output of a block after its ReLU), norm1.., pool1..,
hidden, hidden_leaky (the 16 hidden neurons), logit and p_real. Xception, which the paper compares with, has the same
input, logit and p_real; its other layers are called as in keras.applications.

`Conv2D` and `BatchNormalization` are Keras' layers, computed faster (`fast`).
"""

import math
from collections.abc import Callable

from mesokit.backend import keras
from mesokit.fast import BatchNormalization, Conv2D

layers = keras.layers

SIZE = 256  # the paper's input, pixels a side
SEEDS = 100  # seeds reserved for one network: each layer has its own, so two networks share none


def _conv(x, filters: int, kernel: int, seed: int, name: str, dilation: int = 1):
    return Conv2D(
        filters,
        kernel,
        dilation_rate=dilation,
        padding="same",
        activation="relu",
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        name=name,
    )(x)


def _inception(x, a: int, b: int, c: int, d: int, seed: int, name: str):
    """Paper, figure 5: four parallel branches; dilated 3x3 kernels stand for the 5x5 and 7x7 of the usual inception."""
    one = _conv(x, a, 1, seed, f"{name}_1x1")
    two = _conv(_conv(x, b, 1, seed + 1, f"{name}_3x3_reduce"), b, 3, seed + 2, f"{name}_3x3")
    three = _conv(_conv(x, c, 1, seed + 3, f"{name}_dilated2_reduce"), c, 3, seed + 4, f"{name}_dilated2", 2)
    four = _conv(_conv(x, d, 1, seed + 5, f"{name}_dilated3_reduce"), d, 3, seed + 6, f"{name}_dilated3", 3)
    return layers.Concatenate(name=name)([one, two, three, four])


def _norm_pool(x, number: int, pool: int):
    x = BatchNormalization(name=f"norm{number}")(x)
    return layers.MaxPooling2D(pool, padding="same", name=f"pool{number}")(x)


def _tail(inputs, x, seed: int, name: str) -> keras.Model:
    """The last two convolutions and the classifier, which both networks share."""
    x = _norm_pool(_conv(x, 16, 5, seed + 1, "conv3"), 3, 2)
    x = _norm_pool(_conv(x, 16, 5, seed + 2, "conv4"), 4, 4)
    x = layers.Dropout(0.5, seed=seed + 3, name="dropout1")(layers.Flatten(name="flatten")(x))
    x = layers.Dense(16, kernel_initializer=keras.initializers.GlorotUniform(seed + 4), name="hidden")(x)
    x = layers.LeakyReLU(negative_slope=0.1, name="hidden_leaky")(x)
    x = layers.Dropout(0.5, seed=seed + 5, name="dropout2")(x)
    x = layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed + 6), name="logit")(x)
    outputs = layers.Activation("sigmoid", name="p_real")(x)
    return keras.Model(inputs, outputs, name=name)


def meso4(size: int = SIZE, seed: int = 0) -> keras.Model:
    """Meso-4: four convolutions, 27,977 trainable parameters at 256 pixels (28,073 with the moving statistics).

    `size`: pixels a side, at least 32. `seed`: of the initial weights and the dropout.
    """
    first = SEEDS * seed
    inputs = keras.Input((size, size, 3), name="face")
    x = _norm_pool(_conv(inputs, 8, 3, first, "conv1"), 1, 2)
    x = _norm_pool(_conv(x, 8, 5, first + 10, "conv2"), 2, 2)
    return _tail(inputs, x, first + 20, "meso4")


def meso_inception4(size: int = SIZE, seed: int = 0) -> keras.Model:
    """MesoInception-4: Meso-4 with two inception blocks in front, 28,615 trainable parameters at 256 pixels (28,725).

    `size`: pixels a side, at least 32. `seed`: of the initial weights and the dropout.
    """
    first = SEEDS * seed
    inputs = keras.Input((size, size, 3), name="face")
    x = _norm_pool(_inception(inputs, 1, 4, 4, 2, first, "block1"), 1, 2)
    x = _norm_pool(_inception(x, 2, 4, 4, 2, first + 10, "block2"), 2, 2)
    return _tail(inputs, x, first + 20, "meso_inception4")


def xception(size: int = SIZE, seed: int = 0, shrink: int = 1) -> keras.Model:
    """Xception (Chollet 2017) with one output, untrained: 20,809,001 trainable parameters of 20,863,529, at any size.

    `size`: pixels a side, at least 32 (the paper's comparison does not say; ImageNet's Xception takes 299). `seed`: of
    the initial weights. `shrink`: the network sees means of blocks of so many pixels a side; 2 costs a quarter of 1.
    Pixels in [0, 1] are brought to Xception's own [-1, 1] inside.
    """
    inputs = keras.Input((size, size, 3), name="face")
    x = layers.Rescaling(2.0, -1.0, name="rescale")(inputs)  # keras.applications.xception.preprocess_input
    x = layers.AveragePooling2D(shrink, name="shrink")(x) if shrink > 1 else x
    base = keras.applications.Xception(include_top=False, weights=None, input_tensor=x, pooling="avg")
    x = layers.Dense(1, name="logit")(base.output)
    network = keras.Model(inputs, layers.Activation("sigmoid", name="p_real")(x), name="xception")
    kernels = [weight for weight in network.weights if "kernel" in weight.name]
    for i, kernel in enumerate(kernels):  # keras.applications takes no seed
        kernel.assign(keras.initializers.GlorotUniform(SEEDS * seed + i)(kernel.shape))
    return network


NETWORKS: dict[str, Callable[..., keras.Model]] = {
    "meso4": meso4,
    "meso_inception4": meso_inception4,
    "xception": xception,
}


def multiply_adds(network: keras.Model) -> int:
    """Multiplications with a weight that `network` does for one face: of its convolutions and dense layers.

    Each kernel is applied at each place of its layer's output. Batch normalization and pooling are not counted.
    """
    total = 0
    for layer in network.layers:
        kernels = [weight.shape for weight in layer.weights if "kernel" in weight.name]
        if kernels:
            total += math.prod(layer.output.shape[1:-1]) * sum(math.prod(shape) for shape in kernels)
    return total


def logits(network: keras.Model) -> keras.Model:
    """The same network with the same weights, without the last sigmoid: (n, 1) log-odds of being real.

    On real faces the float32 sigmoid often is exactly 1 and its gradient exactly 0, so explanations need the logit.
    """
    return keras.Model(network.inputs[0], network.get_layer("logit").output, name=f"{network.name}_logit")


def activations(network: keras.Model, *names: str) -> keras.Model:
    """A view of `network` that returns the outputs of the named layers, in that order, as a list."""
    known = [layer.name for layer in network.layers]
    for name in names:
        if name not in known:
            raise ValueError(f"{network.name} has no layer {name!r}; it has {', '.join(known)}")
    return keras.Model(network.inputs[0], [network.get_layer(name).output for name in names])
