"""Checks of the exercises of `01_dataset_construction`."""

import numpy as np
import pandas as pd

from mesokit.lesson.checks import solution

_RNG = np.random.default_rng(0)


def _images(*shapes):
    return [[_RNG.integers(0, 256, shape, np.uint8) for shape in (full, full, full[:2])] for full in shapes]


def _mix(target, swapped, mask):
    return np.round(mask[..., None] / 255 * swapped + (1 - mask[..., None] / 255) * target).astype(np.uint8)


@solution(
    _images((2, 3, 3), (4, 2, 3)),
    ("the mask is inverted: where it is 255, the swapped face shows", lambda t, s, m: _mix(s, t, m)),
    ("divide the mask by 255 first", lambda t, s, m: m[..., None] * s + (1 - m[..., None]) * t),
    ("between 0 and 255 the mask mixes both frames", lambda t, s, m: np.where(m[..., None] > 0, s, t)),
    atol=1,  # rounded or cut off
)
def blend(target, swapped, mask):
    """The mask is the share of the swapped face: (h, w, 3) uint8 twice and (h, w) uint8 become (h, w, 3) uint8."""
    return _mix(target, swapped, mask)


def _error(image, other):
    return np.mean((image.astype(float) - other) ** 2)


def _decibels(error, peak=255.0**2):
    """PSNR in dB of images with this mean squared error."""
    return 10 * np.log10(peak / error)


like_psnr = solution(  # for 03 too
    [images[:2] for images in _images((4, 4, 3), (3, 5, 3))],
    ("uint8 wraps around below 0: make the images float first", lambda a, b: _decibels(np.mean((a - b) ** 2.0))),
    ("uint8 wraps around: make the images float first", lambda a, b: _decibels(np.mean((a - b) ** 2))),
    ("this is the mean squared error: PSNR is 10 * log10(255**2 / error)", _error),
    ("square the differences before you take the mean", lambda a, b: _decibels(np.mean(abs(a - 1.0 * b)))),
    ("decibels use the logarithm to base 10", lambda a, b: np.log(10) * _decibels(_error(a, b))),
    ("255 is squared already, so the factor is 10, not 20", lambda a, b: 2 * _decibels(_error(a, b))),
    ("the peak is squared, as the error is: 255**2", lambda a, b: _decibels(_error(a, b), 255)),
    ("the peak of uint8 pixels is 255, not 1", lambda a, b: _decibels(_error(a, b), 1)),
    ("the ratio is upside down: a smaller error gives more decibels", lambda a, b: -_decibels(_error(a, b))),
    ("this is in bel: a decibel is a tenth of it", lambda a, b: _decibels(_error(a, b)) / 10),
    ("this is the sum of the squares: take the mean", lambda a, b: _decibels(_error(a, b) * a.size)),
)


@like_psnr
def psnr(image, other):
    """PSNR is 10 log10 of 255 squared over the mean squared error."""
    return _decibels(_error(image, other))


def _clips(rows):
    found = pd.DataFrame([row.split(",") for row in rows.split()], columns=["identity", "source", "split"])
    return found.replace("", pd.NA).assign(clip=range(len(found)))


def _leaking(clips, columns=("identity", "source")):
    splits = pd.concat([clips.set_index(column)["split"] for column in columns]).groupby(level=0).nunique()
    return set(splits.index[splits > 1])


@solution(
    [
        [_clips("a,,train a,b,train b,,test c,,test c,,train d,,test d,e,test")],
        [_clips("p,,val q,p,test q,,test r,q,test")],
    ],
    ("nobody was found: look at people, each clip is in one split only", lambda clips: []),
    ("only filmed people are counted, not those in `source`", lambda clips: _leaking(clips, ["identity"])),
    ("only people in `source` are counted", lambda clips: _leaking(clips) & set(clips["source"])),
    ("real clips have no source: leave the empty ones out", lambda clips: _leaking(clips) | {np.nan}),
    read=lambda people: sorted("nan" if pd.isna(person) else str(person) for person in people),
)
def leaking(clips):
    """These people are in more than one split, because they were filmed or because they lent a face."""
    return _leaking(clips)


def _members(found):
    """A dict from person to group as text: the members of each group, such as "a b, c d"."""
    return ", ".join(sorted(" ".join(sorted(p for p in found if found[p] == name)) for name in set(found.values())))


@solution(
    [[[("a", "b"), ("e", "f"), ("g", "h")]], [[("p", "q"), ("r", "q")]]],
    ("this is one group: only linked people share one", lambda pairs: {p: 0 for pair in pairs for p in pair}),
    ("both people of a pair share a group", lambda pairs: {p: p for pair in pairs for p in pair}),
    ("each person of each pair needs a group", lambda pairs: {one: one for one, _ in pairs}),
    edges=[
        ("b-c comes later and links a-b to c-d: merge whole groups", [[("a", "b"), ("c", "d"), ("b", "c")]]),
        ("g-h and h-g are the same pair", [[("g", "h"), ("h", "g")]]),
    ],
    read=_members,
)
def groups(pairs):
    """Whoever is linked, directly or through others, shares a group."""
    found = {person: {person} for pair in pairs for person in pair}
    for one, other in pairs:
        together = found[one] | found[other]
        found |= dict.fromkeys(together, together)
    return {person: min(together) for person, together in found.items()}
