"""What a notebook talks to: its data, what it records, and the paper's statements and numbers beside its own."""

from mesokit.lesson import paper
from mesokit.lesson.data import build, leave_out, ready
from mesokit.lesson.findings import finding, with_scores
from mesokit.lesson.numbers import accuracy, known_scores, number, scores_of
from mesokit.lesson.recording import answer, highlight, record, record_each

__all__ = [
    "accuracy",
    "answer",
    "build",
    "finding",
    "highlight",
    "known_scores",
    "leave_out",
    "number",
    "paper",
    "ready",
    "record",
    "record_each",
    "scores_of",
    "with_scores",
]
