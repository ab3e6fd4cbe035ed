"""What a notebook talks to: its data, what it records, and the paper's statements and numbers beside its own."""

from mesokit.lesson import paper
from mesokit.lesson.data import build, leave_out, ready
from mesokit.lesson.findings import finding
from mesokit.lesson.numbers import accuracy, number
from mesokit.lesson.recording import answer, highlight, record, record_each

__all__ = [
    "accuracy",
    "answer",
    "build",
    "finding",
    "highlight",
    "leave_out",
    "number",
    "paper",
    "ready",
    "record",
    "record_each",
]
