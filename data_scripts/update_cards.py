"""Write the tables of results in docs/model_card.md from the cards and test scores that the package brings.

python data_scripts/update_cards.py
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mesokit import cli, evaluation, files, weights

ROOT = Path(__file__).parent.parent
CARD = ROOT / "docs" / "model_card.md"
MARK = "<!-- made by data_scripts/update_cards.py; do not edit below -->\n"
SIMPLE = {"sharpness": "blur meter", "bands": "band energies"}


ABOUT = {
    "each": "Shares of the 16 test people's frames and clips that are judged right, at CRF 0, 23, 40; threshold 0.5.",
    "seeds": "Means over seeds of training, the same people. A network of one level is judged at that level.",
    "simple": "Two detectors without a network, trained and tested on the same faces: a threshold on the variance of "
    "the Laplacian, and a logistic regression on the energies of four octaves in five regions.",
    "made": "How each was made:",
}
HEADS = {
    "each": ["weights", "frames", "clips", "of real frames", "of forged frames", "ROC AUC of frames"],
    "seeds": ["network", "seeds", "frames", "clips", "ROC AUC of frames", "frames of each seed"],
    "simple": ["learnt from the faces of", *(f"{name}, frames" for name in SIMPLE.values())],
    "made": ["weights", "sha256", "trained on", "recipe", "batches", "seed"],
}


def table() -> str:
    """All tables, as Markdown."""
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(weights.BUNDLED.glob("*.json"))]
    makers = {"each": _each, "seeds": _seeds, "simple": _simple, "made": _made}
    rows = {name: list(make(cards)) for name, make in makers.items()}
    return "\n\n".join(f"{ABOUT[name]}\n\n{_rows(HEADS[name], some)}" for name, some in rows.items() if some)


def _rows(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def _short(values: list[float]) -> str:
    """'.917, .938, .840'."""
    return ", ".join(f"{value:.3f}".removeprefix("0") for value in values)


def _of(metrics: dict[str, dict[str, float]], unit: str, name: str) -> str:
    return _short([found[name] for where, found in metrics.items() if where.endswith(unit)])


def _each(cards: list[dict]) -> Iterator[list[str]]:
    for card in cards:
        units = [("frames", "accuracy"), ("clips", "accuracy")]
        units += [("frames", name) for name in ("accuracy_real", "accuracy_forged", "roc_auc")]
        yield [f"`{card['name']}`", *(_of(card["metrics"], *unit) for unit in units)]


def _seeds(cards: list[dict]) -> Iterator[list[str]]:
    """A row for each network of which there are scores of several seeds, or whose weights are not in the package."""
    all_scores = evaluation.read_scores().assign(
        name=lambda known: (known["network"] + "-" + known["learnt"] + "-crf" + known["level"]).str.removesuffix(
            "-crfall"
        )
    )
    for name, scores in all_scores.groupby("name"):
        alone = re.search(r"-crf(\d+)$", name)
        if set(scores["seed"]) == {0} and any(card["name"] == name for card in cards):
            continue  # it stands in the first table
        scores = scores[scores["crf"] == int(alone[1])] if alone else scores
        of: dict[str, list[list[float]]] = {"frames": [], "clips": [], "auc": []}
        for _, rows in scores.groupby("seed"):
            levels = [level for _, level in rows.groupby("crf")]
            frames = [evaluation.accuracy(level) for level in levels]
            of["frames"].append([one["accuracy"] for one in frames])
            of["auc"].append([one["roc_auc"] for one in frames])
            of["clips"].append([evaluation.accuracy(evaluation.per_clip(level))["accuracy"] for level in levels])
        means = [_short(pd.DataFrame(values).mean().tolist()) for values in of.values()]
        seeds = ", ".join(map(str, scores["seed"].unique()))
        yield [f"`{name}`", seeds, means[0], means[1], means[2], "; ".join(_short(values) for values in of["frames"])]


def _simple(cards: list[dict]) -> Iterator[list[str]]:
    for card in cards:
        if card["network"] == "meso4":
            yield [f"`{card['name']}`", *(_of(card["baselines"][name], "frames", "accuracy") for name in SIMPLE)]


def _made(cards: list[dict]) -> Iterator[list[str]]:
    for card in cards:
        data, recipe = card["data"], card["recipe"]
        faces = f"{data['name']}, of {data['counts']['faces_train']} training faces the real ones and this forgery's"
        faces += "" if card["crf"] is None else f" at CRF {card['crf']}"
        hashed, seed = f"`{card['sha256'][:16]}...`", str(card["seed"])
        yield [f"`{card['name']}`", hashed, faces, recipe["name"], str(recipe["iterations"]), seed]


def main(argv: list[str] | None = None) -> int:
    """Renew the tables; returns the exit status."""
    return cli.run(cli.script("update_cards.py", __doc__), _main, argv)


def _main(_: argparse.Namespace) -> int:
    text = CARD.read_text(encoding="utf-8")
    files.write(CARD, (text[: text.index(MARK) + len(MARK)] + "\n" + table() + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
