"""Pictures of people: a moment placed in space, rasterised, shaded, filmed; and the truth about it."""

from dataclasses import dataclass

import cv2
import numpy as np

from mesokit.synthetic import hair as hairs
from mesokit.synthetic import head, mesh, organs, strokes
from mesokit.synthetic.expression import express, eyeball
from mesokit.synthetic.paint import linear, masks
from mesokit.synthetic.person import Person, State
from mesokit.synthetic.scene import BODY, Scene, background, body_grid, body_skin, make_light, sample_scene
from mesokit.synthetic.shade import camera, occlusion, reflect, soften_edges, three, tone
from mesokit.synthetic.skin import Skin, make_skin

__all__ = ["FIVE", "GROUPS", "LANDMARKS", "Rendered", "Renderer", "Scene", "sample_scene"]

PIVOT = np.array([0.0, -9.0, -1.5], np.float32)  # where the neck bends, head frame
HAIR_SCALE = 1.5  # strands are drawn on a finer canvas: half a pixel wide, nearly

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
    "brow_left": _at(*(f"brow{k}_l" for k in (5, 4, 3, 2, 1))),
    "brow_right": _at(*(f"brow{k}_r" for k in (1, 2, 3, 4, 5))),
    "nose_bridge": _at("nasion", "bridge1", "bridge2", "supratip", "tip"),
    "nose_base": _at("ala_l", "ala_bottom_l", "sill_l", "subnasale", "sill_r", "ala_bottom_r", "ala_r"),
    "mouth_outer": _lip("ul_out", "ll_out"), "mouth_inner": _lip("ul_in", "ll_in"),
    "jaw": _at(*(f"jaw{k}_l" for k in range(1, 8)), "menton", *(f"jaw{k}_r" for k in range(7, 0, -1))),
}  # fmt: skip
FIVE = {
    "eye_left": GROUPS["eye_left"],
    "eye_right": GROUPS["eye_right"],
    "nose": _at("tip"),
    "mouth_left": _at("mouth_l"),
    "mouth_right": _at("mouth_r"),
}
_ROWS = head.ids(*LANDMARKS)


@dataclass
class Rendered:
    """One frame and its truth."""

    image: np.ndarray  # (h, w, 3) uint8 RGB
    landmarks: np.ndarray  # (N, 2) float32 x, y in pixels, rows named by LANDMARKS, grouped by GROUPS
    five: np.ndarray  # (5, 2) float32: left eye, right eye, nose, mouth left, mouth right ('left' = smaller x)
    face: np.ndarray  # (h, w) float32 in [0, 1]: skin of the face with eyes and mouth, not hair, ears, neck


def _rotation(state):
    """Head rotation (3, 3): roll after yaw after pitch; see `State` for the signs."""
    y, p, r = np.deg2rad([state.yaw, state.pitch, -state.roll])
    yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (roll @ yaw @ pitch).astype(np.float32)


class Renderer:
    """Renders one person in one scene; construction paints what all frames share (skin, hair, background)."""

    def __init__(self, person: Person, scene: Scene):
        """Paint and grow everything; about a third of a second."""
        self.person, self.scene = person, scene
        h = scene.size[1]
        rng = np.random.default_rng([18, person.seed])
        shape = dict(person.shape)
        self.rest = head.identity(shape)
        _, points, self.weights, _ = head.dense()
        self.base = points + self.weights @ (self.rest - head.CONTROLS)
        self.unit = scene.eye_distance * h / 360 / 6.3  # pixels per cm at the head
        self.focal = np.float32(self.unit * scene.distance)
        self.light = make_light(scene)
        self._make_parts(shape)
        self.holes = self._hole_texture()
        self.iris = organs.paint_iris(person, rng)
        self.pupil = np.float32(rng.uniform(0.17, 0.27))
        self.veins = self._paint_veins(rng)
        self.tooth = linear(
            np.array([0.95, 0.90, 0.80])
            - np.clip(person.age - 25, 0, 50) / 50 * np.array([0.06, 0.09, 0.16])
            - rng.uniform(0, 0.06)
        )
        self.hair = hairs.grow(person, self.base.reshape(head.GRID, head.GRID, 3))
        self.hair_out = mesh.unit(self.hair.points - head.CENTRE)
        self.lashes = strokes.plan_lashes(person, rng)
        self.wall = linear(background(scene))

    # --- what a clip shares -------------------------------------------------------------------------------------------
    def _make_parts(self, shape):
        """Meshes and textures of head, ears and body."""
        person, scene = self.person, self.scene
        skin = self._fit(make_skin(person))
        tone = np.median(skin.albedo.reshape(-1, 3), axis=0)
        shift = np.array([0.2 * shape["face_width"] - 0.25, 0, 0])
        ear = mesh.ear_grid(person.ear_out) + shift
        self.ears = [ear.reshape(-1, 3), (ear * [-1, 1, 1]).reshape(-1, 3)]
        ears = mesh.ear_skin(tone)
        body, kind = body_grid(person, scene)
        self.body = body.reshape(-1, 3)
        clothes, self.cloth = body_skin(person, scene, kind, tone)
        face = mesh.Part(
            1,
            (head.GRID, head.GRID),
            head.dense()[3],
            tuple(a / (2 * head.EXTENT) + 0.5 for a in head.axes()),
            1.0,
            skin,
        )
        sides = [mesh.grid_part(number, ear.shape[:2], sign, ears) for number, sign in ((2, -1.0), (3, 1.0))]
        self.parts = [face, *sides, mesh.grid_part(4, BODY, 1.0, clothes)]

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

    # --- geometry of a moment -----------------------------------------------------------------------------------------
    def _place(self, points, turn, state):
        """Head frame -> camera space."""
        return (points - PIVOT) @ turn.T + self._anchor(state)

    def _anchor(self, state):
        w, h = self.scene.size
        sx, sy = self.scene.shift
        return PIVOT + np.array(
            [state.dx + sx * w / self.unit, state.dy + 3.2 - sy * h / self.unit, -self.scene.distance - 8.0],
            np.float32,
        )

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

    # --- one frame ----------------------------------------------------------------------------------------------------
    def render(self, state: State, rng: np.random.Generator) -> Rendered:
        """The frame of one moment; `rng` drives sensor noise only."""
        controls, turn = self._controls(state), _rotation(state)
        bodies = self._bodies(controls, turn, state)
        number, uv, depth = mesh.rasterise(self.parts, bodies, self.focal, self.scene.size)
        frame = self.wall.copy()
        lit = mesh.shadows(self.parts, bodies, self._anchor(State()), self.scene.key)
        alpha = self._skin_pass(frame, bodies, number, uv, depth, lit)
        for hole, opening in enumerate(self._openness(controls)):
            alpha[..., hole] *= opening
        self._eyes_pass(frame, alpha[..., 0], controls, turn, state)
        self._mouth_pass(frame, alpha[..., 1], controls, turn, state)
        soften_edges(frame, depth)
        image, cover = self._hair_pass(frame, controls, turn, state, depth)
        marks = self._project(self._place(controls[_ROWS], turn, state))
        face = np.clip(alpha[..., 2] * (1 - cover), 0, 1)
        return Rendered(camera(image, self.scene, rng), marks, self.five(marks), face.astype(np.float32))

    def _skin_pass(self, frame, bodies, number, uv, depth, lit):
        """Shade all solid pixels into `frame`; -> (h, w, 3) coverage of eye holes, mouth hole, face."""
        ao = occlusion(depth, number > 0, self.unit)
        alpha = np.zeros((*number.shape, 3), np.float32)
        for part, points, light in zip(self.parts, bodies, lit, strict=True):
            ys, xs = np.nonzero(number == part.number)
            if len(ys) == 0:
                continue
            pad = -len(ys) % 256
            ysp, xsp = np.pad(ys, (0, pad), "edge"), np.pad(xs, (0, pad), "edge")
            packed = uv[ysp, xsp].reshape(-1, 256, 2)
            fine, soft, albedo, gloss = mesh.sample(part, points, packed)
            at = part.index(packed)
            shadow = cv2.remap(light, *at, cv2.INTER_LINEAR)
            cloth = np.zeros(gloss.shape, bool)
            if part.number == 4:
                ch, cw = self.cloth.shape
                cloth = (
                    self.cloth[(packed[..., 1] * (ch - 1)).astype(int), (packed[..., 0] * (cw - 1)).astype(int)] > 0.5
                )
            value = reflect(self.light, fine, soft, albedo, gloss, ao[ysp, xsp].reshape(-1, 256), shadow, ~cloth)
            frame[ys, xs] = value.reshape(-1, 3)[: len(ys)]
            if part.number == 1:
                size = np.float32(self.holes.shape[0])
                at = [k * size - np.float32(0.5) for k in part.texture(packed)]
                alpha[ys, xs] = cv2.remap(self.holes, *at, cv2.INTER_LINEAR).reshape(-1, 3)[: len(ys)]
        return alpha

    @staticmethod
    def _openness(controls):
        """Fade the holes out as lids and lips meet, since the mesh between two touching rims has no width: (2,)."""

        def gap(up, lo):
            return float(
                np.linalg.norm(controls[head.INDEX[up]] - controls[head.INDEX[lo]])
                * np.sign(controls[head.INDEX[up], 1] - controls[head.INDEX[lo], 1])
            )

        eyes = min(gap("lid_up3_l", "lid_lo3_l"), gap("lid_up3_r", "lid_lo3_r"))
        return np.array(
            [organs.smooth(0.05, 0.16, eyes), organs.smooth(0.03, 0.14, gap("ul_in0", "ll_in0"))], np.float32
        )

    def _box(self, pixels, margin):
        w, h = self.scene.size
        low, high = np.floor(pixels.min(0) - margin).astype(int), np.ceil(pixels.max(0) + margin).astype(int)
        return max(low[0], 0), max(low[1], 0), min(high[0] + 1, w), min(high[1] + 1, h)

    def _eyes_pass(self, frame, hole, controls, turn, state):
        gx, gy = np.deg2rad([state.gaze_x, state.gaze_y])
        for side in ("_l", "_r"):
            ring = [
                n + side
                for n in (
                    "eye_in",
                    "eye_out",
                    "lid_up2",
                    "lid_up3",
                    "lid_up4",
                    "lid_lo2",
                    "lid_lo3",
                    "lid_lo4",
                )
            ]
            box = self._box(self._project(self._place(controls[head.ids(*ring)], turn, state)), 3)
            x0, y0, x1, y1 = box
            if x1 - x0 < 3 or y1 - y0 < 2 or not hole[y0:y1, x0:x1].any():
                continue
            ball = self._place(eyeball(self.rest, side)[None], turn, state)
            gaze = turn @ np.array([np.sin(gx) * np.cos(gy), np.sin(gy), np.cos(gx) * np.cos(gy)], np.float32)
            across = mesh.unit(np.cross(turn[:, 1], gaze))
            axes = np.stack([across, np.cross(gaze, across), gaze], -1).astype(np.float32)
            scale = np.float32(self.focal / -ball[0, 2])
            eye = organs.eyeball(
                box, self._project(ball)[0], scale, axes, self.iris, self.pupil, self.light, self.veins
            )
            a = hole[y0:y1, x0:x1]
            near = cv2.GaussianBlur(a, (0, 0), float(0.13 * scale))
            above = cv2.GaussianBlur(np.roll(a, round(0.22 * float(scale)), axis=0), (0, 0), float(0.10 * scale))
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
        anchor, (w, h) = self._anchor(state), self.scene.size
        z = np.float32(self._place(controls[head.ids("ul_in0")], turn, state)[0, 2])

        lip = self.rest[head.INDEX["ul_in0"]] - head.CONTROLS[head.INDEX["ul_in0"]]
        inside_head = PIVOT - np.array([0, lip[1], lip[2]], np.float32)  # the teeth are those of the table head

        def origin(x, y):
            k = -z / self.focal
            cam = np.stack([(x - (w / 2 - 0.5)) * k, (h / 2 - 0.5 - y) * k, np.full_like(x, z)], -1).astype(np.float32)
            return (cam - anchor) @ turn + inside_head

        middle = self._place(controls[head.ids("ul_in0")], turn, state)[0]
        direction = turn.T @ (middle / np.linalg.norm(middle)).astype(np.float32)
        wide = float(np.clip((controls[head.INDEX["ul_in0"], 1] - controls[head.INDEX["ll_in0"], 1]) / 0.8, 0.5, 1))
        level = (
            wide * self.light.sky.mean() * 0.7
            + sum(c.mean() * max(float(d[2]), 0) for d, c in self.light.lamps) * 0.7 * wide
        )
        scale = self.unit
        dim = cv2.GaussianBlur(a, (0, 0), 0.16 * scale) * (
            0.5 + 0.5 * np.roll(cv2.GaussianBlur(a, (0, 0), 0.1 * scale), int(0.14 * scale), axis=0)
        )
        inside = organs.mouth(
            box,
            origin,
            direction,
            max(state.jaw, 0) * 2.6,
            self.tooth,
            (dim * np.float32(level)).astype(np.float32),
        )
        patch = frame[y0:y1, x0:x1]
        patch += (inside - patch) * a[..., None]

    # --- hair ---------------------------------------------------------------------------------------------------------
    def _hair_pass(self, frame, controls, turn, state, depth):
        """Tone-map `frame` and draw lashes and hair over it -> sRGB float32 image, coverage of hair (h, w)."""
        h, w = depth.shape
        empty = np.array([*(np.clip(self.hair.rgb * 0.6, 0, 1) * 255), 0]).astype(np.uint8).view(np.uint32)
        canvas = np.full((int(h * HAIR_SCALE), int(w * HAIR_SCALE), 1), empty).view(np.uint8)
        placed = (
            self._place(self.hair.points.reshape(-1, 3), turn, state).astype(np.float32).reshape(self.hair.points.shape)
        )
        normals = self.hair_out @ turn.T
        hairs.draw(
            canvas,
            self.hair,
            placed,
            normals.astype(np.float32),
            self._project,
            depth,
            self.light,
            HAIR_SCALE,
        )
        small = cv2.resize(canvas, (w, h), interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
        cover = small[..., 3]
        shadow = cv2.resize(
            np.roll(cover, int(0.35 * self.unit), axis=0), (w // 3, h // 3), interpolation=cv2.INTER_AREA
        )
        shadow = cv2.resize(cv2.GaussianBlur(shadow, (0, 0), 0.15 * self.unit), (w, h), interpolation=cv2.INTER_LINEAR)
        frame *= three(1 - np.float32(0.32) * shadow * (depth < mesh.FAR - 1))
        image = tone(frame, self.scene)
        self._strokes_pass(image, controls, turn, state)
        image += (cv2.cvtColor(small, cv2.COLOR_RGBA2RGB) - image) * three(cover)
        return image, cover

    def _strokes_pass(self, image, controls, turn, state):
        def to_pixels(points):
            return self._project(self._place(points, turn, state))

        closed = (state.blink_left, state.blink_right)
        strokes.lashes(image, self.lashes, self.person, controls, closed, to_pixels, self._box, self.unit)
        if self.person.glasses:
            sky = np.clip(self.light.sky, 0, 1) ** np.float32(1 / 2.2)
            strokes.glasses(image, self.person, self.rest, self.person.seed, to_pixels, self._box, self.unit, sky)
