"""PyTorch files, written here without torch: the same scores as their port computes, or a refusal with the reason."""

import io
import json
import os
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from mesokit import cli, models, ports, weights

CASES = Path(os.environ.get("MESOKIT_CASES", Path(__file__).parents[2] / "shared" / "cases"))
SIDE = 64  # pixels: the first dense layer has 16 x 2 x 2 columns
FACES = np.random.default_rng(0).random((2, SIDE, SIDE, 3), dtype=np.float32)
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*its output is taken for p_real")]

# --- what a port computes: NCHW, written out --------------------------------------------------------------------------


def conv(x, state, name, dilation=1):
    kernel = state[f"{name}.weight"]
    side = kernel.shape[2]
    reach = dilation * (side // 2)
    padded = np.pad(x, [(0, 0), (0, 0), (reach, reach), (reach, reach)])
    seen = sliding_window_view(padded, (2 * reach + 1,) * 2, axis=(2, 3))[..., ::dilation, ::dilation]
    y = np.einsum("nihwkl,oikl->nohw", seen, kernel)
    return y + state[f"{name}.bias"][None, :, None, None] if f"{name}.bias" in state else y


def norm(x, state, name):
    part = [state[f"{name}.{what}"][None, :, None, None] for what in ("running_mean", "running_var", "weight", "bias")]
    return (x - part[0]) / np.sqrt(part[1] + 1e-5) * part[2] + part[3]


def pool(x, side):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // side, side, w // side, side).max((3, 5))


def relu(x):
    return np.maximum(x, 0)


def head(x, state, first="fc1", second="fc2"):
    hidden = x.reshape(len(x), -1) @ state[f"{first}.weight"].T + state[f"{first}.bias"]
    return np.where(hidden > 0, hidden, 0.1 * hidden) @ state[f"{second}.weight"].T + state[f"{second}.bias"]


def meso4(x, state, convs=("conv1", "conv2", "conv3", "conv4"), norms=("bn1", "bn2", "bn3", "bn4"), early=False):
    for i in range(4):
        x = conv(x, state, convs[i])
        x = relu(norm(x, state, norms[i])) if early else norm(relu(x), state, norms[i])
        x = pool(x, (2, 2, 2, 4)[i])
    return x


def block(x, state, names, active):
    branches = [active(conv(x, state, names[0]))]
    for i, dilation in ((1, 1), (3, 2), (5, 3)):
        branches.append(active(conv(active(conv(x, state, names[i])), state, names[i + 1], dilation)))
    return np.concatenate(branches, 1)


# --- their states -----------------------------------------------------------------------------------------------------


def state(layers, rng, bias=True, outputs=1, signed=False):
    """Random tensors for (name, shape) of convolutions, (name, channels) of normalizations, and the dense layers."""
    made = OrderedDict()
    for name, shape in layers:
        if isinstance(shape, tuple):
            made[f"{name}.weight"] = rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape)
            if bias or len(shape) == 2:
                made[f"{name}.bias"] = rng.normal(0, 0.3, shape[:1])
        else:
            made[f"{name}.weight"], made[f"{name}.bias"] = rng.uniform(0.5, 2, shape), rng.normal(0, 0.5, shape)
            made[f"{name}.running_mean"] = rng.normal(0, 0.3, shape) if signed else rng.uniform(0, 0.5, shape)
            made[f"{name}.running_var"] = rng.uniform(0.0005, 0.5, shape)  # small ones: there the epsilon counts
            made[f"{name}.num_batches_tracked"] = np.array(7)
    return OrderedDict((name, values.astype("i8" if "batches" in name else "f4")) for name, values in made.items())


SHAPES = [(8, 3, 3, 3), (8, 8, 5, 5), (16, 8, 5, 5), (16, 16, 5, 5)]
PARTS = [
    [(1, 3), (4, 3), (4, 4), (4, 3), (4, 4), (2, 3), (2, 2)],
    [(2, 11), (4, 11), (4, 4), (4, 11), (4, 4), (2, 11), (2, 2)],
]


def dense(outputs, first="fc1", second="fc2"):
    return [(first, (16, 64)), (second, (outputs, 16))]


def inner(names, i):
    sides = (1, 1, 3, 1, 3, 1, 3)
    return [(name, (*PARTS[i][k], sides[k], sides[k])) for k, name in enumerate(names)]


def shared_meso4(rng, outputs=2):  # Honggu Liu's: one normalization for the first two blocks, and one for the others
    layers = [
        ("conv1", SHAPES[0]),
        ("bn1", 8),
        ("conv2", SHAPES[1]),
        ("bn2", 16),
        ("conv3", SHAPES[2]),
        ("conv4", SHAPES[3]),
    ]
    made = state([*layers, *dense(outputs)], rng, bias=False)
    return made, lambda x: head(meso4(x, made, norms=("bn1", "bn1", "bn2", "bn2")), made)


def plain_meso4(rng, outputs=1):
    layers = [pair for i in range(4) for pair in ((f"conv{i + 1}", SHAPES[i]), (f"bn{i + 1}", SHAPES[i][0]))]
    made = state([*layers, *dense(outputs)], rng)
    return made, lambda x: head(meso4(x, made), made)


def early_meso4(rng):  # the normalization before the ReLU
    layers = [pair for i in range(4) for pair in ((f"conv{i + 1}", SHAPES[i]), (f"bn{i + 1}", SHAPES[i][0]))]
    made = state([*layers, *dense(1)], rng, signed=True)
    return made, lambda x: head(meso4(x, made, early=True), made)


def sequential_meso4(rng):
    convs, norms = [f"features.{i}" for i in (0, 4, 8, 12)], [f"features.{i}" for i in (2, 6, 10, 14)]
    layers = [pair for i in range(4) for pair in ((convs[i], SHAPES[i]), (norms[i], SHAPES[i][0]))]
    made = state([*layers, *dense(1, "classifier.2", "classifier.5")], rng)
    return made, lambda x: head(meso4(x, made, convs, norms), made, "classifier.2", "classifier.5")


def linear_inception(rng):  # Honggu Liu's: no ReLU in the blocks
    parts = ["1", "2_1", "2_2", "3_1", "3_2", "4_1", "4_2"]
    names = [[f"Incption{i}_conv{part}" for part in parts] for i in (1, 2)]
    layers = [*inner(names[0], 0), ("Incption1_bn", 11), *inner(names[1], 1), ("Incption2_bn", 12)]
    blocks = state(layers, rng, bias=False, signed=True)
    tail = [("conv1", (16, 12, 5, 5)), ("bn1", 16), ("conv2", (16, 16, 5, 5))]
    made = OrderedDict({**blocks, **state([*tail, *dense(2)], rng, bias=False)})

    def forward(x):
        for i in (0, 1):
            x = pool(norm(block(x, made, names[i], lambda y: y), made, f"Incption{i + 1}_bn"), 2)
        for i in (0, 1):
            x = pool(norm(relu(conv(x, made, f"conv{i + 1}")), made, "bn1"), (2, 4)[i])
        return head(x, made)

    return made, forward


def inception(rng):  # the outer layers come first in the order of the alphabet
    names = [
        [f"inception{i}.{part}" for part in ("branch1", *(f"branch{j}_{k}" for j in (2, 3, 4) for k in (1, 2)))]
        for i in (1, 2)
    ]
    layers = [*inner(names[0], 0), ("bn1", 11), *inner(names[1], 1), ("bn2", 12)]
    layers += [("conv3", (16, 12, 5, 5)), ("bn3", 16), ("conv4", (16, 16, 5, 5)), ("bn4", 16)]
    made = state([*layers, *dense(1)], rng)

    def forward(x):
        for i in (0, 1):
            x = pool(norm(block(x, made, names[i], relu), made, f"bn{i + 1}"), 2)
        for i in (3, 4):
            x = pool(norm(relu(conv(x, made, f"conv{i}")), made, f"bn{i}"), (2, 4)[i - 3])
        return head(x, made)

    return made, forward


# --- their files ------------------------------------------------------------------------------------------------------

STORAGES = {"f4": "FloatStorage", "i8": "LongStorage", "f2": "HalfStorage", "f8": "DoubleStorage"}


class Written:
    """A tensor as torch.save writes it: a call of torch._utils._rebuild_tensor_v2 with a persistent storage."""

    def __init__(self, values, key):
        self.values, self.key = values, key


@pytest.fixture
def torch(monkeypatch):
    """Stand-ins for the names that a pickle of torch holds, so that pickle can write them."""
    fake, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in STORAGES.values():
        setattr(fake, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_):
        raise AssertionError("the reader must not call this")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", fake)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return fake


def pickled(found, torch, protocol=2, old=False):
    class Pickler(pickle.Pickler):
        def reducer_override(self, value):
            if not isinstance(value, Written):
                return NotImplemented
            strides = tuple(step // value.values.itemsize for step in value.values.strides)
            arguments = (("storage", value), 0, value.values.shape, strides, False, OrderedDict())
            return sys.modules["torch._utils"]._rebuild_tensor_v2, arguments

        def persistent_id(self, value):
            if not (isinstance(value, tuple) and len(value) == 2 and value[0] == "storage"):
                return None
            kind = getattr(torch, STORAGES[value[1].values.dtype.str[1:]])
            return ("storage", kind, value[1].key, "cpu", value[1].values.size, *([None] if old else []))

    file = io.BytesIO()
    Pickler(file, protocol).dump(found)
    return file.getvalue()


def tensors(made):
    return OrderedDict((name, Written(values, str(i))) for i, (name, values) in enumerate(made.items()))


def save(path, made, torch, wrap=lambda state: state, protocol=2):
    found = tensors(made)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled(wrap(found), torch, protocol))
        archive.writestr("archive/byteorder", "little")
        for one in found.values():
            archive.writestr(f"archive/data/{one.key}", one.values.tobytes())
    return path


def save_old(path, made, torch):
    """The form of torch before 1.6."""
    found = tensors(made)
    parts = [ports.LEGACY, pickle.dumps(1001, 2), pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2)]
    keys = sorted(one.key for one in found.values())
    parts += [pickled(found, torch, old=True), pickle.dumps(keys, 2)]
    by_key = {one.key: one.values for one in found.values()}
    parts += [struct.pack("<q", by_key[key].size) + by_key[key].tobytes() for key in keys]
    path.write_bytes(b"".join(parts))
    return path


def save_safe(path, made):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name in sorted(made):
        kind = {"f4": "F32", "i8": "I64"}[made[name].dtype.str[1:]]
        offsets = [len(data), len(data) + made[name].nbytes]
        header[name] = {"dtype": kind, "shape": list(made[name].shape), "data_offsets": offsets}
        data += made[name].tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def logits(network, faces=FACES):
    """Not p_real, which is 0 or 1 for many of the random networks here."""
    return np.asarray(models.logits(network)(faces, training=False))[:, 0]


def same(found, want):
    """Equal but for the rounding of float32 in five layers; the two faces differ by much more."""
    return np.allclose(found, want, rtol=1e-4, atol=1e-3) and abs(want[0] - want[1]) > 0.05


def chw(faces=FACES):
    return faces.transpose(0, 3, 1, 2).astype(float)


# --- the same scores --------------------------------------------------------------------------------------------------

PORTS = [shared_meso4, plain_meso4, early_meso4, sequential_meso4, linear_inception, inception]


@pytest.mark.parametrize("label", [1, 0])
@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_scores_are_those_of_the_port(tmp_path, torch, port, label):
    made, forward = port(np.random.default_rng(1))
    outputs = forward(chw())
    logit = outputs[:, label] - outputs[:, 1 - label] if outputs.shape[1] == 2 else (2 * label - 1) * outputs[:, 0]
    for centred in (False, True):
        if centred:
            outputs = forward(2 * chw() - 1)
            logit = (
                outputs[:, label] - outputs[:, 1 - label] if outputs.shape[1] == 2 else (2 * label - 1) * outputs[:, 0]
            )
        network = weights.load(save(tmp_path / "a.pth", made, torch), label, centred)
        assert same(logits(network), logit)
        others = (centred and port not in (linear_inception, inception)) or port is linear_inception
        assert network.name == ("meso4" if "meso4" in port.__name__ else "meso_inception4") + (
            "_port" if others else ""
        )


@pytest.mark.parametrize("name", ["a.pth", "a.pt", "a", "a.h5", "a.safetensors", "a.pkl"])
def test_a_file_is_known_by_its_content(tmp_path, torch, name):
    made, forward = plain_meso4(np.random.default_rng(2))
    want = forward(chw())[:, 0]
    assert same(logits(weights.load(save(tmp_path / name, made, torch))), want)
    assert same(logits(weights.load(save_old(tmp_path / name, made, torch))), want)
    assert same(logits(weights.load(save_safe(tmp_path / name, made))), want)


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"epoch": 3, "best": 0.5, "state_dict": state, "optimizer": {"lr": [1e-3], "on": True}},
        lambda state: {"model": OrderedDict((f"module.{name}", one) for name, one in state.items())},
        lambda state: OrderedDict((f"backbone.{name}", one) for name, one in state.items()),
    ],
    ids=["checkpoint", "data parallel", "prefix"],
)
def test_checkpoints_are_opened(tmp_path, torch, wrap, protocol):
    made, forward = plain_meso4(np.random.default_rng(3))
    network = weights.load(save(tmp_path / "a.pth", made, torch, wrap, protocol))
    assert same(logits(network), forward(chw())[:, 0])


def test_half_precision_and_bundled_weights(tmp_path, torch):
    """Bundled weights, written as a port would hold them, come back with the same scores at 256 pixels."""
    network = weights.load("meso4-deepfake")
    made = OrderedDict()
    for i in range(1, 5):
        kernel, bias = network.get_layer(f"conv{i}").get_weights()
        gamma, beta, mean, variance = network.get_layer(f"norm{i}").get_weights()
        made |= {f"conv{i}.weight": kernel.transpose(3, 2, 0, 1).copy(), f"conv{i}.bias": bias}
        gamma = gamma * np.sqrt((variance + 1e-5) / (variance + 1e-3))
        made |= {
            f"bn{i}.weight": gamma,
            f"bn{i}.bias": beta,
            f"bn{i}.running_mean": mean,
            f"bn{i}.running_var": variance,
        }
    kernel, bias = network.get_layer("hidden").get_weights()
    made |= {
        "fc1.weight": kernel.reshape(8, 8, 16, 16).transpose(3, 2, 0, 1).reshape(16, 1024).copy(),
        "fc1.bias": bias,
    }
    kernel, bias = network.get_layer("logit").get_weights()
    made |= {"fc2.weight": kernel.T.copy(), "fc2.bias": bias}
    faces = np.random.default_rng(4).random((2, 256, 256, 3), dtype=np.float32)
    again = weights.load(save(tmp_path / "a.pth", made, torch), 1)
    assert again.name == "meso4" and same(logits(again, faces), logits(network, faces))
    half = OrderedDict((name, values.astype("f2")) for name, values in made.items())
    again = weights.load(save(tmp_path / "half.pth", half, torch), 1)
    assert np.allclose(logits(again, faces), logits(network, faces), atol=0.05)


def test_a_strided_tensor_is_read_as_it_lies(tmp_path, torch):
    made, forward = plain_meso4(np.random.default_rng(5))
    made["fc1.weight"] = np.asfortranarray(made["fc1.weight"])
    found = tensors(made)
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", pickled(found, torch))
        for one in found.values():
            archive.writestr(f"a/data/{one.key}", one.values.tobytes("A"))
    assert same(logits(weights.load(tmp_path / "a.pth")), forward(chw())[:, 0])


# --- what must be said, and what is refused ---------------------------------------------------------------------------


def test_two_outputs_and_one_without_a_label(tmp_path, torch):
    two, _ = shared_meso4(np.random.default_rng(6))
    with pytest.raises(ValueError, match="which of its two outputs is for real; say it with --real-label 1 if real"):
        weights.load(save(tmp_path / "two.pth", two, torch))
    one, _ = plain_meso4(np.random.default_rng(6))
    path = save(tmp_path / "one.pth", one, torch)
    with pytest.warns(UserWarning, match="its output is taken for p_real, of pixels from 0 to 1"):
        weights.load(path)
    weights.save(models.meso4(size=32), tmp_path / "own.weights.h5")
    with pytest.raises(ValueError, match="not a PyTorch file, so its label and pixels are known"):
        weights.load(tmp_path / "own.weights.h5", 1)


def test_a_network_with_other_layers_is_kept_whole(tmp_path, torch):
    made, forward = linear_inception(np.random.default_rng(7))
    network = weights.load(save(tmp_path / "a.pth", made, torch), 1, True)
    with pytest.raises(ValueError, match=r"keep them with network\.save"):
        weights.save(network, tmp_path / "a.weights.h5")
    network.save(tmp_path / "a.keras")
    outputs = forward(2 * chw() - 1)
    assert same(logits(weights.load(tmp_path / "a.keras")), outputs[:, 1] - outputs[:, 0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.keras", "a.pth"]


class Code:
    def __reduce__(self):
        return os.system, ("touch hacked",)


def change(name, **to):
    def changed(made):
        return OrderedDict((k, to.get("value", v) if k == name else v) for k, v in made.items())

    return changed


REFUSED = [
    ("code", lambda made: {**tensors(made), "x": Code()}, r"it holds more than tensors \(\w+\.system\): it names code"),
    ("numpy", lambda made: {"state_dict": tensors(made), "best": np.float64(1)}, "it holds more than tensors .numpy"),
    ("no tensors", lambda made: {"epoch": 3}, "there are no tensors in it"),
    ("nothing", lambda made: {}, "there are no tensors in it"),
    ("another network", lambda made: tensors({"conv1.weight": made["conv1.weight"]}), "its 1 layers .1 convolutions"),
    ("a layer more", lambda made: tensors(made | {"last.weight": made["fc2.weight"]}), "3 dense layers"),
    ("another kernel", lambda made: tensors(made | {"conv2.weight": np.zeros((8, 8, 3, 3), "f4")}),
     r"the kernel of its conv2 is \(3, 3, 8, 8\), not \(5, 5, 8, 8\)"),
    ("padded poolings", lambda made: tensors(made | {"fc1.weight": np.zeros((16, 1600), "f4")}),
     r"its first dense layer is \(16, 1600\), not \(16, 1024\) as at 256 pixels"),
    ("three", lambda made: tensors(made | {"fc2.weight": np.ones((3, 16), "f4"), "fc2.bias": np.ones(3, "f4")}),
     r"of its logit is \(16, 3\), not \(16, 1\)"),
    ("no ReLU", lambda made: tensors({k: v for k, v in made.items() if not k.startswith("bn4")}
                                     | {"bn3.running_mean": -made["bn3.running_mean"]}), "no ReLU comes before them"),
    ("infinite", lambda made: tensors(made | {"conv1.bias": np.full(8, np.inf, "f4")}), "NaN or infinite"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "build", "words"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_refused(tmp_path, monkeypatch, torch, name, build, words):
    monkeypatch.chdir(tmp_path)
    made, _ = plain_meso4(np.random.default_rng(8))
    found = build(made)
    with zipfile.ZipFile("a.pth", "w") as archive:
        archive.writestr("a/data.pkl", pickled(found, torch))
        for one in [*found.values(), *found.get("state_dict", {}).values()]:
            if isinstance(one, Written):
                archive.writestr(f"a/data/{one.key}", one.values.tobytes())
    with pytest.raises(ValueError, match=words) as caught:
        weights.load("a.pth", 1)
    assert str(caught.value).startswith("a.pth: ") and "\n" not in str(caught.value)
    assert not Path("hacked").exists()


def test_no_code_is_run_by_old_files_either(tmp_path, monkeypatch, torch):
    monkeypatch.chdir(tmp_path)
    for i in range(4):
        parts = [pickle.dumps(one, 2) for one in (1001, {"little_endian": True}, {}, [])]
        parts[i] = pickle.dumps(Code(), 2)
        Path("a.pth").write_bytes(ports.LEGACY + b"".join(parts))
        with pytest.raises(ValueError, match="it names code, which is never run"):
            weights.load("a.pth")
    assert not Path("hacked").exists()


def test_names_that_lead_to_code_are_in_no_table():
    harmless = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter"}
    others = {name for name in ports._NAMES if not name.startswith("torch.") or not name.endswith("Storage")}
    assert others == harmless


def test_bombs_and_damage(tmp_path, torch):
    made, _ = plain_meso4(np.random.default_rng(9))
    good = save(tmp_path / "good.pth", made, torch).read_bytes()
    path = tmp_path / "a.pth"
    huge = Written(np.zeros((1 << 15, 1 << 15), "i1")[:0].astype("f4"), "0")  # only its shape is written
    huge.values = np.lib.stride_tricks.as_strided(np.zeros(1, "f4"), (1 << 15, 1 << 15), (0, 0))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickled({"conv1.weight": huge}, torch))
        archive.writestr("a/data/0", bytes(4))
    with pytest.raises(ValueError, match="larger than the bytes that belong to it"):
        weights.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02}r\xff\xff\xff\x7f.")  # a memo of two thousand million entries
    with pytest.raises(ValueError, match="made to fill the memory"):
        weights.load(path)
    rng = np.random.default_rng(0)
    for data in [good, save_old(path, made, torch).read_bytes(), save_safe(path, made).read_bytes()]:
        for _ in range(25):
            bad = bytearray(data[: rng.integers(20, len(data))])
            for at in rng.integers(0, min(len(bad), 3000), 3):
                bad[at] = rng.integers(256)
            path.write_bytes(bad)
            try:
                weights.load(path)
            except ValueError as error:
                assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_scan_takes_what_must_be_said(tmp_path, torch, monkeypatch, capsys):
    from mesokit import evaluation, scan

    made, _ = shared_meso4(np.random.default_rng(10))
    save(tmp_path / "two.pth", made, torch)
    (tmp_path / "a.mp4").write_bytes(b"")
    loaded = []
    monkeypatch.setattr(evaluation, "scorer", lambda network: loaded.append(network) or len)
    monkeypatch.setattr(scan, "judge", lambda path, *rest: scan.Judged(str(path), "abstain", "not looked at"))
    call = ["scan", str(tmp_path / "a.mp4"), "--weights", str(tmp_path / "two.pth")]
    assert cli.main(call) == 2 and "say it with --real-label 1" in capsys.readouterr().err
    assert cli.main([*call, "--real-label", "0", "--centred"]) == 0
    assert loaded[0].name == "meso4_port" and loaded[0].layers[1].name == "centre"
    made, _ = plain_meso4(np.random.default_rng(10))
    save(tmp_path / "two.pth", made, torch)
    assert cli.main(call) == 0
    said = capsys.readouterr().err
    assert "mesokit scan: " in said and "its output is taken for p_real" in said and "UserWarning" not in said


def test_the_case_of_the_issue():
    path = CASES / "torch.pth"
    if not path.is_file():
        pytest.skip("the cases of odd inputs are absent")
    with pytest.raises(ValueError, match=r"torch\.pth: a PyTorch file, but there are no tensors in it"):
        weights.load(path)
