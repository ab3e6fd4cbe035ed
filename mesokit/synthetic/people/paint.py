"""Tools to paint in the (u, v) map of `head`: texels, curves, masks, spots, noise.

The map is denser near the nose: about 35 texels a centimetre there, 24 on the cheeks, some two to three times what a
camera at our distances resolves.
"""

from functools import cache

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from mesokit.synthetic.people.head import CONTROLS, EXTENT, ids, surface, to_uv

SIZE = 768


def linear(srgb):
    """sRGB in [0, 1] -> linear light, float32."""
    return np.clip(np.asarray(srgb, np.float32), 0, 1) ** np.float32(2.2)


def texel(points):
    """(n, 3) points of the table head -> (n, 2) texture pixels x, y."""
    return (to_uv(points) / (2 * EXTENT) + 0.5) * SIZE - 0.5


def noise(rng, size, *cells):
    """Smooth noise (size, size) float32, unit deviation; `cells` are feature sizes in texels, equally strong."""
    total = np.zeros((size, size), np.float32)
    for cell in cells:
        n = max(int(size / cell) + 3, 4)
        field = cv2.resize(rng.standard_normal((n, n)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
        total += field / field.std()
    return total / np.float32(np.sqrt(len(cells)))


def curve(points, n=80, closed=False):
    """Smooth curve (n, d) through `points` (k, d), parametrised by chord length."""
    points = np.asarray(points, float)
    if closed:
        points = np.vstack([points, points[:1]])
    s = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    return CubicSpline(s, points, bc_type="periodic" if closed else "natural")(
        np.linspace(0, s[-1], n, endpoint=not closed)
    )


def fill(polygon, soft=0.0):
    """Polygon (n, 2) in texels -> anti-aliased mask (SIZE, SIZE) float32 in [0, 1], blurred by `soft` texels."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(mask, [np.round((polygon + 0.0) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = mask.astype(np.float32) / np.float32(255)
    return cv2.GaussianBlur(mask, (0, 0), soft) if soft else mask


def stroke(canvas, line, value, width=1):
    """Anti-aliased polyline (n, 2) in texels on a uint8 canvas."""
    cv2.polylines(canvas, [np.round(line * 16).astype(np.int32)], False, value, width, cv2.LINE_AA, 4)


def blob(centre, radius, aspect=1.0):
    """Gaussian spot at a point (3,) of the table head, `radius` in centimetres -> (SIZE, SIZE) float32."""
    x, y = texel(np.array([centre]))[0]
    scale = np.float32(1 / (radius * 30))
    gx = np.exp(-0.5 * ((np.arange(SIZE, dtype=np.float32) - np.float32(x)) * scale / np.float32(aspect)) ** 2)
    gy = np.exp(-0.5 * ((np.arange(SIZE, dtype=np.float32) - np.float32(y)) * scale) ** 2)
    return gy[:, None] * gx[None]


def pair(centre, radius, aspect=1.0):
    """`blob` on both sides."""
    x, y, z = centre
    return blob((x, y, z), radius, aspect) + blob((-x, y, z), radius, aspect)


def ring(*names):
    """Texels of named control points."""
    return texel(CONTROLS[ids(*names)])


def lid(side, rim="both"):
    """Smooth contour of an eye opening in texels: the whole ring, or 'up' / 'lo' from inner to outer corner."""
    up = [f"eye_in{side}", *(f"lid_up{k}{side}" for k in range(1, 6)), f"eye_out{side}"]
    lo = [f"eye_in{side}", *(f"lid_lo{k}{side}" for k in range(1, 6)), f"eye_out{side}"]
    if rim != "both":
        return curve(ring(*(up if rim == "up" else lo)), 60)
    return np.vstack([curve(ring(*up), 60), curve(ring(*lo), 60)[::-1]])


def lip_names(row):
    """Names of one lip contour from the left to the right corner; `row` such as 'ul_out'."""
    return [
        "mouth_l",
        *(f"{row}{k}_l" for k in (3, 2, 1)),
        f"{row}0",
        *(f"{row}{k}_r" for k in (1, 2, 3)),
        "mouth_r",
    ]


@cache
def masks():
    """Fixed masks in (u, v), float32 in [0, 1]: eyes, mouth (holes), lips, face, beard, scalp, nostrils."""

    def lips(a, b, soft):
        return fill(np.vstack([curve(ring(*lip_names(a)), 90), curve(ring(*lip_names(b)), 90)[::-1]]), soft)

    face_names = ["menton", "jaw7_r", "jaw6_r", "jaw5_r", "jaw4_r", "jaw3_r", "jaw2_r", "jaw1_r"]
    up = [(6.5, 1.0, 4.4), (6.2, 3.4, 5.3), (5.2, 5.6, 6.4), (2.6, 6.9, 7.9), (0, 7.1, 8.3)]
    right = np.vstack([CONTROLS[ids(*face_names)], up])
    outline = np.vstack([right, (right * [-1, 1, 1])[-2:0:-1]])
    beard_r = [(0, -4.75, 10.9), (1.6, -4.9, 10.4), (2.7, -5.6, 9.6), (3.4, -6.6, 9.1), (4.4, -6.2, 8.5),
    (5.6, -4.8, 6.6), (6.15, -3.0, 4.9), (6.5, -1.0, 4.0), (6.9, -1.0, 2.6), (6.6, -5.0, 1.6),
               (5.6, -8.4, 2.0), (4.4, -10.6, 3.8), (2.5, -11.7, 6.0), (0, -12.2, 6.0)]  # fmt: skip
    beard = np.vstack([beard_r, (np.array(beard_r) * [-1, 1, 1])[-2:0:-1]])
    scalp_r = [(0, 7.1, 8.35), (2.4, 7.0, 7.95), (4.2, 6.1, 7.25), (5.3, 4.9, 6.3), (5.75, 3.6, 6.0),
    (6.35, 2.4, 5.0), (6.75, 1.0, 4.0), (6.8, -1.0, 3.2), (6.95, -1.0, 2.2), (7.1, 0.7, 1.4),
               (7.3, 1.8, -0.3), (7.3, -0.5, -2.0), (7.0, -4.0, -3.5), (6.5, -7.0, -5)]  # fmt: skip
    rim = [(9 * np.sin(a), -2 + 9 * np.cos(a), -7.5) for a in np.linspace(2.2, 0.0, 12)]
    scalp = np.vstack([scalp_r, rim, (np.array([*scalp_r[1:], *rim[:-1]]) * [-1, 1, 1])[::-1]])
    lip = np.maximum(lips("ul_out", "ul_in", 0), lips("ll_out", "ll_in", 0))
    return {
        "eyes": np.maximum(fill(lid("_l")), fill(lid("_r"))), "mouth": lips("ul_in", "ll_in", 0),
        "lips": cv2.GaussianBlur(lip, (0, 0), 2.2),
        "upper_lip": lips("ul_out", "ul_in", 1.5), "face": fill(texel(outline), 1.5),
        "beard": fill(texel(beard), 9) * (1 - lips("ul_out", "ll_out", 3)),
        "scalp": fill(texel(scalp)), "nostrils": np.clip(1.6 * pair((0.74, -4.2, 11.05), 0.115, 1.7), 0, 1),
    }  # fmt: skip


@cache
def texel_size():
    """Centimetres per texel along u and v on the table head: two (SIZE, SIZE) float32."""
    axis = np.linspace(-EXTENT, EXTENT, 96)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    p = surface(grid).reshape(96, 96, 3)
    step = np.float32(96 / SIZE)
    along = [np.linalg.norm(np.gradient(p, axis=a), axis=-1).astype(np.float32) * step for a in (1, 0)]
    return tuple(np.maximum(cv2.resize(a, (SIZE, SIZE)), 0.008) for a in along)
