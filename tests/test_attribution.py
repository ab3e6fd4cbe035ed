"""Attributions of networks whose answer can be worked out by hand."""

import warnings

import numpy as np
import pytest

from mesokit import models
from mesokit.backend import keras, tf
from mesokit.interpret import attribution

SIZE = 8


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).normal(size=(SIZE, SIZE, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def linear(weights):
    """z = sum of weights times pixels, with a layer conv4 that passes the pixels on."""
    face = keras.Input((SIZE, SIZE, 3), name="face")
    x = keras.layers.Conv2D(3, 1, use_bias=False, name="conv4")(face)
    z = keras.layers.Dense(1, use_bias=False, name="logit")(keras.layers.Flatten()(x))
    network = keras.Model(face, keras.layers.Activation("sigmoid", name="p_real")(z))
    network.get_layer("conv4").set_weights([np.eye(3, dtype=np.float32)[None, None]])
    network.get_layer("logit").set_weights([weights.reshape(-1, 1)])
    return network


@pytest.fixture(scope="module")
def faces():
    return np.random.default_rng(1).integers(1, 256, (5, SIZE, SIZE, 3), np.uint8)  # more than one batch


def test_the_gradient_of_a_linear_network_is_its_weights(linear, weights, faces):
    assert np.allclose(attribution._gradients(linear, faces / np.float32(255), "real", 8), weights, atol=1e-5)
    assert np.allclose(attribution._gradients(linear, faces / np.float32(255), "forged", 8), -weights, atol=1e-5)
    found = attribution.explain("SmoothGrad", linear, faces, "forged")
    assert np.allclose(found, np.abs(weights).max(axis=-1), atol=1e-5)


def test_gradient_times_input_of_a_linear_network_adds_up_to_its_logit(linear, weights, faces):
    real, forged = (attribution.explain("SmoothGrad x input", linear, faces, way) for way in ("real", "forged"))
    assert np.allclose(real - forged, (weights * faces / 255).sum(axis=-1), atol=1e-4)
    assert np.allclose((real - forged).sum(axis=(1, 2)), models.logits(linear)(faces / 255.0)[:, 0], atol=1e-3)


def test_cams_of_a_linear_network(linear, weights, faces):
    pixels = faces / 255
    for sign, towards in ((1, "real"), (-1, "forged")):
        layer = (np.maximum(sign * weights, 0) * pixels).sum(axis=-1)  # LayerCAM: positive gradient times activation
        assert np.allclose(attribution.explain("LayerCAM", linear, faces, towards), layer, atol=1e-5)
        grad = np.maximum((sign * weights.mean(axis=(0, 1)) * pixels).sum(axis=-1), 0)  # Grad-CAM: its mean
        assert np.allclose(attribution.explain("Grad-CAM", linear, faces, towards), grad, atol=1e-5)


@pytest.mark.slow
def test_scorecam_weighs_channels_by_the_probability_of_the_class(linear, faces):
    pixels = faces / 255
    low, high = pixels.min(axis=(1, 2), keepdims=True), pixels.max(axis=(1, 2), keepdims=True)
    masks = (pixels - low) / (high - low + 1e-7)
    masked = pixels[:, None] * np.moveaxis(masks, -1, 1)[..., None]  # (n, channel, h, w, 3)
    z = models.logits(linear)(masked.reshape(-1, SIZE, SIZE, 3)).numpy().reshape(len(faces), 3)
    for sign, towards in ((1, "real"), (-1, "forged")):
        p = 1 / (1 + np.exp(-sign * z))
        expected = (pixels * p[:, None, None, :]).sum(axis=-1)
        assert np.allclose(attribution.explain("Score-CAM", linear, faces, towards), expected, atol=1e-4)


def test_two_logits_have_the_sigmoid_as_softmax(linear, faces):
    both = attribution._two_logits(linear)(faces / 255.0).numpy()
    softmax = np.exp(both) / np.exp(both).sum(axis=1, keepdims=True)
    assert np.allclose(softmax[:, 1], linear(faces / 255.0)[:, 0], atol=1e-5)


def test_a_saturated_network_still_has_an_explanation(linear, weights, faces):
    """The float32 sigmoid of a large logit is exactly 1 and its gradient 0; the logit's is not."""
    network = keras.models.clone_model(linear)
    network.set_weights([np.eye(3, dtype=np.float32)[None, None], 1e4 * np.abs(weights).reshape(-1, 1)])
    assert (network(faces / 255.0).numpy() == 1).all()
    assert (attribution.explain("Grad-CAM", network, faces, "real").max(axis=(1, 2)) > 0).all()
    assert (attribution.explain("Grad-CAM", network, faces, "forged") <= 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("build", [models.meso4, models.meso_inception4])
def test_every_method_on_both_networks(build):
    network = build(size=32, seed=1)
    faces = np.random.default_rng(2).integers(0, 256, (2, 32, 32, 3), np.uint8)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="The structure of `inputs`")
        for method in attribution.METHODS:
            found = attribution.explain(method, network, faces, "forged", samples=1)
            assert found.shape == (2, 32, 32)
            assert found.dtype == np.float32
            assert found.min() >= 0
            assert np.isfinite(found).all()


def test_smoothgrad_is_repeatable_and_without_noise_the_plain_gradient():
    network = models.meso4(size=32, seed=1)
    faces = np.random.default_rng(3).integers(0, 256, (2, 32, 32, 3), np.uint8)
    first, again, other = (
        attribution._gradients(network, faces / np.float32(255), "real", samples=2, seed=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    pixels = tf.constant(faces / 255, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logit = models.logits(network)(pixels, training=False)
    plain = attribution._gradients(network, faces / np.float32(255), "real", samples=1, noise=0)
    assert np.allclose(plain, tape.gradient(logit, pixels), atol=1e-5)


def test_the_noise_of_smoothgrad_is_a_tenth_of_the_range_of_the_face():
    """Of z = half the sum of the squared pixels the gradient is the picture itself, so the mean noise can be read."""
    inputs = keras.Input((SIZE, SIZE, 3), name="face")
    x = keras.layers.Flatten()(keras.layers.Lambda(lambda x: x**2)(inputs))
    z = keras.layers.Dense(1, use_bias=False, name="logit", kernel_initializer=keras.initializers.Constant(0.5))(x)
    network = keras.Model(inputs, keras.layers.Activation("sigmoid", name="p_real")(z))
    face = np.random.default_rng(0).integers(60, 121, (1, SIZE, SIZE, 3)).astype(np.uint8)
    face[0, 0, 0], face[0, 0, 1] = 60, 120
    noise = np.random.default_rng(7).standard_normal((4, SIZE, SIZE, 3), np.float32).mean(axis=0)
    expected = face[0] / 255 + 0.1 * (120 - 60) / 255 * noise
    found = attribution.explain("SmoothGrad", network, face, "real", samples=4, seed=7)[0]
    assert np.allclose(found, np.abs(expected).max(axis=-1), atol=1e-5)


def test_the_shuffle_of_the_control_follows_its_seed(linear):
    first, again, other = (attribution.randomised(linear, seed).get_weights()[-1] for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_randomised_keeps_the_numbers_and_loses_their_places():
    network = models.meso4(size=32, seed=1)
    control = attribution.randomised(network, seed=5)
    for before, after in zip(network.get_weights(), control.get_weights(), strict=True):
        assert np.array_equal(np.sort(before.ravel()), np.sort(after.ravel()))
    assert not np.allclose(network.get_layer("conv1").get_weights()[0], control.get_layer("conv1").get_weights()[0])


def test_what_does_not_exist_is_refused(linear, faces):
    with pytest.raises(ValueError, match="no method is called 'CAM'; there are Grad-CAM"):
        attribution.explain("CAM", linear, faces, "real")
    with pytest.raises(ValueError, match="towards is 'fake'"):
        attribution.explain("Grad-CAM", linear, faces, "fake")
