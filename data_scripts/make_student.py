"""Build the student edition: every notebook without its solutions, ready to hand out and to be graded with nbgrader.

    python data_scripts/make_student.py --out build/student

There is one source of each notebook. What stands between `### BEGIN SOLUTION` and `### END SOLUTION` becomes
`# YOUR CODE HERE` and three dots, by nbgrader's own preprocessors. Needs the extra `dev`; without grading,
`mesokit lab` gives the same exercises to whoever has the kit.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import nbformat

from mesokit import cli, commands, files
from mesokit.commands import lab


def edition(notebook: Any, name: str) -> Any:
    """The notebook as a student gets it; `notebook` itself stays as it is.

    Raises RuntimeError (nbgrader's) for a solution in a cell that is not marked as one, or one that does not end.
    """
    from nbgrader import preprocessors
    from traitlets.config import Config

    config = Config({"ClearSolutions": {"code_stub": {"python": lab.STUB}}})
    resources: dict[str, Any] = {"unique_key": name, "metadata": {"name": name}}
    made = nbformat.from_dict(notebook)
    for step in ("LockCells", "ClearSolutions", "ClearOutput", "CheckCellMetadata", "ComputeChecksums"):
        made, resources = getattr(preprocessors, step)(config=config).preprocess(made, resources)
    return made


def main(argv: list[str] | None = None) -> int:
    """Write the student edition; returns the exit status."""
    parser = cli.script("make_student.py", __doc__)
    parser.add_argument("--out", type=Path, default=Path("build/student"), help="folder to write (%(default)s)")
    parser.add_argument("--notebooks", type=Path, default=commands.NOTEBOOKS, help="folder of the notebooks")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    course = list(lab.course(arguments.notebooks))
    try:
        import nbgrader  # noqa: F401
    except ImportError as error:
        raise ValueError("nbgrader makes the student edition and is not installed: pip install -e '.[dev]'") from error
    exercises = 0
    for place, path in course:  # in OUT/notebooks and OUT/docs: `../work` is the students' own
        if path.suffix != ".ipynb":
            files.write(arguments.out / place, path.read_bytes())
            continue
        try:
            made = edition(nbformat.read(path, as_version=4), path.stem)
        except RuntimeError as error:
            raise ValueError(f"{path}: {error}") from error
        exercises += sum("nbgrader" in cell.metadata for cell in made.cells)
        files.write(arguments.out / place, (nbformat.writes(made) + "\n").encode())
    books = sum(path.suffix == ".ipynb" for _, path in course)
    print(f"{books} notebooks with {exercises} exercises in {arguments.out / 'notebooks'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
