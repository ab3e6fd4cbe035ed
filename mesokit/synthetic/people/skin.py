"""The skin of one person as textures in the (u, v) map of `head`: colour, fine relief, gloss.

Painted once per identity at SIZE x SIZE: a tone, blood and melanin under it, lips, spots, wrinkles, pores, hairs.

`skin.json` holds the tones of skin under white light (sRGB of 255, from very light to very dark), colours of lipstick
(sRGB), the lines of brow and lid fold on the right side of the table head, and grooves: their depth in centimetres,
what age adds to it, and their width in texels.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mesokit import files
from mesokit.synthetic.people.paint import SIZE, blob, curve, linear, masks, noise, pair, stroke, texel, texel_size

_TABLE = files.read_json(Path(__file__).with_name("skin.json"))
_TONES = np.array(_TABLE["tones"], float) / 255


@dataclass(frozen=True)
class Skin:
    """Textures (SIZE, SIZE): albedo (.., 3) linear RGB, slope (.., 2) of the relief along u and v, gloss 0..1."""

    albedo: np.ndarray
    slope: np.ndarray
    gloss: np.ndarray


def _tone(person):
    k = person.tone * (len(_TONES) - 1)
    base = np.array([np.interp(k, np.arange(len(_TONES)), _TONES[:, c]) for c in range(3)])
    base *= 1 + 0.03 * person.warmth * np.array([-0.4, 0.2, -1.0])
    return linear(base)


def _blood(person, rng):
    """Where blood shows: cheeks, nose, chin, lids; (SIZE, SIZE) roughly 0..1."""
    cheeks, nose = 0.6 * pair((4.3, -2.9, 9.0), 1.25, 1.1), 0.55 * blob((0, -3.5, 12.3), 0.75, 1.2)
    red = cheeks + nose + 0.4 * pair((1.5, -3.8, 10.6), 0.5)
    chin, lids = 0.25 * blob((0, -9.8, 10.5), 0.9, 1.3), 0.3 * pair((3.2, 0.4, 8.8), 0.7, 1.7)
    red += chin + lids + 0.12 * blob((0, 4.5, 9.8), 2.0, 1.8)
    return red * (0.35 + 0.9 * person.redness) * (1 + 0.12 * noise(rng, SIZE, 24, 9)) + 0.025 * noise(rng, SIZE, 60, 20)


def _colour(person, rng):
    """Albedo of bare skin without hairs, linear RGB."""
    dark = person.tone
    tint = np.zeros((SIZE, SIZE, 3), np.float32)  # logarithm of the multiplier
    red = _blood(person, rng)[..., None]
    tint += red * np.array([-0.02, -0.36, -0.30], np.float32) * (1 - 0.55 * dark)
    melanin = 0.03 * noise(rng, SIZE, 90, 40) + 0.013 * noise(rng, SIZE, 14, 6) + 0.036 * noise(rng, SIZE, 3.2)
    rings = pair((2.6, -1.1, 8.8), 0.62, 1.7) * (0.6 + person.age / 60) + 0.6 * pair((3.1, 0.75, 8.8), 0.5, 2.0)
    melanin += 0.1 * (0.5 + dark) * rings
    melanin += 0.10 * dark * blob((0, 5.5, 9.4), 2.4, 2) + 0.08 * dark * blob((0, -7, 11), 2.0, 1.3)
    tint -= melanin[..., None] * np.array([0.7, 1.0, 1.25], np.float32)
    return _tone(person) * np.exp(tint)


def _dots(where, blur):
    """Discs as coverage (SIZE, SIZE, 1) float32 of [(point of the table head, radius in texels, value of 255), ...]."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    for point, radius, value in where:
        x, y = texel(np.array([point]))[0]
        cv2.circle(canvas, (int(x * 16), int(y * 16)), int(radius * 16), int(value), -1, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(canvas, (0, 0), blur).astype(np.float32)[..., None] / 255


def _spots(person, rng, albedo):
    """Freckles, moles and, with age, liver spots, painted on `albedo` -> coverage of moles (SIZE, SIZE)."""
    n = int(320 * person.freckles)
    where = np.concatenate([rng.normal((0, -2.3), (2.6, 1.2), (n, 2)), rng.normal((0, 2), (3.5, 2.5), (n // 4, 2))])
    spots = [(*w, rng.uniform(0.5, 1.5), rng.uniform(40, 150)) for w in where]
    for _ in range(int(max(person.age - 48, 0) * 0.5)):
        spots.append((*rng.normal((0, 3), (4, 3)), rng.uniform(2, 6), rng.uniform(20, 60)))
    spots = [((x, y, 12 - 0.16 * x * x - abs(y + 3) * 0.25), r, value) for x, y, r, value in spots if abs(x) < 6]
    albedo *= np.exp(-_dots(spots, 0.8) * np.array([0.5, 0.9, 1.3], np.float32))
    moles = []
    for _ in range(person.moles):
        x, y = rng.uniform(-5.5, 5.5), rng.choice([rng.uniform(-9, -1.5), rng.uniform(3, 6)])
        moles.append(((x, y, 11 - 0.13 * x * x), rng.uniform(0.9, 2.2), rng.uniform(110, 220)))
    cover = _dots(moles, 0.7)
    albedo *= np.exp(-cover * np.array([0.9, 1.3, 1.5], np.float32))
    return cover[..., 0]


def _lips(person, rng, albedo):
    """Vermilion: redder and darker than the skin, faintly striped, the upper lip darker; make-up on some."""
    m = masks()
    stripes = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), sigmaX=1.6, sigmaY=7)
    stripes /= stripes.std()
    redness = np.float32(0.75 + 0.15 * person.redness - 0.45 * person.tone * 0.6)
    bare = _tone(person) * np.array([0.80, 0.47, 0.50], np.float32) ** redness
    painted = linear(_TABLE["lipsticks"][int(rng.integers(4))])
    paint = np.float32(min(0.75, person.makeup))
    colour = (bare * (1 - paint) + painted * paint) * np.exp(0.022 * stripes[..., None])
    weight = (m["lips"] * np.float32(0.78 + 0.2 * paint - 0.2 * (person.masculine > 0.6)))[..., None]
    colour *= np.exp(-0.28 * m["upper_lip"][..., None] * np.array([0.8, 1, 1], np.float32))  # it faces downwards
    albedo *= 1 - weight
    albedo += weight * colour
    seam = cv2.GaussianBlur(m["mouth"], (0, 0), 2.5)[..., None]
    albedo *= np.exp(-0.9 * seam * np.array([0.6, 1, 1], np.float32))
    return stripes * m["lips"]


def _carve(height, points, depth, width, sides=(1, -1)):
    """Cut a groove along `points` of the table head into `height`: `depth` in cm, `width` in texels."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    for side in sides:
        stroke(canvas, curve(texel(np.array(points, float) * [side, 1, 1]), 60), 255, 2)
    cover = cv2.GaussianBlur(canvas, (0, 0), width).astype(np.float32)
    height -= np.float32(depth * 1.6) * cover / 255 * np.float32(width)  # 1.6, since the blur makes it shallower


def _relief_lines(person, rng):
    """Height (SIZE, SIZE) of grooves in cm: the fold of the lid, the wing of the nose, wrinkles deeper with age."""
    old = np.float32(np.clip((person.age - 28) / 40, 0, 1))
    height = np.zeros((SIZE, SIZE), np.float32)
    heavy = np.clip(dict(person.shape)["fold_heavy"], 0, 1)
    _carve(height, _TABLE["lid_fold"], 0.022 * (1 - 0.6 * heavy), 1.5)
    for groove in _TABLE["grooves"].values():
        _carve(height, groove["points"], groove["depth"] + groove["age"] * old, groove["width"])
    for k in range(4):  # across the forehead
        y = 3.2 + 0.75 * k + rng.normal(0, 0.12)
        line = []
        for x in np.linspace(-3.2, 3.2, 8) + rng.normal(0, 0.3):
            wave = 0.35 * np.cos(x * 0.8 + rng.normal(0, 0.2))
            line.append((x, y + wave + rng.normal(0, 0.06), 10 - 0.1 * x * x))
        _carve(height, line, 0.010 * old, 1.8, sides=(1,))
    return height


def _relief(person, rng, stripes, moles):
    """Height in centimetres: pores, fine creases, wrinkles, lip stripes, moles."""
    pores = np.minimum(noise(rng, SIZE, 2.6), 0) ** 2 * np.float32(0.0027) * np.float32(0.5 + 1.1 * person.pores)
    nose, cheeks = blob((0, -2.8, 11.8), 1.5, 1.0), 0.8 * pair((3.2, -3.2, 9.4), 1.3)
    where = 0.45 + 0.9 * (nose + cheeks + 0.6 * blob((0, 4.0, 10), 1.8, 1.6))
    fine = noise(rng, SIZE, 2.2) * np.float32(0.0005)
    fine += noise(rng, SIZE, 5, 9) * np.float32(0.0006 + 0.0010 * max(person.age - 30, 0) / 40)
    lips = masks()["lips"]
    return (fine - pores * where) * (1 - lips) + 0.0004 * stripes + _relief_lines(person, rng) + 0.02 * moles


def _brows(person, rng):
    """Strokes of both eyebrows as coverage (SIZE, SIZE, 1) float32."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    thick = person.brow_thick
    spine = np.array(_TABLE["brow"])
    spine[:, 1] += person.brow_arch * np.array([0, 0, 0.05, 0.2, 0.15, 0])
    for s in (-1, 1):
        line = curve(texel(spine * [s, 1, 1]), 200)
        for t in rng.beta(1.1, 1.25, int(330 + 420 * thick)):
            i = int(t * 199)
            along = line[min(i + 3, 199)] - line[max(i - 3, 0)]
            along /= np.linalg.norm(along)
            up = np.array([along[1], -along[0]]) * s
            half = (2.7 + 7.0 * thick) * np.interp(t, [0, 0.15, 0.55, 1], [0.75, 1.0, 0.8, 0.22])
            q = rng.normal(0, 0.42)
            root = line[i] + up * (q * half + half * 0.1)
            lean = np.interp(t, [0, 0.12, 0.4, 1], [1.35, 0.85, 0.45, 0.1]) - 0.35 * q + rng.normal(0, 0.16)
            step = (along * np.cos(lean) + up * np.sin(lean)) * rng.uniform(7, 13) * (0.7 + 0.5 * thick)
            hair = np.array([root, root + step * 0.55, root + step + along * 1.2])
            stroke(canvas, hair, int(rng.uniform(120, 235)))
    return canvas.astype(np.float32)[..., None] / 255


def _stubble(person, rng):
    """Short hairs of a beard as coverage (SIZE, SIZE, 1) float32; their density follows the beard mask."""
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    density = masks()["beard"] * np.clip(0.75 + 0.35 * noise(rng, SIZE, 50), 0.1, 1.2)
    n = int(900 + 5200 * min(person.beard, 1.0))
    spots = rng.uniform(0, SIZE - 1, (n * 7, 2))
    keep = rng.random(len(spots)) < density[spots[:, 1].astype(int), spots[:, 0].astype(int)]
    length = 1.2 + 9.0 * max(person.beard - 0.2, 0)
    strength = 45 + 150 * min(person.beard, 1)
    for root in spots[keep][:n]:
        lean = np.array([0.35 * (root[0] - SIZE / 2) / 100 + rng.normal(0, 0.35), 1.0])
        hair = np.array([root, root + lean * length * rng.uniform(0.5, 1.3)])
        stroke(canvas, hair, int(rng.uniform(0.5, 1) * strength))
    return canvas.astype(np.float32)[..., None] / 255


def _hairs(person, rng, albedo):
    """Paint brows and stubble on `albedo`."""
    hair = linear(np.array(person.hair) * (0.55 if max(person.hair) > 0.4 else 0.7))
    brows = np.minimum(_brows(person, rng) * 1.2, 1)  # strokes are thinner than a texel of the fitted texture
    soft = cv2.GaussianBlur(brows, (0, 0), 3.5)[..., None] * np.float32(0.35)
    albedo += soft * (hair - albedo)
    albedo += brows * np.float32(0.92) * (hair - albedo)
    if person.beard > 0:  # hair under the skin darkens it a little all over
        stubble = _stubble(person, rng)
        shade = masks()["beard"][..., None] * np.float32(0.16 * min(person.beard * 2, 1))
        albedo *= 1 - shade * np.array([1.1, 1.0, 0.8], np.float32)
        albedo += stubble * np.float32(0.85) * (hair - albedo)


def make_skin(person):
    """Paint the textures of one person; this takes about half a second."""
    rng = np.random.default_rng([13, person.seed])
    m = masks()
    albedo = _colour(person, rng)
    moles = _spots(person, rng, albedo)
    stripes = _lips(person, rng, albedo)
    rims = cv2.GaussianBlur(m["eyes"], (0, 0), 2.4)[..., None] * (1 - m["eyes"][..., None])
    albedo *= np.exp(-rims * np.array([0.15, 0.55, 0.5], np.float32))
    if person.makeup > 0.25:
        shadow = pair((3.2, 0.75, 8.8), 0.45, 2.1)[..., None] * np.float32(0.5 * person.makeup)
        albedo *= np.exp(-shadow * rng.uniform(0.3, 1.0, 3).astype(np.float32))
    _hairs(person, rng, albedo)
    albedo *= 1 - 0.93 * m["nostrils"][..., None] * np.array([0.8, 1, 1], np.float32)
    height = _relief(person, rng, stripes, moles)
    du, dv = texel_size()
    slope = [
        cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8) / du,
        cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8) / dv,
    ]
    slope = np.clip(np.stack(slope, -1), -0.8, 0.8)
    shiny = blob((0, -2.5, 11.8), 1.3) + blob((0, 4.2, 10), 2.2, 1.6) + 0.5 * pair((3.8, -2.6, 9.3), 1.2)
    gloss = 0.24 + 0.16 * person.oily * shiny
    gloss = gloss * np.float32(1 - 0.5 * person.tone)  # on dark skin the same gloss would show more
    gloss = np.maximum(gloss, 0.5 * m["lips"]) * (1 + 0.06 * noise(rng, SIZE, 4, 2.5))
    return Skin(*(texture.astype(np.float32) for texture in (albedo, slope, np.clip(gloss, 0, 1))))
