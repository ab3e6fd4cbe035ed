"""Where a clip is filmed: light, background, and the camera, which maps the head's own coordinates to pixels."""

from dataclasses import dataclass

import cv2
import numpy as np

from mesokit.synthetic.people.paint import noise
from mesokit.synthetic.people.person import State

PIVOT = np.array([0.0, -9.0, -1.5], np.float32)  # where the neck bends, head frame
# Cameras differ: with one camera for all, sharpness alone would give a forgery away. Lowest and highest value; the
# resolution is drawn evenly, both blurs evenly on a logarithmic scale.
DEFOCUS = (0.35, 1.7)
RESOLUTION = (0.6, 1.0)
WALL_BLUR = (1.0, 12.0)


@dataclass(frozen=True)
class Scene:
    """Everything about a clip except the person and the moment. Sizes in pixels, distances in cm."""

    seed: int
    size: tuple[int, int]  # (width, height), even
    eye_distance: float  # pixels between the eyes of an average head facing the camera, at 480x360
    distance: float  # camera to head
    shift: tuple[float, float]  # of the head's centre from its usual place, share of the frame
    key: tuple[float, ...]  # direction to the main light, camera space
    key_power: float
    fill: tuple[float, ...]
    fill_power: float
    ambient: float
    warm: float  # colour of the main light, -1 bluish to 1 yellowish
    wall: int  # kind of background
    defocus: float  # blur of the subject, pixels of the frame
    noise: float  # sensor noise, of 255
    balance: tuple[float, ...]  # white balance error
    exposure: float
    contrast: float
    vignette: float
    clothes: int
    resolution: float  # of the sensor: its pixels along a side, as a share of the frame's
    wall_blur: float  # blur of the background, pixels at 480x360


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


def _unit(vector) -> tuple[float, ...]:
    return tuple((np.array(vector) / np.linalg.norm(vector)).tolist())


def sample_scene(seed: int, size: tuple[int, int] = (480, 360)) -> Scene:
    """A filming situation drawn at random; `size` = (width, height), both even."""
    if size[0] % 2 or size[1] % 2 or min(size) < 64:
        raise ValueError(f"size {size}: width and height must be even and at least 64")
    rng = np.random.default_rng([14, seed])
    side = rng.choice([-1, 1])
    key = _unit([side * rng.uniform(0.15, 1.0), rng.uniform(0.4, 1.1), rng.uniform(0.7, 1.2)])
    fill = _unit([-side * rng.uniform(0.4, 1.0), rng.uniform(-0.1, 0.5), rng.uniform(0.5, 1.0)])
    return Scene(
        seed=seed,
        size=(size[0], size[1]),
        eye_distance=float(rng.uniform(64, 84)),
        distance=float(rng.uniform(65, 130)),
        shift=(float(rng.normal(0, 0.025)), float(rng.normal(0, 0.012))),
        key=key,
        key_power=float(rng.uniform(0.75, 1.35)),
        fill=fill,
        fill_power=float(rng.uniform(0.08, 0.4)),
        ambient=float(rng.uniform(0.28, 0.52)),
        warm=float(rng.normal(0.1, 0.4)),
        wall=int(rng.integers(5)),
        defocus=float(np.exp(rng.uniform(*np.log(DEFOCUS)))),
        noise=float(rng.uniform(1.6, 6.4, 2)[1]),  # the first draw is not used: without it all scenes would change
        balance=tuple(np.exp(rng.normal(0, 0.03, 3)).tolist()),
        exposure=float(rng.uniform(0.9, 1.12)),
        contrast=float(rng.uniform(0.0, 0.35)),
        vignette=float(rng.uniform(0, 0.25)),
        clothes=int(rng.integers(1 << 30)),
        resolution=float(rng.uniform(*RESOLUTION)),
        wall_blur=float(np.exp(rng.uniform(*np.log(WALL_BLUR)))),
    )


def make_light(scene):
    """The lamps of a scene, powers chosen so that a white surface facing the key light is near 1."""
    tint = np.array([1 + 0.10 * scene.warm, 1.0, 1 - 0.14 * scene.warm], np.float32)
    cool = np.array([1 - 0.05 * scene.warm, 1.0, 1 + 0.07 * scene.warm], np.float32)
    key = np.array(scene.key, np.float32), tint * np.float32(scene.key_power)
    fill = np.array(scene.fill, np.float32), cool * np.float32(scene.fill_power)
    sky = cool * np.float32(scene.ambient)
    return Light([key, fill], sky, sky * np.array([0.55, 0.48, 0.42], np.float32))


def _rectangles(rng, image, n, low, high):
    h, w = image.shape[:2]
    for _ in range(n):
        x, y = rng.uniform(-0.1, 1) * w, rng.uniform(-0.1, 0.9) * h
        a, b = rng.uniform(low, high) * w, rng.uniform(low, high) * h
        colour = np.clip(rng.uniform(0.1, 0.8) + rng.normal(0, 0.04, 3) + np.array([0.03, 0, -0.03]), 0.02, 0.95)
        cv2.rectangle(image, (int(x), int(y)), (int(x + a), int(y + b)), colour.tolist(), -1)


def _shelves(rng, image):
    h, w = image.shape[:2]
    wood = np.clip(np.array([0.45, 0.32, 0.22]) * rng.uniform(0.5, 1.5), 0, 1)
    for top in np.arange(rng.uniform(-0.2, 0) * h, h, 0.28 * h):
        x = rng.uniform(-20, 0)
        while x < w:
            wide, tall = rng.uniform(0.012, 0.045) * w, rng.uniform(0.12, 0.24) * h
            colour = np.clip(rng.uniform(0.08, 0.75) + rng.normal(0, 0.07, 3) + [0.04, 0, -0.05], 0, 1)
            corners = (int(x), int(top + 0.25 * h - tall)), (int(x + wide), int(top + 0.25 * h))
            cv2.rectangle(image, *corners, colour.tolist(), -1)
            x += wide + rng.exponential(0.012) * w
        cv2.rectangle(image, (0, int(top + 0.25 * h)), (w, int(top + 0.28 * h)), wood.tolist(), -1)


def _garden(rng, h, w):
    """Bushes and a lawn far out of focus; points of light become discs, images of the aperture of the lens."""
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
    """(h, w, 3) float32 sRGB in [0, 1]: a wall, a room out of focus, shelves, a window or a garden."""
    w, h = scene.size
    rng = np.random.default_rng([15, scene.seed])
    base = np.clip(rng.uniform(0.3, 0.85) + rng.normal(0, 0.035, 3) + [0.02, 0, -0.02], 0.05, 0.95)
    ramp = np.linspace(-0.5, 0.5, w)[None, :, None] * rng.normal(0, 0.25)
    ramp = ramp + np.linspace(-0.5, 0.5, h)[:, None, None] * rng.normal(-0.1, 0.15)
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
    soft = cv2.GaussianBlur(image.astype(np.float32), (0, 0), blur)
    grain = noise(rng, max(w, h), 3, 30)[:h, :w, None] * np.float32(0.006 if scene.wall == 0 else 0.002)
    return np.clip(soft + grain, 0, 1).astype(np.float32)


def rotation(state):
    """Head rotation (3, 3): roll after yaw after pitch; see `State` for the signs."""
    y, p, r = np.deg2rad([state.yaw, state.pitch, -state.roll])
    yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (roll @ yaw @ pitch).astype(np.float32)


class View:
    """A head at one moment, before the camera of a scene. Camera space: as the head's frame, with the camera at 0."""

    def __init__(self, scene: Scene, state: State):
        """Take scale and focal length from the scene, place and turn of the head from both."""
        self.scene, self.state, self.turn = scene, state, rotation(state)
        (w, h), (x, y) = scene.size, scene.shift
        self.unit = scene.eye_distance * h / 360 / 6.3  # pixels per cm at the head
        self.focal = np.float32(self.unit * scene.distance)
        moved = [state.dx + x * w / self.unit, state.dy + 3.2 - y * h / self.unit, -scene.distance - 8.0]
        self.anchor = PIVOT + np.array(moved, np.float32)  # of the neck, camera space (3,)

    def place(self, points):
        """Head frame -> camera space."""
        return (points - PIVOT) @ self.turn.T + self.anchor

    def pixels(self, points):
        """Head frame (n, 3) -> pixels (n, 2) float32."""
        return self.project(self.place(points))

    def project(self, points):
        """Camera space (n, 3) -> pixels (n, 2) float32."""
        w, h = self.scene.size
        k = self.focal / -points[:, 2]
        return np.stack([w / 2 - 0.5 + points[:, 0] * k, h / 2 - 0.5 - points[:, 1] * k], -1).astype(np.float32)

    def unproject(self, x, y, z):
        """Pixels x, y (h, w) of points at depth `z` (below 0) -> camera space (h, w, 3) float32."""
        w, h = self.scene.size
        k = -z / self.focal
        return np.stack([(x - (w / 2 - 0.5)) * k, (h / 2 - 0.5 - y) * k, np.full_like(x, z)], -1).astype(np.float32)

    def box(self, pixels, margin):
        """The box x0, y0, x1, y1 of `pixels` (n, 2) with a margin, inside the frame."""
        w, h = self.scene.size
        low, high = np.floor(pixels.min(0) - margin).astype(int), np.ceil(pixels.max(0) + margin).astype(int)
        return max(low[0], 0), max(low[1], 0), min(high[0] + 1, w), min(high[1] + 1, h)
