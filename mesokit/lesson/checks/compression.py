"""Checks of the exercises of `03_compression_levels`."""

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

from mesokit.lesson.checks import Mistake, construction, exercise, solution


@solution(
    [[50_000, 50, 25.0], [120_000, 30, 24.0]],
    ("a byte has 8 bits", lambda size, frames, fps: size / 1000 * fps / frames),
    ("these are bits per second: a kilobit is 1000 bits", lambda size, frames, fps: 8 * size * fps / frames),
    ("this is the size of a frame: multiply by fps", lambda size, frames, fps: 8 * size / 1000 / frames),
    ("this is the whole clip: divide by its seconds, frames / fps", lambda size, frames, fps: 8 * size / 1000),
)
def bit_rate(size, frames, fps):
    """Bytes become bits, and frames become seconds."""
    return 8 * size / 1000 * fps / frames


@construction.like_psnr
def psnr(before, after):
    """PSNR compares 255 squared with the mean squared error, in decibels."""
    return 10 * np.log10(255**2 / np.mean((before.astype(float) - after) ** 2))


@exercise("Right. Whole clips are drawn with replacement.")
def redraw(answer):
    """`answer(right, clip, rng)`: the accuracy of one bootstrap resample; right (n,) bool, clip (n,) names."""
    sizes, hits = np.array([10, 30, 40, 70]), np.array([9, 11, 33, 20])
    clip = np.repeat(["a", "b", "c", "d"], sizes)
    right = np.concatenate([np.arange(size) < hit for size, hit in zip(sizes, hits, strict=True)])
    got = [float(answer(right.copy(), clip.copy(), np.random.default_rng(seed))) for seed in [0, *range(60)]]
    if np.ptp(got) == 0:
        raise Mistake(f"got {got[0]:g} for every seed, expected others: draw with replacement, from rng")
    if got[0] != got[1]:
        raise Mistake(
            f"for one seed got {got[0]:g} and {got[1]:g}, expected one value: draw from the rng that is given"
        )
    if max(got) > 1:
        raise Mistake(f"take the mean, not the sum: got {max(got):g}, expected an accuracy between 0 and 1")
    drawn = np.array(list(combinations_with_replacement(range(4), 4)))  # the clips of every possible resample
    if strange := _strangers(got, hits[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)):
        words = "you drew frames: draw as many clips as there are, and take all frames of each"
        if not _strangers(got, (hits / sizes)[drawn].mean(axis=1)):
            words = "this is the mean of the clips' accuracies: take the mean over all of their faces"
        raise Mistake(f"{words} (got {strange[0]:g}, expected the accuracy over four whole clips)")


def _strangers(values, possible):
    return [value for value in values if not np.isclose(value, possible).any()]


def _parts(matrix, how=np.mean):
    """`how` of the cells on the diagonal, and of the others."""
    values, same = np.asarray(matrix, float), np.eye(len(matrix), dtype=bool)
    return how(values[same]), how(values[~same])


@solution(
    [[pd.DataFrame([[0.9, 0.8, 0.6], [0.8, 0.8, 0.7], [0.6, 0.5, 0.7]])], [pd.DataFrame([[0.9, 0.7], [0.55, 0.85]])]],
    ("the sign is flipped: a cost is positive where the right level is better", lambda m: -np.subtract(*_parts(m))),
    ("the diagonal is in both means: leave it out of the second", lambda m: _parts(m)[0] - m.to_numpy().mean()),
    ("these are sums: take means", lambda m: np.subtract(*_parts(m, np.sum))),
    ("this is the mean of the diagonal: subtract the mean of the other cells", lambda m: _parts(m)[0]),
)
def cost_of_the_wrong_level(matrix):
    """The mean of the cells with one level for training and test, minus the mean of the others."""
    return np.subtract(*_parts(matrix))
