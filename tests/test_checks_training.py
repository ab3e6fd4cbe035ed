"""The exercises of 02: right answers pass, each mistake is told."""

import numpy as np


def _grouped(groups, share, rng):
    names = np.unique(groups)
    return np.isin(groups, rng.choice(names, round(share * len(names)), replace=False))


def _first(groups, share, rng):
    names = np.unique(groups)
    return np.isin(groups, names[: round(share * len(names))])


def _polarity(out, real, how=np.mean):
    return out if how(out[real]) > how(out[~real]) else 1 - out


RIGHT = [
    ("unit_range", lambda faces: faces.astype(np.float32) / 255),
    ("conv_parameters", lambda kernel, inputs, outputs: kernel**2 * inputs * outputs + outputs),
    ("rate", lambda i: max(1e-3 / 10 ** (i // 1000), 1e-6)),
    ("polarity", _polarity),
    ("group_split", _grouped),
]
WRONG = [
    ("unit_range", lambda f: f.astype(float), "only changes the type"),
    ("unit_range", lambda f: f // 255, "whole numbers"),
    ("unit_range", lambda f: f / 256, "divided by 256"),
    ("unit_range", lambda f: f / f.max(), "its brightest pixel"),
    ("unit_range", lambda f: f / 127.5 - 1, "as Xception needs it"),
    ("unit_range", lambda f: f[0] / 255, "got the shape [3, 4, 3], expected [2, 3, 4, 3]"),
    ("unit_range", lambda f: f / 100, "at [0, 0, 0, 0]: got"),
    ("conv_parameters", lambda k, i, o: k * k * i * o, "biases are missing"),
    ("conv_parameters", lambda k, i, o: k * i * o + o, "its side counts twice"),
    ("conv_parameters", lambda k, i, o: k * k * o + o, "looks at all input channels"),
    ("conv_parameters", lambda k, i, o: k * k * i + o, "has its own kernel"),
    ("conv_parameters", lambda k, i, o: k * k * i * o + i, "belongs to an output channel"),
    ("conv_parameters", lambda k, i, o: (k * k * i * o + o) * 256 * 256, "slides over all pixels"),
    ("conv_parameters", lambda k, i, o: 3216, "for kernel = 3, inputs = 3, outputs = 8: got 3216, expected 224"),
    ("rate", lambda i: 1e-3 / 10 ** (i // 1000), "stays at 1e-6"),
    ("rate", lambda i: min(1e-3 / 10 ** (i // 1000), 1e-6), "max keeps the rate"),
    ("rate", lambda i: max(1e-3 / 10 ** ((i + 1) // 1000), 1e-6), "one step too early"),
    ("rate", lambda i: max(1e-3 / 10 ** (max(i - 1, 0) // 1000), 1e-6), "one step too late"),
    ("rate", lambda i: max(1e-3 / 10 ** (i / 1000), 1e-6), "not smoothly"),
    ("rate", lambda i: max(1e-3 / 1000 ** (i // 1000), 1e-6), "not by 1000"),
    ("rate", lambda i: 1e-3, "never falls"),
    ("rate", lambda i: 1e-6, "for iteration = 0: got 1e-06, expected 0.001"),
    ("polarity", lambda out, real: out, "nothing is turned"),
    ("polarity", lambda out, real: 1 - out, "compare the mean outputs"),
    ("polarity", lambda out, real: out if out[real].mean() > out[~real].mean() else -out, "not a minus sign"),
    ("polarity", lambda out, real: out if out[real].mean() < out[~real].mean() else 1 - out, "the other way round"),
    ("polarity", lambda out, real: _polarity(out, real, np.sum), "not sums"),
    ("polarity", lambda out, real: out if out[real].mean() > 0.5 else 1 - out, "not with 0.5"),
    ("polarity", lambda out, real: real.astype(float), "the truth itself"),
    ("polarity", lambda out, real: _polarity(out, real) > 0.5, "a verdict"),
    ("polarity", lambda out, real: out.mean(), "got 0.5, expected [0.9"),
    ("group_split", lambda g, share, rng: rng.random(len(g)) < share, "draws faces, not groups"),
    ("group_split", lambda g, share, rng: ~_grouped(g, share, rng), "True means test"),
    ("group_split", _first, "the same groups for every seed"),
    ("group_split", lambda g, share, rng: _grouped(g, 0.3, rng), "for share = 0.6 got 3 of 10 groups"),
    ("group_split", lambda g, share, rng: g == rng.choice(g), "got 1 of 10 groups, expected about 3"),
    ("group_split", lambda g, share, rng: rng.choice(np.unique(g), 3), "expected a bool for each face"),
    ("group_split", lambda g, share, rng: _grouped(g, share, rng).astype(int), "got int64 (255,), expected a bool"),
]
