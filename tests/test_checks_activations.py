"""Each right answer passes, each mistake is told by name."""

import numpy as np
import pytest

from mesokit.lesson.checks import activations as checks


def line(size):
    return np.fft.fftfreq(size) * size


def right_ring(size, low, high):
    radius = np.hypot(line(size)[:, None], line(size)[None, :])
    return (low <= radius) & (radius < high)


def square_ring(size, low, high):
    radius = np.maximum(np.abs(line(size))[:, None], np.abs(line(size))[None, :])
    return (low <= radius) & (radius < high)


def corner_ring(size, low, high):
    radius = np.hypot(*np.mgrid[:size, :size])
    return (low <= radius) & (radius < high)


RIGHT = [
    (checks.mean_map, lambda a: a.mean(axis=(0, 3))),
    (checks.difference, lambda real, forged: real - forged),
    (checks.p_value, lambda true, drawn: (1 + np.sum(drawn >= true)) / (1 + len(drawn))),
    (checks.two_logits, lambda z: (-z / 2, z / 2)),
    (checks.two_logits, lambda z: [0, z]),
    (checks.share_inside, lambda m, mask: m[mask].sum() / m.sum()),
    (checks.ring, right_ring),
]
WRONG = [
    (checks.mean_map, lambda a: a.sum(axis=(0, 3)), "that is the sum"),
    (checks.mean_map, lambda a: a.mean(axis=(1, 2)), "averaged over the places"),
    (checks.mean_map, lambda a: a.mean(axis=0), "a map for each filter"),
    (checks.mean_map, lambda a: a.mean(axis=3), "a map for each face"),
    (checks.mean_map, lambda a: a.max(axis=(0, 3)), "of means was expected"),
    (checks.difference, lambda real, forged: forged - real, "sign is flipped"),
    (checks.difference, lambda real, forged: abs(real - forged), "keep the sign"),
    (checks.difference, lambda real, forged: real / forged, "minus"),
    (checks.p_value, lambda true, drawn: np.mean(drawn >= true), "count the truth"),
    (checks.p_value, lambda true, drawn: np.mean(drawn < true), "that are smaller"),
    (checks.p_value, lambda true, drawn: (1 + np.sum(drawn > true)) / (1 + len(drawn)), ">=, not >"),
    (checks.p_value, lambda true, drawn: 0.05, "3 of 10"),
    (checks.two_logits, lambda z: [z], "softmax of a single one"),
    (checks.two_logits, lambda z: (z / 2, -z / 2), "order is flipped"),
    (checks.two_logits, lambda z: (-z, z), "not 2 z"),
    (checks.two_logits, lambda z: (0, 0), "should be (0.182, 0.818)"),
    (checks.share_inside, lambda m, mask: mask.mean(), "share of the picture"),
    (checks.share_inside, lambda m, mask: m[mask].mean(), "mean inside the mask"),
    (checks.share_inside, lambda m, mask: m[mask].sum(), "sum inside"),
    (checks.share_inside, lambda m, mask: m[~mask].sum() / m.sum(), "outside"),
    (checks.share_inside, lambda m, mask: 0.1, "0.625"),
    (checks.ring, lambda *a: np.fft.fftshift(right_ring(*a)), "fftshift"),
    (checks.ring, square_ring, "square frame"),
    (checks.ring, corner_ring, "negative frequencies"),
    (checks.ring, lambda size, low, high: right_ring(size, 0, high), "lower edge is missing"),
    (checks.ring, lambda size, low, high: right_ring(size, low * size, high * size), "cycles per pixel"),
    (checks.ring, lambda size, low, high: right_ring(size, low, high + 1), "low <= its distance"),
    (checks.ring, lambda size, low, high: line(size) > low, "a place for each frequency"),
]


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_right_answers_pass(check, answer):
    result = check(answer)
    assert result.passed, result.message


@pytest.mark.parametrize(("check", "answer", "word"), WRONG)
def test_mistakes_are_named(check, answer, word):
    result = check(answer)
    assert not result.passed
    assert word in result.message


@pytest.mark.parametrize("check", [one for one, _ in RIGHT])
def test_open_answers_are_told_to_be_open(check):
    assert "Nothing to check yet" in check(...).message
    assert "Nothing to check yet" in check(lambda *a: ...).message
