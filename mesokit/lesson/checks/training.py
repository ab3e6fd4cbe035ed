"""Checks of the exercises of `02_training`."""

import numpy as np

from mesokit.lesson.checks import Mistake, exercise


@exercise("Right: uint8 pixels become float32 from 0 to 1, and 255 becomes exactly 1.")
def unit_range(answer):
    """`answer(faces)`: (n, h, w, 3) uint8 -> the same in [0, 1]."""
    faces = np.array([0, 51, 102, 204], np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    got = np.asarray(answer(faces.copy()))
    wanted = faces.astype(float) / 255
    if got.shape != faces.shape:
        raise Mistake(f"the shape became {got.shape}; it should stay {faces.shape}")
    if got.dtype.kind != "f":
        raise Mistake("these are still whole numbers: dividing by // or casting back loses all between 0 and 1")
    if np.allclose(got, faces):
        raise Mistake("this only changes the type, the pixels still go up to 255: divide by 255")
    if np.allclose(got, faces / 256):
        raise Mistake("divided by 256, white would never become 1: the largest uint8 is 255")
    if np.allclose(got, faces / 204):
        raise Mistake("this divides by the brightest pixel of these faces, so a dark face would look like a bright one")
    if np.allclose(got, wanted * 2 - 1):
        raise Mistake("this is -1 to 1, as Xception wants it; the two small networks want 0 to 1")
    if not np.allclose(got, wanted, atol=1e-6):
        raise Mistake("51 should become 0.2 and 255 should become 1")


@exercise("Right: every output channel has a kernel over all input channels, and one bias.")
def conv_parameters(answer):
    """`answer(kernel, inputs, outputs)`: trainable parameters of a convolution with a bias."""
    got = answer(5, 8, 16)
    known = {
        5 * 5 * 8 * 16: "the biases are missing: one for each output channel",
        5 * 8 * 16 + 16: "a kernel has a height and a width: its side counts twice",
        5 * 5 * 16 + 16: "each output channel looks at all input channels: multiply by their number",
        5 * 5 * 8 + 16: "there is a kernel for each output channel: multiply by their number",
        5 * 5 * 8 * 16 + 8: "a bias belongs to an output channel, not to an input channel",
        (5 * 5 * 8 + 1) * 16 * 256**2: "the same kernel slides over all pixels: the size of the image does not count",
    }
    if got in known:
        raise Mistake(known[got])
    if (got, answer(3, 3, 8)) != (3216, 224):
        raise Mistake("a 5x5 convolution from 8 to 16 channels has 3,216, and the first layer of Meso-4 has 224")


@exercise("Right: a tenth every 1000 iterations, and never under 1e-6.")
def rate(answer):
    """`answer(iteration)`: the paper's learning rate."""
    wanted = {0: 1e-3, 999: 1e-3, 1000: 1e-4, 2999: 1e-5, 3000: 1e-6, 10_000: 1e-6}
    got = {iteration: float(answer(iteration)) for iteration in wanted}
    if np.isclose(got[10_000], 1e-13, rtol=0.1) or got[10_000] < 0.99e-6:
        raise Mistake("after 3000 iterations it falls no further: the lowest rate is 1e-6")
    if np.isclose(got[999], 1e-4):
        raise Mistake("one step too early: iteration 999 is the last of the first thousand, counted from 0")
    if np.isclose(got[1000], 1e-3):
        raise Mistake("one step too late: iteration 1000 is the first of the second thousand, counted from 0")
    if got[999] < got[0]:
        raise Mistake("it falls in steps, not smoothly: use the whole thousands, iteration // 1000")
    if np.isclose(got[1000], 1e-6):
        raise Mistake("it is divided by 10 each time, not by 1000")
    for iteration, expected in wanted.items():
        if not np.isclose(got[iteration], expected, rtol=1e-3):
            raise Mistake(f"at iteration {iteration} it should be {expected:g}, not {got[iteration]:g}")


@exercise("Right: the faces that you know tell what the number means.")
def polarity(answer):
    """`answer(output, is_real)`: outputs in [0, 1] of unknown polarity for known faces -> p_real."""
    is_real = np.array([True, True, True, False, False])
    p_real = np.array([0.9, 0.8, 0.3, 0.4, 0.1])
    same = np.asarray(answer(p_real.copy(), is_real), float)
    other = np.asarray(answer(1 - p_real, is_real), float)
    if same.shape != p_real.shape:
        raise Mistake(f"give a p_real for each of the {len(p_real)} faces; this has the shape {same.shape}")
    if set(np.unique(same)) <= {0.0, 1.0}:
        raise Mistake(
            "this is a verdict for each face, or the truth itself; p_real is the network's number, kept or turned"
        )
    if np.allclose(same, 1 - p_real) and np.allclose(other, p_real):
        raise Mistake("just the other way round: real faces must get the higher p_real on average")
    if np.allclose(same, p_real) and np.allclose(other, 1 - p_real):
        raise Mistake("it is never turned: where forged faces have the higher outputs, p_real is 1 - output")
    if np.allclose(same, 1 - p_real) and np.allclose(other, 1 - p_real):
        raise Mistake("compare the mean output of real faces with that of forged ones before you turn it")
    if other.min() < 0:
        raise Mistake("p_real lies in 0 to 1: turn it with 1 - output, not with a minus sign")
    if not (np.allclose(same, p_real) and np.allclose(other, p_real)):
        raise Mistake("where real faces have the higher outputs, p_real is the output; else it is 1 - output")


@exercise("Right: whole groups are drawn, so nobody is on both sides.")
def group_split(answer):
    """`answer(groups, share, rng)`: a bool for each face, True = test; about `share` of the groups."""
    groups = np.repeat([f"g{i}" for i in range(10)], 30)
    tests = [np.asarray(answer(groups.copy(), 0.3, np.random.default_rng(seed))) for seed in range(6)]
    for test in tests:
        if test.shape != groups.shape:
            raise Mistake(f"give a True or False for each of the {len(groups)} faces; this has the shape {test.shape}")
        if test.dtype != bool:
            raise Mistake("give True (test) or False (training) for each face: a comparison or np.isin makes them")
        if set(groups[test]) & set(groups[~test]):
            raise Mistake("this draws faces, not groups: the same people are in training and in the test")
    sizes = {len(set(groups[test])) for test in tests}
    if sizes == {7}:
        raise Mistake("True means test: this puts the other part of the groups there")
    if not sizes <= {2, 3, 4}:
        raise Mistake(f"of 10 groups about 3 should be in the test; it has {', '.join(map(str, sorted(sizes)))}")
    if all(np.array_equal(test, tests[0]) for test in tests):
        raise Mistake("every seed gives the same groups: draw them with rng, or the order of the table decides")
