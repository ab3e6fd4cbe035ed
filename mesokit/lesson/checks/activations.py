"""The exercises of `07_mean_activations`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from mesokit.lesson.checks import Mistake, exercise


def _close(got: Any, expected: Any) -> bool:
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    return got.shape == expected.shape and bool(np.allclose(got, expected, atol=1e-6))


@exercise("Right: the mean over the faces and over the filters leaves one map, with a place for each cell.")
def mean_map(answer: Callable[[np.ndarray], Any]) -> None:
    """`answer` takes activations (faces, h, w, filters) and gives the mean map (h, w)."""
    outputs = np.random.default_rng(0).random((5, 3, 4, 2))
    got = np.asarray(answer(outputs), float)
    if _close(got, outputs.sum(axis=(0, 3))):
        raise Mistake("that is the sum: divide by the number of values")
    if _close(got, outputs.mean(axis=(1, 2))) or got.shape in ((5,), (2,), (5, 2)):
        raise Mistake("you averaged over the places, and the map is gone: rows and columns are axes 1 and 2, keep them")
    if _close(got, outputs.mean(axis=0)):
        raise Mistake("that is a map for each filter: average over the last axis too")
    if _close(got, outputs.mean(axis=3)):
        raise Mistake("that is a map for each face: average over the first axis too")
    if not _close(got, outputs.mean(axis=(0, 3))):
        raise Mistake(f"a map (3, 4) of means was expected; yours has the shape {got.shape}")


@exercise("Right: real minus forged, so a positive value fires more for real faces, as p_real is near 1 for them.")
def difference(answer: Callable[[np.ndarray, np.ndarray], Any]) -> None:
    """`answer` takes the mean maps of real and of forged faces and gives their signed difference."""
    real, forged = np.array([[0.5, 0.2], [0.1, 0.9]]), np.array([[0.1, 0.4], [0.1, 0.3]])
    got = answer(real, forged)
    if _close(got, forged - real):
        raise Mistake("the sign is flipped: positive should mean more for real faces")
    if _close(got, np.abs(real - forged)):
        raise Mistake("the absolute value forgets for which of the two a cell fires more: keep the sign")
    if not _close(got, real - forged):
        raise Mistake("it should be the map of the real faces minus that of the forged ones, cell by cell")


@exercise("Right: the truth is one of the exchanges, so p is never 0, and few people can never give a small p.")
def p_value(answer: Callable[[float, np.ndarray], Any]) -> None:
    """`answer` takes the true statistic and those after drawn exchanges, and gives p, the truth counted."""
    drawn = np.array([0.1, 0.5, 0.2, 0.9, 0.3, 0.2, 0.4, 0.1, 0.2])
    got = float(answer(0.45, drawn))
    if np.isclose(got, 2 / 9):
        raise Mistake("count the truth among the exchanges too, above and below the line; else p could be 0")
    if np.isclose(got, 7 / 9) or np.isclose(got, 8 / 10):
        raise Mistake("that is the share of exchanges that are smaller; p is the share that is as large or larger")
    if not np.isclose(got, 3 / 10):
        raise Mistake(f"of 9 exchanges 2 are as large as the truth, with the truth 3 of 10; yours is {got:g}")
    if not np.isclose(float(answer(0.9, drawn)), 2 / 10):
        raise Mistake("an exchange that is exactly as large counts too: >=, not >")


@exercise("Right. Its softmax is (p_forged, p_real): two class scores, of which the first rises as p_real falls.")
def two_logits(answer: Callable[[float], Any]) -> None:
    """`answer` takes the logit z of real and gives two numbers whose softmax is (p_forged, p_real)."""
    for z in (1.5, -0.7):
        got = np.asarray(answer(z), float)
        if got.shape != (2,):
            raise Mistake(
                "two numbers are needed, forged first: softmax of a single one is 1, whatever the network says"
            )
        p = 1 / (1 + np.exp(-z))
        softmax = np.exp(got) / np.exp(got).sum()
        if np.allclose(softmax, [p, 1 - p]):
            raise Mistake("the order is flipped: the first is forged, the second real")
        if np.allclose(got[1] - got[0], 2 * z):
            raise Mistake("their difference should be z, not 2 z: the softmax is of sigmoid(2 z), too sure of itself")
        if not np.allclose(softmax, [1 - p, p]):
            raise Mistake(
                f"for z = {z:g} the softmax should be ({1 - p:.3f}, {p:.3f}); yours is {np.round(softmax, 3)}"
            )


@exercise("Right: a share of the explanation. A map that is equal everywhere gets the mask's share of the picture.")
def share_inside(answer: Callable[[np.ndarray, np.ndarray], Any]) -> None:
    """`answer` takes a map (h, w) and a mask (h, w) of bool and gives the share of the map inside the mask."""
    map_, mask = np.array([[4.0, 2.0], [1.0, 1.0]]), np.array([[True, False], [False, True]])
    got = float(answer(map_, mask))
    if np.isclose(got, 0.5):
        raise Mistake("that is the mask's share of the picture: weigh each pixel by the map")
    if np.isclose(got, 2.5):
        raise Mistake("that is the mean inside the mask: divide the sum inside by the sum of the whole map")
    if np.isclose(got, 5.0):
        raise Mistake("that is the sum inside the mask: divide by the sum of the whole map")
    if np.isclose(got, 3 / 8):
        raise Mistake("that is the share outside of the mask")
    if not np.isclose(got, 5 / 8):
        raise Mistake(f"of a map of 8 in all, 5 lie inside: 0.625; yours is {got:g}")


@exercise("Right: a ring. The corners of the spectrum belong to the finest band, and the mean colour to none.")
def ring(answer: Callable[[int, float, float], Any]) -> None:
    """`answer` takes (size, low, high) and gives the (size, size) bool mask of a band, in the order of np.fft.fft2."""
    size, low, high = 16, 2, 5
    got = np.asarray(answer(size, low, high))
    line = np.fft.fftfreq(size) * size
    radius = np.hypot(line[:, None], line[None, :])
    expected = (radius >= low) & (radius < high)
    if got.shape != expected.shape:
        raise Mistake(f"the mask should be ({size}, {size}), a place for each frequency; yours is {got.shape}")
    if np.array_equal(got, np.fft.fftshift(expected)):
        raise Mistake("frequency 0 is in the middle of yours; np.fft.fft2 has it first: leave out the fftshift")
    corner = np.hypot(*np.mgrid[:size, :size])
    if np.array_equal(got, (corner >= low) & (corner < high)):
        raise Mistake("the second half of the axis are negative frequencies: take np.fft.fftfreq(size) * size")
    square = np.maximum(np.abs(line)[:, None], np.abs(line)[None, :])
    if np.array_equal(got, (square >= low) & (square < high)):
        raise Mistake("that is a square frame: slanted waves are finer than their rows and columns alone say")
    if np.array_equal(got, radius < high):
        raise Mistake("that is everything below the upper edge, with the mean colour: the lower edge is missing")
    small = np.fft.fftfreq(size)
    if not got.any() and not (np.hypot(small[:, None], small[None, :]) >= low).any():
        raise Mistake("nothing is in it: np.fft.fftfreq counts cycles per pixel, the bands cycles per face; times size")
    if not np.array_equal(got, expected):
        raise Mistake("a frequency belongs to it if low <= its distance from 0 < high")
