"""Checks of the exercises of `08_where_it_fails`."""

import numpy as np

from mesokit.lesson.checks import Mistake, exercise, solution

_FACE = np.array([0, 60, 130, 255], np.uint8).reshape(2, 2, 1).repeat(3, axis=2)


@solution(
    [[_FACE, 2.0], [_FACE[:1], 0.5]],
    ("this stays between 0 and 1: multiply by 255 at the end", lambda face, exponent: (face / 255) ** exponent),
    ("this uses 1 / exponent: above 1 should darken", lambda face, exponent: 255 * (face / 255) ** (1 / exponent)),
    ("pixels grow far beyond 255: divide by 255 first", lambda face, exponent: face.astype(float) ** exponent),
    ("the exponent is not used", lambda face, exponent: face),
    atol=1.01,  # rounded or cut off
)
def gamma(face, exponent):
    """Scale to 0 to 1, raise to the power, and scale back to uint8."""
    return np.round(255 * (face / 255) ** exponent).astype(np.uint8)


@exercise("Right. That is the error that grows more.")
def growing_error(answer, curve, strength, untouched):
    """`answer`: "false alarms" or "missed forgeries"; `curve`: of one detector, as `stress.curve` gives it."""
    names = {"false alarms": "real", "missed forgeries": "forged"}
    if answer not in names:
        raise Mistake(f"got {answer!r}, expected {' or '.join(map(repr, names))}")
    value = curve.set_index(["strength", "what"])["value"]
    of = {error: f"accuracy of {label}" for error, label in names.items()}
    grows = {error: 100 * float(value[untouched, what] - value[strength, what]) for error, what in of.items()}
    if grows[answer] < max(grows.values()):
        changes = ", ".join(f"{error} change by {points:+.0f} points" for error, points in grows.items())
        raise Mistake(f"{changes}: got {answer!r}, expected the other one (a false alarm is a real face called forged)")


@exercise("Right. At most the share of the budget of the real faces is called forged.")
def budget(answer):
    """`answer(p_real_of_real, budget)`: a threshold; forged where p_real <= threshold."""
    p_real = np.random.default_rng(0).permutation(np.arange(1, 201) / 201) ** 0.5
    for values, allowed in ((p_real, 0.05), (p_real[:150] ** 4, 0.1)):
        got = float(answer(values.copy(), allowed))
        alarms = float(np.mean(values <= got))
        words = "the threshold is too high" if alarms > allowed else "the threshold is too low: you may miss fewer"
        if alarms > 1 - 2 * allowed:
            words = "forged are the low scores: take the low end"
        elif got in (0.5, allowed):
            words = "this is the paper's threshold" if got == 0.5 else "this is the budget itself, not a threshold"
        if not allowed - 0.01 < alarms < allowed + 1e-9:
            raise Mistake(f"{words} (got {alarms:.1%} of the real faces called forged, expected {allowed:.0%})")


@solution(
    [[0.9, 0.8, 0.1], [0.95, 0.7, 0.02]],
    ("this is the sensitivity: how many forged clips raise an alarm", lambda a, b, p: a),
    ("this is the share of all clips that is found: divide by all alarms", lambda a, b, p: p * a),
    ("real clips raise a false alarm with 1 - specificity", lambda a, b, p: p * a / (p * a + (1 - p) * b)),
    ("this supposes as many forged as real clips: use the prevalence", lambda a, b, p: a / (a + 1 - b)),
    ("this looks at clips without alarm", lambda a, b, p: (1 - p) * b / ((1 - p) * b + p * (1 - a))),
    ("this is the share of wrong alarms", lambda a, b, p: (1 - p) * (1 - b) / (p * a + (1 - p) * (1 - b))),
    ("these are odds, right to false alarms: divide by all alarms", lambda a, b, p: p * a / ((1 - p) * (1 - b))),
)
def bayes(sensitivity, specificity, prevalence):
    """Bayes' rule: false alarms on the many real clips outnumber right alarms on the few forged ones."""
    found, false = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return found / (found + false)
