"""From faces to scores, fast."""

import functools
import os
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from mesokit import dataset, weights
from mesokit.backend import keras, tf

Score = Callable[[np.ndarray], np.ndarray]

AT_ONCE = 4  # faces: as fast as 16 on two cores, and needs less memory


def scorer(network: keras.Model) -> Score:
    """A fast function from faces (n, size, size, 3), uint8 or float in [0, 1], to p_real (n,) float32.

    It holds the weights of now: make a new one after training. Runs on OpenVINO, equal to Keras to 1e-5; falls back on
    Keras where that is missing. Raises ValueError for other pixels.
    """
    size = network.input_shape[1]
    run = openvino(network) or (lambda batch: np.asarray(network(_unit_range(batch))))

    def score(images: np.ndarray) -> np.ndarray:
        faces = _checked(np.asarray(images), size)
        parts = [run(faces[i : i + AT_ONCE])[:, 0] for i in range(0, len(faces), AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    return score


def openvino(network: keras.Model) -> Callable[[np.ndarray], np.ndarray] | None:
    """`network` on OpenVINO, at most AT_ONCE faces (n, size, size, 3) -> (n, 1); None where OpenVINO is missing.

    Pixels are uint8, or float32 in [0, 1]. By way of ONNX: OpenVINO's own converter of TensorFlow models reports its
    use to Intel.
    """
    try:
        import openvino.preprocess
        import tf2onnx  # slow to import, and only needed here

        signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="face")]
        model, _ = tf2onnx.convert.from_function(_joining_late(network), signature)
        core, frozen = openvino.Core(), model.SerializeToString()
        # its default on newer processors is bfloat16, whose numbers have 8 bits
        settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}

        @functools.cache
        def compiled(pixels: str) -> openvino.CompiledModel:
            steps = openvino.preprocess.PrePostProcessor(core.read_model(frozen))
            if pixels == "uint8":
                steps.input().tensor().set_element_type(openvino.Type.u8)
                steps.input().preprocess().convert_element_type(openvino.Type.f32).scale(255.0)
            built = steps.build()
            built.reshape([AT_ONCE, *network.input_shape[1:]])  # of a known size: MesoInception-4 is a quarter faster
            return core.compile_model(built, "CPU", settings)

        compiled("uint8")
    except Exception:  # not installed, or any failure of the converter: Keras gives the same numbers, only slower
        return None

    def run(faces: np.ndarray) -> np.ndarray:
        filled = np.pad(faces, [(0, AT_ONCE - len(faces)), (0, 0), (0, 0), (0, 0)])
        return compiled(faces.dtype.name).create_infer_request().infer([filled])[0][: len(faces)]

    return run


def _joining_late(network: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    """What `network` computes, with the branches of an inception block joined after their pooling.

    Normalization and pooling treat each channel alone, so the result is the same. OpenVINO's concatenation is slow, and
    a quarter of the pixels are left for it: MesoInception-4 scores 523 faces/s instead of 407.
    """
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    affine = {layer.name: _affine(layer) for layer in norms}

    def forward(face):
        values = {id(network.inputs[0]): [face]}  # of each tensor of the network, in pieces along its channels

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
    """Scale and shift of each channel that a trained batch normalization comes to."""
    gamma, beta, mean, variance = norm.get_weights()
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale, beta - mean * scale


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


def _unit_range(faces: np.ndarray) -> np.ndarray:
    return faces.astype(np.float32) / 255 if faces.dtype == np.uint8 else faces


def score_faces(
    score: Score, table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 32
) -> Iterator[pd.DataFrame]:
    """Score the faces of `table` (a query of faces.csv): yields its rows with a column `p_real`, batch by batch."""
    for start in range(0, len(table), batch):
        rows = table.iloc[start : start + batch]
        yield rows.assign(p_real=score(dataset.images(rows, root)))


def bundled_scores(name: str) -> pd.DataFrame:
    """p_real of each test face of the preset `bundled`, by networks that were trained as `name` says; a column `seed`.

    name: as of bundled weights, "meso4-face2face-crf23" for one; there may be scores of networks whose weights the
    package does not bring. `data_scripts/train_bundled_weights.py --scores` wrote them. Raises ValueError for a name of
    which there are none.
    """
    folder = weights.BUNDLED / "scores"
    paths = [*folder.glob(f"{name}.csv"), *sorted(folder.glob(f"{name}-seed*.csv"))]
    if not paths:
        known = sorted({path.stem.partition("-seed")[0] for path in folder.glob("*.csv")})
        raise ValueError(f"the package has no scores of {name!r}; it has those of {', '.join(known)}")
    each = {int(path.stem.partition("-seed")[2] or 0): pd.read_csv(path) for path in paths}
    return pd.concat([table.assign(seed=seed) for seed, table in each.items()], ignore_index=True)
