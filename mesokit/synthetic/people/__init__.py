"""Invented people: identity, motion, and how a camera sees them. Numbers and images, no files."""

from mesokit.synthetic.people.expression import express
from mesokit.synthetic.people.landmarks import GROUPS, LANDMARKS
from mesokit.synthetic.people.person import Person, State, motion, sample_person
from mesokit.synthetic.people.render import Renderer
from mesokit.synthetic.people.scene import DEFOCUS, RESOLUTION, Scene, sample_scene

__all__ = [
    "DEFOCUS",
    "GROUPS",
    "LANDMARKS",
    "RESOLUTION",
    "Person",
    "Renderer",
    "Scene",
    "State",
    "express",
    "motion",
    "sample_person",
    "sample_scene",
]
