"""PyTorch ports of Meso-4 and MesoInception-4: their weight files, read without running code, as networks of this kit.

A .pth file is a pickle, which may name any function to be called. The reader here looks names up in a table of tensors
and dictionaries, imports nothing, and refuses every other name. A .safetensors file has no code.

A file holds tensors and their names, not what is computed with them. What public ports do, and what becomes of it:

- kernels (out, in, h, w) are (h, w, in, out) here; the first dense layer counts channels first, here last;
- convolutions without a bias get one of 0;
- batch normalization adds 1e-5 to the variance, here 1e-3: gamma makes up for it;
- one normalization used after two convolutions is copied;
- normalization before the ReLU, not after it, is found by negative means, which no ReLU gives. It goes into the kernel;
- blocks spelt `Incption` have no ReLU, and negative means again: the network then has none there, either;
- of two outputs (softmax) the difference is the logit: p_real = sigmoid(l_real - l_forged);
- pixels from -1 to 1 (`Normalize(.5, .5)`) are asked for: `centred`. So is the label of real faces: `real_label`.
"""

import io
import json
import math
import pickle
import pickletools
import re
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mesokit import models
from mesokit.backend import keras

LARGEST = 1 << 30  # bytes of a file, unpacked: these networks have 0.1 MB, and an optimizer three times that
LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the pickled number that files of PyTorch before 1.6 begin with
_EPSILON = 1e-5  # of BatchNorm2d
_TYPES = {"Float": "f4", "Double": "f8", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1",
          "Byte": "u1", "Bool": "?", "BFloat16": "bf"}  # fmt: skip
_SAFE = {"F32": "f4", "F64": "f8", "F16": "f2", "BF16": "bf", "I64": "i8", "I32": "i4", "U8": "u1", "BOOL": "?"}
_PARTS = ("1x1", "3x3_reduce", "3x3", "dilated2_reduce", "dilated2", "dilated3_reduce", "dilated3")
_TAIL = ("conv3", "conv4")
_CONVS = {
    "meso4": ("conv1", "conv2", *_TAIL),
    "meso_inception4": (*(f"block{i}_{part}" for i in (1, 2) for part in _PARTS), *_TAIL),
}
_Module = dict[str, np.ndarray]  # the tensors of one layer, by what they are: weight, bias, running_mean, running_var


class _Tensor(NamedTuple):
    """A tensor as a pickle describes it: the key and the type of its storage, and its place in there."""

    storage: tuple[str, str]
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(size), tuple(stride))


_NAMES: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
    **{f"torch.{name}Storage": kind for name, kind in _TYPES.items()},
}


class _Unpickler(pickle.Unpickler):
    """Reads tensors, dictionaries, lists, numbers and text; any other name ends the reading."""

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _NAMES:
            way = "it names code, which is never run; save model.state_dict() alone, with torch.save"
            raise _RefusedError(f"it holds more than tensors ({module}.{name}): {way}")
        return _NAMES[f"{module}.{name}"]

    def persistent_load(self, pid: Any) -> tuple[str, str]:
        return str(pid[2]), pid[1]


class _RefusedError(ValueError):
    """A file that is not damaged but cannot be used; the message is the reason."""


def is_torch(path: Path) -> bool:
    """Whether a file is of PyTorch or a .safetensors file, by its content."""
    with path.open("rb") as file:
        head = file.read(len(LEGACY))
    if head == LEGACY:
        return True
    if head[8:9] == b"{" and 2 < int.from_bytes(head[:8], "little") < path.stat().st_size:
        return True
    return zipfile.is_zipfile(path) and _pickle_in(path) is not None


def _pickle_in(path: Path) -> str | None:
    with zipfile.ZipFile(path) as archive:
        return next((name for name in archive.namelist() if re.fullmatch(r"(.*/)?data\.pkl", name)), None)


def load(path: Path, real_label: int | None = None, centred: bool = False) -> keras.Model:
    """The network of a PyTorch file, called meso4 or meso_inception4; "..._port" where it has other layers than these.

    real_label: of real faces in training, 0 or 1. With it None, 1 is taken and a warning says so, as long as there is
    one output. centred: pixels went from -1 to 1 in training, not from 0 to 1.
    Raises ValueError with the reason where a file is damaged, names code, or holds another network.
    """
    try:
        return _converted(_modules(_tensors(path)), path, real_label, centred)
    except _RefusedError as error:
        raise ValueError(f"{path}: a PyTorch file, but {error}") from None
    except (pickle.UnpicklingError, zipfile.BadZipFile, ArithmeticError, LookupError, TypeError, ValueError,
            AttributeError, EOFError, MemoryError, NotImplementedError) as error:  # fmt: skip
        raise ValueError(f"{path}: a damaged PyTorch file ({type(error).__name__}); get it again") from error


def _tensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a model by their names, in float64."""
    if path.stat().st_size > LARGEST:
        raise _RefusedError(f"it is larger than {LARGEST >> 20} MB, and no network of this kit is so large")
    data = path.read_bytes()
    if data.startswith(LEGACY):
        found, raw, order = _of_old(io.BytesIO(data))
    elif data.startswith(b"PK"):
        found, raw, order = _of_zip(path)
    else:
        return _of_safetensors(data)
    inner = [found, *(found.values() if isinstance(found, dict) else ())]  # of a checkpoint one entry is the model
    states = [one for one in inner if isinstance(one, dict) and any(isinstance(v, _Tensor) for v in one.values())]
    if not states:
        raise _RefusedError("there are no tensors in it; save model.state_dict() with torch.save")
    tensors = {str(name): one for name, one in states[0].items() if isinstance(one, _Tensor)}
    return {name: _array(one, raw[one.storage[0]], order) for name, one in tensors.items()}


def _of_zip(path: Path) -> tuple[Any, dict[str, bytes], str]:
    """What a file of PyTorch 1.6 or later holds, the bytes of its storages, and their order."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST:
            raise _RefusedError(f"it unpacks to more than {LARGEST >> 20} MB, and no network of this kit is so large")
        name = _pickle_in(path) or ""
        folder = name.removesuffix("data.pkl")
        found = _unpickled(io.BytesIO(archive.read(name)))
        names = [one for one in archive.namelist() if one.startswith(f"{folder}data/")]
        big = f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") == b"big"
        return found, {one.removeprefix(f"{folder}data/"): archive.read(one) for one in names}, ">" if big else "<"


def _of_old(file: io.BytesIO) -> tuple[Any, dict[str, bytes], str]:
    """The same of a file of PyTorch before 1.6: pickles one after the other, then the storages."""
    _, _, system, found, keys = (_unpickled(file) for _ in range(5))
    kinds = {tensor.storage[0]: tensor.storage[1] for tensor in _all_tensors(found)}
    order, raw = "<" if system["little_endian"] else ">", {}
    for key in keys:
        numbers = int.from_bytes(file.read(8), "little" if order == "<" else "big")
        raw[key] = file.read(numbers * _size(kinds.get(key, "u1")))
    return found, raw, order


def _all_tensors(found: Any, depth: int = 6) -> list[_Tensor]:
    if isinstance(found, _Tensor):
        return [found]
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list | tuple) else ()
    return [tensor for one in inner for tensor in _all_tensors(one, depth - 1)] if depth else []


def _unpickled(file: io.BytesIO) -> Any:
    start, end = file.tell(), file.seek(0, io.SEEK_END)
    file.seek(start)
    for opcode, argument, _ in pickletools.genops(file):
        # Unpickler reserves as much memory as this number says.
        if opcode.name == "LONG_BINPUT" and isinstance(argument, int) and argument > end:
            raise _RefusedError("it is damaged, or made to fill the memory; get it again")
    file.seek(start)
    return _Unpickler(file).load()


def _size(kind: str) -> int:
    return 2 if kind == "bf" else np.dtype(kind).itemsize


def _array(tensor: _Tensor, raw: bytes, order: str) -> np.ndarray:
    """The numbers of a tensor, in float64."""
    kind, each = tensor.storage[1], _size(tensor.storage[1])
    if math.prod(tensor.size) * each > len(raw):  # a stride of 0 repeats numbers, so that a small file fills the memory
        raise _RefusedError("a tensor in it is larger than the bytes that belong to it; get it again")
    steps = [step * each for step in tensor.stride]
    dtype = order + ("u2" if kind == "bf" else kind)
    return _widened(np.ndarray(tensor.size, dtype, raw, tensor.offset * each, steps), kind)


def _widened(found: np.ndarray, kind: str) -> np.ndarray:
    """Numbers of any type in float64; bfloat16 is the upper half of float32."""
    return ((found.astype("u4") << 16).view("f4") if kind == "bf" else found).astype(float)


def _of_safetensors(data: bytes) -> dict[str, np.ndarray]:
    start, found = 8 + int.from_bytes(data[:8], "little"), {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__":
            if entry["dtype"] not in _SAFE:
                raise _RefusedError(f"its tensor {name} is of type {entry['dtype']}; save it as float32")
            kind, (first, last) = _SAFE[entry["dtype"]], entry["data_offsets"]
            numbers = np.frombuffer(data[start + first : start + last], "<u2" if kind == "bf" else f"<{kind}")
            found[name] = _widened(numbers, kind).reshape(entry["shape"])
    return found


def _modules(tensors: dict[str, np.ndarray]) -> dict[str, _Module]:
    """The tensors of each layer, by its name: blocks of inception first, then in order of the numbers in the names."""
    modules: dict[str, _Module] = {}
    for name, values in tensors.items():
        layer, _, what = name.rpartition(".")
        modules.setdefault(layer, {})[what] = values

    def place(name: str) -> tuple[bool, list[Any]]:
        return "inc" not in name.lower(), [int(t) if t.isdigit() else t for t in re.split(r"(\d+)", name)]

    return {name: modules[name] for name in sorted(modules, key=place)}


def _converted(modules: dict[str, _Module], path: Path, real_label: int | None, centred: bool) -> keras.Model:
    norms = [one for one in modules.values() if "running_mean" in one]
    convs, dense = ([one for one in modules.values() if one.get("weight", np.empty(0)).ndim == n] for n in (4, 2))
    name = next((name for name, names in _CONVS.items() if len(names) == len(convs)), None)
    if name is None or len(dense) != 2 or len(norms) + len(convs) + len(dense) != len(modules):
        kinds = f"{len(convs)} convolutions, {len(dense)} dense layers and {len(norms)} normalizations"
        raise _RefusedError(f"its {len(modules)} layers ({kinds}) are not those of {' or '.join(_CONVS)}")
    side = math.isqrt(dense[0]["weight"].shape[1] // 16)
    if dense[0]["weight"].shape != (16, 16 * side * side) or side not in (1, 2, 4, 8, 16):
        # Padded poolings give a side of 9 or 10 from 256 pixels: the same weights, another network.
        raise _RefusedError(f"its first dense layer is {dense[0]['weight'].shape}, not (16, 1024) as at 256 pixels")
    network = models.NETWORKS[name](size=32 * side)
    norms = _one_each(norms, network)
    linear, first = _order(name, [*modules], norms)
    for layer, module in zip(_CONVS[name], convs, strict=True):
        norm = norms[int(layer[-1]) - 1] if layer in first else None
        minus = centred and layer.startswith("block1") and module["weight"].shape[1] == 3
        _set(network, layer, _kernel(module, norm, minus))
    for i, norm in enumerate(norms, 1):
        mean, variance = norm["running_mean"], norm["running_var"]
        scale, shift = (_affine(norm)[0], norm.get("bias", 0 * mean))
        if f"conv{i}" in first:  # it is in the kernel
            scale, shift, mean, variance = 0 * mean + 1, 0 * mean, 0 * mean, 0 * mean + 1
        gamma = scale * np.sqrt(variance + network.get_layer(f"norm{i}").epsilon)
        _set(network, f"norm{i}", [gamma, shift, mean, variance])
    hidden = dense[0]["weight"].reshape(16, 16, side, side).transpose(2, 3, 1, 0).reshape(-1, 16)
    _set(network, "hidden", [hidden, dense[0].get("bias", np.zeros(16))])
    _set(network, "logit", _logit(dense[1], path, real_label))
    return _with_other_layers(network, linear, centred and name == "meso4")


def _set(network: keras.Model, layer: str, arrays: list[np.ndarray]) -> None:
    """Give a layer its arrays, or refuse the file with what is in the way."""
    for array, weight in zip(arrays, network.get_layer(layer).weights, strict=True):
        if array.shape != tuple(weight.shape):
            raise _RefusedError(f"the {weight.name} of its {layer} is {array.shape}, not {tuple(weight.shape)}")
    network.get_layer(layer).set_weights(arrays)


def _one_each(norms: list[_Module], network: keras.Model) -> list[_Module]:
    """A normalization for each of the four of `network`; one that two share is there twice."""
    found, left = [], list(norms)
    for i in range(1, 5):
        channels = network.get_layer(f"norm{i}").gamma.shape[0]
        fitting = [one for one in norms if len(one["running_mean"]) == channels]
        own = [one for one in fitting if any(one is other for other in left)]
        if not fitting or (not own and len(fitting) > 1):
            raise _RefusedError(f"it has no normalization of {channels} channels for {network.name}'s norm{i}")
        found.append((own or fitting)[0])
        left = [one for one in left if one is not found[-1]]
    return found


def _order(name: str, layers: list[str], norms: list[_Module]) -> tuple[bool, set[str]]:
    """Whether inception blocks have no ReLU, and the convolutions whose normalization comes before their ReLU."""

    def negative(some: list[_Module]) -> bool:
        return any((norm["running_mean"] < 0).any() for norm in some)

    blocks, tail = ([], norms) if name == "meso4" else (norms[:2], norms[2:])
    spelt = any("incption" in layer.lower() for layer in layers)
    linear = negative(blocks) or (spelt and not any(norm["running_mean"].any() for norm in blocks))
    shared = len({id(norm) for norm in tail}) < len(tail)
    if negative(tail) and (shared or any(re.search(r"inception1\.conv7$", layer) for layer in layers)):
        raise _RefusedError("the means in its last normalizations are negative, so no ReLU comes before them")
    if linear and not spelt:
        raise _RefusedError("the means in the normalizations of its blocks are negative, so their ReLU are elsewhere")
    return linear, {conv for conv in _CONVS[name] if conv.startswith("conv")} if negative(tail) else set()


def _affine(norm: _Module) -> tuple[np.ndarray, np.ndarray]:
    """A batch normalization as one scale and one shift for each channel."""
    mean = norm["running_mean"]
    scale = norm.get("weight", 0 * mean + 1) / np.sqrt(norm["running_var"] + _EPSILON)
    return scale, norm.get("bias", 0 * mean) - mean * scale


def _kernel(module: _Module, norm: _Module | None, minus: bool) -> list[np.ndarray]:
    """Kernel and bias for Keras. `norm`: comes before the ReLU; `minus`: for pixels x where the port has 2 x - 1."""
    kernel = module["weight"].transpose(2, 3, 1, 0)
    bias = module.get("bias", np.zeros(kernel.shape[-1]))
    if norm is not None:
        scale, shift = _affine(norm)
        kernel, bias = kernel * scale, bias * scale + shift
    return [2 * kernel, bias - kernel.sum((0, 1, 2))] if minus else [kernel, bias]


def _logit(module: _Module, path: Path, real_label: int | None) -> list[np.ndarray]:
    """The weights of the logit, positive for real."""
    kernel = module["weight"].T
    bias = module.get("bias", np.zeros(kernel.shape[1]))
    way = "--real-label 1 if real faces had the label 1 in training (folders df, real), else 0; in Python real_label="
    if kernel.shape[1] == 2 and real_label is not None:
        return [column[..., real_label, None] - column[..., 1 - real_label, None] for column in (kernel, bias)]
    if kernel.shape[1] == 2:
        raise _RefusedError(f"it does not tell which of its two outputs is for real; say it with {way}")
    if real_label is None:
        taken = "its output is taken for p_real, of pixels from 0 to 1. If that is wrong, say it with"
        warnings.warn(f"{path}: {taken} {way}, and --centred for pixels from -1 to 1", stacklevel=2)
    return [-kernel, -bias] if real_label == 0 else [kernel, bias]


def _with_other_layers(network: keras.Model, linear: bool, centred: bool) -> keras.Model:
    """`network` without ReLU in its blocks, or with a layer in front that centres pixels; the same if neither."""
    if not (linear or centred):
        return network
    for layer in network.layers if linear else ():
        if layer.name.startswith("block") and hasattr(layer, "activation"):
            layer.activation = keras.activations.linear
    inputs, outputs = network.inputs[0], network.outputs[0]
    if centred:  # not in the kernel: around the picture it sees zeros, which are gray here and black there
        inputs = keras.Input(network.input_shape[1:], name="face")
        outputs = keras.layers.Rescaling(2.0, -1.0, name="centre")(inputs)
        for layer in network.layers[1:]:  # Meso-4 is a chain
            copy = type(layer).from_config(layer.get_config())
            outputs = copy(outputs)
            copy.set_weights(layer.get_weights())
    return keras.Model(inputs, outputs, name=f"{network.name}_port")
