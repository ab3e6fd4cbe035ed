"""Files: written whole or not at all, text and JSON, sha256, what a wrong file is, paths that stay inside a folder.

Standard library only, and fsspec where a place is a URL: an object store, for example s3://bucket/folder.
"""

import codecs
import hashlib
import json
import os
import re
import secrets
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

PART = ".part-"  # a file that is being written is called so until it is whole
_UNPACK = "unpack it, and give the files in it"
TEXT = "a text file, such as a table or a list; give the file that is meant"
_SHORTCUT = "a shortcut; give the file that it leads to"
_KINDS = [  # the first bytes of files that are given by mistake, what they are, and what to do
    (b"PK\x03\x04", f"a zip archive; {_UNPACK}"),
    (b"PK\x05\x06", "a zip archive with nothing in it; pack it again"),
    (b"\x1f\x8b", f"an archive (gzip); {_UNPACK}"),
    (b"7z\xbc\xaf", f"an archive (7-Zip); {_UNPACK}"),
    (b"Rar!", f"an archive (RAR); {_UNPACK}"),
    (b"BZh", f"an archive (bzip2); {_UNPACK}"),
    (b"\xfd7zXZ", f"an archive (XZ); {_UNPACK}"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as weights are stored in; give weights with --weights"),
    *((bytes([128, n]), "a pickle of Python, which may carry code and is not read; export it") for n in range(2, 6)),
    (b"%PDF", "a PDF document; export the picture in it as PNG"),
    (b"8BPS", "a Photoshop document; export it as PNG"),
    (b"\x89PNG", "a photograph (PNG); give it to mesokit scan"),
    (b"\xff\xd8\xff", "a photograph (JPEG); give it to mesokit scan"),
    (b"\x1aE\xdf\xa3", "a video (Matroska); give it to mesokit scan"),
    (b"\x4c\0\0\0\x01\x14\x02\0", _SHORTCUT),
    (b"[internetshortcut]", _SHORTCUT),
    (b"[desktop entry]", _SHORTCUT),
    (b"<!doctype html", "a web page, not the file that was to be downloaded; download it again"),
    (b"<html", "a web page, not the file that was to be downloaded; download it again"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself; get that with git lfs pull"),
    (b"#extm3u", "a playlist; give the clips that it names"),
    (b"ffconcat", "a playlist; give the clips that it names"),
]  # fmt: skip


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


def place(given: str | os.PathLike[str]) -> Path | str:
    """A folder as a Path, which file:// is, too; another URL as text, because pathlib would spoil it."""
    text = os.fspath(given)
    if text.startswith("file:"):
        return Path(url2pathname(urlsplit(text).path))
    return text.rstrip("/") if "://" in text else Path(given)


def store(root: Path | str) -> tuple[Any, str]:
    """The fsspec file system of a folder or URL, and the name of the folder in it. Raises ValueError."""
    import fsspec

    try:
        return fsspec.core.url_to_fs(str(root))
    except (ImportError, ValueError) as error:  # the package for this kind of store is missing
        raise ValueError(f"{root}: fsspec cannot open this URL ({error})") from error


def read_bytes(root: Path | str, name: str, start: int = 0, stop: int | None = None) -> bytes:
    """The bytes `start` to `stop` of the file `name` in a folder or URL."""
    if isinstance(root, str):
        fs, base = store(root)
        return fs.cat_file(f"{base}/{name}", start, stop)
    with (root / name).open("rb") as file:
        file.seek(start)
        return file.read(-1 if stop is None else stop - start)


def state(root: Path | str, name: str) -> list[int | str] | None:
    """[bytes, time of change or what stands for it] of the file `name` in a folder or URL; None where there is none."""
    if isinstance(root, str):
        fs, base = store(root)
        with suppress(FileNotFoundError):
            if (known := fs.info(f"{base}/{name}"))["type"] == "file":
                return [known["size"], fs.ukey(f"{base}/{name}")]
        return None
    with suppress(OSError, ValueError):
        if stat.S_ISREG((status := (root / name).stat()).st_mode):
            return [status.st_size, status.st_mtime_ns]
    return None


@contextmanager
def at_hand(root: Path | str, names: Iterable[str]) -> Iterator[Path]:
    """A folder with those of the files `names` that `root` has: `root` itself; of a URL copies, during the block."""
    if isinstance(root, Path):
        yield root
        return
    fs, base = store(root)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            if fs.exists(f"{base}/{name}"):
                fs.get_file(f"{base}/{name}", f"{folder}/{name}")
        try:
            yield Path(folder)
        except ValueError as error:  # about one of the copies: name the original
            raise ValueError(str(error).replace(folder, root)) from error


@contextmanager
def sending(root: Path | str, name: str) -> Iterator[Path]:
    """`writing` for the file `name` of a folder or URL; to a URL the file is sent, whole, when the block ends."""
    if isinstance(root, Path):
        with writing(root / name) as part:
            yield part
        return
    fs, base = store(root)
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "part"
        fs.makedirs(f"{base}/{name}".rpartition("/")[0], exist_ok=True)
        fs.put_file(f"{folder}/part", f"{base}/{name}")


def write_json(value: Any, path: Path) -> None:
    """Write a JSON file, whole or not at all."""
    write(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ValueError with one sentence where it is none."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        where = f" ({error})" if isinstance(error, json.JSONDecodeError) else ""
        raise ValueError(f"{path}: not a JSON file{where}; make it again") from error


def encoding(path: Path) -> str:
    """How the text in a file is encoded: "utf-16" if it begins so, else "utf-8-sig": UTF-8, with or without a BOM.

    Editors and spreadsheets of Windows begin a file with a byte order mark (BOM), which is no part of the text.
    """
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def read_text(path: Path) -> str:
    """The text of a file, without a BOM, with lines that end in a line feed. Raises ValueError where it is no text."""
    try:
        return path.read_text(encoding(path))
    except UnicodeError as error:
        raise ValueError(f"{path}: not text in UTF-8; save it again as UTF-8") from error


def kind(path: str | os.PathLike[str]) -> str | None:
    """What a file is that was given by mistake, and what to do, as "a zip archive; unpack it"; None if not known."""
    path = Path(path)
    with suppress(OSError), path.open("rb") as file:
        head = file.read(4096)
        if head[257:262] == b"ustar":
            return f"an archive (tar); {_UNPACK}"
        if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:11] == b"AVI"):
            return "a video or a photograph; give it to mesokit scan"
        plain = head.removeprefix(codecs.BOM_UTF8).lstrip()
        starts = ((head.startswith(first) or plain.lower().startswith(first), what) for first, what in _KINDS)
        known = next((what for fits, what in starts if fits), None)
        if head.startswith(b"PK"):
            return _of_zip(path) or known
        if known is None and plain and not re.search(rb"[\x00-\x08\x0e-\x1a]", plain) and _is_text(plain):
            return TEXT
        return known
    return None


def _of_zip(path: Path) -> str | None:
    """What a zip archive is by the names in it, if it is not only an archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return "a zip archive that is cut short or damaged; get it again"
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook; save the table in it as CSV UTF-8"
    if "model.weights.h5" in names or any(name.endswith("/data.pkl") for name in names):
        return "a file of weights; give weights with --weights"
    return None


def _is_text(data: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        codecs.getincrementaldecoder("utf-8")().decode(data)  # incremental: the last letter may be cut
        return True
    return False


def missing(path: str | os.PathLike[str]) -> str:
    """Why there is no file at `path`, and what to do, as the end of a message that begins with the path."""
    text, path = os.fsdecode(path), Path(path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", text):
        return "a web address; download the file, and give its path"
    if text[:1] in "\"'" and text[:1] == text[-1:] and text:
        return "no such file; give the path without the quotation marks"
    if text.startswith("~"):
        return f"no such file; nothing replaces the ~ here, so give the whole path ({path.expanduser()})"
    if path.is_symlink():
        return f"a link to {path.readlink()}, which is not there or leads back; give the file itself"
    if not path.is_absolute():
        return f"no such file in {Path.cwd()}, where a relative path starts; check the name, or give the whole path"
    there = next((folder for folder in path.parents if folder.is_dir()), path.parent)
    return f"no such file; the path exists up to {there}; check the name"


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
