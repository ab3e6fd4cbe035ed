"""From tables of scores to the paper's tables, ours beside the paper's, with intervals over clips and seeds."""

import html
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from mesokit import evaluation, files
from mesokit.dataset import manifest
from mesokit.lesson import paper
from mesokit.lesson.numbers import METHODS, NAMES

NOTE = (
    "Ours: share of the test people's frames or clips judged right at the threshold 0.5, mean over seeds, with its "
    "95\u00a0% interval by bootstrap over clips, all seeds together. Best threshold: the one that judges the "
    "validation people best. The paper's networks were trained and tested on other faces, so its numbers are for "
    "orientation."
)


def measured(scores: pd.DataFrame) -> pd.DataFrame:
    """A row for each network, forgery learnt, level, forgery tested, level and dataset tested, unit (frames, clips).

    scores: as `evaluation.read_scores` gives them. Columns network, learnt, level, other, at (the level tested as text;
    that of training for other datasets), tested, unit, accuracy, low, high (interval over clips), lowest, highest (over
    seeds), of_real, of_forged, roc_auc, eer, threshold and accuracy_chosen (at the threshold with the best balanced
    accuracy on validation people; NaN without their scores), seeds, clips, paper (the paper's accuracy, or NaN).
    """
    at = scores["crf"].map(lambda crf: "unknown" if pd.isna(crf) else f"{int(crf)}")
    scores = scores.assign(at=at.where(scores["other"] == "", scores["level"]))
    keys = ["network", "learnt", "level", "other", "at"]
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
    """The paper's accuracy where it gives one of the same network, forgery and level; of Deepfake it names no level."""
    if named["learnt"] != method or named["other"]:
        return float("nan")
    alone = int(named["at"]) if named["at"] == named["level"] != "unknown" else None
    theirs = paper.accuracy(named["network"], method, unit, alone)
    return float("nan") if theirs is None else theirs


def as_printed(scores: pd.DataFrame, found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables by title, those with rows: the paper's, then the rules, other forgeries and other datasets.

    scores: as `evaluation.read_scores` gives them; found: `measured` of them.
    """
    others = sorted({*found["learnt"]} - {"deepfake", "face2face"})
    shown = {
        "Deepfake, each frame by itself (paper, table 2)": _columns(found, ["deepfake"], "frames"),
        "Face2Face at each level, each frame by itself (paper, table 3)": _columns(found, ["face2face"], "frames"),
        "Clips: the mean over their frames (paper, table 4)": _columns(found, [*METHODS, *others], "clips"),
        "Other forgeries, each frame by itself": _columns(found, others, "frames"),
        "Aggregation rules: accuracy per clip, mean over levels and seeds": by_rule(scores),
        "Trained on one forgery (rows), tested on another (columns): accuracy per frame": _matrix(
            found[found["other"] == ""], "tested"
        ),
        "Trained here, tested on another dataset (columns): accuracy per frame": _matrix(
            found[found["learnt"] == found["tested"]].assign(other=found["other"].replace("", "its own")), "other"
        ),
    }
    return {title: table for title, table in shown.items() if len(table)}


def beside_paper(scores: pd.DataFrame, unit: str) -> pd.DataFrame:
    """The paper's accuracies beside those of networks on the forgery that they learnt, as text.

    scores: as `evaluation.read_scores` gives them, with a row at least; unit: "frames" or "clips".
    """
    return _columns(measured(scores), list(scores["learnt"].unique()), unit)


def _columns(found: pd.DataFrame, methods: list[str], unit: str) -> pd.DataFrame:
    """Rows of `measured`, of networks tested on the forgery that they learnt, as text; without empty columns."""
    own = (found["other"] == "") & (found["learnt"] == found["tested"]) & (found["unit"] == unit)
    rows = found[own & found["learnt"].isin(methods)].reset_index(drop=True)
    if rows.empty:
        return rows
    table = pd.DataFrame(
        {
            "network": rows["network"].map(lambda name: NAMES.get(name, name)),
            "forgery": rows["learnt"].map(lambda name: METHODS.get(name, name)),
            "trained at CRF": rows["level"],
            "CRF": rows["at"],
            "paper": rows["paper"].map(_number),
            "ours": rows["accuracy"].map(_number),
            "95\u00a0% interval": _range(rows["low"], rows["high"]),
            "of real": rows["of_real"].map(_number),
            "of forged": rows["of_forged"].map(_number),
            "ROC AUC": rows["roc_auc"].map(_number),
            "equal error rate": rows["eer"].map(_number),
            "best threshold": rows["threshold"].map(_number),
            "ours at it": rows["accuracy_chosen"].map(_number),
            "seeds": rows["seeds"],
            "lowest to highest seed": _range(rows["lowest"], rows["highest"]).where(rows["seeds"] > 1, ""),
            "clips": rows["clips"],
        }
    )
    if (rows["level"] == rows["at"]).all():
        table = table.drop(columns="trained at CRF")
    return table.loc[:, (table != "").any()]


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.3f}"


def _range(low: pd.Series, high: pd.Series) -> pd.Series:
    """Two columns of numbers as "low to high", empty where they are NaN."""
    return (low.map(_number) + " to " + high.map(_number)).where(low.notna(), "")


def by_rule(scores: pd.DataFrame) -> pd.DataFrame:
    """Accuracy per clip by each rule, as text, a row for each network and forgery; mean over levels and seeds.

    scores: as `evaluation.read_scores` gives them.
    """
    own = scores[(scores["other"] == "") & (scores["split"] == "test") & scores["clip"].notna()]
    rows = []
    for (network, learnt), part in own.groupby(["network", "learnt"], sort=False):
        runs = [one for _, one in part[part["method"].isin(["real", learnt])].groupby(["level", "seed"])]
        named = {"network": NAMES.get(network, network), "forgery": METHODS.get(learnt, learnt)}
        rows.append(
            named | {rule: _number(float(np.mean([_right(one, rule) for one in runs]))) for rule in evaluation.RULES}
        )
    return pd.DataFrame(rows)


def _right(scores: pd.DataFrame, rule: str) -> float:
    return evaluation.accuracy(evaluation.per_clip(scores, rule))["accuracy"]


def _matrix(found: pd.DataFrame, across: str) -> pd.DataFrame:
    frames = found[(found["unit"] == "frames") & (found["at"] == found["level"])]
    table = frames.pivot_table("accuracy", ["network", "learnt", "level"], across, sort=False)
    if table.shape[1] < 2:
        return pd.DataFrame()
    table = table.map(_number).rename_axis(columns=None).reset_index()
    table["network"] = table["network"].map(lambda name: NAMES.get(name, name))
    table["learnt"] = table["learnt"].map(lambda name: METHODS.get(name, name))
    return table.rename(columns={"learnt": "trained on", "level": "CRF", **METHODS})


def write(out: Path) -> list[Path]:
    """Write tables.csv (every number, a row each), tables.md and tables.html into `out`; returns their paths."""
    scores = evaluation.read_scores(out)
    found = measured(scores)
    shown, note = as_printed(scores, found), f"Data: {', '.join(scores['data'].unique())}. {NOTE}"
    manifest.save(found.round(4), out / "tables.csv")
    text = "\n\n".join(f"## {title}\n\n{_markdown(table)}" for title, table in shown.items())
    files.write(out / "tables.md", f"# The paper's tables, and ours\n\n{note}\n\n{text}\n".encode())
    files.write(out / "tables.html", _html(shown, note).encode())
    return [out / name for name in ("tables.csv", "tables.md", "tables.html")]


def _markdown(table: pd.DataFrame) -> str:
    rows = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in map(str, row)) + " |" for row in rows)


def _html(shown: dict[str, pd.DataFrame], note: str) -> str:
    parts = [
        f"<h2>{html.escape(title)}</h2><div class='scroll'>{table.to_html(index=False, border=0)}</div>"
        for title, table in shown.items()
    ]
    style = (
        ":root{color-scheme:light dark}"
        "body{font:16px/1.5 system-ui,sans-serif;max-width:80rem;margin:auto;padding:1rem}"
        "h1,h2{line-height:1.2}h2{font-size:1.2rem;margin-top:2rem}p{max-width:48rem}.scroll{overflow-x:auto}"
        "table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;white-space:nowrap}"
        "th{white-space:normal;vertical-align:bottom}"
        "th,td{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid #8884}th{border-color:#888}"
        "td:first-child,th:first-child{position:sticky;left:0;background:Canvas}"  # the name stays in view on a phone
    )
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>The paper's tables, and ours</title><style>{style}</style>"
        f"<h1>The paper's tables, and ours</h1><p>{html.escape(note)}</p>{''.join(parts)}</html>"
    )
