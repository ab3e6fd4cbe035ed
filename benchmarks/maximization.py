"""Maximized images of 16 neurons: tf-keras-vis one by one against `maximize.maximize`, all in one call.

Start, steps, norm and step length are the same, because tf-keras-vis gets our objective. Equal: E(x) of each image
differs by less than 1 %, and the images by less than 0.01 of the pixel range on average. The naive way is timed in a
process of its own, with TensorFlow in its default configuration. Its images for the comparison are computed in this
process: other kernels round differently, and after ten steps the images differ by more than 0.01 (with and without
oneDNN: 0.012, and E(x) by less than 0.1 %). The first call of each way is not timed; ours compiles in it. The aim: 4
times the speed.
"""

import sys
from collections.abc import Callable, Iterator

import numpy as np
from side_by_side import Apart, Row, in_turn, network, parser, rate, report, serve

from mesokit.backend import keras, quietly, tf
from mesokit.interpret import maximize
from mesokit.interpret.maximize.objective import Units

LAYER, UNITS = "hidden_leaky", list(range(16))
TOLERANCE, TO_THE_EYE = 0.01, 0.01


def one_by_one(model: keras.Model, settings: maximize.Settings) -> np.ndarray:
    """tf-keras-vis, a call for each neuron -> (16, size, size, 3) float32."""
    with quietly():
        from tf_keras_vis.activation_maximization import ActivationMaximization

    view = keras.Model([model.inputs[0]], model.get_layer(LAYER).output)
    begin = maximize.start(model.input_shape[1], 0, settings.noise)[None]
    found = [
        ActivationMaximization(view)(
            Units([unit], [1.0]),
            seed_input=begin,
            input_range=(0.0, 1.0),
            input_modifiers=[lambda x: tf.clip_by_value(x, 0.0, 1.0)],
            regularizers=[maximize.PaperNorm(settings.lam, settings.p)],
            steps=settings.steps,
            optimizer=keras.optimizers.SGD(settings.rate),
            gradient_modifier=lambda g: g / tf.sqrt(tf.reduce_mean(g**2, (1, 2, 3), keepdims=True)),
        )
        for unit in UNITS
    ]
    return np.clip(np.concatenate([np.asarray(image) for image in found]), 0, 1)


def energies(model: keras.Model, images: np.ndarray, settings: maximize.Settings) -> np.ndarray:
    """E(x) of each image (16,) float64, by the formula."""
    values = np.asarray(keras.Model(model.inputs[0], model.get_layer(LAYER).output)(images))
    norms = (images.astype(float) ** settings.p).sum((1, 2, 3)) ** (1 / settings.p)
    return values[UNITS, UNITS] - settings.lam * norms


def together(model: keras.Model, settings: maximize.Settings) -> np.ndarray:
    """Ours, all neurons in one call -> (16, size, size, 3) float32."""
    return maximize.maximize(model, LAYER, UNITS, settings).images


def equal(model: keras.Model, before: np.ndarray, after: np.ndarray, settings: maximize.Settings) -> bool:
    a, b = energies(model, before, settings), energies(model, after, settings)
    alike = np.abs(before - after).mean((1, 2, 3)).max() < TO_THE_EYE
    return bool(alike and np.allclose(a, b, rtol=TOLERANCE, atol=0))


def settings_of(steps: int) -> maximize.Settings:
    return maximize.Settings(lam=0.02, p=2.0, steps=steps, rate=0.02)


def naive(steps: str) -> Callable[[], np.ndarray]:
    model, settings = network("meso4"), settings_of(int(steps))
    return lambda: one_by_one(model, settings)


def rows(steps: int, repeats: int) -> Iterator[Row]:
    model, settings = network("meso4"), settings_of(steps)
    with Apart(__file__, steps) as plain:
        slow, fast, _, after = in_turn(plain, lambda: together(model, settings), repeats)
    same = equal(model, one_by_one(model, settings), after, settings)
    yield rate("activation maximization, 16 neurons", 16 * steps, "steps", slow, fast, same)


def main(argv: list[str] | None = None) -> int:
    arguments = parser(__doc__, apart=True).parse_args(argv)
    if arguments.naive:
        return serve(naive(*arguments.naive))
    return report(rows(1, 1) if arguments.quick else rows(10, 2), arguments.out)


if __name__ == "__main__":
    sys.exit(main())
