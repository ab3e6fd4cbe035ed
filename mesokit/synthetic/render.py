"""Pictures of people: geometry of a moment, rasterised, shaded, with hair, seen by a camera; and the truth about them."""

from dataclasses import dataclass

import cv2
import numpy as np

from mesokit.synthetic import hair as hairs
from mesokit.synthetic import head, organs
from mesokit.synthetic.expression import express, eyeball
from mesokit.synthetic.person import Person, State
from mesokit.synthetic.scene import BODY, Scene, background, body_grid, body_skin, make_light, sample_scene
from mesokit.synthetic.skin import Skin, linear, make_skin, masks

__all__ = ["FIVE", "GROUPS", "LANDMARKS", "Rendered", "Renderer", "Scene", "sample_scene"]

PIVOT = np.array([0.0, -9.0, -1.5], np.float32)  # where the neck bends, head frame
NEAR, FAR = 20.0, 400.0
HAIR_SCALE = 2

_OFF_FACE = ("crown", "vertex", "skull", "behind", "under", "throat", "side", "hair", "trichion", "temple4")
LANDMARKS = tuple(n for n in head.NAMES if not n.startswith(_OFF_FACE))


def _at(*names):
    return np.array([LANDMARKS.index(n) for n in names])


def _ring(side):
    up, lo = [f"lid_up{k}{side}" for k in range(1, 6)], [f"lid_lo{k}{side}" for k in range(5, 0, -1)]
    return _at(f"eye_in{side}", *up, f"eye_out{side}", *lo)


def _lip(upper, lower):
    across = [f"{upper}{k}_l" for k in (3, 2, 1)] + [f"{upper}0"] + [f"{upper}{k}_r" for k in (1, 2, 3)]
    back = [f"{lower}{k}_r" for k in (3, 2, 1)] + [f"{lower}0"] + [f"{lower}{k}_l" for k in (1, 2, 3)]
    return _at("mouth_l", *across, "mouth_r", *back)


# Rows of the landmark array; 'left' is the smaller x. Rings run around, lines run from left to right or downwards.
GROUPS = {
    "eye_left": _ring("_l"), "eye_right": _ring("_r"),
    "brow_left": _at(*(f"brow{k}_l" for k in (5, 4, 3, 2, 1))), "brow_right": _at(*(f"brow{k}_r" for k in (1, 2, 3, 4, 5))),
    "nose_bridge": _at("nasion", "bridge1", "bridge2", "supratip", "tip"),
    "nose_base": _at("ala_l", "ala_bottom_l", "sill_l", "subnasale", "sill_r", "ala_bottom_r", "ala_r"),
    "mouth_outer": _lip("ul_out", "ll_out"), "mouth_inner": _lip("ul_in", "ll_in"),
    "jaw": _at(*(f"jaw{k}_l" for k in range(1, 8)), "menton", *(f"jaw{k}_r" for k in range(7, 0, -1))),
}  # fmt: skip
FIVE = {"eye_left": GROUPS["eye_left"], "eye_right": GROUPS["eye_right"], "nose": _at("tip"), "mouth_left": _at("mouth_l"), "mouth_right": _at("mouth_r")}
_ROWS = head.ids(*LANDMARKS)


@dataclass
class Rendered:
    """One frame and its truth."""

    image: np.ndarray  # (h, w, 3) uint8 RGB
    landmarks: np.ndarray  # (N, 2) float32 x, y in pixels, rows named by LANDMARKS, grouped by GROUPS
    five: np.ndarray  # (5, 2) float32: left eye, right eye, nose, mouth left, mouth right ('left' = smaller x)
    face: np.ndarray  # (h, w) float32 in [0, 1]: skin of the face with eyes and mouth, not hair, ears, neck


@dataclass
class _Part:
    """A mesh on a rectangular grid with its textures; `box` is its place in texture coordinates of the raster."""

    number: int
    triangles: np.ndarray
    coordinates: np.ndarray  # (n, 2) in [0, 1], of each vertex
    sign: float  # orientation of its normals
    skin: Skin


def _grid_triangles(rows, columns):
    i = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    return np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)]).astype(np.int32)


def _grid_coordinates(rows, columns):
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    return np.stack([u, v], -1).reshape(-1, 2).astype(np.float32)


def _rotation(state):
    """Head rotation (3, 3): roll after yaw after pitch; see `State` for the signs."""
    y, p, r = np.deg2rad([state.yaw, state.pitch, -state.roll])
    yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (roll @ yaw @ pitch).astype(np.float32)


def _unit(v):
    return v / np.maximum(np.sqrt((v * v).sum(-1, keepdims=True)), np.float32(1e-6))


def _ear_grid(ear_out):
    """Right ear (rows, columns, 3) in the head frame: a relief of helix, hollow and lobe on a slanted oval."""
    v, a = np.meshgrid(np.linspace(0, 1, 14), np.linspace(0, 2 * np.pi, 28))
    oval = 1 + 0.12 * np.sin(a)
    x, y = v * np.cos(a) * 1.5 * oval, v * np.sin(a) * 2.9
    rim = np.exp(-(((v - 0.86) / 0.12) ** 2)) * np.clip(0.55 + 0.45 * np.sin(a + 0.5), 0.1, 1)
    height = 0.45 * rim + 0.22 * np.exp(-(((v - 0.58) / 0.14) ** 2)) * (np.cos(a + 0.4) < 0.5) - 0.55 * np.exp(-((x - 0.2) ** 2 + (y + 0.2) ** 2) / 0.5) - 0.3 * (v > 0.97)
    tilt = np.deg2rad(13 + 18 * ear_out)
    back = x  # towards the back of the head
    out = 7.25 + (back + 1.55) * np.sin(tilt) + height * np.cos(tilt)
    return np.stack([out, -1.3 + y + 0.15 * back, 1.3 - (back + 1.55) * np.cos(tilt) + height * np.sin(tilt)], -1).astype(np.float32)


def _ear_skin(tone):
    """Texture of an ear (rows from the middle out, columns around): redder than the face, dark in the hollow."""
    v, a = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 2 * np.pi, 96), indexing="ij")
    hollow = np.exp(-((v / 0.42) ** 2)) + 0.5 * np.exp(-(((v - 0.72) / 0.07) ** 2)) * (np.sin(a + 0.8) > -0.3)
    albedo = tone * np.array([1.0, 0.80, 0.77]) * np.exp(-0.5 * hollow[..., None] * np.array([0.7, 1.0, 1.0]))
    flat = np.zeros((48, 96, 2), np.float32)
    return Skin(albedo.astype(np.float32), flat, np.full((48, 96), 0.25, np.float32))


class Renderer:
    """Renders one person in one scene; construction paints what all frames share (skin, hair, clothes, background)."""

    def __init__(self, person: Person, scene: Scene):
        self.person, self.scene = person, scene
        w, h = scene.size
        rng = np.random.default_rng([18, person.seed])
        shape = dict(person.shape)
        self.rest = head.identity(shape)
        uv, points, self.weights, triangles = head.dense()
        self.base = points + self.weights @ (self.rest - head.CONTROLS)
        self.unit = scene.eye_distance * h / 360 / 6.3  # pixels per cm at the head
        self.focal = np.float32(self.unit * scene.distance)
        self.light = make_light(scene)
        skin = self._fit(make_skin(person))
        tone = np.median(skin.albedo.reshape(-1, 3), axis=0)
        ear = _ear_grid(person.ear_out)
        rows = ear.shape[:2]
        self.ears = [ear.reshape(-1, 3) + [self._ear_shift(shape), 0, 0], (ear * [-1, 1, 1]).reshape(-1, 3) - [self._ear_shift(shape), 0, 0]]
        ear_skin = _ear_skin(tone)
        body, kind = body_grid(person, scene)
        self.body = body.reshape(-1, 3)
        clothes, self.cloth = body_skin(person, scene, kind, tone)
        self.parts = [_Part(1, triangles, uv / (2 * head.EXTENT) + 0.5, 1.0, skin), _Part(2, _grid_triangles(*rows), _grid_coordinates(*rows), -1.0, ear_skin),
                      _Part(3, _grid_triangles(*rows), _grid_coordinates(*rows), 1.0, ear_skin), _Part(4, _grid_triangles(*BODY), _grid_coordinates(*BODY), 1.0, clothes)]  # fmt: skip
        self.shapes = [(head.GRID, head.GRID), rows, rows, BODY]
        self.holes = self._hole_texture()
        self.iris = organs.paint_iris(person, rng)
        self.pupil = np.float32(rng.uniform(0.17, 0.27))
        self.veins = self._paint_veins(rng)
        self.tooth = linear(np.array([0.90, 0.87, 0.80]) - np.clip(person.age - 25, 0, 50) / 50 * np.array([0.06, 0.09, 0.16]) - rng.uniform(0, 0.06))
        self.hair = hairs.grow(person, self.base.reshape(head.GRID, head.GRID, 3))
        self.lashes = self._plan_lashes(rng)
        self.wall = background(scene)
        self.settings = cv2.TriangleRasterizeSettings()
        self.settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
        self.settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)

    # --- what a clip shares -------------------------------------------------------------------------------------------
    @staticmethod
    def _ear_shift(shape):
        return 0.2 * shape["face_width"] - 0.25

    def _fit(self, skin):
        """Shrink the textures to about two texels a pixel, so that sampling neither aliases nor blurs."""
        size = int(np.clip(768 * 1.9 * self.unit / 37, 256, 768))
        shrink = lambda a: cv2.resize(a, (size, size), interpolation=cv2.INTER_AREA)  # noqa: E731
        return Skin(shrink(skin.albedo), shrink(skin.slope), shrink(skin.gloss))

    def _hole_texture(self):
        """Channels eyes, mouth, face at the size of the skin."""
        m = masks()
        stack = np.stack([m["eyes"], m["mouth"], m["face"]], -1)
        return cv2.resize(stack, self.parts[0].skin.gloss.shape[::-1], interpolation=cv2.INTER_AREA)

    @staticmethod
    def _paint_veins(rng):
        canvas = np.zeros((128, 128), np.uint8)
        for _ in range(26):
            a = rng.choice([0, np.pi]) + rng.normal(0, 0.5)
            r = np.linspace(62, rng.uniform(36, 50), 9)
            walk = a + np.cumsum(rng.normal(0, 0.035, 9))
            line = np.stack([64 + r * np.cos(walk), 64 + r * np.sin(walk)], -1)
            cv2.polylines(canvas, [(line * 16).astype(np.int32)], False, int(rng.uniform(30, 130)), 1, cv2.LINE_AA, 4)
        return canvas.astype(np.float32) / 255

    def _plan_lashes(self, rng):
        """For each rim: position along it, length, fan and lift of every lash."""
        plan = {}
        for rim, n, length in (("up", int(60 + 50 * self.person.lash), 0.32 + 0.35 * self.person.lash), ("lo", 34, 0.22 + 0.15 * self.person.lash)):
            t = np.sort(rng.uniform(0.06, 0.98, n))
            plan[rim] = (t, length * rng.uniform(0.7, 1.1, n) * np.interp(t, [0, 0.5, 0.85, 1], [0.55, 0.95, 1.1, 0.8]), (t - 0.45) * 1.1 + rng.normal(0, 0.15, n))
        return plan

    # --- geometry of a moment -----------------------------------------------------------------------------------------
    def _place(self, points, turn, state):
        """Head frame -> camera space."""
        return (points - PIVOT) @ turn.T + self._anchor(state)

    def _anchor(self, state):
        w, h = self.scene.size
        sx, sy = self.scene.shift
        return PIVOT + np.array([state.dx + sx * w / self.unit, state.dy + 3.2 - sy * h / self.unit, -self.scene.distance - 8.0], np.float32)

    def _project(self, points):
        """Camera space (n, 3) -> pixels (n, 2) float32."""
        w, h = self.scene.size
        k = self.focal / -points[:, 2]
        return np.stack([w / 2 - 0.5 + points[:, 0] * k, h / 2 - 0.5 - points[:, 1] * k], -1).astype(np.float32)

    def _controls(self, state):
        return express(self.rest, state)

    def landmarks(self, state: State) -> np.ndarray:
        """True landmarks (N, 2) float32 of a moment, without rendering it; rows as in LANDMARKS."""
        return self._project(self._place(self._controls(state)[_ROWS], _rotation(state), state))

    @staticmethod
    def five(landmarks: np.ndarray) -> np.ndarray:
        """(N, 2) landmarks -> (5, 2) float32: left eye, right eye, nose, mouth left, mouth right."""
        return np.stack([landmarks[rows].mean(0) for rows in FIVE.values()]).astype(np.float32)

    def _bodies(self, controls, turn, state):
        """Camera-space vertices of all parts."""
        skull = self.base + self.weights @ (controls - self.rest)
        anchor = self._anchor(state)
        follow = np.clip((self.body[:, 1:2] + 18) / 9, 0, 1)
        follow = follow * follow * (3 - 2 * follow)
        still = self.body - PIVOT
        half = _rotation(State(yaw=state.yaw * 0.55, pitch=state.pitch * 0.7, roll=state.roll * 0.7))
        body = still * (1 - follow) + (still @ half.T) * follow + anchor
        return [self._place(p, turn, state).astype(np.float32) for p in (skull, *self.ears)] + [body.astype(np.float32)]

    def _raster(self, bodies):
        """-> (h, w) part numbers, (h, w, 2) texture coordinates, (h, w) distance."""
        w, h = self.scene.size
        colour, depth = np.zeros((h, w, 3), np.float32), np.full((h, w), FAR, np.float32)
        offset, vertices, triangles, attributes = 0, [], [], []
        for part, points in zip(self.parts, bodies, strict=True):
            vertices.append(points)
            triangles.append(part.triangles + offset)
            attributes.append(np.c_[part.coordinates, np.full(len(points), part.number / 8)].astype(np.float32))
            offset += len(points)
        fov = np.float32(2 * np.arctan(h / 2 / self.focal))
        cv2.triangleRasterize(np.concatenate(vertices), np.concatenate(triangles).astype(np.int32), np.concatenate(attributes), colour, depth,
                              np.eye(4, dtype=np.float32), float(fov), NEAR, FAR, self.settings)  # fmt: skip
        return np.round(colour[..., 2] * 8).astype(np.uint8), colour[..., :2], depth

    # --- light --------------------------------------------------------------------------------------------------------
    @staticmethod
    def _frames(points, shape, sign):
        """Normals and unit tangents along u and v on a grid, (rows, columns, 9) float32, all in camera space."""
        p = points.reshape(*shape, 3)
        tu, tv = np.empty_like(p), np.empty_like(p)
        tu[:, 1:-1], tv[1:-1] = p[:, 2:] - p[:, :-2], p[2:] - p[:-2]
        tu[:, 0], tu[:, -1], tv[0], tv[-1] = tu[:, 1], tu[:, -2], tv[1], tv[-2]
        n = np.cross(tv, tu)
        return np.concatenate([_unit(n) * np.float32(sign), _unit(tu), _unit(tv)], -1)

    def _sample(self, part, shape, frames, uv):
        """Attributes of packed pixels (rows, 256, ..): normal, smooth normal, albedo, gloss."""
        r, c = shape
        u, v = uv[..., 0], uv[..., 1]
        at = [u * np.float32(c - 1), v * np.float32(r - 1)]
        n, tu, tv = (cv2.remap(np.ascontiguousarray(frames[..., k : k + 3]), *at, cv2.INTER_LINEAR) for k in (0, 3, 6))
        th, tw = part.skin.gloss.shape
        at = [u * np.float32(tw) - np.float32(0.5), v * np.float32(th) - np.float32(0.5)]
        albedo, slope, gloss = (cv2.remap(t, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for t in (part.skin.albedo, part.skin.slope, part.skin.gloss))
        fine = _unit(n - slope[..., :1] * tu - slope[..., 1:] * tv)
        return fine, n, albedo, gloss

    def _shade(self, fine, soft, albedo, gloss, ao, lit, skin_like):
        """Light leaving packed pixels (.., 3) -> linear RGB: scattered light bleeds red, highlights sit on top."""
        wrap = np.where(skin_like[..., None], np.array([0.32, 0.16, 0.11], np.float32), np.float32(0.08))
        blend = np.where(skin_like[..., None], np.array([0.75, 0.4, 0.3], np.float32), np.float32(0.0))
        out = self.light.ambient(fine) * ao[..., None]
        shine = np.zeros(gloss.shape, np.float32)
        for k, (direction, colour) in enumerate(self.light.lamps):
            cosine = (fine @ direction)[..., None] * (1 - blend) + (soft @ direction)[..., None] * blend
            diffuse = np.clip((cosine + wrap) / (1 + wrap), 0, 1) ** np.float32(1.15)
            shadow = (lit if k == 0 else np.ones_like(lit))[..., None]
            out += colour * diffuse * (shadow ** (1 - 0.45 * blend)) * (0.45 + 0.55 * ao[..., None])
            half = _unit(direction + np.array([0, 0, 1], np.float32))
            nh = np.clip(fine @ half, 0, 1)
            gleam = 0.55 * nh ** np.float32(18) + 1.0 * nh ** np.float32(70)
            shine += gleam * (shadow[..., 0] * colour[1])
        rim = np.clip(1 - fine[..., 2], 0, 1) ** 4 * self.light.sky[1] * 0.5
        return albedo * out + (gloss * (0.20 * shine + 0.5 * rim) * ao)[..., None].astype(np.float32)

    def _occlusion(self, depth, solid):
        """Ambient occlusion from the depth image: how far a pixel lies behind its surroundings, at two scales."""
        ao = np.ones(depth.shape, np.float32)
        mask = solid.astype(np.float32)
        for sigma, strength in ((0.7, 0.5), (2.4, 0.16)):
            s = float(sigma * self.unit)
            k = min(1.0, 4.0 / s)  # blur a smaller copy: cheap and smooth enough
            small_d = cv2.resize(depth * mask, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            small_m = cv2.resize(mask, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            mean = cv2.GaussianBlur(small_d, (0, 0), s * k) / np.maximum(cv2.GaussianBlur(small_m, (0, 0), s * k), np.float32(1e-3))
            mean = cv2.resize(mean, depth.shape[::-1], interpolation=cv2.INTER_LINEAR)
            ao *= 1 - np.clip((depth - mean) * np.float32(strength), 0, 0.72)
        return ao

    # --- one frame ----------------------------------------------------------------------------------------------------
    def render(self, state: State, rng: np.random.Generator) -> Rendered:
        """The frame of one moment; `rng` drives sensor noise only."""
        controls, turn = self._controls(state), _rotation(state)
        bodies = self._bodies(controls, turn, state)
        number, uv, depth = self._raster(bodies)
        frame = linear(self.wall)
        alpha = self._skin_pass(frame, bodies, number, uv, depth, self._lit(bodies))
        alpha[..., :2] *= self._openness(controls)
        self._eyes_pass(frame, alpha[..., 0], controls, turn, state)
        self._mouth_pass(frame, alpha[..., 1], controls, turn, state)
        self._soften_edges(frame, depth)
        image, cover = self._hair_pass(frame, controls, turn, state, depth)
        marks = self._project(self._place(controls[_ROWS], turn, state))
        face = np.clip(alpha[..., 2] * (1 - cover), 0, 1)
        return Rendered(self._camera(image, rng), marks, self.five(marks), face.astype(np.float32))

    def _skin_pass(self, frame, bodies, number, uv, depth, lit):
        """Shade all solid pixels into `frame`; -> (h, w, 3) coverage of eye holes, mouth hole, face."""
        ao = self._occlusion(depth, number > 0)
        alpha = np.zeros((*number.shape, 3), np.float32)
        for part, shape, points, light in zip(self.parts, self.shapes, bodies, lit, strict=True):
            ys, xs = np.nonzero(number == part.number)
            if len(ys) == 0:
                continue
            pad = -len(ys) % 256
            ysp, xsp = np.pad(ys, (0, pad), "edge"), np.pad(xs, (0, pad), "edge")
            packed = uv[ysp, xsp].reshape(-1, 256, 2)
            fine, soft, albedo, gloss = self._sample(part, shape, self._frames(points, shape, part.sign), packed)
            at = [packed[..., 0] * np.float32(shape[1] - 1), packed[..., 1] * np.float32(shape[0] - 1)]
            shadow = cv2.remap(light, *at, cv2.INTER_LINEAR)
            cloth = np.zeros(gloss.shape, bool)
            if part.number == 4:
                ch, cw = self.cloth.shape
                cloth = self.cloth[(packed[..., 1] * (ch - 1)).astype(int), (packed[..., 0] * (cw - 1)).astype(int)] > 0.5
            value = self._shade(fine, soft, albedo, gloss, ao[ysp, xsp].reshape(-1, 256), shadow, ~cloth)
            frame[ys, xs] = value.reshape(-1, 3)[: len(ys)]
            if part.number == 1:
                size = np.float32(self.holes.shape[0])
                at = [packed[..., k] * size - np.float32(0.5) for k in (0, 1)]
                alpha[ys, xs] = cv2.remap(self.holes, *at, cv2.INTER_LINEAR).reshape(-1, 3)[: len(ys)]
        return alpha

    @staticmethod
    def _openness(controls):
        """Fade the holes out as lids and lips meet, since the mesh between two touching rims has no width: (2,)."""
        def gap(up, lo):
            return float(np.linalg.norm(controls[head.INDEX[up]] - controls[head.INDEX[lo]]) * np.sign(controls[head.INDEX[up], 1] - controls[head.INDEX[lo], 1]))

        eyes = min(gap("lid_up3_l", "lid_lo3_l"), gap("lid_up3_r", "lid_lo3_r"))
        return np.array([organs.smooth(0.05, 0.16, eyes), organs.smooth(0.03, 0.14, gap("ul_in0", "ll_in0"))], np.float32)

    def _lit(self, bodies):
        """Share of the main light that reaches each vertex of each part (shadow map), as grids (rows, columns)."""
        light = np.array(self.scene.key, np.float32)
        right = _unit(np.cross(np.array([0, 1, 0], np.float32), light))
        view = np.stack([right, np.cross(light, right), light], -1)
        centre, size, far = self._anchor(State()), 192, np.float32(300)
        turned = [(p - centre) @ view - np.array([0, 3.0, far], np.float32) for p in bodies]
        depth = np.full((size, size), 1000, np.float32)
        coarse, offset, vertices, triangles = head.GRID // 2, 0, [], []
        for part, p in zip(self.parts, turned, strict=True):
            if part.number == 1:
                p, t = np.ascontiguousarray(p.reshape(head.GRID, head.GRID, 3)[::2, ::2].reshape(-1, 3)), _grid_triangles(coarse, coarse)
            else:
                t = part.triangles
            vertices.append(p)
            triangles.append(t + offset)
            offset += len(p)
        reach = 19.0  # cm from the centre of the map to its edge
        fov = float(2 * np.arctan(reach / far))
        cv2.triangleRasterizeDepth(np.concatenate(vertices).astype(np.float32), np.concatenate(triangles).astype(np.int32), depth, np.eye(4, dtype=np.float32), fov, 200.0, 1000.0, self.settings)
        return [self._compare(p, shape, depth, far / reach * size / 2) for p, shape in zip(turned, self.shapes, strict=True)]

    @staticmethod
    def _compare(p, shape, depth, focal):
        """Soft shadow test of vertices (n, 3) in the light's view."""
        size = depth.shape[0]
        z = -p[:, 2]
        at = [(size / 2 - 0.5 + sign * p[:, k] * focal / z).astype(np.float32).reshape(shape) for k, sign in ((0, 1), (1, -1))]
        behind = z.reshape(shape) - cv2.remap(depth, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1000)
        lit = np.clip(1.6 - behind / np.float32(0.45), 0, 1)
        return cv2.GaussianBlur(lit.astype(np.float32), (0, 0), 1.3)

    def _box(self, pixels, margin):
        w, h = self.scene.size
        low, high = np.floor(pixels.min(0) - margin).astype(int), np.ceil(pixels.max(0) + margin).astype(int)
        return max(low[0], 0), max(low[1], 0), min(high[0] + 1, w), min(high[1] + 1, h)

    def _eyes_pass(self, frame, hole, controls, turn, state):
        gx, gy = np.deg2rad([state.gaze_x, state.gaze_y])
        for side in ("_l", "_r"):
            ring = [n + side for n in ("eye_in", "eye_out", "lid_up2", "lid_up3", "lid_up4", "lid_lo2", "lid_lo3", "lid_lo4")]
            box = self._box(self._project(self._place(controls[head.ids(*ring)], turn, state)), 3)
            x0, y0, x1, y1 = box
            if x1 - x0 < 3 or y1 - y0 < 2 or not hole[y0:y1, x0:x1].any():
                continue
            ball = self._place(eyeball(self.rest, side)[None], turn, state)
            gaze = turn @ np.array([np.sin(gx) * np.cos(gy), np.sin(gy), np.cos(gx) * np.cos(gy)], np.float32)
            across = _unit(np.cross(turn[:, 1], gaze))
            axes = np.stack([across, np.cross(gaze, across), gaze], -1).astype(np.float32)
            scale = np.float32(self.focal / -ball[0, 2])
            eye = organs.eyeball(box, self._project(ball)[0], scale, axes, self.iris, self.pupil, self.light, self.veins)
            a = hole[y0:y1, x0:x1]
            near = cv2.GaussianBlur(a, (0, 0), float(0.13 * scale))
            above = cv2.GaussianBlur(np.roll(a, int(round(0.22 * float(scale))), axis=0), (0, 0), float(0.10 * scale))
            shade = (0.3 + 0.7 * np.clip(near * 1.35 - 0.2, 0, 1)) * (0.3 + 0.7 * above)
            patch = frame[y0:y1, x0:x1]
            patch += (eye * shade[..., None] - patch) * a[..., None]

    def _mouth_pass(self, frame, hole, controls, turn, state):
        inner = head.ids("mouth_l", "mouth_r", *head.LIP_ROWS["ul_in"], *head.LIP_ROWS["ll_in"])
        box = self._box(self._project(self._place(controls[inner], turn, state)), 3)
        x0, y0, x1, y1 = box
        a = hole[y0:y1, x0:x1]
        if a.size == 0 or a.max() < 0.02:
            return
        anchor, w, h = self._anchor(state), *self.scene.size
        z = np.float32(self._place(controls[head.ids("ul_in0")], turn, state)[0, 2])

        def origin(x, y):
            k = -z / self.focal
            cam = np.stack([(x - (w / 2 - 0.5)) * k, (h / 2 - 0.5 - y) * k, np.full_like(x, z)], -1).astype(np.float32)
            return (cam - anchor) @ turn + PIVOT

        middle = self._place(controls[head.ids("ul_in0")], turn, state)[0]
        direction = turn.T @ (middle / np.linalg.norm(middle)).astype(np.float32)
        wide = float(np.clip((controls[head.INDEX["ul_in0"], 1] - controls[head.INDEX["ll_in0"], 1]) / 0.8, 0.25, 1))
        level = wide * self.light.sky.mean() * 0.7 + sum(c.mean() * max(float(d[2]), 0) for d, c in self.light.lamps) * 0.7 * wide
        scale = self.unit
        dim = cv2.GaussianBlur(a, (0, 0), 0.16 * scale) * (0.35 + 0.65 * np.roll(cv2.GaussianBlur(a, (0, 0), 0.1 * scale), int(0.14 * scale), axis=0))
        inside = organs.mouth(box, origin, direction, max(state.jaw, 0) * 2.6, self.tooth, (dim * np.float32(level)).astype(np.float32))
        patch = frame[y0:y1, x0:x1]
        patch += (inside - patch) * a[..., None]

    def _soften_edges(self, frame, depth):
        """Anti-alias silhouettes: blend a small blur where the depth jumps."""
        jump = cv2.morphologyEx(depth, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 1.2
        edge = cv2.GaussianBlur(jump.astype(np.float32), (0, 0), 0.7)[..., None]
        frame += (cv2.GaussianBlur(frame, (0, 0), 0.8) - frame) * np.clip(edge * 1.3, 0, 1)

    # --- hair ---------------------------------------------------------------------------------------------------------
    def _hair_pass(self, frame, controls, turn, state, depth):
        """Tone-map `frame` and draw lashes and hair over it -> sRGB float32 image, coverage of hair (h, w)."""
        h, w = depth.shape
        canvas = np.empty((h * HAIR_SCALE, w * HAIR_SCALE, 4), np.uint8)
        canvas[:] = (*(np.clip(self.hair.rgb * 0.6, 0, 1) * 255), 0)
        placed = self._place(self.hair.points.reshape(-1, 3), turn, state).astype(np.float32).reshape(self.hair.points.shape)
        normals = _unit(self.hair.points - head.CENTRE) @ turn.T
        hairs.draw(canvas, self.hair, placed, normals.astype(np.float32), self._project, depth, self.light, HAIR_SCALE)
        small = cv2.resize(canvas, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
        cover = small[..., 3]
        shadow = cv2.GaussianBlur(np.roll(cover, int(0.35 * self.unit), axis=0), (0, 0), 0.45 * self.unit)
        solid = (depth < FAR - 1).astype(np.float32)
        frame *= 1 - (0.32 * shadow * solid)[..., None]
        image = self._tone(frame)
        self._draw_lashes(image, controls, turn, state)
        image += (small[..., :3] - image) * cover[..., None]
        return image, cover

    def _draw_lashes(self, image, controls, turn, state):
        """Lashes on both rims of both eyes, as fine dark lines, super-sampled."""
        for side, sign in (("_l", -1), ("_r", 1)):
            rims = {rim: self._rim(controls, rim, side) for rim in ("up", "lo")}
            box = self._box(self._project(self._place(np.concatenate(list(rims.values())), turn, state)), 0.9 * self.unit)
            x0, y0, x1, y1 = box
            if x1 - x0 < 4 or y1 - y0 < 4:
                continue
            canvas = np.zeros(((y1 - y0) * 4, (x1 - x0) * 4), np.uint8)
            for rim, (t, length, fan) in self.lashes.items():
                root = rims[rim][(t * (len(rims[rim]) - 1)).astype(int)]
                out = 1.0 if rim == "up" else -1.0
                closed = state.blink_left if side == "_l" else state.blink_right
                rise = (0.55 - 1.1 * closed) if rim == "up" else -0.45
                tip = root + np.stack([sign * fan * length, rise * length, 0.95 * length], -1)
                bend = root + np.stack([sign * fan * length * 0.4, (rise - 0.35 * out) * length * 0.45, 0.55 * length], -1)
                lines = np.stack([self._project(self._place(p, turn, state)) for p in (root, bend, tip)], 1)
                lines = np.round(((lines - [x0, y0] + 0.5) * 4 - 0.5) * 16).astype(np.int32)
                cv2.polylines(canvas, list(lines), False, 190 if rim == "up" else 90, 1, cv2.LINE_AA, 4)
                edge = self._project(self._place(rims[rim], turn, state))
                edge = np.round(((edge - [x0, y0] + 0.5) * 4 - 0.5) * 16).astype(np.int32)
                cv2.polylines(canvas, [edge], False, int(150 + 90 * self.person.makeup) if rim == "up" else 60, int(max(2, 0.055 * self.unit * 4)) if rim == "up" else 2, cv2.LINE_AA, 4)
            a = cv2.resize(canvas, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA).astype(np.float32)[..., None] / 255 * np.float32(0.45 + 0.4 * self.person.lash)
            patch = image[y0:y1, x0:x1]
            patch += (np.array(self.person.hair, np.float32) * 0.25 + 0.02 - patch) * a

    @staticmethod
    def _rim(controls, rim, side):
        """Smooth 3-D rim of a lid from inner to outer corner, (48, 3)."""
        names = [f"eye_in{side}", *(f"lid_{rim}{k}{side}" for k in range(1, 6)), f"eye_out{side}"]
        points, t = controls[head.ids(*names)], np.linspace(0, 6, 48)
        i = np.clip(t.astype(int), 0, 5)
        f = (t - i)[:, None]
        before, after = points[np.maximum(i - 1, 0)], points[np.minimum(i + 2, 6)]
        a, b = points[i], points[i + 1]
        return 0.5 * (2 * a + (b - before) * f + (2 * before - 5 * a + 4 * b - after) * f**2 + (3 * a - before - 3 * b + after) * f**3)

    # --- camera -------------------------------------------------------------------------------------------------------
    def _tone(self, frame):
        """Linear light -> sRGB float32 in [0, 1] with a soft shoulder."""
        x = frame * np.array(self.scene.balance, np.float32) * np.float32(self.scene.exposure)
        x = x * (1 + x / np.float32(6.0)) / (1 + 0.55 * x)
        image = np.clip(x, 0, 1) ** np.float32(1 / 2.2)
        k = np.float32(self.scene.contrast)
        return image + k * (image * image * (3 - 2 * image) - image)

    def _camera(self, image, rng):
        """Lens and sensor: defocus, vignette, noise that grows with light, 8 bits."""
        h, w = image.shape[:2]
        image = cv2.GaussianBlur(image, (0, 0), self.scene.defocus)
        y, x = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None]
        image *= (1 - np.float32(self.scene.vignette) * 0.5 * (x * x + y * y))[..., None]
        luma = rng.standard_normal((h, w, 1), np.float32) * 0.75 + rng.standard_normal((h, w, 3), np.float32) * 0.5
        image += luma * np.sqrt(np.clip(image, 0.05, 1)) * np.float32(self.scene.noise / 255)
        return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
