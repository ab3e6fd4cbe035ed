"""Where a clip is filmed: light, camera, background and clothes. The body below the chin is built here too."""

from dataclasses import dataclass

import cv2
import numpy as np

from mesokit.synthetic.people.paint import linear, noise
from mesokit.synthetic.people.skin import Skin

# Cameras differ as they do in life, or sharpness alone would give a forgery away. From, to; drawn evenly, blur evenly
# on a logarithmic scale.
DEFOCUS = (0.35, 1.7)
RESOLUTION = (0.6, 1.0)
WALL_BLUR = (1.0, 12.0)


@dataclass(frozen=True)
class Scene:
    """Everything about a clip that is neither the person nor the moment. Sizes in pixels, distances in cm."""

    seed: int
    size: tuple[int, int]  # (width, height), even
    eye_distance: float  # pixels between the eyes of an average head facing the camera, at 480x360
    distance: float  # camera to head
    shift: tuple[float, float]  # of the head's centre from its usual place, share of the frame
    key: tuple[float, float, float]  # direction to the main light, camera space
    key_power: float
    fill: tuple[float, float, float]
    fill_power: float
    ambient: float
    warm: float  # colour of the main light, -1 bluish to 1 yellowish
    wall: int  # kind of background
    defocus: float  # blur of the subject, pixels of the frame
    motion_blur: float  # share of the frame time the shutter is open
    noise: float  # sensor noise, of 255
    balance: tuple[float, float, float]  # white balance error
    exposure: float
    contrast: float
    vignette: float
    clothes: int
    resolution: float  # of the sensor: its pixels along a side, as a share of the frame's
    wall_blur: float  # blur of the background, pixels at 480x360: the smaller the lens' opening, the smaller


@dataclass(frozen=True)
class Light:
    """Lamps [(direction (3,), colour (3,))] and a sky over a floor, linear light."""

    lamps: list
    sky: np.ndarray
    floor: np.ndarray

    def ambient(self, normals):
        """Light from all around for normals (..., 3) -> (..., 3)."""
        t = (normals[..., 1:2] * 0.5 + 0.5).astype(np.float32)
        return self.floor + (self.sky - self.floor) * t


def _three(values) -> tuple[float, float, float]:
    a, b, c = values
    return float(a), float(b), float(c)


def sample_scene(seed: int, size: tuple[int, int] = (480, 360)) -> Scene:
    """A filming situation drawn at random; `size` = (width, height), both even."""
    if size[0] % 2 or size[1] % 2 or min(size) < 64:
        raise ValueError(f"size {size}: width and height must be even and at least 64")
    rng = np.random.default_rng([14, seed])
    side = rng.choice([-1, 1])
    key = np.array([side * rng.uniform(0.15, 1.0), rng.uniform(0.4, 1.1), rng.uniform(0.7, 1.2)])
    fill = np.array([-side * rng.uniform(0.4, 1.0), rng.uniform(-0.1, 0.5), rng.uniform(0.5, 1.0)])
    return Scene(
        seed=seed, size=(size[0], size[1]), eye_distance=float(rng.uniform(64, 84)),
        distance=float(rng.uniform(65, 130)),
        shift=(float(rng.normal(0, 0.025)), float(rng.normal(0, 0.012))),
        key=_three(key / np.linalg.norm(key)),
        key_power=float(rng.uniform(0.75, 1.35)), fill=_three(fill / np.linalg.norm(fill)),
        fill_power=float(rng.uniform(0.08, 0.4)),
        ambient=float(rng.uniform(0.28, 0.52)), warm=float(rng.normal(0.1, 0.4)), wall=int(rng.integers(5)),
        defocus=float(np.exp(rng.uniform(*np.log(DEFOCUS)))), motion_blur=float(rng.uniform(0.1, 0.5)),
        noise=float(rng.uniform(1.6, 6.4)), balance=_three(np.exp(rng.normal(0, 0.03, 3))),
        exposure=float(rng.uniform(0.9, 1.12)), contrast=float(rng.uniform(0.0, 0.35)),
        vignette=float(rng.uniform(0, 0.25)), clothes=int(rng.integers(1 << 30)),
        resolution=float(rng.uniform(*RESOLUTION)), wall_blur=float(np.exp(rng.uniform(*np.log(WALL_BLUR)))),
    )  # fmt: skip


def make_light(scene):
    """The lamps of a scene, powers chosen so that a white surface facing the key light is near 1."""
    tint = np.array([1 + 0.10 * scene.warm, 1.0, 1 - 0.14 * scene.warm], np.float32)
    cool = np.array([1 - 0.05 * scene.warm, 1.0, 1 + 0.07 * scene.warm], np.float32)
    lamps = [
        (np.array(scene.key, np.float32), tint * np.float32(scene.key_power)),
        (np.array(scene.fill, np.float32), cool * np.float32(scene.fill_power)),
    ]
    sky = cool * np.float32(scene.ambient)
    return Light(lamps, sky, sky * np.array([0.55, 0.48, 0.42], np.float32))


# --- background -------------------------------------------------------------------------------------------------------
def _rectangles(rng, image, n, low, high):
    h, w = image.shape[:2]
    for _ in range(n):
        x, y, a, b = (
            rng.uniform(-0.1, 1) * w,
            rng.uniform(-0.1, 0.9) * h,
            rng.uniform(low, high) * w,
            rng.uniform(low, high) * h,
        )
        colour = np.clip(rng.uniform(0.1, 0.8) + rng.normal(0, 0.04, 3) + np.array([0.03, 0, -0.03]), 0.02, 0.95)
        cv2.rectangle(image, (int(x), int(y)), (int(x + a), int(y + b)), colour.tolist(), -1)


def _shelves(rng, image):
    h, w = image.shape[:2]
    wood = np.clip(np.array([0.45, 0.32, 0.22]) * rng.uniform(0.5, 1.5), 0, 1)
    for top in np.arange(rng.uniform(-0.2, 0) * h, h, 0.28 * h):
        x = rng.uniform(-20, 0)
        while x < w:
            wide, tall = rng.uniform(0.012, 0.045) * w, rng.uniform(0.12, 0.24) * h
            cv2.rectangle(
                image,
                (int(x), int(top + 0.25 * h - tall)),
                (int(x + wide), int(top + 0.25 * h)),
                np.clip(rng.uniform(0.08, 0.75) + rng.normal(0, 0.07, 3) + [0.04, 0, -0.05], 0, 1).tolist(),
                -1,
            )
            x += wide + rng.exponential(0.012) * w
        cv2.rectangle(image, (0, int(top + 0.25 * h)), (w, int(top + 0.28 * h)), wood.tolist(), -1)


def _garden(rng, h, w):
    """Bushes and a lawn far out of focus; points of light spread to discs, the picture of the lens' opening."""
    y = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    leaf, sky, lawn = (np.array(c, np.float32) for c in ((0.38, 0.45, 0.30), (0.80, 0.85, 0.82), (0.53, 0.58, 0.40)))
    bright, warm = rng.uniform(0.75, 1.15), rng.normal(0, 0.03)
    thick = noise(rng, max(w, h), 0.26 * w, 0.13 * w)[:h, :w, None]  # where leaves hide the sky
    open_sky = np.clip(0.55 - 1.5 * y - 0.35 * thick, 0, 1) * np.float32(rng.uniform(0.3, 1))
    ground = np.clip((y - rng.uniform(0.6, 0.85)) * 6, 0, 1)
    clumps = noise(rng, max(w, h), 0.09 * w, 0.045 * w)[:h, :w, None]
    image = leaf * np.float32(bright) * np.exp(0.16 * thick + 0.13 * clumps)
    image = image + np.array([0.08, 0.05, -0.02], np.float32) * np.clip(thick * 0.5, -0.5, 1) + np.float32(warm)
    image += ground * (lawn * np.float32(bright) * np.exp(0.05 * clumps) - image)
    image += open_sky * (sky - image)
    image = cv2.GaussianBlur(np.clip(image, 0.03, 1).astype(np.float32), (0, 0), 0.022 * w)
    radius = rng.uniform(0.012, 0.032) * w
    for _ in range(int(rng.integers(15, 60))):
        at = rng.uniform(0, w), rng.beta(1.1, 2.0) * h
        disc = np.zeros((h, w), np.float32)
        r = radius * rng.uniform(0.7, 1.2)
        cv2.circle(disc, (int(at[0] * 16), int(at[1] * 16)), int(r * 16), float(rng.uniform(0.05, 0.35)), -1, 8, 4)
        glow = np.array([0.92, 0.95, 0.70], np.float32) + rng.normal(0, 0.05)
        image += disc[..., None] * (glow.astype(np.float32) - image)
    return image


def background(scene):
    """(h, w, 3) float32 sRGB in [0, 1]: a wall, a room out of focus, shelves, a window, leaves."""
    w, h = scene.size
    rng = np.random.default_rng([15, scene.seed])
    base = np.clip(rng.uniform(0.3, 0.85) + rng.normal(0, 0.035, 3) + [0.02, 0, -0.02], 0.05, 0.95)
    ramp = np.linspace(-0.5, 0.5, w)[None, :, None] * rng.normal(0, 0.25) + np.linspace(-0.5, 0.5, h)[
        :, None, None
    ] * rng.normal(-0.1, 0.15)
    image = np.clip(base + ramp, 0, 1).astype(np.float32)
    blur = scene.wall_blur * w / 480
    if scene.wall == 1:
        _rectangles(rng, image, int(rng.integers(5, 14)), 0.05, 0.5)
    elif scene.wall == 2:
        _shelves(rng, image)
    elif scene.wall == 3:
        x = rng.uniform(-0.1, 0.8) * w
        cv2.rectangle(image, (int(x), -9), (int(x + 0.35 * w), int(0.7 * h)), (0.93, 0.96, 0.99), -1)
        _rectangles(rng, image, 4, 0.03, 0.2)
    elif scene.wall == 4:
        image, blur = _garden(rng, h, w), 2.5 * w / 480
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), blur)
    grain = noise(rng, max(w, h), 3, 30)[:h, :w, None] * np.float32(0.006 if scene.wall == 0 else 0.002)
    return np.clip(image + grain, 0, 1).astype(np.float32)


# --- body -------------------------------------------------------------------------------------------------------------
_PROFILE = np.array([  # y, half width, half depth, z of the axis
    (-6.0, 4.9, 4.6, -2.6), (-9.0, 5.0, 4.8, -2.6), (-12.0, 5.1, 4.9, -2.6), (-14.0, 5.4, 5.2, -2.7),
    (-16.0, 7.4, 6.0, -2.9), (-17.5, 10.0, 6.8, -3.0),
    (-19.0, 13.8, 7.8, -3.0), (-21.0, 17.4, 9.0, -2.8), (-24.0, 19.3, 10.3, -2.3), (-30.0, 20.3, 11.8, -1.5),
    (-44.0, 20.5, 12.5, -1.0)])  # fmt: skip
BODY = (72, 64)  # rows (y) and columns (angle) of the body's mesh
BODY_TEXTURE = (384, 512)


def _collar(kind, angle):
    """Height of the edge of the clothes around the neck."""
    front = np.clip(np.cos(angle), 0, 1)
    return {"crew": -14.2 - 2.6 * front**2, "vee": -14.0 - 2.4 * front - 5.0 * np.exp(-((angle / 0.28) ** 2)),
    "high": -12.6 - 1.2 * front**2, "boat": -15.2 - 2.2 * front**2,
            "shirt": -13.2 - 2.4 * front**2 - 3.0 * np.exp(-((angle / 0.16) ** 2))}[kind]  # fmt: skip


def body_grid(person, scene):
    """Points (rows, columns, 3) of neck and shoulders in the head frame, and the kind of collar."""
    rng = np.random.default_rng(scene.clothes)
    kind = str(
        rng.choice(
            ["crew", "vee", "high", "boat", "shirt"],
            p=[0.36, 0.2, 0.1, 0.08 + 0.1 * (person.masculine < 0.5), 0.26 - 0.1 * (person.masculine < 0.5)],
        )
    )
    angle = np.linspace(-1.9, 1.9, BODY[1])
    y = -6 - 38 * np.linspace(0, 1, BODY[0]) ** 1.35
    wide, deep, axis = (np.interp(y, _PROFILE[::-1, 0], _PROFILE[::-1, k])[:, None] for k in (1, 2, 3))
    for a in (wide, deep, axis):
        a[:, 0] = cv2.GaussianBlur(a.astype(np.float64), (1, 9), sigmaX=0.1, sigmaY=2.2)[:, 0]
    neck = np.clip((y[:, None] + 19) / 4, 0, 1)
    size = 0.86 + 0.24 * person.masculine
    wide, deep = (
        wide * (neck * size + (1 - neck) * (0.84 + 0.2 * person.masculine)),
        deep * (neck * (0.92 + 0.12 * person.masculine) + (1 - neck)),
    )
    a, yy = angle[None], y[:, None]
    strap = np.interp(yy, [-17.0, -8.0], [0.28, 1.25])
    bump = 0.32 * np.exp(-(((np.abs(a) - strap) / 0.2) ** 2)) - 0.4 * np.exp(
        -((a / 0.25) ** 2) - ((yy + 16.6) / 0.9) ** 2
    )
    bump = (bump + 0.5 * person.masculine**2 * np.exp(-((a / 0.16) ** 2) - ((yy + 13.3) / 0.9) ** 2)) * neck
    cloth = np.clip((_collar(kind, a) - yy) / 0.5, 0, 1)
    bump = (
        bump
        + 0.35 * cloth
        + (0.35 * np.clip(1 - np.abs(yy - _collar(kind, a) + 1) / 1.2, 0, 1) if kind in ("high", "shirt") else 0)
    )
    points = np.stack(
        [
            (wide + bump) * np.sin(a),
            np.broadcast_to(yy, (BODY[0], BODY[1])),
            axis + (deep + bump) * np.cos(a),
        ],
        -1,
    )
    return points.astype(np.float32), kind


def _neck_shade(angle, y):
    """Darkness (rows, columns) of the skin of the neck: under the chin, beside the slanting muscles, in the notch."""
    chin = 0.75 / (1 + np.exp((y + 13.6) / -0.55)) * np.exp(-((angle / 1.15) ** 4))
    strap = np.interp(y, [-17.0, -8.0], [0.28, 1.25])
    side = np.abs(angle) - strap
    hollow = 0.22 * np.exp(-(((side + 0.24) / 0.14) ** 2)) + 0.16 * np.exp(-(((side - 0.26) / 0.16) ** 2))
    notch = 0.3 * np.exp(-((angle / 0.14) ** 2) - ((y + 16.8) / 0.7) ** 2)
    collarbone = 0.12 * np.exp(-(((y + 17.6 + 0.6 * np.cos(angle)) / 0.35) ** 2)) * (np.abs(angle) > 0.15)
    return chin + (hollow - 0.08 * np.exp(-((side / 0.12) ** 2))) * np.clip((y + 18) / 2, 0, 1) + notch + collarbone


def body_skin(person, scene, kind, skin_rgb):
    """Texture of neck and clothes, as a `Skin` of BODY_TEXTURE."""
    rng = np.random.default_rng([16, scene.clothes])
    h, w = BODY_TEXTURE
    a = np.linspace(-1.9, 1.9, w)[None]
    y = (-6 - 38 * np.linspace(0, 1, h) ** 1.35)[:, None]
    edge = _collar(kind, a)
    cloth = np.clip((edge - y) / 0.12 + 0.5, 0, 1)[..., None].astype(np.float32)
    grain = noise(rng, 512, 2.2)[:h, :w]
    colour = linear(
        np.clip(
            rng.choice([rng.uniform(0.08, 0.25), rng.uniform(0.3, 0.6), rng.uniform(0.75, 0.92)])
            + rng.normal(0, 0.065, 3),
            0.04,
            0.95,
        )
    )
    cloth_rgb = colour * np.exp(0.07 * grain + 0.05 * noise(rng, 512, 60)[:h, :w])[..., None]
    pattern = rng.random()
    if pattern < 0.15:
        cloth_rgb = cloth_rgb * np.where(np.sin(y * rng.uniform(2, 5)) > 0.2, 1.0, rng.uniform(0.3, 0.7))[..., None]
    elif pattern < 0.25:
        lines = (np.sin(y * 4) > 0.5).astype(float) * 0.4 + (np.sin(a * 40) > 0.5) * 0.4
        cloth_rgb = cloth_rgb * (1 - lines * 0.6)[..., None]
    hem = np.exp(-(((edge - y - 0.9) / 0.10) ** 2))[..., None] * 0.35
    cloth_rgb = cloth_rgb * (1 - hem)
    shade = np.exp(-np.clip((y - edge) / 0.5, 0, 9))[..., None] * (1 - cloth)
    mottle = np.exp(0.025 * noise(rng, 512, 30, 9)[:h, :w])[..., None]
    neck = skin_rgb * mottle * np.exp(-_neck_shade(a, y)[..., None] * np.array([0.75, 1.0, 1.05]))
    albedo = neck * (1 - 0.45 * shade) * (1 - cloth) + cloth_rgb * cloth
    folds = noise(rng, 512, 70, 34)[:h, :w] * 0.5 + 0.1 * grain
    rings = (
        -0.02
        * sum(np.exp(-(((y + 12.2 + 1.7 * k + 0.5 * np.cos(a)) / 0.09) ** 2)) for k in range(2))
        * (0.3 + person.age / 60)
    )
    height = folds * cloth[..., 0] * 0.35 + rings * (1 - cloth[..., 0]) * 3 + 0.012 * grain * (1 - cloth[..., 0])
    slope = np.stack([np.gradient(height, axis=1), np.gradient(height, axis=0)], -1)
    gloss = (0.25 * (1 - cloth[..., 0]) + 0.02).astype(np.float32)
    return Skin(albedo.astype(np.float32), np.clip(slope, -0.6, 0.6).astype(np.float32), gloss), cloth[..., 0]
