"""Public datasets as they are published: from a folder on disk to the clip table, and a list of what is amiss.

Nothing is opened here but lists of splits and labels: only names count, so that 120,000 clips are indexed in seconds.
Downloads are often partial: what is there is indexed, what is listed and absent is a finding, and so is what cannot be
used. The official split is kept where there is one; where it puts one `group` into two splits, the clips on the wrong
side are left out and found, because training on them would leak.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesokit import files, video
from mesokit.dataset import manifest

FRACTIONS = {"train": 0.72, "val": 0.14, "test": 0.14}  # FaceForensics++'s own: 720, 140 and 140 of 1,000
FACEFORENSICS_LEVELS = {"raw": 0, "c0": 0, "c23": 23, "c40": 40}
METHODS = {"Deepfakes": "deepfake", "Face2Face": "face2face"}  # FaceForensics++'s other methods keep their own names
CELEBDF_FOLDERS = {"Celeb-real": "real", "YouTube-real": "real", "Celeb-synthesis": "deepfake"}
REAL_FOLDERS = {"real", "original", "originals"}
STRICTEST = ("test", "val", "train")  # of a group in several official splits, the first of these is kept


class Indexed(NamedTuple):
    """What a folder holds: the table (clip rows; of the authors' faces, face rows) and the findings (finding, path)."""

    table: pd.DataFrame
    findings: pd.DataFrame


def index(name: str, root: str | os.PathLike[str], seed: int = 0) -> Indexed:
    """Index the folder `root` of the dataset called `name` in `SOURCES`; `seed` draws splits where none are official.

    Raises: ValueError for an unknown name, a folder without that dataset, or lists that cannot be read.
    """
    if name not in SOURCES:
        raise ValueError(f"no dataset is called {name!r}; there are {', '.join(SOURCES)}")
    root = Path(root)
    if not root.is_dir():
        raise ValueError(f"{root}: no such folder; give the one that holds the dataset")
    findings: list[tuple[str, str]] = []
    table = SOURCES[name](root, findings, seed)
    found = pd.DataFrame([(what, _shown(path)) for what, path in findings], columns=["finding", "path"])
    found = found.sort_values(["finding", "path"], ignore_index=True)
    return Indexed(table, found)


def faceforensics(root: Path, findings: list[tuple[str, str]], seed: int) -> pd.DataFrame:
    """FaceForensics++ with DeepFakeDetection: original_sequences/{youtube,actors}/<level>/videos/*.mp4 and

    manipulated_sequences/<method>/<level>/videos/*.mp4. `519_515.mp4` is the target 519 with the source 515, and
    `01_02__scene__CODE.mp4` the actor 01 with the face of 02. People that share pixels, over any number of forgeries,
    are one group. Splits: {train,val,test}.json, lists of pairs, in ROOT, ROOT/splits or ROOT/dataset/splits. Of a
    listed pair each method of the same people has both forgeries: those that were not downloaded are findings.
    """
    rows: list[dict[str, Any]] = []
    for part in ("original_sequences", "manipulated_sequences"):
        for folder in sorted((root / part).glob("*")):
            for name, crf in FACEFORENSICS_LEVELS.items():
                for path in _files(folder / name / "videos", root, findings):
                    rows.append(_faceforensics_row(path, folder.name, part == "original_sequences", crf))
    table = _need(rows, root, "original_sequences/<youtube|actors>/<raw|c23|c40>/videos/*.mp4")
    double = table.duplicated(["clip", "crf"])  # raw and c0 are two names of one level
    findings += [("the same level twice", path) for path in table.loc[double, "path"]]
    table = table[~double]
    pairs = table[["identity", "source"]].where(table["source"].notna(), table["identity"], axis=0)
    table = table.assign(group=_groups(pairs.itertuples(index=False, name=None)))
    official = _faceforensics_splits(root, table, findings)
    _missing_originals(table, findings)
    for clip, levels in table.groupby("clip")["crf"]:
        for crf in sorted(set(table["crf"]) - set(levels)):
            findings.append((f"no level c{crf} of a clip", str(clip)))
    return _split(table.assign(official=table["identity"].map(official)), seed, findings)


def _faceforensics_row(path: str, folder: str, real: bool, crf: int) -> dict[str, Any]:
    stem = Path(path).stem
    people = stem.split("__")[0].split("_")  # 519_515, 519, 01_02__scene__CODE, 01__scene
    actors = folder in {"actors", "DeepFakeDetection"}
    people = [f"actor{one}" if actors else one for one in people]
    return {
        "clip": manifest.clip_key(f"{folder}_{stem}.mp4"),
        "path": path,
        "method": "real" if real else METHODS.get(folder, folder),
        "identity": people[0],
        "source": pd.NA if real else people[-1],
        "original": people[0] if not actors else f"{people[0]}__{stem.split('__')[1] if '__' in stem else ''}",
        "crf": crf,
    }


def _faceforensics_splits(root: Path, table: pd.DataFrame, findings: list[tuple[str, str]]) -> dict[str, str]:
    """Identity -> official split, from the first folder that has the three lists; {} without them."""
    places = [root, root / "splits", root / "dataset" / "splits"]
    lists = [[folder / f"{split}.json" for split in manifest.SPLITS] for folder in places]
    folder = next((f for f, paths in zip(places, lists, strict=True) if all(p.is_file() for p in paths)), None)
    if folder is None:
        some = [path.relative_to(root).as_posix() for paths in lists for path in paths if path.is_file()]
        findings.append(
            ("no three lists of splits: split by group", ", ".join(some) or "train.json, val.json, test.json")
        )
        return {}
    official = {}
    for split in manifest.SPLITS:
        pairs = files.read_json(folder / f"{split}.json")
        if not isinstance(pairs, list) or not all(isinstance(p, list) and len(p) == 2 for p in pairs):
            raise ValueError(f"{folder / f'{split}.json'}: not a list of pairs of numbers; download it again")
        official.update({str(one): split for pair in pairs for one in pair})
        _missing_forgeries(pairs, table, findings)
    there = set(table.loc[table["method"] == "real", "identity"])
    findings += [("listed in a split, not there", one) for one in sorted(set(official) - there)]
    return official


def _missing_forgeries(pairs: list[list[Any]], table: pd.DataFrame, findings: list[tuple[str, str]]) -> None:
    """Forgeries of listed pairs that have not been downloaded, for each method of which there are some."""
    forged = table[(table["method"] != "real") & ~table["identity"].str.startswith("actor")]
    there = set(zip(forged["method"], forged["identity"], forged["source"], strict=True))
    for method in sorted(set(forged["method"])):
        for one, other in [both for pair in pairs for both in (map(str, pair), map(str, reversed(pair)))]:
            if (method, one, other) not in there:
                findings.append(("listed forgery, not there", f"{method}: {one}_{other}"))


def _missing_originals(table: pd.DataFrame, findings: list[tuple[str, str]]) -> None:
    """Forgeries whose original clip has not been downloaded."""
    originals = set(table.loc[table["method"] == "real", "original"])
    lost = table[(table["method"] != "real") & ~table["original"].isin(originals)]
    findings += [("its original is not there", path) for path in lost["path"]]


def celebdf(root: Path, findings: list[tuple[str, str]], seed: int) -> pd.DataFrame:
    """Celeb-DF v2: Celeb-real/id0_0000.mp4, YouTube-real/00000.mp4, Celeb-synthesis/<target>_<source>_0000.mp4.

    The test split is List_of_testing_videos.txt (lines "1 Celeb-real/id1_0007.mp4", 1 = real). All 59 celebrities are
    swapped with each other, so a group is a target's clip with its forgeries, and people do recur over the splits.
    """
    rows = []
    for folder, method in CELEBDF_FOLDERS.items():
        for path in _files(root / folder, root, findings):
            parts = Path(path).stem.split("_")
            original = f"{folder}_{parts[0]}" if len(parts) == 1 else f"Celeb-real_{parts[0]}_{parts[-1]}"
            identity = f"youtube{parts[0]}" if len(parts) == 1 else parts[0]
            rows.append(
                {
                    "clip": manifest.clip_key(f"{folder}_{Path(path).stem}.mp4"),
                    "path": path,
                    "method": method,
                    "identity": identity,
                    "source": parts[1] if method != "real" and len(parts) > 2 else pd.NA,
                    "group": original,
                    "original": original,
                    "crf": pd.NA,
                }
            )
    table = _need(rows, root, "Celeb-real, YouTube-real or Celeb-synthesis with .mp4 files")
    _missing_originals(table, findings)
    listed = _celebdf_list(root / "List_of_testing_videos.txt", table, findings)
    return _split(table.assign(official=table["path"].map(dict.fromkeys(listed, "test"))), seed, findings)


def _celebdf_list(path: Path, table: pd.DataFrame, findings: list[tuple[str, str]]) -> list[str]:
    if not path.is_file():
        findings.append(("no list of test clips: split by group", path.name))
        return []
    listed = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        label, _, name = line.strip().partition(" ")
        if label not in {"0", "1"} or not files.inside(name):
            if line.strip():
                raise ValueError(f"{path}: the line {line!r} is not a label 0 or 1 and a path; download it again")
            continue
        if (label == "1") != (CELEBDF_FOLDERS.get(name.split("/")[0]) == "real"):
            findings.append(("the list calls it otherwise than its folder", name))
        listed.append(name)
    findings += [("listed in a split, not there", name) for name in sorted(set(listed) - set(table["path"]))]
    return listed


def dfdc(root: Path, findings: list[tuple[str, str]], seed: int) -> pd.DataFrame:
    """DFDC: folders (dfdc_train_part_0, ...) of .mp4 with a metadata.json: {"a.mp4": {"label": "FAKE", "split":

    "train", "original": "b.mp4"}}. A group is an original with its forgeries; who is shown is not published.
    """
    lists = sorted(root.rglob("metadata.json"))
    rows = []
    for path in lists:
        listed = files.read_json(path)
        if not isinstance(listed, dict):
            raise ValueError(f"{path}: not an object of file names; download it again")
        there = {Path(one).name: one for one in _files(path.parent, root, findings)}
        findings += [("there, not listed", there[name]) for name in sorted(set(there) - set(listed))]
        for name in sorted(set(listed) - set(there)):
            findings.append(("listed, not there", f"{path.parent.relative_to(root).as_posix()}/{name}"))
        rows += [_dfdc_row(path, there[name], listed[name]) for name in sorted(set(listed) & set(there))]
    table = _need(rows, root, "folders with metadata.json and .mp4 files")
    _missing_originals(table, findings)
    if set(table["official"].dropna()) == {"train"}:
        table["official"] = pd.NA  # the whole published training set says so: it is no split
    return _split(table, seed, findings)


def _dfdc_row(listing: Path, path: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict) or entry.get("label") not in ["REAL", "FAKE"]:  # a list: it may be unhashable
        raise ValueError(f"{listing}: the entry of {Path(path).name!r} has no label REAL or FAKE; download it again")
    words = {"train": "train", "validation": "val", "val": "val", "test": "test"}
    original = _shown(str(entry.get("original") or Path(path).name))
    return {
        "clip": manifest.clip_key(f"{listing.parent.name}_{Path(path).stem}.mp4"),
        "path": path,
        "method": "real" if entry["label"] == "REAL" else "dfdc",
        "identity": manifest.clip_key(original),
        "source": pd.NA,
        "group": manifest.clip_key(original),
        "original": original,
        "crf": pd.NA,
        "official": words.get(str(entry.get("split")), pd.NA),
    }


def folder(root: Path, findings: list[tuple[str, str]], seed: int) -> pd.DataFrame:
    """Clips of one's own: ROOT/real/** is real (so are original, originals), every other folder is a forgery method.

    ROOT/<train|val|test>/real/** says the split too. Nobody is known here: each clip is a person and a group.
    """
    rows = []
    for path in _files(root, root, findings, deep=True):
        parts = path.split("/")
        split = parts.pop(0) if parts[0] in manifest.SPLITS else pd.NA
        if len(parts) < 2:
            findings.append(("in no folder that says real or which forgery", path))
            continue
        key = manifest.clip_key(path)
        real = parts[0].lower() in REAL_FOLDERS
        known = {"method": "real" if real else parts[0], "identity": key, "source": pd.NA, "group": key}
        rows.append({"clip": key, "path": path, **known, "crf": pd.NA, "official": split})
    table = _need(rows, root, "real/<clips> and <method>/<clips>")
    findings.append(("people are unknown: each clip is a group of its own", "."))
    return _split(table, seed, findings)


def mesonet_faces(root: Path, findings: list[tuple[str, str]], seed: int) -> pd.DataFrame:
    """The authors' aligned faces: {train_test,validation}/{df,real}/*.jpg -> face rows, without clips.

    `validation` is the test split, as in the paper. Neighbouring numbers are of one clip, so `val` is the last tenth of
    the numbers of each class of `train_test`: drawn at random it would hold the clips of `train`.
    """
    rows = []
    for part, class_ in ((p, c) for p in ("train_test", "validation") for c in ("df", "real")):
        paths = list(_files(root / part / class_, root, findings, suffixes=video.PHOTO_SUFFIXES))
        for i, path in enumerate(paths):
            split = "test" if part == "validation" else "val" if i >= 0.9 * len(paths) else "train"
            label, method = ("real", "real") if class_ == "real" else ("forged", "deepfake")
            known = {"label": label, "method": method, "identity": "unknown", "group": f"authors_{split}"}
            rows.append({"face": manifest.clip_key(path), "path": path, "keep": True, **known, "split": split})
    table = _need(rows, root, "train_test/{df,real}/*.jpg and validation/{df,real}/*.jpg")
    findings.append(("faces without clips: figures per face only", "."))
    return manifest.check_faces(table.reindex(columns=list(manifest.FACES)), "the index")


SOURCES: dict[str, Callable[[Path, list[tuple[str, str]], int], pd.DataFrame]] = {
    "faceforensics": faceforensics,
    "celebdf": celebdf,
    "dfdc": dfdc,
    "mesonet-faces": mesonet_faces,
    "folder": folder,
}


def _files(
    place: Path, root: Path, findings: list[tuple[str, str]], deep: bool = False, suffixes: set[str] | None = None
) -> Iterator[str]:
    """Paths relative to `root`, sorted, of the files in `place`; links that lead out of `root` are only found."""
    top = root.resolve()
    for path in sorted(place.rglob("*") if deep else place.glob("*")):
        if path.suffix.lower() not in (suffixes or video.CLIP_SUFFIXES) or path.name.startswith("."):
            continue
        name = path.relative_to(root).as_posix()
        if not path.resolve().is_relative_to(top) or not path.is_file():
            findings.append(("leads out of the folder, or to nothing", _shown(name)))
        elif not files.inside(name) or _shown(name) != name:
            findings.append(("a name that no table can hold (\\, : or broken characters)", _shown(name)))
        else:
            yield name


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _need(rows: list[dict[str, Any]], root: Path, layout: str) -> pd.DataFrame:
    if not rows:
        raise ValueError(f"{root}: nothing to index; this dataset has {layout}")
    return pd.DataFrame(rows)


def _groups(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """For each pair of people the name of their connected component: its first member."""
    pairs = list(pairs)
    names = sorted({one for pair in pairs for one in pair})
    number = {one: i for i, one in enumerate(names)}
    ends = np.array([[number[a], number[b]] for a, b in pairs]).T
    _, component = connected_components(coo_array((np.ones(len(pairs)), ends), (len(names),) * 2), directed=False)
    first = {c: names[i] for i, c in reversed(list(enumerate(component)))}
    return [first[component[number[a]]] for a, _ in pairs]


def _split(table: pd.DataFrame, seed: int, findings: list[tuple[str, str]]) -> pd.DataFrame:
    """Give each group a split, the official one where there is one, and return the checked clip table."""
    table = table.astype({"official": "string"})
    known = table.dropna(subset="official").groupby("group")["official"].agg(set)
    chosen = {group: next(s for s in STRICTEST if s in splits) for group, splits in known.items()}
    split = table["group"].map(chosen).astype("string")
    # Also a clip that no list names, of a group that one names: it would bring pixels of the test clips to training.
    wrong = split.notna() & (table["official"].fillna("") != split)
    for path in table.loc[wrong, "path"]:
        findings.append(("left out: its group is in another official split", path))
    table, split = table[~wrong], split[~wrong]
    free = split.isna()
    if free.any():
        split = split.fillna(_drawn(table.loc[free, "group"], set(chosen.values()), seed, findings))
    table = table.assign(split=split, label=np.where(table["method"] == "real", "real", "forged"))
    return manifest.check_clips(table.reindex(columns=list(manifest.CLIPS)).sort_values(["clip", "crf"]), "the index")


def _drawn(groups: pd.Series, taken: set[str], seed: int, findings: list[tuple[str, str]]) -> pd.Series:
    """Splits for groups that no list names: those that the lists leave empty, or all; too few groups stay together."""
    wanted = {split: share for split, share in FRACTIONS.items() if split not in taken} or FRACTIONS
    if groups.nunique() < len(wanted):
        split = "test" if taken else "train"
        findings.append((f"too few groups to split: all in {split}", ", ".join(sorted(groups.unique()))))
        return pd.Series(split, groups.index)
    total = sum(wanted.values())
    return manifest.split_by_group(groups, {split: share / total for split, share in wanted.items()}, seed)


def summary(findings: pd.DataFrame, shown: int = 3) -> list[str]:
    """A line per kind of finding: how many, and the first `shown` of them."""
    lines = []
    for finding, paths in findings.groupby("finding")["path"]:
        more = ", ..." if len(paths) > shown else ""
        lines.append(f"{len(paths):6} {finding}: {', '.join(paths.head(shown))}{more}")
    return lines
