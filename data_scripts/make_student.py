"""Build the student edition: every notebook without its solutions, ready to hand out and to be graded with nbgrader.

    python data_scripts/make_student.py --out build/student

There is one source of each notebook. What stands between `### BEGIN SOLUTION` and `### END SOLUTION` becomes
`# YOUR CODE HERE` and three dots, by nbgrader's own preprocessors. Needs the extra `dev`.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import nbformat

from mesokit import cli

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
STUB = "# YOUR CODE HERE\n..."  # not nbgrader's NotImplementedError: the check answers an open exercise with a sentence


def edition(notebook: Any, name: str) -> Any:
    """The notebook as a student gets it; `notebook` itself stays as it is.

    Raises RuntimeError (nbgrader's) for a solution in a cell that is not marked as one, or one that does not end.
    """
    from nbgrader import preprocessors
    from traitlets.config import Config

    config = Config({"ClearSolutions": {"code_stub": {"python": STUB}}})
    resources: dict[str, Any] = {"unique_key": name, "metadata": {"name": name}}
    made = nbformat.from_dict(notebook)
    for step in ("LockCells", "ClearSolutions", "ClearOutput", "CheckCellMetadata", "ComputeChecksums"):
        made, resources = getattr(preprocessors, step)(config=config).preprocess(made, resources)
    return made


def main(argv: list[str] | None = None) -> int:
    """Write the student edition; returns the exit status."""
    parser = cli.script("make_student.py", __doc__)
    parser.add_argument("--out", type=Path, default=Path("build/student"), help="folder to write (%(default)s)")
    parser.add_argument("--notebooks", type=Path, default=NOTEBOOKS, help="folder of the notebooks")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    paths = sorted(arguments.notebooks.glob("[0-9]*.ipynb"))
    if not paths:
        raise ValueError(f"{arguments.notebooks}: no notebooks here; name their folder with --notebooks")
    try:
        import nbgrader  # noqa: F401
    except ImportError as error:
        raise ValueError("nbgrader makes the student edition and is not installed: pip install -e '.[dev]'") from error
    folder = arguments.out / "notebooks"  # beside it, `../work` is the students' own
    folder.mkdir(parents=True, exist_ok=True)
    exercises = 0
    for path in paths:
        try:
            made = edition(nbformat.read(path, as_version=4), path.stem)
        except RuntimeError as error:
            raise ValueError(f"{path}: {error}") from error
        exercises += sum("nbgrader" in cell.metadata for cell in made.cells)
        nbformat.write(made, folder / path.name)
    for times in arguments.notebooks.glob("reference_times.json"):  # for the estimates of `mesokit check`
        shutil.copy(times, folder)
    if (arguments.notebooks / "presets").is_dir():
        shutil.copytree(arguments.notebooks / "presets", folder / "presets", dirs_exist_ok=True)
    glossary = arguments.notebooks.resolve().parent / "docs" / "glossary.md"  # the notebooks link to it
    if glossary.is_file():
        (arguments.out / "docs").mkdir(exist_ok=True)
        shutil.copy(glossary, arguments.out / "docs")
    print(f"{len(paths)} notebooks with {exercises} exercises in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
