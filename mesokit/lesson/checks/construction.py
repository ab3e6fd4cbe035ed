"""Checks of the exercises of `01_dataset_construction`."""

import numpy as np
import pandas as pd

from mesokit.lesson.checks import Mistake, exercise


@exercise("Right: the mask says how much of the swapped face is seen, from none to all.")
def blend(answer):
    """`answer(target, swapped, mask)`: (h, w, 3) uint8 twice, (h, w) uint8 0..255 -> (h, w, 3) uint8."""
    target, swapped = np.full((2, 3, 3), 200, np.uint8), np.full((2, 3, 3), 100, np.uint8)
    mask = np.array([[0, 51, 255], [0, 51, 255]], np.uint8)
    got = np.asarray(answer(target.copy(), swapped.copy(), mask.copy()))
    if got.shape != target.shape:
        raise Mistake(f"the shape became {got.shape}: give the mask a third axis, mask[..., None], and keep (h, w, 3)")
    row = got[0, :, 0].astype(float)
    if np.allclose(row, [100, 120, 200], atol=1):
        raise Mistake("the mask is inverted: where it is 255, the swapped face is seen")
    if np.allclose(row[[0, 2]], [200, 100], atol=1) and not np.isclose(row[1], 180, atol=1):
        raise Mistake(f"inside and outside are right; where the mask is 51, a fifth of 255, expect 180, not {row[1]:g}")
    if not np.allclose(row, [200, 180, 100], atol=1):
        raise Mistake("forgot /255? The mask runs from 0 to 255 and uint8 products wrap around: make it float, 0 to 1")
    if got.dtype != np.uint8:
        raise Mistake(f"the values are right; turn the frame back into uint8, it is {got.dtype}")


@exercise("Right: 10 log10 of 255 squared over the mean square error.")
def psnr(answer):
    """`answer(image, other)`: peak signal-to-noise ratio in dB of two uint8 images."""
    image, other = np.full((4, 4, 3), 10, np.uint8), np.full((4, 4, 3), 20, np.uint8)
    got, back = float(answer(image.copy(), other.copy())), float(answer(other.copy(), image.copy()))
    right = 10 * np.log10(255**2 / 100)
    if not np.isclose(got, back, rtol=1e-3):
        raise Mistake("the two images swapped give another value: uint8 has no -10, it wraps to 246; subtract as float")
    known = {
        10 * np.log10(255**2 / 10): "this divides by the mean absolute error: square the differences first",
        10 * np.log(255**2 / 100): "that is the natural logarithm: decibels take log10",
        20 * np.log10(255**2 / 100): "20 log10 belongs to amplitudes; the square is in there already: take 10 log10",
        10 * np.log10(255 / 100): "the peak counts squared, as the error does: 255**2",
        10 * np.log10(1 / 100): "the peak of uint8 pixels is 255, not 1",
        -right: "the ratio is upside down: a smaller error must give more decibels",
        np.log10(255**2 / 100): "that is in bel: a decibel is a tenth of it",
        10 * np.log10(255**2 / (100 * 48)): "this is the sum of the squares, which grows with the image: take the mean",
    }
    for value, what in known.items():
        if np.isclose(got, value, rtol=1e-3):
            raise Mistake(what)
    if not np.isclose(got, right, rtol=1e-3):
        raise Mistake(f"for pixels that all differ by 10, it is {right:.2f} dB")


_CLIPS = pd.DataFrame(
    [
        ("a_real", "a", pd.NA, "train"),
        ("a_b", "a", "b", "train"),
        ("b_real", "b", pd.NA, "test"),
        ("c_real", "c", pd.NA, "test"),
        ("c_real_2", "c", pd.NA, "train"),
        ("d_real", "d", pd.NA, "test"),
        ("d_e", "d", "e", "test"),
    ],
    columns=["clip", "identity", "source", "split"],
)


@exercise("Right: c was filmed on both sides, and b lent a face to a training clip.")
def leaking(answer):
    """`answer(clips)`: set of the people who are in more than one split, as identity or as source."""
    got = {str(person) for person in answer(_CLIPS.copy())}
    if not got:
        raise Mistake("nobody was found: look at people, not at clips; each clip is in one split only")
    if got == {"c"}:
        raise Mistake("this only asks who was filmed: b's face is in a training clip, too, put in as `source`")
    if got == {"b"}:
        raise Mistake("this only follows the sources: c was filmed in training and in test clips")
    if "<NA>" in got or "nan" in got:
        raise Mistake("real clips have no source: leave the empty ones out")
    if got != {"b", "c"}:
        raise Mistake(f"b and c are in two splits; the answer holds {', '.join(sorted(got))}")


@exercise("Right: whoever is linked, even over others, shares a group.")
def groups(answer):
    """`answer(pairs)`: dict from each person to a group, of pairs (identity, source) that share pixels."""
    pairs = [("a", "b"), ("c", "d"), ("b", "c"), ("e", "f"), ("g", "h"), ("h", "g")]
    got = dict(answer(list(pairs)))
    if missing := sorted(set("abcdefgh") - set(got)):
        raise Mistake(f"{missing[0]} got no group: each person of each pair needs one")
    if len(set(map(str, got.values()))) == 1:
        raise Mistake("everybody is in one group, which cannot be split: only people who are linked share one")
    if got["a"] != got["b"] or got["e"] != got["f"]:
        raise Mistake("the two of a pair must share a group: one's face is in the other's clip")
    if len({got[person] for person in "abcd"}) > 1:
        raise Mistake("a-b and c-d are tied by b-c, which came later: merge whole groups, not only the two")
    if len({got["a"], got["e"], got["g"]}) < 3:
        raise Mistake("a, e and g are not linked: they need three groups")
    if got["g"] != got["h"]:
        raise Mistake("g-h and h-g are one pair, named twice")
