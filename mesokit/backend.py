"""TensorFlow and Keras, imported here only, without the screen of start-up notes that TensorFlow prints.

Those notes (processor features, no GPU found) come from C++ while its libraries load, before any setting is read.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


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

with quietly():
    import keras
    import tensorflow as tf

    tf.config.list_physical_devices()  # looks for a GPU, and says so loudly when there is none

__all__ = ["keras", "quietly", "tf"]
