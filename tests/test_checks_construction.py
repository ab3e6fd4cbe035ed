"""The checks of 01_dataset_construction: the right answer passes, each mistake gets its own message."""

import numpy as np
import pandas as pd
import pytest

from mesokit.lesson.checks import construction as check


def blend(target, swapped, mask):
    alpha = mask[..., None] / 255
    return np.round(alpha * swapped + (1 - alpha) * target).astype(np.uint8)


def mse(image, other):
    return np.mean((image.astype(float) - other) ** 2)


def psnr(image, other):
    return 10 * np.log10(255**2 / mse(image, other))


def leaking(clips):
    both = [clips[[column, "split"]].set_axis(["who", "split"], axis=1) for column in ("identity", "source")]
    splits = pd.concat(both).dropna().groupby("who")["split"].nunique()
    return set(splits.index[splits > 1])


def groups(pairs):
    found = {person: {person} for pair in pairs for person in pair}
    for one, other in pairs:
        together = found[one] | found[other]
        found |= dict.fromkeys(together, together)
    return {person: min(group) for person, group in found.items()}


def direct(pairs):
    found = {}
    for one, other in pairs:
        found[other] = found.setdefault(one, one)
    return found


def only(column):
    def answer(clips):
        splits = clips.dropna().groupby(column)["split"].nunique() if column == "source" else None
        splits = clips.groupby(column)["split"].nunique() if splits is None else splits
        return splits.index[splits > 1]

    return answer


def test_right_answers_pass():
    found = [check.blend(blend), check.psnr(psnr), check.leaking(leaking), check.groups(groups)]
    assert all(one.passed for one in found), found


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (check.blend(lambda t, s, m: blend(s, t, m)), "inverted"),
        (check.blend(lambda t, s, m: (m[..., None] * s + (1 - m[..., None]) * t)), "forgot /255"),
        (check.blend(lambda t, s, m: np.where(m[..., None] > 0, s, t)), "a fifth of 255"),
        (check.blend(lambda t, s, m: blend(t, s, m)[..., 0]), "shape"),
        (check.blend(lambda t, s, m: blend(t, s, m).astype(float)), "back into uint8"),
        (check.psnr(lambda a, b: 10 * np.log10(255**2 / np.mean((a - b).astype(float) ** 2))), "wraps"),
        (check.psnr(lambda a, b: 10 * np.log10(255**2 / np.abs(a.astype(float) - b).mean())), "square the differences"),
        (check.psnr(lambda a, b: 10 * np.log(255**2 / mse(a, b))), "natural logarithm"),
        (check.psnr(lambda a, b: 20 * np.log10(255**2 / mse(a, b))), "10 log10"),
        (check.psnr(lambda a, b: 10 * np.log10(255 / mse(a, b))), "255**2"),
        (check.psnr(lambda a, b: 10 * np.log10(1 / mse(a, b))), "not 1"),
        (check.psnr(lambda a, b: -psnr(a, b)), "upside down"),
        (check.psnr(lambda a, b: psnr(a, b) / 10), "bel"),
        (check.psnr(lambda a, b: 10 * np.log10(255**2 / (mse(a, b) * a.size))), "take the mean"),
        (check.psnr(lambda a, b: 3.0), "28.13 dB"),
        (check.leaking(only("identity")), "only asks who was filmed"),
        (check.leaking(lambda clips: ["b"]), "only follows the sources"),
        (check.leaking(only("clip")), "nobody"),
        (check.leaking(lambda clips: ["b", "c", pd.NA]), "empty ones"),
        (check.leaking(lambda clips: list("abcde")), "b and c are in two"),
        (check.groups(direct), "merge whole groups"),
        (check.groups(lambda pairs: {p: 0 for pair in pairs for p in pair}), "one group"),
        (check.groups(lambda pairs: {p: p for pair in pairs for p in pair}), "must share"),
        (check.groups(lambda pairs: {pair[0]: pair[0] for pair in pairs}), "got no group"),
        (check.groups(lambda pairs: groups([*pairs, ("a", "e")])), "not linked"),
    ],
)  # fmt: skip
def test_each_mistake_is_named(found, words):
    assert not found.passed and words in found.message, found.message
