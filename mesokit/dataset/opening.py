"""The one door to a finished dataset: what its folder holds, and its faces, masks and clips."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from mesokit import files, video
from mesokit.dataset import manifest, pictures

UNKNOWN = -1  # stands for the CRF where the level of compression is unknown, so that tables can be grouped by it


@dataclass(frozen=True, eq=False)
class Dataset:
    """An opened dataset. In both tables an unknown level of compression is UNKNOWN.

    folder: of dataset.json, the face table and the pictures, or its URL; about: the content of dataset.json; faces: the
    face table without rejected faces; clips: the clip table, empty for faces that were published without clips;
    clip_folder: what the paths of the clips are relative to, or None where the clips are not there; notes: a sentence
    for each thing that a reader of results must know.
    """

    folder: Path | str
    about: dict[str, Any]
    faces: pd.DataFrame
    clips: pd.DataFrame
    clip_folder: Path | None
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """What dataset.json calls it, for example "smoke" or "faceforensics"."""
        return str(self.about.get("name", PurePosixPath(self.folder).name))

    @property
    def methods(self) -> list[str]:
        """The forgeries, sorted."""
        return sorted(set(self.faces["method"]) - {"real"})

    @property
    def levels(self) -> list[int]:
        """The levels of compression (CRF), sorted; UNKNOWN among them."""
        return sorted(int(crf) for crf in self.faces["crf"].unique())

    def lacks(self, what: str) -> str:
        """Why these data cannot show `what`, as a sentence; empty where they can.

        what: "masks" of the tampered region, "clips" (their files), "landmarks", "levels" (two or more), "training"
        (faces to train on, and validation faces), "pairs" (a real and a forged frame of one moment), "groups" (two with
        real and forged clips). Raises ValueError for another word.
        """
        if what not in _LACKS:
            raise ValueError(f"{what!r}: a dataset can lack {', '.join(_LACKS)}")
        there, sentence = _LACKS[what]
        return "" if there(self) else f"{self.name}: {sentence}"

    def choose(self, method: str, crf: int) -> tuple[str, int]:
        """`method` and `crf` if the data have them; where they have one forgery or one level only, that one.

        Raises ValueError with what there is, where the choice is open.
        """
        for what, value, there in (("method", method, self.methods), ("crf", crf, self.levels)):
            if value not in there and len(there) != 1:
                known = ", ".join(map(str, there)) or "none"
                raise ValueError(f"{what} = {value!r}: {self.name} has no such faces; set {what} to one of: {known}")
        return (
            method if method in self.methods else self.methods[0],
            crf if crf in self.levels else self.levels[0],
        )

    def rows(self, methods: str | Iterable[str], crf: int | None = None, splits: Iterable[str] = ()) -> pd.DataFrame:
        """The face table of the real faces and of the forgeries `methods`, at the level `crf` or, for None, at all.

        Raises ValueError where one of `splits` has no real faces, or none of one of the forgeries.
        """
        methods = [methods] if isinstance(methods, str) else [*methods]
        table = self.faces[self.faces["method"].isin(["real", *methods])]
        if crf is not None:
            table = table[table["crf"] == crf]
        for split in splits:
            for kind in ("real", *methods):
                if not ((table["split"] == split) & (table["method"] == kind)).any():
                    at = "" if crf is None else f" at {level(crf)}"
                    counts = table.groupby(["split", "method"]).size()
                    there = ", ".join(f"{n} {kind} in {split}" for (split, kind), n in counts.items()) or "none"
                    what = "real" if kind == "real" else f"forged ({kind})"
                    wanted = f" for {', '.join(methods)}" if kind == "real" else ""
                    raise ValueError(f"{self.name}: {split} has no {what} faces{wanted}{at}; faces there are: {there}")
        return table

    def examples(self, table: pd.DataFrame, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows of up to `n` real and `n` forged faces of `table`, of different people: pairs of one moment, if any."""
        matched = pairs(table).drop_duplicates("identity").head(n)
        if len(matched):
            by_face = table.set_index("face", drop=False)
            return by_face.loc[matched["face"]], by_face.loc[matched["face_b"]]
        first = table.drop_duplicates("clip").groupby("label").head(n)
        return first[first["label"] == "real"], first[first["label"] == "forged"]

    def thinned(self, frames: int, clips: int | None = None) -> "Dataset":
        """The same with at most `frames` faces of each clip and level, and about `clips` clips of a split and method.

        Frames are spread evenly over their clip, and groups evenly over the sorted groups of their split. Groups stay
        whole. A note gives the numbers.
        """
        faces = self.faces
        if clips is not None:
            sizes = faces.groupby(["split", "method"])["clip"].nunique().groupby("split").max()
            chosen: set[str] = set()
            for split, size in sizes.items():
                groups = sorted(faces.loc[faces["split"] == split, "group"].unique())
                few = max(1, len(groups) * min(clips, size) // size)
                chosen |= {groups[i] for i in video.even_indices(len(groups), few)}
            faces = faces[faces["group"].isin(chosen)]
        per = faces.groupby(["clip", "crf"])
        size, number = per["face"].transform("size"), per.cumcount()
        # Face k of n is taken where its share of the m faces reaches the next whole number.
        faces = faces[(size <= frames) | ((number + 1) * frames // size > number * frames // size)]
        if len(faces) == len(self.faces):
            return self
        note = f"{len(faces):,} of {len(self.faces):,} faces are used: at most {frames} of each clip and level" + (
            f", and about {clips} clips of each split and method." if clips is not None else "."
        )
        return replace(self, faces=faces.reset_index(drop=True), notes=(*self.notes, note))

    def summary(self) -> pd.DataFrame:
        """Numbers of clips, faces and people by method and split."""
        table = self.faces.groupby(["method", "split"])
        counts = table.agg(clips=("clip", "nunique"), faces=("face", "size"), people=("identity", "nunique"))
        return counts.reindex(
            [(m, s) for m in ["real", *self.methods] for s in manifest.SPLITS if (m, s) in counts.index]
        )

    def sentence(self) -> str:
        """What there is, in one line."""
        what = [", ".join(self.methods) or "no forgery", ", ".join(map(level, self.levels))]
        what += ["masks"] if not self.lacks("masks") else []
        clips, faces = self.faces["clip"].nunique(), len(self.faces)
        return f"{self.name}: {faces:,} faces of {clips:,} clips; {'; '.join(what)}"


def _trainable(ds: Dataset) -> bool:
    found = ds.faces.groupby("split")["label"].nunique()
    return all(found.get(split, 0) == 2 for split in ("train", "val"))


_LACKS: dict[str, tuple[Callable[[Dataset], Any], str]] = {  # what a cell may need: whether it is there, else why not
    "masks": (lambda ds: ds.faces["mask"].notna().any(), "there are no masks of the tampered region"),
    "clips": (lambda ds: ds.clip_folder is not None, "the clips are not there"),
    "landmarks": (lambda ds: ds.faces["nose_x"].notna().any(), "these faces have no landmarks"),
    "levels": (lambda ds: len(ds.levels) > 1, "there is one level of compression only"),
    "training": (_trainable, "there are no real and forged faces of both train and val"),
    "groups": (
        lambda ds: (ds.faces.groupby("group")["label"].nunique() == 2).sum() > 1,
        "fewer than two groups have real and forged clips",
    ),
    "pairs": (lambda ds: len(pairs(ds.faces)), "no forged frame has its original beside it"),
}


_SIDES = ("face", "face_b")  # of a pair: the key of the real face, and of the forged one


def level(crf: int) -> str:
    """A level of compression in words: "CRF 23", or that it is unknown."""
    return "unknown compression" if crf == UNKNOWN else f"CRF {crf}"


def pairs(faces: pd.DataFrame) -> pd.DataFrame:
    """Real faces, each beside the forged face of the same moment: columns of the forged one end in "_b".

    One moment is a frame of a person at a level, within a group. Of several forgeries each makes a row. Where a clip
    shows several people, those are paired whose boxes overlap and are the nearest to each other: the numbers in the
    column `person` are given in each clip anew.
    """
    known = faces[faces["box_x"].notna()]  # of faces without a clip the moment is unknown
    real, forged = (known[known["label"] == label] for label in ("real", "forged"))
    found = real.merge(forged, on=["group", "identity", "crf", "frame"], suffixes=("", "_b"))
    if not known["person"].gt(0).any():
        return found
    apart = {}  # between the centres of the boxes, in pixels
    for axis, size in (("x", "w"), ("y", "h")):
        near, far = (found[f"box_{axis}{end}"] + found[f"box_{size}{end}"] / 2 for end in ("", "_b"))
        apart[axis] = (near - far).abs()
        reach = (found[f"box_{size}"] + found[f"box_{size}_b"]) / 2
        apart[axis] = apart[axis].where(apart[axis] < reach)  # NaN: they do not overlap
    away = np.hypot(apart["x"], apart["y"])
    keys = ["crf", "frame", "clip", "clip_b"]
    nearest = [away.groupby([found[key] for key in [*keys, side]], dropna=False).transform("min") for side in _SIDES]
    return found[(away == nearest[0]) & (away == nearest[1])].reset_index(drop=True)


def open(path: str | os.PathLike[str], clips: str | os.PathLike[str] | None = None) -> Dataset:
    """Open the dataset in the folder or URL `path`, as mesokit extract or mesokit shard writes it.

    clips: the folder of the clips, if they were moved; by default what dataset.json says. Raises FileNotFoundError for
    a folder without a dataset, ValueError for a wrong table, a shard cut short or a wrong folder of clips.
    """
    place = files.place(path)
    with files.at_hand(place, [*pictures.TABLES, "dataset.json", "clips.csv"]) as folder:
        if not (found := manifest.face_table(folder)).is_file():
            way = "build one (mesokit index, then mesokit extract), or name the folder that holds faces.csv"
            named = place.absolute() if isinstance(place, Path) else place
            raise FileNotFoundError(f"{named}: there is no dataset in this folder; {way}")
        faces = pictures.faces(place, folder)
        if faces.empty:
            raise ValueError(f"{found}: every face is rejected (keep is False)")
        described = folder / "dataset.json"
        about = files.read_json(described) if described.is_file() else {}
        if not isinstance(about, dict):
            raise ValueError(f"{described}: not an object of facts about a dataset; build the dataset again")
        table = manifest.read_clips(folder / "clips.csv") if (folder / "clips.csv").is_file() else pd.DataFrame()
    notes = []
    alone = faces["clip"].isna()
    if alone.any():
        notes.append(
            f"{alone.sum():,} faces were published without their clips. Each counts as a clip of its own, so intervals "
            "are too narrow, and results per clip are those per frame."
        )
        faces = faces.assign(clip=faces["clip"].fillna(faces["face"]), frame=faces["frame"].fillna(0))
    if faces["crf"].isna().any():
        notes.append(f"The compression of some faces is unknown. Tables and figures show it as CRF {UNKNOWN}.")
    said = _said(place, about)
    home = _clip_folder(said, place, table, clips)
    if home is None and len(table):
        what = "not in" if isinstance(said, Path) else "opened from a folder only, not from"
        notes.append(f"The clips are {what} {said}. What needs them is left out.")
    faces, table = (one.assign(crf=one["crf"].fillna(UNKNOWN)) if len(one) else one for one in (faces, table))
    return Dataset(place, about, faces, table, home, tuple(notes))


def _said(place: Path | str, about: dict[str, Any]) -> Path | str:
    """Where dataset.json says the clips are: a folder relative to its own (without a word, that folder) or a URL."""
    if isinstance(said := files.place(str(about.get("clips", "."))), str):
        return said
    return Path(os.path.normpath(Path(place) / str(about.get("clips", "."))))


def _clip_folder(
    said: Path | str, place: Path | str, table: pd.DataFrame, given: str | os.PathLike[str] | None
) -> Path | None:
    """The folder of the clips if the first of them is there, else None: of a URL, too, since players seek in files."""
    home = said if given is None else Path(given)
    if table.empty or isinstance(home, str):
        return None
    if (home / table["path"].iloc[0]).is_file():
        manifest.check_links(table, home)
        return home
    if given is not None:
        raise ValueError(f"{home}: the clip {table['path'].iloc[0]} of {place}/clips.csv is not there")
    return None
