"""From clips to a dataset of aligned faces on disk, and from there to batches for training.

    DATASET/dataset.json, clips.csv, faces.csv            what it is, and the two tables of `manifest`
    DATASET/failures.csv                                  clips that gave no face, with the reason
    DATASET/faces/<crf>/<split>/<forged|real>/<clip>_f00012.png     aligned faces, 256x256 RGB
    DATASET/masks/<split>/<clip>_f00012.png               synthetic forgeries: the tampered region, in the same geometry

`clip` builds one clip, `building` all of them, here or on a cluster, `loading` reads them for training.
This module leaves `loading` out, because it loads TensorFlow: import it by name.
"""

from mesokit.dataset.building import adopt, build, estimate, matched, processes
from mesokit.dataset.clip import SAMPLINGS, Built
from mesokit.dataset.pictures import SIZE, clips, images, read, sharpness, write_png

__all__ = [
    "SAMPLINGS",
    "SIZE",
    "Built",
    "adopt",
    "build",
    "clips",
    "estimate",
    "images",
    "matched",
    "processes",
    "read",
    "sharpness",
    "write_png",
]
