"""The exercises of 04: right answers pass, each known mistake is named."""

import numpy as np
import pytest

from mesokit import evaluation
from mesokit.lesson.checks import aggregation as check


def _by(column):
    def split(table, rng):
        names = rng.permutation(table[column].unique())
        return table[column].isin(names[: len(names) // 2]).to_numpy()

    return split


def _verdict(p_real, threshold):
    return "abstain" if not len(p_real) else "real" if p_real.mean() > threshold else "forged"


RIGHT = {
    "vote": evaluation.RULES["vote"],
    "effective": evaluation.effective_number,
    "log_odds": evaluation.RULES["log-odds"],
    "verdict": _verdict,
    "honest_split": _by("group"),
}
WRONG = [
    ("vote", np.mean, "mean of the outputs"),
    ("vote", lambda p: (p > 0.5).sum(), "number of votes"),
    ("vote", lambda p: np.mean(p <= 0.5), "flipped"),
    ("vote", lambda p: np.mean(p >= 0.5), "not at it"),
    ("vote", lambda p: 0.3, "three are over"),
    ("effective", lambda n, r: 1 + (n - 1) * r, "design effect"),
    ("effective", lambda n, r: n / (1 + n * r), "off by one"),
    ("effective", lambda n, r: n * (1 - r), "must be worth n"),
    ("effective", lambda n, r: n, "1.905"),
    ("log_odds", lambda p: np.log(p / (1 - p)).mean(), "turn it back"),
    ("log_odds", lambda p: 1 / (1 + np.exp(-np.log(p / (1 - p)).sum())), "that is the sum"),
    ("log_odds", lambda p: 1 / (1 + np.exp(np.log(p / (1 - p)).mean())), "the sign"),
    ("log_odds", np.mean, "mean of the outputs"),
    ("log_odds", lambda p: np.exp(np.log(p).mean()), "the other side"),
    ("log_odds", lambda p: 0.9, "should be 0.538"),
    ("log_odds", lambda p: (lambda x: 1 / (1 + np.exp(-x)))(np.mean(np.log(p) - np.log(1 - p))), "infinite"),
    ("verdict", lambda p, t: "real" if p.mean() > t else "forged", "'abstain'"),
    ("verdict", lambda p, t: "abstain" if not len(p) else "forged" if p.mean() > t else "real", "flipped"),
    ("verdict", lambda p, t: _verdict(p, 0.5), "you are given"),
    ("verdict", lambda p, t: "abstain" if not len(p) else "real" if p.max() > t else "forged", "join the frames"),
    ("verdict", lambda p, t: "forged" if len(p) else "abstain", "are 'real'"),
    ("honest_split", lambda table, rng: rng.random(len(table)) < 0.5, "that is the leak"),
    ("honest_split", _by("clip"), "other clip"),
    ("honest_split", _by("identity"), "partner"),
    ("honest_split", lambda table, rng: np.zeros(len(table), bool), "about half"),
    ("honest_split", lambda table, rng: table["group"], "one True or False"),
]


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_right_answers_pass_and_open_ones_are_told_so(name):
    result = getattr(check, name)(RIGHT[name])
    assert result.passed, result
    assert "Nothing to check yet" in getattr(check, name)(lambda *_: ...).message


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "answer", "message"), WRONG)
def test_mistakes_are_named(name, answer, message):
    result = getattr(check, name)(answer)
    assert not result.passed
    assert message in result.message
