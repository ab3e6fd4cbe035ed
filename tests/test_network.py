"""The data of network.html belong to the bundled weights, and the page is complete in itself."""

import base64
import io
import json

import numpy as np
from PIL import Image

from mesokit import weights
from mesokit.interpret import regions
from mesokit.report import network

DATA = json.loads(network.DATA.read_text(encoding="utf-8"))


def test_the_page_has_the_bundled_weights():
    layers = [layer for layer in weights.load(weights.DEFAULT).layers if layer.get_weights()]
    assert DATA["network"] == weights.DEFAULT and list(DATA["weights"]) == [layer.name for layer in layers]
    for layer in layers:
        stored = [np.frombuffer(base64.b64decode(text), "<f4") for text in DATA["weights"][layer.name]]
        for ours, theirs in zip(stored, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs.ravel(), f"{layer.name}: run data_scripts/make_network_page.py")
    assert DATA["regions"] == {name: list(getattr(regions, name)) for name in DATA["regions"]}


def picture(pair):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(pair["picture"].partition(",")[2]))))


def test_pairs_differ_in_the_tampered_region_only():
    for pair in DATA["pairs"]:
        real, forged, mask = picture(pair).reshape(3, 256, 256, 3).astype(int)
        changed, inside = np.abs(real - forged).max(axis=-1), mask[..., 0] > 127
        assert changed[~inside].max() <= 3 and (changed[inside] > 0).mean() > 0.9
        nose = np.array(pair["landmarks"][2])
        np.testing.assert_allclose(nose, 127.5, atol=0.1)  # faces are aligned with the nose in the middle


def test_the_page_is_small_and_complete():
    text = network.network_page()
    assert network.DATA.stat().st_size < 900_000 and len(text) < 1_000_000
    assert "default-src 'none'" in text and "connect-src" not in text
    counts = {"conv1": 8, "conv2": 8, "conv3": 16, "conv4": 16, "hidden_leaky": 16}
    assert {layer: len(pictures) for layer, pictures in DATA["wanted"].items()} == counts
    for source in (one for pictures in DATA["wanted"].values() for one in pictures if one):
        image = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
        assert image.format == "JPEG" and image.size in {(64, 64), (112, 112)}
