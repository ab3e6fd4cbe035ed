"""From the scores of frames to the score of a clip, and why n frames are not n independent votes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # below, pandas and SciPy are imported where they are used: `mesokit scan` needs neither
    import pandas as pd

SHARED = ["label", "method", "identity", "group", "split"]  # what all faces of a clip have in common
TRIMMED = 0.2  # share of the frames that the trimmed mean leaves out at each end
SATURATED = 1e-6  # p_real stays this far from 0 and 1: a float32 sigmoid reaches them, and log-odds are infinite there


def _vote(p_real: np.ndarray) -> float:
    return float(np.mean(np.asarray(p_real) > 0.5))


def _log_odds(p_real: np.ndarray) -> float:
    """The mean of the log-odds. Their sum would be Bayes' rule for independent frames."""
    from scipy.special import expit, logit

    return float(expit(logit(np.clip(np.asarray(p_real, float), SATURATED, 1 - SATURATED)).mean()))


def _trimmed(p_real: np.ndarray) -> float:
    from scipy.stats import trim_mean

    return float(trim_mean(p_real, TRIMMED))


RULES: dict[str, Callable[[np.ndarray], float]] = {
    "mean": lambda p_real: float(np.mean(p_real)),  # the paper, section 4.3
    "median": lambda p_real: float(np.median(p_real)),
    "vote": _vote,  # the authors' code: the share of frames over 0.5
    "log-odds": _log_odds,
    "trimmed": _trimmed,
}


def rule(name: str) -> Callable[[np.ndarray], float]:
    """The rule called `name`, from the scores of a clip's frames to the clip's. Raises ValueError.

    >>> rule("vote")([0.9, 0.8, 0.7, 0.1])
    0.75
    """
    if name not in RULES:
        raise ValueError(f"no aggregation rule is called {name!r}; there are {', '.join(RULES)}")
    return RULES[name]


def per_clip(scores: pd.DataFrame, aggregate: str = "mean", clips: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per clip and level: what its frames share, their number `n_faces`, and p_real by the rule `aggregate`.

    Where a clip has faces of several people (column `person`), there is a row for each of them.
    `clips`: the rows of clips.csv that were to be judged. Those without a scored face are added with n_faces 0 and
    p_real NaN, so that they are counted. A column `seed`, as in `read_scores`, keeps the networks apart: a row per
    clip, level and seed. Raises ValueError for faces that were published without their clips.
    """
    from mesokit.dataset import manifest

    manifest.need_clips(scores)
    combine = rule(aggregate)
    keys = [*(["seed"] if "seed" in scores else []), "clip", "crf"]
    keys += ["person"] if "person" in scores and scores["person"].gt(0).any() else []
    grouped = scores.groupby(keys, dropna=False, sort=True)
    found = grouped[SHARED].first()
    found["n_faces"] = grouped.size()
    found["p_real"] = grouped["p_real"].agg(lambda values: combine(values.to_numpy()))
    found = found.reset_index()
    if clips is None:
        return found
    joined = clips[["clip", "crf", *SHARED]].merge(found.drop(columns=SHARED), on=["clip", "crf"], how="left")
    return joined.assign(n_faces=joined["n_faces"].fillna(0).astype(int))


def verdicts(clips: pd.DataFrame, threshold: float = 0.5) -> pd.Series:
    """`real` or `forged` for each row of `clips`, `abstain` where it has no p_real."""
    import pandas as pd

    p_real = clips["p_real"].to_numpy(float)
    words = np.where(np.isnan(p_real), "abstain", np.where(p_real > threshold, "real", "forged"))
    return pd.Series(words, clips.index, name="verdict")


def intraclass_correlation(scores: pd.DataFrame, column: str = "p_real") -> float:
    """How alike the frames of one clip are, given label and level: 0 = as frames of different clips, 1 = all equal.

    Estimator of the one-way analysis of variance, ICC(1) of Shrout and Fleiss 1979, around the mean of each label and
    level; n0 of the same paper where clips have different lengths. It can be slightly negative. NaN where a label and
    level have one clip only, or where nothing varies.
    """
    values, strata = scores[column].astype(float), [scores["label"], scores["crf"]]
    own = values.groupby([*strata, scores["clip"]], dropna=False)
    sizes = own.size()
    in_stratum = sizes.groupby(level=[0, 1], dropna=False)
    clips, free = len(sizes), len(sizes) - in_stratum.ngroups
    means, common = own.transform("mean"), values.groupby(strata, dropna=False).transform("mean")
    if free < 1 or len(values) == clips:
        return float("nan")
    between = ((means - common) ** 2).sum() / free
    within = ((values - means) ** 2).sum() / (len(values) - clips)
    n0 = (len(values) - ((sizes**2).groupby(level=[0, 1], dropna=False).sum() / in_stratum.sum()).sum()) / free
    total = between + (n0 - 1) * within
    return float((between - within) / total) if total > 0 else float("nan")


def effective_number(n: float, correlation: float) -> float:
    """How many independent frames `n` frames of one clip are worth: n / (1 + (n - 1) * correlation).

    The divisor is Kish's design effect (Survey Sampling, 1965).

    >>> round(effective_number(30, 0.5), 2)
    1.94
    """
    return n / (1 + (n - 1) * correlation)


def by_number(
    scores: pd.DataFrame,
    numbers: Sequence[int],
    aggregate: str = "mean",
    threshold: float = 0.5,
    draws: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Accuracy per clip when only n of its frames are drawn, a row for each n of `numbers`.

    Columns n, one_clip (frames of the clip itself, each at most once) and strangers. `strangers` is the control: each
    frame comes from any clip of the same label and level, so the frames are independent and the rest is equal.
    """
    import pandas as pd

    rng, combine = np.random.default_rng(seed), rule(aggregate)
    groups = []
    for (label, _), stratum in scores.groupby(["label", "crf"], dropna=False):
        pool = stratum["p_real"].to_numpy(float)
        groups += [(own.to_numpy(float), pool, label == "real") for _, own in stratum.groupby("clip")["p_real"]]
    rows = []
    for n in numbers:
        right = [
            [
                (combine(rng.choice(own, min(n, len(own)), replace=False)) > threshold) == real,
                (combine(rng.choice(pool, n)) > threshold) == real,
            ]
            for own, pool, real in groups
            for _ in range(draws)
        ]
        rows.append([n, *np.mean(right, axis=0)])
    return pd.DataFrame(rows, columns=["n", "one_clip", "strangers"])
