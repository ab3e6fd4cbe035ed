"""TensorFlow and Keras, imported here only, without the screen of start-up notes that TensorFlow prints.

Settings of Keras made for other work (environment variables, keras.json) are overruled here: `settled` lists them.
The notes (processor features, no GPU found) come from C++ while its libraries load, before any setting is read.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mesokit import OVERRULED


@contextmanager
def quietly() -> Iterator[None]:
    """Send file descriptor 2 to a temporary file; what was written there is shown only if the block fails."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        try:
            os.dup2(notes.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(saved, 2)
        except BaseException:
            notes.seek(0)
            sys.stderr.write(notes.read().decode(errors="replace"))
            raise
        finally:
            os.close(saved)


# TensorFlow's own caching allocator: a training step of Meso-4 takes two thirds of the time it takes with malloc.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "1")
# TensorFlow computes with oneDNN by itself on processors with AVX-512 VNNI or newer only. With AVX2 it is worth as
# much: there a training step of Meso-4 takes 94 ms with it, and 304 compiled by XLA (two cores, 16 faces).
if platform.machine() in ("x86_64", "AMD64"):
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_JSON = Path(os.environ.get("KERAS_HOME") or Path("~", ".keras")).expanduser() / "keras.json"
try:
    with quietly():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()  # looks for a GPU, and says so loudly when there is none
except (ValueError, AttributeError, TypeError) as error:
    if not _JSON.is_file():
        raise
    raise ValueError(
        f"{_JSON}: Keras cannot start with these settings ({error}); mend the file or delete it"
    ) from error


def _settle() -> list[str]:
    """Set what the kit needs of Keras' settings; a sentence for each one that was another.

    Raises ValueError where Keras or TensorFlow were imported before, with settings that cannot be changed any more.
    """
    legacy = getattr(tf, "_tf_uses_legacy_keras", False)  # TensorFlow read the variable before mesokit could set it
    if legacy or keras.config.backend() != "tensorflow":
        found = "TF_USE_LEGACY_KERAS=1" if legacy else f"Keras on {keras.config.backend()}"
        way = (
            "import mesokit before TensorFlow and Keras, or remove TF_USE_LEGACY_KERAS and KERAS_BACKEND and start anew"
        )
        raise ValueError(f"this process began with {found}, and mesokit needs Keras 3 on TensorFlow; {way}")
    told = [f"{name}={value} is set; mesokit does without it" for name, value in OVERRULED.items()]
    needed = {"image_data_format": "channels_last", "floatx": "float32", "epsilon": 1e-7}
    for name, value in needed.items():
        if (was := getattr(keras.config, name)()) != value:
            getattr(keras.config, f"set_{name}")(value)
            told.append(f"{_JSON} has {name} {was}; mesokit takes {value}")
    return told


settled = _settle()  # what was overruled, a sentence each, for `mesokit check`

# TensorFlow warns of functions that are traced again and again; a notebook that trains several networks does that.
tf.get_logger().addFilter(lambda record: "retracing" not in record.getMessage())

__all__ = ["deterministic", "keras", "precision", "quietly", "settled", "tf"]


def precision() -> str:
    """Keras' dtype policy to train with here: "mixed_float16" where all GPUs have units for float16, else "float32".

    Never bfloat16, which newer GPUs have too: between 0.5 and 1 its numbers are 1/256 apart, as coarse as the pixels.
    """
    details = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
    capable = [one.get("compute_capability", (0, 0)) >= (7, 0) for one in details]  # NVIDIA's, from Volta (2017) on
    return "mixed_float16" if capable and all(capable) else "float32"


def deterministic() -> None:
    """From here on, the same seed gives the same weights bit by bit on this machine, whatever its load.

    Call it before anything is computed. Raises RuntimeError where that is too late.
    """
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
