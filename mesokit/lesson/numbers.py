"""Numbers shown beside the paper's without a verdict, because the two do not measure the same thing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesokit.lesson import paper
from mesokit.lesson.data import leave_out, opened_name
from mesokit.lesson.recording import NUMBER, show_row

if TYPE_CHECKING:
    import pandas as pd

_OTHER_DATA = "other people and other forgeries than the paper's"
_SAME_KIND = "clips of FaceForensics++, whose first edition the paper used"
_OWN, _PERHAPS_OTHER = "; the networks learnt from its other people", "; the network may have learnt from other data"
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


def known_scores(results: str | Path) -> pd.DataFrame:
    """Test scores of networks that were trained before: of the package, or of the folder `results`.

    results: a folder that `mesokit reproduce` wrote, or "" for the package. Columns as of `evaluation.read_scores`;
    only real faces and the forgery learnt, at the level of training. Prints what a folder holds. From now on, cells
    that need "scores of deepfake" or "scores of face2face" are skipped where there are none. Raises ValueError for a
    folder without scores.
    """
    from mesokit import evaluation, weights  # imported here: the report reads this module and does not need them

    folder = Path(results) if results else weights.BUNDLED
    scores = evaluation.read_scores(folder)
    scores = scores[(scores["split"] == "test") & (scores["other"] == "")]
    scores = scores[(scores["label"] == "real") | (scores["method"] == scores["learnt"])]
    scores = scores[scores["level"].isin(["all", "unknown"]) | (scores["level"] == scores["crf"].astype("string"))]
    if scores.empty:
        raise ValueError(f"{folder}: its tables of scores have no test faces at the level of training; run it again")
    if results:
        print(f"{folder}: test scores of {scores['data'].iloc[0]} by {_there(scores)}")
    for method in METHODS:
        lacks = f"{folder}: no network there learnt {method}; there are {_there(scores)}"
        leave_out(f"scores of {method}", "" if (scores["learnt"] == method).any() else lacks)
    return scores.reset_index(drop=True)


def _there(scores: pd.DataFrame) -> str:
    """What networks there are, in words."""
    each = {what: [str(name) for name in scores[what].unique()] for what in ("network", "learnt", "level")}
    levels = ", ".join(sorted(each["level"], key=lambda level: (len(level), level)))
    return f"{', '.join(each['network'])}, trained on {', '.join(each['learnt'])} at CRF {levels}"


def scores_of(known: pd.DataFrame, network: str, method: str, crf: int) -> pd.DataFrame:
    """Those of `known_scores` at the level `crf` by the networks of that name that learnt `method`, all seeds.

    As in the paper: of Face2Face those of networks of that level alone, of Deepfake those of networks of all levels; of
    the other kind where there are none of this one. Empty where there are neither.
    """
    rows = known[(known["network"] == network) & (known["learnt"] == method) & (known["crf"] == crf)]
    together = paper.accuracy(network, method) is not None  # it gives one number, without a level
    kinds = [rows[rows["level"] == level] for level in (("all", str(crf)) if together else (str(crf), "all"))]
    return kinds[0] if len(kinds[0]) else kinds[1]


def accuracy(network: str, method: str, unit: str, crf: int, scores: pd.DataFrame, why: str = "") -> None:
    """The `number` of an accuracy per "frames" or "clips" at that CRF; nothing where the paper gives none.

    scores: a table of `evaluation` with a row per frame, all of that level, such as `scores_of` gives; "not measured"
    where it is empty. why: as in `number`; by default how these scores differ from the paper's.
    """
    if (theirs := paper.accuracy(network, method, unit, crf)) is None:
        return
    from mesokit import evaluation
    from mesokit.dataset.opening import level

    before = "level" in scores and len(scores) > 0  # by networks that were trained before
    data = scores["data"].iloc[0] if before else opened_name()
    if (data, method) == ("faceforensics", "face2face"):
        default = _SAME_KIND + (_OWN if before else _PERHAPS_OTHER)
    else:
        default = _OTHER_DATA
    if before and scores["level"].iloc[0] == "all" and paper.accuracy(network, method, unit) is None:
        default = f"one network of all levels, where the paper has one for each; {default}"
    ours, low, high = None, None, None
    if scores.empty:
        default = "there are no scores of such a network"
    else:
        rows = evaluation.per_clip(scores) if unit == "clips" else scores
        ours, (low, high) = evaluation.accuracy(rows)["accuracy"], evaluation.interval(rows)
    what = f"{NAMES.get(network, network)} on {METHODS.get(method, method)}, {level(crf)}: accuracy, {unit}"
    number(f"accuracy_{network}_{method}_{unit}_crf{crf}", what, theirs, ours, low, high, why or default, data)
