"""Run notebooks with papermill, one after another, and say how each ended."""

from __future__ import annotations

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
from typing import Any

from mesokit.lesson.recording import as_text
from mesokit.report.parameters import Parameters, fit, notebook_parameters
from mesokit.report.watch import Watch

Progress = Callable[[str, int, int], object]


@dataclass
class Outcome:
    """How one notebook ended. `cell` is the index in the executed notebook of the cell that broke."""

    name: str
    status: str = "skipped"  # ok | failed | timeout | skipped
    seconds: float = 0.0
    peak_mb: int = 0
    error: str | None = None
    cell: int | None = None
    folder: Path = Path()
    executed: Path | None = None
    parameters: Parameters = field(default_factory=dict)


@functools.cache
def _engine() -> str:
    """The name of a papermill engine that runs under a `Watch` (papermill's own has no limit on a whole notebook)."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines

    class Client(PapermillNotebookClient):
        def papermill_execute_cells(self) -> None:
            try:
                super().papermill_execute_cells()
            finally:
                self.watch.sample()  # a last look at the kernel's children while it still lives

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, watch, folder, start_timeout=60, **_):  # type: ignore
            watch.notebook = nb_man.nb
            client = Client(
                nb_man,
                kernel_name=kernel_name,
                startup_timeout=start_timeout,
                iopub_timeout=60,  # 4 s are too few for a big figure on a busy machine
                on_notebook_start=lambda notebook: watch.attach(client.km, client.kc),
                on_cell_execute=watch.at,
            )
            client.watch = watch
            # Figures are stored as JSON: small, and the page draws them with the plotly.js it carries.
            env = os.environ | {"PLOTLY_RENDERER": "plotly_mimetype", "MESOKIT_REPORT": "1"}
            client.execute(env=env, cwd=str(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    papermill_engines.register("mesokit", Engine)
    return "mesokit"


@contextmanager
def quiet() -> Iterator[None]:
    """Papermill, nbclient and nbconvert log what the outcome says anyway."""
    loggers = [logging.getLogger(name) for name in ("papermill", "traitlets", "nbconvert")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def run(
    notebooks: list[Path],
    parameters: dict[str, Parameters],
    out: str | Path,
    timeout: float = 3600,
    progress: Progress | None = None,
) -> Iterator[Outcome]:
    """Execute the notebooks one after another, each in a fresh kernel and in its own folder; yield how each ended.

    parameters: notebook name -> {parameter: value}; names that are not in `notebooks` are ignored. timeout: seconds of
    wall-clock time for each whole notebook. progress(notebook, cells done, cells) is called before each code cell and
    at the end. Executed notebooks, whole or broken, go to `out/NAME.ipynb`. A failure never stops the run; Ctrl-C ends
    the notebook under way and marks the rest as skipped. Raises ValueError for wrong parameters before anything runs.
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
    return _run_all(notebooks, fitted, out, timeout, progress or (lambda *_: None))


def _run_all(
    notebooks: list[Path], parameters: dict[str, Parameters], out: Path, timeout: float, progress: Progress
) -> Iterator[Outcome]:
    interrupted = False
    for path in notebooks:
        name = path.stem
        outcome = Outcome(name, folder=path.parent, parameters=parameters.get(name, {}))
        if interrupted:
            outcome.error = "not run: the run was interrupted"
        else:
            watch = Watch(timeout, functools.partial(progress, name))
            try:
                _run_one(path, outcome, watch, timeout)
            except KeyboardInterrupt:
                interrupted, outcome.status = True, "failed"
                outcome.error = f"interrupted by the user{_where(watch)}"
            if watch.notebook is not None:
                outcome.executed = out / f"{name}.ipynb"
                _save_notebook(watch.notebook, path.name, outcome.executed)
        yield outcome


def _run_one(path: Path, outcome: Outcome, watch: Watch, limit: float) -> None:
    """Execute one notebook under `watch` and write how it ended into `outcome`."""
    import papermill

    started = time.monotonic()
    try:
        with quiet():
            papermill.execute_notebook(
                str(path.resolve()).replace("{", "{{").replace("}", "}}"),  # papermill formats paths
                None,
                parameters=outcome.parameters,
                engine_name=_engine(),
                kernel_name="python3",  # whatever the author's kernel was called
                language="python",
                progress_bar=False,
                start_timeout=min(120, math.ceil(limit)),
                watch=watch,
                folder=path.resolve().parent,
            )
        outcome.status = "ok"
    except Exception as error:
        outcome.status, outcome.error = _failure(error, watch, limit)
        outcome.cell = watch.cell if outcome.error else None
    finally:
        watch.done.set()
        watch.kill()  # what the notebook started and did not end
        outcome.seconds = round(time.monotonic() - started, 2)
        outcome.peak_mb = round(watch.peak / 1e6)
    if outcome.status == "ok":
        watch.progress(len(watch.notebook.cells), len(watch.notebook.cells))


def _failure(error: Exception, watch: Watch, limit: float) -> tuple[str, str | None]:
    """(status, one sentence) for what `papermill.execute_notebook` raised."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import remove_error_markers

    if watch.notebook is not None:
        remove_error_markers(watch.notebook)  # papermill's added cells would shift the indices
    if watch.timed_out:
        return "timeout", f"stopped after its limit of {limit:g} s{_where(watch)}"
    if isinstance(error, DeadKernelError):
        code = watch.process.poll() if watch.process else None
        ended = "" if code is None else f", exit status {code}" if code >= 0 else f", killed by signal {-code}"
        return "failed", f"the kernel died{ended}{_where(watch)}"
    if isinstance(error, PapermillExecutionError):
        if not watch.notebook.metadata.papermill.exception:  # only cells tagged raises-exception raised
            return "ok", None
        outputs = watch.notebook.cells[watch.cell].outputs  # the error's own fields may be of an expected one before
        raised = next((output for output in outputs if output.output_type == "error"), error)
        return "failed", f"{_line(f'{raised.ename}: {raised.evalue}')}{_where(watch)}"
    return "failed", f"{_line(f'{type(error).__name__}: {error}')}{_where(watch)}"


def _line(text: str, length: int = 300) -> str:
    """The first line that says something, without terminal colours."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines()]
    return as_text(next(filter(None, lines), ""), length)


def _where(watch: Watch) -> str:
    if watch.cell is None:
        return ", before its first cell"
    return f", in cell [{watch.number}]: {_line(watch.notebook.cells[watch.cell].source, 80)}"


def _save_notebook(notebook: Any, source: str, path: Path) -> None:
    import nbformat

    from mesokit import files
    from mesokit.dataset import manifest

    notebook.metadata.papermill.update(input_path=source, output_path=path.name)  # no path of this machine
    files.write(path, nbformat.writes(notebook).encode())
