"""From tables of scores to the paper's tables, ours beside the paper's, with intervals over clips and seeds."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mesokit import evaluation, files
from mesokit.dataset import manifest
from mesokit.lesson import paper
from mesokit.lesson.numbers import METHODS, NAMES

FILE = re.compile(r"(?P<network>.+?)-(?P<learnt>.+)-crf(?P<crf>\d+|unknown)-seed(?P<seed>\d+)(?:@(?P<other>.+))?\.csv")
NOTE = (
    "Accuracy: share of frames or clips judged right at the threshold .5; mean over seeds. In brackets: 95 % interval "
    "by bootstrap over clips, all seeds together. Spread: lowest and highest seed. The paper's networks were trained "
    "and tested on other faces, so its numbers are for orientation."
)


def read(out: Path) -> pd.DataFrame:
    """All scores in `out`/scores, with the columns network, learnt (the forgery of training), level, seed, other.

    level: the CRF of training as text. other: the dataset that was scored, "" for the one of training. Raises
    ValueError where there are none.
    """
    found = []
    for path in sorted((out / "scores").glob("*.csv")):
        if match := FILE.fullmatch(path.name):
            named = {**match.groupdict(), "level": match["crf"], "other": match["other"] or ""}
            del named["crf"]
            found.append(pd.read_csv(path, dtype={"clip": "string"}).assign(**named))
    if not found:
        raise ValueError(f"{out}: no scores yet; run the jobs first")
    return pd.concat(found, ignore_index=True)


def measured(scores: pd.DataFrame) -> pd.DataFrame:
    """A row for each network, forgery learnt, level, forgery tested, dataset tested and unit (frames, clips).

    Columns accuracy, low, high (interval over clips), lowest, highest (over seeds), of_real, of_forged, roc_auc, eer,
    threshold and accuracy_chosen (at the threshold with the best balanced accuracy on validation people; NaN on other
    datasets), seeds, clips, paper (the paper's accuracy, or NaN).
    """
    keys = ["network", "learnt", "level", "other"]
    rows = [
        row
        for key, part in scores.groupby(keys, sort=False)
        for row in _of_training(dict(zip(keys, key, strict=True)), part)
    ]
    return pd.DataFrame(rows)


def _of_training(named: dict[str, str], scores: pd.DataFrame) -> Iterator[dict]:
    tested = sorted(set(scores["method"]) - {"real"})
    for method in tested:
        rows = scores[scores["method"].isin(["real", method])]
        units = {"frames": rows} if rows["clip"].isna().any() else {"frames": rows, "clips": evaluation.per_clip(rows)}
        for unit, table in units.items():
            yield {**named, "tested": method, "unit": unit, **_numbers(table), "paper": _paper(named, method, unit)}


def _numbers(table: pd.DataFrame) -> dict[str, float]:
    test = table[table["split"] == "test"]
    each = {seed: evaluation.accuracy(one) for seed, one in test.groupby("seed")}
    chosen, thresholds = [], []
    for seed, one in table[table["split"] == "val"].groupby("seed"):
        thresholds.append(evaluation.threshold_for(one))
        chosen.append(evaluation.accuracy(test[test["seed"] == seed], thresholds[-1])["accuracy"])
    values = pd.DataFrame(each).T
    by_clip = test["clip"].notna().all()
    low, high = evaluation.interval(test) if by_clip else (np.nan, np.nan)
    mean = values.mean()
    return {
        "accuracy": mean["accuracy"],
        "low": low,
        "high": high,
        "lowest": values["accuracy"].min(),
        "highest": values["accuracy"].max(),
        "of_real": mean["accuracy_real"],
        "of_forged": mean["accuracy_forged"],
        "roc_auc": mean["roc_auc"],
        "eer": mean["eer"],
        "threshold": np.mean(thresholds) if thresholds else np.nan,
        "accuracy_chosen": np.mean(chosen) if chosen else np.nan,
        "seeds": len(values),
        "clips": test["clip"].nunique(),
    }


def _paper(named: dict[str, str], method: str, unit: str) -> float:
    """The paper's accuracy where it gives one of the same network, forgery and level."""
    if named["learnt"] != method or named["other"] or named["level"] == "unknown":
        return float("nan")
    theirs = paper.accuracy(named["network"], method, unit, int(named["level"]))
    return float("nan") if theirs is None else theirs


def as_printed(scores: pd.DataFrame, found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The paper's tables by title: per frame on Deepfakes, per frame on Face2Face at each level, per clip, and more.

    scores: as `read` gives them; found: `measured` of them.
    """
    own = found[(found["other"] == "") & (found["learnt"] == found["tested"])]
    titles = {
        "Deepfake, each frame by itself (paper, table 2)": own.query("learnt == 'deepfake' and unit == 'frames'"),
        "Face2Face at each level, each frame by itself (paper, table 3)": own.query(
            "learnt == 'face2face' and unit == 'frames'"
        ),
        "Clips: the mean over their frames (paper, table 4)": own.query("unit == 'clips'"),
        "Other forgeries, each frame by itself": own.query(
            "learnt not in ('deepfake', 'face2face') and unit == 'frames'"
        ),
    }
    shown = {title: _columns(rows) for title, rows in titles.items() if len(rows)}
    shown["Aggregation rules: accuracy per clip"] = _rules(scores)
    shown["Trained on one forgery (rows), tested on another (columns): accuracy per frame"] = _matrix(
        found[found["other"] == ""], "tested"
    )
    if (found["other"] != "").any():
        crossed = found[found["learnt"] == found["tested"]]
        shown["Trained here, tested on another dataset (columns): accuracy per frame"] = _matrix(
            crossed.assign(other=crossed["other"].replace("", "its own")), "other"
        )
    return {title: table for title, table in shown.items() if len(table)}


def _columns(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "network": rows["network"].map(lambda name: NAMES.get(name, name)),
            "forgery": rows["learnt"].map(lambda name: METHODS.get(name, name)),
            "CRF": rows["level"],
            "paper": [_number(value) for value in rows["paper"]],
            "ours": [f"{_number(a)} ({_number(low)} to {_number(high)})" for a, low, high in
                     rows[["accuracy", "low", "high"]].to_numpy()],
            "of real": rows["of_real"].map(_number),
            "of forged": rows["of_forged"].map(_number),
            "ROC AUC": rows["roc_auc"].map(_number),
            "equal error rate": rows["eer"].map(_number),
            "at a threshold of validation people": [f"{_number(a)} (at {_number(t)})" for a, t in
                     rows[["accuracy_chosen", "threshold"]].to_numpy()],
            "seeds": rows["seeds"],
            "spread": [f"{_number(low)} to {_number(high)}" for low, high in rows[["lowest", "highest"]].to_numpy()],
            "clips": rows["clips"],
        }
    )  # fmt: skip


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _rules(scores: pd.DataFrame) -> pd.DataFrame:
    """Accuracy per clip by each rule, a row for each network and forgery; mean over levels and seeds."""
    own = scores[(scores["other"] == "") & (scores["split"] == "test") & scores["clip"].notna()]
    rows = {}
    for (network, learnt), part in own.groupby(["network", "learnt"], sort=False):
        part = part[part["method"].isin(["real", learnt])]
        runs = [one for _, one in part.groupby(["level", "seed"])]
        rows[NAMES.get(network, network), METHODS.get(learnt, learnt)] = {
            rule: _number(
                float(np.mean([evaluation.accuracy(evaluation.per_clip(one, rule))["accuracy"] for one in runs]))
            )
            for rule in evaluation.RULES
        }
    table = pd.DataFrame(rows).T
    return table.rename_axis(["network", "forgery"]).reset_index() if len(table) else table


def _matrix(found: pd.DataFrame, across: str) -> pd.DataFrame:
    frames = found[found["unit"] == "frames"]
    table = frames.pivot_table("accuracy", ["network", "learnt", "level"], across, sort=False)
    if table.shape[1] < 2:
        return pd.DataFrame()
    return (
        table.map(_number)
        .rename_axis(columns=None)
        .reset_index()
        .rename(columns={"learnt": "trained on", "level": "CRF"})
    )


def write(out: Path) -> list[Path]:
    """Write tables.csv (every number, a row each), tables.md and tables.html into `out`; returns their paths."""
    scores = read(out)
    found = measured(scores)
    shown = as_printed(scores, found)
    manifest.save(found.round(4), out / "tables.csv")
    text = "\n\n".join(f"## {title}\n\n{_markdown(table)}" for title, table in shown.items())
    files.write(out / "tables.md", f"# The paper's tables, and ours\n\n{NOTE}\n\n{text}\n".encode())
    files.write(out / "tables.html", _html(shown).encode())
    return [out / name for name in ("tables.csv", "tables.md", "tables.html")]


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in map(str, row)) + " |" for row in rows)


def _html(shown: dict[str, pd.DataFrame]) -> str:
    parts = [
        f"<h2>{title}</h2><div class='scroll'>{table.to_html(index=False, border=0)}</div>"
        for title, table in shown.items()
    ]
    style = (
        ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:auto;"
        "padding:2rem 1rem}"
        ".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}"
        "th,td{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid #8884}"
    )
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>The paper's tables, and ours</title><style>{style}</style>"
        f"<h1>The paper's tables, and ours</h1><p>{NOTE}</p>{''.join(parts)}</html>"
    )
