"""Statements of the paper that the data can refute, and the one function that turns an interval into a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mesokit.lesson import paper
from mesokit.lesson.data import opened_name
from mesokit.lesson.numbers import scores_of
from mesokit.lesson.recording import FINDING, show_row

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = ("agrees", "differs", "undecided")


@dataclass(frozen=True)
class Finding:
    """A statement of the paper about one number that a notebook measures.

    paper: the paper's number, or its words; expects: where the interval of our number lies if the statement holds:
    "above 0", "below 0" or "not above 0".
    """

    statement: str
    paper: float | str
    expects: str = "above 0"


FINDINGS = {
    "inception_beats_meso4_deepfake": Finding(
        "MesoInception-4 judges the frames of Deepfakes better than Meso-4",
        paper.lead("meso_inception4", "meso4"),
    ),
    "network_beats_blur_meter": Finding(
        "Meso-4 judges frames better than a blur meter", "no number: the control is ours"
    ),
    "falls_to_23_face2face": Finding(
        "Meso-4 on Face2Face, a network for each level: accuracy per frame falls from CRF 0 to 23",
        paper.fall("meso4", 23),
    ),
    "falls_to_40_face2face": Finding(
        "Meso-4 on Face2Face, a network for each level: accuracy per frame falls from CRF 0 to 40",
        paper.fall("meso4", 40),
    ),
    "falls_to_23_face2face_inception": Finding(
        "MesoInception-4 on Face2Face, a network for each level: accuracy per frame falls from CRF 0 to 23",
        paper.fall("meso_inception4", 23),
    ),
    "clip_beats_frame_deepfake": Finding(
        "Meso-4 on Deepfake: a clip is easier to judge than a frame", paper.clip_gain("meso4", "deepfake")
    ),
    "clip_beats_frame_face2face": Finding(
        "Meso-4 on Face2Face, CRF 23: a clip is easier to judge than a frame", paper.clip_gain("meso4", "face2face")
    ),
    "clip_beats_frame_deepfake_inception": Finding(
        "MesoInception-4 on Deepfake: a clip is easier to judge than a frame",
        paper.clip_gain("meso_inception4", "deepfake"),
    ),
    "clip_beats_frame_face2face_inception": Finding(
        "MesoInception-4 on Face2Face, CRF 23: a clip is easier to judge than a frame",
        paper.clip_gain("meso_inception4", "face2face"),
    ),
    "second_derivative_says_little": Finding(
        "training does not make lines of +, -, + more frequent in the first filters",
        "concerns the first layer only, says little about faces",
        "not above 0",
    ),
    "sign_groups_meso4": Finding(
        "Meso-4: images of hidden neurons for real have more detail in the face than those for forged",
        "seen in pictures",
    ),
    "sign_groups_inception": Finding(
        "MesoInception-4: images of hidden neurons for real have more detail in the face than those for forged",
        "seen in pictures",
    ),
    "eyes_fire_for_real": Finding(
        "activations at the eyes are larger for real faces than for forged ones", "seen in pictures"
    ),
    "background_fires_for_forged": Finding(
        "activations in the background are larger for forged faces than for real ones", "seen in pictures", "below 0"
    ),
    "eyes_speak_for_real": Finding(
        "detail in the eyes is evidence for real: blurring it lowers the logit", "seen in pictures", "below 0"
    ),
    "mouth_speaks_for_real": Finding(
        "detail in the mouth is evidence for real: blurring it lowers the logit", "seen in pictures", "below 0"
    ),
    "background_detail_speaks_for_forged": Finding(
        "detail in the background is evidence for forged: sharpening it lowers the logit", "seen in pictures", "below 0"
    ),
    "mesoscopic_octaves_matter": Finding(
        "removing an octave of waves of 4 to 64 pixels costs more accuracy than removing another octave",
        "mesoscopic properties",
    ),
}


def verdict(finding: Finding, low: float | None, high: float | None) -> str:
    """The verdict on `finding`, from the interval `low` to `high` of its number: "agrees", "differs" or "undecided"."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "undecided"
    above, below = low > 0, high < 0
    if finding.expects == "not above 0":
        return "differs" if above else "agrees"
    if finding.expects == "below 0":
        above, below = below, above
    return "agrees" if above else "differs" if below else "undecided"


def with_scores(
    known: pd.DataFrame, wanted: dict[str, list[tuple[str, str, int]]]
) -> Iterator[tuple[str, list[pd.DataFrame]]]:
    """The findings that scores of `lesson.known_scores` can judge, and the scores of each; a sentence for the others.

    wanted: finding -> the networks that it compares, as (network, forgery learnt, CRF). Where the scores of a finding
    are of different clips, because a dataset is incomplete, those of the clips in all of them are taken.
    """
    for id, networks in wanted.items():
        found = [scores_of(known, *one) for one in networks]
        common = set.intersection(*(set(scores["clip"]) for scores in found))
        if common:
            yield id, [scores[scores["clip"].isin(common)] for scores in found]
        else:
            missing = [one for one, scores in zip(networks, found, strict=True) if scores.empty]
            what = ", ".join("{} on {} at CRF {}".format(*one) for one in missing or networks)
            print(f"Skipped. {FINDINGS[id].statement}: no scores of {what}{'' if missing else ' of the same clips'}.")


def finding(id: str, ours: Any, low: Any, high: Any, why: str = "", data: str | None = None) -> None:
    """Show a finding beside the paper's, with its verdict, and store it for the report.

    id: a key of FINDINGS, which holds the statement and the paper's number; ours: the number that this run measured;
    low, high: its interval, or None; why: a sentence that explains it; data: the name of the dataset that it was
    measured on, by default the one that the notebook opened. Raises ValueError for an unknown id, and where low is
    above high.
    """
    if id not in FINDINGS:
        raise ValueError(f"no finding is called {id!r}; there are {', '.join(FINDINGS)}")
    known = FINDINGS[id]
    row = {"id": id, "statement": known.statement, "paper": known.paper, "ours": ours, "low": low, "high": high}
    row |= {"verdict": verdict(known, low, high), "why": why, "data": data or opened_name()}
    show_row(FINDING, row, known.statement)
