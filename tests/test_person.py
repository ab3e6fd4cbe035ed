"""Synthetic people are repeatable and varied, and move as people do."""

from dataclasses import asdict

import numpy as np
import pytest

from mesokit.synthetic.people import State, hair, head, motion, sample_person
from mesokit.synthetic.people.expression import express


def test_a_seed_is_a_person():
    assert sample_person(3) == sample_person(3)
    assert sample_person(3) != sample_person(4)


def test_the_population_is_wide():
    people = [sample_person(seed) for seed in range(300)]
    tones, ages = np.array([p.tone for p in people]), np.array([p.age for p in people])
    assert tones.min() < 0.1 and tones.max() > 0.9
    assert ages.min() < 24 and ages.max() > 65
    assert 0.35 < np.mean([p.masculine > 0.5 for p in people]) < 0.65
    assert {p.style for p in people} == set(hair._STYLES)
    assert 0.08 < np.mean([p.glasses > 0 for p in people]) < 0.4


@pytest.mark.parametrize("n", [0, 1, 2, 60])
def test_motion_has_any_length(n):
    assert len(motion(5, n)) == n


def test_a_longer_clip_begins_with_the_shorter_one():
    assert motion(5, 120)[:40] == motion(5, 40)


def test_motion_is_smooth_and_within_what_faces_do():
    for seed in range(12):
        rows = np.array([list(asdict(state).values()) for state in motion(seed, 150)])
        names = list(asdict(State()))
        value = dict(zip(names, rows.T, strict=True))
        assert np.abs(value["yaw"]).max() <= 30
        assert np.abs(np.diff(value["yaw"])).max() < 3
        assert np.abs(np.diff(value["pitch"])).max() < 2
        assert np.abs(np.diff(value["jaw"])).max() < 0.45
        assert value["jaw"].min() >= 0 and value["jaw"].max() <= 1
        assert value["blink_left"].min() >= 0 and value["blink_left"].max() <= 1


def test_people_blink_and_talk():
    states = motion(2, 300)
    assert 1 <= np.sum(np.diff([s.blink_left > 0.5 for s in states]) > 0) <= 12
    assert np.std([s.jaw for s in states]) > 0.03


def controls(**state):
    return express(head.identity(dict(sample_person(0).shape)), State(**state))


def gap(points, up, low):
    return points[head.INDEX[up], 1] - points[head.INDEX[low], 1]


def test_expressions_move_what_they_name():
    rest = controls()
    assert abs(gap(rest, "ul_in0", "ll_in0")) < 0.1
    assert gap(controls(jaw=0.5), "ul_in0", "ll_in0") > 0.8
    assert gap(controls(blink_left=1.0), "lid_up3_l", "lid_lo3_l") < 0.1 < gap(rest, "lid_up3_l", "lid_lo3_l")
    smile = controls(smile=0.8)
    assert smile[head.INDEX["mouth_r"], 0] > rest[head.INDEX["mouth_r"], 0]
    assert smile[head.INDEX["mouth_r"], 1] > rest[head.INDEX["mouth_r"], 1]
    assert controls(brow=1.0)[head.INDEX["brow3_l"], 1] > rest[head.INDEX["brow3_l"], 1]


def test_the_surface_passes_through_its_controls():
    skull = np.array([name.startswith("vertex") for name in head.NAMES])
    found = head.surface(head.to_uv(head.CONTROLS))
    assert np.abs(found - head.CONTROLS)[~skull].max() < 0.02
