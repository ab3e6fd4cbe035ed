"""How good scores are: accuracy, ROC AUC, equal error rate, calibration."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, roc_curve

# (real (n,) bool, p_real (n,), weight (n,), threshold) -> value, NaN where a class that it needs has no weight
Metric = Callable[[np.ndarray, np.ndarray, np.ndarray, float], float]


def _share(right: np.ndarray, weight: np.ndarray) -> float:
    total = weight.sum()
    return float((right * weight).sum() / total) if total > 0 else float("nan")


def _one_class(real: np.ndarray, weight: np.ndarray) -> bool:
    return not (weight[real].sum() > 0 and weight[~real].sum() > 0)


def _roc_auc(real: np.ndarray, p_real: np.ndarray, weight: np.ndarray, _threshold: float) -> float:
    if _one_class(real, weight):
        return float("nan")
    # The share of pairs in which the real row has the higher score; ties count half. A bootstrap needs it thousands of
    # times, and for 400 rows this takes a fiftieth of scikit-learn's roc_auc_score.
    _, place = np.unique(p_real, return_inverse=True)
    up, down = np.bincount(place, weight * real), np.bincount(place, weight * ~real)
    below = np.cumsum(down) - down / 2
    return float(up @ below / (up.sum() * down.sum()))


def _eer(real: np.ndarray, p_real: np.ndarray, weight: np.ndarray, _threshold: float) -> float:
    if _one_class(real, weight):
        return float("nan")
    passed, found, _ = roc_curve(real, p_real, sample_weight=weight, drop_intermediate=False)
    gap = passed - (1 - found)  # rises from -1 to 1: forged called real, less real called forged
    i = int(np.argmax(gap >= 0))
    share = gap[i] / (gap[i] - gap[i - 1])  # where the straight line between two corners crosses
    return float(passed[i] - share * (passed[i] - passed[i - 1]))


METRICS: dict[str, Metric] = {
    "accuracy": lambda real, p_real, weight, threshold: _share((p_real > threshold) == real, weight),
    "accuracy_real": lambda real, p_real, weight, threshold: _share(p_real[real] > threshold, weight[real]),
    "accuracy_forged": lambda real, p_real, weight, threshold: _share(p_real[~real] <= threshold, weight[~real]),
    "roc_auc": _roc_auc,  # chance that a real row scores above a forged one
    "eer": _eer,  # error where as many forged pass for real as real for forged
    "brier": lambda real, p_real, weight, _threshold: _share((p_real - real) ** 2, weight),  # 0 best, 0.25: always 0.5
}


def metric(name: str) -> Metric:
    """The metric called `name`. Raises ValueError for an unknown name."""
    if name not in METRICS:
        raise ValueError(f"no metric is called {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name]


def judged(scores: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The rows that have a score, which of them are real (n,) bool, and p_real (n,)."""
    rows = scores[scores["p_real"].notna()]
    return rows, (rows["label"] == "real").to_numpy(bool), rows["p_real"].to_numpy(float)


def accuracy(scores: pd.DataFrame, threshold: float = 0.5) -> dict[str, float]:
    """n, abstained, and all `METRICS` over the rows of `scores`; those without p_real abstain and are only counted."""
    rows, real, p_real = judged(scores)
    weight = np.ones(len(rows))
    values = {name: measure(real, p_real, weight, threshold) for name, measure in METRICS.items()}
    return {"n": len(rows), "abstained": len(scores) - len(rows), **values}


def threshold_for(scores: pd.DataFrame) -> float:
    """The threshold with the best mean of both classes' accuracies on `scores`: give those of validation faces.

    Half-way between two scores; of several equally good ones, and if none is better, the nearest to 0.5.
    Raises ValueError with one class only.
    """
    _, real, p_real = judged(scores)
    if real.all() or not real.any():
        raise ValueError("a threshold needs scores of real and of forged faces; there is one class only")
    values = np.unique(p_real)
    tried = np.append((values[1:] + values[:-1]) / 2, 0.5)
    tried = tried[np.argsort(np.abs(tried - 0.5), kind="stable")]
    both = (p_real[real][:, None] > tried).mean(0) + (p_real[~real][:, None] <= tried).mean(0)
    return float(tried[both.argmax()])


def confusion(scores: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """Counts: a row for what is true, a column for what was said."""
    _, real, p_real = judged(scores)
    counts = confusion_matrix(real, p_real > threshold, labels=[True, False])
    return pd.DataFrame(counts, ["is real", "is forged"], ["called real", "called forged"])


def calibration(scores: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """How often rows of about the same p_real are real: mean p_real, share_real and n, a row for each bin in use."""
    _, real, p_real = judged(scores)
    which = pd.Series(np.clip(np.ceil(p_real * bins), 1, bins).astype(int), name="bin")  # ]0, .1], ]0.1, 0.2] ...
    grouped = pd.DataFrame({"p_real": p_real, "share_real": real.astype(float)}).groupby(which)
    return grouped.mean().assign(n=grouped.size()).reset_index(drop=True)


def alarms(sensitivity: float, specificity: float, prevalence: float) -> dict[str, float]:
    """Shares of all clips by truth and verdict, and Bayes' rule: `forged_if_alarm`, the share of alarms that are right.

    `sensitivity`: share of forged clips that are called forged; `specificity`: of real clips that are called real;
    `prevalence`: share of all clips that is forged. All in [0, 1]; NaN where there is no alarm at all.

    >>> round(alarms(sensitivity=0.9, specificity=0.9, prevalence=0.01)["forged_if_alarm"], 3)
    0.083
    """
    found, missed = prevalence * sensitivity, prevalence * (1 - sensitivity)
    false, passed = (1 - prevalence) * (1 - specificity), (1 - prevalence) * specificity
    right = found / (found + false) if found + false else float("nan")
    return {"found": found, "missed": missed, "false alarm": false, "passed": passed, "forged_if_alarm": right}
