"""Build the student edition: every notebook without its solutions, ready to hand out and to be graded with nbgrader.

    python data_scripts/make_student.py --out build/student --data work/smoke

There is one source of each notebook. What stands between `### BEGIN SOLUTION` and `### END SOLUTION` becomes
`# YOUR CODE HERE` and three dots, by nbgrader's own preprocessors. Needs the extra `dev`; without grading,
`mesokit lab` gives the same exercises to whoever has the kit.

The folder holds a README, the notebooks, the documents that they link to, the pinned versions, and the kit as a wheel
with these notebooks in it. OUT.zip holds the same and, with --data, the data files that the notebooks read, in
work/: whoever has installed it needs no network.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from mesokit import cli, commands, files
from mesokit.commands import lab

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ("mesokit", "setup.py", "pyproject.toml", "README.md", "LICENSE")  # what a wheel is built from, and notebooks
TOP = "mesokit-student"  # the folder in the archive
EPOCH = "315532800"  # 1980, the first year of a zip archive: equal content gives equal archives
STORED = {".png", ".mp4", ".whl"}  # compressed already


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


def read_by_notebooks(root: Path) -> list[Path]:
    """The files of a preset's data in `root` that the notebooks read with the parameters that they have, sorted.

    Tables, faces and masks; clips of the higher levels, which are small; of the lowest level, which takes half of the
    space, the real clips and Deepfakes of val and test, and the first of the table, by which a dataset is opened. The
    originals are left out: only the record of how they were made is needed. Raises ValueError for other data: those of
    real people must not be handed out.
    """
    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    known = [root / name for name in ("dataset.json", "clips.csv", "faces.csv", "masters/made.json")]
    if not all(path.is_file() for path in known) or files.read_json(known[0]).get("name") not in studio.PRESETS:
        raise ValueError(f"--data {root}: not the data of a preset of the kit; make them with mesokit make and extract")
    studio.check(root, 0)
    clips, faces = manifest.read_clips(known[1]), manifest.read_faces(known[2])
    judged = clips["split"].isin(["val", "test"]) & clips["method"].isin(["real", "deepfake"])
    wanted = {clips["path"].iloc[0], *clips.loc[judged | (clips["crf"] > clips["crf"].min()), "path"]}
    wanted |= {*faces["path"], *faces["mask"].dropna()}
    found = sorted([*known, *(root / path for path in wanted)])
    if missing := [path for path in found if not path.is_file()]:
        raise ValueError(f"{missing[0]}: this file of the dataset is missing; make the data again")
    return found


def main(argv: list[str] | None = None) -> int:
    """Write the student edition; returns the exit status."""
    parser = cli.script("make_student.py", __doc__)
    parser.add_argument("--out", type=Path, default=Path("build/student"), help="folder to write (%(default)s)")
    parser.add_argument("--notebooks", type=Path, default=commands.NOTEBOOKS, help="folder of the notebooks")
    parser.add_argument("--data", type=Path, help="data of a preset, such as work/smoke, for the archive")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    out, course = arguments.out, list(lab.course(arguments.notebooks))
    try:
        import nbgrader  # noqa: F401
    except ImportError as error:
        raise ValueError("nbgrader makes the student edition and is not installed: pip install -e '.[dev]'") from error
    data = read_by_notebooks(arguments.data) if arguments.data else []
    made, exercises = _made(course)
    made |= {name: (ROOT / name).read_bytes() for name in ("requirements.txt", "environment.yml")}
    made |= {"README.md": (ROOT / "docs" / "student.md").read_bytes(), **_wheel(made)}
    for old in out.glob("mesokit-*.whl"):
        old.unlink()
    for place, content in made.items():  # in OUT/notebooks and OUT/docs: `../work` is the students' own
        files.write(out / place, content)
    books = sum(place.endswith(".ipynb") for place in made)
    print(f"{books} notebooks with {exercises} exercises in {out / 'notebooks'}")
    archive = out.with_name(f"{out.name}.zip")
    folder = f"work/{files.read_json(arguments.data / 'dataset.json')['name']}" if data else ""
    _pack(archive, made | {f"{folder}/{path.relative_to(arguments.data).as_posix()}": path for path in data})
    what = f"with the data that the notebooks read, in {folder}" if data else "without data"
    print(f"{archive}: {archive.stat().st_size / 1e6:,.0f} MB, {what}")
    return 0


def _made(course: list[tuple[str, Path]]) -> tuple[dict[str, bytes], int]:
    """(the files of the edition, place -> content; the number of exercises)."""
    made, exercises = {}, 0
    for place, path in course:
        made[place] = path.read_bytes()
        if path.suffix == ".ipynb":
            try:
                notebook = edition(nbformat.read(path, as_version=4), path.stem)
            except RuntimeError as error:
                raise ValueError(f"{path}: {error}") from error
            exercises += sum("nbgrader" in cell.metadata for cell in notebook.cells)
            made[place] = (nbformat.writes(notebook) + "\n").encode()
    return made, exercises


def _wheel(made: dict[str, bytes]) -> dict[str, bytes]:
    """The kit as a wheel, name -> content, with the notebooks `made` in place of those with solutions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in SOURCE:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(ROOT / part, folder / part)
        for place, content in made.items():
            files.write(folder / place, content)
        program = [sys.executable, "-c", "from setuptools import build_meta as b; b.build_wheel('dist')"]
        env = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
        done = subprocess.run(program, cwd=folder, env=env, capture_output=True, text=True)
        found = [*(folder / "dist").glob("*.whl")]
        if done.returncode or not found:
            raise ValueError(f"setuptools could not build the kit's wheel: {done.stderr.strip().splitlines()[-1:]}")
        return {found[0].name: found[0].read_bytes()}


def _pack(archive: Path, content: dict[str, Any]) -> None:
    """Write an archive, whole or not at all: place -> bytes or a file. The same content gives the same bytes."""
    with files.writing(archive) as part, zipfile.ZipFile(part, "w") as packed:
        for place, data in _progress(sorted(content.items())):
            entry = zipfile.ZipInfo(f"{TOP}/{place}")  # its time is 1980
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_STORED if Path(place).suffix in STORED else zipfile.ZIP_DEFLATED
            packed.writestr(entry, data if isinstance(data, bytes) else data.read_bytes())


def _progress(items: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    from tqdm import tqdm

    yield from tqdm(items, desc="packing", unit=" files", delay=2)


if __name__ == "__main__":
    sys.exit(main())
