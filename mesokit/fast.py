"""What makes the networks fast without changing their results: each trick with its reason and its number.

Settings that must be made before TensorFlow starts (its allocator, oneDNN) stand in `backend`.
"""

import functools
from collections.abc import Callable

import numpy as np

from mesokit import graphs
from mesokit.backend import keras, quietly, tf

AT_ONCE_ON_GPU = 128  # a guess: nobody has measured it yet


def on_gpu() -> bool:
    """Whether TensorFlow computes on a GPU here."""
    return bool(tf.config.list_physical_devices("GPU"))


def onednn() -> bool:
    """Whether TensorFlow computes with oneDNN: where it was built with it, and not on a GPU.

    TensorFlow has no public function for this. TF_ENABLE_ONEDNN_OPTS=0, set before the start, turns oneDNN off.
    """
    if on_gpu():
        return False
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return False
    return bool(getattr(_pywrap_util_port, "IsMklEnabled", bool)())


@functools.cache
def compiles() -> bool:
    """Whether to compile with XLA: where this build and device can, and where it is faster.

    With oneDNN it is not faster: Meso-4 trained 203 faces/s with oneDNN, 71 with XLA, and 49 with neither.
    """
    if onednn():
        return False
    with quietly():
        try:
            tf.function(lambda x: 2 * x, jit_compile=True)(tf.constant(1.0))
        except tf.errors.OpError:  # which one depends on the build
            return False
    return True


@keras.saving.register_keras_serializable("mesokit")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer with the same weights and results, but faster in training.

    Keras reads its input about twelve times a step. TensorFlow has one fused operation for the layer and one for its
    gradient. With oneDNN the fused ones are slow unless the number of channels is a multiple of 8; inception blocks
    have 11 and 12 channels, and there the same formulas with few passes are faster. Meso-4 trains 203 faces/s instead
    of 124, MesoInception-4 60 instead of 45 (two cores with AVX-512, batches of 16).
    """

    def call(self, inputs, training=None, mask=None):
        """As Keras'. https://arxiv.org/abs/1502.03167, algorithms 1 and 2."""
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        normalize = _fused if inputs.shape[-1] % 8 == 0 or not onednn() else _few_passes
        gamma, beta = (tf.cast(weight, tf.float32) for weight in (self.gamma, self.beta))  # not half, whatever x is
        y, mean, variance = normalize(inputs, gamma, beta, self.epsilon)
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return y


@keras.saving.register_keras_serializable("mesokit")
class Conv2D(keras.layers.Conv2D):
    """Keras' layer with the same weights and results, but faster with dilated kernels.

    Keras copies the pixels into smaller images before each dilated kernel and back after it; its gradients do the same.
    oneDNN needs no copies. MesoInception-4 trains 101 faces/s instead of 83 (two cores with AVX-512).
    """

    def convolution_op(self, inputs, kernel):
        """As Keras'. TensorFlow has the gradients of a dilated kernel on processors with oneDNN only."""
        if self.dilation_rate == (1, 1) or not onednn():
            return super().convolution_op(inputs, kernel)
        return tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper(), dilations=self.dilation_rate)


def _fused(x, gamma, beta, epsilon):
    """(normalized x, mean and variance of each channel), of x (n, h, w, channels)."""
    empty = tf.constant([], tf.float32)
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=gamma, offset=beta, mean=empty, variance=empty, epsilon=epsilon, is_training=True
    )
    return y, mean, variance


@tf.custom_gradient
def _few_passes(x, gamma, beta, epsilon):
    """As `_fused`, in float32."""
    places = tf.cast(tf.size(x) // tf.shape(x)[-1], x.dtype)
    mean = tf.reduce_mean(x, [0, 1, 2])
    variance = tf.maximum(tf.reduce_mean(x * x, [0, 1, 2]) - mean * mean, 0.0)  # rounding could make it negative
    inverse = tf.math.rsqrt(variance + epsilon)
    scale = gamma * inverse

    def gradient(dy, *_):
        dbeta = tf.reduce_sum(dy, [0, 1, 2])
        dgamma = inverse * (tf.reduce_sum(dy * x, [0, 1, 2]) - mean * dbeta)
        slope = -scale * inverse * dgamma / places
        return dy * scale + (x * slope - (scale * dbeta / places + slope * mean)), dgamma, dbeta, None

    return (x * scale + (beta - mean * scale), mean, variance), gradient


def openvino(network: keras.Model) -> Callable[[np.ndarray], np.ndarray] | None:
    """`network` as `graphs.scoring` computes it; None where OpenVINO is missing or its result is not that of Keras."""
    try:
        run = graphs.scoring(graph(network))
        faces = np.random.default_rng(0).random((4, *network.input_shape[1:]), np.float32)
        faces *= np.array([0.25, 0.5, 0.75, 1], np.float32)[:, None, None, None]
        same = np.allclose(run(faces), network(faces), rtol=1e-3, atol=1e-7)  # relative: p_real of noise is often tiny
    except Exception:  # not installed, or a layer without a form there: Keras gives the same numbers, only slower
        return None
    return run if same else None


def running(network: keras.Model) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """What computes `network` fastest here, from faces (n, size, size, 3), uint8 or float32 in [0, 1]; and the most n.

    OpenVINO; Keras where there is a GPU or where OpenVINO cannot.
    """

    def on_keras(faces: np.ndarray) -> np.ndarray:
        return np.asarray(network(faces.astype(np.float32) / 255 if faces.dtype == np.uint8 else faces))

    if on_gpu():
        return on_keras, AT_ONCE_ON_GPU
    return openvino(network) or on_keras, graphs.AT_ONCE


_SETTINGS = {"activation", "dilation_rate", "epsilon", "negative_slope", "offset", "padding", "pool_size", "scale"}
_SETTINGS |= {"strides"}


def graph(network: keras.Model) -> graphs.Graph:
    """The layers of `network` and a copy of their weights."""
    layers: list[graphs.Layer] = []
    for layer in network.layers:
        inputs = [] if isinstance(layer, keras.layers.InputLayer) else keras.tree.flatten(layer.input)
        before = [tensor._keras_history.operation.name for tensor in inputs]  # Keras has no public name for this
        settings = {name: value for name, value in layer.get_config().items() if name in _SETTINGS}
        layers.append((type(layer).__name__, layer.name, before, settings))
    return graphs.Graph(layers, {layer.name: layer.get_weights() for layer in network.layers}, network.input_shape)
