"""Between which numbers a result may lie: every interval of the kit.

Frames of one clip are alike, and so are the clips of one person, so n frames are not n independent observations. What
is drawn or averaged is therefore the *unit*: the clip, or the group (people and whoever shares their pixels).

- `interval`, `difference`, `mean`: percentile bootstrap (Efron and Tibshirani 1993, chapter 13). For many units.
- `by_unit`, `against`: Student's t over one mean for each unit. For few units, of which a bootstrap is too narrow.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from mesokit.dataset import manifest
from mesokit.evaluation.metrics import accuracy, judged
from mesokit.evaluation.metrics import metric as metric_called

LEVEL = 0.95  # of every interval, unless said otherwise
RESAMPLES = 1000


def interval(
    scores: pd.DataFrame,
    threshold: float = 0.5,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
    metric: str = "accuracy",
    unit: str = "clip",
) -> tuple[float, float]:
    """Interval (low, high) of one of `METRICS`, by bootstrap over whole clips; all levels of a clip go together.

    `unit`: another column to draw by, such as "group". Resamples in which the metric has no value, because one class is
    absent, are left out. NaN where nothing was judged. Raises ValueError where the unit is the clip and faces were
    published without theirs.
    """
    if unit == "clip":
        manifest.need_clips(scores)
    rows, real, p_real = judged(scores)
    codes, units = pd.factorize(rows[unit])
    weights = _drawn(len(units), resamples, seed)[:, codes]
    return _quantiles([metric_called(metric)(real, p_real, weight, threshold) for weight in weights], level)


def difference(
    first: pd.DataFrame,
    second: pd.DataFrame,
    metric: str = "accuracy",
    threshold: float = 0.5,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
    unit: str = "clip",
) -> tuple[float, float, float]:
    """`first` less `second` in a metric, with its interval (value, low, high); paired: both have the same clips.

    For two networks, two rules, two levels, a network and a simple detector, frames and clips. Each resample draws the
    same clips for both, so that what makes a clip hard cancels out. Raises ValueError where the clips differ, or as
    `interval`.
    """
    if unit == "clip":
        manifest.need_clips(first)
        manifest.need_clips(second)
    sides = [judged(first), judged(second)]
    units = sides[0][0][unit].unique()
    if set(units) != set(sides[1][0][unit]):
        raise ValueError(f"paired differences need the same {unit}s on both sides; judge both on the same ones")
    codes = [pd.Index(units).get_indexer(rows[unit]) for rows, _, _ in sides]
    measure = metric_called(metric)

    def gap(weight: np.ndarray) -> float:
        one, two = (
            measure(real, p_real, weight[code], threshold) for (_, real, p_real), code in zip(sides, codes, strict=True)
        )
        return one - two

    low, high = _quantiles([gap(weight) for weight in _drawn(len(units), resamples, seed)], level)
    return gap(np.ones(len(units))), low, high


def mean(
    values: np.ndarray, units: pd.Series, resamples: int = RESAMPLES, seed: int = 0, level: float = LEVEL
) -> tuple[float, float, float]:
    """Mean of `values` (n,), one for each face, with its interval: (mean, low, high), by bootstrap over `units` (n,).

    As `interval`, for any number. `units`: the clip or the group that each face belongs to.
    """
    per = pd.DataFrame({"unit": units.to_numpy(), "value": values}).groupby("unit", sort=False)["value"]
    weights = _drawn(per.ngroups, resamples, seed)
    low, high = _quantiles(weights @ per.sum().to_numpy() / (weights @ per.size().to_numpy()), level)
    return float(np.mean(values)), low, high


def by_unit(table: pd.DataFrame, value: str, by: list[str], unit: str = "group", level: float = LEVEL) -> pd.DataFrame:
    """Mean of the column `value` with its interval, for each combination of the columns `by`.

    Each `unit` gives one number, the mean of its rows; the interval is Student's t over these numbers. Columns mean,
    low, high, units (how many). Rows of NaN are left out; one unit alone has no interval (NaN).
    """
    per = table.dropna(subset=[value]).groupby([*by, unit], sort=False)[value].mean()
    found = per.groupby(level=list(range(len(by))), sort=False).agg(["mean", "std", "size"])
    reach = stats.t.ppf((1 + level) / 2, found["size"] - 1) * found["std"] / np.sqrt(found["size"])
    return pd.DataFrame(
        {"mean": found["mean"], "low": found["mean"] - reach, "high": found["mean"] + reach, "units": found["size"]}
    ).reset_index()


def against(
    table: pd.DataFrame, value: str, column: str, control: str, unit: str = "group", level: float = LEVEL
) -> pd.DataFrame:
    """How much more of `value` each name in `column` has than the one called `control`, face by face, as `by_unit`.

    table: a row per face (column `face`) and name, with a column `unit`. The same faces are compared, so the interval
    is narrower than those of the two means.
    """
    base = table.loc[table[column] == control, ["face", value]].rename(columns={value: "base"})
    rest = table[table[column] != control].merge(base, on="face")
    return by_unit(rest.assign(more=rest[value] - rest["base"]), "more", [column], unit, level)


def summary(
    scores: pd.DataFrame, by: str | list[str], threshold: float = 0.5, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """`accuracy` of each group of rows, and the interval of its accuracy in the columns low and high."""
    rows = {}
    for key, part in scores.groupby(by, sort=False, dropna=False):
        low, high = interval(part, threshold, resamples, seed)
        rows[key] = {**accuracy(part, threshold), "low": low, "high": high}
    table = pd.DataFrame(rows).T
    return table.rename_axis(by if isinstance(by, list) else [by])


def _drawn(units: int, resamples: int, seed: int) -> np.ndarray:
    """How often each of `units` is drawn in each resample (resamples, units): to draw a unit is to weigh it."""
    if not units:
        return np.empty((0, 0))
    return np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=resamples)


def _quantiles(values: Sequence[float] | np.ndarray, level: float) -> tuple[float, float]:
    known = np.asarray(values)[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
