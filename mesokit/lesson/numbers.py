"""Numbers shown beside the paper's without a verdict, because the two do not measure the same thing."""

from typing import Any

from mesokit.lesson import paper
from mesokit.lesson.data import opened_name
from mesokit.lesson.recording import NUMBER, show_row

_OTHER_DATA = "other people and other forgeries: the paper used real videos"
_SAME_KIND = "clips of FaceForensics++, whose first edition the paper used; the network may have learnt from other data"
NAMES = {"meso4": "Meso-4", "meso_inception4": "MesoInception-4", "xception": "Xception"}
METHODS = {"deepfake": "Deepfake", "face2face": "Face2Face"}


def number(
    id: str,
    what: str,
    paper: Any,
    ours: Any,
    low: Any = None,
    high: Any = None,
    why: str = "",
    data: str | None = None,
    exact: bool = False,
) -> None:
    """Show a number beside the paper's, without a verdict, and store it for the report.

    id: its name in results.json; what: what is counted or measured; paper, ours: numbers, words or lists, `ours` None
    where this run did not measure it; low, high: the interval of `ours`, or None; why: one sentence on the difference
    between the two; data: the name of the dataset of `ours`, by default the one that the notebook opened; exact: both
    are counted or fixed by design, so they should be equal. Raises ValueError for an empty id, and where low is above
    high.
    """
    if not isinstance(id, str) or not id.strip():
        raise ValueError(f"id {id!r}: give the number a name")
    row = {"id": id, "what": what, "paper": paper, "ours": ours, "low": low, "high": high, "why": why}
    row |= {"data": data or opened_name(), "exact": exact}
    show_row(NUMBER, row, what)


def accuracy(network: str, method: str, unit: str, crf: int, scores: Any = None, why: str = "") -> None:
    """The `number` of an accuracy per "frames" or "clips" at that CRF; nothing where the paper gives none.

    scores: a table of `evaluation` with a row per unit, all of that level; by default the bundled test scores of the
    networks of that level, all seeds together, or "not measured" where there are none. why: as in `number`; by default
    how the data of `scores` differ from the paper's.
    """
    if (theirs := paper.accuracy(network, method, unit, crf)) is None:
        return
    from mesokit import evaluation  # imported here: the report reads this module and does not need it
    from mesokit.dataset.opening import level

    ours, low, high, data = None, None, None, opened_name()
    if scores is None:
        scores, data = _bundled(network, method, unit, crf), "bundled"
    if scores is not None:
        ours, (low, high) = evaluation.accuracy(scores)["accuracy"], evaluation.interval(scores)
    default = _SAME_KIND if (data, method) == ("faceforensics", "face2face") else _OTHER_DATA
    what = f"{NAMES.get(network, network)} on {METHODS.get(method, method)}, {level(crf)}: accuracy, {unit}"
    number(f"accuracy_{network}_{method}_{unit}_crf{crf}", what, theirs, ours, low, high, why or default, data)


def _bundled(network: str, method: str, unit: str, crf: int) -> Any:
    """The bundled scores of networks of one level, a row per unit and seed; None where there are none."""
    from mesokit import evaluation

    try:
        scores = evaluation.bundled_scores(f"{network}-{method}-crf{crf}").query("crf == @crf")
    except ValueError:
        return None
    return scores if unit == "frames" else evaluation.per_clip(scores)
