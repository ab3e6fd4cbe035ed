"""The exercises of 07: right answers pass, each mistake is told."""

import numpy as np


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
    ("mean_map", lambda a: a.mean(axis=(0, 3))),
    ("difference", lambda real, forged: real - forged),
    ("p_value", lambda true, drawn: (1 + np.sum(drawn >= true)) / (1 + len(drawn))),
    ("two_logits", lambda z: (-z / 2, z / 2)),
    ("two_logits", lambda z: [0, z]),
    ("share_inside", lambda m, mask: m[mask].sum() / m.sum()),
    ("ring", right_ring),
]
WRONG = [
    ("mean_map", lambda a: a.sum(axis=(0, 3)), "this is the sum"),
    ("mean_map", lambda a: a.mean(axis=(1, 2)), "averaged over the places"),
    ("mean_map", lambda a: a.mean(axis=0), "a map for each filter"),
    ("mean_map", lambda a: a.mean(axis=3), "a map for each face"),
    ("mean_map", lambda a: a.max(axis=(0, 3)), "for outputs = ndarray (5, 3, 4, 2), at [0, 0]: got"),
    ("difference", lambda real, forged: forged - real, "sign is flipped"),
    ("difference", lambda real, forged: abs(real - forged), "keep the sign"),
    ("difference", lambda real, forged: real / forged, "minus"),
    ("p_value", lambda true, drawn: np.mean(drawn >= true), "one more case"),
    ("p_value", lambda true, drawn: np.mean(drawn < true), "other end"),
    ("p_value", lambda true, drawn: (1 + np.sum(drawn > true)) / (1 + len(drawn)), ">=, not >"),
    ("p_value", lambda true, drawn: 0.05, "got 0.05, expected 0.6"),
    ("two_logits", lambda z: [z], "softmax of a single one"),
    ("two_logits", lambda z: (z / 2, -z / 2), "order is flipped"),
    ("two_logits", lambda z: (-z, z), "not 2 z"),
    ("two_logits", lambda z: (0, 0), "got [0.5, 0.5], expected [0.182426, 0.817574]"),
    ("share_inside", lambda m, mask: mask.mean(), "share of the picture"),
    ("share_inside", lambda m, mask: m[mask].mean(), "mean inside the mask"),
    ("share_inside", lambda m, mask: m[mask].sum(), "sum inside"),
    ("share_inside", lambda m, mask: m[~mask].sum() / m.sum(), "outside"),
    ("share_inside", lambda m, mask: 0.1, "got 0.1, expected"),
    ("ring", lambda *a: np.fft.fftshift(right_ring(*a)), "fftshift"),
    ("ring", square_ring, "square frame"),
    ("ring", corner_ring, "negative frequencies"),
    ("ring", lambda size, low, high: right_ring(size, 0, high), "lower edge is missing"),
    ("ring", lambda size, low, high: right_ring(size, low * size, high * size), "cycles per pixel"),
    ("ring", lambda size, low, high: right_ring(size, low, high + 1), "got True, expected False"),
    ("ring", lambda size, low, high: line(size) > low, "got the shape [16], expected [16, 16]"),
    ("ring", lambda *a: right_ring(*a).astype(int), "not their type: got int64, expected bool"),
]
