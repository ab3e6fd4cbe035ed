"""Checks of notebook 05: kernels, convolution by hand, runs of signs, p-values."""

from collections.abc import Callable, Sequence

import numpy as np

from mesokit.lesson.checks import Mistake, exercise


@exercise("Right: 1, -2, 1, which sums to 0, so that what is flat or slopes evenly gives nothing.")
def second_derivative(answer: Sequence[float]) -> None:
    """`answer`: three weights whose weighted sum of neighbours is the discrete second derivative."""
    weights = np.asarray(answer, float)
    if weights.shape != (3,):
        raise Mistake(f"give three weights; got an answer of the shape {weights.shape}")
    if np.allclose(weights, [-1, 2, -1]):
        raise Mistake("that is the second derivative with its sign turned: a valley should give a positive number")
    if np.isclose(weights[0], -weights[2]) and np.isclose(weights[1], 0):
        raise Mistake("that is a first derivative: it answers to a slope, and the second one should not")
    if np.allclose(weights, [1, 2, 1]):
        raise Mistake("that is a weighted sum, which smooths: the middle should be taken off twice")
    if not np.isclose(weights.sum(), 0):
        raise Mistake(f"a flat line should give 0, but your weights sum to {weights.sum():g}")
    if not np.allclose(weights, [1, -2, 1]):
        raise Mistake("take the difference of the two differences: (right - middle) - (middle - left)")


@exercise("Right: multiply, sum over rows, columns and colours, and cut off what is negative.")
def convolution(answer: Callable[[np.ndarray, np.ndarray], float]) -> None:
    """`answer`: a function from a patch (3, 3, 3) and weights (3, 3, 3) to the filter's output in the middle."""
    rng = np.random.default_rng(0)
    patch, weights = rng.random((3, 3, 3)), rng.normal(size=(3, 3, 3))
    weights *= np.sign((patch * weights).sum())
    right = (patch * weights).sum()
    got = np.asarray(answer(patch, weights), float)
    if got.shape != ():
        raise Mistake(f"one filter gives one number at one place; yours gave the shape {got.shape}: sum over all axes")
    for value, words in (
        (right / 27, "that is the mean: a convolution sums"),
        (right / 3, "that is the mean over the colours: a convolution sums over them"),
        ((patch * weights[::-1, ::-1]).sum(), "you turned the kernel around: networks do not, they correlate"),
        ((patch[..., 0] * weights[..., 0]).sum(), "that is the red channel alone: sum over all three"),
        (right * 255, "the pixels are in [0, 1] already: no 255 is needed"),
    ):
        if np.isclose(got, value):
            raise Mistake(words)
    if not np.isclose(got, right):
        raise Mistake(f"for one patch your function gave {got:.4f}, and the network gives {right:.4f}")
    if np.asarray(answer(patch, -weights), float) < 0:
        raise Mistake("a sum below 0 should give 0: the ReLU is missing")


@exercise("Right: both +,-,+ and -,+,- count, and nothing else does.")
def count_alternating(answer: Callable[[np.ndarray], int]) -> None:
    """`answer`: a function from lines of three weights (n, 3) to the number that alternate in sign."""
    plus, minus = [0.1, -3.0, 2.0], [-1.0, 0.2, -0.5]
    rest = [[1.0, 2.0, 3.0], [1.0, -1.0, -1.0], [-1.0, -1.0, 1.0], [-2.0, -1.0, -3.0], [1.0, 1.0, -1.0]]
    got = np.asarray(answer(np.array([plus, plus, *rest, minus])))
    if got.shape != ():
        raise Mistake("give how many lines alternate: one number")
    for value, words in (
        (2, "you count +,-,+ only: -,+,- is a second derivative too, with its sign turned"),
        (1, "you count -,+,- only: +,-,+ is one as well"),
        (3 / 8, "that is the share of the lines: give their number"),
        (6, "one change of sign is not enough: both neighbours must differ from the middle"),
        (5, "that is the number of the lines that do not alternate"),
    ):
        if np.isclose(float(got), value):
            raise Mistake(words)
    if got != 3:
        raise Mistake(f"of eight lines, three alternate; your function counts {got}")


@exercise("Right: (k + 1) / (n + 1), so it can never be 0.")
def p_value(answer: Callable[[float, np.ndarray], float]) -> None:
    """`answer`: a function from what was found and the values of n untrained networks to the p-value."""
    null = np.array([1.0, 2.0, 3.0, 3.0])
    got = float(answer(3.0, null))
    if np.isclose(got, 2 / 4):
        raise Mistake("that is k / n: it could be 0, and n trials cannot show that something never happens")
    if np.isclose(got, 1 / 5):
        raise Mistake("values equal to what was found count too: chance reached it")
    if np.isclose(got, 2 / 5):
        raise Mistake("what was found is itself one of the n + 1 cases: add 1 to k as well")
    if np.isclose(got, 1):
        raise Mistake("that is the other end: count the values that are as large or larger")
    if not (np.isclose(got, 3 / 5) and np.isclose(float(answer(9.0, null)), 1 / 5)):
        raise Mistake(f"2 of 4 values reach what was found, so 3 / 5 is expected; your function gave {got:g}")
