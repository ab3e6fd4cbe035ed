"""Tables of scores: made, written and read."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mesokit import dataset, files, weights
from mesokit.dataset import manifest
from mesokit.evaluation.rules import SHARED
from mesokit.evaluation.scoring import Score

# The name of a table of scores: of the package, or of `mesokit reproduce`.
_NAMED = re.compile(
    r"(?P<network>.+?)-(?P<learnt>.+?)(-crf(?P<level>\d+|unknown))?(-seed(?P<seed>\d+))?(@(?P<other>.+))?"
)


def score_faces(
    score: Score, table: pd.DataFrame, root: str | os.PathLike[str], batch: int = 32
) -> Iterator[pd.DataFrame]:
    """Score the faces of `table` (a query of faces.csv): yields its rows with a column `p_real`, batch by batch."""
    for start in range(0, len(table), batch):
        rows = table.iloc[start : start + batch]
        yield rows.assign(p_real=score(dataset.images(rows, root)))


def save_scores(scores: pd.DataFrame, path: Path) -> None:
    """Write the columns of `scores` that the tables of results need as a CSV file, p_real to six digits."""
    kept = ["clip", "crf", "frame", *SHARED]
    kept += ["person"] if "person" in scores and scores["person"].gt(0).any() else []
    manifest.save(scores[kept].assign(p_real=scores["p_real"].round(6)), path)


def read_scores(folder: Path = weights.BUNDLED) -> pd.DataFrame:
    """All tables in `folder`/scores, which `mesokit reproduce` writes; by default those that the package brings.

    Columns besides those of the tables: network; learnt, the forgery of training; level, its CRF as text, "all" of a
    network of all levels, or "unknown"; seed; other, the dataset that was scored, "" for the one of training; data, the
    name of that one. The package's tables are p_real of the test faces of preset `bundled`, also of networks whose
    weights it does not bring. Raises ValueError where there are none, and for a file that is no table of scores.
    """
    found = []
    for path in sorted((folder / "scores").glob("*.csv"), key=lambda path: re.split(r"-seed|@", path.stem)):
        if match := _NAMED.fullmatch(path.stem):
            card = folder / "weights" / f"{path.stem.partition('@')[0]}.json"
            named = {
                "network": match["network"],
                "learnt": match["learnt"],
                "level": match["level"] or "all",
                "seed": int(match["seed"] or 0),
                "other": match["other"] or "",
                "data": files.read_json(card)["data"]["name"] if card.is_file() else folder.absolute().name,
            }
            found.append(_table(path).assign(**named))
    if not found:
        way = "give the folder that mesokit reproduce wrote (its --out), which has a folder scores"
        raise ValueError(f"{folder}: there are no scores in it; {way}")
    return pd.concat(found, ignore_index=True)


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"clip": "string", "identity": "string", "group": "string"})
    except ValueError as error:  # of pandas: empty, or not CSV
        raise ValueError(
            f"{path}: not a table of scores ({error}); delete it, and run mesokit reproduce again"
        ) from None
    if missing := sorted({"clip", "crf", *SHARED, "p_real"} - {*table}):
        raise ValueError(f"{path}: not a table of scores: it has no column {missing[0]}; move it away")
    return table
