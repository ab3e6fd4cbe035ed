"""The review of a dataset: which faces a person accepted or rejected, and why.

    DATASET/review.csv      the audit table, a row per face that was judged: face, keep, reason

`apply` copies the decisions into the face table, and `dataset.read` leaves rejected faces out. After a dataset was
built again, `apply` restores the review, so that no face has to be judged twice.
"""

import os
from pathlib import Path

import pandas as pd

from mesokit import files
from mesokit.dataset import manifest

AUDIT = "review.csv"
REASONS = ("no face", "another person", "badly aligned", "blurred", "turned away", "covered or cut off")


def read(root: str | os.PathLike[str]) -> pd.DataFrame:
    """The audit table of the dataset in `root`: face (its key), keep, reason; empty before the first decision."""
    path = Path(root) / AUDIT
    if not path.exists():
        return pd.DataFrame({"face": [], "keep": [], "reason": []}).astype({"keep": bool})
    table = manifest.read_table(path, {"keep": "boolean"})
    if list(table.columns) != ["face", "keep", "reason"] or table["keep"].isna().any():
        raise ValueError(f"{path}: a review has the columns face, keep (True or False) and reason")
    return table.astype({"face": str, "keep": bool, "reason": str})


def decide(root: str | os.PathLike[str], face: str, keep: bool, reason: str = "") -> pd.DataFrame:
    """Accept or reject the face with the key `face`, and write the decision to disk at once; returns the audit table.

    A later decision replaces an earlier one. Raises ValueError for an unknown face, or a rejection without a reason.
    """
    if not keep and not reason:
        raise ValueError(f"{face}: say why it is rejected, for example {REASONS[0]!r}")
    if face not in set(manifest.read_faces(manifest.face_table(Path(root)))["face"]):
        raise ValueError(f"{root}: there is no face {face!r} to judge")
    audit = read(root)
    row = pd.DataFrame({"face": [face], "keep": [keep], "reason": ["" if keep else reason]})
    audit = pd.concat([audit[audit["face"] != face], row]).sort_values("face", ignore_index=True)
    apply(root, audit)
    manifest.save(audit, Path(root) / AUDIT)
    return audit


def apply(root: str | os.PathLike[str], audit: pd.DataFrame | None = None) -> int:
    """Copy the decisions of `audit` (by default review.csv) into the face table; returns the number of rejected faces.

    Faces without a decision stay as they are. A decision on a face that is not in this build is kept for a later build.
    """
    root = Path(root)
    audit = read(root) if audit is None else audit
    path = manifest.face_table(root)
    table = manifest.read_faces(path)
    judged = audit[audit["face"].isin(table["face"])].set_index("face")["keep"].astype(bool)
    keep = [bool(judged.get(face, old)) for face, old in zip(table["face"], table["keep"], strict=True)]
    manifest.save(manifest.check_faces(table.assign(keep=keep)), path)
    about = files.read_json(root / "dataset.json")
    about["sha256"][path.name] = files.sha256(path)
    about["reviewed"] = {"accepted": int(judged.sum()), "rejected": int((~judged).sum())}
    files.write_json(about, root / "dataset.json")
    return int((~judged).sum())
