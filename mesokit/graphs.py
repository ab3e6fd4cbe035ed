"""Networks on OpenVINO without TensorFlow: built layer by layer from a list of the layers and their arrays.

Building takes a twentieth of a second, so nothing is converted and nothing kept on disk. `weights.graph` reads the list
and the arrays of Meso-4 and MesoInception-4 without Keras; `fast.graph` takes those of any network from Keras.
"""

import functools
import importlib.util
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class _Late:
    """A module that is imported when its first name is used: `mesokit scan` lets a decoder start before that."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


openvino, op = _Late("openvino"), _Late("openvino.opset15")

# One call on all cores, or as many calls side by side as there are cores.
ALL_CORES = {"PERFORMANCE_HINT": "LATENCY"}
SIDE_BY_SIDE = {"NUM_STREAMS": os.cpu_count(), "INFERENCE_NUM_THREADS": os.cpu_count()}
AT_ONCE = 4  # faces that are scored at once: as fast as 16 on two cores, and needs less memory
Layer = tuple[str, str, list[str], dict[str, Any]]  # Keras' class, name, the layers before it, Keras' settings
Run = Callable[[np.ndarray], list[np.ndarray]]


class Graph(NamedTuple):
    """A network that can be computed without Keras."""

    layers: list[Layer]  # in the order of computation; the first one is the input
    arrays: dict[str, list[np.ndarray]]  # by the name of the layer
    input_shape: tuple[Any, ...]  # as of a Keras model: (None, size, size, 3)


def available() -> bool:
    """Whether OpenVINO is installed; without it, Keras computes the same numbers."""
    return importlib.util.find_spec("openvino") is not None


@functools.cache
def _core() -> Any:
    return openvino.Core()


def compiled(outputs: list[Any], inputs: list[Any], cores: dict[str, Any]) -> Run:
    """The function from `inputs` to `outputs`, which several threads may call at once.

    cores: ALL_CORES for one caller and large networks; SIDE_BY_SIDE for small ones, which more cores make no faster.
    """
    exact = {"INFERENCE_PRECISION_HINT": "f32"}  # the default on newer processors has 8 significant bits (bfloat16)
    model = _core().compile_model(openvino.Model(outputs, inputs), "CPU", exact | cores)
    of_thread = threading.local()

    def run(array: np.ndarray) -> list[np.ndarray]:
        if not hasattr(of_thread, "request"):
            of_thread.request = model.create_infer_request()
        # `request.infer([array])` does the same and costs .1 ms more, of which a small P-Net takes .2 in all.
        of_thread.request.set_input_tensor(openvino.Tensor(np.ascontiguousarray(array), shared_memory=True))
        of_thread.request.start_async()
        of_thread.request.wait()
        return [tensor.data.copy() for tensor in of_thread.request.output_tensors]

    return run


def scoring(graph: Graph) -> Callable[[np.ndarray], np.ndarray]:
    """The function of `graph`: at most AT_ONCE faces (n, size, size, 3), uint8 or float32 in [0, 1] -> (n, 1) float32.

    The first call raises KeyError for a layer or a setting that has no form here.
    """
    built = functools.cache(functools.partial(_built, graph))

    def run(faces: np.ndarray) -> np.ndarray:
        filled = np.pad(faces, [(0, AT_ONCE - len(faces)), (0, 0), (0, 0), (0, 0)])
        return built(faces.dtype.name)(filled)[0][: len(faces)]

    return run


def _built(graph: Graph, pixels: str) -> Run:
    """`graph` for AT_ONCE faces: a fixed number makes MesoInception-4 a quarter faster."""
    face = op.parameter([AT_ONCE, *graph.input_shape[1:]], np.dtype(pixels))
    x = channels_first(op.convert(face, "f32"))
    values: dict[str, list[Any]] = {}  # of each layer, in pieces along the channels
    for kind, name, before, how in graph.layers:
        pieces = [piece for one in before for piece in values[one]]
        arrays = graph.arrays.get(name, [])
        if kind == "InputLayer":
            values[name] = [op.divide(x, _number(255)) if pixels == "uint8" else x]
        elif kind == "Concatenate":
            # Normalization and pooling work channel by channel, so the pieces are joined behind them: the result is the
            # same. OpenVINO's concatenation is slow, and behind the pooling it has a quarter of the pixels.
            # MesoInception-4 scores 523 faces/s instead of 407.
            values[name] = pieces
        elif kind == "MaxPooling2D":
            values[name] = [max_pool(piece, how["pool_size"], how["strides"], how["padding"]) for piece in pieces]
        elif kind == "BatchNormalization":
            ends = np.cumsum([piece.get_output_partial_shape(0)[1].get_length() for piece in pieces])[:-1]
            scales, shifts = (np.split(one, ends) for one in _affine(arrays, how["epsilon"]))
            values[name] = [
                op.add(op.multiply(piece, _along(scale)), _along(shift))
                for piece, scale, shift in zip(pieces, scales, shifts, strict=True)
            ]
        elif kind == "Add":
            values[name] = [functools.reduce(op.add, pieces)]
        else:
            whole = pieces[0] if len(pieces) == 1 else op.concat(pieces, 1)
            values[name] = [_ACTIVATIONS[how.get("activation", "linear")](_LAYERS[kind](whole, arrays, how))]
    return compiled(values[graph.layers[-1][1]], [face], ALL_CORES)


def _affine(arrays: list[np.ndarray], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """A trained batch normalization as one scale and one shift for each channel."""
    gamma, beta, mean, variance = arrays
    scale = gamma / np.sqrt(variance + np.float32(epsilon))
    return scale, beta - mean * scale


def _number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


def _along(channels: np.ndarray) -> np.ndarray:
    """Numbers of channels, for (n, channels, h, w)."""
    return channels.reshape(1, -1, 1, 1)


def channels_first(x: Any) -> Any:
    """(n, h, w, channels) -> (n, channels, h, w)."""
    return op.transpose(x, np.array([0, 3, 1, 2]))


def channels_last(x: Any) -> Any:
    """(n, channels, h, w) -> (n, h, w, channels)."""
    return op.transpose(x, np.array([0, 2, 3, 1]))


def conv(x: Any, kernel: np.ndarray, bias: np.ndarray | None = None, **how: Any) -> Any:
    """A convolution with Keras' kernel (h, w, in, out) and settings; by default of stride 1 and without padding."""
    y = op.convolution(x, np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), *_options(**how))
    return y if bias is None else op.add(y, _along(bias))


def _options(strides: Any = (1, 1), dilation_rate: Any = (1, 1), padding: str = "valid", **_: Any) -> tuple[Any, ...]:
    return [*strides], [0, 0], [0, 0], [*dilation_rate], _PADDING[padding]


def _separable(x: Any, kernel: np.ndarray, *pointwise: np.ndarray, **how: Any) -> Any:
    """Keras' SeparableConv2D with a depth multiplier of 1; the first kernel is (h, w, channels, 1)."""
    each = np.ascontiguousarray(kernel.transpose(2, 3, 0, 1)[:, :, None])
    return conv(op.group_convolution(x, each, *_options(**how)), *pointwise)


def max_pool(x: Any, size: Any, strides: Any, padding: str) -> Any:
    """Keras' MaxPooling2D of (n, channels, h, w)."""
    return op.max_pool(x, [*strides], [1, 1], [0, 0], [0, 0], [*size], auto_pad=_PADDING[padding]).output(0)


def dense(x: Any, kernel: np.ndarray, bias: np.ndarray) -> Any:
    """Keras' Dense of (n, in) with its kernel (in, out)."""
    return op.add(op.matmul(x, kernel, False, False), bias[None])


def prelu(x: Any, slope: np.ndarray) -> Any:
    """Keras' PReLU with one slope for each channel."""
    return op.prelu(x, slope.ravel())


def flat(x: Any, axes: tuple[int, ...] = (0, 2, 3, 1)) -> Any:
    """(n, channels, h, w) -> (n, numbers), with the axes in this order: by default that of Keras' Flatten."""
    return op.reshape(op.transpose(x, np.array(axes)), np.array([0, -1]), True)


_PADDING = {"same": "same_upper", "valid": "valid"}
_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda x: x,
    "relu": lambda x: op.relu(x),
    "sigmoid": lambda x: op.sigmoid(x),
}
_LAYERS: dict[str, Callable[[Any, list[np.ndarray], dict[str, Any]], Any]] = {
    "Activation": lambda x, arrays, how: x,  # only what `_ACTIVATIONS` does
    "AveragePooling2D": lambda x, arrays, how: op.avg_pool(
        x, how["strides"], [0, 0], [0, 0], how["pool_size"], True, auto_pad=_PADDING[how["padding"]]
    ),
    "Conv2D": lambda x, arrays, how: conv(x, *arrays, **how),
    "Dense": lambda x, arrays, how: dense(x, *arrays),
    "Dropout": lambda x, arrays, how: x,
    "Flatten": lambda x, arrays, how: flat(x),
    "GlobalAveragePooling2D": lambda x, arrays, how: op.reduce_mean(x, np.array([2, 3]), False),
    "LeakyReLU": lambda x, arrays, how: op.prelu(x, _number(how["negative_slope"]).reshape(1)),
    "Rescaling": lambda x, arrays, how: op.add(op.multiply(x, _number(how["scale"])), _number(how["offset"])),
    "SeparableConv2D": lambda x, arrays, how: _separable(x, *arrays, **how),
}
