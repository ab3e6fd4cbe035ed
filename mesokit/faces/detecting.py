"""MTCNN, step by step: P-Net proposes on small copies of the frame, R-Net and O-Net look at the frame itself."""

import functools
import importlib.resources
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

CELL = 12  # pixels: what P-Net looks at in one go
SMALLEST = 20  # pixels: the smallest face MTCNN looks for; smaller ones are found by chance only
PYRAMID = 0.709  # MTCNN's step between the sizes of a frame: half the area
P_THRESHOLD, R_THRESHOLD, O_THRESHOLD = 0.6, 0.7, 0.8  # mtcnn 1.0
CONFIDENT = 0.9  # a face of a photograph or clip must be this sure, on average; false finds mostly are below


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
    image = checked(image, min_face)
    return refine(image, propose(image, min_face), min_face)


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

    from mesokit.backend import tf  # here, not above: tables and scripts that find no face need not wait for it

    folder = importlib.resources.files("mtcnn") / "assets" / "weights"
    # The full path, because mtcnn unpickles a file of that name from the current folder first.
    models = [stage(weights=str(folder / f"{name}.lz4")).model for stage, name in
              ((StagePNet, "pnet"), (StageRNet, "rnet"), (StageONet, "onet"))]  # fmt: skip
    shapes = [(None, None, None, 3), (None, 24, 24, 3), (None, 48, 48, 3)]
    return tuple(
        tf.function(model, input_signature=[tf.TensorSpec(shape, tf.float32)])
        for model, shape in zip(models, shapes, strict=True)
    )  # type: ignore[return-value]


def checked(image: Any, min_face: int) -> np.ndarray:
    """`image` for OpenCV; ValueError unless it is (h, w, 3) uint8 and `min_face` at least SMALLEST."""
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ValueError(f"faces: the image is {got}; give (h, w, 3) uint8 RGB, 0..255")
    if min_face < SMALLEST:
        raise ValueError(f"faces: min_face is {min_face}; give at least {SMALLEST} pixels, or enlarge the image")
    return np.ascontiguousarray(image)  # OpenCV refuses mirrored views


def propose(image: np.ndarray, smallest: float, largest: float = np.inf, window: Sequence[int] = ()) -> np.ndarray:
    """P-Net over small copies of `image` for faces of `smallest`..`largest` pixels -> (n, 6) rows for `refine`.

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


def refine(image: np.ndarray, rows: np.ndarray, min_face: float) -> list[Face]:
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
