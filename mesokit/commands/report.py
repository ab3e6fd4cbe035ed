"""Run the notebooks and write a report."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from mesokit.commands import INSTALLED, NOTEBOOKS


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--preset", default="smoke", help="parameters: smoke, class or paper (%(default)s)")
    parser.add_argument("--data", metavar="PRESET|FOLDER", help="the data: smoke or class, or the folder of a dataset")
    parser.add_argument("--only", nargs="+", metavar="NN", help="only notebooks that start with this, such as 02 05")
    parser.add_argument("--out", type=Path, default=Path("report"), help="folder to write (%(default)s)")
    parser.add_argument("--notebooks", type=Path, default=NOTEBOOKS, help="folder of the notebooks (the kit's)")
    jobs = "notebooks that run at the same time (of the kit's own: 2 where there are two cores and 6 GB; of others: 1)"
    parser.add_argument("--jobs", type=int, metavar="N", help=jobs)
    parser.add_argument("--timeout", type=float, default=3600, help="limit for each notebook in seconds (%(default)s)")
    value = "a parameter of every notebook that has it; it replaces the preset's value; paths start here"
    parser.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help=value)
    whole = "each page contains plotly.js and stands alone"
    parser.add_argument("--single-file", action="store_true", help=whole)
    parser.add_argument("--compare", type=Path, metavar="FOLDER", help="an earlier report: list what changed since")


def work(arguments: argparse.Namespace) -> int:
    """Run the notebooks, with a progress bar, and render their pages. 1 when one did not end well."""
    from tqdm import tqdm

    from mesokit import report

    folder = arguments.notebooks
    chosen = _notebooks(folder, arguments.only)
    # The earlier results are read first: --out may overwrite them.
    previous = report.read_results(arguments.compare) if arguments.compare else None
    parameters = report.load_preset(folder / "presets" / f"{arguments.preset}.yaml", folder)
    given = {name: report.from_here(name, _value(name, text)) for name, text in arguments.p}
    if arguments.data:
        given["data"] = _data(arguments.data)
    known = {path.stem: report.notebook_parameters(path) for path in chosen}
    if INSTALLED and folder == NOTEBOOKS:  # what notebooks make belongs here, not into the installation
        for name in known:
            if "work" in known[name]:
                parameters[name] = {**parameters.get(name, {}), "work": str(Path("work").absolute())}
    for name, values in report.spread(given, known, "-p").items():
        parameters[name] = {**parameters.get(name, {}), **values}
        if without := ", ".join(sorted(set(given) - set(known[name]))):
            print(f"mesokit report: {name} has no parameter {without}", file=sys.stderr)
    jobs = arguments.jobs
    if jobs is None:
        jobs = _side_by_side() if folder == NOTEBOOKS else 1
    outcomes, ended = [], {}
    sizes = {path.stem: len(report.read_notebook(path).cells) for path in chosen}
    with tqdm(total=0, bar_format="{desc:32} {percentage:3.0f}% {n_fmt}/{total_fmt} cells, {elapsed}") as bar:

        def progress(name: str, done: int, total: int) -> None:
            ended[name], sizes[name] = done, total  # papermill adds a cell with the parameters
            bar.n, bar.total = sum(ended.values()), sum(sizes.values())
            bar.set_description_str(", ".join(name for name, n in ended.items() if n < sizes[name]))

        for outcome in report.run(chosen, parameters, arguments.out, arguments.timeout, progress, jobs):
            outcomes.append(outcome)
            bar.write(f"{outcome.status:8} {outcome.seconds:6.1f} s  {outcome.name}  {outcome.error or ''}")
    environment = report.environment(arguments.preset, parameters)
    index = report.render(arguments.out, outcomes, environment, previous, arguments.single_file)
    print(f"report: {index}")
    return int(any(outcome.status != "ok" for outcome in outcomes))


def _side_by_side() -> int:
    """How many of the kit's notebooks run at a time: 2 where there are two cores, and the memory: each takes 2 GB."""
    import psutil

    return 2 if (os.cpu_count() or 1) > 1 and psutil.virtual_memory().total > 6e9 else 1


def _data(data: str) -> str:
    """The parameter `data` of notebooks, which run in a folder of their own: a preset's name or a whole path."""
    from mesokit import dataset, files
    from mesokit.synthetic import studio

    if data in studio.PRESETS:
        return data
    place = files.place(data)
    if isinstance(place, Path) and not place.is_dir():
        raise ValueError(f"--data {data}: neither a folder nor one of {', '.join(studio.PRESETS)}")
    dataset.open(place)
    return str(place.absolute() if isinstance(place, Path) else place)


def _notebooks(folder: Path, only: list[str] | None) -> list[Path]:
    found = sorted(folder.glob("[0-9]*.ipynb"))
    if not found:
        raise ValueError(f"{folder}: no notebooks here; give their folder with --notebooks")
    for prefix in only or []:
        if not any(path.name.startswith(prefix) for path in found):
            raise ValueError(f"--only {prefix}: no notebook starts with it; known: {', '.join(p.stem for p in found)}")
    return [path for path in found if not only or path.name.startswith(tuple(only))]


def _value(name: str, text: str) -> Any:
    """The value of a parameter, given as YAML data, never as code."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"-p {name}: {text!r} is not YAML data; write it as in -p seeds '[0, 1]'") from None
