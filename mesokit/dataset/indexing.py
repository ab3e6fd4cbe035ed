"""What all sources of clips share: the files in a folder, what of them was not used, and the list of findings."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from mesokit import files, video

Findings = list[tuple[str, str]]  # what is amiss, and with which file or folder

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
    """The rows as a table. Raises ValueError where there are none: with the layout, and with what is there instead."""
    if not rows:
        unused(root, (), findings, "a clip elsewhere")
        instead = "; ".join(" ".join(line.split()) for line in summary(found(findings))[:3])
        there = f"; found instead: {instead}" if instead else ""
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
