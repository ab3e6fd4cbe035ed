"""Faces to p_real: Keras' `model.predict` against `evaluation.scorer`; equal: every score within 1e-4.

Both are given the same uint8 faces in memory and divide them by 255; the naive way has a process of its own, with
TensorFlow as it comes. The aim: 4 times the speed.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from side_by_side import Apart, Row, crops, in_turn, network, parser, predicting, rate, report, serve, stock

from mesokit import evaluation

TOLERANCE = 1e-4


def naive(name: str, file: str) -> Callable[[], np.ndarray]:
    """`file`: the faces, as NumPy saves them."""
    return predicting(stock(network(name)), np.load(file, allow_pickle=False))


def rows(n: int, repeats: int) -> Iterator[Row]:
    images = crops(n)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "faces.npy"
        np.save(file, images)
        for name in ("meso4", "meso_inception4"):
            score = evaluation.scorer(network(name))
            with Apart(__file__, name, file) as plain:
                slow, fast, _, after = in_turn(plain, lambda score=score: score(images), repeats)
                equal = np.abs(plain.result() - after).max() <= TOLERANCE
            yield rate(f"scoring {name}", n, "faces", slow, fast, equal)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__, apart=True).parse_args(argv)
    if arguments.naive:
        return serve(naive(*arguments.naive))
    return report(rows(8, 1) if arguments.quick else rows(192, 5), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
