"""Somebody's settings of Keras: overruled, or one sentence that names them; no inner error and no other scores."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # each starts TensorFlow anew

SCORE = """
import numpy as np
from mesokit import backend, weights
network = weights.load("meso4-deepfake")
face = np.random.default_rng(0).random((1, 256, 256, 3), np.float32)
print(backend.keras.config.backend(), network.get_layer("conv1").data_format, network.dtype, float(network(face)[0, 0]))
print(*backend.settled, sep="\\n")
"""


def started(program, tmp_path=None, settings=None, **environment):
    """(exit status, lines of stdout, stderr) of a program in a process of its own, with keras.json of `settings`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("KERAS_", "TF_USE_LEGACY"))}
    if settings is not None:
        (tmp_path / "keras.json").write_text(settings)
        env["KERAS_HOME"] = str(tmp_path)
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env=env | environment)
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.fixture(scope="module")
def usual():
    code, (line, *settled), _ = started(SCORE)
    assert code == 0 and settled == [""]
    return line


OTHER = {"image_data_format": "channels_first", "floatx": "float16", "epsilon": 0.001, "backend": "jax"}


@pytest.mark.parametrize(
    ("settings", "environment", "words"),
    [
        (None, {"TF_USE_LEGACY_KERAS": "1"}, ["TF_USE_LEGACY_KERAS=1 is set"]),
        (None, {"KERAS_BACKEND": "torch", "TF_USE_LEGACY_KERAS": "True"}, ["KERAS_BACKEND=torch", "KERAS=True is set"]),
        (
            json.dumps(OTHER),
            {"KERAS_BACKEND": "jax"},
            ["KERAS_BACKEND=jax", "channels_first", "float16", "epsilon 0.001"],
        ),
        ("{ damaged", {}, []),
    ],
    ids=["legacy", "torch", "keras.json", "damaged"],
)
def test_scores_are_the_same_whatever_is_set(tmp_path, usual, settings, environment, words):
    code, (line, *settled), error = started(SCORE, tmp_path, settings, **environment)
    assert (code, line) == (0, usual), error
    assert usual.startswith("tensorflow channels_last float32 ")
    settled = [one for one in settled if one]
    assert len(settled) == len(words) and all(word in one for word, one in zip(words, settled, strict=True))


def test_check_tells_what_was_overruled(tmp_path):
    check = "from mesokit import cli; raise SystemExit(cli.main(['check', '--no-times']))"
    settings = json.dumps({"image_data_format": "channels_first"})
    code, lines, _ = started(check, tmp_path, settings, KERAS_BACKEND="torch")
    assert code == 0 and "ok      KERAS_BACKEND=torch is set; mesokit does without it" in lines
    told = f"ok      {tmp_path / 'keras.json'} has image_data_format channels_first; mesokit takes channels_last"
    assert told in lines


def test_a_setting_that_keras_refuses_is_a_sentence_with_the_file(tmp_path):
    for arguments in (["check", "--no-times"], ["scan", "x.mp4", "--centred"]):  # centred: weights of PyTorch, on Keras
        call = f"from mesokit import cli; raise SystemExit(cli.main({arguments!r}))"
        code, lines, error = started(call, tmp_path, '{"image_data_format": "first"}')
        said = "\n".join(lines) + error
        assert code == (1 if "check" in arguments else 2) and "Traceback" not in said
        assert f"{tmp_path / 'keras.json'}: Keras cannot start with these settings" in said
        assert "mend the file or delete it" in said


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("import tensorflow", "this process began with TF_USE_LEGACY_KERAS=1"),
        # another backend is not installed here, so Keras is told that it has one
        ("import keras; keras.config.backend = lambda: 'jax'", "this process began with Keras on jax"),
    ],
)
def test_keras_that_was_started_otherwise_before_is_a_sentence(before, words):
    program = f"{before}\nfrom mesokit import cli\nraise SystemExit(cli.main(['scan', 'x.mp4', '--centred']))"
    environment = {"TF_USE_LEGACY_KERAS": "1"} if "tensorflow" in before else {}
    code, _, error = started(program, **environment)
    assert code == 2 and "Traceback" not in error
    assert words in error and "import mesokit before TensorFlow and Keras, or remove" in error


def test_what_needs_no_keras_works_with_any_settings(tmp_path):
    call = "from mesokit import cli; raise SystemExit(cli.main(['scan', 'x.mp4']))"
    code, (line, *_), _ = started(call, tmp_path, '{"image_data_format": "first"}', TF_USE_LEGACY_KERAS="1")
    assert code == 1 and line.startswith("error") and "x.mp4" in line  # there is no such clip
