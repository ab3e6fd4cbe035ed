"""MTCNN, step by step: P-Net proposes on small copies of the frame, R-Net and O-Net look at the frame itself."""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:  # below, OpenVINO is imported where it is used: tables and scripts that find no face do without
    from mesokit import graphs

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


_LOADING = threading.Lock()


def load() -> None:
    """Load the networks now; otherwise the first detection does, which only one thread may begin."""
    with _LOADING:
        _networks()


@functools.cache
def _networks() -> tuple[graphs.Run, graphs.Run, graphs.Run]:
    """P-Net, R-Net and O-Net for any number of patches, built once per process; O-Net gives [shift, points, score], and
    the others [shift, score]."""
    from mesokit import graphs

    found = importlib.util.find_spec("mtcnn")  # not imported: that would import TensorFlow
    if found is None or not found.origin:
        raise ValueError("faces: the package mtcnn is not installed; install mesokit again")
    # The full path, because mtcnn unpickles a file of that name from the current folder first.
    folder = Path(found.origin).absolute().parent / "assets" / "weights"
    build = _on_openvino if graphs.available() else _on_keras
    try:
        return build(folder, "pnet"), build(folder, "rnet"), build(folder, "onet")
    except OSError as error:
        raise ValueError(f"faces: the networks of mtcnn cannot be read ({error}); install mesokit again") from error


# (side of the input, poolings behind the first layers: size, padding). All have a stride of 2.
_LAYERS: dict[str, tuple[int, list[tuple[int, str]], int]] = {
    "pnet": (-1, [(2, "same")], 3),
    "rnet": (24, [(3, "same"), (3, "valid")], 3),
    "onet": (48, [(3, "same"), (3, "valid"), (2, "same")], 4),
}


def _on_openvino(folder: Path, name: str) -> graphs.Run:
    """One of mtcnn's networks (mtcnn/network) built anew from its weights."""
    import joblib

    from mesokit import graphs

    side, pools, convs = _LAYERS[name]
    weights = iter(joblib.load(folder / f"{name}.lz4"))
    pixels = graphs.op.parameter([-1, side, side, 3], np.float32)
    x = graphs.channels_first(pixels)
    for i in range(convs):
        x = graphs.prelu(graphs.conv(x, next(weights), next(weights)), next(weights))
        if i < len(pools):
            size, padding = pools[i]
            x = graphs.max_pool(x, [size, size], [2, 2], padding)
    if name != "pnet":
        x = graphs.flat(x, (0, 3, 2, 1))  # mtcnn swaps height and width before it flattens
        x = graphs.prelu(graphs.dense(x, next(weights), next(weights)), next(weights))
    heads = [(graphs.conv if name == "pnet" else graphs.dense)(x, kernel, next(weights)) for kernel in weights]
    heads[-1] = graphs.op.softmax(heads[-1], 1)
    heads = [graphs.channels_last(head) if name == "pnet" else head for head in heads]
    return graphs.compiled(heads, [pixels], graphs.SIDE_BY_SIDE)


def _on_keras(folder: Path, name: str) -> graphs.Run:
    """The same by mtcnn's own code."""
    from mtcnn import stages

    from mesokit.backend import tf

    stage = {"pnet": stages.StagePNet, "rnet": stages.StageRNet, "onet": stages.StageONet}[name]
    model = stage(weights=str(folder / f"{name}.lz4")).model
    side = None if name == "pnet" else _LAYERS[name][0]
    call = tf.function(model, input_signature=[tf.TensorSpec((None, side, side, 3), tf.float32)])
    return lambda pixels: [tensor.numpy() for tensor in call(pixels)]


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
    height, width = image.shape[:2]
    # In float: with copies rounded to uint8 the boxes differ visibly from those of mtcnn.
    part = _Part(image, window, largest) if window else None
    pixels = image.astype(np.float32) if part is None else None
    copies: list[_Copy] = []
    for scale in CELL / SMALLEST * PYRAMID ** np.arange(40):
        size = (int(width * scale), int(height * scale))
        if min(size) < CELL or CELL / scale > largest:
            break
        if CELL / scale >= 0.99 * smallest:  # 0.99: the pyramid has a step at 39.8 pixels
            copy, corner = part.shrink(size, scale) if part else (_shrink(pixels, size), (0, 0))
            copies += [(copy, corner, scale)] if min(copy.shape[:2]) >= CELL else []
    rows = _cells(copies) if part else (found for copy in copies for found in _cells([copy]))
    return _square(_without_doubles(np.concatenate([np.empty((0, 6)), *rows]), 0.7))


_Copy = tuple[np.ndarray, tuple[int, int], float]  # (h, w, 3) of (a part of) a small copy, its left and top, its scale


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
        sums = _at(self.sums, np.arange(top, bottom + 1) * (high / down) - self.y, 0)
        sums = _at(sums, np.arange(left, right + 1) * (wide / across) - self.x, 1)
        areas = np.diff(np.diff(sums, axis=0), axis=1)
        return (areas * (across * down / (wide * high))).astype(np.float32), (left, top)


def _at(sums: np.ndarray, where: np.ndarray, axis: int) -> np.ndarray:
    """Rows (axis 0) or columns (1) of `sums` between its own: exact, for a pixel is the same all over."""
    before = np.clip(where.astype(int), 0, sums.shape[axis] - 2)
    low = sums.take(before, axis)
    return low + (sums.take(before + 1, axis) - low) * np.expand_dims(where - before, [1 - axis, 2])


def _cells(copies: Sequence[_Copy]) -> Iterator[np.ndarray]:
    """P-Net's cells over each copy -> (n, 6) float64: image 0, x1, y1, x2, y2 in frame pixels, score; without doubles.

    Several copies lie side by side in one picture, which is filled up with gray: one call instead of five takes half
    the time, and OpenVINO compiles anew for each size of picture. A single one is seen as it is, as mtcnn does.
    """
    if not copies:
        return
    *starts, wide = np.cumsum(
        [0, *(copy.shape[1] + copy.shape[1] % 2 for copy, _, _ in copies)]
    )  # even: the stride is 2
    picture = _normal(copies[0][0])
    if len(copies) > 1:
        high = max(copy.shape[0] for copy, _, _ in copies)
        picture = np.zeros((high + -high % 16, wide + -wide % 32, 3), np.float32)
        for (copy, _, _), start in zip(copies, starts, strict=True):
            picture[: copy.shape[0], start : start + copy.shape[1]] = _normal(copy)
    shifts, scores = (values[0] for values in _networks()[0](picture[None]))
    for (copy, corner, scale), start in zip(copies, starts, strict=True):
        high, wide = ((n - 1) // 2 - 4 for n in copy.shape[:2])
        shift, score = (values[:high, start // 2 : start // 2 + wide] for values in (shifts, scores))
        y, x = np.nonzero(score[..., 1] > P_THRESHOLD)
        place = np.stack([x, y, x, y], axis=1) * 2 + np.array([*corner, *corner])
        boxes = place + [1, 1, CELL, CELL] + shift[y, x] * (CELL - 1)  # 1 to 12, so 11 wide: as mtcnn counts
        yield _without_doubles(np.concatenate([np.zeros((len(x), 1)), boxes / scale, score[y, x, 1:]], axis=1), 0.5)


def refine(image: np.ndarray, rows: np.ndarray, min_face: float) -> list[Face]:
    """R-Net, then O-Net, on (n, 6) proposals -> faces, the surest first."""
    _, r_net, o_net = _networks()
    if len(rows):
        shift, score = _in_batch(r_net, _patches(image, rows, 24))
        rows = _square(_without_doubles(_scored(_moved(rows, shift), score, R_THRESHOLD), 0.7))
    if not len(rows):
        return []
    shift, points, score = _in_batch(o_net, _patches(image, rows, 48))
    sides = rows[:, 3:5] - rows[:, 1:3] + 1  # as mtcnn counts
    points = points * sides.repeat(5, axis=1) + rows[:, 1:3].repeat(5, axis=1) - 1
    rows = _scored(np.concatenate([_moved(rows, shift), points], axis=1), score, O_THRESHOLD)
    faces = [_face(row, image.shape) for row in _without_doubles(rows, 0.7, of_smaller=True)]
    return [f for f in faces if f.size >= 0.9 * min_face and min(f.box[2:]) > 0]  # 0.9: the last step moves edges


def _in_batch(network: graphs.Run, patches: np.ndarray) -> list[np.ndarray]:
    """What `network` says of each patch. OpenVINO compiles for each number anew: few numbers, filled up with gray."""
    n = len(patches)
    wanted = 1 << (n - 1).bit_length() if n < 8 else -(-n // 8) * 8
    return [values[:n] for values in network(np.pad(patches, [(0, wanted - n), (0, 0), (0, 0), (0, 0)]))]


def _moved(rows: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Boxes with their edges moved by `shift` (n, 4), in parts of their sides."""
    rows = rows.copy()
    rows[:, 1:5] += shift * np.tile(rows[:, 3:5] - rows[:, 1:3] + 1, 2)
    return rows


def _square(rows: np.ndarray) -> np.ndarray:
    """The squares around the boxes of `rows`."""
    rows = rows.copy()
    sides = rows[:, 3:5] - rows[:, 1:3]
    side = sides.max(axis=1, keepdims=True)
    rows[:, 1:3] += (sides - side) / 2
    rows[:, 3:5] = rows[:, 1:3] + side
    return rows


def _without_doubles(rows: np.ndarray, most: float, of_smaller: bool = False) -> np.ndarray:
    """The surest first, without those that a surer one covers to more than `most` of the union, or the smaller one.

    As mtcnn does it: also one that is left out itself removes others.
    """
    rows = rows[np.argsort(rows[:, 5])[::-1]]
    low, high = rows[:, None, 1:3], rows[:, None, 3:5]
    shared = np.maximum(np.minimum(high, high[:, 0]) - np.maximum(low, low[:, 0]), 0).prod(axis=2)
    area = (high - low).prod(axis=2)
    whole = np.minimum(area, area.T) if of_smaller else area + area.T - shared
    return rows[~np.triu(shared / whole > most, 1).any(axis=0)]


def _scored(rows: np.ndarray, score: np.ndarray, threshold: float) -> np.ndarray:
    rows[:, 5] = score[:, 1]
    return rows[rows[:, 5] > threshold]


def _normal(pixels: np.ndarray) -> np.ndarray:
    return (pixels.astype(np.float32) - 127.5) / 128


def _patches(image: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """The squares of `rows` -> (n, size, size, 3) float32, sampled as mtcnn does: bilinear, gray outside the frame.

    OpenCV's warpAffine rounds places to 1/32 of a pixel, which moves the boxes of large faces by up to a pixel.
    """
    height, width = image.shape[:2]
    top, bottom, down, high = _places(rows[:, 2], rows[:, 4], height, size)
    left, right, across, wide = _places(rows[:, 1], rows[:, 3], width, size)
    pixels = image.reshape(-1, 3)

    def along(y: np.ndarray) -> np.ndarray:
        a, b = (pixels.take(width * y[:, :, None] + x[:, None], axis=0).astype(np.float32) for x in (left, right))
        return a + (b - a) * across[:, None, :, None]

    above = along(top)
    patches = above + (along(bottom) - above) * down[:, :, None, None]
    return np.where((high[:, :, None] & wide[:, None])[..., None], _normal(patches), 0)


def _places(start: np.ndarray, end: np.ndarray, n: int, size: int) -> tuple[np.ndarray, ...]:
    """`size` places from start to end (k,) among `n` pixels, each (k, size): the pixel before, the next one, the part
    of the way between them, whether the place is inside."""
    where = np.linspace(start, end, size, axis=1) * (1 - 1 / n)  # the corners of tf.image.crop_and_resize
    before = np.clip(where.astype(np.int64), 0, n - 1)
    return before, np.minimum(before + 1, n - 1), (where - before).astype(np.float32), (where >= 0) & (where <= n - 1)


def _face(row: np.ndarray, shape: tuple[int, ...]) -> Face:
    """One row (image, x1, y1, x2, y2, score, 5 x, 5 y) -> Face with its box cut at the frame."""
    x1, x2 = np.clip(row[[1, 3]], 0, shape[1])
    y1, y2 = np.clip(row[[2, 4]], 0, shape[0])
    points = row[6:16].reshape(2, 5).T.astype(np.float32)
    for pair in ([0, 1], [3, 4]):
        points[pair] = points[sorted(pair, key=lambda i: points[i, 0])]
    return Face((float(x1), float(y1), float(x2 - x1), float(y2 - y1)), float(row[5]), points)
