"""Run notebooks with papermill, each in a fresh kernel and some side by side, and describe how each ended."""

import functools
import logging
import math
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mesokit.lesson.recording import as_text
from mesokit.report.parameters import Parameters, fit, notebook_parameters
from mesokit.report.watch import Watch

_LISTEN = 0.5  # seconds between two moments at which Ctrl-C is heard: on Windows a thread that waits does not hear it


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
    jobs: int = 1,
) -> Iterator[Outcome]:
    """Execute the notebooks, `jobs` of them at a time, each in its own folder; yield in order how each ended.

    parameters: notebook name -> {parameter: value}; names that are not in `notebooks` are ignored. timeout: seconds of
    wall-clock time for each notebook. progress(notebook, cells done, cells) is called before each code cell and at the
    end, from several threads. Executed notebooks, complete or not, go to `out/NAME.ipynb`. The run continues after a
    failed notebook; Ctrl-C ends the current notebooks and skips the rest. Raises ValueError for wrong parameters before
    anything runs.
    """
    out, names = Path(out), [path.stem for path in notebooks]
    if len(set(names)) < len(names) or "index" in names:
        raise ValueError(f"notebooks need different names, and none may be called index: {', '.join(names)}")
    if jobs < 1:
        raise ValueError(f"jobs = {jobs}: at least one notebook must run at a time")
    fitted = {
        path.stem: fit(parameters[path.stem], notebook_parameters(path), path.name)
        for path in notebooks
        if parameters.get(path.stem)
    }
    out.mkdir(parents=True, exist_ok=True)
    outcomes = [Outcome(path.stem, folder=path.parent, parameters=fitted.get(path.stem, {})) for path in notebooks]
    watches = [Watch(timeout, functools.partial(progress, name)) for name in names]
    return _run_all(notebooks, outcomes, watches, out, jobs)


def _run_all(
    notebooks: list[Path], outcomes: list[Outcome], watches: list[Watch], out: Path, jobs: int
) -> Iterator[Outcome]:
    _engine()  # registered once, before several threads need it
    with quiet(), ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(_run_one, *each, out) for each in zip(notebooks, outcomes, watches, strict=True)]
        try:
            for ended, outcome in zip(runs, outcomes, strict=True):
                try:
                    while not wait([ended], _LISTEN).done:
                        pass
                except KeyboardInterrupt:
                    for watch in watches:
                        watch.interrupt()
                ended.result()
                yield outcome
        finally:  # the caller may leave early
            for watch in watches:
                watch.interrupt()


def _run_one(path: Path, outcome: Outcome, watch: Watch, out: Path) -> None:
    """Execute one notebook under `watch`, keep what it gave in `out` and write into `outcome` how it ended."""
    import nbformat

    from mesokit import files

    if watch.interrupted:
        outcome.error = "not run: the run was interrupted"
        return
    watch.start()
    try:
        _execute(path.resolve(), outcome.parameters, watch, min(120, math.ceil(watch.limit)))
        outcome.status = "ok"
    except Exception as error:
        outcome.status, outcome.cell = "timeout" if watch.timed_out else "failed", watch.cell
        reason = f"stopped after its limit of {watch.limit:g} s" if watch.timed_out else _reason(error, watch)
        outcome.error = ("interrupted by the user" if watch.interrupted else reason) + _where(watch)
    finally:
        watch.done.set()
        watch.kill()  # processes that the notebook started and did not end
        outcome.seconds = round(watch.seconds(), 2)
        outcome.peak_mb = round(watch.peak / 1e6)
    if watch.notebook is not None:
        outcome.executed = out / path.name
        files.write(outcome.executed, nbformat.writes(watch.notebook).encode())


def _execute(path: Path, parameters: Parameters, watch: Watch, start_timeout: int) -> None:
    """Execute the notebook with papermill; `watch.notebook` receives the outputs."""
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import remove_error_markers

    try:
        papermill.execute_notebook(
            str(path).replace("{", "{{").replace("}", "}}"),  # papermill formats paths
            None,
            parameters=parameters,
            engine_name=_engine(),
            kernel_name="python3",  # whatever the author's kernel was called
            language="python",
            progress_bar=False,
            start_timeout=start_timeout,
            watch=watch,
            folder=path.parent,
        )
    except PapermillExecutionError:
        if watch.notebook.metadata.papermill.exception:
            raise  # otherwise only cells with the tag raises-exception raised
    finally:
        if watch.notebook is not None:
            remove_error_markers(watch.notebook)  # papermill's added cells would shift the indices
    watch.progress(len(watch.notebook.cells), len(watch.notebook.cells))


@functools.cache
def _engine() -> str:
    """The name of a papermill engine that runs under a `Watch`; papermill's own has no limit on a whole notebook."""
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine, papermill_engines

    class Client(PapermillNotebookClient):
        def papermill_execute_cells(self) -> None:
            try:
                super().papermill_execute_cells()
            finally:
                self.watch.sample()  # while the kernel's children still run

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, watch, folder, start_timeout=60, **_):  # type: ignore
            watch.notebook = nb_man.nb
            client: Client = Client(
                nb_man,
                kernel_name=kernel_name,
                startup_timeout=start_timeout,
                iopub_timeout=60,  # 4 s are too few for a large figure on a busy machine
                on_notebook_start=lambda notebook: watch.attach(client.km, client.kc),
                on_cell_execute=watch.at,
            )
            client.watch = watch
            # Figures are stored as JSON, which is small; the page draws them with the plotly.js that it contains.
            env = os.environ | {"PLOTLY_RENDERER": "plotly_mimetype", "MESOKIT_REPORT": "1"}
            client.execute(env=env, cwd=str(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    papermill_engines.register("mesokit", Engine)
    return "mesokit"


def _reason(error: Exception, watch: Watch) -> str:
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, DeadKernelError):
        code = watch.process.poll() if watch.process else None
        ended = "" if code is None else f", exit status {code}" if code >= 0 else f", killed by signal {-code}"
        return f"the kernel died{ended}"
    if isinstance(error, PapermillExecutionError):
        outputs = watch.notebook.cells[watch.cell].outputs  # the error's own fields may be of an expected one before
        raised = next((output for output in outputs if output.output_type == "error"), error)
        return _line(f"{raised.ename}: {raised.evalue}")
    return _line(f"{type(error).__name__}: {error}")


def _line(text: str, length: int = 300) -> str:
    """The first line that is not empty, without terminal colours."""
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines()]
    return as_text(next(filter(None, lines), ""), length)


def _where(watch: Watch) -> str:
    if watch.cell is None:
        return ", before its first cell"
    return f", in cell [{watch.number}]: {_line(watch.notebook.cells[watch.cell].source, 80)}"
