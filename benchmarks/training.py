"""Training: plain `model.fit` with the paper's batch of 75 against `training.fit` with a recipe's batch of 16.

The allocator is chosen when TensorFlow starts, and so is oneDNN: each way has a process, and they take turns: one
trains while the other waits. Both read the same PNG files, decoded once, and draw from the same augmentation. The naive
way is TensorFlow as it comes: malloc, no oneDNN on most processors, Keras' layers, faces resampled by TensorFlow.

What must be equal is what the tricks touch: outputs and gradients of our layers and of Keras', compiled by XLA and
not, within 1e-4 of the largest, of batch normalization 1e-3 (its variances are a difference of large numbers); and the
augmented faces, within 1e-4 where ours are bilinear, too (training has them bicubic, which blur less). A batch of 16 is
a choice of the recipes, not the same training: per face it takes more, noisier steps. Two batches read ahead while a
process waits favour the naive way.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from side_by_side import Row, crops, network, parser, plain, rate, report, start, stock

from mesokit import models, training
from mesokit.backend import keras, tf
from mesokit.dataset import loading, pictures

TOLERANCE = {"Conv2D": 1e-4, "BatchNormalization": 1e-3, "faces": 1e-4}
PAPER, OURS = training.RECIPES["paper"].batch, training.RECIPES["class"].batch


class Turns(keras.callbacks.Callback):
    """Each epoch waits for a line on standard input and answers with its seconds."""

    def on_epoch_begin(self, epoch, logs=None):
        sys.stdin.readline()
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds = time.perf_counter() - self.started

    def on_epoch_end(self, epoch, logs=None):
        print(self.seconds, flush=True)


def write_faces(root: Path, n: int = 80) -> None:
    """`n` faces as PNG files and their table, every fifth for validation."""
    rows = []
    for i, crop in enumerate(crops(n)):
        pictures.write_png(root / f"{i}.png", crop)
        rows.append((f"{i}.png", ("real", "forged")[i % 2], "val" if i % 10 in (8, 9) else "train"))
    pd.DataFrame(rows, columns=["path", "label", "split"]).to_csv(root / "faces.csv", index=False)


def work(way: str, name: str, root: Path, images: int, turns: int) -> None:
    """The process of one way: `turns` epochs of about `images` faces, and the first, which compiles."""
    table, model = pd.read_csv(root / "faces.csv"), models.NETWORKS[name](seed=1)
    steps = max(1, round(images / (PAPER if way == "naive" else OURS)))
    if way == "ours":
        recipe = replace(training.RECIPES["class"], iterations=steps * (turns + 1), check_every=steps)
        training.fit(model, table, root, recipe, callbacks=[Turns()], verbose=0)
        return
    data = loading.training_batches(table.query("split == 'train'"), root, PAPER, None, seed=0)
    data = data.map(
        lambda faces, labels: (loading.augment(faces, loading.Augmentation(), (0, 0)), labels), tf.data.AUTOTUNE
    ).prefetch(2)
    model = stock(model)
    model.compile(keras.optimizers.Adam(1e-3), "mean_squared_error", metrics=["accuracy"])
    model.fit(data, steps_per_epoch=steps, epochs=turns + 1, callbacks=[Turns()], verbose=0, shuffle=False)


def seconds_each(name: str, root: Path, images: int, turns: int) -> dict[str, float]:
    """Median seconds of one face, of both ways."""
    workers, found = {}, {"naive": [], "ours": []}
    for way in found:
        arguments = ("--work", way, name, root, images, turns)
        workers[way] = start(__file__, *arguments, plain=way == "naive")
    for _ in range(turns + 1):
        for way, worker in workers.items():
            worker.stdin.write("\n")
            worker.stdin.flush()
            found[way].append(float(worker.stdout.readline()))
    for worker in workers.values():
        worker.communicate()
    batch = {"naive": PAPER, "ours": OURS}
    return {w: statistics.median(s[1:]) / (max(1, round(images / batch[w])) * batch[w]) for w, s in found.items()}


def same_layers(name: str, n: int = 4) -> bool:
    """Whether our layers have the outputs, gradients and moving statistics of Keras', where the network has them.

    With XLA and without, each alone: where two pixels are nearly the same, rounding decides which of them a max pooling
    takes, and a whole step differs by a percent of its gradients either way.
    """
    model = network(name)
    own = [layer for layer in model.layers if type(layer).__name__ in TOLERANCE]
    feeds = keras.Model(model.inputs[0], [layer.input for layer in own])(crops(n).astype(np.float32) / 255)
    rng = np.random.default_rng(0)

    for layer, feed in zip(own, feeds, strict=True):
        theirs, start, tolerance = plain(layer), layer.get_weights(), TOLERANCE[type(layer).__name__]
        theirs.build(feed.shape)
        upstream = tf.constant(rng.normal(size=layer.output.shape[1:]).astype(np.float32))
        naive, *ours = (
            one_pass(made, start, feed, upstream, compiled)
            for made, compiled in ((theirs, False), (layer, False), (layer, True))
        )
        pairs = [pair for each in ours for pair in zip(naive, each, strict=True)]
        if any(np.abs(a - b).max() > tolerance * np.abs(a).max() for a, b in pairs):
            return False
    return True


def one_pass(layer, start: list[np.ndarray], feed: tf.Tensor, upstream: tf.Tensor, compiled: bool) -> list[np.ndarray]:
    """What a layer gives for `feed` in training, the gradients of it times `upstream`, and the moving statistics."""
    layer.set_weights(start)

    def run(feed):
        with tf.GradientTape() as tape:
            tape.watch(feed)
            result = layer(feed, training=True)
        inputs = [feed, *layer.trainable_variables]
        return [result, *tape.gradient(result, inputs, tf.broadcast_to(upstream, tf.shape(result)))]

    if compiled:
        run = tf.function(run, jit_compile=True).get_concrete_function(feed)
    return [*(each.numpy() for each in run(feed)), *(np.asarray(v) for v in layer.non_trainable_variables)]


def same_faces(n: int = 8) -> bool:
    """Whether both ways of resampling give the same augmented faces."""
    bilinear = partial(loading.warp, samples=cv2.INTER_LINEAR)
    images = tf.constant(crops(n).astype(np.float32) / 255)
    naive, ours = (loading.augment(images, loading.Augmentation(), (0, 1), move) for move in (None, bilinear))
    return np.allclose(naive, ours, atol=TOLERANCE["faces"])


def rows(images: int, turns: int, names: tuple[str, ...] = ("meso4", "meso_inception4")) -> Iterator[Row]:
    for name in names:
        with tempfile.TemporaryDirectory() as root:
            write_faces(Path(root))
            each = seconds_each(name, Path(root), images, turns)
        yield rate(f"training {name}", 1, "faces", each["naive"], each["ours"], same_layers(name) and same_faces())


def main(argv: list[str] | None = None) -> int:
    options = parser(__doc__)
    options.add_argument("--work", nargs=5, metavar=("WAY", "NETWORK", "ROOT", "IMAGES", "TURNS"), help="one process")
    arguments = options.parse_args(argv)
    if arguments.work:
        way, name, root, images, turns = arguments.work
        work(way, name, Path(root), int(images), int(turns))
        return 0
    return report(rows(75, 1, ("meso4",)) if arguments.quick else rows(150, 3), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
