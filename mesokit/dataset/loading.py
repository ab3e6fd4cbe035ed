"""Faces of a dataset as batches for training: read from disk as they are needed, never all in memory; augmented."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mesokit.backend import tf
from mesokit.dataset.files import SIZE


@dataclass(frozen=True)
class Augmentation:
    """Magnitudes of the paper's light random augmentation; each is drawn uniformly for each face."""

    zoom: float = 0.2  # scale between 1 - zoom and 1 + zoom
    rotation: float = 15.0  # degrees, both ways
    flip: bool = True  # left and right, half of the time
    brightness: float = 0.2  # pixels times 1 - brightness to 1 + brightness
    hue: float = 0.05  # turn of the colours around the gray axis (YIQ), in full turns, both ways


def batches(table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 32) -> tf.data.Dataset:
    """The faces of `table`, once and in order: pairs (b, size, size, 3) float32 in [0, 1], (b, 1) float32 real = 1."""
    return _loaded(_rows(table, root)).batch(batch).prefetch(2)


def training_batches(
    table: pd.DataFrame, root: str | os.PathLike[str], batch: int, augmentation: Augmentation | None, seed: int
) -> tf.data.Dataset:
    """Endless shuffled batches, augmented: as `batches`. The same seed gives the same batches."""
    rows = _rows(table, root).shuffle(len(table), seed=seed, reshuffle_each_iteration=True).repeat()
    data = _loaded(rows).batch(batch, drop_remainder=True)
    if augmentation is not None:  # each batch has its own seed: the result does not depend on which thread comes first
        numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(), data)
        data = numbered.map(
            lambda n, pair: (augment(pair[0], augmentation, tf.stack([tf.constant(seed, tf.int64), n])), pair[1]),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
    return data.prefetch(2)


def _rows(table: pd.DataFrame, root: str | os.PathLike[str]) -> tf.data.Dataset:
    if table.empty:
        raise ValueError("no faces to read: the query for method, split and crf matches no row of the face table")
    paths = [str(Path(root) / path) for path in table["path"]]
    return tf.data.Dataset.from_tensor_slices((paths, (table["label"] == "real").to_numpy(np.float32)[:, None]))


def _loaded(rows: tf.data.Dataset) -> tf.data.Dataset:
    def load(path, label):
        image = tf.io.decode_png(tf.io.read_file(path), channels=3)
        image = tf.ensure_shape(image, (SIZE, SIZE, 3))
        return tf.image.convert_image_dtype(image, tf.float32), label

    return rows.map(load, num_parallel_calls=tf.data.AUTOTUNE)


def augment(faces_: tf.Tensor, augmentation: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    """A random variant of each of a batch of faces (b, h, w, 3) float32 in [0, 1]; `seed`: (2,) integers."""
    height, width = faces_.shape[1:3]
    draws = tf.random.stateless_uniform((5, tf.shape(faces_)[0]), seed, -1.0, 1.0)
    scale = 1 / (1 + augmentation.zoom * draws[0])
    angle = augmentation.rotation * np.pi / 180 * draws[1]
    mirror = tf.where(draws[2] < 0, -1.0, 1.0) if augmentation.flip else tf.ones_like(scale)
    cos, sin = scale * tf.cos(angle), scale * tf.sin(angle)
    a, b, c, d = (
        mirror * cos,
        -sin,
        mirror * sin,
        cos,
    )  # from a point of the result to one of the face, about the middle
    x, y = (width - 1) / 2, (height - 1) / 2
    zero = tf.zeros_like(a)
    transforms = tf.stack([a, b, x - a * x - b * y, c, d, y - c * x - d * y, zero, zero], axis=1)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=faces_,
        transforms=transforms,
        output_shape=(height, width),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    bright = moved * (1 + augmentation.brightness * draws[3])[:, None, None, None]
    return tf.clip_by_value(_turn_hue(bright, 2 * np.pi * augmentation.hue * draws[4]), 0.0, 1.0)


_RGB_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], np.float32)


def _turn_hue(images_: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    """Turn the colours of each image (b, h, w, 3) by `angle` (b,) radians around the gray axis: one 3x3 matrix each."""
    one, zero = tf.ones_like(angle), tf.zeros_like(angle)
    cos, sin = tf.cos(angle), tf.sin(angle)
    turn = tf.reshape(tf.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], axis=1), (-1, 3, 3))
    matrix = np.linalg.inv(_RGB_TO_YIQ) @ turn @ _RGB_TO_YIQ
    return tf.einsum("bhwc,bdc->bhwd", images_, matrix)
