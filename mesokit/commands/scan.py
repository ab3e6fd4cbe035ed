"""Judge clips, photographs or folders of them."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mesokit.commands import positive


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a clip, a photograph or a folder")
    parser.add_argument("--weights", metavar="NAME|FILE", help="name or file of weights (default: bundled Meso-4)")
    parser.add_argument("--frames", type=positive, default=30, help="frames to judge in each clip (%(default)s)")
    parser.add_argument("--rule", default="mean", help="how frames decide on a clip: mean, median, vote (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write an HTML page with faces and timelines")


def work(arguments: argparse.Namespace) -> int:
    """Print a verdict on each file. 1 when one could not be read."""
    from tqdm import tqdm

    from mesokit import evaluation, files, scan, weights

    name = arguments.weights or weights.DEFAULT
    evaluation.rule(arguments.rule)  # a wrong name is an error before minutes of work
    if arguments.html and not arguments.html.absolute().parent.is_dir():
        raise ValueError(f"{arguments.html}: its folder does not exist; make it first")
    paths = list(scan.find(arguments.paths))
    if not paths:
        suffixes, left = ", ".join(sorted(scan.SUFFIXES)), scan.left_out(arguments.paths)
        instead = f"; found instead: {'; '.join(' '.join(line.split()) for line in left)}" if left else ""
        raise ValueError(f"{', '.join(arguments.paths)}: no clip or photograph in there ({suffixes}){instead}")
    network = weights.load(name)
    score, size = evaluation.scorer(network), network.input_shape[1]
    judged = [
        scan.light(scan.judge(path, score, size, arguments.frames, arguments.rule))
        for path in tqdm(paths, unit="file", disable=None if len(paths) > 1 else True)
    ]
    if arguments.html:
        page = scan.page(judged, name, arguments.rule, 0.5)
        files.write(arguments.html, page.encode("utf-8", "replace"))  # a file name may contain bytes that are no text
    if arguments.json:
        found = {"weights": name, "rule": arguments.rule, "threshold": 0.5, "clips": [one.record() for one in judged]}
        print(json.dumps(found, indent=2))
    else:
        _print(judged)
        print(f"\n{scan.CAVEAT}", file=sys.stderr)
    if left := scan.left_out(arguments.paths):
        print("\nnot judged:", *map(_printable, left), sep="\n", file=sys.stderr)
    return int(any(one.verdict == "error" for one in judged))


def _print(judged: list[Any]) -> None:
    for one in judged:
        numbers = "" if one.p_real is None else f"p_real {one.p_real:.3f}  p_forged {1 - one.p_real:.3f}"
        print(f"{one.verdict:8}{numbers:31}{_printable(one.path)}\n        {_printable(one.reason)}")


def _printable(text: str) -> str:
    """`text` without control characters, which could rewrite the terminal: file names are untrusted."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
