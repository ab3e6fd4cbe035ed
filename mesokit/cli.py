"""The command line: mesokit COMMAND.

Only the module of the command that is called is imported, so that `mesokit --help` is instant.
"""

import argparse
import difflib
import importlib
import shlex
import sys
from collections.abc import Callable

from mesokit import __version__

_COMMANDS = {  # by what one wants to do: command -> what it does
    "learn": {
        "lab": "copy the notebooks into a folder and open JupyterLab there",
        "report": "run the notebooks and write a report",
    },
    "data": {
        "make": "film and forge synthetic people: the default data",
        "index": "list the clips of a public dataset, or of a folder",
        "compress": "encode listed clips at other levels",
        "extract": "cut faces out of listed clips: a dataset",
        "shard": "pack a dataset of very many faces into a few large files",
    },
    "research": {
        "train": "train a network on a dataset",
        "reproduce": "train on a dataset and write the paper's tables beside ours",
    },
    "judge": {
        "scan": "give clips and photographs a verdict",
    },
    "check": {
        "check": "what is installed, what is missing, how long notebooks will take",
    },
}
_KNOWN = [name for group in _COMMANDS.values() for name in group]
_RESUMED = {"make", "compress", "extract", "shard", "reproduce"}  # a second call does only what is missing


def main(argv: list[str] | None = None) -> int:
    """Run the command that `argv` names first; returns the exit status."""
    given = sys.argv[1:] if argv is None else list(argv)
    if given[:1] == ["--debug"]:  # before the command or after it
        given = [*given[1:2], "--debug", *given[2:]]
    match given:
        case [name, *rest] if name in _KNOWN:
            return command(name, rest)
        case ["-h" | "--help", *_]:
            print(_help())
        case ["--version", *_]:
            print(__version__)
        case [name, *_]:
            close = difflib.get_close_matches(name, _KNOWN, 3, 0.5)
            meant = f"; did you mean {' or '.join(close)}?" if close else "."
            print(f"mesokit: no command is called {name!r}{meant} There are {', '.join(_KNOWN)}.", file=sys.stderr)
            return 2
        case _:
            print(_help(), file=sys.stderr)
            return 2
    return 0


def _help() -> str:
    groups = [
        "\n".join([f"{title}:", *(f"  {name:11}{what}" for name, what in group.items())])
        for title, group in _COMMANDS.items()
    ]
    about = "Learn how compact networks detect forged face video.", "mesokit COMMAND --help says more."
    return "\n\n".join(["usage: mesokit COMMAND ...", about[0], *groups, about[1]])


def command(name: str, argv: list[str] | None = None, prog: str | None = None) -> int:
    """Run the command `name`; the scripts of data_scripts/ give their own name as `prog`."""
    module = importlib.import_module(f"mesokit.commands.{name}")
    parser = script(prog or f"mesokit {name}", module.__doc__)
    module.options(parser)
    return run(parser, module.work, argv, "stopped; the same command goes on" if name in _RESUMED else "stopped")


def script(name: str, about: str | None) -> argparse.ArgumentParser:
    """The argument parser of a script or command, with its docstring as the description."""
    return argparse.ArgumentParser(name, description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def run(
    parser: argparse.ArgumentParser,
    work: Callable[[argparse.Namespace], int],
    argv: list[str] | None = None,
    stopped: str = "stopped",
) -> int:
    """Parse `argv`, call `work` with the arguments and return its exit status; data_scripts use this too.

    The argument `command` is the whole call as text. An error is printed as one sentence on stderr, with status 2;
    --debug shows its traceback. Ctrl-C prints `stopped`, with status 130.
    """
    if hasattr(sys.stdout, "reconfigure"):  # not every console has every letter: then its escape is printed
        sys.stdout.reconfigure(errors="backslashreplace")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    arguments = parser.parse_args(argv)
    arguments.command = shlex.join([*parser.prog.split(), *(sys.argv[1:] if argv is None else argv)])
    name = parser.prog.removesuffix(".py")
    try:
        return work(arguments)
    except Exception as error:
        if arguments.debug:
            raise
        told = error if isinstance(error, ValueError | OSError) else f"{error!r}: an unexpected error, see --debug"
        print(f"{name}: {told}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: {stopped}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
