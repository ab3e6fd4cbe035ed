"""Scores of faces and clips, how good they are, and how certain that is.

A score is always p_real, the network's output: 1 = real, 0 = forged. A row is called real where p_real > threshold,
0.5 as in the paper unless said otherwise. Tables of scores have the columns of faces.csv and `p_real`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mesokit.evaluation.intervals import against, by_unit, difference, interval, mean, summary
    from mesokit.evaluation.metrics import accuracy, alarms, calibration, confusion, threshold_for
    from mesokit.evaluation.rules import (
        RULES,
        by_number,
        effective_number,
        intraclass_correlation,
        per_clip,
        rule,
        verdicts,
    )
    from mesokit.evaluation.scoring import Score, scorer
    from mesokit.evaluation.tables import read_scores, save_scores, score_faces

__all__ = [
    "RULES",
    "Score",
    "accuracy",
    "against",
    "alarms",
    "by_number",
    "by_unit",
    "calibration",
    "confusion",
    "difference",
    "effective_number",
    "interval",
    "intraclass_correlation",
    "mean",
    "per_clip",
    "read_scores",
    "rule",
    "save_scores",
    "score_faces",
    "scorer",
    "summary",
    "threshold_for",
    "verdicts",
]


def __getattr__(name: str) -> Any:
    """A name of `__all__` from its module, imported now: `mesokit scan` needs no pandas, SciPy and scikit-learn."""
    for module in ("rules", "scoring", "tables", "metrics", "intervals") if name in __all__ else ():
        if (found := getattr(importlib.import_module(f"{__name__}.{module}"), name, None)) is not None:
            return found
    raise AttributeError(f"module {__name__} has no attribute {name}")
