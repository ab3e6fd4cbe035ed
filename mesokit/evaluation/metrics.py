"""How good scores are, and between which numbers that may lie."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix, roc_curve

from mesokit import manifest

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


def _metric(name: str) -> Metric:
    if name not in METRICS:
        raise ValueError(f"no metric is called {name!r}; there are {', '.join(METRICS)}")
    return METRICS[name]


def _judged(scores: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The rows that have a score, which of them are real (n,) bool, and p_real (n,)."""
    rows = scores[scores["p_real"].notna()]
    return rows, (rows["label"] == "real").to_numpy(bool), rows["p_real"].to_numpy(float)


def accuracy(scores: pd.DataFrame, threshold: float = 0.5) -> dict[str, float]:
    """n, abstained, and all `METRICS` over the rows of `scores`; those without p_real abstain and are only counted."""
    rows, real, p_real = _judged(scores)
    weight = np.ones(len(rows))
    values = {name: metric(real, p_real, weight, threshold) for name, metric in METRICS.items()}
    return {"n": len(rows), "abstained": len(scores) - len(rows), **values}


def equal_error_rate(scores: pd.DataFrame) -> float:
    """The error rate at the threshold where both classes have the same, between two scores by a straight line."""
    _, real, p_real = _judged(scores)
    return _eer(real, p_real, np.ones(len(real)), 0.5)


def threshold_for(scores: pd.DataFrame) -> float:
    """The threshold with the best mean of both classes' accuracies on `scores`: give those of validation faces.

    Half-way between two scores; of several equally good ones, and if none is better, the nearest to 0.5.
    Raises ValueError with one class only.
    """
    _, real, p_real = _judged(scores)
    if real.all() or not real.any():
        raise ValueError("a threshold needs scores of real and of forged faces; there is one class only")
    values = np.unique(p_real)
    tried = np.append((values[1:] + values[:-1]) / 2, 0.5)
    tried = tried[np.argsort(np.abs(tried - 0.5), kind="stable")]
    both = (p_real[real][:, None] > tried).mean(0) + (p_real[~real][:, None] <= tried).mean(0)
    return float(tried[both.argmax()])


def confusion(scores: pd.DataFrame, threshold: float = 0.5) -> pd.DataFrame:
    """Counts: a row for what is true, a column for what was said."""
    _, real, p_real = _judged(scores)
    counts = confusion_matrix(real, p_real > threshold, labels=[True, False])
    return pd.DataFrame(counts, ["is real", "is forged"], ["called real", "called forged"])


def calibration(scores: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """How often rows of about the same p_real are real: mean p_real, share_real and n, a row for each bin in use."""
    _, real, p_real = _judged(scores)
    which = pd.Series(np.clip(np.ceil(p_real * bins), 1, bins).astype(int), name="bin")  # ]0, .1], ]0.1, 0.2] ...
    grouped = pd.DataFrame({"p_real": p_real, "share_real": real.astype(float)}).groupby(which)
    return grouped.mean().assign(n=grouped.size()).reset_index(drop=True)


def interval(
    scores: pd.DataFrame,
    threshold: float = 0.5,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    metric: str = "accuracy",
    unit: str = "clip",
) -> tuple[float, float]:
    """Interval of one of `METRICS` by bootstrap over clips: frames of one clip are alike, so whole clips are drawn.

    All levels of a clip are drawn together. `unit`: another column to draw by, such as "group" (people and whoever
    shares their pixels). Percentile method, Efron and Tibshirani 1993, chapter 13; resamples in which the metric has
    no value, for want of a class, are left out. NaN where nothing was judged. Raises ValueError where the unit is the
    clip and faces were published without theirs.
    """
    if unit == "clip":
        manifest.need_clips(scores)
    rows, real, p_real = _judged(scores)
    codes, units = pd.factorize(rows[unit])
    weights = _drawn(len(units), resamples, seed)[:, codes]
    return _quantiles([_metric(metric)(real, p_real, weight, threshold) for weight in weights], level)


def _drawn(units: int, resamples: int, seed: int) -> np.ndarray:
    """How often each of `units` is drawn in each resample (resamples, units): drawing is weighing."""
    if not units:
        return np.empty((0, 0))
    return np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=resamples)


def _quantiles(values: Sequence[float], level: float) -> tuple[float, float]:
    known = np.asarray(values)[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def difference(
    first: pd.DataFrame,
    second: pd.DataFrame,
    metric: str = "accuracy",
    threshold: float = 0.5,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    unit: str = "clip",
) -> tuple[float, float, float]:
    """`first` less `second` in a metric, with its interval (value, low, high); paired: both have the same clips.

    Two networks, rules, levels, or frames and clips: each resample draws the same clips for both, so that what makes
    a clip hard cancels out. Raises ValueError where the clips are not the same, or as `interval`.
    """
    if unit == "clip":
        manifest.need_clips(first)
        manifest.need_clips(second)
    sides = [_judged(first), _judged(second)]
    units = sides[0][0][unit].unique()
    if set(units) != set(sides[1][0][unit]):
        raise ValueError(f"paired differences need the same {unit}s on both sides; judge both on the same ones")
    codes = [pd.Index(units).get_indexer(rows[unit]) for rows, _, _ in sides]
    measure = _metric(metric)

    def gap(weight: np.ndarray) -> float:
        one, two = (
            measure(real, p_real, weight[code], threshold) for (_, real, p_real), code in zip(sides, codes, strict=True)
        )
        return one - two

    low, high = _quantiles([gap(weight) for weight in _drawn(len(units), resamples, seed)], level)
    return gap(np.ones(len(units))), low, high


def summary(
    scores: pd.DataFrame, by: str | list[str], threshold: float = 0.5, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """`accuracy` of each group of rows, and the interval of its accuracy in the columns low and high."""
    rows = {}
    for key, part in scores.groupby(by, sort=False, dropna=False):
        low, high = interval(part, threshold, resamples, seed)
        rows[key] = {**accuracy(part, threshold), "low": low, "high": high}
    table = pd.DataFrame(rows).T
    return table.rename_axis(by if isinstance(by, list) else [by])
