"""Files: written whole or not at all, JSON, sha256, and paths that stay inside a folder. Standard library only."""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

PART = ".part-"  # a file that is being written is called so until it is whole


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path to write to inside a `with` block: it replaces `path` when the block ends, and is removed where it fails.

    Its folder is made. It stands beside `path`, so both are on one file system and the replacement is atomic.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PART}{os.getpid()}-{secrets.token_hex(4)}-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all; its folder is made."""
    with writing(path) as part:
        part.write_bytes(data)


def write_json(value: Any, path: Path) -> None:
    """Write a JSON file, whole or not at all."""
    write(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ValueError with one sentence where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a JSON file; make it again") from error


def sha256(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inside(path: str) -> bool:
    """Whether a path of a table stays in the table's folder: relative, no '..', nothing another system would read.

    >>> inside("faces/a.png"), inside("../a.png"), inside("C:a.png")
    (True, False, False)
    """
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not path.startswith("/") and not re.search(r"[\\:\x00]", path)


def check_links(paths: Iterable[str], root: Path, option: str) -> None:
    """Raise ValueError where one of `paths`, relative to `root`, leaves `root` through a link.

    `root` itself may be a link, to another disk for example. `option`: of the command line, for the advice.
    """
    top, folders = os.path.realpath(root), {}  # type: str, dict[str, bool]
    for path in paths:
        folder, file = path.rpartition("/")[0], root / path
        if folder not in folders:  # there are few folders and many files: one lstat for each file
            folders[folder] = _within(root / folder, top)
        if not folders[folder] or (file.is_symlink() and not _within(file, top)):
            way = f"give the real folder instead ({option}), or copy the files there"
            raise ValueError(f"{file}: a link leads it out of {root}; {way}")


def _within(path: Path, top: str) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(top)  # not resolve(), which raises for a link to itself
