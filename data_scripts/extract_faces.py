"""Cut aligned faces out of clips: `mesokit extract` by the name that it has in a checkout."""

import sys

from mesokit import cli


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return cli.command("extract", argv, "extract_faces.py")


if __name__ == "__main__":
    sys.exit(main())
