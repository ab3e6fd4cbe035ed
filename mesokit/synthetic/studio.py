"""The default dataset: synthetic people filmed, two forgeries of each, and the levels of compression.

Each person has one original clip. It goes through H.264 once, as a platform would have done it, before anyone forges
it; real and forged clips are then encoded alike at each level. People come in pairs that swap faces and lend each other
their expressions: a pair is a `group`, so that no split by group shares a person's pixels.

    OUT/masters/<identity>.mp4, .npz      originals as uploaded, with their truth
    OUT/masters/<target>_<source>.mp4     decoded faces of a swap, aligned, where the package does not bring them
    OUT/masters/made.json                 what made them all: see `check`
    OUT/clips/<crf>/<clip>.mp4            real and forged clips at each level
    OUT/clips/masks/<clip>.mp4            the tampered region of each forged frame, lossless
    OUT/clips.csv, OUT/dataset.json

Face swaps that are good take long to train. The package brings those of the first sixty-four people of seed 0 as small
clips of decoded faces (data_scripts/train_swaps.py made them); for anyone else the networks are trained here.
"""

import functools
import hashlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from scipy.stats import qmc
from threadpoolctl import threadpool_limits

from mesokit import files, video
from mesokit.dataset import manifest
from mesokit.synthetic.forge import blend, face2face
from mesokit.synthetic.people import (
    DEFOCUS,
    RESOLUTION,
    Person,
    Renderer,
    Scene,
    motion,
    sample_person,
    sample_scene,
)

ORIGIN = "Synthetic people, rendered and forged by mesokit."
ABOUT = {
    "origin": ORIGIN,
    "licence": "Apache-2.0, as mesokit",
    "consent": "Nobody is shown: the people do not exist, so nobody's consent was needed.",
}
# Raise it when the pixels of clips or masks change: folders of another version are then refused. A test compares a
# fingerprint of some frames and says when.
VERSION = 3
# By the number of the pair, the same in every preset: what the bundled weights learnt from is never a test elsewhere.
# Four pairs of the first twenty were too few to judge by: the same networks came out at .83 or .95 on other people.
SPLITS = (
    *("train", "val", "test", "train", "train") * 4,
    *("test",) * 4,
    *("train", "train", "train", "val") * 2,
)
METHODS = ("real", "deepfake", "face2face")
CANDIDATES = 100  # of whom the partner of a person is the most alike
# How unlike two people are: the sum of their differences in these, each in its unit.
ALIKE = {"tone": 0.05, "masculine": 0.2, "glasses": 0.15, "beard": 0.2, "age": 20.0, "freckles": 0.3, "warmth": 1.0}
UPLOAD_CRF = (12, 28)  # of the originals before they are forged: each platform compresses as it likes
SWAP_CRF = 6  # of the small clips of decoded faces
SWAP_SIZE = 80  # pixels a side of a decoded face: as in 2017 fewer than the face has in the frame, so it comes out soft
SWAPS = Path(__file__).parents[1] / "bundled" / "swaps"


@dataclass(frozen=True)
class Preset:
    """How much to make."""

    pairs: tuple[int, ...]  # of people, by their numbers
    frames: int  # in each clip
    steps: int  # of training a face swap that the package does not bring, for each pair
    extra: int = 40  # frames of each person, besides those of the clip, that such a swap learns from
    fps: float = 25.0
    size: tuple[int, int] = (480, 360)  # width, height
    levels: tuple[int, ...] = (0, 23, 40)


PRESETS = {
    "tiny": Preset(tuple(range(3)), frames=6, steps=3, extra=2, levels=(0, 40)),  # for tests
    # Few to learn from, but all test people: what is claimed of the bundled networks is judged on sixteen.
    "smoke": Preset((0, 3, 4, 5, 1, 6, 2, 7, 12, 17, 20, 21, 22, 23), frames=12, steps=500),
    "class": Preset(tuple(range(24)), frames=30, steps=500),
    "bundled": Preset(tuple(range(32)), frames=30, steps=500),  # what the package's own networks learnt from
    "large": Preset(tuple(range(100)), frames=100, steps=1000),
}


@dataclass(frozen=True)
class Truth:
    """What is known of a clip's frames."""

    five: np.ndarray  # (n, 5, 2) float32 landmarks
    landmarks: np.ndarray  # (n, N, 2) float32, rows as in LANDMARKS
    driven: np.ndarray  # (n, N, 2) float32, where they would be with the partner's expression
    region: np.ndarray  # (n, h, w) uint8, 255 = face


def make(
    out: Path, preset: Preset, seed: int, name: str = "synthetic", workers: int | None = None
) -> Iterator[tuple[str, int, int]]:
    """Make the clips in the folder `out`; yields (what was done, steps done, steps in all) as it goes.

    Repeating the call with the same arguments makes only what is missing. The same arguments give the same clips.
    `workers`: processes at work, by default one for each core; their number changes nothing in the clips.
    Raises ValueError where the folder's clips were made otherwise: see `check`.
    """
    check(out, seed, preset)
    files.write_json(_made(seed, preset), _record(out))
    plan = _plan(preset, seed)
    people = plan[plan["method"] == "real"]
    pairs = [_rows(pair) for _, pair in people.groupby("group")]
    missing = [pair for pair in pairs if not all(path.exists() for path in _swaps(out, pair, preset))]
    weight = 1 + preset.steps // 10  # of a swap in the progress, where a clip has 1
    total, done = len(people) + len(missing) * weight + len(plan), 0
    stages: list[tuple[int, list[tuple[Any, ...]]]] = [
        (1, [(_film, out, row, preset) for row in _rows(people)]),
        (weight, [(_swap, out, pair, preset) for pair in missing]),
        (1, [(_release, out, row, preset) for row in _rows(plan)]),
    ]
    most = max(len(calls) for _, calls in stages)
    with _processes(most, workers) as pool:  # the same for all stages: each takes seconds to start
        for each, calls in stages:
            if each > 1 and calls:
                yield f"training {len(calls)} face swaps, a minute or so each", done, total
            for what in _finished(pool, calls):
                done += each
                yield what, done, total
    _write_tables(out, plan, preset, seed, name)
    yield "wrote clips.csv", total, total


def check(out: Path, seed: int, preset: Preset | None = None) -> None:
    """Raise ValueError where the folder `out` has clips of another seed or preset, or of another version of the studio.

    Of a preset, the pairs may grow: the people before them stay as they are. A folder that the studio has
    not made, or that does not exist, passes.
    """
    path = _record(out)
    if not path.parent.is_dir():
        return
    made = files.read_json(path) if path.is_file() else {}
    wanted = _made(seed, preset)
    wrong = [name for name, value in wanted.items() if not isinstance(made, dict) or made.get(name) != value]
    if wrong:
        raise ValueError(
            f"{out}: its clips were made otherwise ({', '.join(wrong)}); delete the folder, or name another one"
        )


def _record(out: Path) -> Path:
    return out / "masters" / "made.json"


def _made(seed: int, preset: Preset | None) -> dict[str, Any]:
    """What decides how clips come out, but for the libraries; without a preset, what all presets share."""
    known = {"version of the studio": VERSION, "swaps of the package": _hash(SWAPS / "swaps.json"), "seed": seed}
    if preset is None:
        return known
    return known | {name: json.loads(json.dumps(value)) for name, value in vars(preset).items() if name != "pairs"}


def _hash(path: Path) -> str:
    """Of a file as text: Git ends lines as each system does."""
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def in_parallel(calls: list[tuple[Any, ...]], workers: int | None = None) -> Iterator[str]:
    """What each of `calls` (a function and its arguments) returns, as they finish, in processes of one thread each."""
    with _processes(len(calls), workers) as pool:
        yield from _finished(pool, calls)


@contextmanager
def _processes(calls: int, workers: int | None) -> Iterator[ProcessPoolExecutor]:
    """As many processes as `workers` or cores, but not more than `calls`: all are started at the first one."""
    # Processes are spawned, not forked: TensorFlow's threads in the caller would not survive a fork.
    n = max(1, min(workers or os.cpu_count() or 1, calls))
    pool = ProcessPoolExecutor(n, get_context("spawn"), initializer=_one_thread)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(pool: ProcessPoolExecutor, calls: list[tuple[Any, ...]]) -> Iterator[str]:
    for future in as_completed([pool.submit(*call) for call in calls]):
        yield future.result()


def _one_thread() -> None:
    """Each process has a core of its own: more threads would only wait for each other, at twice the cost.

    A swap alone kept little more than one core busy; and one thread repeats itself.
    """
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    cv2.setNumThreads(1)
    threadpool_limits(1)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def _plan(preset: Preset, seed: int) -> pd.DataFrame:
    """A row per clip: who, which forgery, which split, and the seeds of the two people."""
    rows = []
    for number in (2 * pair + k for pair in preset.pairs for k in (0, 1)):
        identity, partner = f"p{number:03d}", f"p{number ^ 1:03d}"
        pair = number // 2
        shared = {"identity": identity, "group": f"g{pair:03d}", "split": SPLITS[pair % len(SPLITS)]}
        seeds = {"number": 1000 * seed + number, "partner": 1000 * seed + (number ^ 1), "seed": seed}
        rows.append({"clip": f"{identity}_real", "method": "real", "label": "real", "source": pd.NA, **shared, **seeds})
        for method in METHODS[1:]:
            clip = {"clip": f"{identity}_{partner}_{method}", "method": method, "label": "forged", "source": partner}
            rows.append({**clip, **shared, **seeds})
    return pd.DataFrame(rows)


def _film(out: Path, row: dict[str, Any], preset: Preset) -> str:
    """Render the original clip of one person, with its truth."""
    master, truth = _master(out, row["identity"]), _master(out, row["identity"]).with_suffix(".npz")
    if not (master.exists() and truth.exists()):
        frames, known = film(row["number"], row["partner"], preset)
        data = io.BytesIO()
        np.savez_compressed(data, **vars(known))
        files.write(truth, data.getvalue())
        video.write_clip(master, frames, preset.fps, upload_crf(row["number"]))
    return f"filmed {row['identity']}"


def _place(number: int) -> np.ndarray:
    """Where focus, resolution and platform of the person `number` lie in their ranges: three numbers in [0, 1).

    The people of each split cover the ranges evenly, by the Halton sequence, and so do the first few of them. Drawn at
    random, the validation people were sharper than the test people, and a threshold that suits the ones took soft real
    faces of the others for forged.
    """
    seed, one = divmod(number, 1000)
    pair = one // 2
    splits = [SPLITS[i % len(SPLITS)] for i in range(pair + 1)]
    sequence = qmc.Halton(3, scramble=False).fast_forward(2 * splits[:-1].count(splits[-1]) + one % 2)
    return (sequence.random()[0] + np.random.default_rng([20, seed]).random(3)) % 1


def upload_crf(number: int) -> int:
    """The CRF of the platform to which the person `number` uploads, one of `UPLOAD_CRF`."""
    low, high = UPLOAD_CRF
    return low + int(_place(number)[2] * (high + 1 - low))


def scene_of(number: int, size: tuple[int, int]) -> Scene:
    """Where the person `number` is filmed; `size` is (width, height)."""
    focus, resolution, _ = _place(number)
    blur = float(np.exp(np.interp(focus, (0, 1), np.log(DEFOCUS))))
    sharp = float(np.interp(resolution, (0, 1), RESOLUTION))
    return replace(sample_scene(number, size), defocus=blur, resolution=sharp)


def cast(number: int) -> Person:
    """Who plays `number`: an even one anybody, an odd one who looks most like the one before, of `CANDIDATES`.

    A forger picks two people who look alike: no matching of colours makes one skin of a dark and a pale one, and
    glasses that one of the two wears end in the middle of the other's cheek.
    """
    if number % 2 == 0:
        return sample_person(number)
    model = sample_person(number - 1)
    return min(
        (sample_person(number + 1_000_000 * k) for k in range(CANDIDATES)),
        key=lambda other: sum(abs(getattr(other, name) - getattr(model, name)) / unit for name, unit in ALIKE.items()),
    )


def film(number: int, partner: int, preset: Preset, take: int | None = None) -> tuple[list[np.ndarray], Truth]:
    """The frames, (h, w, 3) uint8, of the person of seed `number`, and their truth; `partner` lends the expression.

    `take`: the seed of how the person moves, by default `number`: another one is the same person in the same light.
    """
    take = number if take is None else take
    rng = np.random.default_rng(take)
    camera = Renderer(cast(number), scene_of(number, preset.size))
    states, lent = (motion(seed, preset.frames, preset.fps) for seed in (take, partner))
    taken = [camera.render(state, rng) for state in states]
    driven = [camera.landmarks(state) for state in face2face.wanted(states, lent)]
    return [frame.image for frame in taken], Truth(
        np.stack([frame.five for frame in taken]).astype(np.float32),
        np.stack([frame.landmarks for frame in taken]).astype(np.float32),
        np.stack(driven).astype(np.float32),
        np.stack([np.round(frame.face * 255) for frame in taken]).astype(np.uint8),
    )


def _master(out: Path, name: str) -> Path:
    return out / "masters" / f"{name}.mp4"


def read_truth(out: Path, identity: str) -> Truth:
    """What is known of the original clip of `identity` in a folder that `make` has filled."""
    with np.load(_master(out, identity).with_suffix(".npz"), allow_pickle=False) as data:
        return Truth(**data)


def _frames(path: Path) -> list[np.ndarray]:
    return [frame.image for frame in video.read_frames(path)]


@functools.cache
def _card() -> dict[str, Any]:
    return files.read_json(SWAPS / "swaps.json")


def _shipped(row: dict[str, Any], preset: Preset) -> Path | None:
    """The clip of decoded faces that the package brings for this target and its partner, if it fits."""
    card = _card()
    fits = row["seed"] == card["seed"] and (preset.fps, list(preset.size)) == (card["fps"], card["size"])
    path = SWAPS / f"{row['number']:03d}_{row['partner']:03d}.mp4"
    return path if fits and preset.frames <= card["frames"] and path.name in card["files"] and path.is_file() else None


def _swap_of(out: Path, target: dict[str, Any], source: str, preset: Preset) -> Path:
    """Where the decoded faces of a target are, or will be: brought by the package, or made here."""
    return _shipped(target, preset) or _master(out, f"{target['identity']}_{source}")


def _swaps(out: Path, pair: list[dict[str, Any]], preset: Preset) -> list[Path]:
    """Those of both targets."""
    names = [row["identity"] for row in pair]
    return [_swap_of(out, row, source, preset) for row, source in zip(pair, reversed(names), strict=True)]


def _swap(out: Path, pair: list[dict[str, Any]], preset: Preset) -> str:
    """Train the networks of one pair and write the decoded faces of both."""
    decoded, _ = swap((pair[0]["number"], pair[1]["number"]), preset)
    for path, faces in zip(_swaps(out, pair, preset), decoded, strict=True):
        video.write_clip(path, faces, preset.fps, SWAP_CRF)
    return f"trained the swap of {pair[0]['identity']} and {pair[1]['identity']}"


def swap(pair: tuple[int, int], preset: Preset) -> tuple[list[np.ndarray], float]:
    """Train the face swap of two people, by their seeds, and decode the clip of each with the other's decoder.

    Returns the decoded faces of the first and of the second, each (frames, SWAP_SIZE, SWAP_SIZE, 3) uint8, and the mean
    loss of the last 50 steps.
    """
    from mesokit.synthetic.forge import deepfake  # here, not above: it loads TensorFlow, which few workers need

    def filmed(frames: int, number: int, take: int) -> np.ndarray:
        return aligned_faces(*film(number, sum(pair) - number, replace(preset, frames=frames), take))

    clips = {str(number): filmed(preset.frames, number, number) for number in pair}
    # The same face in the same light, moving otherwise: what a forger would take from other minutes of the video.
    more = {name: filmed(preset.extra, int(name), 500_000 + int(name)) for name in clips}
    people = {name: np.concatenate([clips[name], more[name]]) for name in clips}
    networks = deepfake.Autoencoders(people)
    losses = list(deepfake.train(networks, people, preset.steps))
    a, b = clips
    return [networks.swap(clips[a], a, b), networks.swap(clips[b], b, a)], float(np.mean(losses[-50:]))


def aligned_faces(frames: Sequence[np.ndarray], truth: Truth, size: int = SWAP_SIZE) -> np.ndarray:
    """What a face swap learns from and starts from: the aligned faces (n, size, size, 3) uint8 of a film."""
    known = zip(frames, truth.five, truth.region / np.float32(255), strict=True)
    return np.stack([blend.aligned(image, five, size, region) for image, five, region in known])


def _release(out: Path, row: dict[str, Any], preset: Preset) -> str:
    """Write one clip, forged or not, at each level, the mask of a forged one, and what the levels measured."""
    report = out / "clips" / "levels" / f"{row['clip']}.json"
    paths = {crf: out / "clips" / str(crf) / f"{row['clip']}.mp4" for crf in preset.levels}
    mask = out / "clips" / "masks" / f"{row['clip']}.mp4"
    wanted = [report, *paths.values(), *([mask] if row["method"] != "real" else [])]
    if not all(path.exists() for path in wanted):
        frames, masks = _forge(out, row, preset)
        for path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
        if row["method"] != "real":
            video.write_clip(mask, (cv2.merge((m, m, m)) for m in masks), preset.fps, 0)
        measured = {crf: video.compress(path, frames, preset.fps, crf) for crf, path in paths.items()}
        files.write_json({crf: {"bytes": b, "psnr": round(p, 3)} for crf, (b, p) in measured.items()}, report)
    return f"encoded {row['clip']}"


def _forge(out: Path, row: dict[str, Any], preset: Preset) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The frames of a clip (h, w, 3) uint8 and, of a forged one, the tampered masks (h, w) uint8."""
    frames = _frames(_master(out, row["identity"]))
    if row["method"] == "real":
        return frames, []
    truth = read_truth(out, row["identity"])
    region = truth.region.astype(np.float32) / 255
    if row["method"] == "deepfake":
        decoded = _frames(_swap_of(out, row, row["source"], preset))
        forged = [blend.paste(*item) for item in zip(frames, truth.five, decoded, region, strict=False)]
    else:
        forged = list(face2face.reenact(frames, truth.landmarks, truth.driven, region))
    return [image for image, _ in forged], [mask for _, mask in forged]


def _write_tables(out: Path, plan: pd.DataFrame, preset: Preset, seed: int, name: str) -> None:
    rows = []
    for row in _rows(plan.drop(columns=["number", "partner", "seed"])):
        levels = files.read_json(out / "clips" / "levels" / f"{row['clip']}.json")
        for crf in preset.levels:
            path = f"clips/{crf}/{row['clip']}.mp4"
            mask = f"clips/masks/{row['clip']}.mp4" if row["method"] != "real" else pd.NA
            size = {"width": preset.size[0], "height": preset.size[1], "frames": preset.frames, "fps": preset.fps}
            known = {"path": path, "mask": mask, "crf": crf, "sha256": files.sha256(out / path)}
            rows.append({**row, **size, **known, **levels[str(crf)]})
    manifest.save(manifest.check_clips(pd.DataFrame(rows)), out / "clips.csv")
    about = {"name": name, **ABOUT, "created_by": {"version": VERSION, "seed": seed, "preset": vars(preset)}}
    files.write_json(about, out / "dataset.json")
