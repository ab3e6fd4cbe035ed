"""Eyes and mouth of one person: painted once, then placed behind the holes of the skin of each frame."""

import cv2
import numpy as np

from mesokit.synthetic.people import head, mesh, organs
from mesokit.synthetic.people.expression import eyeball
from mesokit.synthetic.people.paint import linear
from mesokit.synthetic.people.view import PIVOT


class Openings:
    """What shows through the holes of the skin: blended into a frame of linear RGB."""

    def __init__(self, person, rest, view, light, rng):
        """Paint them with `rng`; `rest` (n, 3): the control points of the head at rest."""
        self.rest, self.view, self.light = rest, view, light
        self.iris = organs.paint_iris(person, rng)
        self.pupil = np.float32(rng.uniform(0.17, 0.27))
        self.veins = organs.paint_veins(rng)
        self.tooth = linear(
            np.array([0.95, 0.90, 0.80])
            - np.clip(person.age - 25, 0, 50) / 50 * np.array([0.06, 0.09, 0.16])
            - rng.uniform(0, 0.06)
        )

    @staticmethod
    def openness(controls):
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

    def eyes(self, frame, hole, controls, turn, state):
        """Blend the eyes into `frame` where `hole` (h, w) is open."""
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
            box = self.view.box(self.view.project(self.view.place(controls[head.ids(*ring)], turn, state)), 3)
            x0, y0, x1, y1 = box
            if x1 - x0 < 3 or y1 - y0 < 2 or not hole[y0:y1, x0:x1].any():
                continue
            ball = self.view.place(eyeball(self.rest, side)[None], turn, state)
            gaze = turn @ np.array([np.sin(gx) * np.cos(gy), np.sin(gy), np.cos(gx) * np.cos(gy)], np.float32)
            across = mesh.unit(np.cross(turn[:, 1], gaze))
            axes = np.stack([across, np.cross(gaze, across), gaze], -1).astype(np.float32)
            scale = np.float32(self.view.focal / -ball[0, 2])
            eye = organs.eyeball(
                box, self.view.project(ball)[0], scale, axes, self.iris, self.pupil, self.light, self.veins
            )
            a = hole[y0:y1, x0:x1]
            near = cv2.GaussianBlur(a, (0, 0), float(0.13 * scale))
            above = cv2.GaussianBlur(np.roll(a, round(0.22 * float(scale)), axis=0), (0, 0), float(0.10 * scale))
            shade = (0.3 + 0.7 * np.clip(near * 1.35 - 0.2, 0, 1)) * (0.3 + 0.7 * above)
            patch = frame[y0:y1, x0:x1]
            patch += (eye * shade[..., None] - patch) * a[..., None]

    def mouth(self, frame, hole, controls, turn, state):
        """Blend the inside of the mouth into `frame` where `hole` (h, w) is open."""
        inner = head.ids("mouth_l", "mouth_r", *head.LIP_ROWS["ul_in"], *head.LIP_ROWS["ll_in"])
        box = self.view.box(self.view.project(self.view.place(controls[inner], turn, state)), 3)
        x0, y0, x1, y1 = box
        a = hole[y0:y1, x0:x1]
        if a.size == 0 or a.max() < 0.02:
            return
        anchor, (w, h) = self.view.anchor(state), self.view.scene.size
        z = np.float32(self.view.place(controls[head.ids("ul_in0")], turn, state)[0, 2])

        lip = self.rest[head.INDEX["ul_in0"]] - head.CONTROLS[head.INDEX["ul_in0"]]
        inside_head = PIVOT - np.array([0, lip[1], lip[2]], np.float32)  # the teeth are those of the table head

        def origin(x, y):
            k = -z / self.view.focal
            cam = np.stack([(x - (w / 2 - 0.5)) * k, (h / 2 - 0.5 - y) * k, np.full_like(x, z)], -1).astype(np.float32)
            return (cam - anchor) @ turn + inside_head

        middle = self.view.place(controls[head.ids("ul_in0")], turn, state)[0]
        direction = turn.T @ (middle / np.linalg.norm(middle)).astype(np.float32)
        wide = float(np.clip((controls[head.INDEX["ul_in0"], 1] - controls[head.INDEX["ll_in0"], 1]) / 0.8, 0.5, 1))
        level = (
            wide * self.light.sky.mean() * 0.7
            + sum(c.mean() * max(float(d[2]), 0) for d, c in self.light.lamps) * 0.7 * wide
        )
        scale = self.view.unit
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
