"""Train a network on one forgery: `mesokit train` by the name that it has in a checkout."""

import sys

from mesokit import cli


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return cli.command("train", argv, "train_bundled_weights.py")


if __name__ == "__main__":
    sys.exit(main())
