"""Activation maximization: the image that a neuron wants to see, which makes E(x) = f(x) - lambda * ||x||_p large.

Afchar et al. 2018 (after Erhan et al. 2009). f is a neuron's output: the value of a hidden neuron or of
the logit, or the mean over all places of a filter. Images are (n, size, size, 3) float32 RGB in [0, 1] throughout.

The pieces are those of tf-keras-vis (`Units` is a Score, `PaperNorm` a Regularizer; both work in its
`ActivationMaximization`), the loop is our own: theirs runs eagerly, optimises beyond the range that it then clips to,
and has one lambda and one p for a whole batch. Ours is compiled, keeps each step inside [0, 1] and gives each image
its own neuron, sign, lambda and p. With equal settings both give the same images (a test holds them together).
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mesokit.backend import keras, quietly, tf
from mesokit.dataset.loading import Augmentation, augment

with quietly():
    from tf_keras_vis.activation_maximization.regularizers import Regularizer, TotalVariation2D
    from tf_keras_vis.utils.scores import Score

BATCH = 8  # images climbed together: larger batches are slower on two cores, where memory is what costs
TINY = 1e-12  # keeps the gradient of a norm finite at x = 0


@dataclass(frozen=True)
class Settings:
    """How to climb. `weight` and `p` are the paper's lambda and p; a sequence gives each image its own."""

    weight: float | Sequence[float] = 0.0  # lambda
    p: float | Sequence[float] = 2.0  # at least 1, whole or not
    variation: float = 0.0  # weight of the total variation (mean over all numbers of the image) that is taken off too
    steps: int = 40
    rate: float = 0.03  # root mean square of a step, in pixel values
    noise: float = 0.05  # the start: gray 0.5 with uniform noise up to so much
    jitter: int = 0  # each step looks at the image moved by up to so many pixels (around the border),
    rotation: float = 0.0  # turned by up to so many degrees
    scale: float = 0.0  # and scaled by up to this share


class Found(NamedTuple):
    """Images (n, size, size, 3), a row for each in `table`, and a row per image and step in `trace`."""

    images: np.ndarray
    table: pd.DataFrame  # unit, sign, seed, weight, p, f, penalty, energy = sign * f - penalty, of the returned images
    trace: pd.DataFrame  # image, step, f, penalty: of what the network saw at that step; the last is the returned image


class Units(Score):
    """One unit of each image: (n,) from outputs (n, units), or from (n, h, w, units) as the mean over all places."""

    def __init__(self, units: Any, signs: Any):
        """`units`: (n,) which unit; `signs`: (n,) 1 to make it large, -1 to make it small."""
        super().__init__("units")
        self.units, self.signs = units, signs

    def __call__(self, output: Any) -> Any:
        """The signed value of each image's unit (n,)."""
        places = tuple(range(1, len(output.shape) - 1))
        values = tf.reduce_mean(output, places) if places else output
        return tf.cast(self.signs, values.dtype) * tf.gather(values, self.units, axis=1, batch_dims=1)


class PaperNorm(Regularizer):
    """lambda * ||x||_p of each image (n,), as the paper writes it.

    tf-keras-vis's own `Norm` divides by N**(1/p), N = size * size * 3, cuts p to a whole number, and its gradient is
    NaN at x = 0.
    """

    def __init__(self, weight: Any, p: Any):
        """`weight` (lambda) and `p`: numbers, or (n,) one for each image."""
        super().__init__("norm")
        self.weight, self.p = weight, p

    def __call__(self, images: Any) -> Any:
        """The penalty of each image (n,)."""
        if isinstance(self.p, float) and self.p == 2:  # the usual case: a power takes as long as two convolutions
            return tf.cast(self.weight, images.dtype) * tf.sqrt(tf.reduce_sum(images**2, (1, 2, 3)) + TINY)
        weight, p = (tf.convert_to_tensor(value, images.dtype) for value in (self.weight, self.p))
        exponent = tf.reshape(p, (-1, 1, 1, 1))
        size = tf.where(images < 0, -images, images)  # |x|, with the slope 1 at 0: images are never below
        return weight * (tf.reduce_sum(size**exponent, (1, 2, 3)) + TINY) ** (1 / p)


def maximize(
    network: keras.Model,
    layer: str,
    units: Sequence[int],
    settings: Settings | None = None,
    signs: Sequence[int] | None = None,
    seeds: Sequence[int] | int = 0,
    progress: Callable[[int], object] | None = None,
) -> Found:
    """One image for each of `units` of `layer` ("conv1", "hidden_leaky", "logit" ...), all climbed together.

    signs: 1 to maximise (the default), -1 to minimise: units [0, 0] of the logit with signs [1, -1] are real and
    forged. seeds: of the random start and the random moves, one or one for each image. progress: called with the number
    of images moved by one step. The same seed repeats an image. Raises ValueError for what does not fit the network.
    """
    settings = settings or Settings()
    n = len(units)
    table = pd.DataFrame({"unit": list(units), "sign": 1 if signs is None else list(signs), "seed": seeds})
    table["weight"], table["p"] = settings.weight, settings.p
    _check(network, layer, table)
    images = np.empty((n, *network.input_shape[1:]), np.float32)
    traces = []
    for first in range(0, n, BATCH):
        rows = table.iloc[first : first + BATCH]
        images[first : first + BATCH], trace = _climb(network, layer, rows, settings, progress)
        traces.append(trace)
    values = pd.concat(traces, ignore_index=True)
    last = values[values["step"] == settings.steps].sort_values("image")
    table["f"], table["penalty"] = last["f"].to_numpy(), last["penalty"].to_numpy()
    table["energy"] = table["sign"] * table["f"] - table["penalty"]
    return Found(images, table, values)


def balance(
    network: keras.Model,
    layer: str,
    units: Sequence[int],
    share: float,
    p: float = 2.0,
    seeds: Sequence[int] | int = 0,
    noise: float = Settings.noise,
) -> np.ndarray:
    """The lambda of each unit (n,) at which, at the start, the penalty pulls `share` times as hard as f does.

    f is a thousandth in one layer and a thousand in another, and lambda only means something beside it: lambda =
    share * length of the gradient of f / length of the gradient of ||x||_p. 0 for a unit that has no gradient.
    """
    table = pd.DataFrame({"unit": list(units), "sign": 1, "seed": seeds, "p": p})
    _check(network, layer, table)
    view = _view(network, layer)
    found = []
    for row in table.itertuples():
        image = start(network.input_shape[1], row.seed, noise)
        with tf.GradientTape() as tape:
            x = tf.constant(image[None])
            tape.watch(x)
            f = Units([row.unit], [1.0])(view(x, training=False))
        pull = np.linalg.norm((image / np.linalg.norm(image.ravel(), p)) ** (p - 1))
        found.append(share * np.linalg.norm(tape.gradient(f, x)) / pull)
    return np.array(found)


def _check(network: keras.Model, layer: str, table: pd.DataFrame) -> None:
    names = [one.name for one in network.layers]
    if layer not in names:
        raise ValueError(f"{network.name} has no layer {layer!r}; it has {', '.join(names)}")
    width = network.get_layer(layer).output.shape[-1]
    if table.empty or not table["unit"].between(0, width - 1).all():
        raise ValueError(f"{layer} has the units 0 to {width - 1}; got {table['unit'].tolist()}")
    if not table["sign"].isin([-1, 1]).all():
        raise ValueError(f"a sign is 1 (maximise) or -1 (minimise); got {table['sign'].tolist()}")
    if (table["p"] < 1).any():
        raise ValueError(f"p must be at least 1, or ||x||_p is no norm; got {table['p'].tolist()}")


def start(size: int, seed: int, noise: float) -> np.ndarray:
    """The random image that a climb begins with: (size, size, 3) float32, gray 0.5 with uniform noise."""
    rng = np.random.default_rng(seed)
    return (0.5 + noise * rng.uniform(-1, 1, (size, size, 3))).astype(np.float32)


def _climb(
    network: keras.Model, layer: str, rows: pd.DataFrame, settings: Settings, progress: Callable[[int], object] | None
) -> tuple[np.ndarray, pd.DataFrame]:
    """The images of `rows` after all steps, and their trace."""
    images = tf.constant(np.stack([start(network.input_shape[1], seed, settings.noise) for seed in rows["seed"]]))
    euclidean, varied = bool((rows["p"] == 2).all()), settings.variation != 0
    view, step = _compiled(network, layer, euclidean, varied, settings.jitter, settings.rotation, settings.scale)
    per_image = [rows["unit"].to_numpy(), *(rows[c].to_numpy(np.float32) for c in ("sign", "weight", "p"))]
    shared = [
        np.float32(settings.variation),
        np.float32(settings.rate),
    ]  # arrays, not numbers, for which TF would trace
    rng = np.random.default_rng(rows["seed"].to_numpy())
    found = []
    for _ in range(settings.steps):
        images, f, penalty = step(images, *per_image, *shared, rng.integers(0, 2**31, 2))
        found.append((f, penalty))
        if progress is not None:
            progress(len(rows))
    unit, ones = per_image[0], np.ones(len(rows), np.float32)
    exact = PaperNorm(*per_image[2:])(tf.cast(images, tf.float64))  # of the 196,608 numbers float32 loses some
    found.append((Units(unit, ones)(view(images, training=False)), exact))
    f, penalty = (np.array([np.asarray(pair[i]) for pair in found], float) for i in (0, 1))
    steps, number = np.indices(f.shape)
    trace = pd.DataFrame({"image": rows.index.to_numpy()[number.ravel()], "step": steps.ravel()})
    return np.asarray(images), trace.assign(f=f.ravel(), penalty=penalty.ravel())


def _view(network: keras.Model, layer: str) -> keras.Model:
    return keras.Model(network.inputs[0], network.get_layer(layer).output)


@functools.lru_cache(maxsize=8)
def _compiled(
    network: keras.Model, layer: str, euclidean: bool, varied: bool, jitter: int, rotation: float, scale: float
) -> tuple[keras.Model, Callable[..., Any]]:
    """The network up to `layer`, and one step uphill: images -> images, and f and penalty before the step.

    Compiled once, for any number of images and any neurons, signs, lambdas, p and seeds. The step leaves out what does
    not apply: a p other than 2 unless `euclidean`, the total variation, whose gradient is slow, unless `varied`.
    """
    view = _view(network, layer)

    @tf.function(reduce_retracing=True)
    def step(images, units, signs, weight, p, variation, rate, seed):
        with tf.GradientTape() as tape:
            tape.watch(images)
            signed = Units(units, signs)(view(_moved(images, seed, jitter, rotation, scale), training=False))
            penalty = PaperNorm(weight, 2.0 if euclidean else p)(images)
            goal = tf.reduce_sum(signed - penalty)
            if varied:
                goal -= tf.reduce_sum(variation * TotalVariation2D(1.0)(images))
        gradient = tape.gradient(goal, images)
        length = tf.sqrt(tf.reduce_mean(gradient**2, (1, 2, 3), keepdims=True))
        uphill = gradient / tf.maximum(length, TINY)  # so that one rate fits all layers; no gradient, no move
        return tf.clip_by_value(images + rate * uphill, 0.0, 1.0), signs * signed, penalty

    return view, step


def _moved(images: Any, seed: Any, jitter: int, rotation: float, scale: float) -> Any:
    """The images as the network sees them at one step: a little displaced, turned, scaled."""
    if rotation or scale:
        images = augment(images, Augmentation(scale, rotation, flip=False, brightness=0.0, hue=0.0), seed)
    if jitter:
        shift = tf.random.stateless_uniform((2,), seed, -jitter, jitter + 1, tf.int32)
        images = tf.roll(images, shift, (1, 2))
    return images
