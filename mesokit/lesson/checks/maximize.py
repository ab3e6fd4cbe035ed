"""Checks of notebook 06: the energy, the library's norm, a step uphill, sign groups."""

from collections.abc import Callable, Sequence

import numpy as np

from mesokit.lesson.checks import Mistake, exercise


@exercise("Right: f less lambda times the p-norm, a sum over all numbers under one root.")
def energy(answer: Callable[[float, np.ndarray, float, float], float]) -> None:
    """`answer`: a function from f, an image, lambda and p to E(x)."""
    x = np.random.default_rng(0).random((4, 4, 3))
    f, weight, p = 5.0, 0.1, 3.0
    power = (x**p).sum()
    got = np.asarray(answer(f, x, weight, p), float)
    if got.shape != ():
        raise Mistake(f"an image has one energy; yours has the shape {got.shape}: sum over all axes")
    for value, words in (
        (f + weight * power ** (1 / p), "you add the penalty: large images should cost something"),
        (f - weight * power, "the root is missing: ||x||_p is (sum of |x|^p) to the power 1/p"),
        (f - weight * (x**p).mean() ** (1 / p), "that is the library's norm, with a mean: the paper's has a sum"),
        (f - power ** (1 / p), "lambda is missing: it weighs the penalty"),
        (f - weight * np.sqrt((x**2).sum()), "p is 2 in your formula, whatever was asked for"),
        (weight * power ** (1 / p) - f, "the sign is turned: E is what we make large, no loss"),
    ):
        if np.isclose(got, value):
            raise Mistake(words)
    if not np.isclose(got, f - weight * power ** (1 / p)):
        raise Mistake(
            f"for one image your function gave {got:.4f}; f - lambda * ||x||_p is {f - weight * power ** (1 / p):.4f}"
        )
    if not np.isclose(answer(f, -x, weight, p), f - weight * power ** (1 / p)):
        raise Mistake("a norm takes magnitudes: |x|, or negative numbers would be free")


@exercise("Right: lambda * N**(1/p), with N all the numbers of an image.")
def library_weight(answer: Callable[[float, float, int], float]) -> None:
    """`answer`: a function from lambda, p and the side of a colour image to tf-keras-vis's weight."""
    weight, p, side = 0.5, 2.0, 10
    number = 3 * side**2
    got = float(answer(weight, p, side))
    for value, words in (
        (weight / number ** (1 / p), "the other way around: the library divides, so its weight must be larger"),
        (weight * number, "N to the power 1/p, not N: the two agree for p = 1 only"),
        (weight * number**p, "1/p, not p: look at where the library's root is"),
        (weight * (side**2) ** (1 / p), "N counts the colours too: 3 numbers for each pixel"),
        (weight * side ** (1 / p), "N is all the numbers of the image, not its side"),
        (number ** (1 / p), "lambda is missing"),
        (weight, "that is lambda itself: the library divides its norm by N**(1/p)"),
    ):
        if np.isclose(got, value):
            raise Mistake(words)
    if not np.isclose(got, weight * number ** (1 / p)):
        raise Mistake(f"for lambda 0.5, p 2 and 10 pixels it is {weight * number ** (1 / p):.3f}; yours gave {got:.3f}")


@exercise("Right: along the gradient, and back into the range of images.")
def step(answer: Callable[[np.ndarray, np.ndarray, float], np.ndarray]) -> None:
    """`answer`: a function from an image, the gradient of E and a rate to the next image."""
    x, gradient, rate = np.array([0.2, 0.5, 0.95, 0.05]), np.array([1.0, -1.0, 1.0, -1.0]), 0.1
    got = np.asarray(answer(x.copy(), gradient, rate), float)
    if got.shape != x.shape:
        raise Mistake(f"the next image has the shape of the image, {x.shape}; yours has {got.shape}")
    if np.allclose(got, np.clip(x - rate * gradient, 0, 1)) or np.allclose(got, x - rate * gradient):
        raise Mistake("that goes downhill: we make E large, so add the gradient")
    if np.allclose(got, x + rate * gradient):
        raise Mistake("the image left [0, 1]: cut it off, or its energy is that of no image")
    if np.allclose(got, np.clip(x + gradient, 0, 1)):
        raise Mistake("the rate is missing: one step should be small")
    if not np.allclose(got, [0.3, 0.4, 1.0, 0.0]):
        raise Mistake(f"from {x} expected [0.3, 0.4, 1, 0]; got {np.round(got, 3)}")


@exercise("Right: a positive weight pushes p_real up, so its neuron speaks for real.")
def real_neurons(answer: Callable[[np.ndarray], Sequence[int]]) -> None:
    """`answer`: a function from the output weights (n,) to the numbers of the neurons that speak for real."""
    weights = np.array([-0.1, 0.3, -0.9, 0.2, 0.05])
    got = np.asarray(answer(weights))
    if got.dtype == bool:
        raise Mistake("that is a mask of True and False: give the numbers of the neurons, as np.flatnonzero does")
    found = sorted(got.ravel().tolist())
    if found == [0, 2]:
        raise Mistake("those speak for forged: the output is p_real, and 1 means real")
    if found == [2, 4, 5]:
        raise Mistake("the numbers start at 0")
    if found and set(found) <= {0.3, 0.2, 0.05}:
        raise Mistake("those are the weights: give the numbers of their neurons")
    if found != [1, 3, 4]:
        raise Mistake(f"of the weights {weights.tolist()} the neurons 1, 3 and 4 are meant; yours gave {found}")
