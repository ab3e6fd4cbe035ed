"""Checks of the exercises of `05_filter_visualization`."""

import numpy as np

from mesokit.lesson.checks import Mistake, exercise, solution

_RNG = np.random.default_rng(0)


@exercise("Right. 1, -2, 1 sums to 0, so a flat line and an even slope give 0.")
def second_derivative(answer):
    """`answer`: three weights whose weighted sum of neighbours is the discrete second derivative."""
    weights = np.asarray(answer, float)
    if weights.shape != (3,):
        raise Mistake(f"got the shape {weights.shape}, expected three weights")
    known = {
        (-1, 2, -1): "the sign is flipped: ",
        (-1, 0, 1): "this is a first derivative: ",
        (1, 0, -1): "this is a first derivative: ",
        (1, 2, 1): "this smooths; the middle must be subtracted twice: ",
    }
    for line, expected in (((1, 1, 1), 0), ((0, 1, 2), 0), ((1, 0, 1), 2)):
        if not np.isclose(weights @ line, expected):
            words = known.get(tuple(weights.tolist()), "")
            raise Mistake(f"{words}for the pixels {line} got {weights @ line:g}, expected {expected}")


_PATCHES, _KERNELS = _RNG.random((2, 3, 3, 3)), _RNG.normal(size=(2, 3, 3, 3))
_KERNELS *= np.sign((_PATCHES * _KERNELS).sum(axis=(1, 2, 3), keepdims=True))  # so that both sums are positive


@solution(
    list(zip(_PATCHES, _KERNELS, strict=True)),
    ("this is the mean: a convolution sums", lambda p, w: (p * w).mean()),
    ("this is the mean over the colours: sum over them", lambda p, w: (p * w).mean(axis=2).sum()),
    ("the kernel is turned around, which networks do not do", lambda p, w: (p * w[::-1, ::-1]).sum()),
    ("this is the red channel only: sum over all three", lambda p, w: (p * w)[..., 0].sum()),
    ("the pixels are in [0, 1] already: 255 is not needed", lambda p, w: 255 * (p * w).sum()),
    ("one place has one number: sum over all axes", lambda p, w: (p * w).sum(axis=(0, 1)), lambda p, w: p * w),
    edges=[("a sum below 0 should give 0: the ReLU is missing", [_PATCHES[0], -_KERNELS[0]])],
)
def convolution(patch, weights):
    """Multiply (3, 3, 3) by (3, 3, 3), sum over rows, columns and colours, and replace what is below 0 with 0."""
    return max(0.0, (patch * weights).sum())


def _differs(lines):
    """For each pair of neighbours, whether their signs differ: (n, 3) -> (n, 2)."""
    return lines[:, :2] * lines[:, 1:] < 0


def _count(lines, signs):
    return np.all(np.sign(lines) == signs, axis=1).sum()


@solution(
    [[_RNG.normal(size=(20, 3))], [_RNG.normal(size=(40, 3))]],
    ("-,+,- counts too: it has the opposite sign", lambda x: _count(x, (1, -1, 1))),
    ("+,-,+ counts too", lambda x: _count(x, (-1, 1, -1))),
    ("this is the share of the lines: give their number", lambda x: _differs(x).all(axis=1).mean()),
    ("both neighbours must differ from the middle, not one change of sign", lambda x: _differs(x).any(axis=1).sum()),
    ("these are the lines that do not alternate", lambda x: (~_differs(x).all(axis=1)).sum()),
)
def count_alternating(lines):
    """Both +,-,+ and -,+,- count, and nothing else does: (n, 3) lines give one number."""
    return _differs(lines).all(axis=1).sum()


like_p_value = solution(  # for 07 too
    [[2.5, np.array([1.0, 2.0, 3.0, 4.0])], [0.9, np.arange(9) / 9]],
    ("k / n could be 0: count what was found as one more case", lambda found, null: np.mean(null > found)),
    ("add 1 to k too: what was found reaches itself", lambda found, null: np.sum(null > found) / (1 + len(null))),
    ("add 1 to n too: what was found is one more case", lambda found, null: (1 + np.sum(null > found)) / len(null)),
    ("this is the other end", lambda found, null: (1 + np.sum(null < found)) / (1 + len(null))),
    ("this is the other end, and k / n could be 0", lambda found, null: np.mean(null < found)),
    edges=[("values equal to what was found count too: >=, not >", [3.0, np.array([1.0, 2.0, 3.0, 3.0, 5.0])])],
)


@like_p_value
def p_value(found, null):
    """(k + 1) / (n + 1) can never be 0."""
    return (1 + np.sum(null >= found)) / (1 + len(null))
