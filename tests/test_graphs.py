"""Networks on OpenVINO against Keras; and `mesokit scan`, which computes without TensorFlow.

`python tests/test_graphs.py` writes `mesokit/templates/networks.json`, after a change of `mesokit/models.py`.
"""

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest

from mesokit import cli, evaluation, faces, fast, graphs, models, video, weights


def listed():
    """The networks that are read without Keras, as `networks.json` has them."""
    found = {}
    for name in ("meso4", "meso_inception4"):
        layers, arrays, _ = fast.graph(models.NETWORKS[name]())
        shapes = {layer: [one.shape for one in each] for layer, each in arrays.items()}
        found[name] = [
            (kind, layer, before, how | ({"arrays": shapes[layer]} if shapes[layer] and kind != "Dropout" else {}))
            for kind, layer, before, how in layers
        ]
    return found


def written():
    networks = listed().items()
    lines = (f' "{name}": [\n  ' + ",\n  ".join(map(json.dumps, layers)) + "\n ]" for name, layers in networks)
    return "{\n" + ",\n".join(lines) + "\n}\n"


def test_the_list_of_networks_is_that_of_models():
    assert weights.NETWORKS.read_text(encoding="utf-8") == written(), "models.py has changed: see the top of this file"


@pytest.fixture(scope="module")
def crops():
    """Eight real and eight forged faces, and noise: (17, 256, 256, 3) uint8."""
    found = [np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)]
    for kind in ("real", "forged"):
        frames = [frame.image for frame in video.read_frames(weights.BUNDLED / f"tour_{kind}.mp4", range(8))]
        found += [faces.align(image, face) for image, face in zip(frames, faces.follow(frames), strict=True)]
    return np.stack(found)


def on_keras(network, images):
    return network(images / np.float32(255)).numpy()[:, 0]


BUNDLED = sorted(name for name, entry in weights.WEIGHTS.items() if entry.url is None)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLED)
def test_scores_of_bundled_networks_are_those_of_keras(name, crops):
    graph, expected = weights.graph(name), on_keras(weights.load(name), crops)
    score = evaluation.scorer(graph)
    assert np.ptp(expected) > 0.5, "faces that are scored alike would show no difference"
    assert np.abs(score(crops) - expected).max() < 1e-5
    assert np.abs(score(crops / np.float32(255)) - expected).max() < 1e-5


@pytest.mark.parametrize("name", ["Meso4_DF", "Meso4_F2F", "MesoInception_DF", "MesoInception_F2F"])
def test_scores_of_the_authors_networks_are_those_of_keras(name, crops, reference):
    file = reference / "afchar2018" / f"{name}.h5"  # in the layout of Keras 2
    expected = on_keras(weights.load(file), crops)
    assert np.abs(evaluation.scorer(weights.graph(file))(crops) - expected).max() < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("shrink", [1, 2])
def test_xception_and_logits_on_openvino(shrink):
    """The inner form without the sigmoid has numbers of any size, so differences show."""
    network = models.logits(models.xception(size=96, seed=1, shrink=shrink))
    images = np.random.default_rng(1).integers(0, 256, (5, 96, 96, 3), np.uint8)
    for layer in network.layers:
        if isinstance(layer, models.keras.layers.BatchNormalization):
            layer.momentum = 0.0
    network(images / np.float32(255), training=True)  # moving statistics that are those of these pictures
    expected = on_keras(network, images)
    run = graphs.scoring(fast.graph(network))
    assert np.ptp(expected) > 0.1
    assert np.abs(np.concatenate([run(images[:4]), run(images[4:])])[:, 0] - expected).max() < 1e-4


def test_a_network_that_openvino_computes_otherwise_stays_on_keras():
    """Its activation is not the one that its settings name."""
    keras = models.keras
    face = keras.Input((32, 32, 3))
    flat = keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(face))
    right = keras.Model(face, keras.layers.Dense(1, "sigmoid")(flat))
    assert fast.openvino(right) is not None
    for layer in (keras.layers.Activation("softplus"), keras.layers.GaussianNoise(0.1), keras.layers.ELU()):
        assert fast.openvino(keras.Model(face, keras.layers.Dense(1, "sigmoid")(layer(flat)))) is None
    transposed = keras.layers.Permute((2, 1))(keras.layers.Reshape((30, 60))(flat))
    assert fast.openvino(keras.Model(face, keras.layers.Dense(1)(keras.layers.Flatten()(transposed)))) is None


def changed(path, change):
    """A copy of the bundled Meso-4 in `path`, after `change` was applied to the open file."""
    path.write_bytes(weights.fetch(weights.DEFAULT).read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def test_what_is_not_read_without_keras(tmp_path):
    """No file is read in another way than Keras reads it: what differs is left to `weights.load`."""

    def replaced(name, values):
        def change(file):
            del file[name]
            file[name] = values

        return change

    def poisoned(file):
        file["layers/dense_1/vars/1"][0] = np.nan

    same = changed(tmp_path / "same.h5", lambda file: None)
    assert weights.graph(same).input_shape == (None, 256, 256, 3)
    for i, change in enumerate((
        poisoned,
        replaced("layers/conv2d/vars/1", np.zeros(1, np.float32)),  # would be broadcast
        replaced("layers/conv2d/vars/1", h5py.ExternalLink("other.h5", "x")),
        lambda file: file.move("layers/dense_1", "layers/dense_9"),
        lambda file: file.create_dataset("more", (3,)),
    )):  # fmt: skip
        assert weights.graph(changed(tmp_path / f"{i}.h5", change)) is None
    weights.save(models.meso4(size=64), tmp_path / "small.weights.h5")
    (tmp_path / "text.h5").write_text("hello")
    for name in ("small.weights.h5", "text.h5", "absent.h5", "."):
        assert weights.graph(tmp_path / name) is None


ALONE = """
import sys
from mesokit import cli
status = cli.main(["scan", *sys.argv[1:], "--json"])
heavy = {"tensorflow", "keras", "pandas", "scipy", "sklearn", "mtcnn"}
print(*sorted(heavy & {name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
raise SystemExit(status)
"""


@pytest.mark.slow
def test_scan_of_the_bundled_clip_starts_no_tensorflow():
    command = [sys.executable, "-c", ALONE, str(weights.BUNDLED / "tour_forged.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr.split("\n")[-2:] == ["", ""], done.stderr
    [clip] = json.loads(done.stdout)["clips"]
    assert clip["verdict"] == "forged" and len(clip["frames"]) == 30


@pytest.mark.slow
def test_without_openvino_keras_gives_the_same(tmp_path):
    """The same command where OpenVINO cannot be imported: TensorFlow computes, and the numbers are the same."""
    for name in (None, "openvino"):
        block = f"import sys; sys.modules[{name!r}] = None\n" if name else ""
        command = [sys.executable, "-c", block + ALONE, str(weights.BUNDLED / "tour_real.mp4"), "--frames", "8"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert ("tensorflow" in done.stderr.split("\n")[-2]) == (name is not None)
        [clip] = json.loads(done.stdout)["clips"]
        (tmp_path / f"{name}.json").write_text(json.dumps(clip["frames"]))
    ours, theirs = (json.loads((tmp_path / f"{name}.json").read_text()) for name in (None, "openvino"))
    assert len(ours) == len(theirs) == 8
    for one, other in zip(ours, theirs, strict=True):
        assert np.abs(np.subtract(one["box"], other["box"])).max() <= 0.11  # rounded to a tenth
        assert one["p_real"] == pytest.approx(other["p_real"], abs=1e-3)  # of crops that differ by parts of a pixel


@pytest.mark.slow
def test_a_folder_is_judged_by_several_threads_in_order(tmp_path, capsys):
    for i in range(5):
        (tmp_path / f"{i}.mp4").write_text("no clip")
    assert cli.main(["scan", str(tmp_path), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["clips"]
    assert [clip["path"] for clip in found] == [str(tmp_path / f"{i}.mp4") for i in range(5)]


if __name__ == "__main__":
    weights.NETWORKS.write_text(written(), encoding="utf-8")
