"""Where a head is and what the camera sees of it: from the head's own coordinates to pixels."""

import numpy as np

from mesokit.synthetic.people.scene import Scene

PIVOT = np.array([0.0, -9.0, -1.5], np.float32)  # where the neck bends, head frame


def rotation(state):
    """Head rotation (3, 3): roll after yaw after pitch; see `State` for the signs."""
    y, p, r = np.deg2rad([state.yaw, state.pitch, -state.roll])
    yaw = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pitch = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    roll = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (roll @ yaw @ pitch).astype(np.float32)


class View:
    """The geometry of one scene."""

    def __init__(self, scene: Scene):
        """Take scale and focal length from the scene."""
        self.scene = scene
        h = scene.size[1]
        self.unit = scene.eye_distance * h / 360 / 6.3  # pixels per cm at the head
        self.focal = np.float32(self.unit * scene.distance)

    def place(self, points, turn, state):
        """Head frame -> camera space."""
        return (points - PIVOT) @ turn.T + self.anchor(state)

    def anchor(self, state):
        """Where the neck bends, in camera space (3,)."""
        w, h = self.scene.size
        sx, sy = self.scene.shift
        x, y = state.dx + sx * w / self.unit, state.dy + 3.2 - sy * h / self.unit
        return PIVOT + np.array([x, y, -self.scene.distance - 8.0], np.float32)

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
