"""Say what is installed, what is missing, and how long each notebook will take here."""

import argparse
from pathlib import Path

from mesokit.commands import NOTEBOOKS


def options(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--notebooks", type=Path, default=NOTEBOOKS, help="folder of the notebooks (the kit's)")
    parser.add_argument("--no-times", action="store_true", help="do not measure how fast this machine is")


def work(arguments: argparse.Namespace) -> int:
    """Print what was found. 1 when something required is missing."""
    from mesokit import doctor

    return doctor.check(arguments.notebooks, not arguments.no_times)
