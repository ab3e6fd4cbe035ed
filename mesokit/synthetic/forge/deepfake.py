"""Deepfake: a shared encoder and a decoder per person, as the recipe of 2017 did it.

Everyone's randomly warped face goes through one encoder, and comes back through the decoder of its own person. So the
encoder learns pose, expression and light, which all share, and each decoder learns one look. To forge: encode the
target's face, decode it with the *source's* decoder, match its colours, paste it back under a soft mask (`blend`).
Paper, section 2.1.

One thing is added to the recipe, since nobody here has days to train: the encoder sees how a face differs from the
person's mean face, and the decoder adds its own person's mean. What all share is then most of what the encoder is
given: after 600 steps of one pair, faces came back with an error of .009 of the range where it had been .020.
"""

from collections.abc import Iterator
from contextlib import nullcontext

import cv2
import numpy as np

from mesokit.backend import keras, quietly, tf

layers = keras.layers

CONTRAST = 4.0  # of what the encoder sees: expressions differ from the mean face by a few percent of the pixels' range
# Weight in the loss of the differences between neighbours, which asks for sharp eyes and lips. It grows from 0 to 1
# over this part of the training: from the first step on it would hold all at the mean face for hundreds of steps.
EDGES = (0.3, 0.6)


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
        return self.decoders[drawn](self.encoder(CONTRAST * (faces - self.means[shown])))

    def swap(self, faces: np.ndarray, target: str, source: str) -> np.ndarray:
        """Faces (n, size, size, 3) uint8 of `target` with the look of `source` and the expression they had."""
        shown, drawn = self.people.index(target), self.people.index(source)
        decoded = self(tf.constant(faces, tf.float32) / 255, shown=shown, drawn=drawn)
        return np.clip(np.round(np.asarray(decoded) * 255), 0, 255).astype(np.uint8)


def _conv(filters: int, kernel: int, strides: int, seed: int) -> keras.layers.Layer:
    initializer = keras.initializers.HeNormal(seed)
    return layers.Conv2D(
        filters, kernel, strides, padding="same", activation="leaky_relu", kernel_initializer=initializer
    )


def _encoder(size: int, seed: int) -> keras.Model:
    inputs = keras.Input((size, size, 3))
    x = layers.AveragePooling2D(2)(inputs)  # expression shows at half the size, and the encoder costs a quarter
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
    """Four channels become 2x2 pixels: Shi et al. 2016, the upscaling of the original recipe."""

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)


class _PixelBias(keras.layers.Layer):
    """Adds a trainable image that starts at the person's mean face: what is left to learn is how a face differs."""

    def __init__(self, mean: np.ndarray):
        super().__init__()
        self.image = self.add_weight(shape=mean.shape, initializer=keras.initializers.Constant(mean), name="mean")

    def call(self, x):
        return x + self.image


def train(
    networks: Autoencoders,
    people: dict[str, np.ndarray],
    steps: int,
    batch: int = 8,
    seed: int = 0,
    rate: float = 1e-3,
) -> Iterator[float]:
    """Train in place; yields the loss (mean absolute error, pixels in [0, 1]) of each of `steps` steps.

    Each step sees `batch` faces of two persons, so that the cost of a step does not grow with their number. The
    learning rate falls from `rate` to zero along half a cosine.
    """
    rng = np.random.default_rng(seed)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, 2 * steps))  # two updates a step
    optimizer.build(networks.trainable_variables)

    steps_of = [_step(networks, person, optimizer, batch) for person in range(len(networks.people))]
    for number in range(steps):
        pair = rng.choice(len(networks.people), min(2, len(networks.people)), replace=False).tolist()
        sharp = tf.constant(np.interp(number / steps, EDGES, (0, 1)), tf.float32)
        # At its first run TensorFlow's graph optimizer reports as an error that it left one of its tricks out.
        with quietly() if number == 0 else nullcontext():
            losses = [steps_of[person](*_batch(people[networks.people[person]], batch, rng), sharp) for person in pair]
        yield float(np.mean(losses))


def _step(networks: Autoencoders, person: int, optimizer: keras.Optimizer, batch: int):
    """The compiled training step of one person's decoder and everyone's encoder."""
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
    return step.get_concrete_function(faces, faces, sharp)  # here, once, or TensorFlow warns of tracing so many alike


def _edges(images):
    """Differences of neighbouring pixels of images (n, h, w, c), across and down."""
    return images[:, :, 1:] - images[:, :, :-1], images[:, 1:] - images[:, :-1]


def _batch(faces: np.ndarray, batch: int, rng: np.random.Generator) -> tuple[tf.Tensor, tf.Tensor]:
    """Faces drawn at random, randomly warped, and as they were: both (batch, size, size, 3) float32 in [0, 1]."""
    chosen = faces[rng.integers(0, len(faces), batch)]
    warped = np.stack([warp(face, rng) for face in chosen])
    return tf.constant(warped, tf.float32) / 255, tf.constant(chosen, tf.float32) / 255


def warp(face: np.ndarray, rng: np.random.Generator, strength: float = 0.02) -> np.ndarray:
    """Move the nodes of a 5x5 grid by a normal error of `strength` of the side, and the face with them.

    What the encoder may keep of such a face is its structure; the exact outline of the person is lost to it.
    """
    size = len(face)
    nodes = rng.normal(0, strength * size, (5, 5, 2)).astype(np.float32)
    x, y = np.moveaxis(cv2.resize(nodes, (size, size), interpolation=cv2.INTER_CUBIC), -1, 0)
    steps = np.arange(size, dtype=np.float32)
    return cv2.remap(face, x + steps, y + steps[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
