"""Mean activations of a layer over real and over forged faces, and a test of their difference.

Frames of one clip are similar, and two people with swapped faces share pixels: the independent unit is their `group`.
So each clip has one mean map, each group has one difference (real minus forged), and the test exchanges real and forged
in whole groups.
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

LAYERS = ("conv1", "block1", "conv2", "block2", "conv3", "conv4")  # the output of each block, before normalization


def layers(network: keras.Model) -> list[str]:
    """The names in `LAYERS` that `network` has, from the first to the last."""
    return [name for name in LAYERS if name in {layer.name for layer in network.layers}]


def clip_maps(
    network: keras.Model, names: Sequence[str], table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 8
) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """For each clip and level in `table` (rows of faces.csv): its columns, n_faces, and layer -> mean map (h, w, c).

    Memory holds one batch of faces and the sums of one clip. Raises ValueError for an unknown layer.
    """
    view = models.activations(network, *names)
    shared = ["clip", "crf", "label", "method", "identity", "group", "split"]
    for _, rows in table.groupby(["clip", "crf"], dropna=False, sort=True):
        sums: list[Any] = [0.0] * len(names)
        for start in range(0, len(rows), batch):
            faces = dataset.images(rows.iloc[start : start + batch], root).astype(np.float32) / 255
            outputs = keras.tree.flatten(view(faces, training=False))
            sums = [total + np.asarray(out).sum(axis=0) for total, out in zip(sums, outputs, strict=True)]
        about = {**rows.iloc[0][shared].to_dict(), "n_faces": len(rows)}
        yield about, {name: total / len(rows) for name, total in zip(names, sums, strict=True)}


def differences(maps: np.ndarray, clips: pd.DataFrame) -> np.ndarray:
    """Real minus forged of each group: maps (n, ...) of the n rows of `clips` -> (groups, ...), sorted by group.

    Raises ValueError for a group without real or without forged clips, where nothing can be exchanged.
    """
    real, groups = (clips["label"] == "real").to_numpy(bool), clips["group"].to_numpy()
    found = []
    for group in sorted(set(groups)):
        mine = groups == group
        if not (mine & real).any() or not (mine & ~real).any():
            raise ValueError(f"group {group} has real clips only or forged clips only; leave it out")
        found.append(maps[mine & real].mean(axis=0) - maps[mine & ~real].mean(axis=0))
    return np.array(found)


class Exchange(NamedTuple):
    """The result of a sign-flip test. Maps and the threshold are in the unit of the activations."""

    mean: np.ndarray  # (h, w) the mean difference
    p: float  # share of the exchanges whose largest |mean difference| is at least as large as the true one
    threshold: float  # the 95 % quantile of `largest`: a pixel beyond it is significant, corrected for all pixels
    largest: np.ndarray  # the largest |mean difference| after each exchange, the first one without exchange
    smallest_p: float  # the smallest p that is possible with this number of groups


def sign_flip_test(found: np.ndarray, flips: int = 2000, seed: int = 0) -> Exchange:
    """Test the differences (groups, h, w) against the hypothesis that real and forged are exchangeable.

    Exchanging real and forged in a group flips the sign of its difference. All combinations are tried if there are at
    most `flips`; otherwise that many are drawn. The statistic is the largest |mean| over all pixels: the maximum
    corrects for testing many pixels (Nichols and Holmes 2002). Raises ValueError for fewer than two groups.
    """
    groups = len(found)
    if groups < 2:
        raise ValueError(f"the test exchanges real and forged in whole groups; it needs at least 2, got {groups}")
    signs = _signs(groups, flips, seed)
    flat = found.reshape(groups, -1)
    largest = np.concatenate([np.abs(signs[i : i + 64] @ flat).max(axis=1) for i in range(0, len(signs), 64)]) / groups
    # The first row of signs changes nothing. It counts as one of the exchanges, so p is never 0.
    p = float((largest >= largest[0] * (1 - 1e-6)).mean())
    return Exchange(found.mean(axis=0), p, float(np.quantile(largest, 0.95)), largest, 1 / len(signs))


def _signs(groups: int, flips: int, seed: int) -> np.ndarray:
    """(m, groups) of 1 and -1, the first row all 1. If all are tried, the first group keeps its sign, because flipping
    all groups changes no absolute value."""
    if 2 ** (groups - 1) <= flips:
        return np.array([(1, *rest) for rest in itertools.product((1, -1), repeat=groups - 1)], np.float32)
    signs = np.random.default_rng(seed).choice(np.array([1, -1], np.float32), (flips, groups))
    signs[0] = 1
    return signs


def shuffled(found: np.ndarray, seed: int = 0) -> np.ndarray:
    """A control: the same differences, with real and forged exchanged in a random half of the groups."""
    flipped = np.random.default_rng(seed).permutation(len(found)) < len(found) // 2
    return np.where(flipped.reshape(-1, *[1] * (found.ndim - 1)), -found, found)


def by_region(maps: np.ndarray, regions: Mapping[str, np.ndarray], relative: bool = False) -> pd.DataFrame:
    """Mean of each map (n, h, w) in each region (name -> (H, W) shares of 0 to 1): a row per map, a column per region.

    relative: divided by the mean of the whole map.
    """
    flat = maps.reshape(len(maps), -1)
    weights = {name: shrink(region, maps.shape[1]).ravel() for name, region in regions.items()}
    table = pd.DataFrame({name: flat @ weight / weight.sum() for name, weight in weights.items()})
    return table.div(flat.mean(axis=1), axis=0) if relative else table


def agreement(map_: np.ndarray, region: np.ndarray) -> float:
    """How well |map| (h, w) marks a region ((H, W), a pixel is inside from 0.5 on): 0.5 by chance, 1 perfectly.

    The area under the ROC curve: the probability that a pixel inside has a larger |map| than one outside. NaN for a
    region without pixels inside or outside.
    """
    inside = (shrink(region, map_.shape[0]) >= 0.5).ravel()
    return float(roc_auc_score(inside, np.abs(map_).ravel())) if 0 < inside.sum() < inside.size else float("nan")
