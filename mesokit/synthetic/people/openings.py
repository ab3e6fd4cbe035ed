"""Eyes and mouth of one person: painted once, then placed behind the holes of the skin of each frame.

`Openings` shades small patches of the frame, super-sampled, in linear light: eyeballs with iris and cornea, teeth, gums
and tongue.
"""

import cv2
import numpy as np

from mesokit.synthetic.people import head
from mesokit.synthetic.people.expression import eye_centre
from mesokit.synthetic.people.mesh import unit
from mesokit.synthetic.people.paint import linear, smooth
from mesokit.synthetic.people.scene import PIVOT

_EYE_R, _IRIS_R = 1.2, 0.6  # cm
FINE = 3  # samples per pixel along each side
# Of the teeth of both rows, from the middle to the side, in cm: their widths, and how much shorter than others each is.
_WIDTHS = {
    "up": np.array([0.86, 0.66, 0.76, 0.68, 0.66, 0.95, 0.9]),
    "lo": np.array([0.53, 0.58, 0.66, 0.68, 0.7, 1.0, 0.9]),
}
_DROPS = {"up": np.array([0.0, 0.07, 0.02, 0.08, 0.1, 0.12, 0.14]), "lo": 0.02 * np.arange(7)}


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


def _iris(person, rng):
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


def _veins(rng):
    """Veins in the white of an eye, around the gaze in the middle: (128, 128) float32 in [0, 1]."""
    canvas = np.zeros((128, 128), np.uint8)
    for _ in range(26):
        a = rng.choice([0, np.pi]) + rng.normal(0, 0.5)
        r = np.linspace(62, rng.uniform(36, 50), 9)
        walk = a + np.cumsum(rng.normal(0, 0.035, 9))
        line = np.stack([64 + r * np.cos(walk), 64 + r * np.sin(walk)], -1)
        cv2.polylines(canvas, [(line * 16).astype(np.int32)], False, int(rng.uniform(30, 130)), 1, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / 255


def _teeth(row, s, y, edge, tall):
    """Coverage and shade of a row of teeth at arch position `s` (cm) and height `y`; biting edge at y = edge."""
    ends = np.r_[0, np.cumsum(_WIDTHS[row])]
    k = np.clip(np.searchsorted(ends, np.abs(s)) - 1, 0, len(_WIDTHS[row]) - 1)
    u = 2 * (np.abs(s) - ends[k]) / _WIDTHS[row][k] - 1
    v = (y - edge if row == "up" else edge - y) - _DROPS[row][k]  # 0 at the biting edge, grows towards the gum
    round_off = 0.13 * np.abs(u) ** 5
    cover = smooth(-0.03, 0.05, v - round_off) * smooth(tall + 0.05, tall - 0.03, v + 0.22 * u * u)
    gap = smooth(1.0, 0.86, np.abs(u))
    shade = (0.50 + 0.50 * gap) * (0.82 + 0.18 * smooth(0.0, 0.3, v)) * np.where(k > 2, 0.85 ** (k - 2), 1)
    return cover, shade, v


def _gap(controls, upper, lower):
    """Distance in cm from the control `lower` up to `upper`, negative where they have crossed."""
    apart = controls[head.INDEX[upper]] - controls[head.INDEX[lower]]
    return float(np.linalg.norm(apart) * np.sign(apart[1]))


class Openings:
    """What shows through the holes of the skin: blended into a frame of linear RGB."""

    def __init__(self, person, rest, light, rng):
        """Paint eyes and teeth with `rng`; `rest` (n, 3): the control points of the head at rest."""
        self.rest, self.light = rest, light
        self.iris = _iris(person, rng)
        self.pupil = np.float32(rng.uniform(0.17, 0.27))
        self.veins = _veins(rng)
        yellow = np.clip(person.age - 25, 0, 50) / 50 * np.array([0.06, 0.09, 0.16])
        self.tooth = linear(np.array([0.95, 0.90, 0.80]) - yellow - rng.uniform(0, 0.06))

    @staticmethod
    def openness(controls):
        """Opacity (2,) of eyes and mouth: 0 as lids or lips meet, since the mesh between touching rims has no width."""
        eyes = min(_gap(controls, f"lid_up3{side}", f"lid_lo3{side}") for side in ("_l", "_r"))
        mouth = _gap(controls, "ul_in0", "ll_in0")
        return np.array([smooth(0.05, 0.16, eyes), smooth(0.03, 0.14, mouth)], np.float32)

    def eyes(self, frame, hole, controls, view):
        """Blend the eyes into `frame` where `hole` (h, w) is open."""
        gx, gy = np.deg2rad([view.state.gaze_x, view.state.gaze_y])
        for side in ("_l", "_r"):
            ring = head.ids(*head.lid_names("up", side), *head.lid_names("lo", side))
            box = view.box(view.pixels(controls[ring]), 3)
            x0, y0, x1, y1 = box
            if x1 - x0 < 3 or y1 - y0 < 2 or not hole[y0:y1, x0:x1].any():
                continue
            ball = view.place(eye_centre(self.rest, side)[None])
            gaze = view.turn @ np.array([np.sin(gx) * np.cos(gy), np.sin(gy), np.cos(gx) * np.cos(gy)], np.float32)
            across = unit(np.cross(view.turn[:, 1], gaze))
            axes = np.stack([across, np.cross(gaze, across), gaze], -1).astype(np.float32)
            scale = np.float32(view.focal / -ball[0, 2])
            eye = self._eyeball(box, view.project(ball)[0], scale, axes)
            a = hole[y0:y1, x0:x1]
            near = cv2.GaussianBlur(a, (0, 0), float(0.13 * scale))
            above = cv2.GaussianBlur(np.roll(a, round(0.22 * float(scale)), axis=0), (0, 0), float(0.10 * scale))
            shade = (0.3 + 0.7 * np.clip(near * 1.35 - 0.2, 0, 1)) * (0.3 + 0.7 * above)
            patch = frame[y0:y1, x0:x1]
            patch += (eye * shade[..., None] - patch) * a[..., None]

    def mouth(self, frame, hole, controls, view):
        """Blend the inside of the mouth into `frame` where `hole` (h, w) is open."""
        inner = head.ids(*head.lip_names("ul_in"), *head.lip_names("ll_in"))
        box = view.box(view.pixels(controls[inner]), 3)
        x0, y0, x1, y1 = box
        a = hole[y0:y1, x0:x1]
        if a.size == 0 or a.max() < 0.02:
            return
        middle = view.place(controls[head.ids("ul_in0")])[0]
        lip = self.rest[head.INDEX["ul_in0"]] - head.CONTROLS[head.INDEX["ul_in0"]]
        inside_head = PIVOT - np.array([0, lip[1], lip[2]], np.float32)  # the teeth are those of the table head
        samples = view.unproject(*_patch_grid(box), middle[2])
        origins = (samples - view.anchor) @ view.turn + inside_head
        direction = view.turn.T @ (middle / np.linalg.norm(middle)).astype(np.float32)
        gap = controls[head.INDEX["ul_in0"], 1] - controls[head.INDEX["ll_in0"], 1]
        dim = self._light_inside(a, float(np.clip(gap / 0.8, 0.5, 1)), view.unit)
        inside = self._inside(origins, direction, max(view.state.jaw, 0) * 2.6) * dim[..., None]
        patch = frame[y0:y1, x0:x1]
        patch += (inside - patch) * a[..., None]

    def _light_inside(self, hole, wide, scale):
        """Light (h, w) float32 behind the hole of the mouth (h, w), `wide` open (up to 1), at `scale` pixels per cm."""
        lamps = sum(colour.mean() * max(float(d[2]), 0) for d, colour in self.light.lamps)
        level = wide * self.light.sky.mean() * 0.7 + lamps * 0.7 * wide
        lower = np.roll(cv2.GaussianBlur(hole, (0, 0), 0.1 * scale), int(0.14 * scale), axis=0)
        dim = cv2.GaussianBlur(hole, (0, 0), 0.16 * scale) * (0.5 + 0.5 * lower)
        return (dim * np.float32(level)).astype(np.float32)

    def _eyeball(self, box, centre, scale, axes):
        """Shade one eyeball -> (h, w, 3) linear RGB at frame resolution, without the shade of the lids.

        `centre`: pixel position of the ball's centre; `scale`: pixels per cm; `axes` (3, 3): columns are the eye's x, y
        and gaze in camera space.
        """
        x, y = _patch_grid(box)
        n = np.stack([(x - centre[0]) / scale, (centre[1] - y) / scale], -1) / np.float32(_EYE_R)
        r2 = np.minimum((n**2).sum(-1), 0.999)
        n = np.concatenate([n, np.sqrt(1 - r2)[..., None]], -1).astype(np.float32)
        colour, sclera = self._eye_colour(n @ axes.astype(np.float32))
        bulge = n * np.float32(_EYE_R) - axes[:, 2].astype(np.float32) * np.float32(0.52)
        cornea = unit(n * sclera + unit(bulge) * (1 - sclera))
        lamps = self.light.lamps
        shade = self.light.ambient(n) + sum(c * np.clip((n @ d + 0.45) / 1.45, 0, 1)[..., None] for d, c in lamps)
        out = colour * shade
        mirror = 2 * cornea[..., 2:] * cornea - np.array([0, 0, 1], np.float32)
        for direction, c in lamps:
            out += smooth(0.980, 0.992, mirror @ direction)[..., None] * c * np.float32(0.6)
        out += self.light.ambient(mirror) * np.float32(0.03)
        return _to_pixels(out)

    def _eye_colour(self, own):
        """Albedo (.., 3) and share of the white (.., 1) at unit vectors `own` (.., 3) from the centre of the eye."""
        rho = np.arccos(np.clip(own[..., 2], -1, 1)) * np.float32(_EYE_R)
        around = (np.arctan2(own[..., 1], own[..., 0]) / np.float32(2 * np.pi) + np.float32(0.5)) * 256
        t = (rho - self.pupil) / np.float32(_IRIS_R - self.pupil)
        rows = (np.clip(t, 0, 1) * 63).astype(np.float32)
        colour = cv2.remap(self.iris, around.astype(np.float32), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        colour = colour * smooth(-0.10, 0.10, t)[..., None]
        edge = 0.10 * smooth(0.7, 1.6, rho)[..., None]
        white = np.array([0.57, 0.52, 0.49], np.float32) - edge * np.array([0.4, 1.3, 1.3], np.float32)
        vein = cv2.remap(self.veins, own[..., 0] * 60 + 64, own[..., 1] * 60 + 64, cv2.INTER_LINEAR)
        white = white * np.exp(-(vein * smooth(0.62, 1.1, rho))[..., None] * np.array([0.10, 0.8, 0.7], np.float32))
        sclera = smooth(_IRIS_R - 0.035, _IRIS_R + 0.055, rho)[..., None]
        return colour * (1 - sclera) + white * sclera, sclera

    def _inside(self, o, d, jaw):
        """Albedo of the inside of a mouth -> (h, w, 3) linear RGB.

        Rays in the head's frame: origins `o` (.., 3) of all samples and one direction `d` (3,); `jaw`: cm by which the
        lower teeth have dropped.
        """
        a, b, z0 = 2.75, 3.1, 7.35
        qa = (d[0] / a) ** 2 + (d[2] / b) ** 2
        qb = o[..., 0] * d[0] / a**2 + (o[..., 2] - z0) * d[2] / b**2
        qc = (o[..., 0] / a) ** 2 + ((o[..., 2] - z0) / b) ** 2 - 1
        root = np.sqrt(np.maximum(qb * qb - qa * qc, 0))
        hit = o + d * ((-qb - root) / qa)[..., None]
        s = np.arcsin(np.clip(hit[..., 0] / a, -1, 1)) * 2.95
        upper, us, uv = _teeth("up", s, hit[..., 1], -6.88, 1.0)
        lower, ls, lv = _teeth("lo", s * 0.97, hit[..., 1], -6.70 - jaw, 0.85)
        out = np.full(o.shape, (0.055, 0.016, 0.013), np.float32)
        low = (hit[..., 1] + 7.45 + 0.78 * jaw) / (0.75 + 0.1 * jaw)
        tongue = smooth(1.0, 0.5, (hit[..., 0] / 1.9) ** 2 + low**2)
        tongue = (tongue * (1 - 0.35 * np.exp(-((hit[..., 0] / 0.12) ** 2))))[..., None]  # its furrow
        out += tongue * (np.array([0.46, 0.17, 0.15], np.float32) - out)
        gum = np.array([0.36, 0.13, 0.12], np.float32)
        bend = np.clip(1.1 - 0.16 * s**2, 0.25, 1)[..., None]
        for cover, shade, v, tall in ((lower, ls, lv, 0.85), (upper, us, uv, 1.0)):
            behind = smooth(tall - 0.1, tall, v)[..., None]
            out += behind * (gum * bend - out)
            out += cover[..., None] * (self.tooth * shade[..., None] * bend - out)
        return _to_pixels(out)
