"""The head as geometry: named control points, bones that vary from person to person, and the dense surface.

Units are centimetres in the head's own frame: x to the viewer's right, y up, z towards the viewer, eyes near y = 0.
The surface is addressed by (u, v) in [-1, 1]: an azimuthal map of directions from `CENTRE`, denser near the nose. Its
only singular point is at the back of the skull, which the camera never sees. Distances are averages of adult
anthropometry (eye distance 6.3, bizygomatic width 13.4, nasion to chin 11.6); no scanned data is used.

`head.json` holds the control points of the average head and the bones. Both list the middle and the right side only
(x >= 0); the left side is the mirror image. The mouth is slightly open and the eyes are open, so that upper and lower
rims differ in (u, v).
"""

from functools import cache
from pathlib import Path

import numpy as np

from mesokit import files

CENTRE = np.array([0.0, -2.0, 0.0], np.float32)
GRID = 168  # vertices along one side of the dense surface
EXTENT = 1.05  # (u, v) radius of the rim: 163 degrees away from the viewer
EYE = np.array([3.08, 0.14, 7.6], np.float32)  # centre of the right eyeball (larger x)
_LID_RADIUS = 1.26  # of the eyeball plus the thickness of a lid
HINGE = np.array([0.0, -2.0, 0.5], np.float32)  # axis of the jaw

_TABLE = files.read_json(Path(__file__).with_name("head.json"))
BONES = _TABLE["bones"]  # each moves the points within its reach; one unit is about one standard deviation
SCALES = ("face_width", "face_length", "eye_size", "eye_tilt", "eye_apart", "upper_lip", "lower_lip", "crooked")
EYE_ROWS = ("eye_in", "eye_out", "lid_up", "lid_lo")
# How far the eyes' size, tilt and distance move what lies around the openings.
_EYE_REGION = {**dict.fromkeys(EYE_ROWS, 1.0), "fold": 0.6, "bag": 0.6, "orbit": 0.4, "brow": 0.3}
_LIP_RISE = {"ul_out": 0.12, "ul_mid": 0.06, "ll_out": -0.14, "ll_mid": -0.07}  # cm upwards, of fuller lips


def _controls():
    """Names and positions (n, 3) of all control points: middle, then left ('_l', smaller x) and right ('_r') pairs."""
    names, points = [], []
    for name, (x, y, *z) in _TABLE["controls"].items():
        # A rim of a lid has no z in the table: it lies on the eyeball.
        z = z[0] if z else EYE[2] + np.sqrt(_LID_RADIUS**2 - (x - EYE[0]) ** 2 - (y - EYE[1]) ** 2)
        names += [f"{name}_l", f"{name}_r"] if x else [name]
        points += [(-x, y, z), (x, y, z)] if x else [(x, y, z)]
    return tuple(names), np.array(points, np.float32)


NAMES, CONTROLS = _controls()
INDEX = {name: i for i, name in enumerate(NAMES)}


def ids(*names):
    """Row numbers of control points, in the order given."""
    return np.array([INDEX[name] for name in names])


def lid_names(rim, side):
    """Controls of a rim ('up' or 'lo') of an eye opening ('_l' or '_r'), from the inner to the outer corner."""
    return [f"eye_in{side}", *(f"lid_{rim}{k}{side}" for k in range(1, 6)), f"eye_out{side}"]


def lip_names(row):
    """Controls of a contour of the lips ('ul_in', 'll_out', ...), from the left to the right corner of the mouth."""
    left, right = ([f"{row}{k}{side}" for k in (1, 2, 3)] for side in ("_l", "_r"))
    return ["mouth_l", *reversed(left), f"{row}0", *right, "mouth_r"]


def to_uv(points):
    """(n, 3) head points -> (n, 2) float32 (u, v), v downwards."""
    d = np.asarray(points, np.float32) - CENTRE
    d = d / np.linalg.norm(d, axis=-1, keepdims=True)
    angle = np.arccos(np.clip(d[..., 2], -1, 1))
    rho = angle / (1 + 0.6 * angle)
    flat = np.maximum(np.linalg.norm(d[..., :2], axis=-1), 1e-9)
    return (np.stack([d[..., 0], -d[..., 1]], -1) * (rho / flat)[..., None]).astype(np.float32)


def _directions(uv):
    rho = np.minimum(np.linalg.norm(uv, axis=-1), EXTENT)
    angle = rho / (1 - 0.6 * rho)
    flat = np.maximum(np.linalg.norm(uv, axis=-1), 1e-9)
    s = np.sin(angle) / flat
    return np.stack([uv[..., 0] * s, -uv[..., 1] * s, np.cos(angle)], -1)


def _ellipsoid(d):
    wide, tall = np.full(d.shape[:-1], 7.3), np.where(d[..., 1] > 0, 13.4, 10.5)
    axes = np.stack([wide, tall, np.where(d[..., 2] > 0, 10.0, 9.0)], -1)
    return 1 / np.sqrt(((d / axes) ** 2).sum(-1))


def _kernel(a, b):
    r2 = ((a[:, None] - b[None]) ** 2).sum(-1)
    return r2 * np.log(r2 + 1e-12)


def _between():
    """Matrix (extra, controls): points between neighbours on the rims of lids and mouth (Catmull-Rom).

    Rims that touch and part again need more support than their few controls, or the surface ripples between these.
    """
    rings = [lid_names(rim, side) for side in ("_l", "_r") for rim in ("up", "lo")]
    rings += [lip_names(row) for row in ("ul_in", "ll_in")]
    rows = []
    for ring in rings:
        at = [INDEX[name] for name in ring]
        for i in range(len(at) - 1):
            for t in (1 / 3, 2 / 3):
                row = np.zeros(len(CONTROLS))
                near = [at[max(i - 1, 0)], at[i], at[i + 1], at[min(i + 2, len(at) - 1)]]
                cubic = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
                np.add.at(row, near, np.array(cubic) / 2)
                rows.append(row)
    return np.array(rows)


@cache
def _spline():
    """Thin-plate spline through the controls and a fixed rim -> (matrix from values to weights, centres)."""
    between = _between()
    rim = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rim = np.concatenate([np.stack([np.cos(rim), np.sin(rim)], -1) * r for r in (0.97, 1.04)])
    ring = ~((rim[:, 1] > 0.3) & (np.abs(rim[:, 0]) < 0.3))  # the throat has its own controls
    centres = np.concatenate([to_uv(CONTROLS).astype(float), to_uv(between @ CONTROLS), rim[ring]])
    n = len(centres)
    a = np.zeros((n + 3, n + 3))
    a[:n, :n] = _kernel(centres, centres)
    a[:n, n:] = np.c_[np.ones(n), centres]
    a[n:, :n] = a[:n, n:].T
    inverse, m = np.linalg.inv(a), len(CONTROLS)
    return inverse[:, :m] + inverse[:, m : m + len(between)] @ between, centres


def weights(uv):
    """(n, 2) -> (n, controls) float32: how much a displacement of each control moves the surface at (u, v)."""
    matrix, centres = _spline()
    uv = np.asarray(uv, float)
    basis = np.c_[_kernel(uv, centres), np.ones(len(uv)), uv]
    return (basis @ matrix).astype(np.float32)


def surface(uv):
    """(n, 2) -> (n, 3) float32 points of the average head."""
    d, dc = _directions(np.asarray(uv, float)), CONTROLS - CENTRE
    rc = np.linalg.norm(dc, axis=-1)
    extra = weights(uv) @ (rc - _ellipsoid(dc / rc[:, None]))
    return (CENTRE + d * (_ellipsoid(d) + extra)[:, None]).astype(np.float32)


@cache
def axes():
    """u of the columns and v of the rows of the dense surface (GRID,): closer together where lids and lips move."""

    def spread(dense_ranges):
        fine = np.linspace(-EXTENT, EXTENT, 4001)
        density = np.ones_like(fine)
        for low, high, factor in dense_ranges:
            density += (factor - 1) / (1 + np.exp(-np.minimum(fine - low, high - fine) / 0.012))
        total = np.cumsum(density)
        return np.interp(np.linspace(total[0], total[-1], GRID), total, fine)

    mouth, eyes = to_uv(np.array([(0, -6.1, 11), (0, -7.4, 11), (3, 0.9, 8.8), (3, -0.7, 8.8)]))[:, 1].reshape(2, 2)
    return spread([(-0.40, 0.40, 1.8)]), spread([(*mouth, 3.5), (*eyes, 2.6)])


@cache
def dense():
    """Shared by all heads, for each vertex of the grid: average point, spline weights, whether it is within the rim."""
    uv = np.stack(np.meshgrid(*axes()), -1).reshape(-1, 2)
    return surface(uv), weights(uv), np.linalg.norm(uv, axis=-1) < EXTENT + 0.01


def brush(points, at, reach, move):
    """Displacement (n, 3) of `points`: `move` at the centre `at`, falling off as a Gaussian, and its mirror image."""
    at, move, flip = np.array(at, float), np.array(move, float), np.array([-1.0, 1, 1])
    w = np.exp(-((points - at) ** 2).sum(-1) / (2 * reach**2))[:, None]
    if at[0] == 0:
        return w * move
    m = np.exp(-((points - at * flip) ** 2).sum(-1) / (2 * reach**2))[:, None]
    return w * move + m * move * flip


def _eyes(p, size, tilt, apart):
    """Scale, tilt and separate the eye openings in place; what lies around them follows by a share."""
    for side, sign in (("_l", -1), ("_r", 1)):
        for stem, amount in _EYE_REGION.items():
            rows = [i for n, i in INDEX.items() if n.startswith(stem) and n.endswith(side)]
            x, y = p[rows, 0] * sign - EYE[0], p[rows, 1] - EYE[1]
            p[rows, 0] = sign * (p[rows, 0] * sign + amount * (0.1 * apart + 0.045 * size * x))
            p[rows, 1] += amount * ((0.11 * size * y if stem in EYE_ROWS else 0) + 0.055 * tilt * x)
    return p


def identity(shape):
    """`shape`: mapping of BONES and SCALES to standard deviations -> control points (n, 3) of this head."""
    p = CONTROLS.astype(float)
    p = _eyes(p, shape["eye_size"], shape["eye_tilt"], shape["eye_apart"])
    move = sum(shape[name] * brush(CONTROLS, **part) for name, parts in BONES.items() for part in parts)
    p = p + move
    for row, rise in _LIP_RISE.items():
        fuller = shape["upper_lip" if row.startswith("ul") else "lower_lip"]
        p[ids(*lip_names(row)[1:-1]), 1:] += fuller * np.array([rise, abs(rise) / 2])
    p[:, 0] *= 1 + 0.035 * shape["face_width"]
    low = np.clip((0.5 - p[:, 1]) / 10, 0, 1.2)
    p[:, 1] -= 0.35 * shape["face_length"] * low
    p[:, 0] += 0.06 * shape["crooked"] * np.clip(-p[:, 1] / 6, -1, 1.6)  # no face is symmetric
    p[:, 1] += 0.05 * shape["crooked"] * np.sign(p[:, 0]) * np.clip(np.abs(p[:, 0]) / 3, 0, 1)
    return p.astype(np.float32)
