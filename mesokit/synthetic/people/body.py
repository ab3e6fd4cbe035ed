"""The body below the chin: neck, shoulders and clothes, as one mesh with a texture.

Angles run around the neck from the left shoulder (-1.9) over the front (0) to the right one. `body.json` lists, from
below the chin down, the height y, half the width, half the depth and the z of the axis of the body, in cm.
"""

from pathlib import Path

import cv2
import numpy as np

from mesokit import files
from mesokit.synthetic.people.paint import linear, noise
from mesokit.synthetic.people.skin import Skin

_PROFILE = np.array(files.read_json(Path(__file__).with_name("body.json")))
BODY = (72, 64)  # rows (y) and columns (angle) of the body's mesh
_TEXTURE = (384, 512)


def _axes(rows, columns):
    """y (rows, 1) and angle (1, columns) of a grid over the body."""
    y = -6 - 38 * np.linspace(0, 1, rows) ** 1.35
    return y[:, None], np.linspace(-1.9, 1.9, columns)[None]


def _strap(y):
    """Angle of the slanting muscles of the neck at the heights `y`."""
    return np.interp(y, [-17.0, -8.0], [0.28, 1.25])


def _collar(kind, angle):
    """Height of the edge of the clothes around the neck."""
    front = np.clip(np.cos(angle), 0, 1)
    return {
        "crew": -14.2 - 2.6 * front**2,
        "vee": -14.0 - 2.4 * front - 5.0 * np.exp(-((angle / 0.28) ** 2)),
        "high": -12.6 - 1.2 * front**2,
        "boat": -15.2 - 2.2 * front**2,
        "shirt": -13.2 - 2.4 * front**2 - 3.0 * np.exp(-((angle / 0.16) ** 2)),
    }[kind]


def body_grid(person, scene):
    """Points (rows, columns, 3) of neck and shoulders in the head frame, and the kind of collar."""
    rng = np.random.default_rng(scene.clothes)
    feminine = 0.1 * (person.masculine < 0.5)
    odds = {"crew": 0.36, "vee": 0.2, "high": 0.1, "boat": 0.08 + feminine, "shirt": 0.26 - feminine}
    kind = str(rng.choice(list(odds), p=list(odds.values())))
    y, a = _axes(*BODY)
    wide, deep, axis = (np.interp(y, _PROFILE[::-1, 0], _PROFILE[::-1, k]) for k in (1, 2, 3))
    for profile in (wide, deep, axis):
        profile[:] = cv2.GaussianBlur(profile, (1, 9), sigmaX=0.1, sigmaY=2.2)
    neck = np.clip((y + 19) / 4, 0, 1)
    wide = wide * (neck * (0.86 + 0.24 * person.masculine) + (1 - neck) * (0.84 + 0.2 * person.masculine))
    deep = deep * (neck * (0.92 + 0.12 * person.masculine) + (1 - neck))
    bump = 0.32 * np.exp(-(((np.abs(a) - _strap(y)) / 0.2) ** 2))
    bump = bump - 0.4 * np.exp(-((a / 0.25) ** 2) - ((y + 16.6) / 0.9) ** 2)  # the notch between the collarbones
    larynx = 0.5 * person.masculine**2 * np.exp(-((a / 0.16) ** 2) - ((y + 13.3) / 0.9) ** 2)
    edge = _collar(kind, a)
    bump = (bump + larynx) * neck + 0.35 * np.clip((edge - y) / 0.5, 0, 1)  # clothes stand off the skin
    if kind in ("high", "shirt"):
        bump = bump + 0.35 * np.clip(1 - np.abs(y - edge + 1) / 1.2, 0, 1)
    points = (wide + bump) * np.sin(a), np.broadcast_to(y, BODY), axis + (deep + bump) * np.cos(a)
    return np.stack(points, -1).astype(np.float32), kind


def _neck_shade(angle, y):
    """Darkness (rows, columns) of the skin of the neck: under the chin, beside the slanting muscles, in the notch."""
    chin = 0.75 / (1 + np.exp((y + 13.6) / -0.55)) * np.exp(-((angle / 1.15) ** 4))
    side = np.abs(angle) - _strap(y)
    hollow = 0.22 * np.exp(-(((side + 0.24) / 0.14) ** 2)) + 0.16 * np.exp(-(((side - 0.26) / 0.16) ** 2))
    notch = 0.3 * np.exp(-((angle / 0.14) ** 2) - ((y + 16.8) / 0.7) ** 2)
    collarbone = 0.12 * np.exp(-(((y + 17.6 + 0.6 * np.cos(angle)) / 0.35) ** 2)) * (np.abs(angle) > 0.15)
    return chin + (hollow - 0.08 * np.exp(-((side / 0.12) ** 2))) * np.clip((y + 18) / 2, 0, 1) + notch + collarbone


def _cloth(rng, y, angle, edge, grain):
    """Linear RGB (h, w, 3) of clothes that end at the height `edge`: plain, striped or chequered; `grain` is noise."""
    light = rng.choice([rng.uniform(0.08, 0.25), rng.uniform(0.3, 0.6), rng.uniform(0.75, 0.92)])
    colour = linear(np.clip(light + rng.normal(0, 0.065, 3), 0.04, 0.95))
    h, w = grain.shape
    cloth = colour * np.exp(0.07 * grain + 0.05 * noise(rng, 512, 60)[:h, :w])[..., None]
    pattern = rng.random()
    if pattern < 0.15:
        cloth = cloth * np.where(np.sin(y * rng.uniform(2, 5)) > 0.2, 1.0, rng.uniform(0.3, 0.7))[..., None]
    elif pattern < 0.25:
        lines = (np.sin(y * 4) > 0.5).astype(float) * 0.4 + (np.sin(angle * 40) > 0.5) * 0.4
        cloth = cloth * (1 - lines * 0.6)[..., None]
    hem = np.exp(-(((edge - y - 0.9) / 0.10) ** 2))[..., None] * 0.35
    return cloth * (1 - hem)


def body_skin(person, scene, kind, skin_rgb):
    """Texture of neck and clothes as a `Skin`, and where it is cloth, (h, w) float32 in [0, 1]."""
    rng = np.random.default_rng([16, scene.clothes])
    h, w = _TEXTURE
    y, a = _axes(h, w)
    edge = _collar(kind, a)
    cover = np.clip((edge - y) / 0.12 + 0.5, 0, 1).astype(np.float32)
    bare = 1 - cover
    grain = noise(rng, 512, 2.2)[:h, :w]
    cloth = _cloth(rng, y, a, edge, grain)
    shade = np.exp(-np.clip((y - edge) / 0.5, 0, 9)) * bare
    mottle = np.exp(0.025 * noise(rng, 512, 30, 9)[:h, :w])[..., None]
    neck = skin_rgb * mottle * np.exp(-_neck_shade(a, y)[..., None] * np.array([0.75, 1.0, 1.05]))
    albedo = neck * (1 - 0.45 * shade)[..., None] * bare[..., None] + cloth * cover[..., None]
    folds = noise(rng, 512, 70, 34)[:h, :w] * 0.5 + 0.1 * grain
    rings = sum(np.exp(-(((y + 12.2 + 1.7 * k + 0.5 * np.cos(a)) / 0.09) ** 2)) for k in range(2))
    rings = -0.02 * rings * (0.3 + person.age / 60)
    height = folds * cover * 0.35 + rings * bare * 3 + 0.012 * grain * bare
    slope = np.stack([np.gradient(height, axis=1), np.gradient(height, axis=0)], -1)
    gloss = (0.25 * bare + 0.02).astype(np.float32)
    return Skin(albedo.astype(np.float32), np.clip(slope, -0.6, 0.6).astype(np.float32), gloss), cover
