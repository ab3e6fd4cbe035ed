"""From clips to a dataset of aligned faces on disk, and from there to batches for training.

    DATASET/dataset.json, clips.csv, faces.csv            what it is, and the two tables of `manifest`
    DATASET/failures.csv                                  clips that gave no face, with the reason
    DATASET/faces/<crf>/<split>/<forged|real>/<clip>_f00012.png     aligned faces, 256x256 RGB
    DATASET/masks/<split>/<clip>_f00012.png               synthetic forgeries: the tampered region, in the same geometry

`clip` builds one clip, `building` all of them, here or on a cluster, `loading` reads them for training.
"""

from mesokit.dataset.building import adopt, build, estimate, matched, processes
from mesokit.dataset.clip import SAMPLINGS, Built
from mesokit.dataset.files import SIZE, clips, images, read, sharpness, write_png
from mesokit.dataset.loading import Augmentation, augment, batches, training_batches, warp

__all__ = [
    "SAMPLINGS",
    "SIZE",
    "Augmentation",
    "Built",
    "adopt",
    "augment",
    "batches",
    "build",
    "clips",
    "estimate",
    "images",
    "matched",
    "processes",
    "read",
    "sharpness",
    "training_batches",
    "warp",
    "write_png",
]
