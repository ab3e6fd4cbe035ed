"""The head as geometry: named control points, bone shapes, expressions, and the dense surface through them.

Units are centimetres in the head's own frame: x to the viewer's right, y up, z towards the viewer, eyes near y = 0.
The surface is addressed by (u, v) in [-1, 1]: an azimuthal map of directions from `CENTRE`, denser near the nose, whose
only singular point is at the back of the skull, where no camera of ours looks. Distances are averages of adult
anthropometry (eye distance 6.3, bizygomatic width 13.4, nasion to chin 11.6); no scanned data is used.
"""

from functools import cache

import numpy as np

CENTRE = np.array([0.0, -2.0, 0.0], np.float32)
GRID = 168  # vertices along one side of the dense surface
EXTENT = 1.05  # (u, v) radius of the rim: 163 degrees away from the viewer
EYE = np.array([3.08, 0.14, 7.6], np.float32)  # centre of the right eyeball (larger x)
EYE_RADIUS = 1.2
HINGE = np.array([0.0, -2.0, 0.5], np.float32)  # axis of the jaw

# The mouth of this table is slightly open and the eyes are open, so that upper and lower rims differ in (u, v).
_MID = {
    "crown_front": (0, 9.5, 6.3), "crown": (0, 11.2, 2.5), "vertex": (0, 11.5, -1.5),
    "trichion": (0, 7.0, 8.4),
    "forehead": (0, 4.7, 9.75), "forehead_low": (0, 3.2, 10.15), "glabella": (0, 2.0, 10.35),
    "nasion": (0, 0.7, 10.0),
    "bridge1": (0, -0.7, 10.55), "bridge2": (0, -2.0, 11.4), "supratip": (0, -2.8, 12.05),
    "tip": (0, -3.45, 12.35),
    "infratip": (0, -4.05, 12.0), "columella": (0, -4.42, 11.5), "subnasale": (0, -4.55, 10.95),
    "philtrum": (0, -5.1, 10.9), "ul_out0": (0, -5.72, 11.2), "ul_mid0": (0, -6.12, 11.3),
    "ul_in0": (0, -6.45, 10.85),
    "ll_in0": (0, -6.95, 10.75), "ll_mid0": (0, -7.4, 11.05), "ll_out0": (0, -7.92, 10.65),
    "sulcus": (0, -8.4, 10.15),
    "pogonion": (0, -9.45, 10.5), "menton": (0, -10.6, 9.6), "under1": (0, -11.15, 8.0),
    "under2": (0, -11.6, 5.6),
    "throat": (0, -12.7, 3.6),
}  # fmt: skip
_SIDE = {
    "eye_in": (1.6, -0.12, 8.3), "eye_out": (4.68, 0.1, 7.75),
    "lid_up1": (2.05, 0.25, 0), "lid_up2": (2.55, 0.42, 0), "lid_up3": (3.12, 0.47, 0),
    "lid_up4": (3.7, 0.43, 0), "lid_up5": (4.23, 0.3, 0),
    "lid_lo1": (2.15, -0.33, 0), "lid_lo2": (2.65, -0.46, 0), "lid_lo3": (3.2, -0.5, 0),
    "lid_lo4": (3.75, -0.42, 0), "lid_lo5": (4.25, -0.2, 0),
    "fold1": (1.95, 0.6, 8.6), "fold2": (3.1, 0.9, 8.8), "fold3": (4.2, 0.8, 8.4),
    "fold4": (4.95, 0.35, 7.75),
    "orbit1": (1.5, 0.85, 9.2), "orbit2": (3.2, 1.42, 9.3), "orbit3": (5.15, 1.05, 7.9),
    "brow1": (1.0, 1.55, 10.05), "brow2": (2.1, 1.92, 9.95), "brow3": (3.3, 2.12, 9.65),
    "brow4": (4.45, 2.02, 9.0), "brow5": (5.3, 1.5, 8.05),
    "bag1": (2.15, -0.95, 8.7), "bag2": (3.2, -1.05, 8.8), "bag3": (4.25, -0.85, 8.4),
    "infra1": (2.0, -1.9, 9.05), "infra2": (3.3, -2.0, 9.1), "infra3": (4.7, -1.7, 8.5),
    "infra4": (5.55, -0.4, 7.5),
    "nasion_side": (0.72, 0.45, 9.45), "bridge_side": (0.8, -0.7, 9.95), "wall": (1.0, -1.8, 10.3),
    "wall_base": (1.5, -1.2, 9.2),
    "nose_cheek": (1.95, -2.6, 9.5), "ala_top": (1.15, -2.9, 10.95), "ala": (1.78, -3.65, 10.4),
    "ala_base": (1.72, -4.25, 9.9),
    "ala_bottom": (1.35, -4.38, 10.45), "nostril": (0.68, -4.12, 11.15), "tip_side": (0.58, -3.3, 11.95),
    "ala_front": (1.15, -3.7, 11.2), "sill": (0.8, -4.6, 10.7),
    "nl1": (2.35, -4.0, 9.6), "nl2": (2.95, -5.2, 9.5), "nl3": (3.4, -6.4, 9.15),
    "cheek1": (3.6, -3.3, 9.45), "cheek2": (4.9, -3.0, 8.55), "cheek3": (5.9, -2.0, 7.1),
    "zygion": (6.6, -1.2, 4.6),
    "cheek4": (4.3, -5.4, 8.75), "cheek5": (5.4, -4.9, 6.9), "cheek6": (6.15, -4.5, 4.3),
    "cheek7": (3.7, -7.5, 8.3), "cheek8": (5.0, -7.1, 5.95), "cheek9": (5.5, -6.7, 2.8),
    "jaw1": (6.75, -2.5, 1.8), "jaw2": (6.1, -5.4, 1.5), "jaw3": (5.15, -7.7, 2.2),
    "jaw4": (4.45, -8.95, 4.7), "jaw5": (3.2, -9.75, 6.6), "jaw6": (1.95, -10.4, 8.2),
    "jaw7": (1.05, -10.62, 9.3),
    "chin1": (1.25, -9.35, 10.1), "chin2": (2.5, -9.0, 9.4), "chin3": (1.55, -8.45, 10.0),
    "below_corner": (2.95, -7.6, 9.3),
    "mouth": (2.46, -6.62, 9.75),
    "ul_out1": (0.45, -5.6, 11.22), "ul_out2": (1.25, -5.85, 10.9), "ul_out3": (1.95, -6.25, 10.4),
    "ll_out1": (0.8, -7.88, 10.6), "ll_out2": (1.45, -7.62, 10.4), "ll_out3": (2.05, -7.2, 10.1),
    "ul_in1": (0.7, -6.46, 10.78), "ul_in2": (1.45, -6.5, 10.45), "ul_in3": (2.05, -6.59, 10.05),
    "ll_in1": (0.7, -6.93, 10.7), "ll_in2": (1.45, -6.88, 10.4), "ll_in3": (2.05, -6.78, 10.02),
    "ul_mid1": (0.5, -6.08, 11.3), "ul_mid2": (1.25, -6.22, 10.95), "ul_mid3": (1.95, -6.45, 10.38),
    "ll_mid1": (0.7, -7.38, 11.0), "ll_mid2": (1.4, -7.25, 10.7), "ll_mid3": (2.0, -7.0, 10.18),
    "philtrum1": (0.42, -5.1, 10.98), "philtrum2": (1.4, -5.15, 10.6),
    "brow_up1": (2.0, 3.4, 9.85), "brow_up2": (4.2, 3.7, 8.75), "forehead1": (2.3, 4.8, 9.4),
    "forehead2": (4.3, 4.9, 8.2), "hair1": (2.1, 6.9, 8.1), "hair2": (4.2, 6.6, 7.0),
    "temple1": (5.75, 2.9, 7.1), "temple2": (6.25, 1.0, 6.0), "temple3": (6.1, 4.5, 5.6),
    "temple4": (6.9, 2.4, 3.0), "side1": (7.0, -0.2, 1.6),
    "skull1": (7.15, 5.2, 1.0), "skull2": (7.5, 3.8, -2.5), "skull3": (6.1, 8.0, 0.2),
    "skull4": (3.5, 10.5, 1.2), "skull5": (3.5, 9.1, 5.2), "skull6": (5.3, 7.6, 4.0),
    "skull7": (3.6, 10.6, -3.0),
    "behind1": (7.3, 0.0, -2.0), "behind2": (6.9, -3.5, -2.5), "behind3": (6.0, -7.0, -2.5),
    "under3": (3.4, -11.0, 5.6), "under4": (4.6, -9.9, 2.6), "under5": (4.9, -10.5, -1.0),
}  # fmt: skip


def _table():
    """Names and positions (n, 3) of all control points: middle, then left ('_l', smaller x) and right ('_r') pairs."""
    names, points = list(_MID), [np.array(p, float) for p in _MID.values()]
    for name, (x, y, z) in _SIDE.items():
        if name.startswith(("eye", "lid", "fold", "bag")):
            x, y = x - 0.07, y + 0.12
        if z == 0:  # lid rims lie on the eyeball plus the thickness of the lid
            z = EYE[2] + np.sqrt((EYE_RADIUS + 0.06) ** 2 - (x - EYE[0]) ** 2 - (y - EYE[1]) ** 2)
        names += [name + "_l", name + "_r"]
        points += [np.array([-x, y, z]), np.array([x, y, z])]
    return tuple(names), np.array(points, np.float32)


NAMES, CONTROLS = _table()
INDEX = {name: i for i, name in enumerate(NAMES)}


def ids(*names):
    """Row numbers of control points, in the order given."""
    return np.array([INDEX[name] for name in names])


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
    axes = np.stack(
        [np.full(d.shape[:-1], 7.3), np.where(d[..., 1] > 0, 13.4, 10.5), np.where(d[..., 2] > 0, 10.0, 9.0)],
        -1,
    )
    return 1 / np.sqrt(((d / axes) ** 2).sum(-1))


def _kernel(a, b):
    r2 = ((a[:, None] - b[None]) ** 2).sum(-1)
    return r2 * np.log(r2 + 1e-12)


def _between():
    """Matrix (extra, controls): points between neighbours on the rims of lids and mouth (Catmull-Rom).

    Rims that touch and part again need more support than their few controls, or the surface ripples between these.
    """
    rings = [
        [f"eye_in{s}", *(f"lid_{r}{k}{s}" for k in range(1, 6)), f"eye_out{s}"]
        for s in ("_l", "_r")
        for r in ("up", "lo")
    ]
    for row in ("ul_in", "ll_in"):
        rings.append(
            [
                "mouth_l",
                *(f"{row}{k}_l" for k in (3, 2, 1)),
                f"{row}0",
                *(f"{row}{k}_r" for k in (1, 2, 3)),
                "mouth_r",
            ]
        )
    rows = []
    for ring in rings:
        at = [INDEX[name] for name in ring]
        for i in range(len(at) - 1):
            for t in (1 / 3, 2 / 3):
                row = np.zeros(len(CONTROLS))
                near = (at[max(i - 1, 0)], at[i], at[i + 1], at[min(i + 2, len(at) - 1)])
                cubic = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
                for k, weight in zip(near, cubic, strict=True):
                    row[k] += weight / 2
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


# --- bones: each unit is about one standard deviation; (centre, reach, displacement), mirrored where x > 0 ---
BONES = {
    "jaw_width": [((5.6, -8.0, 2.5), 3.0, (0.32, 0, 0)), ((4.6, -9.3, 5.5), 2.2, (0.22, 0, 0))],
    "jaw_square": [((4.6, -9.8, 4.5), 1.8, (0.28, -0.22, 0))],
    "chin_length": [((0, -11, 9.0), 2.6, (0, -0.3, 0))],
    "chin_width": [((1.8, -10.6, 9.0), 1.4, (0.28, 0, 0))],
    "chin_out": [((0, -10.2, 10.2), 1.8, (0, 0, 0.3))],
    "cheekbone": [((5.9, -1.8, 6.5), 2.0, (0.24, 0, 0.16))],
    "cheek_full": [((4.8, -5.2, 8.0), 2.4, (0.2, 0, 0.22))],
    "forehead_out": [((0, 4.8, 9.7), 3.2, (0, 0, 0.3))],
    "forehead_high": [((0, 7.5, 8.0), 4.0, (0, 0.35, 0))],
    "brow_ridge": [((1.8, 2.1, 10.0), 1.5, (0, -0.06, 0.22))],
    "brow_height": [((3.3, 2.5, 9.6), 1.6, (0, 0.2, 0))],
    "eye_depth": [((3.1, 0.2, 8.7), 1.6, (0, 0, -0.14))],
    "fold_heavy": [((3.1, 1.25, 9.0), 0.7, (0, -0.14, 0.2))],
    "bags": [((3.1, -1.0, 8.8), 0.7, (0, 0, 0.09))],
    "nose_long": [((0, -3.7, 12.0), 1.5, (0, -0.26, 0.05))],
    "nose_width": [((1.65, -3.9, 10.4), 0.9, (0.2, 0, 0))],
    "nose_bridge": [((0, -0.9, 10.6), 1.1, (0, 0, 0.22))],
    "bridge_width": [((0.9, -1.0, 10.0), 0.9, (0.1, 0, 0))],
    "nose_out": [((0, -3.3, 12.2), 1.3, (0, 0, 0.24))],
    "nose_tip_up": [((0, -3.5, 12.3), 0.9, (0, 0.22, 0))],
    "tip_round": [((0.6, -3.4, 12.0), 0.7, (0.13, 0, 0))],
    "lips_out": [((0, -6.7, 11.0), 1.4, (0, 0, 0.14))],
    "mouth_width": [((2.5, -6.7, 9.8), 1.0, (0.2, 0, 0))],
    "philtrum_long": [((0, -7.0, 11.0), 1.9, (0, -0.16, 0))],
    "temple_wide": [((6.4, 2.8, 5.0), 2.6, (0.22, 0, 0))],
    "gaunt": [((4.7, -5.0, 8.0), 1.3, (0, 0, -0.22)), ((6.0, 1.8, 6.5), 1.2, (-0.12, 0, 0))],
    "jowl": [((3.9, -9.2, 7.4), 1.3, (0.16, -0.2, 0.14))],
}  # fmt: skip
SCALES = (
    "face_width",
    "face_length",
    "eye_size",
    "eye_tilt",
    "eye_apart",
    "upper_lip",
    "lower_lip",
    "crooked",
)


def _brush(points, centre, reach, shift):
    """Displacement of `points` by a Gaussian brush and its mirror image."""
    centre, shift, flip = np.array(centre, float), np.array(shift, float), np.array([-1.0, 1, 1])
    w = np.exp(-((points - centre) ** 2).sum(-1) / (2 * reach**2))[:, None]
    if centre[0] == 0:
        return w * shift
    m = np.exp(-((points - centre * flip) ** 2).sum(-1) / (2 * reach**2))[:, None]
    return w * shift + m * shift * flip


LIP_ROWS = {
    k: [n for n in NAMES if n.startswith(k)] for k in ("ul_out", "ul_mid", "ul_in", "ll_out", "ll_mid", "ll_in")
}
EYE_ROWS = ("eye_in", "eye_out", "lid_up", "lid_lo")


def _eyes(p, size, tilt, apart):
    """Scale, tilt and separate the eye openings in place; fold and bag follow by half."""
    for side, sign in (("_l", -1), ("_r", 1)):
        for stem, amount in (
            *((row, 1.0) for row in EYE_ROWS),
            ("fold", 0.6),
            ("bag", 0.6),
            ("orbit", 0.4),
            ("brow", 0.3),
        ):
            rows = [i for n, i in INDEX.items() if n.startswith(stem) and n.endswith(side)]
            x, y = p[rows, 0] * sign - EYE[0], p[rows, 1] - EYE[1]
            p[rows, 0] = sign * (p[rows, 0] * sign + amount * (0.1 * apart + 0.045 * size * x))
            p[rows, 1] += amount * ((0.11 * size * y if stem in EYE_ROWS else 0) + 0.055 * tilt * x)
    return p


def identity(shape):
    """`shape`: mapping of BONES and SCALES to standard deviations -> control points (n, 3) of this head."""
    p = CONTROLS.astype(float)
    p = _eyes(p, shape["eye_size"], shape["eye_tilt"], shape["eye_apart"])
    move = sum(shape[name] * _brush(CONTROLS, *brush) for name, brushes in BONES.items() for brush in brushes)
    p = p + move
    for row, amount in (("ul_out", 0.12 * shape["upper_lip"]), ("ul_mid", 0.06 * shape["upper_lip"]),
                        ("ll_out", -0.14 * shape["lower_lip"]), ("ll_mid", -0.07 * shape["lower_lip"])):  # fmt: skip
        p[ids(*LIP_ROWS[row]), 1] += amount
        p[ids(*LIP_ROWS[row]), 2] += abs(amount) * np.sign(amount * (1 if row[0:2] == "ul" else -1)) * 0.5
    p[:, 0] *= 1 + 0.035 * shape["face_width"]
    low = np.clip((0.5 - p[:, 1]) / 10, 0, 1.2)
    p[:, 1] -= 0.35 * shape["face_length"] * low
    p[:, 0] += 0.06 * shape["crooked"] * np.clip(-p[:, 1] / 6, -1, 1.6)  # no face is symmetric
    p[:, 1] += 0.05 * shape["crooked"] * np.sign(p[:, 0]) * np.clip(np.abs(p[:, 0]) / 3, 0, 1)
    return p.astype(np.float32)
