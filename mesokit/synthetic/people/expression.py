"""Expressions: how the control points of a head move when the jaw opens, lips shape a sound, eyes blink, brows lift."""

import numpy as np

from mesokit.synthetic.people.head import CONTROLS, EYE, HINGE, INDEX, LIP_ROWS, NAMES, _brush, ids

_STEMS = [n[:-2] if n.endswith(("_l", "_r")) else n for n in NAMES]


def _field(**by_stem):
    """(n, 1) array: a value per control, chosen by its name without side; 0 elsewhere."""
    return np.array([by_stem.get(stem, 0.0) for stem in _STEMS])[:, None]


def _rows(*prefixes):
    return np.array([i for i, n in enumerate(NAMES) if n.startswith(prefixes)])


_WITH_CHIN = [
    "ll_in0",
    "ll_in1",
    "ll_in2",
    "ll_mid0",
    "ll_mid1",
    "ll_mid2",
    "ll_out0",
    "ll_out1",
    "ll_out2",
    "sulcus",
    "chin1",
    "chin2",
    "chin3",
    "pogonion",
    "menton",
    "jaw6",
    "jaw7",
    "under1",
]
# How far each control follows the jaw: lips' lower half and chin fully, cheeks and gonion partly.
_JAW = _field(
    **dict.fromkeys(_WITH_CHIN, 1.0),
    ll_in3=0.78, ll_mid3=0.8, ll_out3=0.82, mouth=0.42, ul_in3=0.1, below_corner=0.82, jaw5=0.95, jaw4=0.85,
    jaw3=0.55, jaw2=0.15, cheek7=0.7,
    cheek8=0.55, cheek9=0.4, nl3=0.35, cheek4=0.25, cheek5=0.15, under2=0.5, under3=0.7, under4=0.4,
    ul_in2=0.03,
)  # fmt: skip
_SIGN = np.sign(CONTROLS[:, :1])
_SIDE = np.clip(np.abs(CONTROLS[:, :1]) / 2.5, 0, 1)


def _moves():
    """Displacements (n, 3) at full strength of the actions that are linear."""
    d = CONTROLS.astype(float)
    corner = _field(mouth=1, ul_in3=0.8, ll_in3=0.8, ul_out3=0.75, ll_out3=0.8, ul_mid3=0.78, ll_mid3=0.8,
    ul_in2=0.45, ll_in2=0.45, ul_out2=0.4,
                    ll_out2=0.45, ul_mid2=0.42, ll_mid2=0.45, ul_in1=0.18, ll_in1=0.18, ul_out1=0.12,
                    ll_out1=0.2, ul_mid1=0.12, ll_mid1=0.18,
                    below_corner=0.7, nl3=0.7, nl2=0.5, cheek7=0.25, chin3=0.15)  # fmt: skip
    smile = corner * np.c_[0.62 * _SIGN, np.full_like(_SIGN, 0.42), np.full_like(_SIGN, -0.42)]
    smile += _field(ul_out0=1, ul_out1=1, ul_mid0=0.8, ul_mid1=0.8, ul_in0=0.6, ul_in1=0.6, ul_mid2=0.3) * [
        0,
        0.13,
        -0.18,
    ]
    smile += _brush(d, (3.9, -3.0, 9.3), 1.2, (0.1, 0.38, 0.2)) + _brush(d, (2.6, -4.6, 9.6), 0.8, (0.22, 0.25, 0.05))
    smile += _brush(d, (1.7, -3.9, 10.2), 0.7, (0.12, 0.06, 0)) + _field(
        lid_lo2=1, lid_lo3=1, lid_lo4=1, lid_lo5=0.5, lid_lo1=0.5, bag1=0.8, bag2=1, bag3=0.8
    ) * [0, 0.1, 0]
    lips = _rows("ul_", "ll_")
    pucker = corner * np.c_[-0.75 * _SIGN, np.zeros_like(_SIGN), np.full_like(_SIGN, 0.35)]
    front = np.zeros_like(_SIGN)
    front[lips] = 1 - 0.5 * _SIDE[lips]
    pucker += front * [0, 0, 0.38]
    pucker += _field(ul_in0=1, ul_in1=0.8) * [0, 0.16, 0] + _field(ll_in0=1, ll_in1=0.8) * [0, -0.16, 0]
    press = np.zeros_like(d)
    for row, dy, dz in (
        ("ul_out", -0.12, -0.18),
        ("ul_mid", -0.2, -0.32),
        ("ul_in", -0.05, -0.3),
        ("ll_out", 0.14, -0.15),
        ("ll_mid", 0.24, -0.3),
        ("ll_in", 0.05, -0.3),
    ):
        press[_rows(row)] += [0, dy, dz]
    upper = _field(
        ul_out0=1,
        ul_out1=1,
        ul_out2=0.9,
        ul_mid0=1,
        ul_mid1=1,
        ul_mid2=0.9,
        ul_in0=1,
        ul_in1=1,
        ul_in2=0.8,
        philtrum=0.5,
        philtrum1=0.5,
        philtrum2=0.5,
    ) * [0, 0.3, 0.05]
    brow = _field(
        brow1=0.9,
        brow2=1.05,
        brow3=1.1,
        brow4=1.0,
        brow5=0.7,
        brow_up1=0.8,
        brow_up2=0.8,
        orbit2=0.5,
        fold2=0.12,
        glabella=0.5,
        forehead_low=0.6,
        forehead1=0.4,
        forehead2=0.4,
    ) * [0, 0.55, 0]
    furrow = np.c_[-_SIGN * 0.3, np.full_like(_SIGN, -0.28), np.full_like(_SIGN, 0.12)] * _field(
        brow1=1, brow2=0.7, brow3=0.3
    )
    squint = _field(lid_lo1=0.6, lid_lo2=1, lid_lo3=1, lid_lo4=1, lid_lo5=0.7, bag1=0.7, bag2=0.8, bag3=0.7) * [
        0,
        0.16,
        0.02,
    ]
    squint += _field(lid_up1=0.5, lid_up2=0.8, lid_up3=0.9, lid_up4=0.9, lid_up5=0.7) * [0, -0.12, 0]
    return {
        "smile": smile,
        "pucker": pucker,
        "press": press,
        "upper": upper,
        "brow": brow,
        "furrow": furrow,
        "squint": squint,
    }


_MOVES = _moves()
# Closing the slightly open mouth of the control table: both rims meet a little above the middle.
_CLOSE = {
    "ul_in": 0.50,
    "ll_in": 0.62,
    "ll_mid": 0.40,
    "ll_out": 0.34,
    "ul_mid": 0.22,
    "ul_out": 0.06,
    "sulcus": 0.25,
    "chin3": 0.25,
}


def _close_lips(p):
    for a, b in zip(LIP_ROWS["ul_in"], LIP_ROWS["ll_in"], strict=True):
        gap = p[INDEX[a]] - p[INDEX[b]]
        column = a[5:]
        for row, share in _CLOSE.items():
            name = row + column if row + column in INDEX else (row if column == "0" and row in INDEX else None)
            if name:
                p[INDEX[name]] += gap * share * (-1 if row.startswith("ul") else 1)


def _turn_x(points, pivot, degrees):
    """Rotate about the x axis through `pivot`; `degrees` (n, 1), positive moves the front downwards."""
    a = np.deg2rad(degrees)
    y, z = points[:, 1:2] - pivot[1], points[:, 2:3] - pivot[2]
    return np.c_[points[:, :1], pivot[1] + y * np.cos(a) - z * np.sin(a), pivot[2] + z * np.cos(a) + y * np.sin(a)]


def _lids(p, side, closed, gaze_y):
    """Slide the upper rim along the eyeball towards the lower one; lids also follow the gaze."""
    closed = float(np.clip(closed + 0.012 * -gaze_y * (1 - closed), -0.25, 1))
    eye = eyeball(p, side)
    for k in range(1, 6):
        up, lo = INDEX[f"lid_up{k}{side}"], INDEX[f"lid_lo{k}{side}"]
        goal = p[lo] + [0, 0.03, 0.03]
        on = p[up] * (1 - closed) + goal * closed - eye
        radius = np.linalg.norm(p[up] - eye) * (1 - closed) + np.linalg.norm(goal - eye) * closed
        p[up] = eye + on * (radius / np.linalg.norm(on))
        p[lo] += [0, 0.02 * closed - 0.004 * gaze_y * -1 * (1 - closed), 0]
    for name, amount in (("fold1", 0.2), ("fold2", 0.3), ("fold3", 0.25)):
        p[INDEX[name + side]] += np.array([0, -0.5, 0.05]) * amount * closed


def eyeball(p, side):
    """Centre of an eyeball, (3,), from the corners of its lids in a head's control points."""
    corners = p[ids("eye_in" + side, "eye_out" + side)]
    rest = CONTROLS[ids("eye_in" + side, "eye_out" + side)].mean(0)
    return EYE * ([-1, 1, 1] if side == "_l" else 1) + corners.mean(0) - rest


def express(p, state):
    """Control points (n, 3) of a head at rest in table pose -> (n, 3) float32 showing the expression of `state`."""
    p = np.array(p, float)
    for side, blink in (("_l", state.blink_left), ("_r", state.blink_right)):
        _lids(p, side, blink, state.gaze_y)
    _close_lips(p)
    wide = np.clip(-state.pucker, 0, 1)
    for name in ("pucker", "press", "upper", "furrow", "squint"):
        p += max(getattr(state, name), 0.0) * _MOVES[name]
    p += state.brow * _MOVES["brow"] + (state.smile + 0.35 * wide) * _MOVES["smile"]
    if state.jaw:
        p = p + _JAW * (_turn_x(p, HINGE, np.full((len(p), 1), 17.0 * state.jaw)) - p)
    return p.astype(np.float32)
