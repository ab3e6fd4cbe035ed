"""Checks of the exercises of `06_activation_maximization`."""

import numpy as np

from mesokit.lesson.checks import Mistake, solution, text

_X = np.random.default_rng(0).random((4, 4, 3))


def _norm(x, p):
    return (np.abs(x) ** p).sum() ** (1 / p)


@solution(
    [[5.0, _X, 0.1, 3.0], [2.0, _X[:2], 0.4, 1.5]],
    ("the penalty is added: subtract it, so that large images cost something", lambda f, x, w, p: f + w * _norm(x, p)),
    ("the root is missing: ||x||_p is (sum of |x|^p) to the power 1/p", lambda f, x, w, p: f - w * (x**p).sum()),
    ("this is the library's norm, with a mean, not a sum", lambda f, x, w, p: f - w * (x**p).mean() ** (1 / p)),
    ("lambda is missing: it is the weight of the penalty", lambda f, x, w, p: f - _norm(x, p)),
    ("p is always 2 here: use the p that is given", lambda f, x, w, p: f - w * _norm(x, 2)),
    ("the sign is flipped: E becomes large, it is no loss", lambda f, x, w, p: w * _norm(x, p) - f),
    ("an image has one energy: sum over all axes", lambda f, x, w, p: f - w * x),
    edges=[("a norm takes magnitudes: use |x|", [5.0, -_X, 0.1, 3.0])],
)
def energy(f, x, weight, p):
    """f minus lambda times the p-norm, which is one root of one sum over all numbers."""
    return f - weight * _norm(x, p)


@solution(
    [[0.5, 2.0, 10], [0.1, 3.0, 16]],
    ("it is the other way around: the library divides", lambda weight, p, side: weight / (3 * side**2) ** (1 / p)),
    ("the power is 1/p, not 1", lambda weight, p, side: weight * 3 * side**2),
    ("the power is 1/p, not p", lambda weight, p, side: weight * (3 * side**2) ** p),
    ("N counts the colours too: 3 numbers for each pixel", lambda weight, p, side: weight * side ** (2 / p)),
    ("N is the number of all values, not the side", lambda weight, p, side: weight * side ** (1 / p)),
    ("lambda is missing", lambda weight, p, side: (3 * side**2) ** (1 / p)),
    ("this is lambda itself: the library divides its norm by N**(1/p)", lambda weight, p, side: weight),
)
def library_weight(weight, p, side):
    """lambda * N**(1/p), where N is the number of all values of an image."""
    return weight * (3 * side**2) ** (1 / p)


@solution(
    [
        [np.array([0.2, 0.5, 0.95, 0.05]), np.array([1.0, -0.5, 2.0, -3.0]), 0.1],
        [np.array([[0.1, 0.9], [0.4, 0.6]]), np.array([[-4.0, 3.0], [0.5, -2.0]]), 0.05],
    ],
    ("this goes downhill: add the gradient, so that E grows", lambda x, g, rate: np.clip(x - rate * g, 0, 1)),
    ("this goes downhill, and leaves [0, 1]", lambda x, g, rate: x - rate * g),
    ("the image left [0, 1]: clip it", lambda x, g, rate: x + rate * g),
    ("the rate is missing: a step should be small", lambda x, g, rate: np.clip(x + g, 0, 1)),
    ("use the gradient, not only its sign", lambda x, g, rate: np.clip(x + rate * np.sign(g), 0, 1)),
)
def step(x, gradient, rate):
    """One step along the gradient, and back into the range of images."""
    return np.clip(x + rate * gradient, 0, 1)


def _numbers(neurons):
    neurons = np.asarray(neurons)
    if neurons.dtype == bool:
        raise Mistake(f"this is a mask of True and False: got {text(neurons)}, expected the numbers of the neurons")
    return np.sort(neurons.ravel())


@solution(
    [[np.array([-0.1, 0.3, -0.9, 0.2, 0.05])], [np.array([0.4, -0.2, -0.6, 0.7])]],
    ("these speak for forged: the output is p_real", lambda weights: np.flatnonzero(weights < 0)),
    ("the numbers start at 0", lambda weights: np.flatnonzero(weights > 0) + 1),
    ("these are the weights: give the numbers of their neurons", lambda weights: weights[weights > 0]),
    read=_numbers,
)
def real_neurons(weights):
    """The neurons with a positive weight raise p_real."""
    return np.flatnonzero(weights > 0)
