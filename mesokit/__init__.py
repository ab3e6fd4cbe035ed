"""mesokit: learn how compact networks detect forged face video, and why they decide as they do.

The modules, in the order data flows: `video`, `faces`, `manifest`, `synthetic`, `dataset`, `models`, `weights`,
`training`, `evaluation`, `plots`, `scan`, `report`, `cli`. Import the one you need: this file imports none of them,
so that `import mesokit` is instant.
"""

import os

# TensorFlow prints a screen of start-up notes before the first result; warnings and errors still show.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Keras 3 has several backends; the kit's data pipeline and tf-keras-vis need this one.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__version__ = "0.1.0"
