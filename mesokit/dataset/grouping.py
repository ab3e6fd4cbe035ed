"""Groups of clips that share people, and splits by group in which both classes are, as far as that is possible."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesokit.dataset import manifest
from mesokit.dataset.indexing import Findings

FRACTIONS = {"train": 0.72, "val": 0.14, "test": 0.14}  # FaceForensics++'s own: 720, 140 and 140 of 1,000
STRICTEST = ("test", "val", "train")  # of a group in several official splits, the first of these is kept
NEEDED = ("train", "test", "val")  # where clips of a class are few, the first of these get some
# How public datasets name a forgery: by the person filmed, then the other person; and a real clip by the first alone.
PAIRS = {
    "FaceForensics++": re.compile(r"(?P<target>\d{3})(_(?P<source>\d{3}))?"),
    "DeepFakeDetection": re.compile(r"(?P<target>\d\d)(_(?P<source>\d\d))?__.+"),
    "Celeb-DF": re.compile(r"(?P<target>id\d+)(_(?P<source>id\d+))?_(?P<clip>\d{4})"),
}


def with_people(table: pd.DataFrame, below: list[str], findings: Findings) -> pd.DataFrame:
    """The columns identity, source and group: of people by the names of public datasets, else by the names of clips.

    `below`: for each clip its path below the folder of its class. A forged clip belongs to the real one of the same
    split whose path is the same, or the beginning of it (`a/7.mp4` and `a/7_swapped.mp4`).
    """
    keys, real = table["clip"].tolist(), (table["method"] == "real").tolist()
    stems = [PurePosixPath(path).stem for path in table["path"]]
    people: list[tuple[str, str | None]] = [(key, None) for key in keys]  # the person filmed, and the other
    ties = [(key, key) for key in keys]  # what is in one group
    alone = set(range(len(table)))
    for dataset, pattern in PAIRS.items():
        matches = {i: pattern.fullmatch(stems[i]) for i in sorted(alone)}
        named = {i: match for i, match in matches.items() if match is not None and bool(match["source"]) != real[i]}
        if all(real[i] for i in named):
            continue
        for i, match in named.items():
            prefix = "actor" if dataset == "DeepFakeDetection" else ""
            target, source = prefix + match["target"], match["source"] and prefix + match["source"]
            # All people of Celeb-DF are swapped with each other: its groups are a real clip with its forgeries.
            clip = f"{target}_{match['clip']}" if dataset == "Celeb-DF" else None
            people[i], ties[i] = (target, source), (clip or target, clip or source or target)
        alone -= set(named)
        findings.append((f"people are read from names as in {dataset}, and groups from people", f"{len(named)} clips"))
    split = table["official"].fillna("").tolist()
    originals = {(split[i], below[i]): i for i in sorted(alone, reverse=True) if real[i]}
    tied: dict[int, int] = {}
    for i in sorted(alone):
        names = [below[i]]
        if not real[i]:
            names += [below[i][: sign.start()] for sign in reversed(list(re.finditer(r"[_\-. ]", below[i])))]
        one = next((originals[split[i], name] for name in names if (split[i], name) in originals), None)
        if one is not None and one != i:
            people[i], ties[i], tied[i] = (keys[one], None), (keys[i], keys[one]), one
    if tied:
        findings.append(("in the group of the real clip of the same name", f"{len(tied)} clips"))
    if alone := alone - set(tied) - set(tied.values()):
        findings.append(("people are unknown: each clip is a group of its own", f"{len(alone)} clips"))
    identity, source = zip(*people, strict=True)
    return table.assign(identity=identity, source=pd.array(source, dtype="string"), group=joined(ties))


def joined(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """For each pair of names their connected component over all pairs, called by its first member."""
    pairs = list(pairs)
    names = sorted({one for pair in pairs for one in pair})
    number = {one: i for i, one in enumerate(names)}
    ends = np.array([[number[a], number[b]] for a, b in pairs]).T
    _, component = connected_components(coo_array((np.ones(len(pairs)), ends), (len(names),) * 2), directed=False)
    first = {c: names[i] for i, c in reversed(list(enumerate(component)))}
    return [first[component[number[a]]] for a, _ in pairs]


def give_splits(table: pd.DataFrame, seed: int, findings: Findings) -> pd.DataFrame:
    """Give each group a split, the official one where there is one, and return the checked clip table."""
    table = table.astype({"official": "string"})
    # not agg(), which makes lists of sets where pandas stores text with pyarrow
    known = table.dropna(subset="official").groupby("group")["official"].apply(set)
    chosen = {group: next(s for s in STRICTEST if s in splits) for group, splits in known.items()}
    splits = table["group"].map(chosen).astype("string")
    # Also a clip that no list names, of a group that one names: it would bring pixels of the test clips to training.
    wrong = splits.notna() & (table["official"].fillna("") != splits)
    for path in table.loc[wrong, "path"]:
        findings.append(("left out: its group is in another official split", path))
    table, splits = table[~wrong], splits[~wrong]
    table = table.assign(label=np.where(table["method"] == "real", "real", "forged"))
    free = splits.isna()
    if free.any():
        splits = splits.fillna(_drawn(table.loc[free, ["group", "label"]], set(chosen.values()), seed, findings))
    table = table.assign(split=splits)
    for name in manifest.SPLITS:
        absent = set(manifest.LABELS) - set(table.loc[splits == name, "label"])
        if absent:
            what = f"{absent.pop()} clip" if len(absent) == 1 else "clip"
            findings.append((f"a split without a {what}", name))
    return manifest.check_clips(table.reindex(columns=list(manifest.CLIPS)).sort_values(["clip", "crf"]), "the index")


def _drawn(clips: pd.DataFrame, taken: set[str], seed: int, findings: Findings) -> pd.Series:
    """Splits for clips (group, label) that no list names: those that the lists leave empty, or all of them.

    Too few groups stay together. Where the first draw leaves a split without one class, another one gives it both, as
    far as there are groups for that.
    """
    groups = clips["group"]
    wanted = {name: share for name, share in FRACTIONS.items() if name not in taken} or FRACTIONS
    if groups.nunique() < len(wanted):
        name = "test" if taken else "train"
        findings.append((f"too few groups to split: all in {name}", ", ".join(sorted(groups.unique()))))
        return pd.Series(name, groups.index)
    total = sum(wanted.values())
    shares = {name: share / total for name, share in wanted.items()}
    drawn = manifest.split_by_group(groups, shares, seed)
    another = groups.map(_balanced(clips, shares, seed))

    def merit(splits: pd.Series) -> tuple[int, int]:
        classes = clips["label"].groupby(splits).nunique()
        return int(classes.sum()), int(classes.get(next(iter(shares)), 0))  # the first split is that for training

    return max(drawn, another, key=merit)  # the first of equals


def _balanced(clips: pd.DataFrame, shares: dict[str, float], seed: int) -> dict[str, str]:
    """Group -> split: first both classes into each split, as far as they go; then each kind of group by `shares`."""
    kinds = clips.groupby("group")["label"].agg(lambda labels: "+".join(sorted(set(labels))))
    names = np.random.default_rng(seed).permutation(sorted(kinds.index)).tolist()
    left = {kind: [name for name in names if kinds[name] == kind] for kind in ("forged", "real", "forged+real")}
    lacking = {(kind, split): share * len(groups) for kind, groups in left.items() for split, share in shares.items()}
    owner: dict[str, str] = {}

    def give(kind: str, split: str) -> None:
        owner[left[kind].pop()] = split
        lacking[kind, split] -= 1

    for split in sorted(shares, key=NEEDED.index):
        for kind in ("forged", "real") if left["forged"] and left["real"] else ("forged+real",):
            if left[kind]:
                give(kind, split)
    for kind, groups in left.items():
        while groups:
            give(kind, max(shares, key=lambda split: lacking[kind, split]))
    return owner
