"""Identity and motion of a synthetic person, as numbers; `render` turns both into pixels.

Everything follows from seeds: the same seed gives the same person and the same motion on every machine.

`person.json` says how people are drawn. `bones`: shifts of the mean, in standard deviations, of masculine, old and
(weakly) differently descended people. `traits`: normal distributions whose mean moves with masculinity. `hair`, `iris`:
colours in sRGB, with their odds for people of light and of dark skin. `styles`: odds of the hair styles of `hair.json`;
those of dark skin and of old age replace the general ones. `drifts`: actions that move on their own, as noise between
a `slow` and a `fast` frequency in Hz, clipped to `low` and `high`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mesokit import files
from mesokit.synthetic.people.head import BONES, SCALES

_TABLE = files.read_json(Path(__file__).with_name("person.json"))


@dataclass(frozen=True)
class Person:
    """An identity. `shape` is in standard deviations of the bones of `head`; the rest is 0..1 unless said otherwise."""

    seed: int
    masculine: float  # features, from 0 very feminine to 1 very masculine
    age: float  # years, 18 to 75
    tone: float  # skin, 0 lightest to 1 darkest
    warmth: float  # undertone, -1 pink to 1 olive
    shape: tuple[tuple[str, float], ...]  # (name in BONES or SCALES, standard deviations)
    iris: tuple[float, ...]  # sRGB of the middle of the iris
    hair: tuple[float, ...]  # sRGB of the lit hair
    style: str  # one of those in hair.json
    hair_length: float
    hair_part: float  # -1 left to 1 right
    hairline: float  # 0 low to 1 receding
    brow_thick: float
    brow_arch: float
    lash: float
    beard: float  # 0 none, about 0.3 stubble, 1 full
    freckles: float
    moles: int
    redness: float
    oily: float
    pores: float
    makeup: float
    glasses: float  # 0 none, else thickness of the rim
    ear_out: float


@dataclass(frozen=True)
class State:
    """One moment. Pose and gaze in degrees; actions from 0 to 1, or from -1 to 1 where they have two directions.

    Positive yaw turns the face to the viewer's right, positive pitch up, positive roll clockwise as the viewer sees it.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    blink_left: float = 0.0  # the eye of smaller x; 0 open, 1 closed
    blink_right: float = 0.0
    gaze_x: float = 0.0  # to the viewer's right
    gaze_y: float = 0.0  # up
    brow: float = 0.0  # -1 frowning down, 1 raised
    furrow: float = 0.0
    smile: float = 0.0  # -0.5 corners down, 1 broad
    jaw: float = 0.0  # 0 closed, 1 wide open
    pucker: float = 0.0  # -1 stretched ("ee"), 1 rounded ("oo")
    press: float = 0.0  # lips rolled in ("m")
    upper: float = 0.0  # upper lip raised
    squint: float = 0.0
    dx: float = 0.0  # head offset in cm
    dy: float = 0.0


def _choose(rng, odds):
    p = np.array(list(odds.values()), float)
    return list(odds)[int(rng.choice(len(p), p=p / p.sum()))]


def _choose_colour(rng, colours, dark):
    """One of `colours`, sRGB (3,), by its odds for skin that is `dark` from 0 to 1."""
    name = _choose(rng, {name: (1 - dark) * c["light"] + dark * c["dark"] for name, c in colours.items()})
    return np.array(colours[name]["colour"])


def _shape(rng, masculine, age, tone):
    """Bones: independent variation, small shifts of the mean by sex, age and (weakly) ancestry."""
    shape = {name: float(np.clip(rng.normal(0, 0.75), -1.7, 1.7)) for name in (*BONES, *SCALES)}
    ancestry = rng.normal(0, 1)  # a continuum, not classes: broad low noses and full lips are commoner in dark skins
    amounts = {
        "masculine": 2 * masculine - 1,
        "old": np.clip((age - 35) / 35, 0, 1),
        "ancestry": 0.6 * ancestry + 1.2 * (tone - 0.4),
    }
    for cause, amount in amounts.items():
        for name, shift in _TABLE["bones"][cause].items():
            shape[name] += shift * amount
    return shape


def _hair_colour(rng, dark, age, female):
    """sRGB (3,) of the lit hair, greyer with age."""
    colour = _choose_colour(rng, _TABLE["hair"], dark) * rng.uniform(0.85, 1.15)
    grey = np.clip((age - 38) / 32 + rng.normal(0, 0.25), 0, 1) * (0.5 if female else 1)
    return colour * (1 - grey) + np.array([0.68, 0.67, 0.66]) * grey


def _hair_style(rng, female, tone, age):
    sex, styles = "feminine" if female else "masculine", _TABLE["styles"]
    odds = styles[sex] | (styles[f"{sex}_dark"] if tone > 0.6 else {})
    if not female and age > 45:
        odds = odds | styles["masculine_old"]
    receding = 0.0 if female else 0.010 * max(age - 30, 0)
    return {
        "style": _choose(rng, odds),
        "hair_length": float(rng.random()),
        "hair_part": float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.8)),
        "hairline": float(np.clip(rng.normal(0.25, 0.15) + receding, 0, 1)),
    }


def _traits(rng, masculine):
    drawn = {}
    for name, t in _TABLE["traits"].items():
        value = rng.normal(t["mean"] + t["masculine"] * masculine, t["deviation"])
        drawn[name] = float(np.clip(value, t["low"], t["high"]))
    return drawn


def _complexion(rng, dark, female):
    return {
        "freckles": float(max(0, rng.normal(-0.2, 0.5)) * (1 - dark)),
        "moles": int(rng.poisson(2.0)),
        "redness": float(rng.beta(2, 3)),
        "oily": float(rng.beta(2, 3)),
        "pores": float(rng.beta(2.5, 2.5)),
        "makeup": float(female * max(0, rng.normal(0.35, 0.3))),
    }


def sample_person(seed: int) -> Person:
    """An adult drawn at random from a wide population; the same seed is the same person."""
    rng = np.random.default_rng([11, seed])  # the order of the draws decides who a seed is
    female = rng.random() < 0.5
    masculine = float(np.clip(rng.normal(0.2 if female else 0.8, 0.13), 0, 1))
    age = float(18 + 57 * rng.beta(1.3, 1.8))
    tone = float(np.clip(rng.beta(1.0, 1.25), 0.02, 1))
    shape = _shape(rng, masculine, age, tone)
    dark = np.clip((tone - 0.2) / 0.4, 0, 1)
    hair = _hair_colour(rng, dark, age, female)
    iris = _choose_colour(rng, _TABLE["iris"], dark)
    beard = 0.0 if female else float(np.clip(rng.normal(0.25, 0.35), 0.04, 1))
    return Person(
        seed=seed,
        masculine=masculine,
        age=age,
        tone=tone,
        warmth=float(rng.uniform(-1, 1)),
        shape=tuple(shape.items()),
        iris=tuple((iris * rng.uniform(0.85, 1.15)).tolist()),
        hair=tuple(hair.tolist()),
        beard=beard,
        **_hair_style(rng, female, tone, age),
        **_traits(rng, masculine),
        **_complexion(rng, dark, female),
        glasses=float((rng.random() < 0.14 + 0.1 * (age > 45)) * rng.uniform(0.3, 1)),
        ear_out=float(rng.uniform(0, 1)),
    )


def _wave(rng, t, slow, fast, terms=6):
    """Smooth noise of about unit deviation with frequencies between `slow` and `fast` Hz."""
    f, phase = rng.uniform(slow, fast, terms), rng.uniform(0, 2 * np.pi, terms)
    return np.sin(2 * np.pi * f[:, None] * t + phase[:, None]).sum(0) * np.sqrt(2 / terms)


def _events(rng, t, gap_low, gap_high):
    """Start times of random events up to the end of `t`; the caller may draw from `rng` between them."""
    now = rng.uniform(0, gap_high)
    while len(t) and now < t[-1] + 1:
        yield now
        now += rng.uniform(gap_low, gap_high)


def _blinks(rng, t):
    closed = np.zeros_like(t)
    for start in _events(rng, t, 1.6, 5.5):
        x = (t - start) / rng.uniform(0.26, 0.36)
        course = 1.25 * np.sin(np.pi * np.clip(x, 0, 1) ** 0.75) ** 2
        closed = np.maximum(closed, np.where((x > 0) & (x < 1), np.clip(course, 0, 1), 0))
    return closed


def _saccades(rng, t, reach):
    """Gaze that rests and jumps: a step smoothed over about 60 ms."""
    gaze = np.full_like(t, rng.normal(0, 0.4 * reach))
    for start in _events(rng, t, 0.7, 2.8):
        goal = np.clip(rng.normal(0, 0.5 * reach), -reach, reach)
        gaze = gaze + (goal - gaze) * np.clip((t - start) / 0.06, 0, 1)
    return gaze


def _speech(rng, t):
    """Jaw, rounding and closure of lips while talking in phrases with pauses; each (n,)."""
    talk = 1 / (1 + np.exp(-4 * (_wave(rng, t, 0.12, 0.5) + rng.uniform(0.0, 1.1))))
    syllables = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(2.6, 3.7) * t + 0.25 * _wave(rng, t, 0.3, 1.2)))
    jaw = talk * np.clip(0.04 + syllables * (0.25 + 0.15 * _wave(rng, t, 0.6, 2.0)), 0, 0.8)
    pucker = talk * np.clip(0.45 * _wave(rng, t, 0.8, 2.4), -1, 1)
    press = talk * np.clip(_wave(rng, t, 1.0, 2.6) - 1.3, 0, 1)
    return jaw, pucker, press


def motion(seed: int, n_frames: int, fps: float = 25.0) -> list[State]:
    """`n_frames` states of a person who talks to a camera; |yaw| stays below 30 degrees."""
    rng = np.random.default_rng([12, seed])
    blinking, across, up = rng.spawn(3)  # streams of their own, so that a longer clip begins with the shorter one
    t = np.arange(n_frames) / fps
    turn, nod, mood = rng.normal(0, 7), rng.normal(-1, 3), float(np.clip(rng.normal(0.3, 0.22), -0.1, 0.8))
    jaw, pucker, press = _speech(rng, t)
    smile = np.clip(mood + 0.14 * _wave(rng, t, 0.08, 0.5), -0.25, 0.9)
    gaze_x, gaze_y, closed = _saccades(across, t, 16), _saccades(up, t, 8), _blinks(blinking, t)
    yaw = np.clip(turn + rng.uniform(2, 7.5) * _wave(rng, t, 0.05, 0.4) + 0.5 * _wave(rng, t, 0.8, 2), -29, 29)
    columns = {
        "yaw": yaw,
        "pitch": np.clip(nod + rng.uniform(1, 3.0) * _wave(rng, t, 0.1, 0.9), -14, 14),
        "roll": np.clip(rng.normal(0, 2.5) + rng.uniform(0.8, 2.5) * _wave(rng, t, 0.08, 0.6), -13, 13),
        "blink_left": closed,
        "blink_right": np.clip(closed * rng.uniform(0.95, 1), 0, 1),
        "gaze_x": np.clip(gaze_x - 0.35 * yaw, -24, 24),
        "gaze_y": gaze_y,
        "smile": smile,
        "jaw": jaw * (1 - 0.8 * press),
        "pucker": pucker * (1 - 0.5 * np.clip(smile, 0, 1)),
        "press": press,
    }
    for name, d in _TABLE["drifts"].items():
        wave = d["amplitude"] * _wave(rng, t, d["slow"], d["fast"])
        columns[name] = np.clip(d["middle"] + wave, d["low"], d["high"])
    columns["upper"] = columns["upper"] * jaw  # the upper lip rises in speech only
    rows = zip(*columns.values(), strict=True)
    return [State(**{name: float(value) for name, value in zip(columns, row, strict=True)}) for row in rows]
