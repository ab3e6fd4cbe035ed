"""Deepfake: a shared encoder and a decoder per person, after the recipe of 2017 (the paper, section 2.1).

Randomly warped faces of all people go through one encoder, and each comes back through the decoder of its person. The
encoder learns what all share: pose, expression and light. Each decoder learns the look of one person. To forge, encode
the target's face, decode it with the *source's* decoder, match its colours and paste it under a soft mask (`blend`).

One thing is added, so that training takes minutes and not days: the encoder gets the difference from the person's mean
face, and the decoder adds its own person's mean. After 600 steps on one pair, this lowered the error of the decoded
faces from .020 to .009 of the range of pixels.
"""

from collections.abc import Iterator
from contextlib import nullcontext

import cv2
import numpy as np

from mesokit.backend import keras, quietly, tf

layers = keras.layers

_CONTRAST = 4.0  # factor of the encoder's input: expressions differ from the mean face by a few percent of the range
# The loss of differences between neighbouring pixels makes eyes and lips sharp. Its weight grows from 0 to 1 over this
# part of the training. With weight 1 from the first step, decoders gave the mean face for hundreds of steps.
_EDGES = (0.3, 0.6)


class Autoencoders(keras.Model):
    """One encoder for all, a decoder for each person. Faces are (n, size, size, 3) float32 in [0, 1]."""

    def __init__(self, people: dict[str, np.ndarray], seed: int = 0):
        """`people`: each person's aligned faces (n, size, size, 3) uint8, size a multiple of 16."""
        super().__init__()
        self.people = list(people)
        size = next(iter(people.values())).shape[1]
        if size % 16:
            raise ValueError(f"Autoencoders: faces are {size} pixels a side; give a multiple of 16")
        self.means = [tf.constant(faces.mean(axis=0) / 255, tf.float32) for faces in people.values()]
        self.encoder = _encoder(size, seed)
        self.decoders = [_decoder(size, mean.numpy(), seed + 1 + i) for i, mean in enumerate(self.means)]

    def call(self, faces, shown: int, drawn: int):
        """Encode `faces` of the person `shown` and decode them as the person `drawn` (indices into `people`)."""
        return self.decoders[drawn](self.encoder(_CONTRAST * (faces - self.means[shown])))

    def swap(self, faces: np.ndarray, target: str, source: str) -> np.ndarray:
        """Faces (n, size, size, 3) uint8 of `target` with the look of `source` and the expression they had."""
        shown, drawn = self.people.index(target), self.people.index(source)
        decoded = self(tf.constant(faces, tf.float32) / 255, shown=shown, drawn=drawn)
        return np.clip(np.round(np.asarray(decoded) * 255), 0, 255).astype(np.uint8)


def _conv(filters: int, kernel: int, strides: int, seed: int) -> keras.layers.Layer:
    fixed = {"padding": "same", "activation": "leaky_relu", "kernel_initializer": keras.initializers.HeNormal(seed)}
    return layers.Conv2D(filters, kernel, strides, **fixed)


def _encoder(size: int, seed: int) -> keras.Model:
    inputs = keras.Input((size, size, 3))
    x = layers.AveragePooling2D(2)(inputs)  # half the size still shows the expression, at a quarter of the cost
    for i, filters in enumerate((32, 64, 128)):
        x = _conv(filters, 5 if i == 0 else 3, 2, seed + 100 * i)(x)
    x = layers.Dense(192, kernel_initializer=keras.initializers.GlorotUniform(seed + 400))(layers.Flatten()(x))
    small = size // 16
    x = layers.Dense(small * small * 128, kernel_initializer=keras.initializers.GlorotUniform(seed + 500))(x)
    return keras.Model(inputs, layers.LeakyReLU()(layers.Reshape((small, small, 128))(x)))


def _decoder(size: int, mean: np.ndarray, seed: int) -> keras.Model:
    x = inputs = keras.Input((size // 16, size // 16, 128))
    for i, filters in enumerate((96, 48, 24)):
        x = _PixelShuffle()(_conv(4 * filters, 3, 1, seed + 100 * i)(x))
    x = layers.Conv2D(12, 3, padding="same", kernel_initializer=keras.initializers.GlorotUniform(seed + 300))(x)
    return keras.Model(inputs, _PixelBias(mean)(_PixelShuffle()(x)))


class _PixelShuffle(keras.layers.Layer):
    """Turns four channels into 2x2 pixels (Shi et al. 2016), the upscaling of the original recipe."""

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)


class _PixelBias(keras.layers.Layer):
    """Adds a trainable image that starts as the person's mean face, so that only differences are left to learn."""

    def __init__(self, mean: np.ndarray):
        super().__init__()
        self.image = self.add_weight(shape=mean.shape, initializer=keras.initializers.Constant(mean), name="mean")

    def call(self, x):
        return x + self.image


def train(
    networks: Autoencoders, people: dict[str, np.ndarray], steps: int, batch: int = 8, seed: int = 0, rate: float = 1e-3
) -> Iterator[float]:
    """Train in place; yields the loss (mean absolute error, pixels in [0, 1]) of each of `steps` steps.

    Each step uses `batch` faces of each of two people, so that its cost does not grow with their number. The learning
    rate falls from `rate` to zero along half a cosine.
    """
    rng = np.random.default_rng(seed)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, 2 * steps))  # two updates a step
    optimizer.build(networks.trainable_variables)

    steps_of = [_step(networks, person, optimizer, batch) for person in range(len(networks.people))]
    for number in range(steps):
        pair = rng.choice(len(networks.people), min(2, len(networks.people)), replace=False).tolist()
        sharp = tf.constant(np.interp(number / steps, _EDGES, (0, 1)), tf.float32)
        # In the first step TensorFlow reports a skipped graph optimization as an error.
        with quietly() if number == 0 else nullcontext():
            losses = [steps_of[person](*_batch(people[networks.people[person]], batch, rng), sharp) for person in pair]
        yield float(np.mean(losses))


def _step(networks: Autoencoders, person: int, optimizer: keras.Optimizer, batch: int):
    """The compiled training step of one person's decoder and the shared encoder."""
    variables = [*networks.encoder.trainable_variables, *networks.decoders[person].trainable_variables]

    @tf.function
    def step(warped, faces, sharp):
        with tf.GradientTape() as tape:
            decoded = networks(warped, shown=person, drawn=person)
            error = tf.reduce_mean(tf.abs(decoded - faces))
            edges = [tf.reduce_mean(tf.abs(a - b)) for a, b in zip(_edges(decoded), _edges(faces), strict=True)]
            loss = error + sharp * sum(edges)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return error

    faces, sharp = tf.TensorSpec((batch, *networks.encoder.input_shape[1:]), tf.float32), tf.TensorSpec((), tf.float32)
    return step.get_concrete_function(faces, faces, sharp)  # traced once, here: repeated tracing gives warnings


def _edges(images):
    """Differences of neighbouring pixels of images (n, h, w, c), across and down."""
    return images[:, :, 1:] - images[:, :, :-1], images[:, 1:] - images[:, :-1]


def _batch(faces: np.ndarray, batch: int, rng: np.random.Generator) -> tuple[tf.Tensor, tf.Tensor]:
    """Faces drawn at random, warped and unwarped: both (batch, size, size, 3) float32 in [0, 1]."""
    chosen = faces[rng.integers(0, len(faces), batch)]
    warped = np.stack([warp(face, rng) for face in chosen])
    return tf.constant(warped, tf.float32) / 255, tf.constant(chosen, tf.float32) / 255


def warp(face: np.ndarray, rng: np.random.Generator, strength: float = 0.02) -> np.ndarray:
    """Warp a face (size, size, 3) uint8: the nodes of a 5x5 grid move by a normal error of `strength` of the side.

    A warped face keeps its structure but not the exact outline of the person, so the encoder cannot learn the outline.
    """
    size = len(face)
    nodes = rng.normal(0, strength * size, (5, 5, 2)).astype(np.float32)
    x, y = np.moveaxis(cv2.resize(nodes, (size, size), interpolation=cv2.INTER_CUBIC), -1, 0)
    steps = np.arange(size, dtype=np.float32)
    return cv2.remap(face, x + steps, y + steps[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
