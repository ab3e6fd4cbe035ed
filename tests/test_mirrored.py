"""Training on several devices: two virtual ones of one processor, in a process of its own, as TensorFlow wants it."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mesokit.dataset import pictures

pytestmark = pytest.mark.slow


def test_two_devices_train_as_one(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(12):
        label, split = ("real", "forged")[i % 2], ("train", "val")[i >= 8]
        image = rng.integers(0, 256 if label == "real" else 128, (256, 256, 3)).astype(np.uint8)
        pictures.write_png(tmp_path / f"{i}.png", image)
        rows.append({"path": f"{i}.png", "label": label, "split": split})
    pd.DataFrame(rows).to_csv(tmp_path / "faces.csv", index=False)
    done = subprocess.run([sys.executable, __file__, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    one, two = json.loads(done.stdout.splitlines()[-1])
    assert (one["devices"], two["devices"]) == (1, 2)
    for name in ("loss", "val_loss", "weights"):
        assert two[name] == pytest.approx(one[name], rel=1e-4, abs=1e-6)
    assert one["loss"][-1] < one["loss"][0]


def _main(root):
    from mesokit import training
    from mesokit.backend import keras, tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )
    table = pd.read_csv(f"{root}/faces.csv")
    # A batch is all 8 faces: under a strategy Keras draws one more pass, and the order of smaller ones differs.
    recipe = training.Recipe(iterations=6, batch=8, check_every=2, augmentation=None)
    results = []
    for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
        keras.utils.set_random_seed(0)
        with strategy.scope():  # small, and without batch normalization, which sees the half batch of its device
            network = keras.Sequential(
                [
                    keras.Input((256, 256, 3)),
                    keras.layers.AveragePooling2D(32),
                    keras.layers.Flatten(),
                    keras.layers.Dense(1, activation="sigmoid"),
                ]
            )
        history = training.fit(network, table, root, recipe, seed=1, verbose=0)
        found = {name: history[name].tolist() for name in ("loss", "val_loss")}
        weights = network.get_weights()[0].ravel()[:50].tolist()
        results.append({"devices": strategy.num_replicas_in_sync, "weights": weights, **found})
    print(json.dumps(results))


if __name__ == "__main__":
    _main(sys.argv[1])
