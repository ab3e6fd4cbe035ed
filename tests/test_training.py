"""The schedule at the paper's turning points, and training that learns, repeats and keeps its best weights."""

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from mesokit import dataset, evaluation, models, training, weights
from mesokit.backend import tf
from mesokit.dataset import loading, pictures


@pytest.mark.parametrize(
    ("iteration", "rate"), [(0, 1e-3), (999, 1e-3), (1000, 1e-4), (2999, 1e-5), (3000, 1e-6), (10_000, 1e-6)]
)
def test_the_papers_schedule(iteration, rate):
    assert float(training.schedule(training.RECIPES["paper"])(iteration)) == pytest.approx(rate)


def test_recipes_for_few_people_average_and_centre_and_the_papers_does_not():
    paper, *few = (training.RECIPES[name] for name in ("paper", "class", "long", "smoke"))
    assert (paper.batch, paper.average, paper.centre, paper.norm_momentum) == (75, 0, False, 0.99)
    for recipe in few:
        assert recipe.centre and recipe.average > 0 and recipe.norm_momentum < paper.norm_momentum
        assert recipe.iterations % recipe.check_every == 0  # the last look is after the last batch
        assert recipe.divide_every < recipe.iterations


def test_augmentation_of_the_short_recipe_is_lighter_than_the_papers():
    paper, light = (vars(training.RECIPES[name].augmentation) for name in ("paper", "smoke"))
    assert paper == {"zoom": 0.2, "rotation": 15, "flip": True, "brightness": 0.2, "hue": 0.05}
    assert all(0 < light[name] <= paper[name] for name in ("zoom", "rotation", "flip", "brightness", "hue"))
    assert light != paper


@pytest.fixture(scope="module")
def patterns(tmp_path_factory):
    """Faces that anyone can tell: real ones are noise, forged ones the same noise blurred."""
    root = tmp_path_factory.mktemp("patterns")
    rng = np.random.default_rng(0)
    rows = []
    for i in range(48):
        label, split = ("real", "forged")[i % 2], ("train", "val")[i >= 32]
        image = rng.integers(0, 256, (256, 256, 3)).astype(np.uint8)
        image = cv2.GaussianBlur(image, (0, 0), 2) if label == "forged" else image
        pictures.write_png(root / f"{i}.png", image)
        rows.append({"path": f"{i}.png", "label": label, "split": split})
    return pd.DataFrame(rows), root


RECIPE = training.Recipe(iterations=12, batch=8, check_every=6, augmentation=loading.Augmentation(0.1, 5))


@pytest.mark.slow
def test_training_learns_and_repeats(patterns):
    table, root = patterns
    first, second = models.meso4(seed=1), models.meso4(seed=1)
    history = training.fit(first, table, root, RECIPE, seed=1, verbose=0)
    again = training.fit(second, table, root, RECIPE, seed=1, verbose=0)
    assert history["iteration"].tolist() == [6, 12]
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    pd.testing.assert_frame_equal(history, again)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_weights(patterns):
    table, root = patterns

    class Impatient(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.optimizer.iterations == 8:
                raise KeyboardInterrupt

    network = models.meso4(seed=1)
    history = training.fit(network, table, root, RECIPE, seed=1, callbacks=[Impatient()], verbose=0)
    assert len(history) == 1
    val = table[table["split"] == "val"]
    network.compile(loss="mean_squared_error", metrics=["accuracy"])
    assert network.evaluate(loading.batches(val, root), verbose=0)[0] == pytest.approx(
        history["val_loss"].min(), abs=1e-6
    )


@pytest.mark.slow
def test_a_bar_for_people_and_lines_for_reports(patterns, monkeypatch):
    table, root = patterns
    monkeypatch.setattr(keras.Model, "fit", lambda self, *_, verbose, **__: asked.append(verbose))
    asked: list[int] = []
    monkeypatch.delenv("MESOKIT_REPORT", raising=False)
    training.fit(models.meso4(), table, root, RECIPE)
    monkeypatch.setenv("MESOKIT_REPORT", "1")
    training.fit(models.meso4(), table, root, RECIPE)
    assert asked == [1, 2]


def test_a_split_without_one_class_is_refused(patterns):
    table, root = patterns
    with pytest.raises(ValueError, match="the split 'val' needs real and forged faces; it has {'real': 8}"):
        training.fit(models.meso4(), table[(table["split"] == "train") | (table["label"] == "real")], root, RECIPE)


def test_no_face_is_an_error(patterns):
    table, root = patterns
    with pytest.raises(ValueError, match="matches no row"):
        loading.batches(table[:0], root)


def test_batches_are_scaled_labelled_and_in_order(patterns):
    table, root = patterns
    faces, labels = next(iter(loading.batches(table, root, batch=4)))
    assert faces.shape == (4, 256, 256, 3)
    assert faces.dtype == "float32"
    assert labels.numpy()[:, 0].tolist() == [1, 0, 1, 0]
    assert np.allclose(faces.numpy() * 255, dataset.images(table[:4], root), atol=1e-3)


@pytest.mark.slow
def test_training_batches_repeat_with_their_seed(patterns):
    table, root = patterns

    def first(seed):
        return [
            pair[0].numpy() for pair in loading.training_batches(table, root, 8, loading.Augmentation(), seed).take(3)
        ]

    one, same, other = first(1), first(1), first(2)
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert not np.array_equal(one[0], one[1])


@pytest.fixture
def plain(tmp_path):
    """Twelve faces of one gray each, 20 apart; the last four are for validation."""
    for i in range(12):
        pictures.write_png(tmp_path / f"{i}.png", np.full((256, 256, 3), 20 * i, np.uint8))
    label, split = ["real", "forged"] * 6, ["train"] * 8 + ["val"] * 4
    return pd.DataFrame({"path": [f"{i}.png" for i in range(12)], "label": label, "split": split}), tmp_path


def test_the_order_and_the_augmentation_of_batches_follow_the_seed(plain):
    table, root = plain

    def batch(rows, augmentation, seed):
        faces, _ = next(iter(loading.training_batches(rows, root, 12, augmentation, seed)))
        return faces.numpy()[:, 0, 0, 0].tolist()

    first, again, other = (batch(table, None, seed) for seed in (1, 1, 2))
    assert first == again and first != other and sorted(first) == sorted(other)
    brighter = loading.Augmentation(**OFF | {"brightness": 0.2})  # of equal faces, which have no order
    first, other = (batch(table.iloc[[5] * 12], brighter, seed) for seed in (1, 2))
    assert set(first).isdisjoint(other) and len(set(first)) == 12


def test_of_several_looks_the_best_weights_are_kept(plain, monkeypatch):
    """The weights at each look are given: the second is right about all faces, the third, the last, is wrong."""
    table, root = plain
    monkeypatch.setattr(training.fast, "compiles", lambda: False)
    face = keras.Input((256, 256, 3))
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.AveragePooling2D(256)(face))
    x = keras.layers.Dense(1, name="logit")(keras.layers.Flatten()(x))
    network = keras.Model(face, keras.layers.Activation("sigmoid", name="p_real")(x))
    table = table.assign(label=["real" if i % 4 < 2 else "forged" for i in range(12)])
    planned = iter([0.0, 1.0, -1.0])  # slope of the logit: no difference, brighter is forged, brighter is real

    class Plan(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            slope = next(planned)
            self.model.get_layer("norm").set_weights([np.ones(3), np.zeros(3), np.full(3, 190 / 255), np.full(3, 0.01)])
            self.model.get_layer("logit").set_weights([np.full((3, 1), -slope), np.full(1, 0.7)])

    recipe = training.Recipe(3, batch=2, check_every=1, augmentation=None, norm_momentum=0.7, centre=True)
    history = training.fit(network, table, root, recipe, callbacks=[Plan()], verbose=0)
    assert history["val_loss"].argmin() == 1
    assert history["val_accuracy"].tolist() == [0.5, 1, 0]
    assert (network.get_layer("logit").get_weights()[0] == -1).all()
    assert network.get_layer("norm").momentum == 0.7
    # The bias, .7 so far, is moved on a grid of .05 to the lowest squared error on the four validation faces.
    val = table[table["split"] == "val"]
    z = 0.7 - 3 * (np.array([160, 180, 200, 220]) - 190) / 255 / np.sqrt(0.01 + 1e-3)
    tried = [((expit(z + by) - (val["label"] == "real")) ** 2).mean() for by in np.linspace(-10, 10, 401)]
    assert network.get_layer("logit").bias.numpy() == pytest.approx(0.7 - 10 + 0.05 * np.argmin(tried), abs=1e-5)


def test_faces_kept_in_memory_come_in_the_same_order(patterns, monkeypatch):
    table, root = patterns

    def some():
        data = loading.training_batches(table, root, 8, loading.Augmentation(), 1).take(6)  # more than one round
        return [[part.numpy() for part in pair] for pair in data]

    kept = some()
    monkeypatch.setattr(loading, "KEPT", 0)
    for (faces, labels), (again, labels_again) in zip(kept, some(), strict=True):
        assert np.array_equal(faces, again)
        assert np.array_equal(labels, labels_again)


def test_opencv_resamples_as_tensorflow_does():
    faces = tf.constant(np.random.default_rng(0).random((12, 64, 64, 3), np.float32))
    bilinear = partial(loading.warp, samples=cv2.INTER_LINEAR)
    slow, fast = (loading.augment(faces, loading.Augmentation(), (3, 4), move) for move in (None, bilinear))
    assert np.abs(slow - fast).max() < 1e-4
    assert np.abs(slow - faces).max() > 0.1


def test_training_moves_faces_as_tensorflow_does_and_blurs_them_less():
    noise = np.random.default_rng(0).random((12, 64, 64, 3), np.float32)
    coarse = np.stack(
        [cv2.normalize(cv2.GaussianBlur(face, (0, 0), 5), None, 0.1, 0.9, cv2.NORM_MINMAX) for face in noise]
    )
    slow, fast = (loading.augment(coarse, loading.Augmentation(), (3, 4), move) for move in (None, loading.warp))
    assert np.abs(slow - fast).max() < 0.01
    assert np.abs(slow - coarse).max() > 0.1
    plain = loading.Augmentation(brightness=0.0, hue=0.0)
    slow, fast = (np.std(loading.augment(noise, plain, (3, 4), move), axis=(1, 2, 3)) for move in (None, loading.warp))
    assert (fast > 1.15 * slow).all()


def test_the_cubic_kernel_of_a_gpu_is_that_of_opencv():
    """OpenCV rounds places to 1/32 pixel, so noise (steps of up to 1 a pixel) may differ by 1/64 and the slope."""
    noise = np.random.default_rng(0).random((12, 64, 64, 3), np.float32)
    gpu, opencv = (
        loading.augment(noise, loading.Augmentation(), (3, 4), move) for move in (loading.cubic, loading.warp)
    )
    assert np.abs(gpu - opencv).max() < 0.05 and np.abs(gpu - opencv).mean() < 0.003
    half = np.array([[1, 0, 0.5, 0, 1, 0]], np.float32)  # half a pixel to the right: weights -3/32, 19/32, 19/32, -3/32
    line = np.tile(np.array([0, 0, 0, 1, 0, 0, 0, 0], np.float32)[None, None, :, None], (1, 8, 1, 3))
    wanted = np.array([0, -3, 19, 19, -3, 0, 0, 0]) / 32
    assert np.allclose(loading.cubic(tf.constant(line), tf.constant(half))[0, 4, :, 0], wanted, atol=1e-6)
    beyond = np.array([[1, 0, -2.25, 0, 1, 3.5]], np.float32)  # over two borders, where faces are mirrored
    assert np.allclose(
        loading.cubic(tf.constant(noise[:1]), tf.constant(beyond)), loading.warp(noise[:1], beyond), atol=1e-5
    )


@pytest.mark.slow
def test_augmentation_on_the_device_gives_the_batches_of_the_input_path(patterns, monkeypatch):
    """The same draws for the same batch; validation faces stay; what is trained is the network that was given."""
    table, root = patterns
    train = table[table["split"] == "train"]
    monkeypatch.setattr(loading, "warp", loading.cubic)
    layer = training._Augment(RECIPE.augmentation, 5)
    raw, varied = (loading.training_batches(train, root, 8, how, 5).take(3) for how in (None, RECIPE.augmentation))
    for (faces, _), (wanted, _) in zip(raw, varied, strict=True):
        assert np.abs(layer(faces, training=True) - wanted).max() < 1e-4
        assert np.array_equal(layer(faces), faces)
    histories, networks = [], [models.meso4(seed=1), models.meso4(seed=1)]
    for network, gpu in zip(networks, (False, True), strict=True):
        monkeypatch.setattr(training.fast, "on_gpu", lambda gpu=gpu: gpu)
        monkeypatch.setattr(training.fast, "compiles", lambda: False)
        histories.append(training.fit(network, table, root, RECIPE, seed=1, verbose=0))
    pd.testing.assert_frame_equal(*histories, atol=0.03)  # rounding grows in training
    assert all(np.allclose(a, b, atol=0.03) for a, b in zip(*(one.get_weights() for one in networks), strict=True))


OFF = {"zoom": 0.0, "rotation": 0.0, "flip": False, "brightness": 0.0, "hue": 0.0}


def _augment(face, **magnitudes):
    return loading.augment(face[None], loading.Augmentation(**OFF | magnitudes), np.array([0, 7])).numpy()[0]


def test_each_augmentation_does_what_it_says():
    face = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32) * 0.5 + 0.25
    assert np.allclose(_augment(face), face, atol=1e-5)
    flips = [
        loading.augment(face[None], loading.Augmentation(0, 0, True, 0, 0), np.array([0, s])).numpy()[0]
        for s in range(8)
    ]
    assert {bool(np.allclose(f, face[:, ::-1], atol=1e-5)) for f in flips} == {True, False}
    assert all(np.allclose(f, face, atol=1e-5) or np.allclose(f, face[:, ::-1], atol=1e-5) for f in flips)
    ratio = _augment(face, brightness=0.2) / face
    assert np.ptp(ratio) < 1e-4
    assert 0.8 <= ratio.mean() <= 1.2
    gray = np.repeat(face[..., :1], 3, axis=2)
    assert np.allclose(_augment(gray, hue=0.2), gray, atol=2e-3)
    assert np.abs(_augment(face, hue=0.2) - face).max() > 0.01
    assert np.abs(_augment(face, zoom=0.3) - face).max() > 0.05


@pytest.mark.parametrize("magnitude", ["zoom", "rotation", "brightness", "hue"])
def test_each_face_of_a_batch_gets_a_value_of_its_own(magnitude):
    face = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32) * 0.5 + 0.25
    values = OFF | {magnitude: 20.0 if magnitude == "rotation" else 0.2}
    made = loading.augment(np.stack([face] * 6), loading.Augmentation(**values), np.array([0, 7])).numpy()
    assert all(np.abs(a - b).max() > 1e-4 for i, a in enumerate(made) for b in made[:i])


def test_about_half_of_the_faces_of_a_batch_are_mirrored():
    face = np.random.default_rng(0).random((4, 4, 3)).astype(np.float32)
    made = loading.augment(np.stack([face] * 400), loading.Augmentation(**OFF | {"flip": True}), np.array([0, 7]))
    mirrored = np.abs(made - face[:, ::-1]).max(axis=(1, 2, 3)) < 1e-5
    assert 160 < mirrored.sum() < 240  # four standard errors around the half
    assert np.abs(made.numpy()[~mirrored] - face).max() < 1e-5


def _many(face, **magnitudes):
    """300 variants of a face: the extremes of a uniform draw are reached to within a hundredth."""
    values = loading.Augmentation(**OFF | magnitudes)
    return loading.augment(np.stack([face] * 300).astype(np.float32), values, np.array([0, 7])).numpy()


def test_brightness_and_hue_reach_their_magnitude_and_not_more():
    colour = np.full((2, 2, 3), (0.5, 0.25, 0.25))
    factors = _many(colour, brightness=0.2)[:, 0, 0, 0] / 0.5
    assert (factors.min(), factors.max()) == (pytest.approx(0.8, abs=0.01), pytest.approx(1.2, abs=0.01))
    # A turn of hue turns the plane of I and Q (NTSC); .05 of a full turn are 18 degrees.
    i, q = np.array([[0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]]) @ _many(colour, hue=0.05)[:, 0, 0].T
    i0, q0 = 0.5959 * 0.25, 0.2115 * 0.25  # of the colour itself, whose gray part has neither
    turns = np.degrees(np.arctan2(q, i) - np.arctan2(q0, i0))
    assert (turns.min(), turns.max()) == (pytest.approx(-18, abs=0.3), pytest.approx(18, abs=0.3))
    assert np.hypot(i, q) == pytest.approx(np.full(300, np.hypot(i0, q0)), abs=1e-4)


def test_rotation_and_zoom_reach_their_magnitude_about_the_middle():
    """A dot 20 pixels right of the middle: turned by up to 15 degrees, or 16 to 24 pixels from it with zoom .2."""
    face = np.zeros((65, 65, 3))
    face[31:34, 31:34] = face[31:34, 51:54] = 1
    y, x = np.mgrid[:65, :65] - 32
    far = np.hypot(x, y) > 10

    def dots(made):
        light = made[..., 0] * far
        return [(light * axis).sum(axis=(1, 2)) / light.sum(axis=(1, 2)) for axis in (x, y)]

    made = _many(face, rotation=15.0)
    angles = np.degrees(np.arctan2(*dots(made)[::-1]))
    assert (angles.min(), angles.max()) == (pytest.approx(-15, abs=0.4), pytest.approx(15, abs=0.4))
    assert made[:, 32, 32, 0] == pytest.approx(np.ones(300), abs=1e-3)
    reach = dots(_many(face, zoom=0.2))[0]
    assert (reach.min(), reach.max()) == (pytest.approx(16, abs=0.3), pytest.approx(24, abs=0.3))


def test_half_precision_has_the_gradients_of_full_and_leaves_no_trace():
    network, faces = models.meso4(size=32, seed=1), np.random.default_rng(0).random((4, 32, 32, 3), np.float32)

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((network(faces) - 1.0) ** 2)
        return np.concatenate([np.ravel(g) for g in tape.gradient(loss, network.trainable_variables)])

    full = gradients()
    with training._computing([network], "mixed_float16"):
        names = ("conv1", "hidden", "logit", "p_real")
        assert [network.get_layer(name).compute_dtype for name in names] == ["float16"] * 2 + ["float32"] * 2
        network.compile("adam", "mean_squared_error")
        assert type(network.optimizer).__name__ == "LossScaleOptimizer"
        half = gradients()
    assert not np.array_equal(half, full), "the policy must have been at work"
    assert np.corrcoef(half, full)[0, 1] > 0.999
    assert {layer.dtype_policy.name for layer in [network, *network.layers]} == {"float32"}
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert np.array_equal(gradients(), full)


@pytest.mark.slow
@pytest.mark.parametrize("compiles", [False, True])
def test_training_works_with_xla_and_without(patterns, monkeypatch, compiles):
    table, root = patterns
    monkeypatch.setattr(training.fast, "compiles", lambda: compiles)
    network, recipe = models.meso4(seed=1), training.Recipe(iterations=1, batch=2, check_every=1, augmentation=None)
    assert len(training.fit(network, table, root, recipe, seed=1, verbose=0)) == 1
    assert network.jit_compile == compiles


@pytest.mark.slow
def test_what_is_kept_is_the_running_average_of_the_weights(patterns):
    table, root = patterns
    steps, seen = 4, []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append([weight.numpy() for weight in self.model.trainable_weights])

    recipe = training.Recipe(iterations=steps, batch=4, check_every=steps, augmentation=None, average=0.5)
    network = models.meso4(seed=1)
    training.fit(network, table, root, recipe, seed=1, callbacks=[Watch()], verbose=0)
    average = seen[0]
    for now in seen[1:]:  # over half of the 4 steps: a momentum of 1 - 1/2
        average = [0.5 * old + 0.5 * new for old, new in zip(average, now, strict=True)]
    kept = [weight.numpy() for weight in network.trainable_weights]
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(kept, average, strict=True))
    assert not np.allclose(kept[0], seen[-1][0], atol=1e-5)


@pytest.mark.slow
def test_the_centred_logit_suits_the_validation_faces_and_ranks_them_as_before(patterns):
    table, root = patterns
    plain = training.Recipe(iterations=2, batch=4, check_every=2, augmentation=None)
    scores = []
    for recipe in (plain, replace(plain, centre=True)):
        network = models.meso4(seed=1)
        network.get_layer("logit").bias.assign([3.0])  # says "real" of all
        training.fit(network, table, root, recipe, seed=1, verbose=0)
        scores.append(logit(network.predict(loading.batches(table.query("split == 'val'"), root), verbose=0)[:, 0]))
    before, after = scores
    shift = (after - before).mean()
    assert np.allclose(after - before, shift, atol=1e-3)
    real = (table.query("split == 'val'")["label"] == "real").to_numpy()
    tried = [((expit(before + by) - real) ** 2).mean() for by in np.linspace(-10, 10, 401)]
    assert shift == pytest.approx(-10 + 0.05 * np.argmin(tried), abs=1e-3)
    assert shift < -0.5


def test_a_gpu_gets_the_papers_batch(monkeypatch):
    assert training._batch(16) == (75 if tf.config.list_physical_devices("GPU") else 16)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["one"])
    assert (training._batch(16), training._batch(100)) == (75, 100)


@pytest.mark.slow
def test_the_command_gives_the_same_weights_bit_by_bit(tiny, tmp_path):
    """In processes of their own, for determinism is a setting of the whole process; the networks' hardest one."""
    script = Path(__file__).parent.parent / "data_scripts" / "train_bundled_weights.py"
    wanted = ["--network", "meso_inception4", "--recipe", "smoke", "--iterations", "6", "--deterministic"]
    for name in ("a", "b"):
        command = [sys.executable, script, tiny, *wanted, "--out", tmp_path / name]
        subprocess.run(command, check=True, capture_output=True)
    made = [(tmp_path / name / "meso_inception4-deepfake.weights.h5").read_bytes() for name in ("a", "b")]
    assert made[0] == made[1]
    card = json.loads((tmp_path / "a" / "meso_inception4-deepfake.json").read_text())
    assert card["deterministic"] is True


@pytest.mark.slow
def test_the_command_trains_on_one_level_under_a_name_of_its_own(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "data_scripts")
    import train_bundled_weights

    given = [str(tiny), "--recipe", "smoke", "--iterations", "2"]
    scored = ["--scores", str(tmp_path / "scores")]
    assert train_bundled_weights.main([*given, "--crf", "40", "--out", str(tmp_path / "a"), *scored]) == 0
    made = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert made == ["meso4-deepfake-crf40.json", "meso4-deepfake-crf40.weights.h5"]
    card = json.loads((tmp_path / "a" / made[0]).read_text())
    assert (card["name"], card["file"], card["crf"]) == ("meso4-deepfake-crf40", made[1], 40)
    assert set(card["metrics"]) == {f"crf {crf}, {unit}" for crf in (0, 40) for unit in ("frames", "clips")}
    assert card["about"].endswith("at CRF 40")
    scores = pd.read_csv(tmp_path / "scores" / "meso4-deepfake-crf40.csv")
    measured = evaluation.accuracy(scores[scores["crf"] == 0])
    assert measured["roc_auc"] == pytest.approx(card["metrics"]["crf 0, frames"]["roc_auc"], abs=1e-4)
    capsys.readouterr()
    assert train_bundled_weights.main([*given, "--crf", "23", "--out", str(tmp_path / "b")]) == 2
    assert "has no faces at this level" in capsys.readouterr().err
    assert train_bundled_weights.main([*given, "--crf", "40", "--tour", "--out", str(tmp_path / "b")]) == 2
    assert "--tour: its clips are chosen by scores at CRF 23" in capsys.readouterr().err
    assert train_bundled_weights.main([*given, "--seed", "1", "--out", str(weights.BUNDLED)]) == 2
    assert "the package brings the weights of seed 0" in capsys.readouterr().err
    assert not (tmp_path / "b").exists()
