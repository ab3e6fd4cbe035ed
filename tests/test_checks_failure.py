"""The exercises of 08: right answers pass, each mistake is told."""

import numpy as np
import pandas as pd

from mesokit.lesson.checks import failure as check

RIGHT = [
    ("gamma", lambda f, e: np.round(255 * (f / 255) ** e).astype(np.uint8)),
    ("budget", lambda p, budget: np.sort(p)[int(budget * len(p))] - 1e-6),
    ("budget", lambda p, budget: np.quantile(p, budget)),
    ("bayes", lambda a, b, p: p * a / (p * a + (1 - p) * (1 - b))),
]
WRONG = [
    ("gamma", lambda f, e: f.astype(float) ** e, "beyond 255"),
    ("gamma", lambda f, e: (f / 255) ** e, "multiply by 255"),
    ("gamma", lambda f, e: ((f / 255) ** e).astype(np.uint8), "multiply by 255"),
    ("gamma", lambda f, e: np.round(255 * (f / 255) ** (1 / e)).astype(np.uint8), "1 / exponent"),
    ("gamma", lambda f, e: 255 * (f / 255) ** e, "not their type: got float64, expected uint8"),
    ("gamma", lambda f, e: f[0], "got the shape [2, 3], expected [2, 2, 3]"),
    ("gamma", lambda f, e: f, "exponent is not used"),
    ("gamma", lambda f, e: np.round(255 * (f / 255) ** 2).astype(np.uint8), "exponent = 0.5: got"),
    ("budget", lambda p, budget: np.quantile(p, 1 - budget), "take the low end"),
    ("budget", lambda p, budget: 0.5, "the paper's threshold"),
    ("budget", lambda p, budget: budget, "the budget itself"),
    ("budget", lambda p, budget: np.sort(p)[int(budget * len(p))], "too high (got 5.5% of the real faces"),
    ("budget", lambda p, budget: p.min(), "you may miss fewer"),
    ("budget", lambda p, budget: np.quantile(p, 0.05), "expected 10%"),
    ("bayes", lambda a, b, p: a, "this is the sensitivity"),
    ("bayes", lambda a, b, p: p * a, "share of all clips"),
    ("bayes", lambda a, b, p: p * a / (p * a + (1 - p) * b), "1 - specificity"),
    ("bayes", lambda a, b, p: a / (a + 1 - b), "use the prevalence"),
    ("bayes", lambda a, b, p: (1 - p) * b / ((1 - p) * b + p * (1 - a)), "without alarm"),
    ("bayes", lambda a, b, p: (1 - p) * (1 - b) / (p * a + (1 - p) * (1 - b)), "share of wrong alarms"),
    ("bayes", lambda a, b, p: p * a / ((1 - p) * (1 - b)), "these are odds"),
    ("bayes", lambda a, b, p: 0.123, "got 0.123, expected 0.33333"),
]


def test_the_growing_error_is_read_from_the_curve():
    values = {(256, "real"): 1.0, (256, "forged"): 0.9, (48, "real"): 0.5, (48, "forged"): 1.0}
    curve = pd.DataFrame([{"strength": s, "what": f"accuracy of {k}", "value": v} for (s, k), v in values.items()])
    assert check.growing_error("false alarms", curve, 48, 256).passed
    told = check.growing_error("missed forgeries", curve, 48, 256).message
    assert "false alarms change by +50 points, missed forgeries change by -10 points: got 'missed forgeries'" in told
    assert "got 'real', expected 'false alarms' or" in check.growing_error("real", curve, 48, 256).message
    assert "replace the dots" in check.growing_error(..., curve, 48, 256).message
    assert check.growing_error("missed forgeries", curve.assign(value=1 - curve["value"]), 48, 256).passed
