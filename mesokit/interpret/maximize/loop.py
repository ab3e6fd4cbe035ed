"""The loop: many images at once, each with its own neuron, sign, lambda and p.

tf-keras-vis has a loop as well. It runs without compilation, leaves [0, 1] between its steps, and takes one lambda and
one p for a whole batch. With equal settings both loops give the same images; a test compares them.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mesokit.backend import keras, quietly, tf
from mesokit.interpret.maximize.image import NOISE, start, step, weighed
from mesokit.interpret.maximize.objective import PaperNorm, Units, check, up_to
from mesokit.interpret.maximize.robustness import moved

with quietly():
    from tf_keras_vis.activation_maximization.regularizers import TotalVariation2D

BATCH = 8  # images at once: larger batches are slower on two cores, where memory is the limit


@dataclass(frozen=True)
class Settings:
    """The search. `lam` and `p` are lambda and p of the paper; a sequence has one value for each image."""

    lam: float | Sequence[float] = 0.0
    p: float | Sequence[float] = 2.0  # at least 1, whole or not
    variation: float = 0.0  # weight of a second penalty, the total variation (mean over all numbers of the image)
    steps: int = 40
    rate: float = 0.03  # root mean square of the first step, in pixel values
    last: float = 1.0  # the rate falls evenly to this share of it at the last step, so that the search comes to rest
    decay: float = 0.0  # steps weigh a spatial frequency by 1 / frequency**decay; 0: all alike, as in the paper
    noise: float = NOISE  # the start: gray 0.5 plus or minus up to this much, uniform
    jitter: int = 0  # at each step, the image is shifted by up to this many pixels (around the border),
    rotation: float = 0.0  # turned by up to this many degrees
    scale: float = 0.0  # and scaled by up to this share


class Found(NamedTuple):
    """Images (n, size, size, 3) float32 RGB in [0, 1], a row for each in `table`, and `trace`."""

    images: np.ndarray
    table: pd.DataFrame  # unit, sign, seed, lam, p, f, penalty, energy = sign * f - penalty, of the returned images
    trace: pd.DataFrame  # image, step, f, penalty: of the moved image at that step; the last row is the returned image


def maximize(
    network: keras.Model,
    layer: str,
    units: Sequence[int],
    settings: Settings | None = None,
    signs: Sequence[int] | None = None,
    seeds: Sequence[int] | int = 0,
    progress: Callable[[int], object] | None = None,
) -> Found:
    """One image for each of `units` of `layer` ("conv1", "hidden_leaky", "logit" ...).

    signs: 1 to maximize (the default), -1 to minimize: units [0, 0] of the logit with signs [1, -1] are real and
    forged. seeds: of the random start and the random moves, one for all images or one for each; the same seed gives the
    same image. progress: called with the number of images after each step. Raises ValueError for a layer, unit, sign or
    p that does not fit the network.
    """
    settings = settings or Settings()
    table = pd.DataFrame({"unit": list(units), "sign": 1 if signs is None else list(signs), "seed": seeds})
    table["lam"], table["p"] = settings.lam, settings.p
    check(network, layer, table)
    batches = [table.iloc[first : first + BATCH] for first in range(0, len(table), BATCH)]
    images, traces = zip(*(_climb(network, layer, rows, settings, progress) for rows in batches), strict=True)
    trace = pd.concat(traces, ignore_index=True)
    last = trace[trace["step"] == settings.steps].sort_values("image")
    table["f"], table["penalty"] = last["f"].to_numpy(), last["penalty"].to_numpy()
    table["energy"] = table["sign"] * table["f"] - table["penalty"]
    return Found(np.concatenate(images), table, trace)


def _climb(
    network: keras.Model, layer: str, rows: pd.DataFrame, settings: Settings, progress: Callable[[int], object] | None
) -> tuple[np.ndarray, pd.DataFrame]:
    """The images of `rows` after all steps, and their trace."""
    images = tf.constant(np.stack([start(network.input_shape[1], seed, settings.noise) for seed in rows["seed"]]))
    moves = settings.jitter, settings.rotation, settings.scale
    euclidean, varied = bool((rows["p"] == 2).all()), settings.variation != 0
    view, uphill = _compiled(network, layer, euclidean, varied, settings.decay, *moves)
    unit = rows["unit"].to_numpy()
    sign, lam, p = (rows[column].to_numpy(np.float32) for column in ("sign", "lam", "p"))
    # Numbers of numpy, because TensorFlow compiles again for each new float.
    variation = np.float32(settings.variation)
    rates = np.linspace(settings.rate, settings.rate * settings.last, settings.steps, dtype=np.float32)
    rng = np.random.default_rng(rows["seed"].to_numpy())
    found = []
    for rate in rates:
        images, f, penalty = uphill(images, unit, sign, lam, p, variation, rate, rng.integers(0, 2**31, 2))
        found.append((f, penalty))
        if progress is not None:
            progress(len(rows))
    penalty = PaperNorm(lam, p)(tf.cast(images, tf.float64))  # a sum of 196,608 numbers is inexact in float32
    found.append((Units(unit, np.ones(len(rows), np.float32))(view(images, training=False)), penalty))
    f, penalty = (np.array([np.asarray(pair[i]) for pair in found], float) for i in (0, 1))
    steps, number = np.indices(f.shape)
    trace = pd.DataFrame({"image": rows.index.to_numpy()[number.ravel()], "step": steps.ravel()})
    return np.asarray(images), trace.assign(f=f.ravel(), penalty=penalty.ravel())


@functools.lru_cache(maxsize=8)
def _compiled(
    network: keras.Model,
    layer: str,
    euclidean: bool,
    varied: bool,
    decay: float,
    jitter: int,
    rotation: float,
    scale: float,
) -> tuple[keras.Model, Callable[..., Any]]:
    """The network up to `layer`, and one step uphill: images -> images, and f and penalty before the step.

    Compiled once, for any number of images and any units, signs, lambdas, p and seeds. Slow terms are left out where
    they do not apply: the general norm if `euclidean` (all p are 2), the total variation unless `varied`.
    """
    view = up_to(network, layer)

    @tf.function(reduce_retracing=True)
    def uphill(images, units, signs, lam, p, variation, rate, seed):
        with tf.GradientTape() as tape:
            tape.watch(images)
            signed = Units(units, signs)(view(moved(images, seed, jitter, rotation, scale), training=False))
            penalty = PaperNorm(lam, 2.0 if euclidean else p)(images)
            goal = tf.reduce_sum(signed - penalty)
            if varied:
                goal -= tf.reduce_sum(variation * TotalVariation2D(1.0)(images))
        gradient = tape.gradient(goal, images)
        return step(images, weighed(gradient, decay) if decay else gradient, rate), signs * signed, penalty

    return view, uphill
