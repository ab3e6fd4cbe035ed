"""Deepfake: a shared encoder and a decoder per person, as the recipe of 2017 did it.

Everyone's randomly warped face goes through one encoder, and comes back through the decoder of its own person. So the
encoder learns pose, expression and light, which all share, and each decoder learns one look. To forge: encode the
target's face, decode it with the *source's* decoder, match its colours, paste it back under a soft mask. Paper,
section 2.1; the blur of the small square that the decoder gives is what Meso-4 was made to see.
"""

from collections.abc import Iterator
from contextlib import nullcontext

import cv2
import numpy as np

from mesokit.backend import keras, quietly, tf

layers = keras.layers

SIZE = 64  # pixels a side of the decoded face, as in 2017
# Where the five landmarks lie in the unit square of an aligned face: eyes, nose, mouth corners.
TEMPLATE = np.array([[0.32, 0.36], [0.68, 0.36], [0.5, 0.56], [0.36, 0.74], [0.64, 0.74]], np.float32)


def alignment(five: np.ndarray, size: int = SIZE) -> np.ndarray:
    """The similarity (2, 3) float64 from frame pixels to a `size` square that brings landmarks (5, 2) to `TEMPLATE`.

    Least squares, Umeyama 1991: in complex numbers, target = a * point + b.
    """
    points = five[:, 0].astype(np.float64) + 1j * five[:, 1]
    target = (TEMPLATE[:, 0].astype(np.float64) + 1j * TEMPLATE[:, 1]) * (size - 1)
    centred = points - points.mean()
    a = np.vdot(centred, target - target.mean()) / np.vdot(centred, centred).real
    b = target.mean() - a * points.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def aligned(image: np.ndarray, five: np.ndarray, size: int = SIZE) -> np.ndarray:
    """The face of `image` (h, w, 3) uint8, turned upright into (size, size, 3) uint8."""
    return cv2.warpAffine(
        image, alignment(five, size), (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )


class Autoencoders(keras.Model):
    """One encoder for all, a decoder for each person. Faces are (n, size, size, 3) float32 in [0, 1]."""

    def __init__(self, people: dict[str, np.ndarray], seed: int = 0):
        """`people`: each person's aligned faces (n, size, size, 3) uint8; their mean is where a decoder starts."""
        super().__init__()
        self.people = list(people)
        size = next(iter(people.values())).shape[1]
        self.encoder = _encoder(size, seed)
        self.decoders = [
            _decoder(size, faces.mean(axis=0) / 255, seed + 1 + i) for i, faces in enumerate(people.values())
        ]

    def call(self, faces, person: int):
        """Encode `faces`, whoever they show, and decode them as `person` (an index into `people`)."""
        return self.decoders[person](self.encoder(faces))

    def swap(self, faces: np.ndarray, source: str) -> np.ndarray:
        """Faces (n, size, size, 3) uint8 with the look of `source` and the pose and expression they had."""
        decoded = self(tf.constant(faces, tf.float32) / 255, person=self.people.index(source))
        return np.clip(np.round(np.asarray(decoded) * 255), 0, 255).astype(np.uint8)


def _conv(filters: int, kernel: int, strides: int, seed: int) -> keras.layers.Layer:
    initializer = keras.initializers.HeNormal(seed)
    return layers.Conv2D(
        filters, kernel, strides, padding="same", activation="leaky_relu", kernel_initializer=initializer
    )


def _encoder(size: int, seed: int) -> keras.Model:
    x = inputs = keras.Input((size, size, 3))
    for i, filters in enumerate((32, 64, 128)):
        x = _conv(filters, 5 if i == 0 else 3, 2, seed + 100 * i)(x)
    x = layers.Dense(128, kernel_initializer=keras.initializers.GlorotUniform(seed + 300))(layers.Flatten()(x))
    small = size // 8
    x = layers.Dense(small * small * 64, kernel_initializer=keras.initializers.GlorotUniform(seed + 400))(x)
    return keras.Model(inputs, layers.LeakyReLU()(layers.Reshape((small, small, 64))(x)))


def _decoder(size: int, mean: np.ndarray, seed: int) -> keras.Model:
    x = inputs = keras.Input((size // 8, size // 8, 64))
    for i, filters in enumerate((48, 32, 16)):
        x = _PixelShuffle()(_conv(4 * filters, 3, 1, seed + 100 * i)(x))
    x = layers.Conv2D(3, 3, padding="same", kernel_initializer=keras.initializers.GlorotUniform(seed + 300))(x)
    return keras.Model(inputs, _PixelBias(mean)(x))


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
    batch: int = 16,
    seed: int = 0,
    rate: float = 5e-4,
) -> Iterator[float]:
    """Train in place; yields the loss (mean absolute error, pixels in [0, 1]) of each of `steps` steps.

    Each step sees `batch` faces of two persons, so that the cost of a step does not grow with their number.
    """
    rng = np.random.default_rng(seed)
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(networks.trainable_variables)

    steps_of = [_step(networks, person, optimizer, batch) for person in range(len(networks.people))]
    for number in range(steps):
        pair = rng.choice(len(networks.people), min(2, len(networks.people)), replace=False).tolist()
        # At its first run TensorFlow's graph optimizer reports as an error that it left one of its tricks out.
        with quietly() if number == 0 else nullcontext():
            losses = [steps_of[person](*_batch(people[networks.people[person]], batch, rng)) for person in pair]
        yield float(np.mean(losses))


def _step(networks: Autoencoders, person: int, optimizer: keras.Optimizer, batch: int):
    """The compiled training step of one person's decoder and everyone's encoder."""
    variables = [*networks.encoder.trainable_variables, *networks.decoders[person].trainable_variables]

    @tf.function
    def step(warped, faces):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.abs(networks(warped, person=person) - faces))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    faces = tf.TensorSpec((batch, *networks.encoder.input_shape[1:]), tf.float32)
    return step.get_concrete_function(faces, faces)  # traced here, once, or TensorFlow warns of tracing so many alike


def _batch(faces: np.ndarray, batch: int, rng: np.random.Generator) -> tuple[tf.Tensor, tf.Tensor]:
    """Randomly mirrored faces, and the same faces randomly warped: both (batch, size, size, 3) float32 in [0, 1]."""
    chosen = faces[rng.integers(0, len(faces), batch)]
    chosen = np.where(rng.random((batch, 1, 1, 1)) < 0.5, chosen[:, :, ::-1], chosen)
    warped = np.stack([warp(face, rng) for face in chosen])
    return tf.constant(warped, tf.float32) / 255, tf.constant(chosen, tf.float32) / 255


def warp(face: np.ndarray, rng: np.random.Generator, strength: float = 0.03) -> np.ndarray:
    """Move the nodes of a 5x5 grid by a normal error of `strength` of the side, and the face with them.

    What the encoder may keep of such a face is its structure; the exact outline of the person is lost to it.
    """
    size = len(face)
    grid = np.linspace(0, size - 1, 5, dtype=np.float32)
    nodes = np.stack(np.meshgrid(grid, grid), axis=-1) + rng.normal(0, strength * size, (5, 5, 2)).astype(np.float32)
    field = cv2.resize(nodes, (size, size), interpolation=cv2.INTER_CUBIC)
    return cv2.remap(face, field[..., 0], field[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def paste(
    image: np.ndarray, five: np.ndarray, decoded: np.ndarray, region: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Put a decoded face (size, size, 3) uint8 into `image` (h, w, 3) uint8, where `region` (h, w) in [0, 1] is face.

    Returns the forged frame and its tampered mask (h, w) uint8, 255 where a pixel may differ. Outside it none does.
    """
    size = len(decoded)
    matrix = alignment(five, size)
    alpha = _soft_mask(matrix, region, size)
    matched = match_colours(decoded, aligned(image, five, size), cv2.warpAffine(alpha, matrix, (size, size)))
    back = cv2.warpAffine(
        matched,
        matrix,
        image.shape[1::-1],
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    mixed = image + alpha[..., None] * (back.astype(np.float32) - image)
    return np.clip(np.round(mixed), 0, 255).astype(np.uint8), np.where(alpha > 0, 255, 0).astype(np.uint8)


def _soft_mask(matrix: np.ndarray, region: np.ndarray, size: int) -> np.ndarray:
    """Opacity (h, w) float32: the face region inside an ellipse of the aligned square, feathered inwards."""
    square = np.zeros((size, size), np.float32)
    axes, middle = (round(size * 0.38), round(size * 0.43)), (size // 2, round(size * 0.55))
    cv2.ellipse(square, middle, axes, 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(square, matrix, region.shape[::-1], flags=flags) * region.astype(np.float32)
    feather = 0.05 * size / np.hypot(*matrix[0, :2])  # in pixels of the frame
    away = cv2.distanceTransform((inside > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip(away / (2 * feather), 0, 1).astype(np.float32)


def match_colours(decoded: np.ndarray, original: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Give `decoded` the mean and spread of `original` in Lab (Reinhard et al. 2001), both (s, s, 3) uint8.

    `weight` (s, s) float says where to look. Skin tone and light of the clip stay the target's.
    """
    a, b = (cv2.cvtColor(x, cv2.COLOR_RGB2LAB).astype(np.float32) for x in (decoded, original))
    total = float(weight.sum()) + 1e-6
    mean_a, mean_b = ((x * weight[..., None]).sum((0, 1)) / total for x in (a, b))
    std_a, std_b = (
        np.sqrt((weight[..., None] * (x - m) ** 2).sum((0, 1)) / total) for x, m in ((a, mean_a), (b, mean_b))
    )
    scale = np.clip(std_b / (std_a + 1e-6), 0.7, 1.4)
    matched = np.clip((a - mean_a) * scale + mean_b, 0, 255).round().astype(np.uint8)
    return cv2.cvtColor(matched, cv2.COLOR_LAB2RGB)
