"""Write the table of bundled weights in docs/model_card.md from the cards beside the weights.

python data_scripts/update_cards.py
"""

import argparse
import json
import sys
from pathlib import Path

from mesokit import cli, manifest

ROOT = Path(__file__).parent.parent
CARD = ROOT / "docs" / "model_card.md"
MARK = "<!-- made by data_scripts/update_cards.py; do not edit below -->\n"


def table() -> str:
    """A row for each bundled network and each way that its card measured it, as Markdown."""
    names = {"sharpness": "blur meter", "bands": "band energies"}
    head = ["weights", "measured on", "n", "accuracy", "of real", "of forged", "ROC AUC", *names.values()]
    lines = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|"]
    notes = ["", "| weights | sha256 | trained on | recipe | batches | seed |", "| --- " * 6 + "|"]
    for path in sorted((ROOT / "mesokit" / "bundled").glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        for where, found in card["metrics"].items():
            numbers = [found[name] for name in ("accuracy", "accuracy_real", "accuracy_forged", "roc_auc")]
            numbers += [card["baselines"][name][where]["accuracy"] for name in names]
            shown = " | ".join(f"{number:.3f}" for number in numbers)
            lines.append(f"| `{card['name']}` | {where} | {found['n']:.0f} | {shown} |")
        data, recipe = card["data"], card["recipe"]
        faces = f"{data['name']}, of {data['counts']['faces_train']} training faces the real ones and this forgery's"
        faces += "" if card["crf"] is None else f" at CRF {card['crf']}"
        hashed = f"`{card['sha256'][:16]}...`"
        notes.append(
            f"| `{card['name']}` | {hashed} | {faces} | {recipe['name']} | {recipe['iterations']} | {card['seed']} |"
        )
    return "\n".join([*lines, *notes]) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Renew the table; returns the exit status."""
    return cli.run(cli.script("update_cards.py", __doc__), _main, argv)


def _main(_: argparse.Namespace) -> int:
    text = CARD.read_text(encoding="utf-8")
    manifest.write(CARD, (text[: text.index(MARK) + len(MARK)] + "\n" + table()).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
