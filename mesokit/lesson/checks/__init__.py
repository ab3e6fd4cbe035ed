"""Checks of the exercises: each compares the learner's answer with the solution and names the mistake.

There is a module for each notebook and a function for each exercise. Where the learner writes a function, the solution
becomes the check, and wrong solutions name the mistakes:

    @solution(
        [[np.array([0.2, 0.4])], [np.array([0.3, 0.3, 0.9])]],
        ("this is the sum: divide by the number of frames", np.sum),
    )
    def mean_rule(p_real):
        "The mean over the frames of a clip."
        return np.mean(p_real)

Where many answers are right, such as a random split, `exercise` decorates a function that raises `Mistake`.
"""

import copy
import functools
import html
import inspect
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MIME = "application/vnd.mesokit.check+json"


class Mistake(Exception):  # noqa: N818 - the learner reads it
    """What is wrong with an answer, in one sentence that helps to correct it."""


class _Open(Exception):  # noqa: N818
    """The learner's function returned nothing."""


@dataclass(frozen=True)
class Result:
    """What a check found. A cell shows it as one line; the report and the tests read its MIME bundle."""

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
    """Turn a function that raises `Mistake` into a check that never raises; `praise` is told for a right answer."""

    def wrap(look: Callable[..., None]) -> Callable[..., Result]:
        name = f"{look.__module__.rpartition('.')[2]}.{look.__name__}"

        @functools.wraps(look)
        def check(*answers: Any) -> Result:
            if any(answer is None or answer is Ellipsis for answer in answers):
                return Result(name, False, "Nothing to check yet: replace the dots with your answer.")
            try:
                with warnings.catch_warnings(action="ignore"):  # such as the mean of nothing: the message explains it
                    look(*(_open(answer) if callable(answer) else answer for answer in answers))
            except Mistake as mistake:
                return Result(name, False, f"Not yet: {mistake}.")
            except _Open:
                return Result(name, False, "Nothing to check yet: your function returns nothing.")
            except Exception as error:  # raised by the learner's function, or by an answer of an unexpected type
                return Result(name, False, f"Not yet: checking it raised {type(error).__name__}: {error}.")
            return Result(name, True, praise)

        return check

    return wrap


def _open(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, but a return value of None means that the learner has not written it yet."""

    def call(*arguments: Any) -> Any:
        if (value := function(*arguments)) is None or value is Ellipsis:
            raise _Open
        return value

    return call


def solution(
    cases: Sequence[Any],
    *mistakes: tuple[Any, ...],
    edges: Sequence[tuple[str, Sequence[Any]]] = (),
    read: Callable[[Any], Any] = lambda value: value,
    atol: float = 1e-8,
) -> Callable[[Callable[..., Any]], Callable[..., Result]]:
    """Turn the solution of an exercise into its check; the first line of its docstring is the praise.

    cases: lists of arguments; the learner's function must return what the solution returns for each. mistakes: tuples
    of words and wrong functions; the words are told where one of these returns in every case what the learner's
    function returns. edges: further cases, each a tuple of the words for a mistake in it and its arguments. read:
    applied to every returned value before it is compared. atol: absolute tolerance of numbers.
    """

    def wrap(right: Callable[..., Any]) -> Callable[..., Result]:
        def call(function: Callable[..., Any], case: Sequence[Any]) -> np.ndarray:
            return np.asarray(read(function(*copy.deepcopy(case))))

        def explains(wrong: Callable[..., Any], got: list[np.ndarray]) -> bool:
            return all(_same(call(wrong, case), value, atol) for case, value in zip(cases, got, strict=True))

        def look(answer: Callable[..., Any]) -> None:
            got = [call(answer, case) for case in cases]
            explained = (words for words, *wrong in mistakes if any(explains(one, got) for one in wrong))
            for words, case in [*(("", case) for case in cases), *edges]:
                value, expected = call(answer, case), call(right, case)
                if not _same(value, expected, atol):
                    words, found = words or next(explained, ""), _difference(right, case, value, expected)
                    raise Mistake(f"{words} ({found})" if words else found)
            if expected.dtype in (bool, np.uint8) and value.dtype != expected.dtype:
                raise Mistake(f"the values are right, but not their type: got {value.dtype}, expected {expected.dtype}")

        return exercise(f"Right. {(right.__doc__ or '').splitlines()[0]}")(functools.wraps(right)(look))

    return wrap


def _same(one: np.ndarray, other: np.ndarray, atol: float) -> bool:
    if one.shape == other.shape and one.dtype.kind in "biuf" and other.dtype.kind in "biuf":
        return np.allclose(one.astype(float), other.astype(float), rtol=1e-4, atol=atol, equal_nan=True)
    return one.shape == other.shape and bool(np.all(one == other))


def _difference(function: Callable[..., Any], case: Sequence[Any], got: np.ndarray, expected: np.ndarray) -> str:
    """The arguments and both values; of large arrays only their shapes or the first element that differs."""
    names = inspect.signature(function).parameters
    where, what = "for " + ", ".join(f"{name} = {text(value)}" for name, value in zip(names, case, strict=True)), ""
    if got.shape != expected.shape and max(got.size, expected.size, 10 * got.ndim, 10 * expected.ndim) > 10:
        what, got, expected = "the shape ", np.array(got.shape), np.array(expected.shape)
    elif got.size > 10:
        place = tuple(axis[0] for axis in np.nonzero(~np.isclose(got, expected, rtol=1e-4)))
        where, got, expected = f"{where}, at {text(place)}", got[place], expected[place]
    return f"{where}: got {what}{text(got)}, expected {text(expected)}"


def text(value: Any) -> str:
    """A number, a text or a small array in one line; of a large array only its type and shape."""
    array = np.asarray(value)
    if array.size > 10:
        return f"{type(value).__name__} {array.shape}"
    line = np.array2string(array, separator=", ", formatter={"float_kind": lambda number: f"{number:.6g}"})
    return " ".join(line.split()).replace("[ ", "[")
