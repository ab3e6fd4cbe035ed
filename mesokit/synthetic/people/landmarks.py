"""The landmarks of a rendered face: which points of the head they are, and the rows of each part of the face."""

import numpy as np

from mesokit.synthetic.people import head

_OFF_FACE = ("crown", "vertex", "skull", "behind", "under", "throat", "side", "hair", "trichion", "temple4")
LANDMARKS = tuple(n for n in head.NAMES if not n.startswith(_OFF_FACE))


def _at(*names):
    return np.array([LANDMARKS.index(n) for n in names])


def _ring(side):
    up, lo = [f"lid_up{k}{side}" for k in range(1, 6)], [f"lid_lo{k}{side}" for k in range(5, 0, -1)]
    return _at(f"eye_in{side}", *up, f"eye_out{side}", *lo)


def _lip(upper, lower):
    across = [f"{upper}{k}_l" for k in (3, 2, 1)] + [f"{upper}0"] + [f"{upper}{k}_r" for k in (1, 2, 3)]
    back = [f"{lower}{k}_r" for k in (3, 2, 1)] + [f"{lower}0"] + [f"{lower}{k}_l" for k in (1, 2, 3)]
    return _at("mouth_l", *across, "mouth_r", *back)


# Rows of the landmark array; 'left' is the smaller x. Rings run around, lines run from left to right or downwards.
GROUPS = {
    "eye_left": _ring("_l"), "eye_right": _ring("_r"),
    "brow_left": _at(*(f"brow{k}_l" for k in (5, 4, 3, 2, 1))),
    "brow_right": _at(*(f"brow{k}_r" for k in (1, 2, 3, 4, 5))),
    "nose_bridge": _at("nasion", "bridge1", "bridge2", "supratip", "tip"),
    "nose_base": _at("ala_l", "ala_bottom_l", "sill_l", "subnasale", "sill_r", "ala_bottom_r", "ala_r"),
    "mouth_outer": _lip("ul_out", "ll_out"), "mouth_inner": _lip("ul_in", "ll_in"),
    "jaw": _at(*(f"jaw{k}_l" for k in range(1, 8)), "menton", *(f"jaw{k}_r" for k in range(7, 0, -1))),
}  # fmt: skip
FIVE = {
    "eye_left": GROUPS["eye_left"],
    "eye_right": GROUPS["eye_right"],
    "nose": _at("tip"),
    "mouth_left": _at("mouth_l"),
    "mouth_right": _at("mouth_r"),
}
ROWS = head.ids(*LANDMARKS)  # of the head's control points
