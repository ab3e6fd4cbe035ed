"""Change the code on purpose, in one place at a time, and count the changes that the unit tests notice: make mutants.

Cosmic Ray makes the changes and keeps the results. Its own runner starts a Python for each change, which takes as long
as most tests together because of TensorFlow. Here one process has TensorFlow and pandas imported and forks a child for
each change; the child imports mesokit, with the change, and runs the test files of that module, the quick tests first.

The session lies in build/mutants: a copy of the code, and a result for each change, stored at once. A run that was
stopped goes on there. Changes that alter nothing are listed in mutants.toml, with the reason.
"""

import argparse
import ast
import contextlib
import gc
import itertools
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_code
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

HERE = Path(__file__).parent
# The modules that decide results, and the tests that mirror them.
TESTS = {
    "evaluation/baselines": "baselines",
    "evaluation/probes": "probes",
    "evaluation": "evaluation",
    "faces": "faces",
    "video/scenes": "scenes",
    "video": "video",
    "dataset": "dataset",
    "dataset/manifest": "manifest sources",
    "dataset/review": "review",
    "dataset/shards": "shards",
    "dataset/pictures": "dataset shards",
    "dataset/loading": "training shards",
    "dataset/sources": "sources",
    "dataset/folders": "sources",
    "dataset/grouping": "sources",
    "dataset/indexing": "sources",
    "dataset/opening": "opening lesson",
    "weights": "weights",
    "training": "training",
    "models": "models",
    "interpret/activations": "activations",
    "interpret/attribution": "attribution",
    "interpret/fidelity": "fidelity",
    "interpret/filters": "filters",
    "interpret/interventions": "interventions",
    "interpret/maximize": "maximize",
    "interpret/regions": "activations",
    "interpret/sign_groups": "sign_groups authors",
    "interpret/spectrum": "spectrum",
    "synthetic/forge": "studio",
    "synthetic/forge/detail": "detail face2face",
    "synthetic/forge/face2face": "face2face",
    "synthetic/forge/retrieval": "face2face",
    "synthetic/forge/texture": "face2face",
    "scan": "scan",
    "stress": "stress",
}
PASSED = (0, 5)  # exit codes of pytest: all passed, and none of the files' tests has the mark
MARKS = ["not slow", "slow"]
# Changes of like by like: a shift in place of a sum, or "is" in place of "==", raises a TypeError or changes nothing.
LIKE = (
    {"Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow"},
    {"BitAnd", "BitOr", "BitXor"},
    {"UAdd", "USub", "Delete"},
    {"Eq", "NotEq", "Lt", "LtE", "Gt", "GtE"},
    {"Is", "IsNot"},
    {"In", "NotIn"},
    {"Not", "Delete"},
    {"Invert", "Delete"},
)


def tests_of(path: Path) -> list[str]:
    """The test files of a module of mesokit: those of the longest name in TESTS that it begins with."""
    name = path.with_suffix("").as_posix().removeprefix("mesokit/")
    keys = [key for key in TESTS if f"{name}/".startswith(f"{key}/")]
    return [f"tests/test_{test}.py" for test in TESTS[max(keys, key=len)].split()] if keys else []


def like_by_like(operator: str) -> bool:
    """Whether an operator of Cosmic Ray puts like in the place of like, so that its change can go unnoticed."""
    name = operator.partition("/")[2]
    pair = re.fullmatch(r"Replace(?:Binary|Comparison|Unary)Operator_([A-Za-z]+)_([A-Za-z]+)", name)
    return any({*pair.groups()} <= like for like in LIKE) if pair else name != "RemoveDecorator"


def annotations_of(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where the type annotations of a module begin and end: (line, column) each."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if part is not None:
                found.append(((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)))
    return found


def changes_of(path: Path) -> Iterator[MutationSpec]:
    """All changes that Cosmic Ray can make in a module, but for those of type annotations."""
    tree, annotations = get_ast_from_path(path), annotations_of(path.read_text(encoding="utf-8"))
    for name in filter(like_by_like, cosmic_ray.plugins.operator_names()):
        operator = cosmic_ray.plugins.get_operator(name)
        if operator.arguments():  # it needs names of variables
            continue
        positions = (place for node in ast_nodes(tree) for place in operator().mutation_positions(node))
        for occurrence, (start, end) in enumerate(positions):
            if not any(first <= start < last for first, last in annotations):
                yield MutationSpec(path, name, occurrence, start, end)


def mutated(change: MutationSpec) -> str | None:
    """The module with the change; None where Cosmic Ray cannot make it (an exception with a dot in its name)."""
    operator = cosmic_ray.plugins.get_operator(change.operator_name)(**change.operator_args)
    with contextlib.suppress(AttributeError):
        return mutate_code(change.module_path.read_text(encoding="utf-8"), operator, change.occurrence)
    return None


def draw(session: WorkDB, number: int, seed: int) -> None:
    """Fill `session` with `number` changes: places drawn at random, and of the changes of a place one."""
    modules = [path for path in sorted(Path("mesokit").rglob("*.py")) if tests_of(path)]
    places: dict[tuple, list[MutationSpec]] = {}
    for path in modules:
        for change in changes_of(path):
            places.setdefault((str(path), change.start_pos, change.end_pos), []).append(change)
    rng = random.Random(seed)
    drawn = [rng.choice(places[place]) for place in rng.sample(sorted(places), number)]
    drawn = [change for change in drawn if mutated(change)]
    print(f"{len(places)} places in {len(modules)} modules; {len(drawn)} are drawn with seed {seed}", flush=True)
    session.add_work_items(WorkItem.single(f"{i:04}", change) for i, change in enumerate(drawn))


def run_tests(files: list[str], mark: str, limit: int) -> tuple[int | None, str]:
    """Exit code of pytest in a fork of this process, None where it is stopped, and the end of its output.

    limit: seconds of processor time, which do not depend on what else runs; ten times as long, if it only waits.
    """
    with Path("../output.txt").open("w+", encoding="utf-8", errors="replace") as output:
        child = os.fork()
        if child == 0:
            os.setsid()
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
            import pytest

            os._exit(pytest.main(["-x", "-p", "no:cacheprovider", "-q", "--tb=line", "-m", mark, *files]))
        end, status = time.monotonic() + 10 * limit, None
        while status is None and time.monotonic() < end:
            done, code = os.waitpid(child, os.WNOHANG)
            status = os.waitstatus_to_exitcode(code) if done else time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):  # what the tests started goes, too
            os.killpg(child, signal.SIGKILL)
        if status is None:
            os.waitpid(child, 0)
        output.seek(0)
        return None if status in (-signal.SIGXCPU, -signal.SIGKILL) else status, output.read()[-3000:]


def changed_lines(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, without their indentation: before and after."""
    old, new = before.splitlines(), after.splitlines()
    first = next(i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    last = next(i for i, pair in enumerate(zip(old[::-1], new[::-1], strict=False)) if pair[0] != pair[1])
    parts = (lines[first : len(lines) - last] for lines in (old, new))
    before, after = (" ".join(" ".join(line.split()) for line in part) for part in parts)
    return before, after


def run(session: WorkDB, seconds: dict[tuple[str, str], float]) -> None:
    """Run what has no result yet. A change that pytest notices, or that takes too long, is killed."""
    pending = sorted(session.pending_work_items, key=lambda item: item.job_id)
    for number, item in enumerate(pending, 1):
        (change,) = item.mutations
        files, source = tests_of(change.module_path), change.module_path.read_text(encoding="utf-8")
        mutant = mutated(change)
        started = time.monotonic()
        try:
            change.module_path.write_text(mutant, encoding="utf-8")
            for mark in MARKS:
                limit = 10 + round(3 * sum(seconds[file, mark] for file in files))
                code, output = run_tests(files, mark, limit)
                if code not in PASSED:
                    break
        finally:
            change.module_path.write_text(source, encoding="utf-8")
        outcome = TestOutcome.SURVIVED if code in PASSED else TestOutcome.KILLED
        before, after = changed_lines(source, mutant)
        diff = f"{change.module_path}:{change.start_pos[0]}\n- {before}\n+ {after}"
        session.set_result(item.job_id, WorkResult(WorkerOutcome.NORMAL, f"{mark}\n{output}", outcome, diff))
        word = "took too long" if code is None else outcome.value
        print(f"{number}/{len(pending)} {word} ({mark}, {time.monotonic() - started:.1f} s) {diff}", flush=True)


def report(session: WorkDB) -> str:
    """A table of caught changes by module, then what survived."""
    known = tomllib.loads((HERE / "mutants.toml").read_text(encoding="utf-8"))["same"]
    same = {(entry["module"], entry["before"], entry["after"]) for entry in known}
    counts: dict[str, Counter] = {}
    left = []
    for _, result in sorted(session.completed_work_items, key=lambda pair: pair[0].job_id):
        place, before, after = result.diff.split("\n")
        module = place.partition(":")[0]
        room = module.removeprefix("mesokit/").removesuffix(".py").partition("/")[0]
        word = result.output.partition("\n")[0] if result.test_outcome == TestOutcome.KILLED else "survived"
        if word == "survived" and (module, before[2:], after[2:]) in same:
            word = "same"
        counts.setdefault(room, Counter())[word] += 1
        left += [f"{place}\n    {before}\n    {after}"] if word == "survived" else []
    rows = ["| module | changes | change nothing | caught | of these by slow tests | survived | caught, % |"]
    rows.append("| --- " * 7 + "|")
    for room, n in [*sorted(counts.items()), ("all", sum(counts.values(), Counter()))]:
        caught = n["slow"] + n["not slow"]
        share = round(100 * caught / max(1, caught + n["survived"]))
        rows.append(f"| {room} | {n.total()} | {n['same']} | {caught} | {n['slow']} | {n['survived']} | {share} |")
    return "\n".join([*rows, "", *left])


def copy_checkout(folder: Path, names: list[str]) -> None:
    """Copy what git tracks, or would track, under `names`."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *names], capture_output=True, text=True, check=True
    )
    for name in names:
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in listed.stdout.splitlines():
        if Path(name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, folder / name)


def main() -> None:
    """Draw or take up a session, run it, print its table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--number", type=int, default=320, help="changes to draw")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--new", action="store_true", help="draw anew from the code as it is now")
    parser.add_argument("--again", action="store_true", help="run the survivors again")
    parser.add_argument("--report", action="store_true", help="only print the table")
    parser.add_argument("--quick", action="store_true", help="leave out the slow tests")
    wanted = parser.parse_args()
    if wanted.quick:
        MARKS.remove("slow")
    folder = HERE.parent / "build" / "mutants"
    code, path = folder / "copy", folder / "session.sqlite"
    os.chdir(HERE.parent)
    fresh = wanted.new or not path.is_file()
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
        copy_checkout(code, ["."])
        shutil.copytree(code / "mesokit", folder / "mesokit")
    elif not wanted.report:
        copy_checkout(code, ["tests"])
        shutil.copytree(folder / "mesokit", code / "mesokit", dirs_exist_ok=True)  # a killed run leaves a change
    os.chdir(code)
    with use_db(path) as session:
        if fresh:
            draw(session, wanted.number, wanted.seed)
        if not wanted.report:
            if wanted.again:
                _forget_survivors(session)
            _import_once(code)
            run(session, _seconds(session))
        print(report(session))


def _forget_survivors(session: WorkDB) -> None:
    """Keep the results of what was caught alone."""
    items, done = session.work_items, session.completed_work_items
    session.clear()
    session.add_work_items(items)
    for item, result in done:
        if result.test_outcome == TestOutcome.KILLED:
            session.set_result(item.job_id, result)


def _import_once(code: Path) -> None:
    """Import what takes long and is not changed; no operation of TensorFlow runs, so that a fork is safe."""
    os.environ |= {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    os.environ["MESOKIT_TINY"] = str(code.with_name("tiny"))  # see conftest.py
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(code))
    sys.path.insert(1, str(code / "tests"))
    import av, cv2, hypothesis, keras, mtcnn, openvino, pandas, plotly, pooch, pytest, scipy.stats  # noqa
    import sklearn.linear_model, sklearn.metrics  # noqa

    import mesokit.backend

    assert Path(mesokit.backend.__file__).is_relative_to(code), mesokit.backend.__file__
    gc.freeze()


def _seconds(session: WorkDB) -> dict[tuple[str, str], float]:
    """The processor time of the tests of each file that will run, without a change, by file and mark."""
    found = {}
    files = {file for item in session.pending_work_items for file in tests_of(item.mutations[0].module_path)}
    for file, mark in itertools.product(sorted(files), MARKS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code, output = run_tests([file], mark, 600)
        if code not in PASSED:
            sys.exit(f"{file} must pass before the code is changed:\n{output}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found[file, mark] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{found[file, mark]:.1f} s {file} ({mark})", flush=True)
    return found


if __name__ == "__main__":
    main()
