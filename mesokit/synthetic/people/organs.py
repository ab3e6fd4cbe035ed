"""What shows through the holes of the skin: eyeballs with iris and cornea, teeth, gums and tongue.

`eyeball` and `mouth` shade a small patch of the frame, super-sampled, in linear light, without the skin around it.
"""

import cv2
import numpy as np

from mesokit.synthetic.people.mesh import unit
from mesokit.synthetic.people.paint import linear, smooth

_EYE_R = 1.2
_IRIS_R = 0.6
FINE = 3  # samples per pixel along each side


def _patch_grid(box):
    """Pixel coordinates x, y (float32) of the fine samples of box = (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    xs = x0 + (np.arange((x1 - x0) * FINE, dtype=np.float32) + 0.5) / FINE - 0.5
    ys = y0 + (np.arange((y1 - y0) * FINE, dtype=np.float32) + 0.5) / FINE - 0.5
    return np.meshgrid(xs, ys)


def _to_pixels(samples):
    """Mean of the fine samples (h * FINE, w * FINE, 3) of each pixel, float32."""
    h, w = samples.shape[:2]
    tiles = samples.reshape(h // FINE, FINE, w // FINE, FINE, 3)
    return sum(tiles[:, i, :, j] for i in range(FINE) for j in range(FINE)) / np.float32(FINE**2)


def _around(rng, sigma_x, sigma_y):
    """Noise of unit deviation (64, 256) float32 that joins at the ends of its rows."""
    noise = np.tile(rng.standard_normal((64, 256)).astype(np.float32), (1, 3))
    noise = cv2.GaussianBlur(noise, (0, 0), sigmaX=sigma_x, sigmaY=sigma_y)[:, 256:512]
    return noise / noise.std()


def paint_iris(person, rng):
    """Iris in polar form: (64, 256, 3) linear RGB, rows from pupil to limbus, columns around."""
    fibres, coarse = (_around(rng, *sigmas) for sigmas in ((1.2, 9), (5, 5)))
    r = np.linspace(0, 1, 64, dtype=np.float32)[:, None]
    middle = linear(person.iris) * np.float32(0.95)
    ring = linear(np.array([0.42, 0.27, 0.12])) * np.float32(min(0.8, 4 * middle.mean())) + middle * 0.2
    near = np.exp(-((r - 0.12 - 0.03 * coarse) ** 2) / 0.03)[..., None] * np.float32(0.6)
    colour = middle * (1 - near) + ring * near
    colour = colour * np.exp(0.30 * fibres + 0.14 * coarse)[..., None]
    dark = smooth(0.74, 1.0, r) * 0.8 + smooth(0.1, 0.0, r) * 0.5
    return (colour * (1 - dark)[..., None]).astype(np.float32)


def paint_veins(rng):
    """Veins in the white of an eye, around the gaze in the middle: (128, 128) float32 in [0, 1]."""
    canvas = np.zeros((128, 128), np.uint8)
    for _ in range(26):
        a = rng.choice([0, np.pi]) + rng.normal(0, 0.5)
        r = np.linspace(62, rng.uniform(36, 50), 9)
        walk = a + np.cumsum(rng.normal(0, 0.035, 9))
        line = np.stack([64 + r * np.cos(walk), 64 + r * np.sin(walk)], -1)
        cv2.polylines(canvas, [(line * 16).astype(np.int32)], False, int(rng.uniform(30, 130)), 1, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / 255


def eyeball(box, centre, scale, axes, iris, pupil, light, veins):
    """Shade one eyeball -> (h, w, 3) linear RGB at frame resolution.

    `centre` pixel position of the ball's centre, `scale` pixels per cm, `axes` (3, 3) columns = the eye's x, y, gaze
    in camera space, `light` the scene's light, `veins` (128, 128) texture. Lids' shade is added by the caller.
    """
    x, y = _patch_grid(box)
    n = np.stack([(x - centre[0]) / scale, (centre[1] - y) / scale], -1) / np.float32(_EYE_R)
    r2 = np.minimum((n**2).sum(-1), 0.999)
    n = np.concatenate([n, np.sqrt(1 - r2)[..., None]], -1).astype(np.float32)
    own = n @ axes.astype(np.float32)
    rho = np.arccos(np.clip(own[..., 2], -1, 1)) * np.float32(_EYE_R)
    around = (np.arctan2(own[..., 1], own[..., 0]) / np.float32(2 * np.pi) + np.float32(0.5)) * 256
    t = (rho - pupil) / np.float32(_IRIS_R - pupil)
    rows = (np.clip(t, 0, 1) * 63).astype(np.float32)
    colour = cv2.remap(iris, around.astype(np.float32), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    colour = colour * smooth(-0.10, 0.10, t)[..., None]
    edge = 0.10 * smooth(0.7, 1.6, rho)[..., None]
    white = np.array([0.57, 0.52, 0.49], np.float32) - edge * np.array([0.4, 1.3, 1.3], np.float32)
    vein = cv2.remap(veins, own[..., 0] * 60 + 64, own[..., 1] * 60 + 64, cv2.INTER_LINEAR)
    white = white * np.exp(-(vein * smooth(0.62, 1.1, rho))[..., None] * np.array([0.10, 0.8, 0.7], np.float32))
    sclera = smooth(_IRIS_R - 0.035, _IRIS_R + 0.055, rho)[..., None]
    colour = colour * (1 - sclera) + white * sclera
    bulge = n * np.float32(_EYE_R) - axes[:, 2].astype(np.float32) * np.float32(0.52)
    cornea = unit(n * sclera + unit(bulge) * (1 - sclera))
    shade = light.ambient(n) + sum(c * np.clip((n @ d + 0.45) / 1.45, 0, 1)[..., None] for d, c in light.lamps)
    out = colour * shade
    mirror = 2 * cornea[..., 2:] * cornea - np.array([0, 0, 1], np.float32)
    for direction, c in light.lamps:
        out += smooth(0.980, 0.992, mirror @ direction)[..., None] * c * np.float32(0.6)
    out += light.ambient(mirror) * np.float32(0.03)
    return _to_pixels(out)


_WIDTHS = {
    "up": np.array([0.86, 0.66, 0.76, 0.68, 0.66, 0.95, 0.9]),
    "lo": np.array([0.53, 0.58, 0.66, 0.68, 0.7, 1.0, 0.9]),
}


def _teeth(row, s, y, edge, tall):
    """Coverage and shade of a row of teeth at arch position `s` (cm) and height `y`; biting edge at y = edge."""
    ends = np.r_[0, np.cumsum(_WIDTHS[row])]
    k = np.clip(np.searchsorted(ends, np.abs(s)) - 1, 0, len(_WIDTHS[row]) - 1)
    u = 2 * (np.abs(s) - ends[k]) / _WIDTHS[row][k] - 1
    sign = 1 if row == "up" else -1
    drop = np.array([0.0, 0.07, 0.02, 0.08, 0.1, 0.12, 0.14])[k] if row == "up" else 0.02 * k
    v = sign * (y - edge) - drop  # 0 at the biting edge, grows towards the gum
    round_off = 0.13 * np.abs(u) ** 5
    cover = smooth(-0.03, 0.05, v - round_off) * smooth(tall + 0.05, tall - 0.03, v + 0.22 * u * u)
    gap = smooth(1.0, 0.86, np.abs(u))
    shade = (0.50 + 0.50 * gap) * (0.82 + 0.18 * smooth(0.0, 0.3, v)) * np.where(k > 2, 0.85 ** (k - 2), 1)
    return cover, shade, v


def mouth(box, origin, direction, jaw, tooth_rgb, dim):
    """Shade the inside of a mouth -> (h, w, 3) linear RGB.

    `origin`, `direction`: functions of pixel coordinates giving rays (.., 3) in the head's frame; `jaw`: cm by which
    the lower teeth have dropped; `dim` (h, w): how much light reaches in.
    """
    x, y = _patch_grid(box)
    o, d = origin(x, y), direction
    a, b, z0 = 2.75, 3.1, 7.35
    qa = (d[0] / a) ** 2 + (d[2] / b) ** 2
    qb = o[..., 0] * d[0] / a**2 + (o[..., 2] - z0) * d[2] / b**2
    qc = (o[..., 0] / a) ** 2 + ((o[..., 2] - z0) / b) ** 2 - 1
    root = np.sqrt(np.maximum(qb * qb - qa * qc, 0))
    hit = o + d * ((-qb - root) / qa)[..., None]
    s = np.arcsin(np.clip(hit[..., 0] / a, -1, 1)) * 2.95
    upper, us, uv = _teeth("up", s, hit[..., 1], -6.88, 1.0)
    lower, ls, lv = _teeth("lo", s * 0.97, hit[..., 1], -6.70 - jaw, 0.85)
    out = np.full((*x.shape, 3), (0.055, 0.016, 0.013), np.float32)
    tongue = smooth(1.0, 0.5, (hit[..., 0] / 1.9) ** 2 + ((hit[..., 1] + 7.45 + 0.78 * jaw) / (0.75 + 0.1 * jaw)) ** 2)
    tongue = (tongue * (1 - 0.35 * np.exp(-((hit[..., 0] / 0.12) ** 2))))[..., None]  # its furrow
    out += tongue * (np.array([0.46, 0.17, 0.15], np.float32) - out)
    gum = np.array([0.36, 0.13, 0.12], np.float32)
    bend = np.clip(1.1 - 0.16 * s**2, 0.25, 1)[..., None]
    for cover, shade, v, tall in ((lower, ls, lv, 0.85), (upper, us, uv, 1.0)):
        behind = smooth(tall - 0.1, tall, v)[..., None]
        out += behind * (gum * bend - out)
        out += cover[..., None] * (tooth_rgb * shade[..., None] * bend - out)
    return (_to_pixels(out) * dim[..., None]).astype(np.float32)
