"""Faces to p_real: Keras' `model.predict` against `evaluation.scorer`; equal: every score within 1e-4.

Both are given the same uint8 faces in memory and divide them by 255. The aim: 4 times the speed.
"""

import sys
from collections.abc import Iterator

import numpy as np
from side_by_side import Row, crops, in_turn, network, parser, rate, report, stock

from mesokit import evaluation

TOLERANCE = 1e-4


def rows(n: int, repeats: int) -> Iterator[Row]:
    images = crops(n)
    for name in ("meso4", "meso_inception4"):
        model = network(name)
        score, plain = evaluation.scorer(model), stock(model)

        def naive(plain=plain):
            return plain.predict(images.astype(np.float32) / 255, verbose=0)[:, 0]

        slow, fast, before, after = in_turn(naive, lambda score=score: score(images), repeats)
        yield rate(f"scoring {name}", n, "faces", slow, fast, np.abs(before - after).max() <= TOLERANCE)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    return report(rows(8, 1) if arguments.quick else rows(192, 5), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
