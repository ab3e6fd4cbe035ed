"""Checks of notebook 06: the right answer passes, each mistake gets its own message."""

import numpy as np
import pytest

from mesokit.lesson.checks import maximize


def norm(x, p):
    return (np.abs(x) ** p).sum() ** (1 / p)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (maximize.energy, lambda f, x, weight, p: f - weight * norm(x, p)),
        (maximize.library_weight, lambda weight, p, side: weight * (3 * side**2) ** (1 / p)),
        (maximize.step, lambda x, gradient, rate: np.clip(x + rate * gradient, 0, 1)),
        (maximize.real_neurons, lambda weights: np.flatnonzero(weights > 0)),
    ],
)
def test_right_answers(check, answer):
    assert check(answer).passed, check(answer)
    assert "Nothing to check yet" in check(...).message


@pytest.mark.parametrize(
    ("check", "answer", "message"),
    [
        (maximize.energy, lambda f, x, weight, p: f + weight * norm(x, p), "add the penalty"),
        (maximize.energy, lambda f, x, weight, p: f - weight * (x**p).sum(), "root is missing"),
        (maximize.energy, lambda f, x, weight, p: f - weight * (x**p).mean() ** (1 / p), "library's norm"),
        (maximize.energy, lambda f, x, weight, p: f - norm(x, p), "lambda is missing"),
        (maximize.energy, lambda f, x, weight, p: f - weight * norm(x, 2), "p is 2"),
        (maximize.energy, lambda f, x, weight, p: weight * norm(x, p) - f, "sign is turned"),
        (maximize.energy, lambda f, x, weight, p: f - weight * x, "one energy"),
        (maximize.energy, lambda f, x, weight, p: f - weight * np.cbrt((x**p).sum()), "magnitudes"),
        (maximize.library_weight, lambda weight, p, side: weight / (3 * side**2) ** (1 / p), "other way around"),
        (maximize.library_weight, lambda weight, p, side: weight * 3 * side**2, "not N"),
        (maximize.library_weight, lambda weight, p, side: weight * (3 * side**2) ** p, "1/p, not p"),
        (maximize.library_weight, lambda weight, p, side: weight * side ** (2 / p), "colours too"),
        (maximize.library_weight, lambda weight, p, side: (3 * side**2) ** (1 / p), "lambda is missing"),
        (maximize.library_weight, lambda weight, p, side: weight, "lambda itself"),
        (maximize.step, lambda x, gradient, rate: np.clip(x - rate * gradient, 0, 1), "downhill"),
        (maximize.step, lambda x, gradient, rate: x + rate * gradient, "left [0, 1]"),
        (maximize.step, lambda x, gradient, rate: np.clip(x + gradient, 0, 1), "rate is missing"),
        (maximize.step, lambda x, gradient, rate: x.sum(), "the shape of the image"),
        (maximize.real_neurons, lambda weights: np.flatnonzero(weights < 0), "speak for forged"),
        (maximize.real_neurons, lambda weights: weights > 0, "mask of True"),
        (maximize.real_neurons, lambda weights: weights[weights > 0], "those are the weights"),
        (maximize.real_neurons, lambda weights: 1 + np.flatnonzero(weights > 0), "start at 0"),
    ],
)
def test_mistakes_are_named(check, answer, message):
    result = check(answer)
    assert not result.passed
    assert message in result.message, result.message
    assert "raised" not in result.message
