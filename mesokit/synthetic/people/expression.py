"""Expressions: how the control points of a head move when the jaw opens, lips shape a sound, eyes blink, brows lift.

`expression.json` lists, for each action, groups of controls and how far (cm) they move at full strength; `shares` gives
the part of that move that each control makes. Control names have no side there: right ones (x > 0) move as listed, left
ones move as their mirror image. `closing` gives the part of the gap between the lips by which each row of them moves.
"""

from pathlib import Path

import numpy as np

from mesokit import files
from mesokit.synthetic.people.head import CONTROLS, EYE, HINGE, INDEX, NAMES, brush, ids, lid_names, lip_names

_TABLE = files.read_json(Path(__file__).with_name("expression.json"))
_STEMS = [name.removesuffix("_l").removesuffix("_r") for name in NAMES]
_SHARES = {group: np.array([[shares.get(stem, 0.0)] for stem in _STEMS]) for group, shares in _TABLE["shares"].items()}
# All of the lips move, at the corners half as much as in the middle.
_of_lips = [[stem.startswith(("ul_", "ll_"))] for stem in _STEMS]
_SHARES["lips"] = np.where(_of_lips, 1 - 0.5 * np.clip(np.abs(CONTROLS[:, :1]) / 2.5, 0, 1), 0)
_SIGN = np.sign(CONTROLS[:, :1])  # float32: 1 on the right side, -1 on the left, 0 in the middle


def _mirrored(x, y, z):
    """A move of the right side -> moves (n, 3) of all controls, or one (3,) for all where it has no x."""
    # float32 in one case and float64 in the other: the last bits of all landmarks depend on it.
    return np.c_[x * _SIGN, np.full_like(_SIGN, y), np.full_like(_SIGN, z)] if x else np.array([x, y, z])


def _action(groups):
    """Displacements (n, 3) of all controls: the sum over groups of share times move."""
    return sum(_SHARES[group] * _mirrored(*move) for group, move in groups.items())


_ACTIONS = {name: _action(groups) for name, groups in _TABLE["actions"].items()}
_ACTIONS["smile"] += sum(brush(CONTROLS.astype(float), **cheek) for cheek in _TABLE["smiling_cheeks"])


def _close_lips(p):
    """Close the slightly open mouth of the control table in place: both rims meet a little above the middle."""
    p[INDEX["sulcus"]] += 0.25 * (p[INDEX["ul_in0"]] - p[INDEX["ll_in0"]])
    for upper, lower in zip(lip_names("ul_in")[1:-1], lip_names("ll_in")[1:-1], strict=True):
        gap, column = p[INDEX[upper]] - p[INDEX[lower]], upper.removeprefix("ul_in")
        for row, share in _TABLE["closing"].items():
            p[INDEX[row + column]] += gap * share


def _turn_x(points, pivot, degrees):
    """Rotate points (n, 3) about the x axis through `pivot`; a positive angle moves the front downwards."""
    a = np.deg2rad(degrees)
    y, z = points[:, 1:2] - pivot[1], points[:, 2:3] - pivot[2]
    return np.c_[points[:, :1], pivot[1] + y * np.cos(a) - z * np.sin(a), pivot[2] + z * np.cos(a) + y * np.sin(a)]


def _lids(p, side, closed, gaze_y):
    """Slide the upper rim along the eyeball towards the lower one; lids also follow the gaze."""
    closed = float(np.clip(closed - 0.012 * gaze_y * (1 - closed), -0.25, 1))
    eye = eye_centre(p, side)
    for up, lo in zip(ids(*lid_names("up", side))[1:-1], ids(*lid_names("lo", side))[1:-1], strict=True):
        goal = p[lo] + [0, 0.03, 0.03]
        on = p[up] * (1 - closed) + goal * closed - eye
        radius = np.linalg.norm(p[up] - eye) * (1 - closed) + np.linalg.norm(goal - eye) * closed
        p[up] = eye + on * (radius / np.linalg.norm(on))
        p[lo] += [0, 0.02 * closed + 0.004 * gaze_y * (1 - closed), 0]
    for name, amount in (("fold1", 0.2), ("fold2", 0.3), ("fold3", 0.25)):
        p[INDEX[name + side]] += np.array([0, -0.5, 0.05]) * amount * closed


def eye_centre(p, side):
    """Centre of an eyeball, (3,), from the corners of its lids in a head's control points."""
    corners = ids("eye_in" + side, "eye_out" + side)
    return EYE * ([-1, 1, 1] if side == "_l" else 1) + p[corners].mean(0) - CONTROLS[corners].mean(0)


def express(p, state):
    """Control points (n, 3) of a head at rest in table pose -> (n, 3) float32 showing the expression of `state`."""
    p = np.array(p, float)
    for side, blink in (("_l", state.blink_left), ("_r", state.blink_right)):
        _lids(p, side, blink, state.gaze_y)
    _close_lips(p)
    wide = np.clip(-state.pucker, 0, 1)
    for name in ("pucker", "press", "upper", "furrow", "squint"):
        p += max(getattr(state, name), 0.0) * _ACTIONS[name]
    p += state.brow * _ACTIONS["brow"] + (state.smile + 0.35 * wide) * _ACTIONS["smile"]
    if state.jaw:
        p += _SHARES["jaw"] * (_turn_x(p, HINGE, 17.0 * state.jaw) - p)
    return p.astype(np.float32)
