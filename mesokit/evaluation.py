"""Scores and what they are worth: per frame, per clip, and how sure one can be.

A score is always p_real, the network's output: 1 = real, 0 = forged. Accuracies are at a threshold on p_real, 0.5 as in
the paper unless said otherwise. Tables of scores have the columns of faces.csv and `p_real`.
"""

import os
from collections.abc import Callable, Iterator

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.metrics import roc_auc_score

from mesokit import dataset
from mesokit.backend import keras, tf

Score = Callable[[np.ndarray], np.ndarray]


def scorer(network: keras.Model) -> Score:
    """A fast function from faces (n, size, size, 3), uint8 or float in [0, 1], to p_real (n,) float32.

    It holds the weights of now: make a new one after training. Runs on ONNX Runtime, equal to Keras to 1e-5;
    falls back on Keras where the export fails. Raises ValueError for other pixels.
    """
    size = network.input_shape[1]
    run = _onnx(network) or (lambda batch: np.asarray(network(batch)))

    def score(images: np.ndarray) -> np.ndarray:
        batch = _unit_range(np.asarray(images), size)
        return (
            np.concatenate([run(batch[i : i + 32])[:, 0] for i in range(0, len(batch), 32)])
            if len(batch)
            else np.empty(0, np.float32)
        )

    return score


def _onnx(network: keras.Model) -> Callable[[np.ndarray], np.ndarray] | None:
    import tf2onnx  # slow to import, and only needed here

    try:
        signature = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="face")]
        model, _ = tf2onnx.convert.from_function(tf.function(lambda face: network(face, training=False)), signature)
    except Exception:  # any converter failure: Keras gives the same numbers, only slower
        return None
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, {"face": batch})[0]


def _unit_range(images: np.ndarray, size: int) -> np.ndarray:
    if images.ndim != 4 or images.shape[1:] != (size, size, 3):
        raise ValueError(f"faces must have the shape (n, {size}, {size}, 3); got {images.shape}")
    if images.dtype == np.uint8:
        return images.astype(np.float32) / 255
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    if not (0 <= low and high <= 1):
        raise ValueError(f"float faces must lie in [0, 1]; got {low:g} to {high:g}: divide by 255, or pass uint8")
    return images.astype(np.float32)


def score_faces(
    score: Score, table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 32
) -> Iterator[pd.DataFrame]:
    """Score the faces of `table` (a query of faces.csv): yields its rows with a column `p_real`, batch by batch."""
    for start in range(0, len(table), batch):
        rows = table.iloc[start : start + batch]
        yield rows.assign(p_real=score(dataset.images(rows, root)))


def _vote(p_real: np.ndarray) -> float:
    return float(np.mean(np.asarray(p_real) > 0.5))


RULES: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda p_real: float(np.mean(p_real)),  # the paper, section 4.3
    "median": lambda p_real: float(np.median(p_real)),
    "vote": _vote,  # the authors' code: the share of frames over 0.5
}


def rule(name: str) -> Callable[[np.ndarray], float]:
    """The rule called `name`, from the scores of a clip's frames to the clip's. Raises ValueError."""
    if name not in RULES:
        raise ValueError(f"no aggregation rule is called {name!r}; there are {', '.join(RULES)}")
    return RULES[name]


def per_clip(scores: pd.DataFrame, aggregate: str = "mean") -> pd.DataFrame:
    """One row per clip and level: what its frames share, their number `n_faces`, and p_real by the rule `aggregate`."""
    keys = ["clip", "crf"]
    shared = ["label", "method", "identity", "group", "split"]
    grouped = scores.groupby(keys, dropna=False, sort=True)
    clips = grouped[shared].first()
    clips["n_faces"] = grouped.size()
    clips["p_real"] = grouped["p_real"].agg(lambda values: rule(aggregate)(values.to_numpy()))
    return clips.reset_index()


def accuracy(scores: pd.DataFrame, threshold: float = 0.5) -> dict[str, float]:
    """Accuracy over all rows and per class, and the area under the ROC curve (NaN with one class only)."""
    real = (scores["label"] == "real").to_numpy(bool)
    p_real = scores["p_real"].to_numpy(float)
    right = (p_real > threshold) == real
    return {
        "n": len(scores),
        "accuracy": float(right.mean()),
        "accuracy_real": float(right[real].mean()) if real.any() else float("nan"),
        "accuracy_forged": float(right[~real].mean()) if (~real).any() else float("nan"),
        "roc_auc": float(roc_auc_score(real, p_real)) if real.any() and (~real).any() else float("nan"),
    }


def interval(
    scores: pd.DataFrame, threshold: float = 0.5, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the accuracy by bootstrap over clips: frames of one clip are alike, so whole clips are drawn.

    All levels of a clip are drawn together. Percentile method, Efron and Tibshirani 1993, chapter 13.
    """
    real = (scores["label"] == "real").to_numpy(bool)
    right = (scores["p_real"].to_numpy(float) > threshold) == real
    per = (
        pd.DataFrame({"clip": scores["clip"].to_numpy(), "right": right}).groupby("clip")["right"].agg(["sum", "size"])
    )
    draws = np.random.default_rng(seed).integers(0, len(per), (resamples, len(per)))
    sums, sizes = per.to_numpy()[draws].sum(axis=1).T
    low, high = np.quantile(sums / sizes, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
