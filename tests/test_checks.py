"""The frame of the exercise checks: every answer gets one sentence, and no error of the learner gets out."""

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
