"""The exercises of 05: right answers pass, each mistake is told."""

import numpy as np

from mesokit.lesson.checks import filters as check


def conv(patch, weights):
    return max(0.0, float((patch * weights).sum()))


def count(lines):
    return int(((lines[:, 0] * lines[:, 1] < 0) & (lines[:, 1] * lines[:, 2] < 0)).sum())


RIGHT = [
    ("convolution", conv),
    ("count_alternating", count),
    ("p_value", lambda found, null: (1 + (null >= found).sum()) / (1 + len(null))),
]
WRONG = [
    ("second_derivative", [-1, 2, -1], "sign is flipped"),
    ("second_derivative", [-1, 0, 1], "first derivative"),
    ("second_derivative", [1, 2, 1], "smooths"),
    ("second_derivative", [1, -1, 1], "for the pixels (1, 1, 1) got 1, expected 0"),
    ("second_derivative", [2, -4, 2], "for the pixels (1, 0, 1) got 4, expected 2"),
    ("second_derivative", [1, -2], "three weights"),
    ("convolution", lambda p, w: (p * w).mean(), "this is the mean: "),
    ("convolution", lambda p, w: (p * w).mean(axis=2).sum(), "mean over the colours"),
    ("convolution", lambda p, w: (p * w[::-1, ::-1]).sum(), "kernel is turned around"),
    ("convolution", lambda p, w: (p * w)[..., 0].sum(), "red channel"),
    ("convolution", lambda p, w: (p * w).sum(axis=(0, 1)), "sum over all axes"),
    ("convolution", lambda p, w: 255 * (p * w).sum(), "255 is not needed"),
    ("convolution", lambda p, w: (p * w).sum(), "ReLU"),
    ("count_alternating", lambda x: ((x[:, 0] > 0) & (x[:, 1] < 0) & (x[:, 2] > 0)).sum(), "-,+,- counts too"),
    ("count_alternating", lambda x: ((x[:, 0] < 0) & (x[:, 1] > 0) & (x[:, 2] < 0)).sum(), "+,-,+ counts too"),
    ("count_alternating", lambda x: count(x) / len(x), "share"),
    ("count_alternating", lambda x: ((x[:, 0] * x[:, 1] < 0) | (x[:, 1] * x[:, 2] < 0)).sum(), "one change"),
    ("count_alternating", lambda x: len(x) - count(x), "do not alternate"),
    ("p_value", lambda found, null: (null >= found).mean(), "k / n"),
    ("p_value", lambda found, null: (null >= found).sum() / (1 + len(null)), "add 1 to k"),
    ("p_value", lambda found, null: (1 + (null >= found).sum()) / len(null), "add 1 to n"),
    ("p_value", lambda found, null: (1 + (null > found).sum()) / (1 + len(null)), "count too"),
    ("p_value", lambda found, null: (1 + (null <= found).sum()) / (1 + len(null)), "other end"),
]


def test_the_second_derivative_is_three_weights():
    assert check.second_derivative([1, -2, 1]).passed
    assert "Nothing to check yet" in check.second_derivative(...).message


def test_the_answers_are_those_of_the_package():
    from mesokit.interpret import filters as package

    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 5))
    lines = np.moveaxis(package._lines(kernel), -3, -1).reshape(-1, 3)
    assert count(lines) == package.alternates(kernel).sum()
    assert check.p_value(package.p_value).passed
