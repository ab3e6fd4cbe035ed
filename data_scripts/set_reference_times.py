"""Take the times of a report as those that `mesokit check` scales to other machines.

    python data_scripts/set_reference_times.py report

Run it on the machine that made the report, right after it and with nothing else running: it measures there what
`mesokit check` measures elsewhere. The report must be of all notebooks, from an empty work folder.
"""

import argparse
import sys
from pathlib import Path

from mesokit import cli, doctor, files
from mesokit import report as reports

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def main(argv: list[str] | None = None) -> int:
    """Write the reference times; returns the exit status."""
    parser = cli.script("set_reference_times.py", __doc__)
    parser.add_argument("report", type=Path, help="folder of the report")
    parser.add_argument("--out", type=Path, default=NOTEBOOKS, help="folder of the notebooks (%(default)s)")
    return cli.run(parser, _main, argv)


def _main(arguments: argparse.Namespace) -> int:
    made = doctor.reference(reports.read_results(arguments.report), doctor.probe())
    files.write_json(made, arguments.out / doctor.TIMES)
    print(f"{len(made['seconds'])} notebooks, probe {made['probe']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
