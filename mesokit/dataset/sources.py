"""Public datasets as they are published: from a folder on disk to the clip table, and a list of findings.

Only lists of splits and labels are opened. Of the clips the names are enough, so that 120,000 are indexed in seconds.
Downloads are often partial: the clips that are there are indexed. Clips that a list names and that are absent are
findings, and so are clips that were not used. The official split is kept where there is one. Where it puts one `group`
into two splits, the clips of the wrong split are left out and reported, because training on them would leak. `folders`
reads folders of other layouts.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mesokit import files, video
from mesokit.dataset import folders, indexing, manifest
from mesokit.dataset.grouping import give_splits, joined
from mesokit.dataset.indexing import Findings, clip_files, need, shown

FACEFORENSICS_LEVELS = {"raw": 0, "c0": 0, "c23": 23, "c40": 40}
METHODS = {"Deepfakes": "deepfake", "Face2Face": "face2face"}  # FaceForensics++'s other methods keep their own names
CELEBDF_FOLDERS = {"Celeb-real": "real", "YouTube-real": "real", "Celeb-synthesis": "deepfake"}
PLACES = {  # why a clip in the folder of a dataset is not used
    "faceforensics": "not in a folder videos of original_sequences or manipulated_sequences, in raw, c0, c23 or c40",
    "celebdf": f"not in {', '.join(CELEBDF_FOLDERS)}",
    "dfdc": "no metadata.json in its folder",
    "mesonet-faces": "not in df or real of train_test or validation",
    "folder": "not a clip",
}
NO_NAME = {"", "nan", "none", "null"}  # what stands in lists where a name is not known


class Indexed(NamedTuple):
    """What a folder holds: the table (clip rows; of the authors' faces, face rows) and the findings (finding, path)."""

    table: pd.DataFrame
    findings: pd.DataFrame


def index(
    name: str, root: str | os.PathLike[str], seed: int = 0, real: Sequence[str] = (), forged: Sequence[str] = ()
) -> Indexed:
    """Index the folder `root` of the dataset called `name` in `SOURCES`; `seed` draws splits where none are official.

    `real` and `forged`: names of folders, for the source `folder` only; they say outright which class its clips have.
    Raises: ValueError for an unknown name, a folder without that dataset, or lists that cannot be read.
    """
    if name not in SOURCES:
        raise ValueError(f"no dataset is called {name!r}; there are {', '.join(SOURCES)}")
    if (real or forged) and name != "folder":
        raise ValueError(f"{name} has its classes in its own layout; --real and --forged are for the source folder")
    root = Path(root)
    if not root.is_dir():
        kind = files.kind(root) if root.is_file() else None
        why = f"it is {kind or 'a file'}" if root.is_file() else files.missing(root)
        raise ValueError(f"{root}: no such folder: {why}; give the folder that holds the dataset")
    findings: Findings = []
    table = SOURCES[name](root, findings, seed, **({"real": real, "forged": forged} if real or forged else {}))
    suffixes = video.PHOTO_SUFFIXES if name == "mesonet-faces" else video.CLIP_SUFFIXES
    used = pd.concat([table["path"], table["mask"].dropna()])
    indexing.unused(root, used, findings, f"not used: {PLACES[name]}", suffixes)
    return Indexed(table, indexing.found(findings))


def faceforensics(root: Path, findings: Findings, seed: int) -> pd.DataFrame:
    """FaceForensics++ with DeepFakeDetection.

    Real: original_sequences/{youtube,actors}/<level>/videos/*.mp4. Forged:
    manipulated_sequences/<method>/<level>/videos/*.mp4. `519_515.mp4` is the target 519 with the source 515, and
    `01_02__scene__CODE.mp4` the actor 01 with the face of 02. People that share pixels, over any number of forgeries,
    are one group. Masks of the tampered region: manipulated_sequences/<method>/masks/videos/*.mp4. Splits:
    {train,val,test}.json, lists of pairs, in ROOT, ROOT/splits or ROOT/dataset/splits. Of a listed pair each method of
    the same people has both forgeries: those that were not downloaded are findings.
    """
    rows: list[dict[str, Any]] = []
    for part in ("original_sequences", "manipulated_sequences"):
        for folder in sorted((root / part).glob("*")):
            real = part == "original_sequences"
            masks = {} if real else {Path(m).name: m for m in clip_files(folder / "masks" / "videos", root, findings)}
            for name, crf in FACEFORENSICS_LEVELS.items():
                for path in clip_files(folder / name / "videos", root, findings):
                    row = _faceforensics_row(path, folder.name, real, crf)
                    rows.append(row | {"mask": masks.get(Path(path).name, pd.NA)})
    table = need(rows, root, "original_sequences/<youtube|actors>/<raw|c23|c40>/videos/*.mp4", findings)
    double = table.duplicated(["clip", "crf"])  # raw and c0 are two names of one level
    findings += [("the same level twice", path) for path in table.loc[double, "path"]]
    table = table[~double]
    pairs = table[["identity", "source"]].where(table["source"].notna(), table["identity"], axis=0)
    table = table.assign(group=joined(pairs.itertuples(index=False, name=None)))
    official = _faceforensics_splits(root, table, findings)
    _missing_originals(table, findings)
    for clip, levels in table.groupby("clip")["crf"]:
        for crf in sorted(set(table["crf"]) - set(levels)):
            findings.append((f"no level c{crf} of a clip", str(clip)))
    return give_splits(table.assign(official=table["identity"].map(official)), seed, findings)


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


def _faceforensics_splits(root: Path, table: pd.DataFrame, findings: Findings) -> dict[str, str]:
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


def _missing_forgeries(pairs: list[list[Any]], table: pd.DataFrame, findings: Findings) -> None:
    """Forgeries of listed pairs that have not been downloaded, for each method of which there are some."""
    forged = table[(table["method"] != "real") & ~table["identity"].str.startswith("actor")]
    there = set(zip(forged["method"], forged["identity"], forged["source"], strict=True))
    for method in sorted(set(forged["method"])):
        for one, other in [both for pair in pairs for both in (map(str, pair), map(str, reversed(pair)))]:
            if (method, one, other) not in there:
                findings.append(("listed forgery, not there", f"{method}: {one}_{other}"))


def _missing_originals(table: pd.DataFrame, findings: Findings) -> None:
    """Forgeries whose original clip has not been downloaded."""
    originals = set(table.loc[table["method"] == "real", "original"])
    lost = table[(table["method"] != "real") & ~table["original"].isin(originals)]
    findings += [("its original is not there", path) for path in lost["path"]]


def celebdf(root: Path, findings: Findings, seed: int) -> pd.DataFrame:
    """Celeb-DF v2: Celeb-real/id0_0000.mp4, YouTube-real/00000.mp4, Celeb-synthesis/<target>_<source>_0000.mp4.

    The test split is List_of_testing_videos.txt (lines "1 Celeb-real/id1_0007.mp4", 1 = real). All 59 celebrities are
    swapped with each other, so a group is a target's clip with its forgeries, and people do recur over the splits.
    """
    rows = []
    for folder, method in CELEBDF_FOLDERS.items():
        for path in clip_files(root / folder, root, findings):
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
    table = need(rows, root, "Celeb-real, YouTube-real or Celeb-synthesis with .mp4 files", findings)
    _missing_originals(table, findings)
    listed = _celebdf_list(root / "List_of_testing_videos.txt", table, findings)
    return give_splits(table.assign(official=table["path"].map(dict.fromkeys(listed, "test"))), seed, findings)


def _celebdf_list(path: Path, table: pd.DataFrame, findings: Findings) -> list[str]:
    if not path.is_file():
        findings.append(("no list of test clips: split by group", path.name))
        return []
    listed = []
    for line in files.read_text(path).splitlines():
        label, name = [*line.split(maxsplit=1), "", ""][:2]
        name = name.strip()
        if label not in {"0", "1"} or not files.inside(name):
            if line.strip():
                raise ValueError(f"{path}: the line {line!r} is not a label 0 or 1 and a path; download it again")
            continue
        if (label == "1") != (CELEBDF_FOLDERS.get(name.split("/")[0]) == "real"):
            findings.append(("the list calls it otherwise than its folder", name))
        listed.append(name)
    findings += [("listed in a split, not there", name) for name in sorted(set(listed) - set(table["path"]))]
    return listed


def dfdc(root: Path, findings: Findings, seed: int) -> pd.DataFrame:
    """DFDC: folders (dfdc_train_part_0, ...) of clips, each with a metadata.json.

    It holds {"a.mp4": {"label": "FAKE", "split": "train", "original": "b.mp4"}}. A group is an original with its
    forgeries; who is shown is not published.
    """
    lists = sorted(root.rglob("metadata.json"))
    rows = []
    for path in lists:
        listed = files.read_json(path)
        if not isinstance(listed, dict):
            raise ValueError(f"{path}: not an object of file names; download it again")
        there = {Path(one).name: one for one in clip_files(path.parent, root, findings)}
        findings += [("there, not listed", there[name]) for name in sorted(set(there) - set(listed))]
        for name in sorted(set(listed) - set(there)):
            findings.append(("listed, not there", f"{path.parent.relative_to(root).as_posix()}/{name}"))
        rows += [_dfdc_row(path, there[name], listed[name], findings) for name in sorted(set(listed) & set(there))]
    table = need(rows, root, "folders with metadata.json and .mp4 files", findings)
    _missing_originals(table, findings)
    if set(table["official"].dropna()) == {"train"}:
        table["official"] = pd.NA  # the whole published training set says so: it is no split
    return give_splits(table, seed, findings)


def _dfdc_row(listing: Path, path: str, entry: Any, findings: Findings) -> dict[str, Any]:
    if not isinstance(entry, dict) or entry.get("label") not in ["REAL", "FAKE"]:  # a list: it may be unhashable
        raise ValueError(f"{listing}: the entry of {Path(path).name!r} has no label REAL or FAKE; download it again")
    words = {"train": "train", "validation": "val", "val": "val", "test": "test"}
    original = entry.get("original")
    if not isinstance(original, str) or original.strip().lower() in NO_NAME:  # NaN for example
        original = Path(path).name
        if entry["label"] == "FAKE":
            findings.append(("forged, and its original is not named: a group of its own", path))
    original = shown(original)
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


def mesonet_faces(root: Path, findings: Findings, seed: int) -> pd.DataFrame:
    """The authors' aligned faces: {train_test,validation}/{df,real}/*.jpg -> face rows, without clips.

    `validation` is the test split, as in the paper. Neighbouring numbers are of one clip, so `val` is the last tenth of
    the numbers of each class of `train_test`: drawn at random it would hold the clips of `train`.
    """
    rows = []
    for part, class_ in ((p, c) for p in ("train_test", "validation") for c in ("df", "real")):
        paths = list(clip_files(root / part / class_, root, findings, suffixes=video.PHOTO_SUFFIXES))
        for i, path in enumerate(paths):
            split = "test" if part == "validation" else "val" if i >= 0.9 * len(paths) else "train"
            label, method = ("real", "real") if class_ == "real" else ("forged", "deepfake")
            known = {"label": label, "method": method, "identity": "unknown", "group": f"authors_{split}"}
            rows.append({"face": manifest.clip_key(path), "path": path, "keep": True, **known, "split": split})
    table = need(rows, root, "train_test/{df,real}/*.jpg and validation/{df,real}/*.jpg", findings)
    findings.append(("faces without clips: figures per face only", "."))
    return manifest.check_faces(table.reindex(columns=list(manifest.FACES)), "the index")


SOURCES: dict[str, Callable[..., pd.DataFrame]] = {
    "faceforensics": faceforensics,
    "celebdf": celebdf,
    "dfdc": dfdc,
    "mesonet-faces": mesonet_faces,
    "folder": folders.folder,
}
