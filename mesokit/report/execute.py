"""Run notebooks one after another, each in a fresh kernel, and describe how each ended."""

import functools
import logging
import math
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mesokit.lesson.recording import as_text
from mesokit.report.parameters import Parameters, fit, notebook_parameters
from mesokit.report.watch import Watch


@dataclass
class Outcome:
    """How one notebook ended. `cell` is the index of the failed cell in the executed notebook."""

    name: str
    status: str = "skipped"  # ok | failed | timeout | skipped
    seconds: float = 0.0
    peak_mb: int = 0
    error: str | None = None
    cell: int | None = None
    folder: Path = Path()
    executed: Path | None = None
    parameters: Parameters = field(default_factory=dict)


@contextmanager
def quiet() -> Iterator[None]:
    """No log messages: papermill, nbclient and nbconvert log what the outcome contains anyway."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def run(
    notebooks: list[Path],
    parameters: dict[str, Parameters],
    out: str | Path,
    timeout: float = 3600,
    progress: Callable[[str, int, int], object] = lambda *_: None,
) -> Iterator[Outcome]:
    """Execute the notebooks one after another, each in its own folder; yield how each ended.

    parameters: notebook name -> {parameter: value}; names that are not in `notebooks` are ignored. timeout: seconds of
    wall-clock time for each notebook. progress(notebook, cells done, cells) is called before each code cell and at the
    end. Executed notebooks, complete or not, go to `out/NAME.ipynb`. The run continues after a failed notebook; Ctrl-C
    ends the current notebook and skips the rest. Raises ValueError for wrong parameters before anything runs.
    """
    out, names = Path(out), [path.stem for path in notebooks]
    if len(set(names)) < len(names) or "index" in names:
        raise ValueError(f"notebooks need different names, and none may be called index: {', '.join(names)}")
    fitted = {
        path.stem: fit(parameters[path.stem], notebook_parameters(path), path.name)
        for path in notebooks
        if parameters.get(path.stem)
    }
    out.mkdir(parents=True, exist_ok=True)
    outcomes = [Outcome(path.stem, folder=path.parent, parameters=fitted.get(path.stem, {})) for path in notebooks]
    return _run_all(notebooks, outcomes, out, timeout, progress)


def _run_all(
    notebooks: list[Path], outcomes: list[Outcome], out: Path, timeout: float, progress: Callable[..., object]
) -> Iterator[Outcome]:
    import nbformat

    from mesokit import files

    interrupted = False
    for path, outcome in zip(notebooks, outcomes, strict=True):
        if interrupted:
            outcome.error = "not run: the run was interrupted"
        else:
            watch = Watch(timeout, functools.partial(progress, path.stem))
            interrupted = _run_one(path.resolve(), outcome, watch, timeout)
            if watch.notebook is not None:
                outcome.executed = out / path.name
                files.write(outcome.executed, nbformat.writes(watch.notebook).encode())
        yield outcome


def _run_one(path: Path, outcome: Outcome, watch: Watch, limit: float) -> bool:
    """Execute one notebook under `watch` and write into `outcome` how it ended; True where the user interrupted it."""
    started = time.monotonic()
    try:
        with quiet():
            _execute(path, outcome.parameters, watch, min(120, math.ceil(limit)))
        outcome.status = "ok"
    except KeyboardInterrupt:
        outcome.status, outcome.error = "failed", f"interrupted by the user{_where(watch)}"
        return True
    except Exception as error:
        outcome.status, outcome.cell = "timeout" if watch.timed_out else "failed", watch.cell
        reason = f"stopped after its limit of {limit:g} s" if watch.timed_out else _reason(error, watch)
        outcome.error = reason + _where(watch)
    finally:
        watch.done.set()
        watch.kill()  # processes that the notebook started and did not end
        outcome.seconds = round(time.monotonic() - started, 2)
        outcome.peak_mb = round(watch.peak / 1e6)
    return False


def _execute(path: Path, parameters: Parameters, watch: Watch, start_timeout: int) -> None:
    """Execute the notebook with papermill's parameters and nbclient; `watch.notebook` receives the outputs."""
    from nbclient import NotebookClient
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    kernel = {"kernel_name": "python3", "language": "python"}  # whatever the author's kernel was called
    notebook = load_notebook_node(str(path))
    watch.notebook = parameterize_notebook(notebook, parameters, **kernel) if parameters else notebook
    client: NotebookClient = NotebookClient(
        watch.notebook,
        kernel_name="python3",
        startup_timeout=start_timeout,
        iopub_timeout=60,  # 4 s are too few for a large figure on a busy machine
        raise_on_iopub_timeout=True,
        on_notebook_start=lambda notebook: watch.attach(client.km, client.kc),
        on_cell_execute=watch.at,
    )
    client.reset_execution_trackers()
    # Figures are stored as JSON, which is small; the page draws them with the plotly.js that it contains.
    env = os.environ | {"PLOTLY_RENDERER": "plotly_mimetype", "MESOKIT_REPORT": "1"}
    with client.setup_kernel(env=env, cwd=str(path.parent), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        try:
            for index, cell in enumerate(watch.notebook.cells):
                client.execute_cell(cell, index)
        finally:
            watch.sample()  # while the kernel's children still run
        client.set_widgets_metadata()
    watch.progress(len(watch.notebook.cells), len(watch.notebook.cells))


def _reason(error: Exception, watch: Watch) -> str:
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    if isinstance(error, DeadKernelError):
        code = watch.process.poll() if watch.process else None
        ended = "" if code is None else f", exit status {code}" if code >= 0 else f", killed by signal {-code}"
        return f"the kernel died{ended}"
    if isinstance(error, CellExecutionError):
        return _line(f"{error.ename}: {error.evalue}")
    return _line(f"{type(error).__name__}: {error}")


def _line(text: str, length: int = 300) -> str:
    """The first line that is not empty, without terminal colours."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines()]
    return as_text(next(filter(None, lines), ""), length)


def _where(watch: Watch) -> str:
    if watch.cell is None:
        return ", before its first cell"
    return f", in cell [{watch.number}]: {_line(watch.notebook.cells[watch.cell].source, 80)}"
