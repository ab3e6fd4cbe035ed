"""Download the authors' published weights once, into the cache; what is there already is only checked.

python data_scripts/download.py
python data_scripts/download.py afchar-meso4-deepfake afchar-meso4-face2face

The cache is the folder named in MESOKIT_CACHE, or the user's cache folder. Only a file with the published sha256 stays.
"""

import argparse
import sys

from mesokit import cli, weights


def main(argv: list[str] | None = None) -> int:
    """Fetch and check each of the weights named; returns the exit status."""
    parser = cli.script("download.py", __doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"{', '.join(_known())} (default: all of them)")
    return cli.run(parser, _main, argv, "stopped; the same command goes on")


def _known() -> list[str]:
    return [name for name, entry in weights.WEIGHTS.items() if entry.url is not None]


def _main(arguments: argparse.Namespace) -> int:
    if unknown := sorted(set(arguments.names) - set(_known())):
        raise ValueError(f"nothing to download is called {unknown[0]!r}; there are {', '.join(_known())}")
    for name in arguments.names or _known():
        path = weights.fetch(name, progress=sys.stderr.isatty())
        print(f"{name}: {path}, {path.stat().st_size / 1000:.0f} kB, sha256 as published")
    return 0


if __name__ == "__main__":
    sys.exit(main())
