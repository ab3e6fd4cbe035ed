"""The exercises of 06: right answers pass, each mistake is told."""

import numpy as np


def norm(x, p):
    return (np.abs(x) ** p).sum() ** (1 / p)


RIGHT = [
    ("energy", lambda f, x, weight, p: f - weight * norm(x, p)),
    ("library_weight", lambda weight, p, side: weight * (3 * side**2) ** (1 / p)),
    ("step", lambda x, gradient, rate: np.clip(x + rate * gradient, 0, 1)),
    ("real_neurons", lambda weights: np.flatnonzero(weights > 0)),
    ("real_neurons", lambda weights: [number for number, weight in enumerate(weights) if weight > 0]),
]
WRONG = [
    ("energy", lambda f, x, weight, p: f + weight * norm(x, p), "penalty is added"),
    ("energy", lambda f, x, weight, p: f - weight * (x**p).sum(), "root is missing"),
    ("energy", lambda f, x, weight, p: f - weight * (x**p).mean() ** (1 / p), "library's norm"),
    ("energy", lambda f, x, weight, p: f - norm(x, p), "lambda is missing"),
    ("energy", lambda f, x, weight, p: f - weight * norm(x, 2), "p is always 2"),
    ("energy", lambda f, x, weight, p: weight * norm(x, p) - f, "sign is flipped"),
    ("energy", lambda f, x, weight, p: f - weight * x, "one energy"),
    ("energy", lambda f, x, weight, p: f - weight * (x**p).sum() ** (1 / p), "magnitudes"),
    ("library_weight", lambda weight, p, side: weight / (3 * side**2) ** (1 / p), "other way around"),
    ("library_weight", lambda weight, p, side: weight * 3 * side**2, "1/p, not 1"),
    ("library_weight", lambda weight, p, side: weight * (3 * side**2) ** p, "1/p, not p"),
    ("library_weight", lambda weight, p, side: weight * side ** (2 / p), "colours too"),
    ("library_weight", lambda weight, p, side: weight * side ** (1 / p), "not the side"),
    ("library_weight", lambda weight, p, side: (3 * side**2) ** (1 / p), "lambda is missing"),
    ("library_weight", lambda weight, p, side: weight, "lambda itself"),
    ("step", lambda x, gradient, rate: np.clip(x - rate * gradient, 0, 1), "downhill"),
    ("step", lambda x, gradient, rate: x - rate * gradient, "downhill"),
    ("step", lambda x, gradient, rate: x + rate * gradient, "left [0, 1]"),
    ("step", lambda x, gradient, rate: np.clip(x + gradient, 0, 1), "rate is missing"),
    ("step", lambda x, gradient, rate: np.clip(x + rate * np.sign(gradient), 0, 1), "not only its sign"),
    ("step", lambda x, gradient, rate: x.sum(), "got 1.7, expected [0.3, 0.45, 1, 0]"),
    ("real_neurons", lambda weights: np.flatnonzero(weights < 0), "speak for forged"),
    ("real_neurons", lambda weights: weights > 0, "mask of True"),
    ("real_neurons", lambda weights: weights[weights > 0], "these are the weights"),
    ("real_neurons", lambda weights: 1 + np.flatnonzero(weights > 0), "start at 0"),
    ("real_neurons", lambda weights: [1, 3, 4], "got [1, 3, 4], expected [0, 3]"),
]
