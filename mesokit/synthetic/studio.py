"""The default dataset: synthetic people filmed, two forgeries of each, and the levels of compression.

Each person has one original clip. It is encoded once before it is forged, as a video platform would do; real and forged
clips are then encoded alike at each level. Two people form a pair. They swap faces and expressions, so a pair is one
`group`: no two splits share the pixels of a person.

    OUT/masters/<identity>.mp4, .npz      originals as uploaded, with their truth
    OUT/masters/<target>_<source>.mp4     decoded, aligned faces of a swap that the package does not contain
    OUT/masters/made.json                 version, seed and preset of all of them: see `check`
    OUT/clips/<crf>/<clip>.mp4            real and forged clips at each level
    OUT/clips/masks/<clip>.mp4            the tampered region of each forged frame, lossless
    OUT/clips.csv, OUT/dataset.json

A good face swap takes long to train. The package contains those of the first sixty-four people of seed 0 as small clips
of decoded faces, made by data_scripts/train_swaps.py. For other people the networks are trained here.
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
from mesokit.synthetic.people import DEFOCUS, RESOLUTION, Person, Renderer, Scene, motion, sample_person, sample_scene

ABOUT = {
    "origin": "Synthetic people, rendered and forged by mesokit.",
    "licence": "Apache-2.0, as mesokit",
    "consent": "Nobody is shown: the people do not exist, so nobody's consent was needed.",
}
# To be raised when the pixels of clips or masks change: folders of another version are then refused. A test compares
# some frames with a stored fingerprint and fails when they change.
VERSION = 3
# The split of each pair, by its number. It is the same in every preset, so that nobody on whom the bundled weights were
# trained is a test person elsewhere. Four test pairs were too few: the same networks scored .83 or .95 on other people.
SPLITS = ("train", "val", "test", "train", "train") * 4 + ("test",) * 4 + ("train", "train", "train", "val") * 2
CANDIDATES = 100  # people drawn for each partner; the most alike is taken
# How unlike two people are: the sum of their differences in these traits, each divided by its unit.
ALIKE = {"tone": 0.05, "masculine": 0.2, "glasses": 0.15, "beard": 0.2, "age": 20.0, "freckles": 0.3, "warmth": 1.0}
UPLOAD_CRF = (12, 28)  # lowest and highest CRF of the originals, since platforms differ
SWAP_CRF = 6  # of the small clips of decoded faces
SWAP_SIZE = 80  # pixels a side of a decoded face: fewer than in the frame, so it is soft, as in the deepfakes of 2017
SWAPS = Path(__file__).parents[1] / "bundled" / "swaps"


@dataclass(frozen=True)
class Preset:
    """How much to make."""

    pairs: tuple[int, ...]  # of people, by their numbers
    frames: int  # in each clip
    steps: int  # of training, for each pair whose face swap is not in the package
    extra: int = 40  # training frames of each person besides those of the clip, for such a swap
    fps: float = 25.0
    size: tuple[int, int] = (480, 360)  # width, height
    levels: tuple[int, ...] = (0, 23, 40)


PRESETS = {
    "tiny": Preset(tuple(range(3)), frames=6, steps=3, extra=2, levels=(0, 40)),  # for tests
    # Few people to train on, but all sixteen test people: results of the bundled networks are comparable.
    "smoke": Preset((0, 3, 4, 5, 1, 6, 2, 7, 12, 17, 20, 21, 22, 23), frames=12, steps=500),
    "class": Preset(tuple(range(24)), frames=30, steps=500),
    "bundled": Preset(tuple(range(32)), frames=30, steps=500),  # of the bundled weights
    "large": Preset(tuple(range(100)), frames=100, steps=1000),
}


@dataclass(frozen=True)
class Truth:
    """What the renderer gives besides the frames of a clip."""

    five: np.ndarray  # (n, 5, 2) float32 landmarks
    landmarks: np.ndarray  # (n, N, 2) float32, rows as in LANDMARKS
    driven: np.ndarray  # (n, N, 2) float32, the same with the partner's expression
    region: np.ndarray  # (n, h, w) uint8, 255 = face


def make(
    out: Path, preset: Preset, seed: int, name: str = "synthetic", workers: int | None = None
) -> Iterator[tuple[str, int, int]]:
    """Make the clips in the folder `out`; yields (what was done, steps done, steps in all).

    The same arguments give the same clips. A repeated call makes only what is missing. `workers`: number of processes,
    by default one for each core; it has no effect on the clips. Raises ValueError as `check` does.
    """
    check(out, seed, preset)
    files.write_json(_made(seed, preset), _record(out))
    plan = _plan(preset, seed)
    people = plan[plan["method"] == "real"]
    pairs = [_rows(pair) for _, pair in people.groupby("group")]
    missing = [pair for pair in pairs if not all(_swap_of(out, row, preset).exists() for row in pair)]
    weight = 1 + preset.steps // 10  # of a swap in the progress; a clip has weight 1
    total, done = len(people) + len(missing) * weight + len(plan), 0
    stages: list[tuple[int, list[tuple[Any, ...]]]] = [
        (1, [(_film, out, row, preset) for row in _rows(people)]),
        (weight, [(_swap, out, pair, preset) for pair in missing]),
        (1, [(_release, out, row, preset) for row in _rows(plan)]),
    ]
    # One pool for all stages, since processes take seconds to start.
    with _processes(max(len(calls) for _, calls in stages), workers) as pool:
        for each, calls in stages:
            if each > 1 and calls:
                yield f"training {len(calls)} face swaps, a minute or so each", done, total
            for what in _finished(pool, calls):
                done += each
                yield what, done, total
    _write_tables(out, plan, preset, seed, name)
    yield "wrote clips.csv", total, total


def check(out: Path, seed: int, preset: Preset | None = None) -> None:
    """Raise ValueError if the folder `out` has clips of another seed or preset, or of another version of the studio.

    The pairs of a preset may differ: clips of one pair do not depend on the others. A folder without `masters` passes.
    """
    path = _record(out)
    if not path.parent.is_dir():
        return
    made = files.read_json(path) if path.is_file() else {}
    wanted = _made(seed, preset)
    wrong = ", ".join(k for k, value in wanted.items() if not isinstance(made, dict) or made.get(k) != value)
    if wrong:
        raise ValueError(f"{out}: its clips were made otherwise ({wrong}); delete the folder, or name another one")


def _record(out: Path) -> Path:
    return out / "masters" / "made.json"


def _made(seed: int, preset: Preset | None) -> dict[str, Any]:
    """Everything that clips depend on besides library versions; without a preset, what all presets share."""
    # The card is hashed as text, since Git may change line ends.
    card = hashlib.sha256((SWAPS / "swaps.json").read_text(encoding="utf-8").encode()).hexdigest()
    known = {"version of the studio": VERSION, "swaps of the package": card, "seed": seed}
    if preset is None:
        return known
    return known | {name: json.loads(json.dumps(value)) for name, value in vars(preset).items() if name != "pairs"}


def in_parallel(calls: list[tuple[Any, ...]], workers: int | None = None) -> Iterator[str]:
    """Run `calls` (a function and its arguments) in processes of one thread; yields their results as they finish."""
    with _processes(len(calls), workers) as pool:
        yield from _finished(pool, calls)


@contextmanager
def _processes(calls: int, workers: int | None) -> Iterator[ProcessPoolExecutor]:
    """As many processes as `workers` or cores, but not more than `calls`, since all start at once."""
    # Processes are spawned, since threads of TensorFlow in the caller do not survive a fork.
    n = max(1, min(workers or os.cpu_count() or 1, calls, 61))  # 61: the most that Windows can wait for
    pool = ProcessPoolExecutor(n, get_context("spawn"), initializer=_one_thread)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(pool: ProcessPoolExecutor, calls: list[tuple[Any, ...]]) -> Iterator[str]:
    for future in as_completed([pool.submit(*call) for call in calls]):
        yield future.result()


def _one_thread() -> None:
    """Use one thread in this process: its results are repeatable, and more threads than cores took twice the time."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
    cv2.setNumThreads(1)
    threadpool_limits(1)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def _plan(preset: Preset, seed: int) -> pd.DataFrame:
    """A row per clip: person, method, split, and the seeds of both people."""
    rows = []
    for number in (2 * pair + k for pair in preset.pairs for k in (0, 1)):
        identity, partner = f"p{number:03d}", f"p{number ^ 1:03d}"
        pair = number // 2
        shared = {"identity": identity, "group": f"g{pair:03d}", "split": SPLITS[pair % len(SPLITS)]}
        seeds = {"number": 1000 * seed + number, "partner": 1000 * seed + (number ^ 1), "seed": seed}
        rows.append({"clip": f"{identity}_real", "method": "real", "label": "real", "source": pd.NA, **shared, **seeds})
        for method in ("deepfake", "face2face"):
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
    """Focus, resolution and upload CRF of the person `number`, as positions in their ranges: three numbers in [0, 1).

    The people of each split cover the ranges evenly, by the Halton sequence; so do the first few of them. Drawn at
    random, validation people had sharper clips than test people. A threshold chosen on validation people then judged
    soft real faces of test people as forged.
    """
    seed, one = divmod(number, 1000)
    pair = one // 2
    splits = [SPLITS[i % len(SPLITS)] for i in range(pair + 1)]
    sequence = qmc.Halton(3, scramble=False).fast_forward(2 * splits[:-1].count(splits[-1]) + one % 2)
    return (sequence.random()[0] + np.random.default_rng([20, seed]).random(3)) % 1


def upload_crf(number: int) -> int:
    """The CRF at which the clip of the person `number` was uploaded, within `UPLOAD_CRF`."""
    low, high = UPLOAD_CRF
    return low + int(_place(number)[2] * (high + 1 - low))


def scene_of(number: int, size: tuple[int, int]) -> Scene:
    """The scene of the clip of the person `number`; `size` is (width, height)."""
    focus, resolution, _ = _place(number)
    blur = float(np.exp(np.interp(focus, (0, 1), np.log(DEFOCUS))))
    sharp = float(np.interp(resolution, (0, 1), RESOLUTION))
    return replace(sample_scene(number, size), defocus=blur, resolution=sharp)


def cast(number: int) -> Person:
    """The person of a number: any for an even one; for an odd one the most like the person before of `CANDIDATES`.

    A forger picks two people who look alike. Colour matching cannot hide the border between dark and pale skin, and
    glasses that only one of the two wears would end in the middle of the other's cheek.
    """
    if number % 2 == 0:
        return sample_person(number)
    model = sample_person(number - 1)

    def unlike(other: Person) -> float:
        return sum(abs(getattr(other, name) - getattr(model, name)) / unit for name, unit in ALIKE.items())

    return min((sample_person(number + 1_000_000 * k) for k in range(CANDIDATES)), key=unlike)


def film(number: int, partner: int, preset: Preset, take: int | None = None) -> tuple[list[np.ndarray], Truth]:
    """The frames (h, w, 3) uint8 of the person `number`, and their truth; the person `partner` gives the expression.

    `take`: seed of the motion, by default `number`. With another one the same person in the same light moves otherwise.
    """
    take = number if take is None else take
    rng = np.random.default_rng(take)
    camera = Renderer(cast(number), scene_of(number, preset.size))
    states, lent = (motion(seed, preset.frames, preset.fps) for seed in (take, partner))
    taken = [camera.render(state, rng) for state in states]
    driven = [camera.landmarks(state) for state in face2face.wanted(states, lent)]
    return [frame.image for frame in taken], Truth(
        five=np.stack([frame.five for frame in taken]),
        landmarks=np.stack([frame.landmarks for frame in taken]),
        driven=np.stack(driven),
        region=np.stack([np.round(frame.face * 255) for frame in taken]).astype(np.uint8),
    )


def _master(out: Path, name: str) -> Path:
    return out / "masters" / f"{name}.mp4"


def _frames(path: Path) -> list[np.ndarray]:
    return [frame.image for frame in video.read_frames(path)]


@functools.cache
def _card() -> dict[str, Any]:
    return files.read_json(SWAPS / "swaps.json")


def _shipped(row: dict[str, Any], preset: Preset) -> Path | None:
    """The package's clip of decoded faces for this target and its partner, or None where there is none that fits."""
    card = _card()
    fits = row["seed"] == card["seed"] and (preset.fps, list(preset.size)) == (card["fps"], card["size"])
    path = SWAPS / f"{row['number']:03d}_{row['partner']:03d}.mp4"
    return path if fits and preset.frames <= card["frames"] and path.name in card["files"] and path.is_file() else None


def _swap_of(out: Path, row: dict[str, Any], preset: Preset) -> Path:
    """The clip of decoded faces of a target: the package's, or the one made here."""
    return _shipped(row, preset) or _master(out, f"{row['identity']}_p{row['partner'] % 1000:03d}")


def _swap(out: Path, pair: list[dict[str, Any]], preset: Preset) -> str:
    """Train the networks of one pair and write the decoded faces of both."""
    decoded, _ = swap((pair[0]["number"], pair[1]["number"]), preset)
    for row, faces in zip(pair, decoded, strict=True):
        video.write_clip(_swap_of(out, row, preset), faces, preset.fps, SWAP_CRF)
    return f"trained the swap of {pair[0]['identity']} and {pair[1]['identity']}"


def swap(pair: tuple[int, int], preset: Preset) -> tuple[list[np.ndarray], float]:
    """Train the face swap of two people, given by number, and decode the clip of each with the other's decoder.

    Returns the decoded faces of the first and of the second, each (frames, SWAP_SIZE, SWAP_SIZE, 3) uint8, and the mean
    loss of the last 50 steps.
    """
    from mesokit.synthetic.forge import deepfake  # here, since it loads TensorFlow, which few workers need

    clips, people = {}, {}
    for number, partner in (pair, pair[::-1]):
        # The same face in the same light with another motion, as from other minutes of the video.
        more = film(number, partner, replace(preset, frames=preset.extra), 500_000 + number)
        clips[str(number)] = aligned_faces(*film(number, partner, preset))
        people[str(number)] = np.concatenate([clips[str(number)], aligned_faces(*more)])
    networks = deepfake.Autoencoders(people)
    losses = list(deepfake.train(networks, people, preset.steps))
    a, b = clips
    return [networks.swap(clips[a], a, b), networks.swap(clips[b], b, a)], float(np.mean(losses[-50:]))


def aligned_faces(frames: Sequence[np.ndarray], truth: Truth, size: int = SWAP_SIZE) -> np.ndarray:
    """The aligned faces (n, size, size, 3) uint8 of a film: training data and input of a face swap."""
    known = zip(frames, truth.five, truth.region / np.float32(255), strict=True)
    return np.stack([blend.aligned(image, five, size, region) for image, five, region in known])


def _release(out: Path, row: dict[str, Any], preset: Preset) -> str:
    """Write one clip, forged or not, at each level; also the mask of a forged one, and bytes and PSNR of each level."""
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
    with np.load(_master(out, row["identity"]).with_suffix(".npz"), allow_pickle=False) as data:
        truth = Truth(**data)
    region = truth.region.astype(np.float32) / 255
    if row["method"] == "deepfake":
        decoded = _frames(_swap_of(out, row, preset))
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
