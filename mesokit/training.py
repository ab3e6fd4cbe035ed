"""Training as the paper did, and scaled versions of it for a classroom.

Paper, section 4.2: mean squared error on the sigmoid, Adam (.9, .999), learning rate 1e-3 divided by 10 every 1000
iterations down to 1e-6, batches of 75, slight random zoom, rotation, horizontal flip, brightness and hue.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit

from mesokit import backend, fast, models
from mesokit.backend import keras, tf
from mesokit.dataset import loading
from mesokit.dataset.loading import Augmentation


@dataclass(frozen=True)
class Recipe:
    """How to train: the defaults are the paper's, but for `iterations`, which the paper does not give."""

    iterations: int = 10_000  # batches in all
    batch: int = 75
    learning_rate: float = 1e-3
    divide_every: int = 1000  # iterations after which the learning rate is divided by 10
    lowest: float = 1e-6
    check_every: int = 500  # iterations between two looks at the validation faces
    norm_momentum: float = 0.99  # of the moving statistics of batch normalization; Keras' own
    average: float = 0.0  # what is judged and kept: weights averaged over about this share of all iterations; 0: as is
    centre: bool = False  # at the end, shift the logit so that 0.5 is the threshold that suits the validation faces
    augmentation: Augmentation | None = field(default_factory=Augmentation)


def _batch(few: int) -> int:
    """The batch of a recipe for processors; a GPU, which so few faces leave idle, gets the paper's."""
    return max(few, Recipe.batch) if tf.config.list_physical_devices("GPU") else few


RECIPES = {
    "paper": Recipe(),
    # Two cores see 50 to 200 faces a second: small batches take more steps from as many faces. Few steps need
    # moving statistics that follow faster, or the network is judged with those of its first, untrained steps. Small
    # batches leave the threshold wandering, with the same ROC AUC: averaged weights were nearer to it. And few people
    # are learnt by heart: a stranger's forged face looks real too often. A shift of the logit learnt from three of four
    # groups of validation people raised the accuracy on the fourth, of four networks: .875 to .878, .749 to .912,
    # .747 to .790, .912 to .925.
    "class": Recipe(1600, _batch(16), divide_every=1000, check_every=200, norm_momentum=0.9, average=0.05, centre=True),
    "long": Recipe(6000, _batch(16), divide_every=4000, check_every=500, norm_momentum=0.9, average=0.05, centre=True),
    "smoke": Recipe(
        iterations=1200,
        batch=_batch(16),
        divide_every=900,
        check_every=200,
        norm_momentum=0.9,
        average=0.05,
        centre=True,
        augmentation=Augmentation(zoom=0.05, rotation=3.0, brightness=0.1, hue=0.02),
    ),
}


def schedule(recipe: Recipe) -> keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate by iteration: divided by 10 every `divide_every` iterations, never under `lowest`."""
    steps = int(np.ceil(np.log10(recipe.learning_rate / recipe.lowest) - 1e-9))
    boundaries = [recipe.divide_every * (i + 1) - 1 for i in range(steps)]  # Keras keeps the old rate at the boundary
    values = [max(recipe.learning_rate / 10**i, recipe.lowest) for i in range(steps + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, values)


def fit(
    network: keras.Model,
    table: pd.DataFrame,
    root: str | os.PathLike[str],
    recipe: Recipe,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = "auto",
) -> pd.DataFrame:
    """Train `network` in place on the `train` faces of `table`; a row per look at the `val` faces, for a figure.

    `verbose`: as in Keras; "auto" is its progress bar, or in a report, where bars do not move, a line for each look.
    Returns columns iteration, loss, accuracy, val_loss, val_accuracy (losses: mean squared error). The weights of the
    best val_loss are kept, also when Ctrl-C stops the training. The same seed repeats it on the same machine. Where the
    recipe averages weights, validation is of the average, and loss and accuracy are of the weights in training; where
    it centres the logit, that comes after the last row.
    Raises ValueError where a split has no faces or lacks one of the two classes.
    """
    splits = {split: table[table["split"] == split] for split in ("train", "val")}
    for split, rows in splits.items():
        if rows["label"].nunique() != 2:
            raise ValueError(
                f"the split {split!r} needs real and forged faces; it has {rows['label'].value_counts().to_dict()}"
            )
    if verbose == "auto":
        verbose = 2 if os.environ.get("MESOKIT_REPORT") else 1
    keras.utils.set_random_seed(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = recipe.norm_momentum
    alone = network.distribute_strategy.num_replicas_in_sync == 1  # XLA sees the variables of one device only
    best = _Best()
    averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if recipe.average else []
    # Ctrl-C: the learner has seen enough, and what was best so far is the result.
    with _computing(network, backend.precision() if alone else "float32"), suppress(KeyboardInterrupt):
        _compile(network, recipe, alone and fast.compiles())
        network.fit(
            loading.training_batches(splits["train"], root, recipe.batch, recipe.augmentation, seed),
            steps_per_epoch=recipe.check_every,
            epochs=max(1, recipe.iterations // recipe.check_every),
            validation_data=loading.batches(splits["val"], root),
            callbacks=[*averaging, best, *callbacks],
            verbose=verbose,
            shuffle=False,  # the batches are shuffled already
        )
    best.restore()
    if recipe.centre:
        _centre(network, splits["val"], root)
    history = pd.DataFrame(best.rows, columns=["loss", "accuracy", "val_loss", "val_accuracy"])
    history.insert(0, "iteration", recipe.check_every * (history.index + 1))
    return history


def _centre(network: keras.Model, table: pd.DataFrame, root: str | os.PathLike[str]) -> None:
    """Shift the logit to the least mean squared error of p_real on the faces of `table`; ranks and ROC AUC stay.

    Platt's scaling, with its slope kept at 1 ("Probabilistic outputs for support vector machines", 1999).
    """
    logit = models.logits(network).predict(loading.batches(table, root), verbose=0)
    real = (table["label"] == "real").to_numpy()[:, None]
    shifts = np.linspace(-10, 10, 401)
    loss = np.mean((expit(logit + shifts) - real) ** 2, axis=0)
    network.get_layer("logit").bias.assign_add(shifts[[loss.argmin()]])


def _compile(network: keras.Model, recipe: Recipe, jit: bool) -> None:
    with network.distribute_strategy.scope():  # several devices, where the network was made for them
        momentum = 1 - 1 / max(1.0, recipe.average * recipe.iterations)
        optimizer = keras.optimizers.Adam(
            schedule(recipe), beta_1=0.9, beta_2=0.999, use_ema=recipe.average > 0, ema_momentum=momentum
        )
        network.compile(optimizer, loss="mean_squared_error", metrics=["accuracy"], jit_compile=jit)


@contextmanager
def _computing(network: keras.Model, policy: str) -> Iterator[None]:
    """Let the layers of `network` compute in the dtype `policy` inside a `with` block; weights stay float32.

    So do logit and sigmoid: in float16 a sigmoid is exactly 1 from a logit of 8 on, where its gradient is 0. Keras
    scales the loss where the network's own policy is float16, or small gradients would be 0, too.
    """
    changed = [network, *(layer for layer in network.layers if layer.name not in ("logit", "p_real"))]
    before = [layer.dtype_policy for layer in changed]
    try:
        for layer in changed:
            layer.dtype_policy = policy
        yield
    finally:
        for layer, was in zip(changed, before, strict=True):
            layer.dtype_policy = was
        network.train_function = network.test_function = None  # they compute in `policy` for ever


class _Best(keras.callbacks.Callback):
    """Keeps the history and the weights of the lowest val_loss where an interrupted `fit` would lose both."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remember this look at the validation faces."""
        self.rows.append(dict(logs or {}))
        if self.rows[-1]["val_loss"] == min(row["val_loss"] for row in self.rows):
            self.weights = self.model.get_weights()

    def restore(self) -> None:
        """Give the network its best weights."""
        if self.weights is not None:
            self.model.set_weights(self.weights)
