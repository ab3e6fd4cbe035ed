"""What all sources of clips share: the files in a folder, what of them was not used, groups, and splits by group."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesokit import files, video
from mesokit.dataset import manifest

Findings = list[tuple[str, str]]  # what is amiss, and with which file or folder

FRACTIONS = {"train": 0.72, "val": 0.14, "test": 0.14}  # FaceForensics++'s own: 720, 140 and 140 of 1,000
STRICTEST = ("test", "val", "train")  # of a group in several official splits, the first of these is kept
NEEDED = ("train", "test", "val")  # where clips of a class are few, the first of these get some
NOTES = {".csv", ".json", ".txt", ".md"}  # lists and notes that lie beside clips: nobody takes them for clips
_COUNTED = 10_000  # entries of a linked folder that are looked at to count its clips


def clip_files(
    place: Path, root: Path, findings: Findings, deep: bool = False, suffixes: set[str] | None = None
) -> Iterator[str]:
    """Paths relative to `root`, sorted, of the clips in `place`; those that no table may name are only findings."""
    top = root.resolve()
    for path in sorted(place.rglob("*") if deep else place.glob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix.lower() not in (suffixes or video.CLIP_SUFFIXES) or _hidden(name) or path.is_dir():
            continue
        if not path.resolve().is_relative_to(top) or not path.is_file():
            findings.append(("leads out of the folder, or to nothing", shown(name)))
        elif not files.inside(name) or shown(name) != name:
            findings.append(("a name that no table can hold (\\, : or broken characters)", shown(name)))
        else:
            yield name


def unused(root: Path, used: Iterable[str], findings: Findings, why: str, suffixes: set[str] | None = None) -> None:
    """Add to `findings` all files below `root` that are neither in `used` nor there yet; `why` is said of clips.

    Files of other kinds are counted by the endings of their names. Links to folders are not followed.
    """
    suffixes = suffixes or video.CLIP_SUFFIXES
    known = {*used, *(path for _, path in findings)}
    reached = {parent for path in known for parent in _parents(path)}
    others: dict[str, list[str]] = {}

    def closed(error: OSError) -> None:
        findings.append(("a folder that may not be read", shown(Path(error.filename).relative_to(root).as_posix())))

    for folder, folders, names in os.walk(root, onerror=closed):
        here = Path(folder)
        for name in sorted(folders):
            path = shown((here / name).relative_to(root).as_posix())
            if (here / name).is_symlink() and path not in reached:
                findings.append(_linked(here / name, root, path, suffixes))
        for name in sorted(names):
            path = shown((here / name).relative_to(root).as_posix())
            suffix = Path(name).suffix.lower()
            if path in known or suffix in NOTES:
                continue
            if suffix not in suffixes:
                others.setdefault(suffix, []).append(path)
            else:
                findings.append(("hidden: a name that begins with a dot" if _hidden(path) else why, path))
    for suffix, paths in others.items():
        counted = f"{suffix or 'no ending'}: {len(paths)} files, {paths[0]}{', ...' if len(paths) > 1 else ''}"
        findings.append(("other kinds of files, not read, by the endings of their names", counted))


def _hidden(path: str) -> bool:
    return path.startswith(".") or "/." in path


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _linked(link: Path, root: Path, path: str, suffixes: set[str]) -> tuple[str, str]:
    """The finding about a link to a folder, with the number of clips in there."""
    if link.resolve().is_relative_to(root.resolve()):
        return "a link to another folder in here, where its clips are read", path
    entries = islice((name for _, _, names in os.walk(link) for name in names), _COUNTED + 1)
    endings = [Path(name).suffix.lower() for name in entries]
    clips, more = sum(ending in suffixes for ending in endings), " or more" if len(endings) > _COUNTED else ""
    return "a linked folder, not followed: give the real folder instead, or copy it", f"{path} ({clips}{more} clips)"


def shown(name: str) -> str:
    """A file name as text: what is no text in it becomes '?'."""
    return name.encode("utf-8", "replace").decode()


def need(rows: list[dict[str, Any]], root: Path, layout: str, findings: Findings) -> pd.DataFrame:
    """The rows as a table. Raises ValueError where there are none, with `layout` and the first of the findings."""
    if not rows:
        there = "".join(f"; {line.strip()}" for line in summary(found(findings))[:3])
        raise ValueError(f"{root}: nothing to index; this dataset has {layout}{there}")
    return pd.DataFrame(rows)


def found(findings: Findings) -> pd.DataFrame:
    """The findings as a table (finding, path), sorted."""
    table = pd.DataFrame([(what, shown(path)) for what, path in findings], columns=["finding", "path"])
    return table.sort_values(["finding", "path"], ignore_index=True)


def summary(findings: pd.DataFrame, shown: int = 3) -> list[str]:
    """A line per kind of finding: how many, and the first `shown` of them."""
    lines = []
    for finding, paths in findings.groupby("finding")["path"]:
        more = ", ..." if len(paths) > shown else ""
        lines.append(f"{len(paths):6} {finding}: {', '.join(paths.head(shown))}{more}")
    return lines


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
    known = table.dropna(subset="official").groupby("group")["official"].agg(set)
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
    return max(drawn, another, key=lambda splits: clips["label"].groupby(splits).nunique().sum())  # the first of equals


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
