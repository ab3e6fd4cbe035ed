"""Eyes and mouth of one person: painted once, then placed behind the holes of the skin of each frame."""

import cv2
import numpy as np

from mesokit.synthetic.people import head, mesh, organs
from mesokit.synthetic.people.expression import eyeball
from mesokit.synthetic.people.paint import linear, smooth
from mesokit.synthetic.people.view import PIVOT


def _gap(controls, upper, lower):
    """Distance in cm from the control `lower` up to `upper`, negative where they have crossed."""
    apart = controls[head.INDEX[upper]] - controls[head.INDEX[lower]]
    return float(np.linalg.norm(apart) * np.sign(apart[1]))


class Openings:
    """What shows through the holes of the skin: blended into a frame of linear RGB."""

    def __init__(self, person, rest, view, light, rng):
        """Paint them with `rng`; `rest` (n, 3): the control points of the head at rest."""
        self.rest, self.view, self.light = rest, view, light
        self.iris = organs.paint_iris(person, rng)
        self.pupil = np.float32(rng.uniform(0.17, 0.27))
        self.veins = organs.paint_veins(rng)
        yellow = np.clip(person.age - 25, 0, 50) / 50 * np.array([0.06, 0.09, 0.16])
        self.tooth = linear(np.array([0.95, 0.90, 0.80]) - yellow - rng.uniform(0, 0.06))

    @staticmethod
    def openness(controls):
        """Opacity (2,) of eyes and mouth: 0 as lids or lips meet, since the mesh between touching rims has no width."""
        eyes = min(_gap(controls, f"lid_up3{side}", f"lid_lo3{side}") for side in ("_l", "_r"))
        mouth = _gap(controls, "ul_in0", "ll_in0")
        return np.array([smooth(0.05, 0.16, eyes), smooth(0.03, 0.14, mouth)], np.float32)

    def eyes(self, frame, hole, controls, turn, state):
        """Blend the eyes into `frame` where `hole` (h, w) is open."""
        gx, gy = np.deg2rad([state.gaze_x, state.gaze_y])
        for side in ("_l", "_r"):
            ring = head.ids(*head.lid_names("up", side), *head.lid_names("lo", side))
            box = self.view.box(self.view.project(self.view.place(controls[ring], turn, state)), 3)
            x0, y0, x1, y1 = box
            if x1 - x0 < 3 or y1 - y0 < 2 or not hole[y0:y1, x0:x1].any():
                continue
            ball = self.view.place(eyeball(self.rest, side)[None], turn, state)
            gaze = turn @ np.array([np.sin(gx) * np.cos(gy), np.sin(gy), np.cos(gx) * np.cos(gy)], np.float32)
            across = mesh.unit(np.cross(turn[:, 1], gaze))
            axes = np.stack([across, np.cross(gaze, across), gaze], -1).astype(np.float32)
            scale = np.float32(self.view.focal / -ball[0, 2])
            centre = self.view.project(ball)[0]
            eye = organs.eyeball(box, centre, scale, axes, self.iris, self.pupil, self.light, self.veins)
            a = hole[y0:y1, x0:x1]
            near = cv2.GaussianBlur(a, (0, 0), float(0.13 * scale))
            above = cv2.GaussianBlur(np.roll(a, round(0.22 * float(scale)), axis=0), (0, 0), float(0.10 * scale))
            shade = (0.3 + 0.7 * np.clip(near * 1.35 - 0.2, 0, 1)) * (0.3 + 0.7 * above)
            patch = frame[y0:y1, x0:x1]
            patch += (eye * shade[..., None] - patch) * a[..., None]

    def mouth(self, frame, hole, controls, turn, state):
        """Blend the inside of the mouth into `frame` where `hole` (h, w) is open."""
        inner = head.ids(*head.lip_names("ul_in"), *head.lip_names("ll_in"))
        box = self.view.box(self.view.project(self.view.place(controls[inner], turn, state)), 3)
        x0, y0, x1, y1 = box
        a = hole[y0:y1, x0:x1]
        if a.size == 0 or a.max() < 0.02:
            return
        middle = self.view.place(controls[head.ids("ul_in0")], turn, state)[0]
        lip = self.rest[head.INDEX["ul_in0"]] - head.CONTROLS[head.INDEX["ul_in0"]]
        inside_head = PIVOT - np.array([0, lip[1], lip[2]], np.float32)  # the teeth are those of the table head

        def origin(x, y):
            points = self.view.unproject(x, y, middle[2])
            return (points - self.view.anchor(state)) @ turn + inside_head

        direction = turn.T @ (middle / np.linalg.norm(middle)).astype(np.float32)
        gap = controls[head.INDEX["ul_in0"], 1] - controls[head.INDEX["ll_in0"], 1]
        wide = float(np.clip(gap / 0.8, 0.5, 1))
        lamps = sum(colour.mean() * max(float(d[2]), 0) for d, colour in self.light.lamps)
        level = wide * self.light.sky.mean() * 0.7 + lamps * 0.7 * wide
        scale = self.view.unit
        lower = np.roll(cv2.GaussianBlur(a, (0, 0), 0.1 * scale), int(0.14 * scale), axis=0)
        dim = cv2.GaussianBlur(a, (0, 0), 0.16 * scale) * (0.5 + 0.5 * lower) * np.float32(level)
        inside = organs.mouth(box, origin, direction, max(state.jaw, 0) * 2.6, self.tooth, dim.astype(np.float32))
        patch = frame[y0:y1, x0:x1]
        patch += (inside - patch) * a[..., None]
