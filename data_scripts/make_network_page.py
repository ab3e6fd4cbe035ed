"""Make the data of a report's page network.html: weights, pairs of faces, and pictures that neurons and filters want.

python data_scripts/make_network_page.py work/smoke

Writes mesokit/bundled/page/network.json. Run it again after the bundled weights have changed.
"""

import argparse
import base64
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from mesokit import cli, dataset, faces, files, models, video, weights
from mesokit.backend import keras
from mesokit.interpret import maximize, regions, sign_groups

SHOWN = {"conv1": 64, "conv2": 64, "conv3": 64, "conv4": 64, "hidden_leaky": 112}  # pixels a side of a wanted picture
SETTINGS = maximize.Settings(steps=120, rate=0.02, jitter=8, noise=0.1)


def encoded(picture: np.ndarray, form: str, **settings: object) -> str:
    """A picture, uint8, as the address of an image."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, form, **settings)
    return f"data:image/{form.lower()};base64,{base64.b64encode(data.getvalue()).decode()}"


def pair(root: Path, person: str) -> dict[str, object]:
    """A frame of a person and the same frame with another face, cropped alike: by the mean of their landmarks."""
    rows = dataset.pairs(dataset.read(root).query("identity == @person and split == 'test' and crf == 0"))
    rows = rows[rows["method_b"] == "deepfake"].sort_values("frame")
    if rows.empty:
        raise ValueError(f"{root}: there are no frames of {person} at CRF 0, real and forged, among the test people")
    row = rows.iloc[len(rows) // 2]
    ends = [f"{point}_{c}" for point in dataset.manifest.POINTS for c in "xy"]
    points = np.mean([row[ends], row[[f"{end}_b" for end in ends]]], axis=0).astype(np.float32).reshape(5, 2)
    face = faces.Face((0, 0, 0, 0), 1.0, points)
    clips = dataset.clips(root).query("crf == 0").set_index("clip")
    paths = clips.at[row["clip"], "path"], clips.at[row["clip_b"], "path"], clips.at[row["clip_b"], "mask"]
    real, forged, mask = (
        faces.align(frame.image, face) for path in paths for frame in video.read_frames(root / path, [row["frame"]])
    )
    # One picture: where real and forged agree, the second costs nothing. The mask is white inside.
    tall = np.vstack([real, forged, np.where(mask > 127, 255, 0).astype(np.uint8)])
    picture = encoded(tall, "WebP", lossless=True, quality=100, method=6)
    return {"person": person, "picture": picture, "landmarks": faces.to_crop(face, points).round(2).tolist()}


def wanted(network: keras.Model) -> dict[str, list[str | None]]:
    """Layer -> the picture that each filter or hidden neuron wants, as JPEG."""
    small = models.meso4(size=64)  # filters see a small part of the face only
    for layer in small.layers:
        if layer.name.startswith(("conv", "norm")):
            layer.set_weights(network.get_layer(layer.name).get_weights())
    found = {}
    for layer, side in SHOWN.items():
        if layer == "hidden_leaky":
            climbed = sign_groups.climb(network, SETTINGS, pull=0.2, restarts=1)
        else:
            units = range(small.get_layer(layer).output.shape[-1])
            climbed = maximize.maximize(small, layer, units, SETTINGS)
        order = np.argsort(climbed.table["unit"].to_numpy())
        images = [Image.fromarray((image * 255).round().astype(np.uint8)) for image in climbed.images[order]]
        pictures = [encoded(np.asarray(image.resize((side, side))), "JPEG", quality=80) for image in images]
        # A dead filter (0 for each picture on the way) wants nothing.
        values = climbed.table["f"].to_numpy()[order]
        found[layer] = [one if value > 1e-6 else None for one, value in zip(pictures, values, strict=True)]
    return found


def main(argv: list[str] | None = None) -> int:
    """Make the file; returns the exit status."""
    parser = cli.script("make_network_page.py", __doc__)
    parser.add_argument("dataset", type=Path, help="folder of the default data: clips and faces")
    parser.add_argument("--people", nargs="+", default=["p004", "p015", "p025", "p047"], help="test people to show")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    network = weights.load(weights.DEFAULT)
    data = {
        "network": weights.DEFAULT,
        "weights": {
            layer.name: [base64.b64encode(w.astype("<f4").tobytes()).decode() for w in layer.get_weights()]
            for layer in network.layers
            if layer.weights and layer.get_weights()
        },
        "pairs": [pair(arguments.dataset, person) for person in arguments.people],
        "regions": {name: getattr(regions, name) for name in ("EYE", "NOSE", "MOUTH", "INNER", "OUTER")},
        "span": regions.SIZE / faces.ZOOM,
        "wanted": wanted(network),
    }
    path = weights.BUNDLED / "page" / "network.json"
    path.parent.mkdir(exist_ok=True)
    files.write(path, json.dumps(data, separators=(",", ":")).encode())
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
