"""What makes the networks fast without changing their results: each trick with its reason and its number.

Settings that must be made before TensorFlow starts (its allocator, oneDNN) stand in `backend`.
"""

import functools
from collections.abc import Callable

import numpy as np

from mesokit.backend import keras, quietly, tf

AT_ONCE = 4  # faces that OpenVINO scores at once: as fast as 16 on two cores, and needs less memory
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
    """`network` on OpenVINO, at most AT_ONCE faces (n, size, size, 3) -> (n, 1); None where OpenVINO is missing.

    Pixels are uint8, or float32 in [0, 1]. The conversion goes through ONNX, because OpenVINO's own converter of
    TensorFlow models reports its use to Intel.
    """
    try:
        import openvino.preprocess
        import tf2onnx  # slow to import, and only needed here

        signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="face")]
        model, _ = tf2onnx.convert.from_function(_joining_late(network), signature)
        core, frozen = openvino.Core(), model.SerializeToString()
        # OpenVINO's default on newer processors is bfloat16, which has 8 significant bits
        settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}

        @functools.cache
        def compiled(pixels: str) -> openvino.CompiledModel:
            steps = openvino.preprocess.PrePostProcessor(core.read_model(frozen))
            if pixels == "uint8":
                steps.input().tensor().set_element_type(openvino.Type.u8)
                steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
            built = steps.build()
            built.reshape([AT_ONCE, *network.input_shape[1:]])  # a fixed size makes MesoInception-4 a quarter faster
            return core.compile_model(built, "CPU", settings)

        compiled("uint8")
    except Exception:  # not installed, or any failure of the converter: Keras gives the same numbers, only slower
        return None

    def run(faces: np.ndarray) -> np.ndarray:
        filled = np.pad(faces, [(0, AT_ONCE - len(faces)), (0, 0), (0, 0), (0, 0)])
        return compiled(faces.dtype.name).create_infer_request().infer([filled])[0][: len(faces)]

    return run


def _joining_late(network: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """The function of `network`, with the branches of an inception block joined after their pooling.

    Normalization and pooling work channel by channel, so the result is the same. OpenVINO's concatenation is slow, and
    after the pooling it has a quarter of the pixels: MesoInception-4 scores 523 faces/s instead of 407.
    """
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    affine = {layer.name: _affine(layer) for layer in norms}

    def forward(face):
        values = {id(network.inputs[0]): [face]}  # each tensor of the network, as pieces along its channels

        def joined(tensor):
            pieces = values[id(tensor)]
            return pieces[0] if len(pieces) == 1 else tf.concat(pieces, -1)

        for layer in network.layers[1:]:
            pieces = [piece for tensor in keras.tree.flatten(layer.input) for piece in values[id(tensor)]]
            if isinstance(layer, keras.layers.Concatenate) and layer.axis in (-1, 3):
                result = pieces
            elif isinstance(layer, keras.layers.MaxPooling2D):
                result = [layer(piece) for piece in pieces]
            elif layer.name in affine and len(pieces) > 1:
                channels = np.cumsum([piece.shape[-1] for piece in pieces])[:-1]
                weights = zip(*(np.split(each, channels) for each in affine[layer.name]), strict=True)
                result = [piece * scale + shift for piece, (scale, shift) in zip(pieces, weights, strict=True)]
            else:
                result = [layer(keras.tree.map_structure(joined, layer.input), training=False)]
            values[id(layer.output)] = result
        return joined(network.outputs[0])

    return tf.function(forward)


def _affine(norm: keras.layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """A trained batch normalization as one scale and one shift for each channel."""
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale, beta - mean * scale
