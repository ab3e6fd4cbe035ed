"""Tools to paint in the (u, v) map of `head`: texels, curves, masks, spots, noise.

The map is denser near the nose: about 35 texels a centimetre there, 24 on the cheeks. That is two to three times what a
camera resolves at the distances of `scene`. `paint.json` holds outlines on the right side of the table head.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from mesokit import files
from mesokit.synthetic.people.head import CONTROLS, EXTENT, ids, lid_names, lip_names, surface, to_uv

SIZE = 768


def linear(srgb):
    """sRGB in [0, 1] -> linear light, float32."""
    return np.clip(np.asarray(srgb, np.float32), 0, 1) ** np.float32(2.2)


def smooth(low, high, x):
    """0 below `low`, 1 above `high`, smooth between; works for low > high too."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


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


def curve(points, n=80):
    """Smooth curve (n, d) through `points` (k, d), parametrised by chord length."""
    points = np.asarray(points, float)
    s = np.r_[0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))]
    return CubicSpline(s, points, bc_type="natural")(np.linspace(0, s[-1], n))


def fill(polygon, soft=0.0):
    """Polygon (n, 2) in texels -> anti-aliased mask (SIZE, SIZE) float32 in [0, 1], blurred by `soft` texels."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    share = mask.astype(np.float32) / np.float32(255)
    return cv2.GaussianBlur(share, (0, 0), soft) if soft else share


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


def _between(one, other, n, soft=0.0):
    """Mask between two smooth lines of named control points that share their ends."""
    lines = [curve(texel(CONTROLS[ids(*names)]), n) for names in (one, other)]
    return fill(np.vstack([lines[0], lines[1][::-1]]), soft)


def _lips(upper, lower, soft=0.0):
    return _between(lip_names(upper), lip_names(lower), 90, soft)


def _closed(right):
    """Outline (n, 3) on both sides, from a half (k, 3) whose first and last points lie in the middle."""
    return np.vstack([right, (np.array(right) * [-1, 1, 1])[-2:0:-1]])


@cache
def masks():
    """Fixed masks in (u, v), float32 in [0, 1]: eyes, mouth (holes), lips, face, beard, scalp, nostrils."""
    outlines = files.read_json(Path(__file__).with_name("paint.json"))
    jaw = CONTROLS[ids("menton", *(f"jaw{k}_r" for k in range(7, 0, -1)))]
    back = [(9 * np.sin(a), -2 + 9 * np.cos(a), -7.5) for a in np.linspace(2.2, 0.0, 12)]
    scalp = outlines["scalp"] + back
    lip = np.maximum(_lips("ul_out", "ul_in"), _lips("ll_out", "ll_in"))
    return {
        "eyes": np.maximum(*(_between(lid_names("up", side), lid_names("lo", side), 60) for side in ("_l", "_r"))),
        "mouth": _lips("ul_in", "ll_in"),
        "lips": cv2.GaussianBlur(lip, (0, 0), 2.2),
        "upper_lip": _lips("ul_out", "ul_in", 1.5),
        "face": fill(texel(_closed(np.vstack([jaw, outlines["temple"]]))), 1.5),
        "beard": fill(texel(_closed(outlines["beard"])), 9) * (1 - _lips("ul_out", "ll_out", 3)),
        "scalp": fill(texel(_closed(scalp))),
        "nostrils": np.clip(1.6 * pair((0.74, -4.2, 11.05), 0.115, 1.7), 0, 1),
    }


@cache
def texel_size():
    """Centimetres per texel along u and v on the table head: two (SIZE, SIZE) float32."""
    axis = np.linspace(-EXTENT, EXTENT, 96)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    p = surface(grid).reshape(96, 96, 3)
    step = np.float32(96 / SIZE)
    along = [np.linalg.norm(np.gradient(p, axis=a), axis=-1).astype(np.float32) * step for a in (1, 0)]
    return tuple(np.maximum(cv2.resize(a, (SIZE, SIZE)), 0.008) for a in along)
