"""Face2Face: the source's expression on the target's own face, by warping the target's own pixels (Thies et al. 2016).

As in the paper, a frame's face is read into a texture of a canonical geometry (`texture`) and drawn again in the new
expression; what the frame does not show is *retrieved* from another frame of the same target (`retrieval`). The paper's
method draws the skin of a fitted model of few parameters, which has no pores; here the skin of the texture is smoothed.
Identity, light and background stay the target's. The traces of the forgery are smooth skin, detail lost by sampling
twice, and seams around retrieved parts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from mesokit.synthetic.forge import retrieval
from mesokit.synthetic.forge.blend import over
from mesokit.synthetic.forge.texture import EYES, Canvas, with_ring
from mesokit.synthetic.people import GROUPS, LANDMARKS, State

# What stays the target's: its pose, and its gaze, since landmarks of lids do not show where an eye looks.
KEPT = ("yaw", "pitch", "roll", "dx", "dy", "gaze_x", "gaze_y")
# The bilateral filter of the skin: contrast in gray levels, reach in distances of the eyes. Stronger edges stay.
_SKIN = (24.0, 0.05)


def wanted(target: Sequence[State], source: Sequence[State]) -> list[State]:
    """The forged moments: pose and gaze of `target`, expression of `source`, frame by frame."""
    if len(target) != len(source):
        raise ValueError(f"target has {len(target)} moments, source {len(source)}; give equally many")
    pairs = zip(target, source, strict=True)
    return [replace(moment, **{name: getattr(own, name) for name in KEPT}) for own, moment in pairs]


def reenact(
    frames: Sequence[np.ndarray], have: np.ndarray, want: np.ndarray, region: np.ndarray, texture: float = 40.0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Move the face of a whole clip from the landmarks `have` to the landmarks `want`; yields (image, mask) per frame.

    frames: n of the target, (h, w, 3) uint8 RGB; have, want: (n, N, 2) pixels, rows as in `LANDMARKS`; region:
    (n, h, w) in [0, 1], the face without hair, ears and neck; texture: texels between the eyes, fewer keep less detail.
    image: (h, w, 3) uint8; mask: (h, w) uint8, 255 where the image may differ from the frame. The mask follows the
    wanted jaw below the region. Nothing is random. Raises ValueError if shapes do not agree.
    """
    n, marks = len(frames), (len(frames), len(LANDMARKS), 2)
    shapes = {(*np.shape(frame), str(frame.dtype)) for frame in frames}
    h, w, *rest = next(iter(shapes), (0, 0))
    if len(shapes) != 1 or rest != [3, "uint8"] or region.shape != (n, h, w) or {have.shape, want.shape} != {marks}:
        raise ValueError(
            f"{n} frames of {sorted(shapes)}, have {have.shape}, want {want.shape}, region {region.shape}: "
            f"give equal uint8 frames (h, w, 3), landmarks (n, {len(LANDMARKS)}, 2) and regions (n, h, w)"
        )
    return _reenact(frames, have.astype(np.float64), want.astype(np.float64), region, Canvas(texture))


def _reenact(frames, have, want, region, canvas):
    textures = [canvas.read(frame, with_ring(a, a)) for frame, a in zip(frames, have, strict=True)]
    shapes = retrieval.shapes_of(have), retrieval.shapes_of(want)
    retrieved = zip(retrieval.eyes(canvas, textures, *shapes), retrieval.mouths(canvas, textures, *shapes), strict=True)
    for i, (eyes, mouth) in enumerate(retrieved):
        face = retrieval.blend(textures[i].astype(np.float32), eyes, canvas.eyes, canvas.around_eyes)
        face = retrieval.blend(face, mouth, canvas.mouth, canvas.around_mouth)
        face = cv2.bilateralFilter(np.clip(face, 0, 255), -1, _SKIN[0], _SKIN[1] * canvas.detail)
        points = with_ring(have[i], want[i])
        opacity = _opacity(have[i], want[i], points[len(LANDMARKS) :], region[i])
        yield _compose(frames[i], canvas, np.round(face).astype(np.uint8), points, opacity)


def _opacity(have, want, ring, region):
    """(h, w) float32: 1 on the face and the places of its old and new jaw, feathered inwards; 0 on hair and ears."""
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
    box = np.s_[y0:y1, x0:x1]
    painted, inside = frame.copy(), np.zeros_like(opacity)
    painted[box], inside[box] = canvas.write(face, points, x0, y0, x1, y1), opacity[box]
    return over(frame, painted, inside)
