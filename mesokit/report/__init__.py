"""Run notebooks with papermill, collect what they recorded, render the report.

A notebook calls `record` and `claim`. `run` executes notebooks, `render` turns them into `out/index.html`, a page each,
and `out/results.json`.
"""

from mesokit.report.compare import read_results
from mesokit.report.execute import Outcome, run
from mesokit.report.index import duration, render
from mesokit.report.inputs import environment
from mesokit.report.notebook import claim, plain, record
from mesokit.report.parameters import fit, load_preset, notebook_parameters, spread

__all__ = [
    "Outcome",
    "claim",
    "duration",
    "environment",
    "fit",
    "load_preset",
    "notebook_parameters",
    "plain",
    "read_results",
    "record",
    "render",
    "run",
    "spread",
]
