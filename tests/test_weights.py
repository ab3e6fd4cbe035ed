"""Weight files: the authors', one's own, and what must be refused."""

import hashlib
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pooch
import pytest

from mesokit import models, weights

FACES = np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "own.weights.h5"
    network = models.meso_inception4(size=64, seed=3)
    weights.save(network, path)
    return path, network


def test_own_weights_come_back_with_their_input_size(saved):
    path, network = saved
    again = weights.load(path)
    assert again.name == "meso_inception4"
    assert np.array_equal(again(FACES), network(FACES))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_keras_file_comes_back(tmp_path):
    network = models.meso4(size=64)
    network.save(tmp_path / "own.keras")
    assert np.array_equal(weights.load(tmp_path / "own.keras")(FACES), network(FACES))


@pytest.mark.slow
def test_xception_comes_back_at_the_usual_size(tmp_path):
    network = models.xception(size=96, seed=3)
    weights.save(network, tmp_path / "big.weights.h5")
    again = weights.load(tmp_path / "big.weights.h5")
    assert (again.name, again.input_shape) == ("xception", (None, 256, 256, 3))
    assert all(np.array_equal(a, b) for a, b in zip(again.get_weights(), network.get_weights(), strict=True))


def test_known_files_have_the_published_hashes(authors_files):
    for name, entry in weights.WEIGHTS.items():
        if name.startswith("afchar-"):
            assert pooch.file_hash(authors_files / entry.file) == entry.sha256


@pytest.mark.slow
def test_bundled_weights_load():
    for name, entry in weights.WEIGHTS.items():
        if entry.url is None:
            assert weights.load(name).name == entry.network
            assert (weights.BUNDLED / entry.file).stat().st_size < 250_000


def test_the_optimizer_of_a_trained_network_is_left_out(tmp_path):
    network = models.meso4()
    network.compile("adam", "mse")
    network.optimizer.build(network.trainable_variables)
    path = tmp_path / "trained.weights.h5"
    weights.save(network, path)
    with h5py.File(path) as file:
        assert len(file["layers"]) > 0
        assert "vars" not in file.get("optimizer", {}) or len(file["optimizer/vars"]) == 0
    assert path.stat().st_size < 250_000
    loaded = weights.load(path)
    assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), network.get_weights(), strict=True))


def test_truncated_file(saved):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="not a whole HDF5 file"):
        weights.load(path)


def test_wrong_architecture(tmp_path):
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(16)])
    network.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(ValueError, match="not the weights of meso4 or meso_inception4"):
        weights.load(tmp_path / "other.weights.h5")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["own.h5", "OWN.H5", "own.hdf5", "own", "own.keras", "own.weights.h5", "own.pth"])
def test_the_layout_is_known_by_the_content(tmp_path, name):
    network = models.meso4(size=64, seed=5)
    for made, write in (  # weights of Keras 3, a whole model of Keras 3, a whole model in the layout of Keras 2
        ("a.weights.h5", network.save_weights),
        ("a.keras", network.save),
        ("a.h5", network.save),
    ):
        write(tmp_path / made)
        shutil.copy(tmp_path / made, tmp_path / name)
        assert np.array_equal(weights.load(tmp_path / name)(FACES), network(FACES)), made


def test_the_layout_of_keras_2_under_the_suffix_of_keras_3():
    cases = Path(os.environ.get("MESOKIT_CASES", Path(__file__).parents[2] / "shared" / "cases"))
    path = cases / "keras2_layout.weights.h5"
    if not path.is_file():
        pytest.skip("the cases of odd inputs are absent")
    network = weights.load(path)
    with h5py.File(path) as file:  # by hand: the arrays of each layer as they lie in the file
        for layer in ("conv1", "conv4", "norm2", "hidden", "logit"):
            found = [np.array(array) for array in file[layer][layer].values()]
            wanted = network.get_layer(layer).get_weights()
            assert sorted(array.sum() for array in found) == sorted(array.sum() for array in wanted)


def test_what_is_no_weight_file_is_named(tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").touch()
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        archive.writestr("Meso4_DF.h5", "x")
    (tmp_path / "page.h5").write_text("<!DOCTYPE html><title>Not found</title>")
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "clip.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(99))
    (tmp_path / "link.h5").symlink_to("gone.h5")
    for name, words in (
        ("saved", "a SavedModel folder, which is a program and not a weight file; load it with the TensorFlow"),
        ("folder", "a folder, not a weight file; give the file in it"),
        ("many.zip", "it is a zip archive; unpack it"),
        ("page.h5", "it is a web page, not the file that was to be downloaded"),
        ("net.pkl", "it is a pickle of Python, which may carry code and is not read"),
        ("clip.mp4", "it is a video or a photograph"),
        ("link.h5", "no such weight file: a link to gone.h5"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=words) as caught:
            weights.load(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))
    with pytest.raises(FileNotFoundError, match="no such weight file: a web address; download the file"):
        weights.load(weights.WEIGHTS["afchar-meso4-deepfake"].url)


def test_text_and_missing_files(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    (tmp_path / "text.keras").write_text("hello")
    with pytest.raises(ValueError, match="not a whole HDF5 file"):
        weights.load(tmp_path / "text.h5")
    with pytest.raises(ValueError, match=r"not a whole \.keras file"):
        weights.load(tmp_path / "text.keras")
    with pytest.raises(FileNotFoundError, match="no such weight file"):
        weights.load(tmp_path / "absent.h5")


def test_an_altered_bundled_file_is_refused(tmp_path, monkeypatch):
    entry = weights.WEIGHTS[weights.DEFAULT]
    assert weights.fetch(weights.DEFAULT) == weights.BUNDLED / entry.file
    data = bytearray((weights.BUNDLED / entry.file).read_bytes())
    data[-1] ^= 1
    (tmp_path / entry.file).write_bytes(data)
    monkeypatch.setattr(weights, "BUNDLED", tmp_path)
    with pytest.raises(ValueError, match="its sha256 is not that of the published file"):
        weights.load(weights.DEFAULT)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_not_finite(saved, number):
    path, network = saved
    network.get_layer("hidden").bias.assign(np.r_[np.zeros(15), number])
    weights.save(network, path)
    with pytest.raises(ValueError, match="NaN or infinite"):
        weights.load(path)


def test_decompression_bomb_is_refused_unread(tmp_path):
    with h5py.File(tmp_path / "bomb.h5", "w") as file:
        file.create_dataset("kernel", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1024, 1024), compression="gzip")
    with pytest.raises(ValueError, match="other shapes"):
        weights.load(tmp_path / "bomb.h5")


def test_links_out_of_the_file_are_refused(tmp_path):
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["kernel"] = h5py.ExternalLink("elsewhere.h5", "/kernel")
    with pytest.raises(ValueError, match="links to other places"):
        weights.load(tmp_path / "link.h5")


def test_code_in_a_keras_file_is_refused(tmp_path):
    network = keras.Sequential(
        [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Lambda(lambda x: x[:, :1])]
    )
    network.save(tmp_path / "code.keras")
    with pytest.raises(ValueError, match="carries code"):
        weights.load(tmp_path / "code.keras")


def test_keras_file_of_another_kind_of_network(tmp_path):
    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    network.save(tmp_path / "two.keras")
    with pytest.raises(ValueError, match="gives one number p_real"):
        weights.load(tmp_path / "two.keras")


def test_truncated_keras_file(tmp_path):
    models.meso4(size=64).save(tmp_path / "own.keras")
    data = (tmp_path / "own.keras").read_bytes()
    (tmp_path / "own.keras").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=r"not a whole \.keras file: it is a zip archive that is cut short"):
        weights.load(tmp_path / "own.keras")


def test_unknown_name():
    with pytest.raises(ValueError, match="no weights are called 'nothing'; there are afchar-"):
        weights.fetch("nothing")


def test_offline_says_where_to_put_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("MESOKIT_CACHE", str(tmp_path))
    entry = weights.WEIGHTS["afchar-meso4-deepfake"]._replace(url="http://127.0.0.1:9/Meso4_DF.h5")
    monkeypatch.setitem(weights.WEIGHTS, "afchar-meso4-deepfake", entry)
    with pytest.raises(OSError, match="cannot download afchar-meso4-deepfake") as caught:
        weights.fetch("afchar-meso4-deepfake", progress=False)
    assert str(tmp_path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["a file", "no rights", "below a file"])
def test_a_cache_that_cannot_be_written_is_no_missing_network(tmp_path, monkeypatch, kind):
    cache = tmp_path / "cache"
    cache.mkdir() if kind == "no rights" else cache.write_text("")
    if kind == "no rights":  # root may write everywhere

        def refused(**_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(weights.tempfile, "TemporaryFile", refused)
    cache = cache / "in" if kind == "below a file" else cache
    monkeypatch.setenv("MESOKIT_CACHE", str(cache))
    with pytest.raises(
        OSError, match=r"cache.*: cannot keep downloads here \(\w.*\); name a folder .* in MESOKIT_CACHE"
    ):
        weights.fetch("afchar-meso4-deepfake", progress=False)


@pytest.fixture
def server(tmp_path):
    """Serve the folder tmp_path/www on this machine; yields its address."""
    import http.server
    import threading
    from functools import partial

    (tmp_path / "www").mkdir()
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "www")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("honest", [True, False])
def test_download_is_kept_only_with_the_right_hash(tmp_path, monkeypatch, server, honest):
    data = b"some weights"
    (tmp_path / "www" / "w.h5").write_bytes(data)
    cache = tmp_path / "cache"
    monkeypatch.setenv("MESOKIT_CACHE", str(cache))
    sha256 = hashlib.sha256(data if honest else b"other").hexdigest()
    monkeypatch.setitem(weights.WEIGHTS, "test", weights.Entry("meso4", "w.h5", sha256, server + "w.h5", ""))
    if honest:
        assert weights.fetch("test", progress=False).read_bytes() == data
        (cache / "w.h5").write_bytes(b"changed")
        with pytest.raises(ValueError, match="delete it to get it again"):
            weights.fetch("test", progress=False)
    else:
        with pytest.raises(ValueError, match="another sha256"):
            weights.fetch("test", progress=False)
        assert list(cache.iterdir()) == []


def test_an_answer_of_the_server_is_no_missing_network(tmp_path, monkeypatch, server):
    monkeypatch.setenv("MESOKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(weights.WEIGHTS, "test", weights.Entry("meso4", "w.h5", "0" * 64, server + "gone.h5", ""))
    with pytest.raises(OSError, match=r"cannot download test \(the server answered 404\): get http"):
        weights.fetch("test", progress=False)


def test_keras_file_that_declares_too_much(tmp_path):
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        file.create_dataset("kernel", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1024, 1024), compression="gzip")
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w") as archive:
        archive.write(tmp_path / "model.weights.h5", "model.weights.h5")
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="declares more than 1024 MB of weights"):
        weights.load(tmp_path / "bomb.keras")
