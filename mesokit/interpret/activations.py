"""Mean activations of a layer over real and over forged faces, and whether they really differ.

Frames of a clip are alike, and two people whose faces were swapped share pixels and a forger: the independent unit is
their `group`. So a clip has one mean map, a group has one difference (real minus forged), and the test exchanges real
and forged within whole groups.
"""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from mesokit import dataset, models
from mesokit.backend import keras
from mesokit.interpret.regions import shrink

LAYERS = ("conv1", "block1", "conv2", "block2", "conv3", "conv4")  # what a block computes, before its normalization


def layers(network: keras.Model) -> list[str]:
    """The names in `LAYERS` that `network` has, from the first to the last."""
    known = {layer.name for layer in network.layers}
    return [name for name in LAYERS if name in known]


def clip_maps(
    network: keras.Model, names: Sequence[str], table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 8
) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """For each clip and level in `table` (rows of faces.csv): what its faces share, and layer -> mean map (h, w, c).

    Only one batch of faces and the sums of one clip are held at a time. Raises ValueError for an unknown layer.
    """
    view = models.activations(network, *names)
    shared = ["clip", "crf", "label", "method", "identity", "group", "split"]
    for _, rows in table.groupby(["clip", "crf"], dropna=False, sort=True):
        sums: list[Any] = [0.0] * len(names)
        for start in range(0, len(rows), batch):
            faces = dataset.images(rows.iloc[start : start + batch], root).astype(np.float32) / 255
            found = view(faces, training=False)
            found = found if isinstance(found, list | tuple) else [found]
            sums = [total + np.asarray(out).sum(axis=0) for total, out in zip(sums, found, strict=True)]
        about = {**rows.iloc[0][shared].to_dict(), "n_faces": len(rows)}
        yield about, {name: total / len(rows) for name, total in zip(names, sums, strict=True)}


def differences(maps: np.ndarray, clips: pd.DataFrame, unit: str = "group") -> np.ndarray:
    """Real minus forged, one for each `unit`: maps (n, ...) of the n rows of `clips` -> (units, ...), sorted by unit.

    Raises ValueError for a unit without a real or without a forged clip: nothing could be exchanged there.
    """
    real, units = (clips["label"] == "real").to_numpy(bool), clips[unit].to_numpy()
    found = []
    for one in sorted(set(units)):
        mine = units == one
        if not (mine & real).any() or not (mine & ~real).any():
            raise ValueError(f"{unit} {one} has real clips or forged clips only; leave it out")
        found.append(maps[mine & real].mean(axis=0) - maps[mine & ~real].mean(axis=0))
    return np.array(found)


class Exchange(NamedTuple):
    """What a sign-flip test found. All maps and numbers are in the unit of the activations."""

    mean: np.ndarray  # (h, w) the mean difference
    p: float  # share of the exchanges whose largest |mean difference| is as large as the true one
    threshold: float  # |mean difference| that a pixel must pass to count, however many pixels there are
    largest: np.ndarray  # the largest |mean difference| after each exchange
    smallest_p: float  # no result could have had a smaller p with so few units


def sign_flip_test(found: np.ndarray, flips: int = 2000, seed: int = 0, level: float = 0.95) -> Exchange:
    """Test the differences (units, h, w): were real and forged exchangeable, would they look like this?

    To exchange real and forged in a unit flips the sign of its difference. Every choice is tried if there are at most
    `flips`, else that many are drawn. The statistic is the largest |mean| over all pixels, which accounts for looking
    at many of them (Nichols and Holmes 2002). Raises ValueError for fewer than two units.
    """
    units = len(found)
    if units < 2:
        raise ValueError(f"the test exchanges real and forged in whole units; it needs at least 2, got {units}")
    signs = _signs(units, flips, seed)
    flat = found.reshape(units, -1)
    largest = np.concatenate([np.abs(signs[i : i + 64] @ flat).max(axis=1) for i in range(0, len(signs), 64)]) / units
    # The first row of signs is the truth: it counts as one of the exchanges, so p is never 0.
    p = float((largest >= largest[0] * (1 - 1e-6)).mean())
    return Exchange(found.mean(axis=0), p, float(np.quantile(largest, level)), largest, 1 / len(signs))


def _signs(units: int, flips: int, seed: int) -> np.ndarray:
    """(m, units) of 1 and -1, first all 1. The first unit keeps its sign: to flip all changes no absolute value."""
    if 2 ** (units - 1) <= flips:
        return np.array([(1, *rest) for rest in itertools.product((1, -1), repeat=units - 1)], np.float32)
    signs = np.random.default_rng(seed).choice(np.array([1, -1], np.float32), (flips, units))
    signs[0] = 1
    return signs


def shuffled(found: np.ndarray, seed: int = 0) -> np.ndarray:
    """A control: the same differences with real and forged exchanged in half of the units, drawn at random."""
    flipped = np.random.default_rng(seed).permutation(len(found)) < len(found) // 2
    return np.where(flipped.reshape(-1, *[1] * (found.ndim - 1)), -found, found)


def by_region(maps: np.ndarray, regions: Mapping[str, np.ndarray], relative: bool = False) -> pd.DataFrame:
    """Mean of each map (n, h, w) in each region (name -> (H, W) shares of 0 to 1): a row per map, a column per region.

    relative: divide by the mean of the whole map, so 1 is as active as the picture is on average.
    """
    flat = maps.reshape(len(maps), -1)
    weights = {name: shrink(region, maps.shape[1]).ravel() for name, region in regions.items()}
    table = pd.DataFrame({name: flat @ weight / weight.sum() for name, weight in weights.items()})
    return table.div(flat.mean(axis=1), axis=0) if relative else table


def agreement(map_: np.ndarray, region: np.ndarray) -> float:
    """How well |map| (h, w) finds a region ((H, W), a pixel is inside from 0.5 on): 0.5 by chance, 1 perfectly.

    The area under the ROC curve: how likely a pixel inside has a larger |map| than one outside. NaN where the region
    is empty or everything.
    """
    inside = (shrink(region, map_.shape[0]) >= 0.5).ravel()
    return float(roc_auc_score(inside, np.abs(map_).ravel())) if 0 < inside.sum() < inside.size else float("nan")
