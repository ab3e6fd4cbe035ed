"""The exercises of 08: right answers pass, each known mistake is named."""

import numpy as np
import pandas as pd
import pytest

from mesokit.lesson.checks import failure as check

RIGHT = {
    "gamma": lambda f, e: np.round(255 * (f / 255) ** e).astype(np.uint8),
    "budget": lambda p, budget: np.sort(p)[int(budget * len(p))] - 1e-6,
    "bayes": lambda a, b, p: p * a / (p * a + (1 - p) * (1 - b)),
}
WRONG = [
    ("gamma", lambda f, e: f**2, "wraps around"),
    ("gamma", lambda f, e: f.astype(float) ** e, "beyond 255"),
    ("gamma", lambda f, e: (f / 255) ** e, "multiply by 255"),
    ("gamma", lambda f, e: ((f / 255) ** e).astype(np.uint8), "multiply by 255"),
    ("gamma", lambda f, e: np.round(255 * (f / 255) ** (1 / e)).astype(np.uint8), "1 / exponent"),
    ("gamma", lambda f, e: 255 * (f / 255) ** e, "a face is uint8"),
    ("gamma", lambda f, e: f[0], "the shape became"),
    ("gamma", lambda f, e: f, "130 should become 66"),
    ("budget", lambda p, budget: np.quantile(p, 1 - budget), "take the low end"),
    ("budget", lambda p, budget: 0.5, "nobody promised"),
    ("budget", lambda p, budget: budget, "the budget itself"),
    ("budget", lambda p, budget: 0.2, "the budget is 5 %"),
    ("budget", lambda p, budget: p.min(), "you may go up to 5 %"),
    ("bayes", lambda a, b, p: a, "that is the sensitivity"),
    ("bayes", lambda a, b, p: p * a, "share of all clips"),
    ("bayes", lambda a, b, p: p * a / (p * a + (1 - p) * b), "1 - specificity"),
    ("bayes", lambda a, b, p: a / (a + 1 - b), "weigh both"),
    ("bayes", lambda a, b, p: (1 - p) * b / ((1 - p) * b + p * (1 - a)), "the other verdict"),
    ("bayes", lambda a, b, p: (1 - p) * (1 - b) / (p * a + (1 - p) * (1 - b)), "one minus it"),
    ("bayes", lambda a, b, p: p * a / ((1 - p) * (1 - b)), "these are odds"),
    ("bayes", lambda a, b, p: 0.123, "180 of 900"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass(name):
    assert getattr(check, name)(RIGHT[name]).passed


def test_a_quantile_keeps_to_the_budget():
    assert check.budget(lambda p, budget: np.quantile(p, budget)).passed


@pytest.mark.parametrize(("name", "answer", "told"), WRONG)
def test_mistakes_are_named(name, answer, told):
    found = getattr(check, name)(answer)
    assert not found.passed
    assert told in found.message


def test_the_growing_error_is_read_from_the_curve():
    values = {(256, "real"): 1.0, (256, "forged"): 0.9, (48, "real"): 0.5, (48, "forged"): 1.0}
    curve = pd.DataFrame([{"strength": s, "what": f"accuracy of {k}", "value": v} for (s, k), v in values.items()])
    assert check.growing_error("false alarms", curve, 48, 256).passed
    told = check.growing_error("missed forgeries", curve, 48, 256).message
    assert "missed forgeries change by -10 points, false alarms by +50" in told
    assert "answer with one of" in check.growing_error("real", curve, 48, 256).message
    assert "replace the dots" in check.growing_error(..., curve, 48, 256).message
