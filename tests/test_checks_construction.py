"""The exercises of 01: right answers pass, each mistake is told."""

import numpy as np
import pandas as pd


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


def with_empty(clips):
    who = pd.concat([clips["identity"], clips["source"]]).rename("who")
    splits = pd.concat([clips["split"]] * 2).groupby(who, dropna=False).nunique()
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
        found[other] = found.setdefault(one, found.get(other, one))
    return found


def only(column):
    def answer(clips):
        splits = clips.groupby(column)["split"].nunique()
        return splits.index[splits > 1]

    return answer


RIGHT = [("blend", blend), ("psnr", psnr), ("leaking", leaking), ("groups", groups)]
WRONG = [
    ("blend", lambda t, s, m: blend(s, t, m), "inverted"),
    ("blend", lambda t, s, m: m[..., None] * s + (1 - m[..., None]) * t, "divide the mask by 255"),
    ("blend", lambda t, s, m: np.where(m[..., None] > 0, s, t), "mixes both frames"),
    ("blend", lambda t, s, m: blend(t, s, m)[..., 0], "got the shape [2, 3], expected [2, 3, 3]"),
    ("blend", lambda t, s, m: blend(t, s, m).astype(float), "the values are right, but not their type"),
    ("psnr", lambda a, b: 10 * np.log10(255**2 / np.mean((a - b).astype(float) ** 2)), "wraps"),
    ("psnr", lambda a, b: 10 * np.log10(255**2 / np.mean((a - b) ** 2)), "wraps"),
    ("psnr", mse, "PSNR is"),
    ("psnr", lambda a, b: 10 * np.log10(255**2 / np.abs(a.astype(float) - b).mean()), "square the differences"),
    ("psnr", lambda a, b: 10 * np.log(255**2 / mse(a, b)), "base 10"),
    ("psnr", lambda a, b: 20 * np.log10(255**2 / mse(a, b)), "not 20"),
    ("psnr", lambda a, b: 10 * np.log10(255 / mse(a, b)), "255**2"),
    ("psnr", lambda a, b: 10 * np.log10(1 / mse(a, b)), "not 1"),
    ("psnr", lambda a, b: -psnr(a, b), "upside down"),
    ("psnr", lambda a, b: psnr(a, b) / 10, "bel"),
    ("psnr", lambda a, b: 10 * np.log10(255**2 / (mse(a, b) * a.size)), "take the mean"),
    ("psnr", lambda a, b: 3.0, "got 3, expected "),
    ("leaking", only("identity"), "only filmed people"),
    ("leaking", lambda clips: leaking(clips) & set(clips["source"].dropna()), "only people in `source`"),
    ("leaking", only("clip"), "nobody"),
    ("leaking", with_empty, "empty ones"),
    ("leaking", lambda clips: list("abcde"), "got ['a', 'b', 'c', 'd', 'e'], expected ['b', 'c']"),
    ("groups", direct, "merge whole groups"),
    ("groups", lambda pairs: {p: 0 for pair in pairs for p in pair}, "one group"),
    ("groups", lambda pairs: {p: p for pair in pairs for p in pair}, "share a group"),
    ("groups", lambda pairs: {pair[0]: pair[0] for pair in pairs}, "needs a group"),
    ("groups", lambda pairs: groups([*pairs, ("a", "e")]), "got 'a b e f, g h', expected 'a b, e f, g h'"),
]
