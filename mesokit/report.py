"""Run notebooks with papermill, collect what they recorded, render the report.

A notebook calls `record` and `claim`; both show a readable line and carry the value in the output's own mime type, so
the executed notebook is the only store. `run` executes notebooks, `render` turns them into `out/index.html`, a page
each, and `out/results.json`.
"""

from __future__ import annotations

import ast
import asyncio
import difflib
import functools
import html
import importlib.metadata
import json
import logging
import math
import os
import platform
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORD = "application/vnd.mesokit.record+json"
CLAIM = "application/vnd.mesokit.claim+json"
PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
VERDICTS = ("agrees", "differs", "cannot be compared")
PACKAGES = (  # what results depend on
    "mesokit", "tensorflow", "keras", "tf-keras-vis", "mtcnn", "opencv-python-headless", "av",
    "onnxruntime", "numpy", "pandas", "scikit-learn", "plotly", "papermill", "nbconvert",
)  # fmt: skip
TEMPLATES = Path(__file__).parent / "templates"
GRACE = 10  # seconds between the interrupt of a notebook that is over its limit and the end of its kernel
SAMPLE = 0.25  # seconds between two looks at a kernel's memory

Parameters = dict[str, Any]
Progress = Callable[[str, int, int], object]


# ---------------------------------------------------------------- in notebooks


def plain(value: Any, name: str = "value") -> Any:
    """`value` with numpy's types turned into JSON's; NaN and infinities become None, which JSON can hold.

    Raises TypeError, naming `name`, for what JSON has no form for.
    """
    if hasattr(value, "tolist"):  # numpy arrays and scalars, pandas columns
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(plain(key, name)): plain(item, name) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, name) for item in value]
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"{name}: a {type(value).__name__} cannot be recorded; give numbers, text, lists or dicts")


def as_text(value: Any, length: int = 300) -> str:
    """`value` for people: floats with four significant digits, at most `length` characters."""
    if isinstance(value, float):
        text = f"{value:.4g}"
    elif isinstance(value, str):
        text = value
    elif isinstance(value, list):
        text = "[" + ", ".join(as_text(item, length) for item in value) + "]"
    else:
        text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else text[: length - 1] + "…"


class _Shown:
    """What a cell shows: a mime bundle in Jupyter, its text elsewhere."""

    def __init__(self, bundle: dict[str, Any]):
        self.bundle = bundle

    def __repr__(self) -> str:
        return self.bundle["text/plain"]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return self.bundle


def _show(bundle: dict[str, Any]) -> None:
    from IPython.display import display

    display(_Shown(bundle))


def record(key: str, value: Any) -> None:
    """Show "key = value" and store it under `key` in the report's results; a later value replaces an earlier one.

    value: None, bool, number, text, numpy array or scalar, or lists and dicts of these. NaN is stored as null.
    Raises TypeError for anything else, ValueError for an empty key.
    """
    if not isinstance(key, str) or not key.strip():
        raise ValueError(f"key {key!r}: give the result a name")
    value = plain(value, key)
    line = f"{key} = {'nan' if value is None else as_text(value)}"
    _show({"text/plain": line, RECORD: {"key": key, "value": value}})


def claim(claim: str, paper: Any, ours: Any, low: Any, high: Any, verdict: str, why: str = "") -> None:
    """Show one row of the table of claims and store it for the report.

    paper, ours: what the paper says and what this run found (a number or words); low, high: the interval of `ours` or
    None. verdict: "agrees", "differs" or "cannot be compared"; why: the reason in one sentence.
    Raises ValueError for another verdict or an interval upside down.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"verdict {verdict!r}: choose one of {', '.join(map(repr, VERDICTS))}")
    if low is not None and high is not None and low > high:
        raise ValueError(f"low {low} is above high {high}: give the interval as low, high")
    row = {"claim": claim, "paper": paper, "ours": ours, "low": low, "high": high, "verdict": verdict, "why": why}
    row = {name: plain(value, name) for name, value in row.items()}
    found = f"{as_text(row['ours'])}{interval(row)}"
    line = f"{claim}: paper {as_text(row['paper'])}, here {found}: {verdict}" + (f" ({why})" if why else "")
    markup = "<b>{}</b><br>paper {} · here {} · <b>{}</b><br>{}".format(
        *(html.escape(text) for text in (claim, as_text(row["paper"]), found, verdict, why))
    )
    style = "border-left: 4px solid #888; padding: .2em .8em"
    _show({"text/plain": line, "text/html": f'<div style="{style}">{markup}</div>', CLAIM: row})


def interval(row: dict[str, Any]) -> str:
    """' (low to high)' of a row of the claims, or nothing where it has no interval."""
    if row["low"] is None and row["high"] is None:
        return ""
    return f" ({as_text(row['low']) or '?'} to {as_text(row['high']) or '?'})"


# ---------------------------------------------------------------- parameters


def _read(path: Path) -> Any:
    """The notebook at `path` in format 4; ValueError where it is none."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat lets many kinds through: JSON, validation, attribute and key errors
        reason = str(error).strip().splitlines()[:1]
        raise ValueError(f"{path}: not a readable notebook ({' '.join(reason) or type(error).__name__})") from None


def notebook_parameters(path: str | Path) -> dict[str, Any]:
    """Names and default values of the notebook's cell tagged `parameters`; empty where no cell has the tag.

    Raises ValueError for an unreadable notebook and for a line that is not `name = literal`.
    """
    path = Path(path)
    tagged = [c for c in _read(path).cells if "parameters" in c.metadata.get("tags", []) and c.cell_type == "code"]
    if not tagged:
        return {}
    found = {}
    try:
        for statement in ast.parse(tagged[0].source).body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = ast.literal_eval(value)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    found[name] = ast.literal_eval(value)
                case ast.Expr(value=ast.Constant()):  # a docstring
                    pass
                case _:
                    raise ValueError(f"line {statement.lineno}")
    except (ValueError, SyntaxError) as error:
        raise ValueError(f"{path}: the cell tagged 'parameters' may hold only name = literal ({error})") from None
    return found


def _suggest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _fitted(value: Any, default: Any, where: str) -> Any:
    """`value` as the type of `default`, or ValueError starting with `where`. None as a default takes anything."""
    if isinstance(default, float) and not isinstance(value, bool):
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+", value):
            return float(value)  # YAML 1.1 reads 1e-3 as text
        if isinstance(value, int | float):
            return float(value)
    elif isinstance(default, list | tuple) and isinstance(value, list | tuple):
        return list(value)
    elif default is None or type(value) is type(default):
        return value
    raise ValueError(f"{where}: {value!r} is {type(value).__name__}, where {type(default).__name__} is expected")


def fit(values: Parameters, known: Parameters, where: str) -> Parameters:
    """`values` checked against a notebook's parameters `known` (from `notebook_parameters`).

    Raises ValueError, starting with `where`, for an unknown name or a value of another type than the default's.
    """
    for name in values:
        if name not in known:
            names = ", ".join(known) or "none (no cell is tagged 'parameters')"
            raise ValueError(f"{where}: no parameter {name!r}{_suggest(str(name), list(known))}; it has: {names}")
    return {name: _fitted(value, known[name], f"{where}: parameter {name!r}") for name, value in values.items()}


def spread(values: Parameters, known: dict[str, Parameters], where: str) -> dict[str, Parameters]:
    """`values` for every notebook in `known` (name -> its parameters) that has a parameter of that name.

    Raises ValueError, starting with `where`, for a name that no notebook has or a value of the wrong type.
    """
    names = sorted({name for parameters in known.values() for name in parameters})
    for name in values:
        if name not in names:
            suggestion = _suggest(str(name), names)
            raise ValueError(f"{where}: no notebook has a parameter {name!r}{suggestion}; known: {', '.join(names)}")
    return {
        notebook: fit({n: v for n, v in values.items() if n in parameters}, parameters, f"{where}: {notebook}")
        for notebook, parameters in known.items()
    }


def load_preset(path: str | Path, notebooks: str | Path | None = None) -> dict[str, Parameters]:
    """The preset file `{notebook: {parameter: value}, "all": {...}}` as parameters of each notebook it names.

    "all" is for every notebook that has the parameter; a notebook's own value wins. `notebooks` is their folder, the
    one above the preset's by default. Raises ValueError in one sentence for anything that does not exist or fit.
    """
    import yaml

    path = Path(path)
    folder = Path(notebooks) if notebooks is not None else path.resolve().parent.parent
    known = {notebook.stem: notebook_parameters(notebook) for notebook in sorted(folder.glob("*.ipynb"))}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: not a readable preset ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict) or not all(isinstance(v, dict | None) for v in content.values()):
        raise ValueError(f"{path}: a preset is a table of notebooks, each with a table of parameters")
    for name in content:
        if name not in known and name != "all":
            suggestion = _suggest(str(name), list(known))
            raise ValueError(f"{path}: no notebook {name!r}{suggestion}; known: {', '.join(known)}")
    preset = spread(content.pop("all", None) or {}, known, f"{path}: all")
    for name, values in content.items():
        preset[name] |= fit(values or {}, known[name], f"{path}: {name}")
    return {name: values for name, values in preset.items() if values}


# ---------------------------------------------------------------- running


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


class _Watch:
    """Looks after one kernel from a thread: peak memory, the limit on the whole notebook, nothing left behind."""

    def __init__(self, limit: float, progress: Callable[[int, int], object]):
        self.deadline = time.monotonic() + limit
        self.progress = progress
        self.peak = 0
        self.cell: int | None = None  # index of the code cell under way
        self.number = 0  # as in In [number]
        self.notebook: Any = None
        self.timed_out = False
        self.family: set[Any] = set()  # psutil compares pid and start time: a reused pid is never killed
        self.process: subprocess.Popen | None = None
        self.done = threading.Event()

    def attach(self, manager: Any, client: Any) -> None:
        import psutil

        _keep_polling(client.shell_channel)
        self.manager, self.process = manager, getattr(manager.provisioner, "process", None)
        self.family.add(psutil.Process(manager.provisioner.pid))
        self.sample()
        threading.Thread(target=self._look, daemon=True).start()

    def at(self, cell: Any, cell_index: int) -> None:
        self.cell, self.number = cell_index, self.number + 1
        self.progress(cell_index, len(self.notebook.cells))

    def _look(self) -> None:
        while not self.done.wait(SAMPLE):
            self.sample()
            over = time.monotonic() - self.deadline
            if over > 0 and not self.timed_out:
                self.timed_out = True
                with suppress(Exception):  # an interrupt first: its traceback shows the line that hung
                    asyncio.run(self.manager.interrupt_kernel())
            if over > GRACE:
                return self.kill()

    def sample(self) -> None:
        import psutil

        total = 0
        for process in list(self.family):
            with suppress(psutil.Error):
                self.family.update(process.children(recursive=True))
        for process in list(self.family):  # a copy: two threads look
            with suppress(psutil.Error):
                total += process.memory_info().rss
        self.peak = max(self.peak, total)

    def kill(self) -> None:
        import psutil

        for process in list(self.family):
            with suppress(psutil.Error):
                process.kill()


def _keep_polling(channel: Any) -> None:
    """Make the shell channel look again every half second.

    nbclient sends the messages of Output widgets through the socket it waits on, which can swallow the wake-up of the
    cell's reply: one run in four then waited for ever (nbclient issue 312).
    """
    receive = channel.get_msg

    async def get_msg(timeout: float | None = None) -> Any:
        while True:
            try:
                return await receive(timeout=0.5 if timeout is None else timeout)
            except queue.Empty:
                if timeout is not None:
                    raise

    channel.get_msg = get_msg


@functools.cache
def _engine() -> str:
    """The name of a papermill engine that runs under a `_Watch` (papermill's own has no limit on a whole notebook)."""
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
def _quiet() -> Iterator[None]:
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
            watch = _Watch(timeout, functools.partial(progress, name))
            try:
                _run_one(path, outcome, watch, timeout)
            except KeyboardInterrupt:
                interrupted, outcome.status = True, "failed"
                outcome.error = f"interrupted by the user{_where(watch)}"
            if watch.notebook is not None:
                outcome.executed = out / f"{name}.ipynb"
                _save_notebook(watch.notebook, path.name, outcome.executed)
        yield outcome


def _run_one(path: Path, outcome: Outcome, watch: _Watch, limit: float) -> None:
    """Execute one notebook under `watch` and write how it ended into `outcome`."""
    import papermill

    started = time.monotonic()
    try:
        with _quiet():
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


def _failure(error: Exception, watch: _Watch, limit: float) -> tuple[str, str | None]:
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


def _where(watch: _Watch) -> str:
    if watch.cell is None:
        return ", before its first cell"
    return f", in cell [{watch.number}]: {_line(watch.notebook.cells[watch.cell].source, 80)}"


def _save_notebook(notebook: Any, source: str, path: Path) -> None:
    import nbformat

    notebook.metadata.papermill.update(input_path=source, output_path=path.name)  # no path of this machine
    _write(path, nbformat.writes(notebook))


def _write(path: Path, text: str) -> None:
    """Write whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


# ---------------------------------------------------------------- the report


def environment(preset: str | None = None, parameters: dict[str, Parameters] | None = None) -> dict[str, Any]:
    """Where and when: UTC date, Python, platform, cores, memory, package versions, git commit of a checkout or None."""
    import psutil

    versions = {}
    for name in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "preset": preset,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "git": _commit(),
        "packages": versions,
        "parameters": plain(parameters or {}, "parameters"),
    }


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():  # installed, perhaps inside someone else's checkout
        return None
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    with suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(describe, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    return None


def render(out: str | Path, outcomes: list[Outcome], environment: dict[str, Any]) -> Path:
    """Write a page per executed notebook, `results.json` and `index.html` into `out`; return the index's path.

    Every page is made before the first is written, and each is written whole or not at all.
    """
    out = Path(out)
    books = [_collect(outcome) for outcome in outcomes]
    pages = {f"{book['name']}.html": _page(book) for book in books if book["notebook"] is not None}
    keys = ("name", "status", "seconds", "peak_mb", "error")
    results = {
        "environment": environment,
        "notebooks": [{key: book[key] for key in keys} for book in books],
        "results": {book["name"]: book["results"] for book in books},
        "claims": [row for book in books for row in book["claims"]],
    }
    pages["results.json"] = json.dumps(plain(results), indent=2, ensure_ascii=False, allow_nan=False)
    books.sort(key=lambda book: book["status"] in ("ok", "skipped"))  # failures first, else in order
    pages["index.html"] = _template("report.html.j2").render(
        books=books, claims=results["claims"], environment=environment, pages=pages
    )
    out.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        _write(out / name, text)
    return out / "index.html"


def _collect(outcome: Outcome) -> dict[str, Any]:
    """The outcome's fields with the executed notebook, its title, and what it recorded."""
    book = asdict(outcome) | {"title": outcome.name, "notebook": None, "results": {}, "claims": []}
    if outcome.executed is None:
        return book
    book["notebook"] = _read(outcome.executed)
    for cell in book["notebook"].cells:
        heading = re.search(r"^# +(.+)", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
        if heading and book["title"] == outcome.name:
            book["title"] = heading[1].strip()
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if RECORD in data:
                book["results"][data[RECORD]["key"]] = data[RECORD]["value"]
            if CLAIM in data:
                book["claims"].append({**data[CLAIM], "notebook": outcome.name, "cell": cell.get("id", "")})
    return book


def _template(name: str) -> Any:
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATES)
    templates = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    templates.filters |= {"as_text": as_text, "interval": interval, "duration": duration}
    return templates.get_template(name)


def duration(seconds: float) -> str:
    """'7.3 s', '2 min 5 s' or '1 h 3 min'."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _page(book: dict[str, Any]) -> str:
    """The executed notebook as one HTML page that asks nothing of the network."""
    from nbconvert import HTMLExporter

    notebook = book["notebook"]
    figures = [_static(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    notebook.metadata.pop("widgets", None)  # their manager would come from a CDN
    with _quiet():
        exporter = HTMLExporter(
            extra_template_paths=[str(TEMPLATES)], template_file="notebook.html.j2", embed_images=True
        )
        resources = {"metadata": {"name": book["title"], "path": str(book["folder"])}, "book": book}
        text, _ = exporter.from_notebook_node(notebook, resources)
    text = re.sub(r"<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>\s*</script>", "", text, flags=re.IGNORECASE)
    script = ""
    if any(figures):
        from plotly.offline import get_plotlyjs

        script = f"<script>{get_plotlyjs()}</script>"
    return text.replace("<!--plotly.js-->", script, 1)


def _static(output: Any) -> bool:
    """Make `output` show without a kernel or a network; True where it is a plotly figure."""
    data = output.get("data", {})
    if PLOTLY in data:
        from plotly.io import to_html

        output.data = {
            "text/html": to_html(
                data[PLOTLY],
                {"displaylogo": False, "modeBarButtonsToRemove": ["sendChartToCloud"]},
                include_plotlyjs=False,
                full_html=False,
                validate=False,
            )
        }
        return True
    if data.pop(WIDGET, None) is not None and "text/html" not in data:
        bar = re.match(r".*\d+%\|", str(data.get("text/plain", "")))  # a progress bar, for ever at 0 %
        note = "" if bar else "<i>An interactive control: open the notebook in JupyterLab to use it.</i>"
        output.data = {"text/html": note}
    return False
