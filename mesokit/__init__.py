"""mesokit: learn how compact networks detect forged face video, and why they decide as they do.

The rooms, in the order data flows. A room imports only from the rooms above it.

    files        atomic writing, sha256, JSON, paths that stay inside a folder
    backend      TensorFlow and Keras, imported and set up in one place
    graphs       networks on OpenVINO, built from layers and arrays without TensorFlow
    video        clips in and out: probe, read frames, write H.264, find scenes
    faces        find faces, follow them through a clip, cut them out as the authors did
    dataset      from clips to tables and aligned faces on disk, and from there to batches
    synthetic    invented people, two ways to forge them, the studio that makes the default data
    fast         layers and scoring that are faster than Keras' own, with equal results
    models       Meso-4, MesoInception-4 and Xception
    ports        weight files of PyTorch ports, read without running code
    weights      named weights, bundled or downloaded, and safe loading of any weight file
    training     recipes: loss, learning rate, augmentation, fit
    evaluation   scores, metrics, rules from frames to clips, intervals, simple detectors
    scan         a verdict on a clip or photograph
    stress       what can happen to a picture before it reaches a detector
    interpret    filters, what neurons want to see, activations, attribution, interventions
    plots        a function per figure
    lesson       what a notebook talks to: its data, findings, exercise checks, explorers
    reproduce    the paper's tables on any dataset
    report       runs the notebooks and renders their pages
    doctor       what is installed, what is missing, how long a notebook takes
    commands     what mesokit make, scan, report and the others do, a module each
    cli          the door to the commands

Import the room you need: this file imports none of them, so that `import mesokit` is instant.
"""

import os

# TensorFlow prints a screen of start-up notes before the first result; warnings and errors still show.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Whatever the environment says: Keras 3 on TensorFlow, which the data pipeline and tf-keras-vis need.
_NEEDED = {"KERAS_BACKEND": "tensorflow", "TF_USE_LEGACY_KERAS": "0"}
OVERRULED = {name: os.environ[name] for name, value in _NEEDED.items() if os.environ.get(name, value) != value}
os.environ |= _NEEDED

__version__ = "0.1.0"
