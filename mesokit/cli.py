"""The command line: mesokit report | scan | check.

Slow imports are inside the command that needs them, so that `mesokit --help` is instant.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mesokit import __version__

_NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    return run(_parser(), lambda arguments: arguments.command(arguments), argv)


def script(name: str, about: str | None) -> argparse.ArgumentParser:
    """The argument parser of a script, with its docstring as the description."""
    return argparse.ArgumentParser(name, description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def run(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    argv: list[str] | None = None,
    stopped: str = "stopped",
) -> int:
    """Parse `argv`, call `work` with the arguments and return its exit status; data_scripts use this too.

    An error is printed as one sentence on stderr, with status 2; --debug shows its traceback. Ctrl-C prints `stopped`,
    with status 130.
    """
    if hasattr(sys.stdout, "reconfigure"):  # not every console has every letter: then its escape is printed
        sys.stdout.reconfigure(errors="backslashreplace")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args(argv)
    name = parser.prog.removesuffix(".py")
    try:
        return work(arguments)
    except Exception as error:
        if arguments.debug:
            raise
        told = error if isinstance(error, ValueError | OSError) else f"{error!r}: an unexpected error, see --debug"
        print(f"{name}: {told}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: {stopped}", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mesokit", description="Learn how compact networks detect forged face video.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    report = commands.add_parser("report", help="run the notebooks and write a report")
    report.add_argument("--preset", default="smoke", help="parameters: smoke, class or paper (%(default)s)")
    report.add_argument("--only", nargs="+", metavar="NN", help="only notebooks that start with this, such as 02 05")
    report.add_argument("--out", type=Path, default=Path("report"), help="folder to write (%(default)s)")
    report.add_argument(
        "--notebooks", type=Path, default=_NOTEBOOKS, help="folder of the notebooks (that of a checkout)"
    )
    report.add_argument("--timeout", type=float, default=3600, help="limit for each notebook in seconds (%(default)s)")
    value = "a parameter of every notebook that has it; it replaces the preset's value"
    report.add_argument("-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help=value)
    report.add_argument("--compare", type=Path, metavar="FOLDER", help="an earlier report: list what changed since")
    report.set_defaults(command=_report)

    scan = commands.add_parser("scan", help="judge clips, photographs or folders of them")
    scan.add_argument("paths", nargs="+", metavar="PATH", help="a clip, a photograph or a folder")
    scan.add_argument("--weights", metavar="NAME|FILE", help="named weights or a weight file (default: bundled Meso-4)")
    scan.add_argument("--frames", type=_positive, default=30, help="frames to judge in each clip (%(default)s)")
    scan.add_argument("--rule", default="mean", help="how frames decide on a clip: mean, median, vote (%(default)s)")
    scan.add_argument("--json", action="store_true", help="print JSON")
    scan.add_argument("--html", type=Path, metavar="FILE", help="also write an HTML page with faces and timelines")
    scan.set_defaults(command=_scan)

    again = commands.add_parser("reproduce", help="train on a dataset and write the paper's tables beside ours")
    again.add_argument("dataset", type=Path, help="dataset folder, as extract_faces.py writes it")
    again.add_argument("--networks", nargs="+", default=["meso4", "meso_inception4"], metavar="NETWORK",
                       help="meso4, meso_inception4, xception (the first two)")  # fmt: skip
    again.add_argument("--methods", nargs="+", metavar="METHOD", help="forgeries (all of the dataset)")
    again.add_argument(
        "--levels", nargs="+", type=int, metavar="CRF", help="levels of compression (all of the dataset)"
    )
    again.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="SEED", help="trainings (0 1 2)")
    again.add_argument("--recipe", default="paper", help="how to train: paper, long, class or smoke (%(default)s)")
    again.add_argument("--iterations", type=_positive, help="batches of each training, other than the recipe's")
    again.add_argument("--test-on", nargs="+", type=Path, default=[], metavar="DATASET", help="other datasets to score")
    again.add_argument("--out", type=Path, default=Path("reproduced"), help="folder to write (%(default)s)")
    again.add_argument("--dry-run", action="store_true", help="only list the trainings and say how long they will take")
    again.set_defaults(command=_reproduce)

    check = commands.add_parser("check", help="what is installed, what is missing, how long each notebook takes")
    check.add_argument(
        "--notebooks", type=Path, default=_NOTEBOOKS, help="folder of the notebooks (that of a checkout)"
    )
    check.add_argument("--no-times", action="store_true", help="do not measure how fast this machine is")
    check.set_defaults(command=_check)
    return parser


def _positive(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999999")
    return int(text)


def _value(name: str, text: str) -> Any:
    """The value of a parameter, given as YAML data, never as code."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"-p {name}: {text!r} is not YAML data; write it as in -p seeds '[0, 1]'") from None


def _report(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from mesokit import report

    folder = arguments.notebooks
    chosen = _notebooks(folder, arguments.only)
    # The earlier results are read first: --out may overwrite them.
    previous = report.read_results(arguments.compare) if arguments.compare else None
    parameters = report.load_preset(folder / "presets" / f"{arguments.preset}.yaml", folder)
    given = {name: _value(name, text) for name, text in arguments.p}
    known = {path.stem: report.notebook_parameters(path) for path in chosen}
    for name, values in report.spread(given, known, "-p").items():
        parameters[name] = {**parameters.get(name, {}), **values}
    outcomes = []
    with tqdm(total=0, bar_format="{desc:32} {percentage:3.0f}% {n_fmt}/{total_fmt} cells, {elapsed}") as bar:

        def progress(name: str, done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.set_description_str(name)

        for outcome in report.run(chosen, parameters, arguments.out, arguments.timeout, progress):
            outcomes.append(outcome)
            bar.write(f"{outcome.status:8} {outcome.seconds:6.1f} s  {outcome.name}  {outcome.error or ''}")
    index = report.render(arguments.out, outcomes, report.environment(arguments.preset, parameters), previous)
    print(f"report: {index}")
    return int(any(outcome.status != "ok" for outcome in outcomes))


def _notebooks(folder: Path, only: list[str] | None) -> list[Path]:
    found = sorted(folder.glob("[0-9]*.ipynb"))
    if not found:
        raise ValueError(f"{folder}: no notebooks here; give their folder with --notebooks, or run in a checkout")
    for prefix in only or []:
        if not any(path.name.startswith(prefix) for path in found):
            raise ValueError(f"--only {prefix}: no notebook starts with it; known: {', '.join(p.stem for p in found)}")
    return [path for path in found if not only or path.name.startswith(tuple(only))]


def _reproduce(arguments: argparse.Namespace) -> int:
    from mesokit import dataset, reproduce, training
    from mesokit.report import duration

    if arguments.recipe not in training.RECIPES:
        raise ValueError(f"--recipe {arguments.recipe}: there is none; there are {', '.join(training.RECIPES)}")
    faces = dataset.read(arguments.dataset)
    jobs = reproduce.plan(faces, arguments.networks, arguments.methods, arguments.levels, arguments.seeds)
    recipe = training.scaled(training.RECIPES[arguments.recipe], arguments.iterations)
    if arguments.dry_run:
        for job in jobs:
            print(job.name)
        print("measuring for some seconds ...", end="\r", flush=True)
        for network, seconds in reproduce.estimate(jobs, recipe).items():
            print(f"{network}: about {duration(seconds)} on this machine")
        return 0
    taken: list[float] = []
    running = reproduce.run(
        jobs, faces, arguments.dataset, arguments.out, arguments.recipe, arguments.iterations, arguments.test_on
    )
    for i, (job, seconds) in enumerate(running, 1):
        taken += [seconds] if seconds else []
        left = f", about {duration(sum(taken) / len(taken) * (len(jobs) - i))} left" if taken and i < len(jobs) else ""
        print(f"{i} of {len(jobs)}: {job.name} {duration(seconds) if seconds else 'was there'}{left}", flush=True)
    for path in reproduce.write(arguments.out):
        print(path)
    return 0


def _scan(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from mesokit import evaluation, files, scan, weights

    name = arguments.weights or weights.DEFAULT
    evaluation.rule(arguments.rule)  # a wrong name is an error before minutes of work
    if arguments.html and not arguments.html.absolute().parent.is_dir():
        raise ValueError(f"{arguments.html}: its folder does not exist; make it first")
    paths = list(scan.find(arguments.paths))
    if not paths:
        suffixes, left = ", ".join(sorted(scan.SUFFIXES)), scan.left_out(arguments.paths)
        instead = f"; found instead: {'; '.join(' '.join(line.split()) for line in left)}" if left else ""
        raise ValueError(f"{', '.join(arguments.paths)}: no clip or photograph in there ({suffixes}){instead}")
    network = weights.load(name)
    score, size = evaluation.scorer(network), network.input_shape[1]
    judged = [
        scan.light(scan.judge(path, score, size, arguments.frames, arguments.rule))
        for path in tqdm(paths, unit="file", disable=None if len(paths) > 1 else True)
    ]
    if arguments.html:
        page = scan.page(judged, name, arguments.rule, 0.5)
        files.write(arguments.html, page.encode("utf-8", "replace"))  # a file name may contain bytes that are no text
    if arguments.json:
        found = {"weights": name, "rule": arguments.rule, "threshold": 0.5, "clips": [one.record() for one in judged]}
        print(json.dumps(found, indent=2))
    else:
        _print(judged)
        print(f"\n{scan.CAVEAT}", file=sys.stderr)
    if left := scan.left_out(arguments.paths):
        print("\nnot judged:", *map(_printable, left), sep="\n", file=sys.stderr)
    return int(any(one.verdict == "error" for one in judged))


def _print(judged: list[Any]) -> None:
    for one in judged:
        numbers = "" if one.p_real is None else f"p_real {one.p_real:.3f}  p_forged {1 - one.p_real:.3f}"
        print(f"{one.verdict:8}{numbers:31}{_printable(one.path)}\n        {_printable(one.reason)}")


def _printable(text: str) -> str:
    """`text` without control characters, which could rewrite the terminal: file names are untrusted."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _check(arguments: argparse.Namespace) -> int:
    from mesokit import doctor

    return doctor.check(arguments.notebooks, not arguments.no_times)


if __name__ == "__main__":
    sys.exit(main())
