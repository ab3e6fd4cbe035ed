"""Copy the notebooks into a folder, without their solutions, and open JupyterLab there.

mesokit lab
mesokit lab my-course --solutions

Data that a notebook makes go to FOLDER/work. A second call brings what is missing or new in this version of the kit. It
never replaces a file that you changed.
"""

import argparse
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from mesokit import files
from mesokit.commands import NOTEBOOKS

STUB = "# YOUR CODE HERE\n..."  # not nbgrader's NotImplementedError: the check answers an open exercise with a sentence
_SOLUTION = re.compile(r"^([ \t]*)[^\n]*BEGIN SOLUTION.*?END SOLUTION[^\n]*", re.MULTILINE | re.DOTALL)
_RECORD = ".mesokit.json"  # sha256 of each file as the kit wrote it: another one was changed


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path("mesokit-notebooks"), help="folder to write (%(default)s)"
    )
    parser.add_argument("--solutions", action="store_true", help="with the solutions of the exercises")
    parser.add_argument("--prepare-only", action="store_true", help="only copy, do not start JupyterLab")
    parser.add_argument("--no-browser", action="store_true", help="start JupyterLab and print its address")


def work(arguments: argparse.Namespace) -> int:
    """Copy what is missing, then serve until JupyterLab is shut down."""
    folder = arguments.folder
    if arguments.solutions and not any("BEGIN SOLUTION" in path.read_text("utf-8") for _, path in course(NOTEBOOKS)):
        raise ValueError("--solutions: this kit is the edition for students, which has none; install that for teachers")
    n, kept = _copy(folder, arguments.solutions)
    edition = "with their solutions" if arguments.solutions else "without solutions"
    print(f"{folder / 'notebooks'}: {n} notebooks {edition}; begin with 00_tour")
    if kept:
        print(f"left as they are, because they were changed: {', '.join(kept)}; rename one to get it anew")
    if arguments.prepare_only:
        return 0
    from jupyterlab import labapp  # in this process, so that Ctrl-C is JupyterLab's: it first asks about kernels

    root, more = folder.absolute(), ["--no-browser"] if arguments.no_browser else []
    labapp.main([f"--ServerApp.root_dir={root}", *more, str(root / "notebooks" / "00_tour.ipynb")])
    return 0


def _copy(folder: Path, solutions: bool) -> tuple[int, list[str]]:
    """Write the notebooks into `folder`; returns how many there are, and the files that a person changed."""
    record = folder / _RECORD
    known = files.read_json(record) if record.is_file() else {}
    n, kept = 0, []
    for place, path in course(NOTEBOOKS):
        content = path.read_bytes() if solutions or path.suffix != ".ipynb" else _without_solutions(path)
        wanted, there = hashlib.sha256(content).hexdigest(), folder / place
        found = files.sha256(there) if there.exists() else None
        n += path.suffix == ".ipynb"
        if found not in (None, wanted, known.get(place)):
            kept.append(place)
            continue
        if found != wanted:
            files.write(there, content)
        known[place] = wanted
    files.write_json(known, record)
    return n, kept


def course(notebooks: Path) -> Iterator[tuple[str, Path]]:
    """What a reader of the notebooks in a folder needs: (path in a folder of theirs, file).

    The notebooks, their presets and reference times, and the documents that they link to. Raises ValueError where there
    are no notebooks.
    """
    books = sorted(notebooks.glob("[0-9]*.ipynb"))
    if not books:
        raise ValueError(f"{notebooks}: no notebooks here; give their folder with --notebooks")
    links = {link for path in books for link in re.findall(r"\]\(\.\./(docs/[\w-]+\.md)", path.read_text("utf-8"))}
    documents = [path for link in sorted(links) if (path := notebooks.resolve().parent / link).is_file()]
    for path in (*books, *sorted(notebooks.glob("presets/*.yaml")), *notebooks.glob("reference_times.json")):
        yield f"notebooks/{path.relative_to(notebooks).as_posix()}", path
    for path in documents:
        yield f"docs/{path.name}", path


def _without_solutions(path: Path) -> bytes:
    """The notebook as a student gets it: each solution is a stub, and there are no outputs."""
    notebook = files.read_json(path)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
            stubbed = _SOLUTION.sub(lambda found: re.sub("^", found[1], STUB, flags=re.M), "".join(cell["source"]))
            cell["source"] = stubbed.splitlines(keepends=True)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
