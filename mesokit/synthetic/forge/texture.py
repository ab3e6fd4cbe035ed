"""A face as a texture of a canonical geometry, read from one frame and drawn into another.

The geometry is flat: landmarks of an average head seen from the front, in centimetres, with mouth and eyes open, and a
ring of still points around them. All people share one triangulation.
"""

import cv2
import numpy as np
from scipy.spatial import Delaunay

from mesokit.synthetic.people import GROUPS, LANDMARKS, State, express, head

_RING = 28  # points around the face that never move
_ROOM = 1.5  # size of the ring, relative to the outline of the landmarks


def _canonical():
    """Points (N + ring, 2) of landmarks and ring, and triangles (t, 3), far ones first, of an average head."""
    solid = express(head.CONTROLS, State(jaw=0.5))[head.ids(*LANDMARKS)].astype(np.float64)
    flat, depth = solid[:, :2] * [1, -1], np.r_[solid[:, 2], np.full(_RING, -99.0)]
    angle = np.linspace(0, 2 * np.pi, _RING, endpoint=False)
    middle, half = (flat.min(0) + flat.max(0)) / 2, np.ptp(flat, axis=0) / 2
    ring = middle + half * (_ROOM * np.stack([np.cos(angle), np.sin(angle)], axis=-1) - [0, 0.15])  # more room above
    points = np.concatenate([flat, ring])
    triangles = Delaunay(points).simplices
    return points, triangles[np.argsort(depth[triangles].mean(1), kind="stable")]


def _named(*prefixes):
    return np.array([i for i, name in enumerate(LANDMARKS) if name.startswith(prefixes)])


def _across(ring):
    """Upper and lower landmarks of a ring in pairs from left to right, (2, k); the corners are in both."""
    half = len(ring) // 2
    pairs = np.stack([ring[: half + 1], np.r_[ring[:1], ring[: half - 1 : -1]]])
    return pairs[:, np.argsort(POINTS[pairs[0], 0])]


POINTS, TRIANGLES = _canonical()
EYES, MOUTH = np.stack([GROUPS["eye_left"], GROUPS["eye_right"]]), GROUPS["mouth_inner"][None]  # rings
EYE_PAIRS, MOUTH_PAIRS = (np.concatenate([_across(ring) for ring in rings], axis=1) for rings in (EYES, MOUTH))
STILL = _named("nasion", "bridge", "eye_", "zygion", "sill", "subnasale", "temple", "forehead")  # hardly move
EYE_DISTANCE = float(np.linalg.norm(np.diff(POINTS[EYES].mean(1), axis=0)))


def homogeneous(points):
    """Points (..., 2) with a third coordinate of 1."""
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)


def affine(origin, image):
    """The least-squares affine map (3, 2) of points `origin` (k, 2) to `image` (k, 2)."""
    return np.linalg.lstsq(homogeneous(origin), image, rcond=None)[0]


def with_ring(have, marks):
    """Landmarks `marks` (N, 2), and the ring placed by the landmarks `have` (N, 2): (N + ring, 2) float64."""
    ring = homogeneous(POINTS[len(have) :]) @ affine(POINTS[: len(have)], have)
    return np.concatenate([marks, ring])


def _draw(points, triangles, size):
    """Number of the triangle that covers each pixel, the last of several: (h, w) int32, -1 for none."""
    number = np.full(size, -1, np.int32)
    corners = np.round(points * 16).astype(np.int32)
    for i in triangles:
        cv2.fillConvexPoly(number, corners[TRIANGLES[i]], int(i), cv2.LINE_8, 4)
    return number


def _shares(number, weights, x0=0, y0=0):
    """Barycentric coordinates (h, w, 3) float32 of pixels in their triangles: x, y, 1 times weights (t, 3, 3)."""
    h, w = number.shape
    x = np.arange(x0, x0 + w, dtype=np.float32)[None]
    y = np.arange(y0, y0 + h, dtype=np.float32)[:, None]
    # A drawn triangle covers pixels up to one outside of it. For thin triangles that is far, so no slack is given.
    thin = np.linalg.norm(weights[:, :2], axis=1).max(1) > 0.25  # a height below 4 pixels
    slack = np.where(thin, 0, 0.25).astype(np.float32)[number]
    low, high = -slack, 1 + slack
    planes = []
    for along_x, along_y, constant in np.moveaxis(weights.astype(np.float32), -1, 0).swapaxes(1, 2):
        plane = along_x[number] * x
        plane += along_y[number] * y
        plane += constant[number]
        planes.append(np.clip(plane, low, high, out=plane))
    return np.stack(planes, -1) / (planes[0] + planes[1] + planes[2] + np.float32(1e-9))[..., None]


def _sample(image, number, share, points):
    """`image` at the place that each pixel has in its triangle among `points`."""
    goal = points[TRIANGLES].astype(np.float32)[number]
    x, y = (np.einsum("hwk,hwk->hw", share, goal[..., axis]) for axis in (0, 1))
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


class Canvas:
    """The canonical face at one resolution, with masks of eyes and mouth; reads faces into textures and draws them."""

    def __init__(self, detail: float):
        """`detail`: texels between the eyes."""
        self.detail = detail
        self.points = (POINTS - POINTS.min(0)) * (detail / EYE_DISTANCE)
        w, h = np.ceil(self.points.max(0)).astype(int) + 1
        self.number = _draw(self.points, range(len(TRIANGLES)), (h, w))
        self.share = _shares(self.number, np.linalg.inv(homogeneous(self.points)[TRIANGLES]))
        self.eyes, self.lids = self._soft(EYES, any), self._soft(_named("lid_up"), any)
        self.slits = cv2.dilate(self._soft(EYES, all), np.ones((3, 3), np.uint8))[..., None]
        self.mouth = self._soft(MOUTH, all)
        self.around_eyes, self.around_mouth = self._around(self.eyes, 0.25), self._around(self.mouth, 0.12)

    def _soft(self, marks, rule):
        """Opacity (h, w, 1) float32 of the triangles of which any or all corners are `marks`; its edge is soft."""
        chosen = (np.all if rule is all else np.any)(np.isin(TRIANGLES, marks), axis=1)
        inside = (self.number >= 0) & chosen[self.number]
        return cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.03 * self.detail)[..., None]

    def _around(self, mask, reach):
        """Pixels (h, w) bool beside `mask` that show light and skin there; reach in distances of the eyes."""
        away = cv2.distanceTransform((mask[..., 0] < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        return (mask[..., 0] < 0.05) & (away < reach * self.detail)

    def read(self, frame, points):
        """The face of `frame` with its landmarks and ring at `points`, as a texture (h, w, 3) uint8."""
        return _sample(frame, self.number, self.share, points)

    def write(self, texture, points, x0, y0, x1, y1):
        """A box of a frame in which the texture is drawn with its points at `points`: (y1 - y0, x1 - x0, 3) uint8."""
        corners = points[TRIANGLES]
        turn = np.linalg.det(homogeneous(corners)) * np.sign(np.linalg.det(homogeneous(POINTS[TRIANGLES[0]])))
        height = turn / np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max(1)
        above = np.select([turn < 0, height < 1], [0, 1], 2)  # triangles that face away are drawn first, then thin ones
        order = np.argsort(above, kind="stable")
        order = order[np.abs(turn[order]) > 0.02]
        weights = np.zeros((len(TRIANGLES), 3, 3))
        weights[order] = np.linalg.inv(homogeneous(corners[order]))
        number = _draw(points - [x0, y0], order, (y1 - y0, x1 - x0))
        return _sample(texture, number, _shares(number, weights, x0, y0), self.points)
