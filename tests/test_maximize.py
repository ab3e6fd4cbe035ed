"""Activation maximization against the formula, against tf-keras-vis, and on networks whose best image is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tf_keras_vis.activation_maximization import ActivationMaximization
from tf_keras_vis.activation_maximization.regularizers import Norm

from mesokit import models
from mesokit.interpret import maximize
from mesokit.interpret.maximize import PaperNorm, Settings
from mesokit.interpret.maximize.image import weighed
from mesokit.interpret.maximize.objective import Units
from mesokit.interpret.maximize.robustness import moved

SIDE = 32


@pytest.fixture(scope="module")
def network():
    return models.meso4(size=SIDE, seed=1)


def linear(weights):
    """f(x) = sum of weights * x."""
    inputs = keras.Input(weights.shape)
    out = keras.layers.Dense(1, name="out")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, out)
    model.get_layer("out").kernel.assign(weights.reshape(-1, 1))
    return model


def test_the_best_image_of_a_linear_network():
    weights = np.random.default_rng(0).choice([-2.0, -1.0, 1.0, 2.0], (6, 6, 3)).astype(np.float32)
    settings = Settings(steps=60, rate=0.05)
    found = maximize.maximize(linear(weights), "out", [0, 0], settings, signs=[1, -1])
    assert np.array_equal(found.images[0], weights > 0)
    assert np.array_equal(found.images[1], weights < 0)
    assert np.isclose(found.table["f"][0], weights[weights > 0].sum())
    sparse = maximize.maximize(linear(weights), "out", [0], Settings(lam=1.5, p=1, steps=100, rate=0.1))
    assert np.array_equal(sparse.images[0], weights > 1.5)  # p = 1 keeps the pixels that are worth more than lambda


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["conv2", "hidden_leaky", "logit"])
def test_the_energy_reported_is_the_formula_of_the_returned_image(network, layer):
    settings = Settings(lam=[0.01, 0.0001], p=[2.0, 1.3], steps=5, jitter=2, rotation=3.0, scale=0.03)
    found = maximize.maximize(network, layer, [0, 0], settings, signs=[1, -1], seeds=[4, 5])
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    values = np.asarray(models.activations(network, layer)(found.images))[..., 0]
    if layer == "conv2":  # a map of 16 x 16 places, of which two on each side are left out
        values = values[:, 2:14, 2:14].mean((1, 2))
    values = values.reshape(2)
    for i, (sign, weight, p) in enumerate([(1, 0.01, 2), (-1, 0.0001, 1.3)]):
        norm = (np.abs(found.images[i].astype(float)) ** p).sum() ** (1 / p)
        assert abs(found.table["energy"][i] - (sign * values[i] - weight * norm)) < 1e-5
    last = found.trace[found.trace["step"] == 5]
    assert np.allclose(last["f"], found.table["f"])
    assert len(found.trace) == 2 * 6


def test_one_batch_gives_what_single_climbs_give(network):
    settings = Settings(steps=4)
    together = maximize.maximize(network, "hidden_leaky", [0, 3, 5], settings)
    alone = [maximize.maximize(network, "hidden_leaky", [unit], settings).images[0] for unit in (0, 3, 5)]
    assert np.allclose(together.images, alone, atol=1e-4)


def test_the_rate_falls_and_the_search_comes_to_rest():
    weights = np.ones((6, 6, 3), np.float32)
    found = maximize.maximize(linear(weights), "out", [0], Settings(steps=3, rate=0.1, last=0.5, noise=0.0))
    assert np.allclose(found.images, 0.5 + 0.1 + 0.075 + 0.05)


def test_a_step_weighs_frequencies_by_their_power():
    x = np.arange(16) / 16
    low, high = (np.cos(2 * np.pi * k * x)[None, None, :, None] * np.ones((1, 16, 1, 3)) for k in (1, 4))
    found = weighed(tf.constant(1.0 + low + high, tf.float32), 2.0)
    assert np.allclose(found, 1.0 + low + high / 16, atol=1e-5)  # the mean counts as one cycle


def test_decay_makes_large_structures(network):
    """The second of two images, by steps that weigh frequencies, has its energy in lower ones."""
    plain, smooth = (
        maximize.maximize(network, "hidden", [0], Settings(steps=10, decay=decay, noise=0.01)).images[0] - 0.5
        for decay in (0.0, 1.0)
    )
    rough = [np.abs(np.diff(image, axis=0)).mean() / np.abs(image).mean() for image in (plain, smooth)]
    assert rough[1] < 0.7 * rough[0]


def test_seeds_repeat_and_differ(network):
    settings = Settings(steps=3, jitter=2, rotation=2.0)
    images = [maximize.maximize(network, "conv3", [2], settings, seeds=seed).images for seed in (1, 1, 2)]
    assert np.array_equal(images[0], images[1])
    assert not np.allclose(images[0], images[2])


def test_the_start_and_each_move_follow_the_seed():
    first, again, other = (maximize.start(8, seed, 0.1) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.allclose(first, other)
    assert np.abs(first - 0.5).max() == pytest.approx(0.1, abs=0.005)
    # Without noise and with the same start, only the random shifts of the steps can differ.
    weights = np.random.default_rng(0).normal(size=(6, 6, 3)).astype(np.float32)
    settings = Settings(steps=2, noise=0.0, jitter=2)
    moved = [maximize.maximize(linear(weights), "out", [0], settings, seeds=seed).images for seed in (1, 1, 5)]
    assert np.array_equal(moved[0], moved[1]) and not np.array_equal(moved[0], moved[2])


def test_moves_stay_within_their_limits():
    """A dot, 12 pixels right of the middle: turned by up to 10 degrees, shifted by up to 2 pixels."""
    image = np.zeros((1, 33, 33, 3), np.float32)
    image[0, 15:18, 27:30] = 1
    y, x = np.mgrid[:33, :33] - 16

    def dots(jitter, rotation):
        many = [moved(tf.constant(image), (seed, 1), jitter, rotation, 0.0).numpy()[0, ..., 0] for seed in range(60)]
        return np.array([[(light * axis).sum() / light.sum() for axis in (x, y)] for light in many])

    angles = np.degrees(np.arctan2(*dots(0, 10.0).T[::-1]))
    assert (angles.min(), angles.max()) == (pytest.approx(-10, abs=1), pytest.approx(10, abs=1))
    shifts = np.round(dots(2, 0.0) - [12, 0], 4)
    assert sorted(set(shifts[:, 0])) == sorted(set(shifts[:, 1])) == [-2, -1, 0, 1, 2]


def test_uphill_is_up(network):
    found = maximize.maximize(network, "hidden", [0, 0], Settings(steps=10, rate=0.003), signs=[1, -1])
    first = found.trace.query("step == 0")["f"].to_numpy()
    assert found.table["f"][0] > first[0]
    assert found.table["f"][1] < first[1]


@pytest.mark.slow
def test_total_variation_smooths(network):
    rough, smooth = (
        tf.constant(maximize.maximize(network, "hidden", [0], Settings(steps=15, variation=v)).images)
        for v in (0.0, 1e4)
    )
    assert tf.image.total_variation(smooth)[0] < 0.5 * tf.image.total_variation(rough)[0]


def test_tf_keras_vis_with_our_pieces_gives_the_same_images(network):
    """Its own loop, one step size, a clip as last input modifier, and none of the random moves."""
    settings = Settings(lam=0.02, p=2, steps=5, rate=0.02)
    ours = maximize.maximize(network, "hidden_leaky", [0, 3], settings)
    begin = np.stack([maximize.start(SIDE, 0, settings.noise)] * 2)
    theirs = ActivationMaximization(keras.Model([network.inputs[0]], network.get_layer("hidden_leaky").output))(
        Units([0, 3], [1.0, 1.0]),
        seed_input=begin,
        input_range=(0.0, 1.0),
        input_modifiers=[lambda x: tf.clip_by_value(x, 0.0, 1.0)],
        regularizers=[PaperNorm(0.02, 2.0)],
        steps=settings.steps,
        optimizer=keras.optimizers.SGD(settings.rate),
        gradient_modifier=lambda g: g / tf.sqrt(tf.reduce_mean(g**2, (1, 2, 3), keepdims=True)),
    )
    assert np.allclose(ours.images, theirs, atol=1e-4)


def test_the_library_norm_is_the_papers_divided_by_a_root_of_the_number():
    images = np.random.default_rng(0).random((2, 8, 8, 3), dtype=np.float32)
    for p in (1, 2, 3):
        library = np.asarray(Norm(weight=1.0, p=p)(images))
        assert np.allclose(PaperNorm(1.0, p)(images), library * 192 ** (1 / p), rtol=1e-5)


def test_the_gradient_of_the_norm_is_finite_at_zero():
    x = tf.zeros((1, 4, 4, 3))
    for p in (1.0, 1.5, 2.0, 4.0):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = PaperNorm(1.0, p)(x)
        assert np.isfinite(tape.gradient(value, x)).all()


def test_balance_makes_both_pull_alike():
    weights = np.random.default_rng(0).normal(size=(6, 6, 3)).astype(np.float32)
    (found,) = maximize.balance(linear(weights), "out", [0], pull=0.5, p=1.0)
    assert np.isclose(found, 0.5 * np.linalg.norm(weights) / np.sqrt(108))


def test_a_filter_is_read_inside_of_an_eighth_at_each_side():
    maps = np.full((2, 16, 24, 3), 9.0, np.float32)  # the border: 2 cells above and below, 3 at the left and right
    maps[:, 2:14, 3:21] = [1, 2, 3]
    assert Units([0, 2], [1.0, -1.0])(tf.constant(maps)).numpy().tolist() == [1, -3]


def test_what_does_not_fit_is_named(network):
    for arguments, message in [
        (("conv9", [0]), "no layer 'conv9'"),
        (("hidden", [16]), "units 0 to 15"),
        (("hidden", [-1]), "units 0 to 15"),
        (("hidden", []), "units 0 to 15"),
        (("hidden", [0], Settings(p=0.5)), "p must be at least 1"),
        (("hidden", [0], Settings(), [2]), "a sign is 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            maximize.maximize(network, *arguments)
