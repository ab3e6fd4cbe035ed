"""Linear probes: a logistic regression on what the convolutions of a network compute.

The convolutions do not change; a logistic regression replaces the last layers (Alain and Bengio 2016, "Understanding
intermediate layers using linear classifier probes"). To train a network takes minutes, and a probe takes seconds. So
a probe can answer questions about data: which level to train on, how to split.
"""

import os

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from mesokit import dataset, fast, models
from mesokit.backend import keras

PENALTY = 0.01  # scikit-learn's C, the weight of the data: there are more features than faces


def features(network: keras.Model, table: pd.DataFrame, root: str | os.PathLike[str], layer: str) -> np.ndarray:
    """The outputs of `layer` of `network` for the faces of `table`: (n, d) float32, maps flattened."""
    inside = models.activations(network, layer)
    flat = keras.Model(inside.inputs[0], keras.layers.Flatten()(inside.outputs[0]))
    run, n = fast.running(flat)
    starts = range(0, len(table), n)
    return np.concatenate([run(dataset.images(table.iloc[start : start + n], root)) for start in starts])


def fit(values: np.ndarray, labels: pd.Series) -> Pipeline:
    """Fit a probe to features (n, d) and `labels` (real, forged); `p_real` uses it."""
    return _probe().fit(values, (labels == "real").to_numpy())


def p_real(probe: Pipeline, values: np.ndarray) -> np.ndarray:
    """p_real of features (n, d) by `probe`: (n,) in [0, 1], real = 1."""
    return probe.predict_proba(values)[:, 1]


def out_of_fold(values: np.ndarray, table: pd.DataFrame, split_by: str, folds: int = 5, seed: int = 0) -> np.ndarray:
    """p_real of each face by a probe that did not learn from it: (n,).

    `split_by`: "frame" shuffles the faces into `folds`; a column of `table`, such as "group", keeps all faces that
    share it in one fold. Each probe learns from as many faces either way, and each face is judged once. Of fewer groups
    each is a fold. Raises ValueError for one group alone.
    """
    grouped = split_by != "frame"
    if grouped:
        folds = min(folds, table[split_by].nunique())
        if folds < 2:
            raise ValueError(f"all faces have the same {split_by}, so no probe can be tried on another one")
    split = (
        GroupKFold(folds, shuffle=True, random_state=seed) if grouped else KFold(folds, shuffle=True, random_state=seed)
    )
    real = (table["label"] == "real").to_numpy()
    keys = table[split_by].to_numpy() if grouped else None
    return cross_val_predict(_probe(), values, real, groups=keys, cv=split, method="predict_proba")[:, 1]


def _probe() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000))
