"""Download the authors' published weights once, into the cache; what is there already is only checked.

python data_scripts/download.py
python data_scripts/download.py afchar-meso4-deepfake afchar-meso4-face2face

The cache is the folder named in MESOKIT_CACHE, or the user's cache folder. Only a file with the published sha256 stays.
"""

import argparse
import sys

from mesokit import weights


def main(argv: list[str] | None = None) -> int:
    """Fetch and check each of the weights named; returns the exit status."""
    known = [name for name, entry in weights.WEIGHTS.items() if entry.url is not None]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"{', '.join(known)} (default: all of them)")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args(argv)
    try:
        if unknown := sorted(set(arguments.names) - set(known)):
            raise ValueError(f"nothing to download is called {unknown[0]!r}; there are {', '.join(known)}")
        for name in arguments.names or known:
            path = weights.fetch(name, progress=sys.stderr.isatty())
            print(f"{name}: {path}, {path.stat().st_size / 1000:.0f} kB, sha256 as published")
    except Exception as error:
        if arguments.debug:
            raise
        told = error if isinstance(error, ValueError | OSError) else f"{error!r}: a fault of its own, see --debug"
        print(f"download: {told}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("download: stopped; the same command goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
