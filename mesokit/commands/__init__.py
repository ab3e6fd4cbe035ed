"""The commands of `mesokit`, a module each: `options` adds its arguments to a parser, `work` does it.

A module's docstring is its --help. `cli` imports the module of the command that is called, and no other. The scripts in
data_scripts/ are some of the same commands under other names.
"""

import argparse
import re
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
INSTALLED = (_PACKAGE / "notebooks").is_dir()  # from a wheel, which has the notebooks inside; else from a checkout
NOTEBOOKS = (_PACKAGE if INSTALLED else _PACKAGE.parent) / "notebooks"


def positive(text: str) -> int:
    """The number of an option that is a whole number from 1."""
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999999")
    return int(text)
