"""From clips to a dataset of aligned faces on disk, and from there to batches for training.

    DATASET/dataset.json, clips.csv, faces.csv            what it is, and the two tables of `manifest`
    DATASET/failures.csv                                  clips that gave no face, with the reason
    DATASET/people.csv                                    who is in clips that show several people, and who was kept
    DATASET/faces/<crf>/<split>/<forged|real>/<clip>_f00012.png     aligned faces, 256x256 RGB
    DATASET/masks/<split>/<clip>_f00012.png               synthetic forgeries: the tampered region, in the same geometry

In the order of a build: `sources` indexes a public dataset as a clip table, `manifest` checks it, `building` plans one
job for each clip, `running` runs the jobs here or on a cluster, `clip` does one, `cropping` cuts its faces out, and
`tables` writes the result. `adopting` takes faces that were published without clips. `opening` opens what was built,
`pictures` reads the images, `review` holds what a person decided about them, `shards` packs them into a few large
files, and `loading` makes batches. The last two are not imported here, because they load TensorFlow.
"""

from mesokit.dataset.adopting import adopt
from mesokit.dataset.building import build, estimate
from mesokit.dataset.clip import Built
from mesokit.dataset.cropping import SAMPLINGS
from mesokit.dataset.opening import UNKNOWN, Dataset, open, pairs
from mesokit.dataset.pictures import clips, images, read, sharpness
from mesokit.dataset.running import processes

__all__ = [
    "SAMPLINGS",
    "UNKNOWN",
    "Built",
    "Dataset",
    "adopt",
    "build",
    "clips",
    "estimate",
    "images",
    "open",
    "pairs",
    "processes",
    "read",
    "sharpness",
]
