"""Run the benchmarks one after another, then write `benchmarks.json`, and table and figures, `benchmarks.html`.

    python benchmarks/run_all.py --report report
    python benchmarks/run_all.py --only scoring extraction

Each script runs in its own process, so that scripts do not share caches or memory. Measure on an idle machine: the two
ways take turns, which keeps ratios fair, but other work slows parallel code more.

The naive ways run on TensorFlow in its default configuration. On processors with AVX-512 VNNI this uses oneDNN, and the
naive ways are two to three times as fast as on others: ratios depend on the machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import figures
import pandas as pd
from plotly.io import to_html

from mesokit import files

HERE = Path(__file__).parent
SCRIPTS = ("startup", "scoring", "training", "extraction", "maximization", "authors", "notebooks")
SCRIPTS += ("device", "growth", "people", "roofline", "peers", "shards")
# By the beginning of a row's name, the ratio to reach. 1: within its limit, not behind a peer. The others have none.
AIMS = {"scoring": 4, "training": 2, "face extraction": 15, "activation maximization": 4} | dict.fromkeys(
    ("start-up", "notebooks", "PyTorch", "facenet-pytorch"), 1
)


def aim(name: str) -> float | None:
    return next((ratio for start, ratio in AIMS.items() if name.startswith(start)), None)


def against_aims(rows: list[dict[str, Any]]) -> str:
    """One sentence: how many ratios were reached with equal results, and which were not."""
    aimed = [(row, wanted) for row in rows if (wanted := aim(row["name"]))]
    short = [(row, wanted) for row, wanted in aimed if row["ratio"] < wanted or not row["equal"]]
    missed = [f"{row['name']} ({row['ratio']:g} of {wanted:g})" for row, wanted in short]
    return f"ratios reached: {len(aimed) - len(missed)} of {len(aimed)}{'; missed: ' * bool(missed)}{', '.join(missed)}"


def page(rows: list[dict[str, Any]], points: dict[str, list[dict[str, Any]]]) -> str:
    """Table and figures of what was measured, as one HTML page that needs no network."""
    drawn = {"How many times faster, each against its naive way": figures.speeds(pd.DataFrame(rows))} if rows else {}
    if points.get("growth"):
        drawn["How cost grows with the data"] = figures.growth(pd.DataFrame(points["growth"]))
    if points.get("roofline"):
        drawn["How far from the machine's limits"] = figures.roofline(pd.DataFrame(points["roofline"]))
    body = "".join(
        f"<h2>{title}</h2>{to_html(figure, full_html=False, include_plotlyjs=i == 0)}"
        for i, (title, figure) in enumerate(drawn.items())
    )
    table = pd.DataFrame([row | {"aim": aim(row["name"]) or ""} for row in rows]).to_html(index=False, border=0)
    head = '<!doctype html><meta charset="utf-8"><title>mesokit: speed</title><h1>Speed</h1>'
    return f"{head}<p>{against_aims(rows)}</p>{table}{body}"


def main(argv: list[str] | None = None) -> int:
    """Returns 1 where a script failed or results were not equal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--report", type=Path, default=Path("report"), help="folder to write (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=SCRIPTS, default=SCRIPTS, metavar="NAME", help=", ".join(SCRIPTS))
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it work? The ratios mean little")
    arguments = parser.parse_args(argv)
    rows: list[dict[str, Any]] = []
    points: dict[str, list[dict[str, Any]]] = {}
    status, started = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.only:
            out = Path(folder) / f"{name}.json"
            options = ["--out", str(out), *(["--quick"] if arguments.quick else [])]
            if name == "notebooks":
                options += ["--results", str(arguments.report / "results.json")]
            command = [sys.executable, str(HERE / f"{name}.py"), *options]
            status |= subprocess.run(command).returncode != 0
            if out.exists():
                made = json.loads(out.read_text(encoding="utf-8"))
                rows += made["rows"]
                points[name] = made["points"]
    files.write(arguments.report / "benchmarks.json", json.dumps(rows, indent=1).encode())
    files.write(arguments.report / "benchmarks.html", page(rows, points).encode())
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    seconds = time.perf_counter() - started
    print(against_aims(rows))
    print(f"{len(rows)} rows in {arguments.report} after {seconds:.0f} s on {os.cpu_count()} cores{load}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
