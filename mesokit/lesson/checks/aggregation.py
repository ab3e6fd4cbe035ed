"""Checks of the exercises of `04_image_aggregation`."""

import numpy as np
import pandas as pd

from mesokit.lesson.checks import Mistake, exercise, solution

_SCORES = [[np.array([0.9, 0.6, 0.55, 0.1])], [np.array([0.2, 0.7, 0.3])]]


@solution(
    _SCORES,
    ("this is the mean of the outputs: a vote counts frames", np.mean),
    ("this is the number of votes: divide by the number of frames", lambda p: np.sum(p > 0.5)),
    ("the labels are flipped: a p_real over 0.5 is a vote for real", lambda p: np.mean(p < 0.5)),
    edges=[("a frame of exactly 0.5 is not over 0.5", [np.array([0.5, 0.9])])],
)
def vote(p_real):
    """The share of frames over 0.5 is the rule of the authors' code."""
    return np.mean(p_real > 0.5)


@solution(
    [[20, 0.5], [10, 0.2], [8, 0.0], [5, 1.0]],
    ("this is the design effect: divide n by it", lambda n, rho: 1 + (n - 1) * rho),
    ("a frame is not correlated with itself: n - 1, not n", lambda n, rho: n / (1 + n * rho)),
    ("n frames of correlation 1 are worth one frame", lambda n, rho: n * (1 - rho)),
)
def effective(n, correlation):
    """n frames of one clip are worth n over the design effect."""
    return n / (1 + (n - 1) * correlation)


def _odds(p_real):
    return np.log(p_real / (1 - p_real))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


@solution(
    _SCORES,
    ("this is the mean of the log-odds: turn it back with 1 / (1 + exp(-x))", lambda p: _odds(p).mean()),
    ("this is the sum, as if all frames were independent: take the mean", lambda p: _sigmoid(_odds(p).sum())),
    ("the sign is flipped: the log-odds of real are log(p / (1 - p))", lambda p: _sigmoid(-_odds(p).mean())),
    ("this is the mean of the outputs, not of their log-odds", np.mean),
    ("log(p) is only one side: the log-odds are log(p / (1 - p))", lambda p: np.exp(np.log(p).mean())),
    edges=[("at exactly 0 or 1 the log-odds are infinite: clip p_real first", [np.array([0.0, 0.9, 1.0])])],
)
def log_odds(p_real):
    """The mean of the log-odds becomes a probability again."""
    return _sigmoid(_odds(np.clip(p_real, 1e-6, 1 - 1e-6)).mean())


def _word(value, threshold):
    return "real" if value > threshold else "forged"


@solution(
    [
        [np.array([0.9, 0.8]), 0.5],
        [np.array([0.6, 0.65]), 0.7],
        [np.array([0.9, 0.1, 0.2]), 0.5],
        [np.array([0.4, 0.9]), 0.5],
    ],
    ("the labels are flipped: a high p_real means real", lambda p, t: _word(t, p.mean())),
    ("use the threshold that is given, not 0.5", lambda p, t: _word(p.mean(), 0.5)),
    ("take the mean of the frames before you compare", lambda p, t: _word(p.max(), t), lambda p, t: _word(p.min(), t)),
    edges=[
        ("without a frame the verdict is 'abstain': the mean of nothing is NaN", [np.empty(0), 0.5]),
        ("a mean of exactly the threshold is not over it", [np.array([0.5]), 0.5]),
    ],
)
def verdict(p_real, threshold):
    """No clip is judged without a face, and none is left out."""
    return _word(p_real.mean(), threshold) if len(p_real) else "abstain"


@exercise("Right. People who share pixels stay together.")
def honest_split(answer):
    """`answer(table, rng)`: True for each face of the test, about half of them; table has clip, identity, group."""
    n = np.arange(240)
    leaks = {  # what is split, its number for each face, and the words for it
        "clip": (n // 10, "this is the leak: frames of one clip"),
        "identity": (n // 20, "clips stay whole, but the clips of one person"),
        "group": (n // 40, "people stay whole, but a person and the partner of the face swap"),
    }
    table = pd.DataFrame({"frame": n % 10, **{name: of_face.astype(str) for name, (of_face, _) in leaks.items()}})
    for seed in range(3):
        test = np.asarray(answer(table.copy(), np.random.default_rng(seed)))
        if (test.shape, test.dtype) != ((240,), bool):
            raise Mistake(f"got {test.dtype} {test.shape}, expected one True or False for each face: bool (240,)")
        if not 0.2 < test.mean() < 0.8:
            raise Mistake(f"got {test.mean():.0%} of the faces in the test, expected about half")
        for name, (_, words) in leaks.items():
            if both := set(table[name][test]) & set(table[name][~test]):
                got = f"got {len(both)} of {table[name].nunique()} in both parts, expected none"
                raise Mistake(f"{words} are in both parts: draw groups ({name}: {got})")
