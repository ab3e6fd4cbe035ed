"""Fine lines drawn over the shaded image: lashes on the rims of the lids, and glasses."""

import cv2
import numpy as np

from mesokit.synthetic.people import head

FINE = 4  # super-sampling


def _fixed(points, corner):
    """Frame pixels (n, 2) -> sixteenths of the pixels of a super-sampled canvas whose origin is `corner`, int32."""
    return np.round(((points - corner + 0.5) * FINE - 0.5) * 16).astype(np.int32)


def _lines(canvas, corner, lines, value, width):
    """Draw anti-aliased polylines, given in frame pixels."""
    ends = np.cumsum([len(line) for line in lines])[:-1]
    points = np.split(_fixed(np.concatenate(lines), corner), ends)
    cv2.polylines(canvas, points, False, value, max(round(width), 1), cv2.LINE_AA, 4)


def _polygon(canvas, corner, points, value):
    """Fill an anti-aliased polygon, given in frame pixels."""
    cv2.fillPoly(canvas, [_fixed(points, corner)], value, cv2.LINE_AA, 4)


def _cover(canvas, box):
    """The canvas at the resolution of the frame: (h, w, 1) float32 in [0, 1]."""
    x0, y0, x1, y1 = box
    return cv2.resize(canvas, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255


def _blend(image, box, canvas, colour, strength):
    x0, y0, x1, y1 = box
    patch = image[y0:y1, x0:x1]
    patch += (np.asarray(colour, np.float32) - patch) * (_cover(canvas, box) * np.float32(strength))


def _canvas(box):
    """An empty super-sampled canvas for a box of the frame, and its origin."""
    x0, y0, x1, y1 = box
    return np.zeros(((y1 - y0) * FINE, (x1 - x0) * FINE), np.uint8), np.array([x0, y0])


def _rim(controls, rim, side, n=48):
    """Smooth 3-D rim ('up' or 'lo') of an eye opening from inner to outer corner, (n, 3): a Catmull-Rom spline."""
    points, t = controls[head.ids(*head.lid_names(rim, side))], np.linspace(0, 6, n)
    i = np.clip(t.astype(int), 0, 5)
    f = (t - i)[:, None]
    before, a, b, after = points[np.maximum(i - 1, 0)], points[i], points[i + 1], points[np.minimum(i + 2, 6)]
    return 0.5 * (
        2 * a + (b - before) * f + (2 * before - 5 * a + 4 * b - after) * f**2 + (3 * a - before - 3 * b + after) * f**3
    )


def _eye_fold(controls, side, n=48):
    """3-D line of the fold above an eye opening, from inner to outer end, (n, 3)."""
    points = controls[head.ids(*(f"fold{k}{side}" for k in range(1, 5)))]
    t = np.linspace(0, 3, n)
    return np.stack([np.interp(t, np.arange(4), points[:, k]) for k in range(3)], -1)


def _closed_lid(image, box, canvas, corner, low, fold, view, shut):
    """Shade a lowered lid on a float sRGB image: dusky towards its rim `low`, a crease where it folds."""
    amount = np.float32(min((shut - 0.3) / 0.5, 1))
    crease = view.pixels(0.62 * fold + 0.38 * low)
    lower, upper = view.pixels(low), view.pixels(0.35 * fold + 0.65 * low)
    _polygon(canvas, corner, np.concatenate([lower, upper[::-1]]), 105)
    _lines(canvas, corner, [crease[3:-3]], 150, 0.10 * view.unit * FINE)
    x0, y0, x1, y1 = box
    cover = cv2.GaussianBlur(_cover(canvas, box), (0, 0), 0.09 * view.unit)[..., None] * amount
    image[y0:y1, x0:x1] *= 1 - cover * np.array([0.30, 0.42, 0.42], np.float32)
    canvas[:] = 0


def plan_lashes(person, rng):
    """For each rim: position along it (0..1), length in cm and sideways fan of every lash."""
    plan = {}
    upper, lower = (int(60 + 50 * person.lash), 0.32 + 0.35 * person.lash), (34, 0.20 + 0.12 * person.lash)
    for rim, (n, length) in {"up": upper, "lo": lower}.items():
        t = np.sort(rng.uniform(0.06, 0.98, n))
        lengths = length * rng.uniform(0.7, 1.1, n) * np.interp(t, [0, 0.5, 0.85, 1], [0.55, 0.95, 1.1, 0.8])
        plan[rim] = (t, lengths, (t - 0.45) * 1.1 + rng.normal(0, 0.15, n))
    return plan


def lashes(image, plan, person, controls, view):
    """Draw lashes and the dark line of the lids on a float sRGB image."""
    for side, sign, shut in (("_l", -1, view.state.blink_left), ("_r", 1, view.state.blink_right)):
        rims = {rim: _rim(controls, rim, side) for rim in ("up", "lo")}
        box = view.box(view.pixels(np.concatenate(list(rims.values()))), 0.9 * view.unit)
        if box[2] - box[0] < 4 or box[3] - box[1] < 4:
            continue
        canvas, corner = _canvas(box)
        if shut > 0.3:
            _closed_lid(image, box, canvas, corner, rims["up"], _eye_fold(controls, side), view, shut)
        for rim, (t, length, fan) in plan.items():
            upper = rim == "up"
            root = rims[rim][(t * (len(rims[rim]) - 1)).astype(int)]
            rise, curl = ((0.55 - 1.1 * shut), -0.35) if upper else (-0.45, 0.35)
            bend = root + np.stack([sign * fan * length * 0.4, (rise + curl) * length * 0.45, 0.55 * length], -1)
            tip = root + np.stack([sign * fan * length, rise * length, 0.95 * length], -1)
            hairs = np.stack([view.pixels(p) for p in (root, bend, tip)], 1)
            _lines(canvas, corner, list(hairs), 190 if upper else 80, 1)
            width = (0.055 + 0.035 * shut) * view.unit * FINE if upper else 2
            edge = int(150 + 90 * person.makeup) if upper else 55
            _lines(canvas, corner, [view.pixels(rims[rim])], edge, max(width, 2))
        colour = np.minimum(np.array(person.hair) * 0.25, 0.12) + 0.02
        _blend(image, box, canvas, colour, min(0.45 + 0.4 * person.lash + 0.2 * shut, 1))


def glasses(image, person, view, sky):
    """Draw a pair of glasses on a float sRGB image; the seed of the person decides their shape and colour."""
    rng = np.random.default_rng([19, person.seed])
    wide, tall, power = rng.uniform(2.35, 2.75), rng.uniform(1.65, 2.3), rng.uniform(2.0, 4.0)
    colour = [(0.05, 0.05, 0.06), (0.22, 0.13, 0.08), (0.45, 0.40, 0.32), (0.15, 0.17, 0.25)][int(rng.integers(4))]
    a = np.linspace(0, 2 * np.pi, 64)
    lines, lenses = [], []
    for sign in (-1, 1):
        c, s = np.cos(a), np.sin(a)
        x = sign * 3.2 + wide * np.sign(c) * np.abs(c) ** (2 / power)
        y = -0.25 + tall * np.sign(s) * np.abs(s) ** (2 / power)
        z = 10.9 - 0.06 * np.abs(x) ** 1.7
        lens = view.pixels(np.stack([x, y, z], -1))
        lenses.append(lens)
        outer, ear = np.array([sign * (3.2 + wide), 0.6, z.min()]), np.array([sign * 7.3, 0.9, 1.0])
        lines += [lens, view.pixels(np.stack([outer, ear]))]
    x = np.linspace(-0.85, 0.85, 9)
    bridge = np.stack([x, 0.35 + 0.25 * np.cos(np.linspace(-1.5, 1.5, 9)), np.full(9, 11.0)], -1)
    lines.append(view.pixels(bridge))
    box = view.box(np.concatenate(lines), 4)
    canvas, corner = _canvas(box)
    for lens in lenses:  # a lens absorbs a little light and reflects a little sky
        _polygon(canvas, corner, lens, 14)
    _blend(image, box, canvas, sky, 1.0)
    width = (0.10 + 0.16 * person.glasses) * view.unit * FINE
    shadow = (np.array([0, 0.18 * view.unit]), 90, (0.10, 0.05, 0.03), 0.5)  # on the skin
    for shift, value, tint, strength in (shadow, (np.zeros(2), 255, colour, 0.95)):
        canvas[:] = 0
        _lines(canvas, corner, [line + shift for line in lines], value, width)
        _blend(image, box, canvas, tint, strength)
