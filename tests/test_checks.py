"""The frame of the exercise checks: every answer gets one sentence, and no error of the learner gets out."""

from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from mesokit.lesson import checks


@checks.exercise("Right: twice.")
def double(answer):
    if answer(2) == 2:
        raise checks.Mistake("that is the number itself: double it")
    if answer(2) != 4:
        raise checks.Mistake("two should give four")


def test_right_wrong_open_and_broken_answers():
    assert repr(double(lambda x: 2 * x)) == "✓ Right: twice."
    assert repr(double(lambda x: x)) == "✗ Not yet: that is the number itself: double it."
    assert "replace the dots" in double(...).message
    assert "returns nothing" in double(lambda x: None).message
    assert "ZeroDivisionError" in double(lambda x: x / 0).message
    assert not double(3).passed


def test_the_bundle_is_for_machines_and_escaped_for_people():
    bundle = double(lambda x: {}["<b>"])._repr_mimebundle_()
    assert bundle[checks.MIME]["passed"] is False
    assert bundle[checks.MIME]["name"] == "test_checks.double"
    assert "<b>" not in bundle["text/html"]


# The answers to the exercises of each notebook stand in test_checks_NAME: RIGHT (exercise, answer) and WRONG (exercise,
# answer, words of the message).
NAMES = sorted(path.stem for path in Path(checks.__file__).parent.glob("[a-z]*.py"))
ANSWERS = {name: import_module(f"test_checks_{name}") for name in NAMES}
RIGHT = [(name, *row) for name, tests in ANSWERS.items() for row in tests.RIGHT]
WRONG = [(name, *row) for name, tests in ANSWERS.items() for row in tests.WRONG]


def check_of(name, exercise):
    return getattr(import_module(f"mesokit.lesson.checks.{name}"), exercise)


@pytest.mark.parametrize(("name", "exercise", "answer"), RIGHT)
def test_right_answers_pass_and_open_ones_are_open(name, exercise, answer):
    result = check_of(name, exercise)(answer)
    assert result.passed, result.message
    assert "Nothing to check yet" in check_of(name, exercise)(lambda *_: ...).message


@pytest.mark.parametrize(("name", "exercise", "answer", "words"), WRONG)
def test_each_mistake_is_told(name, exercise, answer, words):
    result = check_of(name, exercise)(answer)
    assert not result.passed
    assert all(word in result.message for word in (words, "got ", "expected ")), result.message


@pytest.mark.parametrize("name", NAMES)
def test_each_exercise_has_three_wrong_answers_in_its_test(name):
    module, tests = import_module(f"mesokit.lesson.checks.{name}"), ANSWERS[name]
    public = {key for key, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    exercises = {key for key in public if not key.startswith(("_", "like_"))}
    counts = Counter(row[0] for row in tests.WRONG)
    assert {key for key in exercises - {"growing_error"} if counts[key] < 3} == set()
    assert set(counts) <= exercises
