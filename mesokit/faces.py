"""Faces: find them (MTCNN), follow one through a clip, and cut it out as the authors of the paper did.

The three networks are those of the `mtcnn` package, with its thresholds and its pixels: `detect` gives its boxes. The
steps around them are done here, because its `min_face_size` is broken and because following needs single steps: P-Net
proposes on small copies of the frame, R-Net and O-Net look at the frame itself. Coordinates are pixels, x to the right,
y down, (0, 0) the centre of the first pixel.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from mesokit.backend import tf

CELL = 12  # pixels: what P-Net looks at in one go
SMALLEST = 20  # pixels: the smallest face MTCNN looks for; smaller ones are found by chance only
PYRAMID = 0.709  # MTCNN's step between the sizes of a frame: half the area
P_THRESHOLD, R_THRESHOLD, O_THRESHOLD = 0.6, 0.7, 0.8  # mtcnn 1.0
CONFIDENT = 0.9  # a face of a photograph or clip must be this sure, on average; false finds mostly are below
LASTING = 0.8  # ... but for a face seen on more than half of a clip's frames
ZOOM = 1.3 * 2.2  # side of the crop over the larger of eye-eye and eyes-mouth: l_factor * K of the authors' pipeline.py


@dataclass(frozen=True, eq=False)
class Face:
    """One face in one frame."""

    box: tuple[float, float, float, float]  # x, y, width, height, inside the frame
    confidence: float  # O-Net's, 0.8..1
    landmarks: np.ndarray  # (5, 2) float32 x, y in the order of LANDMARKS; may lie outside the frame

    @property
    def area(self) -> float:
        """Box width times height, in pixels."""
        return self.box[2] * self.box[3]

    @property
    def size(self) -> float:
        """The longer side of the box: what `min_face` is compared with."""
        return max(self.box[2:])

    @property
    def centre(self) -> np.ndarray:
        """Middle of the box, (2,) float64."""
        return np.array([self.box[0] + self.box[2] / 2, self.box[1] + self.box[3] / 2])


def detect(image: np.ndarray, min_face: int = 40) -> list[Face]:
    """All faces of `image` (h, w, 3) uint8 RGB of about `min_face` pixels or more, the surest first; [] for none.

    Raises: ValueError for another shape or type, or min_face < 20.
    """
    image = _checked(image, min_face)
    return _refine(image, _propose(image, min_face), min_face)


def main_face(faces: Sequence[Face]) -> Face | None:
    """The face a photograph is of: the largest of those that are at least CONFIDENT, or None. A clip: use `follow`."""
    return max((f for f in faces if f.confidence >= CONFIDENT), key=lambda f: f.area, default=None)


def load() -> None:
    """Load the networks now, which takes a second or two; otherwise the first detection does."""
    _networks()


@functools.cache
def _networks() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """P-Net, R-Net and O-Net, built once per process and compiled for any number of patches."""
    from mtcnn.stages import StageONet, StagePNet, StageRNet

    folder = importlib.resources.files("mtcnn") / "assets" / "weights"
    # The full path, because mtcnn unpickles a file of that name from the current folder first.
    models = [stage(weights=str(folder / f"{name}.lz4")).model for stage, name in
              ((StagePNet, "pnet"), (StageRNet, "rnet"), (StageONet, "onet"))]  # fmt: skip
    shapes = [(None, None, None, 3), (None, 24, 24, 3), (None, 48, 48, 3)]
    return tuple(
        tf.function(model, input_signature=[tf.TensorSpec(shape, tf.float32)])
        for model, shape in zip(models, shapes, strict=True)
    )  # type: ignore[return-value]


def _checked(image: Any, min_face: int) -> np.ndarray:
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"faces: the image is {got}; give (h, w, 3) uint8 RGB, 0..255")
    if min_face < SMALLEST:
        raise ValueError(f"faces: min_face is {min_face}; give at least {SMALLEST} pixels, or enlarge the image")
    return np.ascontiguousarray(image)  # OpenCV refuses mirrored views


def _propose(image: np.ndarray, smallest: float, largest: float = np.inf, window: Sequence[int] = ()) -> np.ndarray:
    """P-Net over small copies of `image` for faces of `smallest`..`largest` pixels -> (n, 6) rows for `_refine`.

    With `window` (x0, y0, x1, y1) only that part of the same copies is made and searched: the same proposals.
    """
    from mtcnn.utils.bboxes import resize_to_square, smart_nms_from_bboxes

    height, width = image.shape[:2]
    # In float: with copies rounded to uint8 the boxes differ visibly from those of mtcnn.
    part = _Part(image, window, largest) if window else None
    pixels = image.astype(np.float32) if part is None else None
    rows = [np.empty((0, 6))]
    for scale in CELL / SMALLEST * PYRAMID ** np.arange(40):
        size = (int(width * scale), int(height * scale))
        if min(size) < CELL or CELL / scale > largest:
            break
        if CELL / scale >= 0.99 * smallest:  # 0.99: the pyramid has a step at 39.8 pixels
            copy, corner = part.shrink(size, scale) if part else (_shrink(pixels, size), (0, 0))
            rows.append(smart_nms_from_bboxes(_cells(copy, corner, scale), 0.5, method="union"))
    return resize_to_square(smart_nms_from_bboxes(np.concatenate(rows), 0.7, method="union"))


def _shrink(pixels: Any, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


class _Part:
    """What `_shrink` gives inside a window, without the rest: from the table of sums, which serves every size.

    No matrix product: on shared cores BLAS threads wait for each other, up to ten times the time.
    """

    def __init__(self, image: np.ndarray, window: Sequence[int], largest: float) -> None:
        self.window, self.frame = window, image.shape[1::-1]
        margin = int(2 * largest / CELL) + 2  # `shrink` reaches up to two of its pixels over the window
        self.x, self.y = max(window[0] - margin, 0), max(window[1] - margin, 0)
        part = image[self.y : window[3] + margin, self.x : window[2] + margin]
        self.sums = cv2.integral(np.ascontiguousarray(part), sdepth=cv2.CV_64F)

    def shrink(self, size: tuple[int, int], scale: float) -> tuple[np.ndarray, tuple[int, int]]:
        """((h, w, 3) float32, (left, top)): the pixels of the whole frame's copy from left, top on."""
        left, top = (int(v * scale) // 2 * 2 for v in self.window[:2])  # even: P-Net's stride is 2
        right, bottom = (min(int(v * scale) + 2, n) for v, n in zip(self.window[2:], size, strict=True))
        (wide, high), (across, down) = self.frame, size
        sums = _at(self.sums, np.arange(top, bottom + 1) * (high / down) - self.y)
        sums = _at(sums.swapaxes(0, 1), np.arange(left, right + 1) * (wide / across) - self.x).swapaxes(0, 1)
        areas = np.diff(np.diff(sums, axis=0), axis=1)
        return (areas * (across * down / (wide * high))).astype(np.float32), (left, top)


def _at(sums: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Rows of `sums` between its rows: exact, for a pixel is the same all over."""
    before = np.clip(where.astype(int), 0, len(sums) - 2)
    return sums[before] + (sums[before + 1] - sums[before]) * (where - before)[:, None, None]


def _cells(copy: np.ndarray, corner: tuple[int, int], scale: float) -> np.ndarray:
    """P-Net's cells over (a part of) one copy -> (n, 6) float64: image 0, x1, y1, x2, y2 in frame pixels, score."""
    if min(copy.shape[:2]) < CELL:
        return np.empty((0, 6))
    shift, score = (t.numpy()[0] for t in _networks()[0](_normal(copy[None])))
    y, x = np.nonzero(score[..., 1] > P_THRESHOLD)
    start = np.stack([x, y, x, y], axis=1) * 2 + np.array([*corner, *corner])
    boxes = start + [1, 1, CELL, CELL] + shift[y, x] * (CELL - 1)  # 1 to 12, so 11 wide: as mtcnn counts
    return np.concatenate([np.zeros((len(x), 1)), boxes / scale, score[y, x, 1:]], axis=1)


def _refine(image: np.ndarray, rows: np.ndarray, min_face: float) -> list[Face]:
    """R-Net, then O-Net, on (n, 6) proposals -> faces, the surest first."""
    from mtcnn.utils.bboxes import adjust_bboxes, resize_to_square, smart_nms_from_bboxes
    from mtcnn.utils.landmarks import adjust_landmarks

    _, r_net, o_net = _networks()
    if len(rows):
        shift, score = r_net(_patches(image, rows, 24))
        rows = _scored(adjust_bboxes(rows, shift.numpy()), score, R_THRESHOLD)
        rows = resize_to_square(smart_nms_from_bboxes(rows, 0.7, method="union", initial_sort=True))
    if not len(rows):
        return []
    shift, points, score = o_net(_patches(image, rows, 48))
    rows = np.concatenate([adjust_bboxes(rows, shift.numpy()), adjust_landmarks(points, rows)], axis=1)
    rows = smart_nms_from_bboxes(_scored(rows, score, O_THRESHOLD), 0.7, method="min", initial_sort=True)
    faces = [_face(row, image.shape) for row in rows]
    return [f for f in faces if f.size >= 0.9 * min_face and min(f.box[2:]) > 0]  # 0.9: the last step moves edges


def _scored(rows: np.ndarray, score: Any, threshold: float) -> np.ndarray:
    rows[:, 5] = score.numpy()[:, 1]
    return rows[rows[:, 5] > threshold]


def _normal(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.float32) - 127.5) / 128


def _patches(image: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """The squares of `rows` -> (n, size, size, 3) float32, sampled as mtcnn does: bilinear, gray outside the frame."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (rows[:, 1:5] * (1 - 1 / np.array([width, height, width, height]))).T  # crop_and_resize's corners
    patches = np.empty((len(rows), size, size, 3), np.uint8)
    for i in range(len(rows)):
        step_x, step_y = (x2[i] - x1[i]) / (size - 1), (y2[i] - y1[i]) / (size - 1)
        matrix = np.array([[step_x, 0, x1[i]], [0, step_y, y1[i]]])
        cv2.warpAffine(
            image, matrix, (size, size), dst=patches[i], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT, borderValue=(127, 127, 127),
        )  # fmt: skip
    return _normal(patches)


def _face(row: np.ndarray, shape: tuple[int, ...]) -> Face:
    """One row (image, x1, y1, x2, y2, score, 5 x, 5 y) -> Face with its box cut at the frame."""
    x1, x2 = np.clip(row[[1, 3]], 0, shape[1])
    y1, y2 = np.clip(row[[2, 4]], 0, shape[0])
    points = row[6:16].reshape(2, 5).T.astype(np.float32)
    for pair in ([0, 1], [3, 4]):
        points[pair] = points[sorted(pair, key=lambda i: points[i, 0])]
    return Face((float(x1), float(y1), float(x2 - x1), float(y2 - y1)), float(row[5]), points)


# --- through a clip -------------------------------------------------------------------------------------------------

RECHECK = 15  # frames between searches of the whole frame, for faces that come in
WINDOWS = 4  # faces looked for around their last place; the others must wait for a search of the whole frame
REACH = 1.5  # a face is the same one when its centre moved less than this many sizes ...
GROWTH = 1.6  # ... and its size changed by less than this factor


@dataclass
class _Track:
    faces: dict[int, Face] = field(default_factory=dict)  # by frame
    last: int = -1
    area: float = 0.0  # sum over its frames

    def add(self, index: int, face: Face) -> None:
        self.faces[index], self.last, self.area = face, index, self.area + face.area


def follow(frames: Iterable[np.ndarray], min_face: int = 40) -> list[Face | None]:
    """The main face of a clip on each of the given frames -> a list as long as `frames`, None where it is not seen.

    `frames`: (h, w, 3) uint8 RGB in the order of time, all or some of the clip; only one is held at a time.
    Searches around the last place; the whole frame first, when the main face is lost, and every RECHECK frames.
    The main face: the largest total area among those seen on two frames and a tenth of them, CONFIDENT on average, or
    LASTING where it is seen on more than half of them.
    Raises: ValueError as `detect`.
    """
    tracks: list[_Track] = []
    n = 0
    for n, image in enumerate(frames, 1):
        _step(tracks, n - 1, image, min_face)
    if n == 1:
        return [main_face([t.faces[0] for t in tracks])]
    lasting = [t for t in tracks if len(t.faces) >= max(2, n / 10) and _confidence(t) >= _needed(t, n)]
    main = max(lasting, key=lambda t: t.area, default=_Track())
    return [main.faces.get(i) for i in range(n)]


def _needed(track: _Track, n: int) -> float:
    """Confidence that a track over some of `n` frames needs: what is there on most of them has shown itself already."""
    return LASTING if len(track.faces) > n / 2 else CONFIDENT


def _confidence(track: _Track) -> float:
    return sum(f.confidence for f in track.faces.values()) / len(track.faces)


def _step(tracks: list[_Track], index: int, image: np.ndarray, min_face: int) -> None:
    """Look at one frame and lengthen `tracks`."""
    image = _checked(image, min_face)
    recent = [t for t in tracks if index - t.last <= RECHECK]
    # The main one first; what was seen once comes last, or a false find would cost a search of each frame.
    watched = sorted(recent, key=lambda t: (len(t.faces) == 1, -t.area))[:WINDOWS]
    if watched and index % RECHECK:
        found = [_propose_near(image, t.faces[t.last]) for t in watched]
        _match(watched, index, _refine(image, np.concatenate(found), min_face))
        if watched[0].last == index:
            return
        for track in watched:  # the main one is lost: start this frame again
            if track.last == index:
                track.area -= track.faces.pop(index).area
                track.last = max(track.faces)
    for face in _match(tracks, index, _refine(image, _propose(image, min_face), min_face)):
        tracks.append(_Track())
        tracks[-1].add(index, face)


def _propose_near(image: np.ndarray, face: Face) -> np.ndarray:
    """Proposals of about the size of `face` in a window of twice that size around it."""
    x0, y0 = np.maximum(face.centre - face.size, 0).astype(int)
    x1, y1 = np.minimum(face.centre + face.size, image.shape[1::-1]).astype(int)
    if x1 <= x0 or y1 <= y0:  # the frame has become smaller
        return np.empty((0, 6))
    return _propose(image, max(0.35 * face.size, SMALLEST), 2 * face.size, (x0, y0, x1, y1))


def _match(tracks: list[_Track], index: int, faces: list[Face]) -> list[Face]:
    """Give each of `faces` to the nearest track it can belong to, those seen last first -> the faces left over."""
    pairs = []
    for t, track in enumerate(tracks):
        before = track.faces[track.last]
        for f, face in enumerate(faces):
            moved = float(np.hypot(*(face.centre - before.centre))) / before.size
            if moved < REACH and 1 / GROWTH < face.size / before.size < GROWTH:
                pairs.append((index - track.last, moved, t, f))
    left, taken = dict(enumerate(faces)), set()
    for _, _, t, f in sorted(pairs):
        if f in left and t not in taken:
            taken.add(t)
            tracks[t].add(index, left.pop(f))
    return list(left.values())


# --- the crop -------------------------------------------------------------------------------------------------------


def crop_matrix(face: Face, size: int = 256) -> np.ndarray:
    """The map of the crop: (2, 3) float64, frame pixels -> crop pixels (turn, scale, shift).

    Geometry of the authors' pipeline.py: centre = nose, side = 1.3 * 2.2 * max(eye-eye, eyes-mouth), turned so that
    the line from between the eyes to the mouth is upright.
    """
    points = face.landmarks.astype(np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    side = ZOOM * max(np.linalg.norm(points[1] - points[0]), np.linalg.norm(mouth - eyes))
    if not np.isfinite(side) or side <= 0:
        raise ValueError("faces: the landmarks are all in one place; this is no face to crop")
    down = mouth - eyes
    angle = np.arctan2(down[0], down[1])  # 0: upright
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * size / side
    return np.column_stack([turn, (size - 1) / 2 - turn @ points[2]])


def to_crop(face: Face, points: np.ndarray, size: int = 256) -> np.ndarray:
    """Points of the frame (n, 2) x, y -> the same points in the crop of `align`, (n, 2) float64."""
    matrix = crop_matrix(face, size)
    return np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]


def square(face: Face) -> tuple[float, float, float]:
    """(x0, y0, side) of the crop before it is turned, in frame pixels: for drawing; may reach over the border."""
    matrix = crop_matrix(face, 1)
    side = 1 / float(np.hypot(*matrix[0, :2]))
    x, y = (float(v) for v in face.landmarks[2])
    return x - side / 2, y - side / 2, side


def align(image: np.ndarray, face: Face, size: int = 256) -> np.ndarray:
    """Crop `image` upright around `face`: (h, w, 3) or (h, w), any type OpenCV knows or bool -> the same, (size, size).

    Geometry: `crop_matrix`; beyond the border the picture is mirrored. Turned at full size, then shrunk by area.
    """
    if image.ndim not in (2, 3) or not image.size:
        raise ValueError(f"faces: the image to crop is {image.shape}; give (h, w, 3) or (h, w)")
    pixels = np.ascontiguousarray(image.astype(np.uint8) if image.dtype == bool else image)
    full = max(size, round(square(face)[2]))
    smooth = cv2.INTER_CUBIC if image.ndim == 3 else cv2.INTER_LINEAR  # cubic would overshoot in a mask
    crop = cv2.warpAffine(
        pixels, crop_matrix(face, full), (full, full), flags=smooth, borderMode=cv2.BORDER_REFLECT_101
    )
    if full > size:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    if crop.dtype.kind == "f":
        crop = np.clip(crop, pixels.min(), pixels.max())  # interpolation may leave 0..1 by a hair
    return crop.astype(image.dtype)
