"""Checks of the exercises of `02_training`."""

from functools import partial

import numpy as np

from mesokit.lesson.checks import Mistake, exercise, solution

_RNG = np.random.default_rng(0)


@solution(
    [[_RNG.integers(0, 250, shape, np.uint8)] for shape in ((2, 3, 4, 3), (1, 5, 2, 3))],
    ("this only changes the type: divide by 255", lambda faces: faces.astype(float)),
    ("these are whole numbers: // leaves nothing between 0 and 1", lambda faces: faces // 255),
    ("the largest uint8 is 255: divided by 256, white never becomes 1", lambda faces: faces / 256),
    ("a dark face looks bright when divided by its brightest pixel", lambda faces: faces / faces.max()),
    ("this is -1 to 1, as Xception needs it: the two small networks need 0 to 1", lambda faces: faces / 127.5 - 1),
)
def unit_range(faces):
    """The faces (n, h, w, 3) are floats from 0 to 1, and 255 becomes exactly 1."""
    return faces / 255


@solution(
    [[5, 8, 16], [3, 3, 8]],
    ("the biases are missing: one for each output channel", lambda k, i, o: k * k * i * o),
    ("a kernel has a height and a width: its side counts twice", lambda k, i, o: k * i * o + o),
    ("each output channel looks at all input channels: multiply by their number", lambda k, i, o: k * k * o + o),
    ("each output channel has its own kernel: multiply by their number", lambda k, i, o: k * k * i + o),
    ("a bias belongs to an output channel, not to an input channel", lambda k, i, o: k * k * i * o + i),
    ("the same kernel slides over all pixels: they do not count", lambda k, i, o: (k * k * i * o + o) * 256**2),
)
def conv_parameters(kernel, inputs, outputs):
    """Every output channel has a kernel over all input channels, and one bias."""
    return kernel**2 * inputs * outputs + outputs


def _rate(iteration, by=10, limit=max):
    return limit(1e-3 / by ** (iteration // 1000), 1e-6)


@solution(
    [[0], [999], [1000], [2999], [3000], [10_000]],
    ("from iteration 3000 on the rate stays at 1e-6", partial(_rate, limit=lambda rate, lowest: rate)),
    ("min takes the smaller of the two: max keeps the rate at 1e-6 or above", partial(_rate, limit=min)),
    ("the rate falls one step too early: 999 is in the first thousand", lambda i: _rate(i + 1)),
    ("the rate falls one step too late: 1000 is in the second thousand", lambda i: _rate(max(i - 1, 0))),
    ("the rate falls in steps, not smoothly: use //", lambda i: max(1e-3 / 10 ** (i / 1000), 1e-6)),
    ("the rate is divided by 10 each time, not by 1000", partial(_rate, by=1000)),
    ("the rate never falls", lambda i: 1e-3),
)
def rate(iteration):
    """The rate is a tenth after every 1000 iterations, and never below 1e-6."""
    return _rate(iteration)


_OUTPUT, _REAL = np.array([0.9, 0.8, 0.3, 0.4, 0.1]), np.array([True, True, True, False, False])


def _turned(output, is_real, turn=lambda output: 1 - output, how=np.mean):
    return output if how(output[is_real]) > how(output[~is_real]) else turn(output)


@solution(
    [
        [_OUTPUT, _REAL],
        [1 - _OUTPUT, _REAL],
        [_OUTPUT[:4], np.array([True, False, False, False])],  # the forged faces have the larger sum
        [_OUTPUT / 2, _REAL],  # all outputs are below 0.5
    ],
    ("nothing is turned: where forged faces have higher outputs, use 1 - output", lambda out, real: out),
    ("compare the mean outputs of real and of forged faces before you turn them", lambda out, real: 1 - out),
    ("this is the other way round: real faces get the higher p_real", lambda out, real: 1 - _turned(out, real)),
    ("p_real lies in 0 to 1: use 1 - output, not a minus sign", partial(_turned, turn=np.negative)),
    ("compare means, not sums: there may be more faces of one kind", partial(_turned, how=np.sum)),
    ("compare with the forged faces, not with 0.5", lambda out, real: out if out[real].mean() > 0.5 else 1 - out),
    ("this is the truth itself: p_real is the network's output, kept or turned", lambda out, real: real),
    ("this is a verdict: p_real is the network's output, kept or turned", lambda out, real: _turned(out, real) > 0.5),
)
def polarity(output, is_real):
    """The faces of known truth show what the output means: p_real is higher for real faces."""
    return _turned(output, is_real)


@exercise("Right. Whole groups are drawn, so nobody is in both parts.")
def group_split(answer):
    """`answer(groups, share, rng)`: a bool for each face, True for the test; about `share` of the groups."""
    groups = np.repeat([f"g{i}" for i in range(10)], np.arange(21, 31))
    for share in (0.3, 0.6):
        tests = [np.asarray(answer(groups.copy(), share, np.random.default_rng(seed))) for seed in range(6)]
        for test in tests:
            if (test.shape, test.dtype) != (groups.shape, bool):
                raise Mistake(f"got {test.dtype} {test.shape}, expected a bool for each face: bool {groups.shape}")
            if both := set(groups[test]) & set(groups[~test]):
                raise Mistake(f"this draws faces, not groups: got {len(both)} groups in both parts, expected none")
            if abs((size := len(set(groups[test]))) - 10 * share) > 1:
                words = "True means test, not training: " if size == 10 - 10 * share else ""
                raise Mistake(f"{words}for share = {share} got {size} of 10 groups, expected about {10 * share:g}")
        if all(np.array_equal(test, tests[0]) for test in tests):
            raise Mistake("got the same groups for every seed, expected others: draw them with rng")
