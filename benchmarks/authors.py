"""The authors' weights against `reference_outputs.npz`, the outputs of their own code: every layer within 1e-4.

The files are not part of this repository: name their folder in MESOKIT_REFERENCE. The row's numbers are how fast Keras'
`predict` and `evaluation.scorer` score the reference's own faces; its `equal` is the agreement with the authors. Hidden
neurons sum 1,024 products to values near 100: they are computed in float64, as two processors differ there by 1e-4.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from side_by_side import Apart, Row, Skipped, in_turn, parser, predicting, rate, report, serve, stock

from mesokit import evaluation, models, weights
from mesokit.backend import keras

TOLERANCE = 1e-4
FOLDER = Path(os.environ.get("MESOKIT_REFERENCE", Path(__file__).parents[2] / "shared" / "reference")) / "afchar2018"


def in_float64(network: keras.Model) -> keras.Model:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        exact = models.NETWORKS[network.name]()
    finally:
        keras.config.set_dtype_policy(policy)
    exact.set_weights(network.get_weights())
    return exact


LAYERS = {f"pool{i}_mean": f"pool{i}" for i in (1, 2, 3, 4)} | {"dense16": "hidden_leaky", "scores": "p_real"}


def reference(folder: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The outputs of the authors' code, by name, and the faces (n, 256, 256, 3) uint8 that they are of."""
    with np.load(folder / "reference_outputs.npz", allow_pickle=False) as data:
        expected = dict(data)
    return expected, np.concatenate([expected["noise"], expected["images"]])


def naive(folder: str, name: str) -> Callable[[], np.ndarray]:
    _, images = reference(Path(folder))
    return predicting(stock(weights.load(Path(folder) / f"{name}.h5")), images)


def largest_difference(name: str, network: keras.Model, expected: dict[str, np.ndarray], faces: np.ndarray) -> float:
    """Over all layers that the reference holds; feature maps by their mean over all places."""
    views = [models.activations(one, *LAYERS.values()) for one in (network, in_float64(network))]
    single, double = (view(faces.astype(kind)) for view, kind in zip(views, ("float32", "float64"), strict=True))
    worst = 0.0
    for i, key in enumerate(LAYERS):
        values = np.asarray(double[i] if key == "dense16" else single[i])
        values = values.mean((1, 2)) if values.ndim == 4 else values
        reference = expected[f"{name}_{key}"]
        worst = max(worst, float(np.abs(values.reshape(reference.shape) - reference).max()))
    return worst


def rows(names: list[str], repeats: int, folder: Path = FOLDER) -> Iterator[Row | Skipped]:
    if not (folder / "reference_outputs.npz").is_file():
        yield Skipped("authors' weights", "the reference is absent: name its folder in MESOKIT_REFERENCE")
        return
    expected, images = reference(folder)
    for name in names:
        network = weights.load(folder / f"{name}.h5")
        score = evaluation.scorer(network)
        with Apart(__file__, folder, name) as plain:
            slow, fast, _, after = in_turn(plain, lambda score=score: score(images), repeats)
        layers = largest_difference(name, network, expected, images / 255)
        scores = np.abs(after - expected[f"{name}_scores"]).max()
        yield rate(f"authors' weights {name}", len(images), "faces", slow, fast, max(layers, scores) < TOLERANCE)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__, apart=True).parse_args(argv)
    if arguments.naive:
        return serve(naive(*arguments.naive))
    names = [f"{network}_{data}" for network in ("Meso4", "MesoInception") for data in ("DF", "F2F")]
    return report(rows(names[:1], 1) if arguments.quick else rows(names, 3), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
