"""Who a synthetic person is and what they do, as numbers; `render` turns both into pixels.

Everything follows from seeds: the same seed gives the same person and the same motion on every machine.
"""

from dataclasses import dataclass

import numpy as np

from mesokit.synthetic.people.head import BONES, SCALES

STYLES = (
    "bald",
    "buzz",
    "short",
    "side",
    "back",
    "fringe",
    "bob",
    "long",
    "tied",
    "curly",
    "afro",
    "curly_long",
)


@dataclass(frozen=True)
class Person:
    """An identity. `shape` is in standard deviations of the bones of `head`; the rest is 0..1 unless said otherwise."""

    seed: int
    masculine: float  # 0 very feminine features, 1 very masculine ones; the middle is common
    age: float  # years, 18 to 75
    tone: float  # skin, 0 lightest to 1 darkest
    warmth: float  # undertone, -1 pink to 1 olive
    shape: tuple[tuple[str, float], ...]  # (name in BONES or SCALES, standard deviations)
    iris: tuple[float, float, float]  # sRGB of the middle of the iris
    hair: tuple[float, float, float]  # sRGB of the lit hair
    style: str  # one of STYLES
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
    """One moment. Degrees for the pose and the gaze, 0..1 for what opens or contracts, -1..1 where it has two ways.

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


# Odds of each style for feminine and for masculine people; ages and curls shift them below.
_FEMININE = {"short": 0.5, "side": 0.8, "back": 0.4, "fringe": 1.4, "bob": 2.5, "long": 4, "tied": 2.2,
"curly": 0.6,
             "afro": 0.1, "curly_long": 1.2}  # fmt: skip
_MASCULINE = {"bald": 0.7, "buzz": 1.4, "short": 3.2, "side": 2.6, "back": 1.4, "fringe": 1.0, "curly": 0.8,
              "long": 0.25, "tied": 0.15, "afro": 0.1}  # fmt: skip
_HAIRS = {  # sRGB lit colour, odds for light and for dark people
    "black": ((0.13, 0.11, 0.11), 0.7, 9.0), "dark": ((0.21, 0.15, 0.12), 2.0, 2.0),
    "brown": ((0.34, 0.23, 0.16), 3.0, 0.4),
    "light": ((0.50, 0.36, 0.23), 2.0, 0.05), "blond": ((0.72, 0.58, 0.38), 1.7, 0.02),
    "red": ((0.52, 0.27, 0.14), 0.6, 0.0),
}  # fmt: skip
_IRISES = {"dark": (0.20, 0.11, 0.06), "brown": (0.34, 0.20, 0.10), "hazel": (0.42, 0.34, 0.17),
"green": (0.38, 0.44, 0.29),
           "blue": (0.38, 0.50, 0.62), "gray": (0.47, 0.52, 0.55)}  # fmt: skip


def _choose(rng, odds):
    names = list(odds)
    p = np.array([odds[n] for n in names], float)
    return names[int(rng.choice(len(names), p=p / p.sum()))]


def _rgb(values) -> tuple[float, float, float]:
    r, g, b = values
    return float(r), float(g), float(b)


def _shape(rng, masculine, age, tone):
    """Bones: independent variation, small shifts of the mean by sex, age and (weakly) ancestry."""
    s = {name: float(np.clip(rng.normal(0, 0.75), -1.7, 1.7)) for name in (*BONES, *SCALES)}
    m, old = 2 * masculine - 1, np.clip((age - 35) / 35, 0, 1)
    by_sex = {"jaw_width": 0.9, "jaw_square": 0.8, "chin_width": 0.8, "chin_length": 0.5, "chin_out": 0.3,
    "brow_ridge": 1.1, "brow_height": -0.6, "eye_size": -0.8,
              "nose_width": 0.3, "nose_long": 0.3, "nose_bridge": 0.3, "upper_lip": -0.6, "lower_lip": -0.5,
              "face_length": 0.7, "face_width": 0.3,
              "forehead_out": -0.3, "cheek_full": -0.4, "tip_round": 0.2, "lips_out": -0.3, "fold_heavy": 0.4,
              "eye_tilt": -0.3}  # fmt: skip
    for name, shift in by_sex.items():
        s[name] += shift * m
    for name, shift in {
        "bags": 1.3,
        "jowl": 1.6,
        "fold_heavy": 1.2,
        "gaunt": 0.6,
        "upper_lip": -0.8,
        "nose_long": 0.5,
        "cheek_full": -0.5,
    }.items():
        s[name] += shift * old
    ancestry = rng.normal(0, 1)  # a continuum, not classes: broad low noses and full lips are commoner in dark skins
    lean = 0.6 * ancestry + 1.2 * (tone - 0.4)
    for name, shift in {
        "nose_width": 0.8,
        "nose_bridge": -0.7,
        "upper_lip": 0.7,
        "lower_lip": 0.7,
        "lips_out": 0.6,
        "tip_round": 0.4,
    }.items():
        s[name] += shift * lean
    return s


def sample_person(seed: int) -> Person:
    """An adult drawn at random from a wide population; the same seed is the same person."""
    rng = np.random.default_rng([11, seed])
    female = rng.random() < 0.5
    masculine = float(np.clip(rng.normal(0.2 if female else 0.8, 0.13), 0, 1))
    age = float(18 + 57 * rng.beta(1.3, 1.8))
    tone = float(np.clip(rng.beta(1.0, 1.25), 0.02, 1))
    shape = _shape(rng, masculine, age, tone)
    dark = np.clip((tone - 0.2) / 0.4, 0, 1)
    name = _choose(rng, {k: (1 - dark) * a + dark * b for k, (_, a, b) in _HAIRS.items()})
    hair = np.array(_HAIRS[name][0]) * rng.uniform(0.85, 1.15)
    grey = np.clip((age - 38) / 32 + rng.normal(0, 0.25), 0, 1) * (0.5 if female else 1)
    hair = hair * (1 - grey) + np.array([0.68, 0.67, 0.66]) * grey
    iris = _choose(
        rng,
        {
            "dark": 0.5 + 6 * dark,
            "brown": 1.5 + dark,
            "hazel": 1 - dark,
            "green": 0.7 * (1 - dark),
            "blue": 2 * (1 - dark),
            "gray": 0.6 * (1 - dark),
        },
    )
    odds = dict(_FEMININE if female else _MASCULINE)
    if tone > 0.6:
        odds |= {"afro": 1.5, "curly": 2.0, "buzz": 3.0 * (not female) + 0.3, "side": 0.4, "fringe": 0.3}
    if not female and age > 45:
        odds |= {"bald": 2.0, "fringe": 0.2}
    bearded = 0.0 if female else float(np.clip(rng.normal(0.25, 0.35), 0.04, 1))
    return Person(
        seed=seed, masculine=masculine, age=age, tone=tone, warmth=float(rng.uniform(-1, 1)),
        shape=tuple(shape.items()),
        iris=_rgb(np.array(_IRISES[iris]) * rng.uniform(0.85, 1.15)),
        hair=_rgb(hair),
        style=_choose(rng, odds), hair_length=float(rng.random()),
        hair_part=float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.8)),
        hairline=float(np.clip(rng.normal(0.25, 0.15) + (0.0 if female else 0.010 * max(age - 30, 0)), 0, 1)),
        brow_thick=float(np.clip(rng.normal(0.14 + 0.5 * masculine, 0.13), 0.05, 1)),
        brow_arch=float(np.clip(rng.normal(0.65 - 0.5 * masculine, 0.2), 0, 1)),
        lash=float(np.clip(rng.normal(0.75 - 0.45 * masculine, 0.12), 0.15, 1)), beard=bearded,
        freckles=float(max(0, rng.normal(-0.2, 0.5)) * (1 - dark)),
        moles=int(rng.poisson(2.0)), redness=float(rng.beta(2, 3)), oily=float(rng.beta(2, 3)),
        pores=float(rng.beta(2.5, 2.5)),
        makeup=float(female * max(0, rng.normal(0.35, 0.3))),
        glasses=float((rng.random() < 0.14 + 0.1 * (age > 45)) * rng.uniform(0.3, 1)),
        ear_out=float(rng.uniform(0, 1)),
    )  # fmt: skip


# --- motion -----------------------------------------------------------------------------------------------------------
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
        closed = np.maximum(
            closed,
            np.where((x > 0) & (x < 1), np.clip(1.25 * np.sin(np.pi * np.clip(x, 0, 1) ** 0.75) ** 2, 0, 1), 0),
        )
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
    return (
        jaw,
        talk * np.clip(0.45 * _wave(rng, t, 0.8, 2.4), -1, 1),
        talk * np.clip(_wave(rng, t, 1.0, 2.6) - 1.3, 0, 1),
    )


def motion(seed: int, n_frames: int, fps: float = 25.0) -> list[State]:
    """`n_frames` states of someone talking to a camera; |yaw| stays below 30 degrees, the rest within what faces do."""
    rng = np.random.default_rng([12, seed])
    blinking, across, up = rng.spawn(3)  # their own streams: a longer clip begins with the shorter one
    t = np.arange(n_frames) / fps
    turn, nod, mood = rng.normal(0, 7), rng.normal(-1, 3), float(np.clip(rng.normal(0.3, 0.22), -0.1, 0.8))
    jaw, pucker, press = _speech(rng, t)
    smile = np.clip(mood + 0.14 * _wave(rng, t, 0.08, 0.5), -0.25, 0.9)
    gaze_x, gaze_y, closed = _saccades(across, t, 16), _saccades(up, t, 8), _blinks(blinking, t)
    yaw = np.clip(turn + rng.uniform(2, 7.5) * _wave(rng, t, 0.05, 0.4) + 0.5 * _wave(rng, t, 0.8, 2), -29, 29)
    columns = {
        "yaw": yaw, "pitch": np.clip(nod + rng.uniform(1, 3.0) * _wave(rng, t, 0.1, 0.9), -14, 14),
        "roll": np.clip(rng.normal(0, 2.5) + rng.uniform(0.8, 2.5) * _wave(rng, t, 0.08, 0.6), -13, 13),
        "blink_left": closed, "blink_right": np.clip(closed * rng.uniform(0.95, 1), 0, 1),
        "gaze_x": np.clip(gaze_x - 0.35 * yaw, -24, 24), "gaze_y": gaze_y,
        "brow": np.clip(0.1 + 0.3 * _wave(rng, t, 0.1, 1.0), -0.6, 1),
        "furrow": np.clip(0.3 * _wave(rng, t, 0.1, 0.6) - 0.1, 0, 1),
        "smile": smile, "jaw": jaw * (1 - 0.8 * press), "pucker": pucker * (1 - 0.5 * np.clip(smile, 0, 1)),
        "press": press,
        "upper": np.clip(0.1 + 0.2 * _wave(rng, t, 0.5, 1.5), 0, 1) * jaw,
        "squint": np.clip(0.1 + 0.15 * _wave(rng, t, 0.1, 0.5), 0, 1),
        "dx": 0.35 * _wave(rng, t, 0.05, 0.4), "dy": 0.25 * _wave(rng, t, 0.05, 0.5),
    }  # fmt: skip
    rows = zip(*columns.values(), strict=True)
    return [State(**{name: float(value) for name, value in zip(columns, row, strict=True)}) for row in rows]
