"""Checks of the exercises of `04_image_aggregation`."""

import numpy as np
import pandas as pd

from mesokit.lesson.checks import Mistake, exercise

P_REAL = np.array([0.9, 0.6, 0.55, 0.1])


@exercise("Right: the share of frames over 0.5, as in the authors' code.")
def vote(answer):
    """`answer(p_real)`: the share of frames over 0.5."""
    got = float(answer(P_REAL.copy()))
    if np.isclose(got, P_REAL.mean()):
        raise Mistake("that is the mean of the outputs: a vote counts frames, whatever their certainty")
    if np.isclose(got, 3):
        raise Mistake("that is the number of votes: divide by the number of frames")
    if np.isclose(got, 0.25):
        raise Mistake("the labels are flipped: p_real over 0.5 votes for real, and real is 1")
    if not np.isclose(got, 0.75):
        raise Mistake("of 0.9, 0.6, 0.55 and 0.1 three are over 0.5")
    if float(answer(np.array([0.5, 0.9]))) == 1:
        raise Mistake("over 0.5, not at it: a frame of exactly 0.5 does not vote for real")


@exercise("Right: n frames of one clip are worth n over the design effect.")
def effective(answer):
    """`answer(n, correlation)`: the number of independent frames."""
    got = float(answer(20, 0.5))
    if np.isclose(got, 1 + 19 * 0.5):
        raise Mistake("that is the design effect: how many frames are left after dividing by it?")
    if np.isclose(got, 20 / (1 + 20 * 0.5)):
        raise Mistake("a frame is not correlated with itself: n - 1 others, not n (off by one)")
    if np.isclose(got, 20 * 0.5):
        raise Mistake("try it with correlation 0, where n frames must be worth n, and with 1, where they are worth one")
    if not np.isclose(got, 20 / 10.5):
        raise Mistake("20 frames with a correlation of 0.5 should be worth 1.905")


@exercise("Right: mean of the log-odds, back to a probability.")
def log_odds(answer):
    """`answer(p_real)`: sigmoid of the mean of the log-odds."""
    odds = np.log(P_REAL / (1 - P_REAL))
    got = float(answer(P_REAL.copy()))
    wanted = 1 / (1 + np.exp(-odds.mean()))
    if np.isclose(got, odds.mean()):
        raise Mistake("that is the mean of the log-odds: turn it back into p_real with 1 / (1 + exp(-x))")
    if np.isclose(got, 1 / (1 + np.exp(-odds.sum()))):
        raise Mistake("that is the sum, as if all frames were independent: take the mean")
    if np.isclose(got, 1 - wanted):
        raise Mistake("the sign: the log-odds of real are log(p / (1 - p))")
    if np.isclose(got, P_REAL.mean()):
        raise Mistake("that is the mean of the outputs themselves")
    if np.isclose(got, np.exp(np.log(P_REAL).mean())):
        raise Mistake("log(p) alone forgets the other side: log-odds are log(p / (1 - p))")
    if not np.isclose(got, wanted, atol=1e-4):
        raise Mistake(f"for 0.9, 0.6, 0.55 and 0.1 it should be {wanted:.3f}")
    if not np.isfinite(float(answer(np.array([0.0, 0.9, 1.0])))):
        raise Mistake("a frame at exactly 0 or 1 has infinite log-odds: clip p_real a little inside first")


@exercise("Right: nobody is judged without a face, and none is forgotten.")
def verdict(answer):
    """`answer(p_real, threshold)`: "real", "forged", or "abstain" without any frame."""
    if answer(np.empty(0), 0.5) != "abstain":
        raise Mistake("no face, no verdict: an empty array should give 'abstain' (the mean of nothing is NaN, not 0)")
    if answer(np.array([0.9, 0.8]), 0.5) == "forged" and answer(np.array([0.1]), 0.5) == "real":
        raise Mistake("the labels are flipped: high p_real is real")
    if answer(np.array([0.6, 0.65]), 0.7) != "forged":
        raise Mistake("use the threshold you are given, not 0.5")
    if answer(np.array([0.9, 0.1, 0.2]), 0.5) != "forged":
        raise Mistake("join the frames before you judge: the mean of 0.9, 0.1 and 0.2 is 0.4")
    if answer(np.array([0.9, 0.8]), 0.5) != "real":
        raise Mistake("0.9 and 0.8 with a threshold of 0.5 are 'real'")


@exercise("Right: whoever shares pixels stays together.")
def honest_split(answer):
    """`answer(table, rng)`: True for each face of the test, about half of them; table has clip, identity, group."""
    n = np.arange(240)
    clip, person = n // 10, n // 20
    names = {"clip": clip, "identity": person, "group": person // 2}
    table = pd.DataFrame({"frame": n % 10, **names}).astype({"clip": str, "identity": str, "group": str})
    test = np.asarray(answer(table.copy(), np.random.default_rng(0)))
    if test.shape != (240,) or test.dtype != bool:
        raise Mistake(f"give one True or False for each of the 240 faces; this is {test.dtype} of shape {test.shape}")
    if not 0.2 < test.mean() < 0.8:
        raise Mistake("about half of the faces should be in the test")
    shares = {name: pd.Series(test).groupby(table[name]).mean() for name in names}
    whole = {name: bool(share.isin([0, 1]).all()) for name, share in shares.items()}
    if whole["group"]:
        return
    if whole["identity"]:
        raise Mistake("people stay whole, but a person and the partner whose face was borrowed are in both: use group")
    if whole["clip"]:
        raise Mistake("clips stay whole, but the same person's other clip is on the other side: use group")
    raise Mistake("frames of one clip are in both: that is the leak. Draw groups, not faces")
