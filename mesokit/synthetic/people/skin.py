"""The skin of one person as textures in the (u, v) map of `head`: colour, fine relief, gloss.

Painted once per identity at SIZE x SIZE: a tone, blood and melanin under it, lips, spots, wrinkles, pores, hairs.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from mesokit.synthetic.people.paint import SIZE, blob, curve, linear, masks, noise, pair, stroke, texel, texel_size

# sRGB of skin under white light, from very light to very dark (interpolated)
_TONES = np.array([(237, 189, 165), (230, 178, 150), (221, 166, 134), (210, 153, 118), (190, 135, 99),
(163, 112, 80),
                   (131, 87, 62), (103, 68, 49), (78, 52, 40)], float) / 255  # fmt: skip


@dataclass(frozen=True)
class Skin:
    """Textures (SIZE, SIZE): albedo (.., 3) linear RGB, slope (.., 2) of the relief along u and v, gloss 0..1."""

    albedo: np.ndarray
    slope: np.ndarray
    gloss: np.ndarray


# --- layers -----------------------------------------------------------------------------------------------------------
def _tone(person):
    k = person.tone * (len(_TONES) - 1)
    base = np.array([np.interp(k, np.arange(len(_TONES)), _TONES[:, c]) for c in range(3)])
    base *= 1 + 0.03 * person.warmth * np.array([-0.4, 0.2, -1.0])
    return linear(base)


def _blood(person, rng):
    """Where blood shows: cheeks, nose, chin, lids; (SIZE, SIZE) roughly 0..1."""
    red = (
        0.6 * pair((4.3, -2.9, 9.0), 1.25, 1.1)
        + 0.55 * blob((0, -3.5, 12.3), 0.75, 1.2)
        + 0.4 * pair((1.5, -3.8, 10.6), 0.5)
    )
    red += (
        0.25 * blob((0, -9.8, 10.5), 0.9, 1.3)
        + 0.3 * pair((3.2, 0.4, 8.8), 0.7, 1.7)
        + 0.12 * blob((0, 4.5, 9.8), 2.0, 1.8)
    )
    return red * (0.35 + 0.9 * person.redness) * (1 + 0.12 * noise(rng, SIZE, 24, 9)) + 0.025 * noise(rng, SIZE, 60, 20)


def _colour(person, rng):
    """Albedo of bare skin without hairs, linear RGB."""
    dark = person.tone
    tint = np.zeros((SIZE, SIZE, 3), np.float32)  # logarithm of the multiplier
    red = _blood(person, rng)[..., None]
    tint += red * np.array([-0.02, -0.36, -0.30], np.float32) * (1 - 0.55 * dark)
    melanin = 0.03 * noise(rng, SIZE, 90, 40) + 0.013 * noise(rng, SIZE, 14, 6) + 0.036 * noise(rng, SIZE, 3.2)
    melanin += (
        0.1
        * (0.5 + dark)
        * (pair((2.6, -1.1, 8.8), 0.62, 1.7) * (0.6 + person.age / 60) + 0.6 * pair((3.1, 0.75, 8.8), 0.5, 2.0))
    )
    melanin += 0.10 * dark * blob((0, 5.5, 9.4), 2.4, 2) + 0.08 * dark * blob((0, -7, 11), 2.0, 1.3)
    tint -= melanin[..., None] * np.array([0.7, 1.0, 1.25], np.float32)
    return _tone(person) * np.exp(tint)


def _spots(person, rng, albedo):
    """Freckles, moles and, with age, liver spots."""
    spots = np.zeros((SIZE, SIZE), np.uint8)
    n = int(320 * person.freckles)
    where = np.concatenate([rng.normal((0, -2.3), (2.6, 1.2), (n, 2)), rng.normal((0, 2), (3.5, 2.5), (n // 4, 2))])
    where = [(*w, rng.uniform(0.5, 1.5), rng.uniform(40, 150)) for w in where]
    where += [
        (*rng.normal((0, 3), (4, 3)), rng.uniform(2, 6), rng.uniform(20, 60))
        for _ in range(int(max(person.age - 48, 0) * 0.5))
    ]
    for x, y, r, a in where:
        if abs(x) < 6:
            c = texel(np.array([[x, y, 12 - 0.16 * x * x - abs(y + 3) * 0.25]]))[0]
            cv2.circle(spots, tuple(int(v * 16) for v in c), int(r * 16), int(a), -1, cv2.LINE_AA, 4)
    spots = cv2.GaussianBlur(spots, (0, 0), 0.8).astype(np.float32) / 255
    albedo *= np.exp(-spots[..., None] * np.array([0.5, 0.9, 1.3], np.float32))
    moles = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(person.moles):
        x, y = rng.uniform(-5.5, 5.5), rng.choice([rng.uniform(-9, -1.5), rng.uniform(3, 6)])
        c = texel(np.array([[x, y, 11 - 0.13 * x * x]]))[0]
        cv2.circle(
            moles,
            tuple(int(v * 16) for v in c),
            int(rng.uniform(0.9, 2.2) * 16),
            int(rng.uniform(110, 220)),
            -1,
            cv2.LINE_AA,
            4,
        )
    moles = cv2.GaussianBlur(moles, (0, 0), 0.7).astype(np.float32)[..., None] / 255
    albedo *= np.exp(-moles * np.array([0.9, 1.3, 1.5], np.float32))
    return moles[..., 0]


def _lips(person, rng, albedo):
    """Vermilion: redder and darker than the skin, faintly striped, the upper lip darker; make-up on some."""
    m = masks()
    stripes = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)).astype(np.float32), (0, 0), sigmaX=1.6, sigmaY=7)
    stripes /= stripes.std()
    bare = _tone(person) * np.array([0.80, 0.47, 0.50], np.float32) ** np.float32(
        0.75 + 0.15 * person.redness - 0.45 * person.tone * 0.6
    )
    painted = linear(
        [(0.62, 0.20, 0.22), (0.70, 0.33, 0.34), (0.55, 0.16, 0.24), (0.72, 0.42, 0.38)][int(rng.integers(4))]
    )
    paint = np.float32(min(0.75, person.makeup))
    colour = (bare * (1 - paint) + painted * paint) * np.exp(0.022 * stripes[..., None])
    weight = (m["lips"] * np.float32(0.78 + 0.2 * paint - 0.2 * (person.masculine > 0.6)))[..., None]
    colour *= np.exp(-0.28 * m["upper_lip"][..., None] * np.array([0.8, 1, 1], np.float32))  # it faces downwards
    albedo *= 1 - weight
    albedo += weight * colour
    seam = cv2.GaussianBlur(m["mouth"], (0, 0), 2.5)[..., None]
    albedo *= np.exp(-0.9 * seam * np.array([0.6, 1, 1], np.float32))
    return stripes * m["lips"]


def _relief_lines(person, rng):
    """Grooves in centimetres (negative): wrinkles by age, the lid fold, the wing of the nose, the nasolabial fold."""
    old = np.float32(np.clip((person.age - 28) / 40, 0, 1))
    out = np.zeros((SIZE, SIZE), np.float32)

    def groove(points, depth, width, sides=(1, -1)):
        canvas = np.zeros((SIZE, SIZE), np.uint8)
        for s in sides:
            stroke(canvas, curve(texel(np.array(points, float) * [s, 1, 1]), 60), 255, 2)
        out[:] -= (
            np.float32(depth * 1.6)
            * cv2.GaussianBlur(canvas, (0, 0), width).astype(np.float32)
            / 255
            * np.float32(width)
        )

    groove([(1.25, -2.75, 10.6), (1.75, -3.1, 10.0), (1.97, -3.8, 9.7), (1.74, -4.4, 9.8)], 0.030, 2.4)
    groove(
        [(2.0, 0.5, 8.6), (2.6, 0.76, 8.8), (3.2, 0.84, 8.85), (3.9, 0.76, 8.5), (4.55, 0.45, 8.0)],
        0.022 * (1 - 0.6 * np.clip(dict(person.shape)["fold_heavy"], 0, 1)),
        1.5,
    )
    groove([(2.0, -3.5, 9.6), (2.5, -4.4, 9.6), (3.0, -5.6, 9.4), (3.3, -6.6, 9.1)], 0.006 + 0.035 * old, 3.5)
    groove([(1.9, -0.85, 8.7), (2.5, -1.35, 8.8), (3.3, -1.5, 8.9)], 0.004 + 0.012 * old, 3)
    for k in range(4):
        y = 3.2 + 0.75 * k + rng.normal(0, 0.12)
        xs = np.linspace(-3.2, 3.2, 8) + rng.normal(0, 0.3)
        groove(
            [(x, y + 0.35 * np.cos(x * 0.8 + rng.normal(0, 0.2)) + rng.normal(0, 0.06), 10 - 0.1 * x * x) for x in xs],
            0.010 * old,
            1.8,
            sides=(1,),
        )
    for k in range(3):
        groove(
            [(4.85, 0.1 - 0.25 * k, 7.8), (5.35, 0.35 - 0.42 * k, 7.5), (5.8, 0.5 - 0.62 * k, 7.1)],
            0.011 * old,
            1.3,
        )
        groove(
            [
                (2.2 + 0.3 * k, -0.75 - 0.2 * k, 8.7),
                (3.2, -0.95 - 0.25 * k, 8.8),
                (4.2, -0.75 - 0.22 * k, 8.4),
            ],
            0.007 * old,
            1.2,
        )
    groove([(0.55, 1.3, 9.9), (0.6, 2.0, 10.2), (0.75, 2.6, 10.2)], 0.012 * old, 1.6)
    return out


def _relief(person, rng, stripes, moles):
    """Height in centimetres: pores, fine creases, wrinkles, lip stripes, moles."""
    pores = np.minimum(noise(rng, SIZE, 2.6), 0) ** 2 * np.float32(0.0027) * np.float32(0.5 + 1.1 * person.pores)
    where = 0.45 + 0.9 * (
        blob((0, -2.8, 11.8), 1.5, 1.0) + 0.8 * pair((3.2, -3.2, 9.4), 1.3) + 0.6 * blob((0, 4.0, 10), 1.8, 1.6)
    )
    fine = noise(rng, SIZE, 2.2) * np.float32(0.0005) + noise(rng, SIZE, 5, 9) * np.float32(
        0.0006 + 0.0010 * max(person.age - 30, 0) / 40
    )
    lips = masks()["lips"]
    return (fine - pores * where) * (1 - lips) + 0.0004 * stripes + _relief_lines(person, rng) + 0.02 * moles


def _brows(person, rng, canvas):
    """Strokes of both eyebrows as coverage on a uint8 canvas."""
    thick, arch = person.brow_thick, person.brow_arch
    for s in (-1, 1):
        spine = np.array(
            [
                (0.95, 1.5, 10.05),
                (1.5, 1.72, 10.0),
                (2.4, 1.92 + 0.05 * arch, 9.9),
                (3.5, 2.04 + 0.2 * arch, 9.55),
                (4.5, 1.9 + 0.15 * arch, 8.95),
                (5.35, 1.38, 8.05),
            ]
        )
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
            stroke(
                canvas,
                np.array([root, root + step * 0.55, root + step + along * 1.2]),
                int(rng.uniform(120, 235)),
            )


def _stubble(person, rng, canvas):
    """Short hairs of a beard; density follows the beard mask."""
    density = masks()["beard"] * np.clip(0.75 + 0.35 * noise(rng, SIZE, 50), 0.1, 1.2)
    n = int(900 + 5200 * min(person.beard, 1.0))
    spots = rng.uniform(0, SIZE - 1, (n * 7, 2))
    keep = rng.random(len(spots)) < density[spots[:, 1].astype(int), spots[:, 0].astype(int)]
    length = 1.2 + 9.0 * max(person.beard - 0.2, 0)
    strength = 45 + 150 * min(person.beard, 1)
    for x, y in spots[keep][:n]:
        lean = np.array([0.35 * (x - SIZE / 2) / 100 + rng.normal(0, 0.35), 1.0])
        stroke(
            canvas,
            np.array([(x, y), (x, y) + lean * length * rng.uniform(0.5, 1.3)]),
            int(rng.uniform(0.5, 1) * strength),
        )


def _hairs(person, rng, albedo):
    """Brows, stubble, and the scalp's own colour under the hair."""
    hair = linear(np.array(person.hair) * (0.55 if max(person.hair) > 0.4 else 0.7))
    for paint, strength in ((_brows, 0.92), (_stubble if person.beard > 0 else None, 0.85)):
        if paint is None:
            continue
        canvas = np.zeros((SIZE, SIZE), np.uint8)
        paint(person, rng, canvas)
        cover = canvas.astype(np.float32)[..., None] / 255
        if paint is _brows:
            cover = np.minimum(cover * 1.2, 1)  # strokes are thinner than a texel of the fitted texture
        if paint is _stubble:  # hair under the skin darkens it a little all over
            shade = masks()["beard"][..., None] * np.float32(0.16 * min(person.beard * 2, 1))
            albedo *= 1 - shade * np.array([1.1, 1.0, 0.8], np.float32)
        else:
            soft = cv2.GaussianBlur(cover, (0, 0), 3.5)[..., None] * np.float32(0.35)
            albedo += soft * (hair - albedo)
        albedo += cover * np.float32(strength) * (hair - albedo)


def make_skin(person):
    """Paint the textures of one person; about half a second."""
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
    slope = np.stack(
        [
            cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8) / du,
            cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8) / dv,
        ],
        -1,
    )
    gloss = 0.24 + 0.16 * person.oily * (
        blob((0, -2.5, 11.8), 1.3) + blob((0, 4.2, 10), 2.2, 1.6) + 0.5 * pair((3.8, -2.6, 9.3), 1.2)
    )
    gloss = gloss * np.float32(1 - 0.5 * person.tone)  # what is lit under it is darker, so the same gloss shows more
    gloss = np.maximum(gloss, 0.5 * m["lips"]) * (1 + 0.06 * noise(rng, SIZE, 4, 2.5))
    return Skin(
        albedo.astype(np.float32),
        np.clip(slope, -0.8, 0.8).astype(np.float32),
        np.clip(gloss, 0, 1).astype(np.float32),
    )
