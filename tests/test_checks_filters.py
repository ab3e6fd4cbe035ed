"""Checks of notebook 05: the right answer passes, each mistake gets its own message."""

import numpy as np
import pytest

from mesokit.lesson.checks import filters


def conv(patch, weights):
    return max(0.0, float((patch * weights).sum()))


def count(lines):
    return int(((lines[:, 0] * lines[:, 1] < 0) & (lines[:, 1] * lines[:, 2] < 0)).sum())


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (filters.second_derivative, [1, -2, 1]),
        (filters.convolution, conv),
        (filters.count_alternating, count),
        (filters.p_value, lambda found, null: (1 + (null >= found).sum()) / (1 + len(null))),
    ],
)
def test_right_answers(check, answer):
    assert check(answer).passed, check(answer)
    assert "Nothing to check yet" in check(...).message


@pytest.mark.parametrize(
    ("check", "answer", "message"),
    [
        (filters.second_derivative, [-1, 2, -1], "sign turned"),
        (filters.second_derivative, [-1, 0, 1], "first derivative"),
        (filters.second_derivative, [1, 2, 1], "smooths"),
        (filters.second_derivative, [1, -1, 1], "sum to 1"),
        (filters.second_derivative, [2, -4, 2], "two differences"),
        (filters.second_derivative, [1, -2], "three weights"),
        (filters.convolution, lambda p, w: (p * w).mean(), "that is the mean: "),
        (filters.convolution, lambda p, w: (p * w).mean(axis=2).sum(), "mean over the colours"),
        (filters.convolution, lambda p, w: (p * w[::-1, ::-1]).sum(), "turned the kernel"),
        (filters.convolution, lambda p, w: (p * w)[..., 0].sum(), "red channel"),
        (filters.convolution, lambda p, w: (p * w).sum(axis=(0, 1)), "sum over all axes"),
        (filters.convolution, lambda p, w: 255 * (p * w).sum(), "no 255"),
        (filters.convolution, lambda p, w: (p * w).sum(), "ReLU"),
        (filters.count_alternating, lambda x: ((x[:, 0] > 0) & (x[:, 1] < 0) & (x[:, 2] > 0)).sum(), "+,-,+ only"),
        (filters.count_alternating, lambda x: ((x[:, 0] < 0) & (x[:, 1] > 0) & (x[:, 2] < 0)).sum(), "-,+,- only"),
        (filters.count_alternating, lambda x: count(x) / len(x), "share"),
        (filters.count_alternating, lambda x: ((x[:, 0] * x[:, 1] < 0) | (x[:, 1] * x[:, 2] < 0)).sum(), "one change"),
        (filters.count_alternating, lambda x: len(x) - count(x), "do not alternate"),
        (filters.p_value, lambda found, null: (null >= found).mean(), "k / n"),
        (filters.p_value, lambda found, null: (null >= found).sum() / (1 + len(null)), "add 1 to k"),
        (filters.p_value, lambda found, null: (1 + (null > found).sum()) / (1 + len(null)), "count too"),
        (filters.p_value, lambda found, null: (1 + (null <= found).sum()) / (1 + len(null)), "other end"),
    ],
)
def test_mistakes_are_named(check, answer, message):
    result = check(answer)
    assert not result.passed
    assert message in result.message
    assert "raised" not in result.message


def test_the_answers_are_those_of_the_package():
    from mesokit.interpret import filters as package

    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 5))
    lines = np.moveaxis(package.lines(kernel), -3, -1).reshape(-1, 3)
    assert count(lines) == package.alternates(kernel).sum()
    assert filters.p_value(package.p_value).passed
