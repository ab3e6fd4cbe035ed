"""Face2Face: the source's expression on the target's own face, by warping the target's own pixels (Thies et al. 2016).

As in the paper, a frame's face is read into a texture of a canonical geometry and drawn again in the new expression,
and what the frame does not show (teeth behind closed lips, an eye behind its lid) is *retrieved* from another frame of
the same target. Here the geometry is flat: landmarks and a still ring around them, one triangulation for everybody. So
identity, light and background stay the target's; what gives the forgery away is the detail that two samplings lose, and
the seams of what was retrieved.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from scipy.spatial import Delaunay

from mesokit.synthetic import head
from mesokit.synthetic.expression import express
from mesokit.synthetic.person import State
from mesokit.synthetic.render import GROUPS, LANDMARKS

# Nothing in the landmarks of lids says where an eye looks: the gaze stays the target's, as the pose does.
KEPT = ("yaw", "pitch", "roll", "dx", "dy", "gaze_x", "gaze_y")
RING = 28  # points around the face that never move
ROOM = 1.5  # ... so far out, over the outline of the landmarks
JUMP = 0.5  # price of retrieving from a frame that does not follow the one before, in misfits


def wanted(target: Sequence[State], source: Sequence[State]) -> list[State]:
    """The forged moments: pose and gaze of `target`, expression of `source`, frame by frame."""
    if len(target) != len(source):
        raise ValueError(f"target has {len(target)} moments, source {len(source)}; give equally many")
    pairs = zip(target, source, strict=True)
    return [replace(moment, **{name: getattr(own, name) for name in KEPT}) for own, moment in pairs]


# --- the canonical face: centimetres, seen from the front, mouth and eyes open ----------------------------------------
def _canonical():
    """Points (N + RING, 2) and triangles (t, 3), the far ones first, from the table of an average head."""
    solid = express(head.CONTROLS, State(jaw=0.5))[head.ids(*LANDMARKS)].astype(np.float64)
    flat, depth = solid[:, :2] * [1, -1], np.r_[solid[:, 2], np.full(RING, -99.0)]
    angle = np.linspace(0, 2 * np.pi, RING, endpoint=False)
    middle, half = (flat.min(0) + flat.max(0)) / 2, np.ptp(flat, axis=0) / 2
    ring = middle + half * (ROOM * np.stack([np.cos(angle), np.sin(angle)], axis=-1) - [0, 0.15])  # more room above
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


def _homogeneous(points):
    return np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)


def _affine(origin, image):
    """The least-squares affine map (3, 2) of points `origin` (k, 2) to `image` (k, 2)."""
    return np.linalg.lstsq(_homogeneous(origin), image, rcond=None)[0]


def _with_ring(have, marks):
    """Landmarks `marks` (N, 2) and the ring, which is where `have` puts it: (N + RING, 2) float64."""
    ring = _homogeneous(POINTS[len(have) :]) @ _affine(POINTS[: len(have)], have)
    return np.concatenate([marks, ring])


def _draw(points, triangles, size):
    """Which triangle covers each pixel, the last one of several: (h, w) int32, -1 for none."""
    number = np.full(size, -1, np.int32)
    corners = np.round(points * 16).astype(np.int32)
    for i in triangles:
        cv2.fillConvexPoly(number, corners[TRIANGLES[i]], int(i), cv2.LINE_8, 4)
    return number


def _shares(number, weights, x0=0, y0=0):
    """Barycentric coordinates (h, w, 3) float32 of pixels in their triangles: x, y, 1 times weights (t, 3, 3)."""
    h, w = number.shape
    chosen = weights.astype(np.float32)[number]
    x = np.arange(x0, x0 + w, dtype=np.float32)[None, :, None]
    y = np.arange(y0, y0 + h, dtype=np.float32)[:, None, None]
    share = chosen[..., 0, :] * x + chosen[..., 1, :] * y + chosen[..., 2, :]
    # A drawn triangle's rim lies up to a pixel outside it: that is little for most, but far outside of a thin one.
    thin = np.linalg.norm(weights[:, :2], axis=1).max(1) > 0.25  # a height below 4 pixels
    slack = np.where(thin, 0, 0.25).astype(np.float32)[number][..., None]
    share = np.clip(share, -slack, 1 + slack)
    return share / (share.sum(-1, keepdims=True) + np.float32(1e-9))


def _sample(image, number, share, points):
    """`image` at the place that each pixel's triangle has among `points`."""
    goal = points[TRIANGLES].astype(np.float32)[number]
    x, y = (np.einsum("hwk,hwk->hw", share, goal[..., axis]) for axis in (0, 1))
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


class _Canvas:
    """The canonical face at a resolution: reads faces into textures, draws them, knows where eyes and mouth are."""

    def __init__(self, detail: float):
        self.detail = detail
        self.points = (POINTS - POINTS.min(0)) * (detail / EYE_DISTANCE)
        w, h = np.ceil(self.points.max(0)).astype(int) + 1
        self.number = _draw(self.points, range(len(TRIANGLES)), (h, w))
        self.share = _shares(self.number, np.linalg.inv(_homogeneous(self.points)[TRIANGLES]))
        self.eyes, self.lids = self._soft(EYES, any), self._soft(_named("lid_up"), any)
        self.slits = cv2.dilate(self._soft(EYES, all), np.ones((3, 3), np.uint8))[..., None]
        self.mouth = self._soft(MOUTH, all)
        self.around_eyes, self.around_mouth = self._around(self.eyes, 0.25), self._around(self.mouth, 0.12)

    def _soft(self, marks, rule):
        """Opacity (h, w, 1) float32 of the triangles of which any or all corners are `marks`; its edge is soft."""
        corners = np.isin(TRIANGLES, marks)
        chosen = corners.all(1) if rule is all else corners.any(1)
        inside = (self.number >= 0) & chosen[self.number]
        return cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.03 * self.detail)[..., None]

    def _around(self, mask, reach):
        """Where (h, w) bool to look for the light and skin beside `mask`; reach in distances of the eyes."""
        away = cv2.distanceTransform((mask[..., 0] < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        return (mask[..., 0] < 0.05) & (away < reach * self.detail)

    def read(self, frame, points):
        """The face of `frame` with its landmarks and ring at `points`, as a texture (h, w, 3) uint8."""
        return _sample(frame, self.number, self.share, points)

    def write(self, texture, points, x0, y0, x1, y1):
        """A box of a frame in which the texture is drawn with its points at `points`: (y1 - y0, x1 - x0, 3) uint8."""
        corners = points[TRIANGLES]
        turn = np.linalg.det(_homogeneous(corners)) * np.sign(np.linalg.det(_homogeneous(POINTS[TRIANGLES[0]])))
        height = turn / np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=-1).max(1)
        above = np.select([turn < 0, height < 1], [0, 1], 2)  # what is turned away lies below, then what is thin
        order = np.argsort(above, kind="stable")
        order = order[np.abs(turn[order]) > 0.02]
        weights = np.zeros((len(TRIANGLES), 3, 3))
        weights[order] = np.linalg.inv(_homogeneous(corners[order]))
        number = _draw(points - [x0, y0], order, (y1 - y0, x1 - x0))
        return _sample(texture, number, _shares(number, weights, x0, y0), self.points)


# --- what the frame does not show: from which frame to take it --------------------------------------------------------
def _shapes(marks):
    """Landmarks (n, N, 2) laid on the canonical face by the points that hardly move: (n, N, 2), centimetres."""
    return np.stack([_homogeneous(one) @ _affine(one[STILL], POINTS[STILL]) for one in marks])


def _gaps(shapes, rings):
    """How open the rings of lids or lips are: mean height (n,), centimetres."""
    x, y = shapes[:, rings, 0], shapes[:, rings, 1]
    area = np.abs((x * np.roll(y, -1, -1) - y * np.roll(x, -1, -1)).sum(-1)) / 2
    return (area / np.ptp(x, axis=-1)).mean(-1)


def _mouth_misfit(have, want):
    """(n, n): how badly the mouth of frame k (column) would do for the wanted one of frame i; 1 is half a cm."""
    a, b = (shapes[:, MOUTH[0]] - shapes[:, MOUTH[0]].mean(1, keepdims=True) for shapes in (want, have))
    shape = np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1).mean(-1))
    lack = np.clip(np.subtract.outer(_gaps(want, MOUTH), _gaps(have, MOUTH)), 0, None)
    return (shape + lack) / 0.5


def _eyes_misfit(have, want):
    """The same for the eyes: lids about as open, and of equally good frames the nearest in time: its gaze is alike."""
    ratio = np.abs(np.subtract.outer(*(np.log(_gaps(shapes, EYES) + 0.05) for shapes in (want, have))))
    apart = np.abs(np.subtract.outer(np.arange(len(want)), np.arange(len(have))))
    return np.clip(ratio - 0.35, 0, None) + 0.005 * apart


def _retrieve(misfit):
    """The frame to take for each frame, (n,) int: least misfit in sum, each break of the sequence costing JUMP."""
    n = len(misfit)
    total, came = misfit[0] + JUMP * (np.arange(n) > 0), np.zeros((n, n), int)
    for i in range(1, n):
        best = int(total.argmin())
        follow = np.r_[np.inf, total[:-1]]
        came[i] = np.where(follow <= total[best] + JUMP, np.arange(n) - 1, best)
        total = np.minimum(follow, total[best] + JUMP) + misfit[i]
    path = [int(total.argmin())]
    for i in range(n - 1, 0, -1):
        path.append(int(came[i, path[-1]]))
    return path[::-1]


def _patch(textures, path, i):
    """The texture (h, w, 3) float32 to take for frame i, faded over three frames where the path breaks."""
    last = len(textures) - 1
    near = [min(max(path[j] + i - j, 0), last) for j in (max(i - 1, 0), i, i, min(i + 1, last))]
    return np.mean([textures[k] for k in near], axis=0, dtype=np.float32)


def _blend(texture, patch, opacity, around):
    """Lay `patch` over `texture`, brightness matched by what is around; both (h, w, 3) float32."""
    gain = (texture[around].mean(0) + 1) / (patch[around].mean(0) + 1)
    return texture + opacity * (patch * np.clip(gain, 0.8, 1.25).astype(np.float32) - texture)


# --- what no frame shows ----------------------------------------------------------------------------------------------
def _ramp(x, low, high):
    """0 below `low`, 1 above `high`, smooth between; float32."""
    t = np.clip((np.asarray(x, np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _shut(canvas, patch, opacity, around, shape, pairs, shade, narrow):
    """Draw a dark line where the slit between `pairs` is narrower in `shape` than `narrow` cm: texels would be dots."""
    gaps = np.linalg.norm(shape[pairs[0]] - shape[pairs[1]], axis=-1)
    gap = np.interp(np.arange(patch.shape[1]), canvas.points[pairs[0], 0], gaps)[:, None]
    line = patch[around].mean(0) * np.float32(shade)
    return patch + opacity * (1 - _ramp(gap, 0.06, narrow)) * (line - patch)


def _close(canvas, patch, need):
    """Lay the skin below the eyes over stretched upper lids, which would show stretched lashes; `need` is 0 to 1."""
    below = np.arange(len(patch))[:, None] > canvas.points[EYES, 1].mean()
    skin = np.float32(canvas.around_eyes & below)[..., None]
    sigma = 0.1 * canvas.detail
    filled = cv2.GaussianBlur(patch * skin, (0, 0), sigma) / (cv2.GaussianBlur(skin, (0, 0), sigma)[..., None] + 1e-6)
    return patch + canvas.lids * need * (filled - patch)


def _spread(canvas, patch, ratio):
    """Open a mouth `ratio` times wider than it was: teeth keep to their lips and their size, between is dark."""
    h, w = canvas.number.shape
    x = np.arange(w, dtype=np.float32)
    top, bottom = (np.interp(x, *canvas.points[side].T).astype(np.float32) for side in MOUTH_PAIRS)
    v = np.clip((np.arange(h, dtype=np.float32)[:, None] - top) / np.maximum(bottom - top, 1), 0, 1)
    edge = np.minimum(v, 1 - v) * np.float32(np.clip(ratio, 1, 6))  # height over the nearer lip, as it was
    near = np.minimum(edge, 0.5)
    y = top + np.where(v < 0.5, near, 1 - near) * (bottom - top)
    moved = cv2.remap(patch, np.tile(x, (h, 1)), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    dark = patch[canvas.around_mouth].mean(0) * np.float32([0.34, 0.22, 0.25])
    moved += _ramp(edge, 0.35, 0.6)[..., None] * (dark - moved)
    return patch + canvas.mouth * (moved - patch)


def _eyes(canvas, textures, have, want):
    """For each frame the texture of which the eyes are taken, from shapes `have` and `want`."""
    path, had, gaps = _retrieve(_eyes_misfit(have, want)), _gaps(have, EYES), _gaps(want, EYES)
    for i, k in enumerate(path):
        patch, need = _patch(textures, path, i), _ramp(np.log((had[k] + 0.05) / (gaps[i] + 0.05)), 0.5, 1.3)
        patch = _close(canvas, patch, need)
        yield _shut(canvas, patch, canvas.slits, canvas.around_eyes, want[i], EYE_PAIRS, 0.4, 0.45)


def _mouths(canvas, textures, have, want):
    """The same for the mouth."""
    path, had, gaps = _retrieve(_mouth_misfit(have, want)), _gaps(have, MOUTH), _gaps(want, MOUTH)
    for i, k in enumerate(path):
        patch = _spread(canvas, _patch(textures, path, i), gaps[i] / (1.2 * had[k] + 1e-3))
        yield _shut(canvas, patch, canvas.mouth, canvas.around_mouth, want[i], MOUTH_PAIRS, 0.5, 0.2)


# --- frames -----------------------------------------------------------------------------------------------------------
def reenact(
    frames: Sequence[np.ndarray], have: np.ndarray, want: np.ndarray, region: np.ndarray, texture: float = 50.0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Move the face of a whole clip from the landmarks it has to those wanted; yields (image, mask) for each frame.

    frames: n of the target, (h, w, 3) uint8 RGB; have, want: (n, N, 2) pixels, rows as in `render.LANDMARKS`;
    region: (n, h, w) in [0, 1], the face without hair, ears and neck; texture: texels between the eyes, the fewer the
    less detail survives. image: (h, w, 3) uint8; mask: (h, w) uint8, 255 where the image may differ from the frame; it
    follows the wanted jaw below the region. Nothing is random. Raises ValueError for shapes that do not agree.
    """
    n, marks = len(frames), (len(frames), len(LANDMARKS), 2)
    shapes = {(*np.shape(frame), str(frame.dtype)) for frame in frames}
    h, w, *rest = next(iter(shapes), (0, 0))
    if len(shapes) != 1 or rest != [3, "uint8"] or region.shape != (n, h, w) or {have.shape, want.shape} != {marks}:
        raise ValueError(
            f"{n} frames of {sorted(shapes)}, have {have.shape}, want {want.shape}, region {region.shape}: "
            f"give equal uint8 frames (h, w, 3), landmarks (n, {len(LANDMARKS)}, 2) and regions (n, h, w)"
        )
    return _reenact(frames, have.astype(np.float64), want.astype(np.float64), region, _Canvas(texture))


def _reenact(frames, have, want, region, canvas):
    textures = [canvas.read(frame, _with_ring(a, a)) for frame, a in zip(frames, have, strict=True)]
    shapes = _shapes(have), _shapes(want)
    retrieved = zip(_eyes(canvas, textures, *shapes), _mouths(canvas, textures, *shapes), strict=True)
    for i, (eyes, mouth) in enumerate(retrieved):
        face = _blend(textures[i].astype(np.float32), eyes, canvas.eyes, canvas.around_eyes)
        face = _blend(face, mouth, canvas.mouth, canvas.around_mouth)
        points = _with_ring(have[i], want[i])
        opacity = _opacity(have[i], want[i], points[len(LANDMARKS) :], region[i])
        yield _compose(frames[i], canvas, np.clip(np.round(face), 0, 255).astype(np.uint8), points, opacity)


def _opacity(have, want, ring, region):
    """(h, w) float32: 1 on the face and where its jaw goes or was, feathered inwards; 0 on hair and ears."""
    unit, jaw = float(np.linalg.norm(np.diff(have[EYES].mean(1), axis=0))), have[GROUPS["jaw"]]
    out = jaw - have[GROUPS["mouth_outer"]].mean(0)
    moved = np.linalg.norm(want[GROUPS["jaw"]] - jaw, axis=1, keepdims=True)
    reach = jaw + out / np.linalg.norm(out, axis=1, keepdims=True) * 2.5 * np.clip(moved - 0.01 * unit, 0, None)

    def fill(polygon):
        return cv2.fillPoly(np.zeros(region.shape, np.uint8), [np.round(polygon).astype(np.int32)], 1)

    face = (region > 0.5).astype(np.uint8)
    skull = fill(cv2.convexHull(have.astype(np.float32))[:, 0])
    small, large = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(r * unit) + 1,) * 2) for r in (0.05, 0.08))
    hair = cv2.dilate(cv2.erode(skull & (1 - face), small), large)
    whole = (face | fill(np.concatenate([jaw, reach[::-1]]))) & (1 - hair) & fill(ring)
    away = cv2.distanceTransform(cv2.morphologyEx(whole, cv2.MORPH_CLOSE, small), cv2.DIST_L2, 5)
    return np.clip(away / (0.1 * unit), 0, 1)


def _compose(frame, canvas, face, points, opacity):
    """Draw the texture `face` with its points at `points` into the frame -> image, mask."""
    ring = points[len(LANDMARKS) :]
    (x0, y0), (x1, y1) = np.clip([ring.min(0), ring.max(0)], 0, opacity.shape[::-1]).round().astype(int)
    image, box = frame.copy(), np.s_[y0:y1, x0:x1]
    drawn, old = canvas.write(face, points, x0, y0, x1, y1), frame[box].astype(np.float32)
    image[box] = np.clip(np.round(old + opacity[box][..., None] * (drawn - old)), 0, 255).astype(np.uint8)
    mask = np.zeros(opacity.shape, np.uint8)
    mask[box] = np.where(opacity[box] > 0, 255, 0)
    return image, mask
