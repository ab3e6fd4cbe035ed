"""The face on each frame of a clip: MTCNN on every whole frame against `faces.follow`.

Both are given the same decoded frames; the naive way takes the largest face that MTCNN returns, at its own threshold,
in a process of its own, with TensorFlow as it comes. Equal: the boxes overlap by IoU >= 0.9 on at least 98 % of the
frames where either way finds one. The aim: 15 times the speed.
"""

import sys
from collections.abc import Callable, Iterator

import numpy as np
from side_by_side import Apart, Row, frames, in_turn, parser, rate, report, serve

from mesokit import faces
from mesokit.backend import quietly

OVERLAP, SHARE = 0.9, 0.98

Box = tuple[float, float, float, float]


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes x, y, width, height."""
    width, height = (max(0.0, min(a[i] + a[i + 2], b[i] + b[i + 2]) - max(a[i], b[i])) for i in (0, 1))
    shared = width * height
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def by_frame(detector, images: list[np.ndarray]) -> list[Box | None]:
    """The largest face of each frame, by itself."""
    found = []
    for image in images:
        boxes = [one["box"] for one in detector.detect_faces(image)]
        found.append(max(boxes, key=lambda box: box[2] * box[3], default=None))
    return found


def agree(before: list[Box | None], after: list[Box | None], least: float = OVERLAP) -> bool:
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a is not None or b is not None]
    good = [a is not None and b is not None and overlap(a, b) >= least for a, b in pairs]
    return bool(good) and float(np.mean(good)) >= SHARE


def halves(n: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return frames(n // 2, "tour_real"), frames(n // 2, "tour_forged")


def naive(n: str) -> Callable[[], np.ndarray]:
    """Boxes (n, 4), NaN where there is no face."""
    with quietly():
        from mtcnn import MTCNN

        detector = MTCNN()
    images = [image for half in halves(int(n)) for image in half]
    return lambda: np.array([box or (np.nan,) * 4 for box in by_frame(detector, images)])


def rows(n: int, repeats: int) -> Iterator[Row]:
    clips = halves(n)

    def ours():
        return [face and face.box for clip in clips for face in faces.follow(clip)]

    with Apart(__file__, n) as plain:
        slow, fast, _, after = in_turn(plain, ours, repeats)
        before = [None if np.isnan(box).any() else tuple(box) for box in plain.result()]
    yield rate("face extraction", len(after), "frames", slow, fast, agree(before, after))


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__, apart=True).parse_args(argv)
    if arguments.naive:
        return serve(naive(*arguments.naive))
    return report(rows(4, 1) if arguments.quick else rows(60, 3), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
