"""Judge clips, photographs or folders of them."""

import argparse
import json
import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mesokit.commands import positive


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a clip, a photograph or a folder")
    parser.add_argument("--weights", metavar="NAME|FILE", help="name or file of weights (default: bundled Meso-4)")
    label = "weights of PyTorch: the label of real faces in training (folders real, fake: 0; folders df, real: 1)"
    parser.add_argument("--real-label", type=int, choices=[0, 1], help=label)
    parser.add_argument("--centred", action="store_true", help="weights of PyTorch: pixels were -1 to 1, not 0 to 1")
    parser.add_argument("--frames", type=positive, default=30, help="frames to judge in each clip (%(default)s)")
    parser.add_argument("--rule", default="mean", help="how frames decide on a clip: mean, median, vote (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write an HTML page with faces and timelines")


def work(arguments: argparse.Namespace) -> int:
    """Print a verdict on each file. 1 when one could not be read."""
    from tqdm import tqdm

    from mesokit import evaluation, files, graphs, scan, weights

    name = arguments.weights or weights.DEFAULT
    evaluation.rule(arguments.rule)  # a wrong name is an error before minutes of work
    if arguments.html and not arguments.html.absolute().parent.is_dir():
        raise ValueError(f"{arguments.html}: its folder does not exist; make it first")
    paths = list(scan.find(arguments.paths))
    if not paths:
        suffixes, left = ", ".join(sorted(scan.SUFFIXES)), scan.left_out(arguments.paths, paths)
        instead = f"; found instead: {'; '.join(' '.join(line.split()) for line in left)}" if left else ""
        raise ValueError(f"{', '.join(arguments.paths)}: no clip or photograph in there ({suffixes}){instead}")
    plain = arguments.real_label is None and not arguments.centred
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always", UserWarning)
        graph = weights.graph(name) if plain and graphs.available() else None
        network = graph or weights.load(name, arguments.real_label, arguments.centred)
    for doubt in doubts:
        print(f"mesokit scan: {doubt.message}", file=sys.stderr)
    score, size = evaluation.scorer(network), network.input_shape[1]

    def judge(path: Path) -> Any:
        return scan.light(scan.judge(path, score, size, arguments.frames, arguments.rule))

    pool = ThreadPoolExecutor(os.cpu_count())  # decoders are processes, and OpenCV and OpenVINO release Python's lock
    try:
        judged = [
            *tqdm(pool.map(judge, paths), total=len(paths), unit="file", disable=None if len(paths) > 1 else True)
        ]
    finally:
        pool.shutdown(cancel_futures=True)
    if arguments.html:
        page = scan.page(judged, name, arguments.rule, 0.5)
        files.write(arguments.html, page.encode("utf-8", "replace"))  # a file name may contain bytes that are no text
    if arguments.json:
        found = {"weights": name, "rule": arguments.rule, "threshold": 0.5, "clips": [one.record() for one in judged]}
        print(json.dumps(found, indent=2))
    else:
        _print(judged)
        print(f"\n{scan.CAVEAT}", file=sys.stderr)
    if left := scan.left_out(arguments.paths, paths):
        print("\nnot judged:", *map(_printable, left), sep="\n", file=sys.stderr)
    return int(any(one.verdict == "error" for one in judged))


def _print(judged: list[Any]) -> None:
    for one in judged:
        print(f"{_verdict(one)}{_printable(one.path)}\n        {_printable(one.reason)}")
        for number, person in enumerate(one.people if len(one.people) > 1 else [], 1):
            where = f"person {number}, frames {person.frames[0]['frame']} to {person.frames[-1]['frame']}"
            print(f"        {_verdict(person)}{where}\n                {person.reason}")


def _verdict(one: Any) -> str:
    numbers = "" if one.p_real is None else f"p_real {one.p_real:.3f}  p_forged {1 - one.p_real:.3f}"
    return f"{one.verdict:8}{numbers:31}"


def _printable(text: str) -> str:
    """`text` without control characters, which could rewrite the terminal: file names are untrusted."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
