"""The exercises of 04: right answers pass, each mistake is told."""

import numpy as np

from mesokit import evaluation


def _by(column):
    def split(table, rng):
        names = rng.permutation(table[column].unique())
        return table[column].isin(names[: len(names) // 2]).to_numpy()

    return split


def _verdict(p_real, threshold, how=np.mean):
    return "abstain" if not len(p_real) else "real" if how(p_real) > threshold else "forged"


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


RIGHT = [
    ("vote", evaluation.RULES["vote"]),
    ("effective", evaluation.effective_number),
    ("log_odds", evaluation.RULES["log-odds"]),
    ("verdict", _verdict),
    ("honest_split", _by("group")),
]
WRONG = [
    ("vote", np.mean, "mean of the outputs"),
    ("vote", lambda p: (p > 0.5).sum(), "number of votes"),
    ("vote", lambda p: np.mean(p <= 0.5), "flipped"),
    ("vote", lambda p: np.mean(p >= 0.5), "not over 0.5 (for p_real = [0.5, 0.9]: got 1, expected 0.5)"),
    ("vote", lambda p: 0.75, "for p_real = [0.2, 0.7, 0.3]: got 0.75, expected 0.333333"),
    ("effective", lambda n, r: 1 + (n - 1) * r, "design effect"),
    ("effective", lambda n, r: n / (1 + n * r), "n - 1, not n"),
    ("effective", lambda n, r: n * (1 - r), "worth one frame"),
    ("effective", lambda n, r: n, "for n = 20, correlation = 0.5: got 20, expected 1.90476"),
    ("log_odds", lambda p: np.log(p / (1 - p)).mean(), "turn it back"),
    ("log_odds", lambda p: _sigmoid(np.log(p / (1 - p)).sum()), "this is the sum"),
    ("log_odds", lambda p: _sigmoid(-np.log(p / (1 - p)).mean()), "sign is flipped"),
    ("log_odds", np.mean, "mean of the outputs"),
    ("log_odds", lambda p: np.exp(np.log(p).mean()), "only one side"),
    ("log_odds", lambda p: 0.9, "got 0.9, expected 0.5378"),
    ("log_odds", lambda p: _sigmoid(np.mean(np.log(p) - np.log(1 - p))), "infinite"),
    ("verdict", lambda p, t: "real" if p.mean() > t else "forged", "'abstain'"),
    ("verdict", lambda p, t: "abstain" if not len(p) else "forged" if p.mean() > t else "real", "flipped"),
    ("verdict", lambda p, t: _verdict(p, 0.5), "threshold that is given"),
    ("verdict", lambda p, t: _verdict(p, t, np.max), "take the mean of the frames"),
    ("verdict", lambda p, t: _verdict(-p, -t) if len(p) else "abstain", "flipped"),
    ("verdict", lambda p, t: "forged" if len(p) else "abstain", "got 'forged', expected 'real'"),
    ("honest_split", lambda table, rng: rng.random(len(table)) < 0.5, "this is the leak"),
    ("honest_split", _by("clip"), "clips of one person are in both parts"),
    ("honest_split", _by("identity"), "partner"),
    ("honest_split", lambda table, rng: np.zeros(len(table), bool), "expected about half"),
    ("honest_split", lambda table, rng: table["group"], "one True or False"),
]
