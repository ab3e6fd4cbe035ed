"""Faces of a dataset as batches for training: read when they are needed, and kept in memory if they are few.

Of more faces in shards than BUFFER, pieces of PIECE faces that lie side by side are read in random order from all
shards, and a buffer of BUFFER encoded faces mixes them: the disk reads long pieces, and memory does not grow.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

from mesokit import files
from mesokit.backend import tf
from mesokit.dataset import pictures
from mesokit.dataset.pictures import SIZE

KEPT = 1 << 29  # bytes: fewer decoded faces are kept in memory, since decoding a PNG takes as long as augmenting it
BUFFER = 4096  # faces of shards that are shuffled together: some 300 MB of PNG files
PIECE = 32  # faces that are read at once: 2 MB of a shard


@dataclass(frozen=True)
class Augmentation:
    """Magnitudes of the paper's light random augmentation. Each value is drawn uniformly for each face."""

    zoom: float = 0.2  # scale between 1 - zoom and 1 + zoom
    rotation: float = 15.0  # degrees, in both directions
    flip: bool = True  # left to right, half of the faces
    brightness: float = 0.2  # factor between 1 - brightness and 1 + brightness
    hue: float = 0.05  # rotation around the gray axis (YIQ), in full turns, in both directions


def batches(table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 32) -> tf.data.Dataset:
    """The faces of `table` once, in order: pairs (b, size, size, 3) float32 in [0, 1], (b, 1) float32 with real = 1."""
    data = _decoded(_read(table, root, _in_order(table))).apply(tf.data.experimental.assert_cardinality(len(table)))
    return data.batch(batch).map(_unit_range).prefetch(2)  # Keras warns of data whose number it learns at their end


def training_batches(
    table: pd.DataFrame,
    root: str | os.PathLike[str],
    batch: int,
    augmentation: Augmentation | None,
    seed: int,
    replica: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Endless shuffled and augmented batches, in the form of `batches`. The same seed gives the same batches.

    Each round has every face once. Up to BUFFER faces in shards give the batches of the PNG files that they were made
    of. replica: (index, count): only the faces of every count-th shard, or PNG file, from the index-th on.
    Raises ValueError where there are fewer shards than replicas.
    """
    table = _own(table, *replica)

    def shuffled(data: tf.data.Dataset, n: int) -> tf.data.Dataset:
        return data.shuffle(n, seed=seed, reshuffle_each_iteration=True)

    n, where = len(table), _where(table)
    if n * 3 * SIZE**2 <= KEPT:  # then each face is decoded once; the order does not change
        data = shuffled(_decoded(_read(table, root, _in_order(table))).cache(), n).repeat()
    elif n <= BUFFER or where["shard"].isna().any():
        rows = shuffled(tf.data.Dataset.range(n), n).repeat()
        data = _decoded(_read(table, root, rows.batch(PIECE)))
    else:
        by_place = tf.constant(np.lexsort((where["start"].astype("int64"), where["shard"])))
        starts = shuffled(tf.data.Dataset.range(0, n, PIECE), -(-n // PIECE))
        pieces = starts.map(lambda start: by_place[start : start + PIECE])
        data = _decoded(shuffled(_read(table, root, pieces), BUFFER).repeat())

    def prepared(n, pair):
        faces_, labels = _unit_range(*pair)
        if augmentation is not None:  # a seed for each batch, so that the order of threads does not matter
            faces_ = augment(faces_, augmentation, tf.stack([tf.constant(seed, tf.int64), n]), warp)
        return faces_, labels

    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(), data.batch(batch, drop_remainder=True))
    return numbered.map(prepared, num_parallel_calls=tf.data.AUTOTUNE).prefetch(2)


def _where(table: pd.DataFrame) -> pd.DataFrame:
    """Shard and first byte of each face; NaN for PNG files."""
    return (
        table["path"].astype("string").str.extract(pictures.PIECE.pattern).set_axis(["shard", "start", "size"], axis=1)
    )


def _own(table: pd.DataFrame, index: int, count: int) -> pd.DataFrame:
    """The faces that the replica `index` of `count` reads."""
    if count == 1:
        return table
    home = _where(table)["shard"].fillna(table["path"].astype("string"))
    names = sorted(home.unique())
    if not 0 <= index < count <= len(names):
        raise ValueError(
            f"replica = ({index}, {count}): there are {len(names)} shards; make more, smaller ones (--size)"
        )
    return table[home.isin(names[index::count])]


def _in_order(table: pd.DataFrame) -> tf.data.Dataset:
    return tf.data.Dataset.range(len(table)).batch(PIECE)


def _read(table: pd.DataFrame, root: str | os.PathLike[str], rows: tf.data.Dataset) -> tf.data.Dataset:
    """PNG file and label of each row of `table`, whose numbers come as vectors (n,) int64 from `rows`."""
    if table.empty:
        raise ValueError("no faces to read: the query for method, split and crf matches no row of the face table")
    place, paths, labels = (
        files.place(root),
        table["path"].array,
        (table["label"] == "real").to_numpy(np.float32)[:, None],
    )

    def contents(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.array(pictures.contents(place, paths.take(numbers)), object), labels[numbers]

    def read(numbers):
        png, real = tf.numpy_function(contents, [numbers], (tf.string, tf.float32), stateful=False)
        return tf.ensure_shape(png, (None,)), tf.ensure_shape(real, (None, 1))

    return rows.map(read, num_parallel_calls=tf.data.AUTOTUNE).unbatch()


def _decoded(data: tf.data.Dataset) -> tf.data.Dataset:
    def decode(png, label):
        return tf.ensure_shape(tf.io.decode_png(png, channels=3), (SIZE, SIZE, 3)), label

    return data.map(decode, num_parallel_calls=tf.data.AUTOTUNE)


def _unit_range(faces_: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return tf.image.convert_image_dtype(faces_, tf.float32), labels


def augment(
    faces_: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor, move: Callable[..., tf.Tensor] | None = None
) -> tf.Tensor:
    """A random variant of each face of a batch (b, h, w, 3) float32 in [0, 1]; `seed`: (2,) integers.

    `move` resamples the faces: by default TensorFlow, bilinear and with a gradient. `warp` is sharper and faster.
    """
    height, width = faces_.shape[1:3]
    draws = tf.random.stateless_uniform((5, tf.shape(faces_)[0]), seed, -1.0, 1.0)
    scale = 1 / (1 + augmentation.zoom * draws[0])
    angle = augmentation.rotation * np.pi / 180 * draws[1]
    mirror = tf.where(draws[2] < 0, -1.0, 1.0) if augmentation.flip else tf.ones_like(scale)
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    # from a point of the result to a point of the face; the centre does not move
    a, b, c, d = mirror * cos, -sin, mirror * sin, cos
    x, y = (width - 1) / 2, (height - 1) / 2
    moved = (move or _resample)(faces_, tf.stack([a, b, x - a * x - b * y, c, d, y - c * x - d * y], axis=1))
    bright = 1 + augmentation.brightness * draws[3][:, None, None]
    colours = bright * _hue_turn(2 * np.pi * augmentation.hue * draws[4])
    return tf.clip_by_value(tf.einsum("bhwc,bdc->bhwd", moved, colours), 0.0, 1.0)


def _resample(faces_: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    """Each face (b, h, w, 3) moved by its affine map (b, 6) from result to face, bilinear, mirrored at the border."""
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=faces_,
        transforms=tf.pad(transforms, [[0, 0], [0, 2]]),
        output_shape=faces_.shape[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )


def warp(faces_: tf.Tensor, transforms: tf.Tensor, samples: int = cv2.INTER_CUBIC) -> tf.Tensor:
    """`_resample` by OpenCV, because TensorFlow's version takes a third of the time of a training step of Meso-4.

    `samples`: OpenCV's interpolation. Bilinear interpolation would blur real faces as much as forged ones.
    """

    def each(faces_: np.ndarray, maps: np.ndarray) -> np.ndarray:
        moved, flags = np.empty_like(faces_), samples | cv2.WARP_INVERSE_MAP
        for face, into, at in zip(faces_, moved, maps.reshape(-1, 2, 3), strict=True):
            cv2.warpAffine(face, at, into.shape[1::-1], dst=into, flags=flags, borderMode=cv2.BORDER_REFLECT)
        return moved

    # stateful=False, or tf.data would use one thread only where results must repeat
    moved = tf.numpy_function(each, [faces_, transforms], tf.float32, stateful=False)
    return tf.ensure_shape(moved, faces_.shape)


def cubic(faces_: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    """`warp` in TensorFlow: for a GPU, which would wait for OpenCV. On a processor it is ten times slower.

    The kernel is Keys' with OpenCV's a = -0.75. OpenCV rounds places to 1/32 pixel and this does not.
    """
    height, width = faces_.shape[1:3]
    y, x = (tf.cast(one, tf.float32) for one in tf.meshgrid(tf.range(height), tf.range(width), indexing="ij"))
    a, b, c, d, e, f = (one[:, None, None] for one in tf.unstack(transforms, axis=1))
    # not by a product of matrices, which many GPUs compute with ten bits
    rows, columns = (_taps(place, size) for place, size in ((d * x + e * y + f, height), (a * x + b * y + c, width)))
    moved = tf.zeros_like(faces_)
    for row, share in rows:
        for column, part in columns:
            moved += (share * part)[..., None] * tf.gather_nd(faces_, tf.stack([row, column], -1), batch_dims=1)
    return moved


def _taps(place: tf.Tensor, size: int) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """The four pixels around each place on an axis of `size` pixels, mirrored at its ends, and their weights."""
    first = tf.floor(place)
    near, t = -0.75, place - first  # the kernel's slope at distance 1, and how far behind the second pixel
    weights = [near * t * (1 - t) ** 2, (near + 2) * t**3 - (near + 3) * t**2 + 1]
    back = 1 - t
    weights += [(near + 2) * back**3 - (near + 3) * back**2 + 1, near * back * t**2]
    pixels = [(tf.cast(first, tf.int32) + i) % (2 * size) for i in (-1, 0, 1, 2)]
    return [(tf.minimum(pixel, 2 * size - 1 - pixel), weight) for pixel, weight in zip(pixels, weights, strict=True)]


_RGB_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], np.float32)


def _hue_turn(angle: tf.Tensor) -> tf.Tensor:
    """(b, 3, 3): the matrices that rotate an RGB colour by `angle` (b,) radians around the gray axis."""
    one, zero = tf.ones_like(angle), tf.zeros_like(angle)
    cos, sin = tf.cos(angle), tf.sin(angle)
    turn = tf.reshape(tf.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], axis=1), (-1, 3, 3))
    return np.linalg.inv(_RGB_TO_YIQ) @ turn @ _RGB_TO_YIQ
