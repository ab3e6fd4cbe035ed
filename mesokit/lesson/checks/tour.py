"""Checks of the exercises of `00_tour`."""

from functools import partial

import numpy as np

from mesokit.lesson.checks import Mistake, solution, text


@solution(
    [[0.97], [0.03], [0.6], [0.4]],
    ("the labels are flipped: near 1 p_real means real", lambda p: "forged" if p > 0.5 else "real"),
    ("the answer is always the same: compare p_real with 0.5", lambda p: "real", lambda p: "forged"),
    edges=[("0.5 is not above the threshold", [0.5])],
)
def verdict(p_real):
    """Above one half the verdict is real: the network's 1 always means real, as in the paper."""
    return "real" if p_real > 0.5 else "forged"


@solution(
    [[np.random.default_rng(0).integers(0, 256, shape, np.uint8)] for shape in ((3, 2, 3), (2, 4, 3))],
    ("the network takes a batch: picture[None] puts an axis in front", lambda x: x[..., ::-1] / 255),
    ("these are whole numbers: // leaves nothing between 0 and 1", lambda x: x[None, ..., ::-1] // 255),
    ("the division by 255 is missing: the network takes 0 to 1", lambda x: x[None, ..., ::-1], lambda x: x[None]),
    ("this is still BGR: reverse the last axis with [..., ::-1]", lambda x: x[None] / 255),
    ("this turns the picture upside down: the colours are the last axis", lambda x: x[None, ::-1] / 255),
    ("this mirrors the picture: the colours are the last axis", lambda x: x[None, :, ::-1] / 255),
    ("this reverses all axes: only the last one holds the colours", lambda x: x[None, ::-1, ::-1, ::-1] / 255),
)
def network_input(picture):
    """BGR (h, w, 3) uint8 becomes a batch of one, (1, h, w, 3), with red first and values from 0 to 1."""
    return picture[None, ..., ::-1] / 255


def _whole(indices):
    if (np.asarray(indices) % 1).any():
        raise Mistake(f"round, or divide with //: got {text(indices)}, expected whole numbers")
    return indices


@solution(
    [[100, 4], [90, 3], [1000, 2]],
    ("these are the first frames, which are nearly the same picture", lambda frames, n: range(n)),
    ("these are the starts of the pieces: add half a piece", lambda frames, n: np.arange(n) * frames // n),
    ("these are the ends of the pieces: subtract half a piece", lambda frames, n: np.arange(1, n + 1) * frames // n),
    ("the first and the last frame often fade", lambda frames, n: np.linspace(0, frames - 1, n).round()),
    read=_whole,
    atol=1,  # the middle of 25 frames may be 12 or 13
)
def even_frames(n_frames, n):
    """The indices are the middles of n equal pieces of the clip."""
    return [(2 * i + 1) * n_frames // (2 * n) for i in range(n)]


def _side(landmarks, factor=1.3 * 2.2, pick=max, axis=0, weight=(1, 1)):
    eyes, mouth = landmarks[:2], landmarks[3:]
    down = (mouth.mean(axis) - eyes.mean(axis)) * weight
    return factor * pick(np.linalg.norm(eyes[1] - eyes[0]), np.linalg.norm(down))


@solution(
    [
        [
            np.array([[100, 100], [160, 100], [130, 130], [110, 140], [150, 140]], float)
        ],  # eyes 60 apart, mouth 40 below
        [np.array([[100, 100], [130, 140], [90, 140], [60, 170], [80, 190]], float)],  # tilted: eyes 50 apart, mouth 75
        [np.array([[90, 120], [110, 120], [130, 150], [95, 220], [115, 222]], float)],  # turned aside: eyes 20 apart
    ],
    ("the factor 2.2 is missing", partial(_side, factor=1.3)),
    ("the factor 1.3 is missing", partial(_side, factor=2.2)),
    ("the factor 1.3 x 2.2 is missing", partial(_side, factor=1)),
    ("use the larger distance, which keeps the whole face in the crop", partial(_side, pick=min)),
    ("use the larger distance, not the mean", partial(_side, pick=lambda eyes, mouth: (eyes + mouth) / 2)),
    ("this is the eyes only: they come close when a head turns aside", partial(_side, pick=lambda eyes, mouth: eyes)),
    ("this is the distance to the mouth only", partial(_side, pick=lambda eyes, mouth: mouth)),
    ("the distance to the mouth needs x and y: a head may be tilted", partial(_side, weight=(0, 1))),
    ("the middle of two points is their mean over axis 0", partial(_side, axis=1)),
)
def crop_side(landmarks):
    """The crop of the authors: 2.86 times the larger of the two distances."""
    return _side(landmarks)
