"""Numbers that stand beside the paper's without a verdict, because the two are not of the same thing."""

from __future__ import annotations

from typing import Any

from mesokit.lesson import paper
from mesokit.lesson.recording import NUMBER, show_row

OTHER_DATA = "other people, other forgeries: the paper's were real videos"
NAMES = {"meso4": "Meso-4", "meso_inception4": "MesoInception-4", "xception": "Xception"}
METHODS = {"deepfake": "Deepfake", "face2face": "Face2Face"}
MEASURED: dict[tuple[str, str, str, int], tuple[float, float, float]] = {}  # accuracy, low, high of ready weights


def number(id: str, what: str, paper: Any, ours: Any, low: Any = None, high: Any = None, why: str = "") -> None:
    """Show a number beside the paper's, without a verdict, and store it for the report.

    id: its name in results.json; what: what is counted or measured; paper, ours: numbers, words or lists, `ours` None
    where this run did not measure it; low, high: the interval of `ours`, or None; why: one sentence on why the two are
    not the same thing. Raises ValueError for an empty id and for an interval upside down.
    """
    if not isinstance(id, str) or not id.strip():
        raise ValueError(f"id {id!r}: give the number a name")
    row = {"id": id, "what": what, "paper": paper, "ours": ours, "low": low, "high": high, "why": why}
    show_row(NUMBER, row, what)


def accuracy(network: str, method: str, unit: str, crf: int, scores: Any = None, why: str = OTHER_DATA) -> None:
    """The `number` of an accuracy per "frames" or "clips" at that CRF; nothing where the paper gives none.

    scores: a table of `evaluation` with a row per unit, all of that level; without it, what MEASURED knows.
    """
    if (theirs := paper.accuracy(network, method, unit, crf)) is None:
        return
    if scores is None:
        ours, low, high = MEASURED.get((network, method, unit, crf), (None, None, None))
    else:
        from mesokit import evaluation  # here, not above: the report reads this module, and need not wait for it

        ours, (low, high) = evaluation.accuracy(scores)["accuracy"], evaluation.interval(scores)
    what = f"{NAMES.get(network, network)} on {METHODS.get(method, method)}, CRF {crf}: accuracy, {unit}"
    number(f"accuracy_{network}_{method}_{unit}_crf{crf}", what, theirs, ours, low, high, why)
