"""The exercises of 02: right answers pass, each known mistake is named."""

import numpy as np
import pytest

from mesokit.lesson.checks import training as check


def _grouped(groups, share, rng):
    names = np.unique(groups)
    return np.isin(groups, rng.choice(names, round(share * len(names)), replace=False))


def _first(groups, share, rng):
    return np.isin(groups, np.unique(groups)[:3])


RIGHT = {
    "unit_range": lambda faces: faces.astype(np.float32) / 255,
    "conv_parameters": lambda kernel, inputs, outputs: kernel**2 * inputs * outputs + outputs,
    "rate": lambda i: max(1e-3 / 10 ** (i // 1000), 1e-6),
    "polarity": lambda out, real: out if out[real].mean() > out[~real].mean() else 1 - out,
    "group_split": _grouped,
}
WRONG = [
    ("unit_range", lambda f: f.astype(float), "only changes the type"),
    ("unit_range", lambda f: f // 255, "whole numbers"),
    ("unit_range", lambda f: f / 256, "divided by 256"),
    ("unit_range", lambda f: f / f.max(), "brightest pixel of these faces"),
    ("unit_range", lambda f: f / 127.5 - 1, "as Xception wants it"),
    ("unit_range", lambda f: f[0] / 255, "the shape became"),
    ("unit_range", lambda f: f / 100, "51 should become 0.2"),
    ("conv_parameters", lambda k, i, o: k * k * i * o, "biases are missing"),
    ("conv_parameters", lambda k, i, o: k * i * o + o, "its side counts twice"),
    ("conv_parameters", lambda k, i, o: k * k * o + o, "looks at all input channels"),
    ("conv_parameters", lambda k, i, o: k * k * i + o, "a kernel for each output channel"),
    ("conv_parameters", lambda k, i, o: k * k * i * o + i, "belongs to an output channel"),
    ("conv_parameters", lambda k, i, o: 7, "the first layer of Meso-4 has 224"),
    ("rate", lambda i: 1e-3 / 10 ** (i // 1000), "falls no further"),
    ("rate", lambda i: max(1e-3 / 10 ** ((i + 1) // 1000), 1e-6), "one step too early"),
    ("rate", lambda i: max(1e-3 / 10 ** (max(i - 1, 0) // 1000), 1e-6), "one step too late"),
    ("rate", lambda i: max(1e-3 / 10 ** (i / 1000), 1e-6), "not smoothly"),
    ("rate", lambda i: max(1e-3 / 1000 ** (i // 1000), 1e-6), "not by 1000"),
    ("rate", lambda i: 1e-3, "one step too late"),
    ("polarity", lambda out, real: out, "never turned"),
    ("polarity", lambda out, real: 1 - out, "the other way round"),
    ("polarity", lambda out, real: out if out[real].mean() > out[~real].mean() else -out, "not with a minus sign"),
    ("polarity", lambda out, real: out if out[real].mean() < out[~real].mean() else 1 - out, "compare the mean output"),
    ("polarity", lambda out, real: real.astype(float), "the truth itself"),
    ("polarity", lambda out, real: out.mean(), "give a p_real for each"),
    ("group_split", lambda g, share, rng: rng.random(len(g)) < share, "draws faces, not groups"),
    ("group_split", lambda g, share, rng: ~_grouped(g, share, rng), "the other part of the groups"),
    ("group_split", _first, "every seed gives the same groups"),
    ("group_split", lambda g, share, rng: g == rng.choice(g), "about 3 should be"),
    ("group_split", lambda g, share, rng: rng.choice(np.unique(g), 3), "this has the shape"),
    ("group_split", lambda g, share, rng: _grouped(g, share, rng).astype(int), "give True"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name):
    assert getattr(check, name)(RIGHT[name]).passed
    assert not getattr(check, name)(lambda *_: ...).passed


@pytest.mark.parametrize(("name", "answer", "told"), WRONG)
def test_mistakes_are_named(name, answer, told):
    found = getattr(check, name)(answer)
    assert not found.passed
    assert told in found.message
