"""Encode clips at other levels: `mesokit compress` by the name that it has in a checkout."""

import sys

from mesokit import cli


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return cli.command("compress", argv, "compress_clips.py")


if __name__ == "__main__":
    sys.exit(main())
