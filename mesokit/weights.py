"""Named weights (bundled with the package, or the authors' to download) and safe loading of anybody's file.

A weight file is untrusted input: its sha256 is checked where it is known, the shapes it declares are compared with the
network's before a byte of data is read (a small file can declare a huge one), and no file may carry code.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import h5py
import numpy as np

from mesokit import files, graphs

if TYPE_CHECKING:  # below, Keras is imported where it is used: `graph` does without
    from mesokit.backend import keras

AUTHORS = "https://github.com/DariusAf/MesoNet/raw/master/weights/"  # Apache-2.0, Afchar and Nozick
BUNDLED = Path(__file__).parent / "bundled"
NETWORKS = Path(__file__).parent / "templates" / "networks.json"  # tests/test_weights.py writes it
LARGEST = 1 << 30  # bytes of weights a .keras file may declare: Xception with its optimizer has a quarter of it


class Entry(NamedTuple):
    """A known weight file: its network in `models.NETWORKS`, its file name, sha256 and, if not bundled, address."""

    network: str
    file: str
    sha256: str
    url: str | None
    about: str


def _authors(network: str, file: str, sha256: str, forgery: str) -> Entry:
    return Entry(network, file, sha256, AUTHORS + file, f"the authors' {network}, trained on {forgery} faces")


WEIGHTS: dict[str, Entry] = {
    "afchar-meso4-deepfake": _authors(
        "meso4", "Meso4_DF.h5", "036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5", "Deepfake"
    ),
    "afchar-meso4-face2face": _authors(
        "meso4", "Meso4_F2F.h5", "bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7", "Face2Face"
    ),
    "afchar-meso_inception4-deepfake": _authors(
        "meso_inception4",
        "MesoInception_DF.h5",
        "234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa",
        "Deepfake",
    ),
    "afchar-meso_inception4-face2face": _authors(
        "meso_inception4",
        "MesoInception_F2F.h5",
        "d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f",
        "Face2Face",
    ),
}
for _path in sorted(BUNDLED.glob("*.json")):  # the model cards that train_bundled_weights.py writes beside its weights
    _card = json.loads(_path.read_text(encoding="utf-8"))
    WEIGHTS[_card["name"]] = Entry(_card["network"], _card["file"], _card["sha256"], None, _card["about"])
DEFAULT = "meso4-deepfake"  # what `scan` and the notebooks use when nothing is named


def cache() -> Path:
    """The folder of downloaded weights: the environment variable MESOKIT_CACHE, else the user's cache folder."""
    import pooch

    return Path(os.environ.get("MESOKIT_CACHE") or pooch.os_cache("mesokit"))


def fetch(name: str, progress: bool = True) -> Path:
    """The file of the weights called `name`, downloaded once if it is not bundled, its sha256 checked.

    Raises ValueError for an unknown name or a file with another sha256, OSError when it cannot be downloaded.
    """
    if name not in WEIGHTS:
        raise ValueError(f"no weights are called {name!r}; there are {', '.join(sorted(WEIGHTS))}")
    entry = WEIGHTS[name]
    if entry.url is None:
        return _checked(BUNDLED / entry.file, entry)
    path = cache() / entry.file
    if path.exists():
        return _checked(path, entry)
    try:
        cache().mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache()).close()
    except OSError as error:
        why = f"cannot keep downloads here ({error.strerror}); name a folder that you may write to in MESOKIT_CACHE"
        raise OSError(f"{cache()}: {why}") from error
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=30)
    try:
        pooch.retrieve(entry.url, f"sha256:{entry.sha256}", entry.file, cache(), downloader=downloader)
    except ValueError as error:  # pooch has deleted what it got
        raise ValueError(
            f"{entry.url}: the download has another sha256 than {name} should; nothing was kept"
        ) from error
    except OSError as error:
        answer = getattr(error, "response", None)  # of the server; an OSError with a number is one of the disk
        why = f"the server answered {answer.status_code}" if answer is not None else error.strerror or "no network?"
        raise OSError(f"cannot download {name} ({why}): get {entry.url} elsewhere and put it into {cache()}") from error
    return path


def _checked(path: Path, entry: Entry) -> Path:
    if files.sha256(path) != entry.sha256:
        raise ValueError(f"{path}: its sha256 is not that of the published file; delete it to get it again")
    return path


def load(source: str | os.PathLike[str], real_label: int | None = None, centred: bool = False) -> keras.Model:
    """A network with the weights `source`: a name in `WEIGHTS`, or a file of Keras or PyTorch, known by its content.

    Files: weights in the layout of Keras 2 or 3 (HDF5), a whole model (.keras), a PyTorch port (.pth, .safetensors;
    see `ports`, where `real_label` and `centred` are explained), whatever their names are.
    The network and its input size are recognised by the shapes in the file; those of Xception fit any size, and HDF5
    weights of it are read at 256 pixels. Raises FileNotFoundError, OSError, and
    ValueError for what is not a weight file of these networks, is damaged, holds NaN or infinity, or carries code.
    """
    from mesokit import ports

    path = fetch(str(source)) if str(source) in WEIGHTS else Path(source)
    if not path.is_file():
        raise FileNotFoundError(_not_a_file(source, path))
    if ports.is_torch(path):
        network = ports.load(path, real_label, centred)
    elif real_label is not None or centred:
        raise ValueError(f"{path}: not a PyTorch file, so its label and pixels are known; leave real_label and centred")
    elif h5py.is_hdf5(path):
        network = _load_h5(path)
    elif _is_keras(path):
        network = _load_keras(path)
    else:
        form = ".keras" if path.suffix == ".keras" else "HDF5"
        why = f": it is {kind}" if (kind := files.kind(path)) else " (truncated, or something else); get it again"
        raise ValueError(f"{path}: not a whole {form} file{why}")
    if not all(np.isfinite(values).all() for values in network.get_weights()):
        raise ValueError(
            f"{path}: the weights hold NaN or infinite numbers; the file is damaged or its training diverged"
        )
    return network


def graph(source: str | os.PathLike[str]) -> graphs.Graph | None:
    """The network of `source` for `evaluation.scorer`, read without TensorFlow; None where only `load` can read it.

    Can be read: HDF5 weights of the networks in `networks.json`, at 256 pixels, in the layout of Keras 2 or 3. The
    rest is for `load`, also a file with an error, which `load` names. Raises ValueError and OSError as `fetch`.
    """
    path = fetch(str(source)) if str(source) in WEIGHTS else Path(source)
    try:
        with h5py.File(path) as file:
            shapes, root = _declared_shapes(file, path), file.get("model_weights", file)
            for layers in files.read_json(NETWORKS).values():
                own = {name: how["arrays"] for _, name, _, how in layers if "arrays" in how}
                if shapes == sorted(tuple(shape) for each in own.values() for shape in each):
                    read = _keras2(root) if "layer_names" in root.attrs else _keras3(root, layers)
                    arrays = dict(zip(own, read, strict=True))
                    fits = all([list(one.shape) for one in arrays[name]] == own[name] for name in own)
                    finite = all(np.isfinite(one).all() for each in arrays.values() for one in each)
                    return graphs.Graph(layers, arrays, (None, 256, 256, 3)) if fits and finite else None
    except (ValueError, LookupError, OSError, TypeError):
        pass
    return None


def _keras2(root: h5py.Group) -> list[list[np.ndarray]]:
    """The arrays of each layer that has some, in order, in the layout of Keras 2."""
    groups = [root[name] for name in root.attrs["layer_names"]]
    return [[np.asarray(g[name], np.float32) for name in g.attrs["weight_names"]] for g in groups if len(g)]


def _keras3(root: h5py.Group, layers: list[graphs.Layer]) -> list[list[np.ndarray]]:
    """The same in the layout of Keras 3, which numbers the layers of each class."""
    found, seen = [], Counter[str]()
    for kind, _, _, how in layers:
        name = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization", "Dense": "dense"}.get(kind)
        if name:
            group = root[f"layers/{name}{f'_{seen[name]}' * bool(seen[name])}/vars"]
            found.append([np.asarray(group[str(i)], np.float32) for i in range(len(how["arrays"]))])
            seen[name] += 1
    return found


def _not_a_file(source: str | os.PathLike[str], path: Path) -> str:
    """The sentence for a source of weights that is neither a name nor a file."""
    if (path / "saved_model.pb").is_file():
        way = "load it with the TensorFlow that made it, and save its weights with model.save_weights('NAME.h5')"
        return f"{source}: a SavedModel folder, which is a program and not a weight file; {way}"
    if path.is_dir():
        return f"{source}: a folder, not a weight file; give the file in it"
    return f"{source}: no such weight file: {files.missing(source)}; weights with a name are {', '.join(WEIGHTS)}"


def save(network: keras.Model, path: Path) -> None:
    """Write the weights of `network` to `path` (ending in .weights.h5), whole or not at all.

    Raises ValueError for a network with other layers than `models.NETWORKS` has (some PyTorch ports).
    """
    if network.name.endswith("_port"):
        way = "its weights alone do not tell its layers; keep them with network.save('NAME.keras')"
        raise ValueError(f"{path}: {network.name} has other layers than the networks of this kit, so {way}")
    # The optimizer of a trained network would triple the file, and clone_model takes it along.
    bare = type(network).from_config(network.get_config())
    bare.set_weights(network.get_weights())
    with files.writing(path) as part:
        bare.save_weights(part)


def card(path: Path, network: str, about: str) -> dict[str, str]:
    """The part of a card that `WEIGHTS` is made from: name, network, file, sha256 and about, of a saved weight file."""
    name = path.name.removesuffix(".weights.h5")
    return {"name": name, "network": network, "file": path.name, "sha256": files.sha256(path), "about": about}


def _load_h5(path: Path) -> keras.Model:
    try:
        with h5py.File(path) as file:
            shapes = _declared_shapes(file, path)
            keras2 = "layer_names" in file.attrs or "model_weights" in file
    except OSError as error:
        raise ValueError(f"{path}: not a whole HDF5 file (truncated, or something else); get it again") from error
    network = _recognise(shapes, path)
    try:
        with _called(path, ".h5" if keras2 else ".weights.h5") as named:
            network.load_weights(named)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(f"{path}: its layers are not those of {network.name}, or it is damaged") from error
    return network


@contextmanager
def _called(path: Path, ending: str) -> Iterator[Path]:
    """A path of the same file with the ending by which Keras chooses how to read it."""
    if path.name.endswith(ending) and path.name.endswith(".weights.h5") == (ending == ".weights.h5"):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / f"copy{ending}"
        shutil.copyfile(path, named)
        yield named


def _declared_shapes(file: h5py.File, path: Path) -> list[tuple[int, ...]]:
    """The shapes of all weight arrays in an open HDF5 file, read from its headers only."""
    shapes: list[tuple[int, ...]] = []

    def visit(group: h5py.Group) -> None:
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise ValueError(f"{path}: it links to other places ({key}); weights must be in the file itself")
            item = group[key]
            if isinstance(item, h5py.Group):
                visit(item)
            elif item.is_virtual or item.external:
                raise ValueError(
                    f"{path}: {key} points to data outside of the file; weights must be in the file itself"
                )
            elif "seed_generator" not in item.name and "optimizer" not in item.name:
                shapes.append(item.shape)

    visit(file)
    return sorted(shapes)


def _recognise(shapes: list[tuple[int, ...]], path: Path) -> keras.Model:
    """The network whose arrays have exactly these shapes; the input size follows from the first dense layer's rows."""
    from mesokit import models

    dense = [shape[0] for shape in shapes if len(shape) == 2 and shape[1] == 16]
    cells = round((dense[0] / 16) ** 0.5) if len(dense) == 1 else 0  # 16 channels; four poolings divide a side by 32
    any_size = models.SIZE if (2048, 1) in shapes else 0  # Xception's logit, after a pooling that forgets the size
    sizes = {"meso4": 32 * cells, "meso_inception4": 32 * cells, "xception": any_size}
    for name, size in sizes.items():
        if 32 <= size <= 2048:
            network = models.NETWORKS[name](size=size)
            if sorted(tuple(w.shape) for w in network.weights if "seed" not in w.path) == shapes:
                return network
    raise ValueError(f"{path}: not the weights of {' or '.join(models.NETWORKS)}: its arrays have other shapes")


def _is_keras(path: Path) -> bool:
    """Whether a file is a whole model of Keras 3 (.keras), by its content."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return "model.weights.h5" in archive.namelist()


def _load_keras(path: Path) -> keras.Model:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            with archive.open("model.weights.h5") as member, h5py.File(member) as file:
                size += 4 * sum(int(np.prod(shape)) for shape in _declared_shapes(file, path))
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise ValueError(f"{path}: not a whole .keras file (truncated, or something else); get it again") from error
    if size > LARGEST:
        raise ValueError(
            f"{path}: it declares more than {LARGEST >> 20} MB of weights; no network of this kit is so large"
        )
    try:
        with _called(path, ".keras") as named:
            from mesokit.backend import keras

            network = keras.saving.load_model(named, compile=False, safe_mode=True)
    except Exception as error:  # the file chooses which of Keras' and Python's errors comes
        code = (
            "it carries code (a Lambda layer), which is never run" if "ambda" in str(error) else "Keras cannot read it"
        )
        raise ValueError(f"{path}: {code}; save the weights alone (.weights.h5) instead") from error
    if len(network.inputs) != 1 or network.input_shape[-1:] != (3,) or network.output_shape[1:] != (1,):
        raise ValueError(f"{path}: a network of this kit takes one image (size, size, 3) and gives one number p_real")
    return network
