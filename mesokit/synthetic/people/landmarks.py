"""The landmarks of a rendered face: which points of the head they are, and the rows of each part of the face."""

import numpy as np

from mesokit.synthetic.people import head

_OFF_FACE = ("crown", "vertex", "skull", "behind", "under", "throat", "side", "hair", "trichion", "temple4")
LANDMARKS = tuple(n for n in head.NAMES if not n.startswith(_OFF_FACE))


def _at(*names):
    return np.array([LANDMARKS.index(n) for n in names])


def _ring(there, back):
    """Rows around an opening: along one rim and back along the other, each named from corner to corner."""
    return _at(*there, *back[-2:0:-1])


# Rows of the landmark array; 'left' is the smaller x. Rings run around, lines run from left to right or downwards.
GROUPS = {
    "eye_left": _ring(head.lid_names("up", "_l"), head.lid_names("lo", "_l")),
    "eye_right": _ring(head.lid_names("up", "_r"), head.lid_names("lo", "_r")),
    "brow_left": _at(*(f"brow{k}_l" for k in (5, 4, 3, 2, 1))),
    "brow_right": _at(*(f"brow{k}_r" for k in (1, 2, 3, 4, 5))),
    "nose_bridge": _at("nasion", "bridge1", "bridge2", "supratip", "tip"),
    "nose_base": _at("ala_l", "ala_bottom_l", "sill_l", "subnasale", "sill_r", "ala_bottom_r", "ala_r"),
    "mouth_outer": _ring(head.lip_names("ul_out"), head.lip_names("ll_out")),
    "mouth_inner": _ring(head.lip_names("ul_in"), head.lip_names("ll_in")),
    "jaw": _at(*(f"jaw{k}_l" for k in range(1, 8)), "menton", *(f"jaw{k}_r" for k in range(7, 0, -1))),
}
_EYES = {name: GROUPS[name] for name in ("eye_left", "eye_right")}
FIVE = {**_EYES, "nose": _at("tip"), "mouth_left": _at("mouth_l"), "mouth_right": _at("mouth_r")}
ROWS = head.ids(*LANDMARKS)  # of the head's control points
