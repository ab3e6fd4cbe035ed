"""Checks of the exercises of `03_compression_levels`."""

import numpy as np
import pandas as pd

from mesokit.lesson.checks import Mistake, exercise

BEFORE = np.full((2, 2, 3), 100, np.uint8)
AFTER = BEFORE + np.array([10, 0, 0], np.uint8)  # mean square of the error: 100 / 3


@exercise("Right: bytes become bits, and frames become seconds.")
def bit_rate(answer):
    """`answer(size, frames, fps)`: kilobits per second."""
    got, wanted = float(answer(50_000, 50, 25.0)), 200.0
    if np.isclose(got, wanted / 8):
        raise Mistake("a byte has 8 bits")
    if np.isclose(got, wanted * 1000):
        raise Mistake("these are bits per second: a kilobit is 1000 of them")
    if np.isclose(got, 8.0) or np.isclose(got, 1.0):
        raise Mistake("that is the size of a frame: how many of them make a second?")
    if np.isclose(got, 400.0):
        raise Mistake("that is the whole clip, which lasts 2 seconds: divide by its length, frames / fps")
    if not np.isclose(got, wanted):
        raise Mistake("50,000 bytes in 50 frames at 25 a second are 200 kbit/s")


@exercise("Right: the mean square of the error, against 255 squared, in decibels.")
def psnr(answer):
    """`answer(before, after)`: dB of two (h, w, 3) uint8 images."""
    got, error = float(answer(BEFORE.copy(), AFTER.copy())), 100 / 3
    if not np.isclose(float(answer(AFTER.copy(), BEFORE.copy())), got):
        raise Mistake(
            "it changes when the two images change places: uint8 wraps around below 0, so make them float first"
        )
    if np.isclose(got, error):
        raise Mistake("that is the mean square of the error: PSNR is 10 * log10(255**2 / it)")
    if np.isclose(got, 10 * np.log(255**2 / error)):
        raise Mistake("decibels take the logarithm to base 10: np.log10")
    if np.isclose(got, 10 * np.log10(255**2 / 400)) or np.isclose(got, 10 * np.log10(255**2 / (error * AFTER.size))):
        raise Mistake("that is the sum of the squares: take their mean over all pixels and channels")
    if np.isclose(got, 10 * np.log10(1 / error)):
        raise Mistake("pixels go up to 255: the peak is 255, not 1")
    if np.isclose(got, 10 * np.log10(255 / error)) or np.isclose(got, 5 * np.log10(255**2 / error)):
        raise Mistake("the peak is squared, as the error is; and it is 10 times the logarithm")
    if not np.isclose(got, 10 * np.log10(255**2 / error)):
        raise Mistake(f"one channel off by 10 everywhere should give {10 * np.log10(255**2 / error):.2f} dB")


@exercise("Right: whole clips are drawn, with replacement.")
def redraw(answer):
    """`answer(right, clip, rng)`: the accuracy of one bootstrap resample; right (n,) bool, clip (n,) names."""
    clip = np.repeat(["a", "b", "c", "d"], 50)
    right = np.repeat([True, True, False, False], 50)
    rng = np.random.default_rng(0)
    got = np.array([float(answer(right.copy(), clip.copy(), rng)) for _ in range(60)])
    if np.ptp(got) == 0:
        raise Mistake("every resample is the same: draw with replacement, from the rng you are given")
    if got.max() > 1:
        raise Mistake("an accuracy lies between 0 and 1: take the mean, not the sum")
    if not np.isclose(got * 4, np.round(got * 4)).all():
        raise Mistake("you drew frames: draw as many clips as there are, and take all frames of each")
    if got.std() < 0.15:
        raise Mistake("the resamples differ too little: draw with replacement")


@exercise("Right: what training on the wrong level costs.")
def cost_of_the_wrong_level(answer):
    """`answer(matrix)`: mean of the diagonal less mean of the rest; a row per train level, a column per test level."""
    matrix = pd.DataFrame([[0.9, 0.8, 0.6], [0.8, 0.8, 0.7], [0.6, 0.5, 0.7]], [0, 23, 40], [0, 23, 40])
    got, wanted = float(answer(matrix.copy())), 0.8 - 4.0 / 6
    if np.isclose(got, -wanted):
        raise Mistake("the sign: a cost is positive where the right level is better")
    if np.isclose(got, 0.8 - matrix.to_numpy().mean()):
        raise Mistake("the diagonal is in both means: leave it out of the second")
    if np.isclose(got, 2.4 - 4.0):
        raise Mistake("these are sums: there are 3 cells on the diagonal and 6 beside it, so take means")
    if np.isclose(got, 0.8):
        raise Mistake("that is the mean of the diagonal: how much more is it than the other cells?")
    if not np.isclose(got, wanted):
        raise Mistake("mean of the 3 cells trained and tested on one level, less the mean of the 6 others")
