"""Frames of people: a moment is placed in space, rasterised, shaded and filmed; its landmarks and mask are known."""

from dataclasses import dataclass

import cv2
import numpy as np

from mesokit.synthetic.people import hair as hairs
from mesokit.synthetic.people import head, mesh, strokes
from mesokit.synthetic.people.body import BODY, body_grid, body_skin
from mesokit.synthetic.people.expression import express
from mesokit.synthetic.people.landmarks import FIVE, ROWS
from mesokit.synthetic.people.openings import Openings
from mesokit.synthetic.people.paint import linear, masks, smooth
from mesokit.synthetic.people.person import Person, State
from mesokit.synthetic.people.scene import PIVOT, Scene, View, background, make_light, rotation
from mesokit.synthetic.people.shade import camera, occlusion, reflect, soften_edges, three, tone
from mesokit.synthetic.people.skin import Skin, make_skin

HAIR_SCALE = 1.5  # strands are drawn on a finer canvas, where they are about half a pixel of the frame wide
_FACE, _BODY = 1, 4  # numbers of these parts in the raster; the ears have 2 and 3


@dataclass
class Rendered:
    """One frame with its landmarks and its mask."""

    image: np.ndarray  # (h, w, 3) uint8 RGB
    landmarks: np.ndarray  # (N, 2) float32 x, y in pixels, rows named by LANDMARKS, grouped by GROUPS
    five: np.ndarray  # (5, 2) float32: left eye, right eye, nose, mouth left, mouth right ('left' = smaller x)
    face: np.ndarray  # (h, w) float32 in [0, 1]: skin of the face with eyes and mouth, not hair, ears, neck


class Renderer:
    """Renders one person in one scene."""

    def __init__(self, person: Person, scene: Scene):
        """Paint what all frames share (skin, hair, background); this takes about a third of a second."""
        self.person, self.scene = person, scene
        rng = np.random.default_rng([18, person.seed])
        self.rest = head.identity(dict(person.shape))
        points, self.weights, _ = head.dense()
        self.base = points + self.weights @ (self.rest - head.CONTROLS)
        self.still = View(scene, State())
        self.light = make_light(scene)
        self._make_parts()
        self.openings = Openings(person, self.rest, self.light, rng)
        self.hair = hairs.grow(person, self.base.reshape(head.GRID, head.GRID, 3))
        self.lashes = strokes.plan_lashes(person, rng)
        self.wall = linear(background(scene))

    def _make_parts(self):
        """Meshes and textures of head, ears and body, and the mask of the holes of the skin."""
        person, scene = self.person, self.scene
        # About two texels a pixel, so that sampling neither aliases nor blurs.
        size = int(np.clip(768 * 1.9 * self.still.unit / 37, 256, 768))
        textures, fixed = make_skin(person), masks()
        holes = np.stack([fixed["eyes"], fixed["mouth"], fixed["face"]], -1)
        albedo, slope, gloss, self.holes = (
            cv2.resize(texture, (size, size), interpolation=cv2.INTER_AREA)
            for texture in (textures.albedo, textures.slope, textures.gloss, holes)
        )
        tone = np.median(albedo.reshape(-1, 3), axis=0)
        ear = mesh.ear_grid(person.ear_out) + np.array([0.2 * dict(person.shape)["face_width"] - 0.25, 0, 0])
        self.ears = [ear.reshape(-1, 3), (ear * [-1, 1, 1]).reshape(-1, 3)]
        body, kind = body_grid(person, scene)
        self.body = body.reshape(-1, 3)
        clothes, self.cloth = body_skin(person, scene, kind, tone)
        grid = (head.GRID, head.GRID)
        inside = head.dense()[2][mesh.grid_triangles(*grid)].all(1)
        warp = tuple(a / (2 * head.EXTENT) + 0.5 for a in head.axes())
        face = mesh.Part(_FACE, grid, warp, 1.0, Skin(albedo, slope, gloss), inside)
        skin = mesh.ear_skin(tone)
        left, right = (mesh.grid_part(number, ear.shape[:2], sign, skin) for number, sign in ((2, -1.0), (3, 1.0)))
        self.parts = [face, left, right, mesh.grid_part(_BODY, BODY, 1.0, clothes)]

    def landmarks(self, state: State) -> np.ndarray:
        """True landmarks (N, 2) float32 of a moment, without rendering it; rows as in LANDMARKS."""
        return View(self.scene, state).pixels(express(self.rest, state)[ROWS])

    @staticmethod
    def five(landmarks: np.ndarray) -> np.ndarray:
        """(N, 2) landmarks -> (5, 2) float32: left eye, right eye, nose, mouth left, mouth right."""
        return np.stack([landmarks[rows].mean(0) for rows in FIVE.values()]).astype(np.float32)

    def _bodies(self, controls, view):
        """Camera-space vertices of all parts."""
        skull = self.base + self.weights @ (controls - self.rest)
        follow = smooth(-18, -9, self.body[:, 1:2])  # of the neck and body to the head
        still = self.body - PIVOT
        yaw, pitch, roll = view.state.yaw * 0.55, view.state.pitch * 0.7, view.state.roll * 0.7
        half = rotation(State(yaw=yaw, pitch=pitch, roll=roll))
        body = still * (1 - follow) + (still @ half.T) * follow + view.anchor
        placed = [view.place(points) for points in (skull, *self.ears)]
        return [points.astype(np.float32) for points in (*placed, body)]

    def render(self, state: State, rng: np.random.Generator) -> Rendered:
        """The frame of one moment; `rng` drives sensor noise only."""
        controls, view = express(self.rest, state), View(self.scene, state)
        bodies = self._bodies(controls, view)
        number, uv, depth = mesh.rasterise(self.parts, bodies, view.focal, self.scene.size)
        frame = self.wall.copy()
        lit = mesh.shadows(self.parts, bodies, self.still.anchor, self.scene.key)
        alpha = self._skin_pass(frame, bodies, number, uv, depth, lit)
        for hole, opening in enumerate(self.openings.openness(controls)):
            alpha[..., hole] *= opening
        self.openings.eyes(frame, alpha[..., 0], controls, view)
        self.openings.mouth(frame, alpha[..., 1], controls, view)
        soften_edges(frame, depth)
        image, cover = self._hair_pass(frame, controls, view, depth)
        marks = view.pixels(controls[ROWS])
        face = np.clip(alpha[..., 2] * (1 - cover), 0, 1)
        return Rendered(camera(image, self.scene, rng), marks, self.five(marks), face.astype(np.float32))

    def _skin_pass(self, frame, bodies, number, uv, depth, lit):
        """Shade all solid pixels into `frame`; -> (h, w, 3) coverage of eye holes, mouth hole, face."""
        ao = occlusion(depth, number > 0, self.still.unit).ravel()
        alpha = np.zeros((*number.shape, 3), np.float32)
        colours, number, uv = frame.reshape(-1, 3), number.ravel(), uv.reshape(-1, 2)
        for part, points, light in zip(self.parts, bodies, lit, strict=True):
            where = np.flatnonzero(number == part.number)
            if len(where) == 0:
                continue
            packed_at = np.pad(where, (0, -len(where) % 256), "edge").reshape(-1, 256)
            packed = uv[packed_at]
            texels = part.texels(packed)
            fine, soft, albedo, gloss = mesh.sample(part, points, packed, texels)
            x, y = part.index(packed)
            shadow = cv2.remap(light, x, y, cv2.INTER_LINEAR)
            cloth = None
            if part.number == _BODY:
                rows, columns = (np.array(self.cloth.shape) - 1).tolist()
                cloth = self.cloth[(packed[..., 1] * rows).astype(int), (packed[..., 0] * columns).astype(int)] > 0.5
            value = reflect(self.light, fine, soft, albedo, gloss, ao[packed_at], shadow, cloth)
            colours[where] = value.reshape(-1, 3)[: len(where)]
            if part.number == _FACE:
                holes = cv2.remap(self.holes, texels[0], texels[1], cv2.INTER_LINEAR)
                alpha.reshape(-1, 3)[where] = holes.reshape(-1, 3)[: len(where)]
        return alpha

    def _hair_pass(self, frame, controls, view, depth):
        """Tone-map `frame` and draw lashes and hair over it -> sRGB float32 image, coverage of hair (h, w)."""
        h, w = depth.shape
        empty = np.array([*(np.clip(self.hair.rgb * 0.6, 0, 1) * 255), 0]).astype(np.uint8).view(np.uint32)
        canvas = np.full((int(h * HAIR_SCALE), int(w * HAIR_SCALE), 1), empty).view(np.uint8)
        box = hairs.draw(canvas, self.hair, view, depth, self.light, HAIR_SCALE)
        left, top, right, bottom = box
        there = np.s_[top:bottom, left:right]
        x0, y0, x1, y1 = (int(edge * HAIR_SCALE) for edge in box)
        small = cv2.resize(canvas[y0:y1, x0:x1], (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        small = small.astype(np.float32) / np.float32(255)
        cover = np.zeros((h, w), np.float32)
        cover[there] = small[..., 3]
        shadow = np.roll(cover, int(0.35 * view.unit), axis=0)
        shadow = cv2.resize(shadow, (w // 3, h // 3), interpolation=cv2.INTER_AREA)
        shadow = cv2.resize(cv2.GaussianBlur(shadow, (0, 0), 0.15 * view.unit), (w, h))
        frame *= three(1 - np.float32(0.32) * shadow * (depth < mesh.FAR - 1))
        image = tone(frame, self.scene)
        strokes.lashes(image, self.lashes, self.person, controls, view)
        if self.person.glasses:
            strokes.glasses(image, self.person, view, np.clip(self.light.sky, 0, 1) ** np.float32(1 / 2.2))
        image[there] += (cv2.cvtColor(small, cv2.COLOR_RGBA2RGB) - image[there]) * three(small[..., 3])
        return image, cover
