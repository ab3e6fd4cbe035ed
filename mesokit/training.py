"""Training as the paper did, and scaled versions of it for a classroom.

Paper, section 4.2: mean squared error on the sigmoid, Adam (.9, .999), learning rate 1e-3 divided by 10 every 1000
iterations down to 1e-6, batches of 75, slight random zoom, rotation, horizontal flip, brightness and hue.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

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
    average: float = 0.0  # judge and keep weights averaged over about this share of all iterations; 0: no average
    centre: bool = False  # at the end, shift the logit so that 0.5 is the best threshold for the validation faces
    augmentation: Augmentation | None = field(default_factory=Augmentation)


def _batch(few: int) -> int:
    """The batch size of a recipe: `few` on a processor; on a GPU, which would be idle with so few, the paper's."""
    return max(few, Recipe.batch) if fast.on_gpu() else few


RECIPES = {
    "paper": Recipe(),
    # batch 16: two cores process 50 to 200 faces a second, and small batches make more steps of the same faces.
    # norm_momentum .9: with Keras' .99 the moving statistics of a short training still hold its first, untrained steps.
    # average: with small batches the best threshold moves from step to step, at the same ROC AUC; averaged weights
    # hold it nearer to .5. centre: a network learns few people by heart, so the best threshold for strangers is not .5.
    # The shift was tried on four networks: learnt from three of four groups of validation people, it changed the
    # accuracy on the fourth group from .875 to .878, .749 to .912, .747 to .790 and .912 to .925.
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


def scaled(recipe: Recipe, iterations: int | None) -> Recipe:
    """`recipe` with other iterations (None: its own); its learning rate and its validations follow in proportion."""
    share = (iterations or recipe.iterations) / recipe.iterations
    names = ("iterations", "divide_every", "check_every")
    return replace(recipe, **{name: max(1, round(share * getattr(recipe, name))) for name in names})


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
    """Train `network` in place on the `train` faces of `table` and keep the weights of the lowest validation loss.

    `root`: the dataset folder. `verbose`: as in Keras; "auto" shows a progress bar, and in a report a line per
    validation, because bars do not move there.
    Returns a row per validation, with the columns iteration, loss, accuracy, val_loss, val_accuracy (losses: mean
    squared error). If the recipe averages weights, val_loss and val_accuracy are those of the average, and loss and
    accuracy those of the weights in training. If it centres the logit, that happens after the last row. Ctrl-C ends the
    training and keeps the best weights. The same seed gives the same result on the same machine.
    Raises ValueError where a split has no faces or lacks one of the two classes.
    """
    train, val = (_split(table, name) for name in ("train", "val"))
    if verbose == "auto":
        verbose = 2 if os.environ.get("MESOKIT_REPORT") else 1
    keras.utils.set_random_seed(seed)
    best = _Best()
    averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if recipe.average else []
    alone = network.distribute_strategy.num_replicas_in_sync == 1  # XLA sees the variables of one device only
    here, augmentation = network, recipe.augmentation
    if alone and augmentation and fast.on_gpu():
        here, augmentation = _augmenting(network, augmentation, seed), None
    # After Ctrl-C the best weights so far are the result.
    with _computing([network, here], backend.precision() if alone else "float32"), suppress(KeyboardInterrupt):
        _compile(network, here, recipe, alone and fast.compiles())
        here.fit(
            loading.training_batches(train, root, recipe.batch, augmentation, seed),
            steps_per_epoch=recipe.check_every,
            epochs=max(1, recipe.iterations // recipe.check_every),
            validation_data=loading.batches(val, root),
            callbacks=[*averaging, best, *callbacks],
            verbose=verbose,
            shuffle=False,  # the batches are shuffled already
        )
    best.restore()
    if recipe.centre:
        _centre(network, val, root)
    return best.history(recipe.check_every)


class _Augment(keras.layers.Layer):
    """In training, a random variant of each face, as `loading.training_batches` makes it, but on the device."""

    def __init__(self, augmentation: Augmentation, seed: int):
        super().__init__(dtype="float32")
        self.augmentation, self.seed = augmentation, seed
        self.batches = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, faces, training=False):
        if not training:
            return faces
        number = tf.stack([self.seed, tf.convert_to_tensor(self.batches)])
        self.batches.assign_add(1)
        return loading.augment(faces, self.augmentation, number, loading.cubic)


def _augmenting(network: keras.Model, augmentation: Augmentation, seed: int) -> keras.Model:
    """`network` behind the augmentation of its input. They share the weights."""
    return keras.Sequential([keras.Input(network.input_shape[1:]), _Augment(augmentation, seed), network])


def _split(table: pd.DataFrame, name: str) -> pd.DataFrame:
    rows = table[table["split"] == name]
    if rows["label"].nunique() != 2:
        raise ValueError(
            f"the split {name!r} needs real and forged faces; it has {rows['label'].value_counts().to_dict()}"
        )
    return rows


def _centre(network: keras.Model, table: pd.DataFrame, root: str | os.PathLike[str]) -> None:
    """Shift the logit so that p_real has the lowest mean squared error on `table`. Ranks and ROC AUC do not change.

    Platt's scaling, with its slope kept at 1 ("Probabilistic outputs for support vector machines", 1999).
    """
    logit = models.logits(network).predict(loading.batches(table, root), verbose=0)
    real = (table["label"] == "real").to_numpy()[:, None]
    shifts = np.linspace(-10, 10, 401)
    loss = np.mean((expit(logit + shifts) - real) ** 2, axis=0)
    network.get_layer("logit").bias.assign_add(shifts[[loss.argmin()]])


def _compile(network: keras.Model, whole: keras.Model, recipe: Recipe, jit: bool) -> None:
    """Get `whole` ready for training: `network`, or the model of which it is a part."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = recipe.norm_momentum
    with network.distribute_strategy.scope():  # several devices, where the network was made for them
        momentum = 1 - 1 / max(1.0, recipe.average * recipe.iterations)
        optimizer = keras.optimizers.Adam(
            schedule(recipe), beta_1=0.9, beta_2=0.999, use_ema=recipe.average > 0, ema_momentum=momentum
        )
        whole.compile(optimizer, loss="mean_squared_error", metrics=["accuracy"], jit_compile=jit)


@contextmanager
def _computing(networks: Sequence[keras.Model], policy: str) -> Iterator[None]:
    """Let the layers of the first of `networks` compute in the dtype `policy` inside a `with` block.

    The weights stay float32, and so do logit and sigmoid: in float16 a sigmoid is exactly 1 from a logit of 8 on, and
    its gradient 0. The policies of all `networks` change too, so that Keras scales the loss and small float16 gradients
    do not become 0.
    """
    changed = [*networks, *(layer for layer in networks[0].layers if layer.name not in ("logit", "p_real"))]
    before = [layer.dtype_policy for layer in changed]
    try:
        for layer in changed:
            layer.dtype_policy = policy
        yield
    finally:
        for layer, was in zip(changed, before, strict=True):
            layer.dtype_policy = was
        networks[0].train_function = networks[0].test_function = None  # Keras would reuse them, compiled for `policy`


class _Best(keras.callbacks.Callback):
    """Keeps the history and the weights of the lowest val_loss, which Keras loses when `fit` is interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []
        self.weights: list[np.ndarray] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Store the values of this validation."""
        self.rows.append(dict(logs or {}))
        if self.rows[-1]["val_loss"] == min(row["val_loss"] for row in self.rows):
            self.weights = self.model.get_weights()

    def history(self, check_every: int) -> pd.DataFrame:
        """A row per look: iteration, loss, accuracy, val_loss, val_accuracy."""
        found = pd.DataFrame(self.rows, columns=["loss", "accuracy", "val_loss", "val_accuracy"])
        found.insert(0, "iteration", check_every * (found.index + 1))
        return found

    def restore(self) -> None:
        """Give the network its best weights."""
        if self.weights is not None:
            self.model.set_weights(self.weights)
