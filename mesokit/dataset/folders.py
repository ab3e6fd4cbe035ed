"""Clips in folders of one's own: split and class are read from the words in the names of the folders.

Nothing is guessed: where a name could mean either class, or no class is named, the index is refused with what each name
was taken for. Clips that come from the same people by their names are one group.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from mesokit.dataset import manifest
from mesokit.dataset.grouping import give_splits, with_people
from mesokit.dataset.indexing import Findings, clip_files, need

SPLIT_WORDS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
METHOD_WORDS = {  # forgery methods; those of the paper are called as in the rest of the kit, others by their folder
    "deepfake": "deepfake", "deepfakes": "deepfake", "df": "deepfake", "face2face": "face2face", "f2f": "face2face",
    **dict.fromkeys(("faceswap", "faceshifter", "neuraltextures", "fsgan", "simswap", "wav2lip", "gan", "gans")),
}  # fmt: skip
CLASS_WORDS = {
    **dict.fromkeys(("real", "reals", "original", "originals", "authentic", "pristine", "genuine", "bonafide"), "real"),
    **dict.fromkeys(("fake", "fakes", "faked", "forged", "forgery", "forgeries", "swap", "swaps", "swapped"), "forged"),
    **dict.fromkeys(("manipulated", "manipulation", "manipulations", "tampered", "altered"), "forged"),
    **dict.fromkeys(("synthesis", "synthesized", "synthesised", "synthetic", "generated"), "forged"),
    **dict.fromkeys(METHOD_WORDS, "forged"),
}
NEGATIONS = ("non", "not", "un", "no")  # as a word before a class word, or the beginning of one
OTHER = {"real": "forged", "forged": "real"}
NO_CLASS = "no class"
LISTED = 30  # names of folders in a message


class Reading(NamedTuple):
    """What the words of one folder name say."""

    classes: frozenset[str]  # real, forged, both or none
    splits: frozenset[str]
    method: str  # the name without words of splits; of the paper's methods, the kit's own word
    known: bool  # whether the name is that of a forgery method

    def __str__(self) -> str:
        """For a message: "real", "train", "train and forged", "real or forged", "no class"."""
        split, class_ = " or ".join(sorted(self.splits)), " or ".join(sorted(self.classes))
        return " and ".join(filter(None, [split, class_])) or NO_CLASS


def words(name: str) -> list[str]:
    """The words of a folder's name, in lower case: parted by signs, and by capitals and digits if no word has them.

    >>> words("Celeb-real"), words("0_real"), words("RealVideos"), words("Face2Face")
    (['celeb', 'real'], ['0', 'real'], ['real', 'videos'], ['face2face'])
    """
    parts: list[str] = []
    for run in re.findall(r"[^\W_]+", name):
        one = run.lower()
        whole = one in SPLIT_WORDS or _class(one) is not None
        parts += [one] if whole else [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[^\W\d][a-z]*|\d+", run)]
    return parts


def _class(word: str) -> str | None:
    """The class that a word means: real, forged or None; "unaltered" and "nonfake" are real."""
    if word in CLASS_WORDS:
        return CLASS_WORDS[word]
    for negation in NEGATIONS[:3]:
        if word.startswith(negation) and word.removeprefix(negation) in CLASS_WORDS:
            return OTHER[CLASS_WORDS[word.removeprefix(negation)]]
    return None


@cache
def read(name: str) -> Reading:
    """What the name of a folder says of the clips in it."""
    classes, splits, methods, negated = set(), set(), set(), False
    for word in words(name):
        class_ = _class(word)
        if class_ is not None:
            classes.add(OTHER[class_] if negated else class_)
        if word in SPLIT_WORDS:
            splits.add(SPLIT_WORDS[word])
        if word in METHOD_WORDS:
            methods.add(METHOD_WORDS[word])
        negated = word in NEGATIONS
    rest = [part for part in re.split(r"[\W_]+", name) if part and part.lower() not in SPLIT_WORDS]
    stripped = "_".join(rest) if splits and rest else name
    method = next(iter(methods)) if len(methods) == 1 else None
    return Reading(frozenset(classes), frozenset(splits), method or stripped, bool(methods))


class _Clip(NamedTuple):
    """A clip with the names of its folders, what they say, and the position `at` of the one that says the class."""

    path: str
    names: tuple[str, ...]
    shared: int  # the first so many folders are those of all clips, and say nothing of the class of one
    at: int
    classes: frozenset[str]
    splits: frozenset[str]

    @property
    def below(self) -> str:
        """The path below the folder that says the class, without its ending, in lower case."""
        return PurePosixPath(*self.path.split("/")[self.at + 1 :]).with_suffix("").as_posix().lower()


def folder(
    root: Path, findings: Findings, seed: int, real: Sequence[str] = (), forged: Sequence[str] = ()
) -> pd.DataFrame:
    """Clips of one's own, in folders whose names say the class, the split or both: `Train/Real`, `fake_test`.

    `real`, `forged`: names of folders, or their paths relative to ROOT, that say it outright, whatever their words.
    Raises: ValueError where there is no real clip or no forged one, or where a folder could be either.
    """
    paths = _once(list(clip_files(root, root, findings, deep=True)), root, findings)
    outright = {_plain(name): class_ for class_, names in (("real", real), ("forged", forged)) for name in names}
    if double := {*map(_plain, real)} & {*map(_plain, forged)}:
        raise ValueError(f"--real and --forged both name {', '.join(sorted(double))}; name each folder once")
    clips = _read_all(paths, outright)
    for clip in [clip for clip in clips if _loose(clip)]:
        findings.append(("in no folder that says real or which forgery", clip.path))
    clips = [clip for clip in clips if not _loose(clip)]
    rows = [{"path": clip.path} for clip in clips]
    table = need(rows, root, "folders named real, original, ... and fake, deepfake, ... with clips", findings)
    said_of = _said(clips, outright)
    _check(clips, root, outright, said_of)
    for name, said in said_of.items():
        if said != NO_CLASS:
            findings.append((f"a folder name read as {said}", name))
    if drawn := sum(not clip.splits for clip in clips):
        findings.append(("no split in the names of its folders: split by group", f"{drawn} clips"))
    table = table.assign(
        clip=[manifest.clip_key(clip.path) for clip in clips],
        method=[_method(clip) for clip in clips],
        official=[min(clip.splits) if clip.splits else pd.NA for clip in clips],
        crf=pd.NA,
    )
    return give_splits(with_people(table, [clip.below for clip in clips], findings), seed, findings)


def _once(paths: list[str], root: Path, findings: Findings) -> list[str]:
    """`paths` without links to clips that are among them anyway."""
    links = {path for path in paths if (root / path).is_symlink()}
    there, top = set(paths) - links, root.resolve()
    twins = [path for path in links if (root / path).resolve().relative_to(top).as_posix() in there]
    findings += [("a link to another clip in here, which is read", path) for path in twins]
    return [path for path in paths if path not in set(twins)]


def _plain(name: str) -> str:
    return name.replace("\\", "/").strip("/").casefold()


def _read_all(paths: list[str], outright: dict[str, str]) -> list[_Clip]:
    """What the names of the folders of each clip say. Folders that all clips lie in say nothing of a single one."""
    folders = [tuple(path.split("/")[:-1]) for path in paths]
    shared = 0
    while folders and all(len(names) > shared for names in folders) and len({n[: shared + 1] for n in folders}) == 1:
        shared += 1
    if not any(read(name).classes for names in folders for name in names[shared:]):
        shared = 0
    return [_read_one(path, names, shared, outright) for path, names in zip(paths, folders, strict=True)]


def _read_one(path: str, names: tuple[str, ...], shared: int, outright: dict[str, str]) -> _Clip:
    readings = [read(name) for name in names]
    splits = frozenset(split for reading in readings for split in reading.splits)
    given = {i: outright[key] for i in range(len(names)) for key in _keys(names, i) if key in outright}
    if given:  # the deepest decides
        return _Clip(path, names, shared, max(given), frozenset([given[max(given)]]), splits)
    saying = [i for i, reading in enumerate(readings) if reading.classes and i >= shared]
    classes = frozenset(class_ for i in saying for class_ in readings[i].classes)
    return _Clip(path, names, shared, saying[0] if saying else len(names) - 1, classes, splits)


def _keys(names: tuple[str, ...], i: int) -> tuple[str, str]:
    """How --real and --forged can name the folder `names[i]`: by its name or by its path."""
    return names[i].casefold(), "/".join(names[: i + 1]).casefold()


def _loose(clip: _Clip) -> bool:
    """Whether a clip lies in ROOT, or in a folder that says the split only."""
    return not clip.classes and all(read(name).splits for name in clip.names)


def _check(clips: list[_Clip], root: Path, outright: dict[str, str], said_of: dict[str, str]) -> None:
    """Raise ValueError unless each clip has one class, at most one split, and each class has a clip."""
    listed = [f"{name}: {said}" for name, said in said_of.items()]
    more = f", and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
    told = f"the names of its folders were read as ({', '.join(listed[:LISTED])}{more})"
    way = "say it outright with --real NAME... and --forged NAME..., or move other clips away"
    used = {key for clip in clips for i in range(len(clip.names)) for key in _keys(clip.names, i)}
    if unknown := sorted(set(outright) - used):
        raise ValueError(f"{root}: no folder with clips is called {', '.join(unknown)}; {told}")
    two = sorted({"/".join(clip.names) for clip in clips if len(clip.splits) > 1})
    if two:
        raise ValueError(f"{root}: {two[0]} names two splits; {told}; rename one of its folders")
    either = sorted({"/".join(clip.names) for clip in clips if len(clip.classes) != 1})
    if either:
        others = f" (and {len(either) - 1} more)" if len(either) > 1 else ""
        raise ValueError(f"{root}: {either[0]}{others} could be real or forged; {told}; {way}")
    absent = sorted(set(manifest.LABELS) - {class_ for clip in clips for class_ in clip.classes})
    if absent:
        raise ValueError(f"{root}: {' and '.join(f'no {one} clip' for one in absent)}; {told}; {way}")


def _said(clips: Iterable[_Clip], outright: dict[str, str]) -> dict[str, str]:
    """What each name of a folder was taken for, in words; those that say nothing come last."""
    said: dict[str, str] = {}
    for clip in clips:
        for i, name in enumerate(clip.names):
            given = [outright[key] for key in _keys(clip.names, i) if key in outright]
            reading = read(name)
            if i < clip.shared:
                reading = reading._replace(classes=frozenset())
            said[name] = f"{given[0]}, as told" if given else str(reading)
    return dict(sorted(said.items(), key=lambda item: (item[1] == NO_CLASS, item[0])))


def _method(clip: _Clip) -> str:
    """`real`, or the forgery method: of the folders that say it the deepest, else the folder that says the class."""
    if clip.classes == {"real"}:
        return "real"
    known = [read(name).method for name in clip.names[clip.at :] if read(name).known]
    return known[-1] if known else read(clip.names[clip.at]).method
