"""Checks of the exercises of `08_where_it_fails`."""

import numpy as np

from mesokit.lesson.checks import Mistake, exercise


@exercise("Right: scale to 0 to 1, raise to the power, scale back.")
def gamma(answer):
    """`answer(face, exponent)`: uint8 -> uint8."""
    face = np.array([0, 60, 130, 255], np.uint8).reshape(2, 2, 1).repeat(3, axis=2)
    got = np.asarray(answer(face.copy(), 2.0))
    wanted = 255 * (face / 255.0) ** 2
    if got.shape != face.shape:
        raise Mistake(f"the shape became {got.shape}; it should stay {face.shape}")
    if np.allclose(got, wanted / 255, atol=0.01) or (got.max() <= 1 and got.dtype == np.uint8):
        raise Mistake("this stays between 0 and 1: multiply by 255 at the end, before it becomes uint8 again")
    if np.allclose(got, 255 * (face / 255.0) ** 0.5, atol=1.5):
        raise Mistake("this takes 1 / exponent: over 1 should darken here")
    if np.array_equal(got, face**2) or np.array_equal(got, face.astype(float) ** 2):
        raise Mistake("pixels up to 255 grow far beyond 255, and uint8 wraps around: divide by 255 first")
    if got.dtype != np.uint8:
        raise Mistake(f"a face is uint8; this is {got.dtype}: round, then astype(np.uint8)")
    if np.abs(got.astype(float) - wanted).max() > 1.01:
        raise Mistake("with exponent 2, 130 should become 66 and 255 should stay 255")


@exercise("Right: that is the error that grows.")
def growing_error(answer, curve, strength, untouched):
    """`answer`: "false alarms" or "missed forgeries"; `curve`: of one detector, as `stress.curve` gives it."""
    names = {"false alarms": "real", "missed forgeries": "forged"}
    if answer not in names:
        raise Mistake(f"answer with one of {' or '.join(map(repr, names))}")
    at = curve.set_index(["strength", "what"])["value"]
    grows = {
        error: float(at[untouched, f"accuracy of {label}"] - at[strength, f"accuracy of {label}"])
        for error, label in names.items()
    }
    other = next(name for name in names if name != answer)
    if grows[answer] < grows[other]:
        raise Mistake(
            f"{answer} change by {100 * grows[answer]:+.0f} points, {other} by {100 * grows[other]:+.0f}: "
            "a real face that is called forged is a false alarm"
        )


@exercise("Right: of a hundred real clips, about so many as the budget allows are called forged.")
def budget(answer):
    """`answer(p_real_of_real, budget)`: a threshold; forged where p_real <= threshold."""
    p_real = np.random.default_rng(0).permutation(np.arange(1, 201) / 201)
    got = float(answer(p_real.copy(), 0.05))
    alarms = float(np.mean(p_real <= got))
    if np.isclose(alarms, 0.95, atol=0.02):
        raise Mistake("that calls 95 % of the real clips forged: forged are the low scores, so take the low end")
    if np.isclose(got, 0.05) and not np.isclose(float(answer(p_real**2, 0.05)), 0.0025, atol=0.002):
        raise Mistake(
            "that is the budget itself; the threshold is the score which a share of 0.05 of real clips is under"
        )
    if np.isclose(got, 0.5):
        raise Mistake("0.5 is the paper's threshold; nobody promised that it keeps to the budget")
    if alarms > 0.0501:
        raise Mistake(f"with this threshold {alarms:.1%} of the real clips are called forged; the budget is 5 %")
    if alarms < 0.04:
        raise Mistake(f"only {alarms:.1%} of the real clips are called forged: you may go up to 5 %, and miss fewer")


@exercise("Right: Bayes' rule. Alarms on the many real clips outnumber those on the few forged ones.")
def bayes(answer):
    """`answer(sensitivity, specificity, prevalence)`: the share of alarms that are right."""
    a, b, p = 0.9, 0.8, 0.1
    got = float(answer(a, b, p))
    found, false, passed, missed = p * a, (1 - p) * (1 - b), (1 - p) * b, p * (1 - a)
    known = {
        a: "that is the sensitivity: how many forged clips raise an alarm, not how many alarms are forged clips",
        found: "that is the share of all clips that is found; divide by all alarms, right and false",
        found / (found + passed): "real clips raise a false alarm with 1 - specificity, not with the specificity",
        a / (a + 1 - b): "this supposes as many forged as real clips: weigh both with how many there are",
        passed / (passed + missed): "that is the share of the other verdict that is right: look at the alarms",
        false / (found + false): "that is the share of alarms that are false: one minus it",
        found / false: "these are odds, right to false alarms: divide by all alarms instead",
    }
    for value, why in known.items():
        if np.isclose(got, value):
            raise Mistake(why)
    if not np.isclose(got, found / (found + false)):
        raise Mistake("of 1000 clips 100 are forged: 90 are found, and 180 of 900 real ones raise a false alarm")
