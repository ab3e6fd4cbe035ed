"""What a notebook talks to."""

from mesokit.lesson.data import ready

__all__ = ["ready"]
