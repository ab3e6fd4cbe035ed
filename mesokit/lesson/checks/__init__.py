"""Checks of the exercises: they take the learner's answer or function and name the mistake.

A module per notebook, a function per exercise:

    @exercise("Right: the mean over the frames of a clip.")
    def mean_rule(answer):
        got = answer(np.array([0.2, 0.4]))
        if np.isclose(got, 0.6):
            raise Mistake("that is the sum: divide by the number of frames")

What a check returns shows itself as one line; the report and the tests read the same from its mime bundle. A check
never raises: what the learner's code raises is named as a mistake, and an answer left open is told to be open.
"""

import functools
import html
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MIME = "application/vnd.mesokit.check+json"


class Mistake(Exception):  # noqa: N818 - it is the learner who reads it
    """What is wrong with an answer, in one sentence that helps to mend it."""


@dataclass(frozen=True)
class Result:
    """What a check found. It shows itself as the last expression of a cell."""

    name: str
    passed: bool
    message: str

    def __repr__(self) -> str:  # noqa: D105
        return f"{'✓' if self.passed else '✗'} {self.message}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        colour = "#009E73" if self.passed else "#D55E00"
        style = f"border-left: 4px solid {colour}; padding: .2em .8em"
        return {
            "text/plain": repr(self),
            "text/html": f'<div style="{style}">{html.escape(repr(self))}</div>',
            MIME: {"name": self.name, "passed": self.passed, "message": self.message},
        }


def exercise(praise: str) -> Callable[[Callable[..., None]], Callable[..., Result]]:
    """Turn a function that raises `Mistake` into a check; `praise` is said of a right answer."""

    def wrap(look: Callable[..., None]) -> Callable[..., Result]:
        name = f"{look.__module__.rpartition('.')[2]}.{look.__name__}"

        @functools.wraps(look)
        def check(*answers: Any) -> Result:
            if any(answer is None or answer is Ellipsis for answer in answers):
                return Result(name, False, "Nothing to check yet: replace the dots by your answer.")
            try:
                look(*(_open(answer) if callable(answer) else answer for answer in answers))
            except Mistake as mistake:
                return Result(name, False, f"Not yet: {mistake}.")
            except _Open:
                return Result(name, False, "Nothing to check yet: your function returns nothing.")
            except Exception as error:  # the learner's, or of an answer of another kind than the check could read
                return Result(name, False, f"Not yet: checking it raised {type(error).__name__}: {error}.")
            return Result(name, True, praise)

        return check

    return wrap


class _Open(Exception):  # noqa: N818
    """The learner's function returned nothing."""


def _open(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, but an answer of None means that it is still to be written."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        value = function(*arguments, **named)
        if value is None or value is Ellipsis:
            raise _Open
        return value

    return call
