"""Run a script with TensorFlow as it comes: what `mesokit.backend` asks of it comes too late once it has started.

    python benchmarks/plain_tensorflow.py SCRIPT [ARGUMENT ...]

So a naive way runs as it would for someone who knows nothing of allocators and oneDNN.
"""

import os
import runpy
import sys
from pathlib import Path


def start_tensorflow() -> None:
    """Without its notes on this processor and on a GPU that is not there, which C++ writes to file descriptor 2."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow as tf

        tf.constant(0.0)  # the first tensor chooses the allocator
    finally:
        os.dup2(saved, 2)


if __name__ == "__main__":
    start_tensorflow()
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
