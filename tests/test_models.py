"""The networks against the authors' weights and the outputs of the authors' own code."""

import h5py
import keras
import numpy as np
import pytest

from mesokit import fast, models, weights
from mesokit.backend import tf

NAMES = {
    "Meso4_DF": "meso4",
    "Meso4_F2F": "meso4",
    "MesoInception_DF": "meso_inception4",
    "MesoInception_F2F": "meso_inception4",
}
LAYERS = {
    "pool1_mean": "pool1",
    "pool2_mean": "pool2",
    "pool3_mean": "pool3",
    "pool4_mean": "pool4",
    "dense16": "hidden_leaky",
    "scores": "p_real",
}


@pytest.mark.parametrize(
    ("name", "trainable", "total"),
    [
        ("meso4", 27_977, 28_073),
        ("meso_inception4", 28_615, 28_725),
        # Keras documents 22,910,480 with 1000 classes: 2,049,000 of them in the last layer, for which ours has 2,049.
        ("xception", 20_809_001, 22_910_480 - 2_049_000 + 2_049),
    ],
)
def test_parameter_counts_are_the_published(name, trainable, total):
    network = models.NETWORKS[name]()
    assert sum(int(np.prod(w.shape)) for w in network.trainable_weights) == trainable
    assert network.count_params() == total


@pytest.mark.parametrize("name", ["meso4", "meso_inception4", pytest.param("xception", marks=pytest.mark.slow)])
def test_any_input_size_and_seed(name):
    build = models.NETWORKS[name]
    same, again, other = build(size=100, seed=1), build(size=100, seed=1), build(size=100, seed=2)
    faces = np.random.default_rng(0).random((2, 100, 100, 3), dtype=np.float32)
    assert np.array_equal(same(faces), again(faces))
    assert not np.allclose(same(faces), other(faces))


@pytest.mark.slow
def test_xception_can_see_means_of_blocks():
    faces = np.random.default_rng(0).random((1, 144, 144, 3), np.float32)
    small = faces.reshape(1, 72, 2, 72, 2, 3).mean(axis=(2, 4))
    whole, half = models.xception(size=144, seed=3, shrink=2), models.xception(size=72, seed=3)
    assert np.allclose(whole(faces), half(small), atol=1e-6)


@pytest.mark.slow
def test_xception_sees_pixels_from_minus_one_to_one():
    network = models.xception(size=71, seed=3)
    face = np.random.default_rng(0).integers(0, 256, (1, 71, 71, 3)).astype(np.float32)
    seen = models.activations(network, "rescale", "p_real")(face / 255)[0]
    assert np.allclose(seen, keras.applications.xception.preprocess_input(face.copy()), atol=1e-6)
    assert network.output_names == ["p_real"]
    assert models.logits(network).output_shape == (None, 1)


def test_multiply_adds_by_hand():
    convolutions = 256**2 * 27 * 8 + 128**2 * 200 * 8 + 64**2 * 200 * 16 + 32**2 * 400 * 16
    assert models.multiply_adds(models.meso4()) == convolutions + 8 * 8 * 16 * 16 + 16
    inputs = keras.Input((10, 10, 4))
    one = keras.Model(inputs, keras.layers.SeparableConv2D(6, 3, strides=2, padding="same")(inputs))
    assert models.multiply_adds(one) == 25 * (9 * 4 + 4 * 6)


def _outputs(network, faces):
    outputs = models.activations(network, *LAYERS.values())(faces)
    return [np.asarray(o).mean((1, 2)) if np.ndim(o) == 4 else np.asarray(o) for o in outputs]


@pytest.fixture(scope="module")
def outputs(reference):
    return np.load(reference / "afchar2018" / "reference_outputs.npz", allow_pickle=False)


def _in_float64(network):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        exact = models.NETWORKS[network.name]()
    finally:
        keras.config.set_dtype_policy(policy)
    exact.set_weights(network.get_weights())
    return exact


@pytest.mark.parametrize("name", NAMES)
def test_outputs_agree_with_the_authors_code(reference, outputs, name):
    network = weights.load(reference / "afchar2018" / f"{name}.h5")
    assert network.name == NAMES[name]
    faces = np.concatenate([outputs["noise"], outputs["images"]]).astype(np.float32) / 255
    ours = dict(zip(LAYERS, _outputs(network, faces), strict=True))
    # Hidden neurons sum 1,024 products to values near 100: in float32 two processors differ there by 1e-4.
    ours["dense16"] = _outputs(_in_float64(network), faces.astype(np.float64))[4]
    for key, values in ours.items():
        expected = outputs[f"{name}_{key}"]
        assert np.abs(values.reshape(expected.shape) - expected).max() < 1e-4, key


def _published(path, faces):
    """As `_formula`, with the arrays of an authors' file by their names."""
    with h5py.File(path) as file:
        names = sorted((name for name in file if len(file[name])), key=lambda name: int(name.rpartition("_")[2]))
        layers = {name: {key: array[()] for key, array in file[name][name].items()} for name in names}
    arrays = (  # HDF5 gives the names in alphabetical order: bias, kernel; beta, gamma, mean, variance
        [list(arrays.values()) for name, arrays in layers.items() if name.startswith(kind)]
        for kind in ("conv2d", "batch", "dense")
    )
    return _formula("Inception" in path.name, *arrays, faces)


def _formula(inception4, convs, norms, denses, faces):
    """Hidden neurons and p_real of the authors' classifiers.py, in TensorFlow's operations; arrays in its order."""
    convs, norms = iter(convs), iter(norms)

    def conv(x, dilation=1):
        bias, kernel = next(convs)
        return tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME", dilations=dilation) + bias)

    def inception(x):
        return tf.concat([conv(x), conv(conv(x)), conv(conv(x), 2), conv(conv(x), 3)], -1)

    x, first = faces, inception if inception4 else conv
    for layer, pool in ((first, 2), (first, 2), (conv, 2), (conv, 4)):
        x = layer(x)
        beta, gamma, mean, variance = next(norms)
        x = tf.nn.max_pool2d((x - mean) * (gamma / np.sqrt(variance + 1e-3)) + beta, pool, pool, "SAME")
    (bias, kernel), (last_bias, last_kernel) = denses
    hidden = tf.nn.leaky_relu(tf.reshape(x, (len(faces), -1)) @ kernel + bias, 0.1)
    return hidden.numpy(), tf.sigmoid(hidden @ last_kernel + last_bias).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_outputs_agree_with_the_published_formula(authors_files, name):
    path = authors_files / f"{name}.h5"
    faces = np.random.default_rng(0).random((4, 256, 256, 3), dtype=np.float32)
    hidden, p_real = models.activations(weights.load(path), "hidden_leaky", "p_real")(faces)
    expected, score = _published(path, faces)
    assert np.allclose(hidden, expected, rtol=1e-4, atol=1e-3)  # near 100: sums of 1,024 products in float32
    assert np.abs(p_real - score).max() < 1e-4


_BRANCHES = ("1x1", "3x3_reduce", "3x3", "dilated2_reduce", "dilated2", "dilated3_reduce", "dilated3")
_CONVS = {  # in the order of the authors' code
    "meso4": ["conv1", "conv2", "conv3", "conv4"],
    "meso_inception4": [*(f"block{i}_{branch}" for i in (1, 2) for branch in _BRANCHES), "conv3", "conv4"],
}


@pytest.mark.parametrize("name", _CONVS)
def test_any_weights_give_the_published_formula(name):
    """As above, with weights drawn at random, so that nothing depends on the authors' files being there."""
    network, rng = models.NETWORKS[name](size=64, seed=3), np.random.default_rng(0)
    for layer in network.layers:
        weights_ = layer.get_weights()
        if layer.name.startswith("norm"):
            layer.set_weights([rng.uniform(0.3, 1, array.shape) for array in weights_])
        elif weights_:
            layer.set_weights([weights_[0], rng.normal(0, 0.1, weights_[1].shape)])
    convs, denses = (
        [network.get_layer(one).get_weights()[::-1] for one in names] for names in (_CONVS[name], ("hidden", "logit"))
    )
    norms = [[network.get_layer(f"norm{i}").get_weights()[k] for k in (1, 0, 2, 3)] for i in (1, 2, 3, 4)]
    faces = rng.random((3, 64, 64, 3), dtype=np.float32)
    hidden, p_real = models.activations(network, "hidden_leaky", "p_real")(faces)
    expected, score = _formula(name == "meso_inception4", convs, norms, denses, faces)
    assert (expected < -0.01).any() and (expected > 0.01).any()  # both sides of the LeakyReLU
    assert np.allclose(hidden, expected, rtol=1e-4, atol=1e-5)
    assert np.allclose(p_real, score, atol=1e-5)


@pytest.mark.parametrize("name", ["meso4", "meso_inception4"])
def test_half_of_the_flattened_and_of_the_hidden_values_drop_out(name):
    network = models.NETWORKS[name](size=32)
    dropped = {layer.name: layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)}
    assert dropped == {"dropout1": 0.5, "dropout2": 0.5}
    order = [layer.name for layer in network.layers]
    assert order[-7:] == ["flatten", "dropout1", "hidden", "hidden_leaky", "dropout2", "logit", "p_real"]


@pytest.mark.parametrize("name", _CONVS)
def test_each_layer_has_a_seed_of_its_own_and_no_two_networks_share_one(name):
    seeds = []
    for seed in (0, 1, 2):
        for layer in models.NETWORKS[name](size=32, seed=seed).layers:
            own = getattr(layer, "kernel_initializer", layer)
            seeds += [(seed, own.seed)] if hasattr(own, "seed") else []
    assert (
        len({own for _, own in seeds}) == len(seeds) == 3 * (len(_CONVS[name]) + 4)
    )  # and hidden, logit, two dropouts
    assert all(models.SEEDS * seed <= own < models.SEEDS * (seed + 1) for seed, own in seeds)


def test_logits_share_the_weights():
    network = models.meso4(size=64)
    faces = np.random.default_rng(0).random((3, 64, 64, 3), dtype=np.float32)
    network.get_layer("logit").bias.assign([0.5])
    assert np.allclose(1 / (1 + np.exp(-np.asarray(models.logits(network)(faces)))), network(faces), atol=1e-6)


def test_unknown_layer_is_named():
    with pytest.raises(ValueError, match="no layer 'conv9'; it has face, conv1"):
        models.activations(models.meso4(size=32), "conv9")


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("channels", [8, 11])
@pytest.mark.parametrize("onednn", [False, True])
def test_batch_normalization_is_that_of_keras(monkeypatch, channels, dtype, onednn):
    monkeypatch.setattr(fast, "onednn", lambda: onednn and dtype == "float32")  # oneDNN never trains in half
    rng = np.random.default_rng(0)
    x0 = np.maximum(rng.normal(size=(4, 32, 32, channels)), 0)
    slope = rng.normal(size=x0.shape)

    def step(kind, dtype):
        layer = kind(dtype=dtype, momentum=0.9)
        x = tf.constant(x0, layer.compute_dtype)
        layer.build(x.shape)
        layer.gamma.assign(np.linspace(0.5, 2, channels))
        layer.beta.assign(np.linspace(-1, 1, channels))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            goal = tf.reduce_sum(y * tf.constant(slope, y.dtype))
        gradients = tape.gradient(goal, [x, layer.gamma.value, layer.beta.value])
        moved = layer(x, training=False)  # uses the moving statistics, and is Keras' own code
        return [np.asarray(found, float) for found in (y, *gradients, layer.moving_mean, layer.moving_variance, moved)]

    tolerance = 1e-4 if dtype == "float32" else 5e-2
    for exact, ours in zip(
        step(keras.layers.BatchNormalization, "float64"), step(models.BatchNormalization, dtype), strict=True
    ):
        assert np.allclose(ours, exact, rtol=tolerance, atol=tolerance * np.abs(exact).max())


def test_a_frozen_network_does_not_move_its_statistics():
    network = models.meso4(size=32, seed=1)
    network.trainable = False
    before = network.get_layer("norm1").moving_mean.numpy()
    network(np.ones((2, 32, 32, 3), np.float32), training=True)
    assert np.array_equal(network.get_layer("norm1").moving_mean.numpy(), before)
