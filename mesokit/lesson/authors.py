"""The authors' four networks, analysed as 05 and 06 analyse ours: the reference for how a network is read.

Their weight files are not in the package; `mesokit scan --weights afchar-meso4-deepfake`, for example, downloads one.
Nothing is downloaded here: without the file, the results recorded below are used.

`_RECORDED` was computed with version 0.1.0, TensorFlow 2.21 on a CPU, by

    MESOKIT_CACHE=FOLDER python -c "from mesokit.lesson import authors as a; print(*map(a.alternation, a.NAMES))"
    MESOKIT_CACHE=FOLDER python -c "from mesokit.lesson import authors as a; print(*map(a.sign_groups, a.NAMES))"

where FOLDER holds the four files. A test computes them again.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mesokit import weights
from mesokit.backend import keras
from mesokit.interpret import filters, maximize
from mesokit.interpret import sign_groups as groups

NAMES = [name for name in weights.WEIGHTS if name.startswith("afchar-")]
_SETTINGS = maximize.Settings(steps=32, rate=0.05, last=0.05, jitter=4, rotation=3.0, scale=0.03)  # as in 06
# Middle and half axes (down, across) of an oval, in shares of the side. It is like the region that 06 takes from the
# masks: intersection over union 0.95 with all masks of smoke, 0.96 with those of class, 0.85 to 0.95 with 100 of them.
_OVAL = ((0.466, 0.497), (0.39, 0.318))


def _row(
    share: float, untrained: float, value: float, low: float, high: float, p: float, finer: float
) -> dict[str, float]:
    return {"share": share, "untrained": untrained, "value": value, "low": low, "high": high, "p": p, "p_finer": finer}


def _groups(value: float, low: float, high: float, p_value: float, n_real: int, n_forged: int) -> dict[str, float]:
    return {"value": value, "low": low, "high": high, "p_value": p_value, "n_real": n_real, "n_forged": n_forged}


_RECORDED = {
    "alternation": {
        "afchar-meso4-deepfake": _row(0.1944, 0.2511, -0.0567, -0.1319, 0.0139, 0.955, 0.884),
        "afchar-meso4-face2face": _row(0.1597, 0.2511, -0.0914, -0.1667, -0.0208, 0.997, 0.975),
        "afchar-meso_inception4-deepfake": _row(0.2917, 0.25, 0.0417, -0.0521, 0.125, 0.199, 0.026),
        "afchar-meso_inception4-face2face": _row(0.3021, 0.25, 0.0521, -0.0417, 0.1354, 0.152, 0.02),
    },
    "sign_groups": {
        "afchar-meso4-deepfake": _groups(0.3, 0.264, 0.337, 0.0001, 5, 11),
        "afchar-meso4-face2face": _groups(-0.05, -0.11, 0.008, 0.121, 8, 8),
        "afchar-meso_inception4-deepfake": _groups(0.138, 0.103, 0.177, 0.0002, 10, 6),
        "afchar-meso_inception4-face2face": _groups(0.042, -0.004, 0.085, 0.157, 10, 6),
    },
}


def reading(name: str, what: str, measure: Callable[[keras.Model], dict[str, float]]) -> dict[str, Any]:
    """The result of `measure` for the network `name` (in NAMES) if its file is in the cache, else the recorded one.

    `source` in the result names which of the two it is. Raises ValueError for a file with another sha256.
    """
    if (weights.cache() / weights.WEIGHTS[name].file).is_file():
        return {**measure(weights.load(name)), "source": "computed here"}
    return {**_RECORDED[what][name], "source": "recorded"}


def alternation(name: str, seeds: Sequence[int] = range(1000)) -> dict[str, Any]:
    """`filters.alternation` of the first kernels wider than 1x1, against untrained ones of `seeds`; and the source."""

    def measure(network: keras.Model) -> dict[str, float]:
        layer = filters.first_kernels(network)[0]
        return filters.alternation(filters.kernel(network, layer), filters.untrained(network, layer, seeds))

    return reading(name, "alternation", measure)


def sign_groups(
    name: str,
    face: np.ndarray | None = None,
    settings: maximize.Settings = _SETTINGS,
    pull: float = 0.2,
    restarts: int = 1,
    seed: int = 0,
) -> dict[str, Any]:
    """`sign_groups.compare` of the images that maximize the hidden neurons, and the source.

    `face`: the region of the face, (256, 256) bool; by default `region()`. The record is for the default settings.
    """
    inside = region() if face is None else face

    def measure(network: keras.Model) -> dict[str, float]:
        found = groups.climb(network, settings, pull, restarts, seed)
        return groups.compare(groups.shares(network, found, inside), seed)

    return reading(name, "sign_groups", measure)


def region(size: int = 256) -> np.ndarray:
    """The region of the face in an aligned picture, where there are no masks: (size, size) bool, the `_OVAL`."""
    middle, half = _OVAL
    places = [(np.arange(size) / size - at) / reach for at, reach in zip(middle, half, strict=True)]
    return np.hypot(places[0][:, None], places[1]) <= 1
