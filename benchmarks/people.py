"""Synthetic people: a renderer for each frame against one for each clip; and how well MTCNN finds them.

Equal: all pixels are the same. One thread renders. Detection is measured on ten frames of each of 120 people, one a
second; of the faces in a frame the largest counts, whatever its confidence. Fewer people say little: of sixty, the
share found with high confidence has a 95 % interval .06 wide.
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from side_by_side import Row, in_turn, parser, rate, report

from mesokit import faces
from mesokit.synthetic.people import Renderer, State, motion, sample_person, sample_scene
from mesokit.synthetic.people.render import Rendered

FIRST = 3000  # seed of the first person: no preset has them, with its usual seed
CONFIDENT = 0.95


def camera(seed: int) -> Renderer:
    return Renderer(sample_person(seed), sample_scene(seed))


def moments(seed: int, n: int) -> list[State]:
    """`n` moments, a second apart."""
    return motion(seed, 25 * n)[12::25]


def anew(people: int, frames: int) -> list[np.ndarray]:
    """The same frames, with nothing shared between them but the noise's random numbers."""
    images = []
    for seed in range(FIRST, FIRST + people):
        rng = np.random.default_rng(seed)
        images += [camera(seed).render(state, rng).image for state in moments(seed, frames)]
    return images


def clip(seed: int, frames: int) -> Iterator[tuple[Rendered, float]]:
    """The frames, and the seconds that each took."""
    renderer, rng = camera(seed), np.random.default_rng(seed)
    for state in moments(seed, frames):
        started = time.perf_counter()
        frame = renderer.render(state, rng)
        yield frame, time.perf_counter() - started


def shared(people: int, frames: int) -> list[np.ndarray]:
    return [frame.image for seed in range(FIRST, FIRST + people) for frame, _ in clip(seed, frames)]


def found(people: int, frames: int) -> dict[str, Any]:
    """What MTCNN finds on `frames` of each of `people`, and the median time of rendering one."""
    confidence, error, seconds = [], [], []
    for frame, took in (item for seed in range(FIRST, FIRST + people) for item in clip(seed, frames)):
        seconds.append(took)
        face = max(faces.detect(frame.image), key=lambda one: one.area, default=None)
        confidence.append(face.confidence if face else 0.0)
        if face:
            off = np.linalg.norm(face.landmarks - frame.five, axis=1).mean()
            error.append(off / np.linalg.norm(frame.five[1] - frame.five[0]))
    return {
        "people": people,
        "frames": len(confidence),
        "found": float(np.mean(np.array(confidence) > 0)),
        "confident": float(np.mean(np.array(confidence) >= CONFIDENT)),
        "landmark error": float(np.mean(error)),
        "ms": 1000 * float(np.median(seconds)),
    }


def rows(people: int, frames: int, repeats: int) -> Iterator[Row]:
    slow, fast, before, after = in_turn(lambda: anew(people, frames), lambda: shared(people, frames), repeats)
    yield rate("rendering people", people * frames, "frames", slow, fast, np.array_equal(before, after))


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__).parse_args(argv)
    cv2.setNumThreads(1)
    point = found(*((1, 2) if arguments.quick else (120, 10)))
    print(
        "MTCNN finds {found:.1%} of {frames} faces of {people} people, {confident:.1%} with confidence {least:.2f} or "
        "more; its landmarks lie {landmark error:.1%} of the distance of the eyes from the true ones; a frame takes "
        "{ms:.0f} ms".format(**point, least=CONFIDENT),
        flush=True,
    )
    return report(rows(1, 2, 1) if arguments.quick else rows(4, 5, 3), arguments.out, [point])


if __name__ == "__main__":
    sys.exit(main())
