"""Run notebooks, collect what they recorded, render the report.

A notebook calls `lesson.record`, `lesson.finding` and `lesson.number`. `run` executes notebooks, `render` turns them
into `out/index.html`, a page each, and `out/results.json`.
"""

from mesokit.report.compare import read_results
from mesokit.report.execute import run
from mesokit.report.index import duration, render
from mesokit.report.inputs import environment
from mesokit.report.parameters import from_here, load_preset, notebook_parameters, read_notebook, spread

__all__ = [
    "duration",
    "environment",
    "from_here",
    "load_preset",
    "notebook_parameters",
    "read_notebook",
    "read_results",
    "render",
    "run",
    "spread",
]
