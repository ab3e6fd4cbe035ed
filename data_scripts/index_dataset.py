"""Index a public dataset: `mesokit index` by the name that it has in a checkout."""

import sys

from mesokit import cli


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return cli.command("index", argv, "index_dataset.py")


if __name__ == "__main__":
    sys.exit(main())
