"""Checks of the exercises of `07_mean_activations`."""

from functools import partial

import numpy as np

from mesokit.lesson.checks import filters, solution

_RNG = np.random.default_rng(0)


@solution(
    [[_RNG.random((5, 3, 4, 2))], [_RNG.random((2, 4, 3, 6))]],
    ("this is the sum: divide by the number of values", lambda a: a.sum(axis=(0, 3))),
    ("you averaged over the places, axes 1 and 2, so the map is lost", lambda a: a.mean(axis=(1, 2)), np.mean),
    ("this is a map for each filter: average over the last axis too", lambda a: a.mean(axis=0)),
    ("this is a map for each face: average over the first axis too", lambda a: a.mean(axis=3)),
)
def mean_map(outputs):
    """The mean over faces and filters leaves one map: (faces, h, w, filters) becomes (h, w)."""
    return outputs.mean(axis=(0, 3))


@solution(
    [_RNG.random((2, 2, 2)), _RNG.random((2, 3, 4))],
    ("the sign is flipped: positive should mean more for real faces", lambda real, forged: forged - real),
    ("the absolute value hides which of the two is larger: keep the sign", lambda real, forged: abs(real - forged)),
    ("this is the ratio: real minus forged", lambda real, forged: real / forged),
)
def difference(real, forged):
    """Real minus forged: a positive value means a stronger response to real faces, whose p_real is near 1."""
    return real - forged


@filters.like_p_value
def p_value(true, drawn):
    """The true labels are one of the exchanges, so p is never 0, and few people can never give a small p."""
    return (1 + np.sum(drawn >= true)) / (1 + len(drawn))


def _softmax(scores):
    """The softmax of two scores; anything else stays, so that its shape is reported."""
    scores = np.asarray(scores, float)
    return np.exp(scores) / np.exp(scores).sum() if scores.shape == (2,) else scores


@solution(
    [[1.5], [-0.7], [0.2]],
    ("two scores are needed: the softmax of a single one is always 1", lambda z: [z], lambda z: z),
    ("the order is flipped: forged first, real second", lambda z: (z / 2, -z / 2)),
    ("the difference should be z, not 2 z", lambda z: (-z, z)),
    read=_softmax,
)
def two_logits(z):
    """The softmax of these two scores is (p_forged, p_real)."""
    return (-z / 2, z / 2)


@solution(
    [[_RNG.random(shape), _RNG.random(shape) > 0.6] for shape in ((2, 3), (4, 4))],
    ("this is the mask's share of the picture: weight each pixel by the map", lambda map_, mask: mask.mean()),
    ("this is the mean inside the mask: divide by the sum of the whole map", lambda map_, mask: map_[mask].mean()),
    ("this is the sum inside the mask: divide by the sum of the whole map", lambda map_, mask: map_[mask].sum()),
    ("this is the share outside the mask", lambda map_, mask: map_[~mask].sum() / map_.sum()),
)
def share_inside(map_, mask):
    """The share of the explanation inside the mask; a uniform map gets the mask's share of the picture."""
    return map_[mask].sum() / map_.sum()


def _band(size, low, high, line=None, radius=np.hypot):
    line = np.fft.fftfreq(size) * size if line is None else line
    distance = radius(line[:, None], line[None, :])
    return (low <= distance) & (distance < high)


def _square(down, across):
    return np.maximum(abs(down), abs(across))


@solution(
    [[16, 2, 5], [15, 3, 6]],
    ("frequency 0 is in the middle, but np.fft.fft2 has it first: no fftshift", lambda *a: np.fft.fftshift(_band(*a))),
    ("the second half of an axis holds negative frequencies", lambda n, low, high: _band(n, low, high, np.arange(n))),
    ("this is a square frame: the distance from 0 is np.hypot", partial(_band, radius=_square)),
    ("the lower edge is missing", lambda size, low, high: _band(size, 0, high)),
    ("np.fft.fftfreq counts cycles per pixel: times size", lambda n, low, high: _band(n, low * n, high * n)),
)
def ring(size, low, high):
    """The band is a ring: (size, size) bool, with the corners in the finest band and the mean colour in none."""
    return _band(size, low, high)
