"""The default dataset: synthetic people filmed, their forgeries, and the levels of compression.

Each person has one original clip. It goes through H.264 once, as a platform would have done it, before anyone forges
it; real and forged clips are then encoded alike at each level. People come in pairs that swap faces: a pair is a
`group`, so that no split by group shares a person's pixels.

    OUT/masters/<clip>.mp4, .npz          originals as uploaded, with the true landmarks and face regions
    OUT/clips/<crf>/<clip>.mp4            real and forged clips at each level
    OUT/clips/masks/<clip>.mp4            the tampered region of each forged frame, lossless
    OUT/clips.csv, OUT/dataset.json
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mesokit import manifest, video
from mesokit.synthetic import deepfake, person, render

ORIGIN = "Synthetic people, rendered and forged by mesokit."
ABOUT = {
    "origin": ORIGIN,
    "licence": "Apache-2.0, as mesokit",
    "consent": "Nobody is shown: the people do not exist, so nobody's consent was needed.",
}
SHARES = {"train": 0.6, "val": 0.2, "test": 0.2}
UPLOAD_CRF = 18  # of the originals before they are forged


@dataclass(frozen=True)
class Preset:
    """How much to make."""

    pairs: int  # of people
    frames: int  # in each clip
    steps: int  # of training the face swap
    fps: float = 25.0
    size: tuple[int, int] = (480, 360)  # width, height
    levels: tuple[int, ...] = (0, 23, 40)


PRESETS = {
    "tiny": Preset(pairs=3, frames=6, steps=3, levels=(0, 40)),  # for tests: forgeries of no worth
    "smoke": Preset(pairs=6, frames=40, steps=600),
    "class": Preset(pairs=20, frames=40, steps=3000),
}


@dataclass(frozen=True)
class Truth:
    """What is known of a clip's frames: five landmarks (n, 5, 2) float32, face regions (n, h, w) uint8, 255 = face."""

    five: np.ndarray
    region: np.ndarray


def make(out: Path, preset: Preset, seed: int, name: str = "synthetic") -> Iterator[tuple[str, int, int]]:
    """Make the clips in the folder `out`; yields (what was done, steps done, steps in all) as it goes.

    Repeating the call with the same arguments makes only what is missing. The same arguments give the same clips.
    """
    plan = _plan(preset, seed)
    forged = plan[plan["method"] != "real"]
    total = 2 * len(plan) + preset.steps
    done = 0
    for row in plan[plan["method"] == "real"].itertuples():
        _film(out, row, preset)
        done += 1
        yield f"filmed {row.identity}", done, total
    networks = None
    if not all((out / path).exists() for path in _files(forged, preset)):
        people = {row.identity: _faces(out, row.clip) for row in plan[plan["method"] == "real"].itertuples()}
        networks = deepfake.Autoencoders(people, seed)
        for _ in deepfake.train(networks, people, preset.steps, seed=seed):
            done += 1
            yield "training the face swap", done, total
    done = total - len(plan) - len(forged)
    for row in plan.itertuples():
        _release(out, row, preset, networks)
        done += 1
        yield f"encoded {row.clip}", done, total
    _write_tables(out, plan, preset, seed, name)
    yield "wrote clips.csv", total, total


def _plan(preset: Preset, seed: int) -> pd.DataFrame:
    """A row per clip: who, which forgery, which split, and the seeds of the person, the scene and the motion."""
    rows = []
    for number in range(2 * preset.pairs):
        identity, partner = f"p{number:03d}", f"p{number ^ 1:03d}"
        shared = {"identity": identity, "group": f"g{number // 2:03d}", "number": 1000 * seed + number}
        rows.append({"clip": f"{identity}_real", "method": "real", "label": "real", "source": pd.NA, **shared})
        forged = {"method": "deepfake", "label": "forged", "source": partner}
        rows.append({"clip": f"{identity}_{partner}_deepfake", **forged, **shared})
    plan = pd.DataFrame(rows)
    return plan.assign(split=manifest.split_by_group(plan["group"], SHARES, seed))


def _film(out: Path, row, preset: Preset) -> None:
    """Render the original clip of one person, with its truth."""
    master, truth = out / "masters" / f"{row.clip}.mp4", out / "masters" / f"{row.clip}.npz"
    if master.exists() and truth.exists():
        return
    master.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(row.number)
    camera = render.Renderer(person.sample_person(row.number), render.sample_scene(row.number, preset.size))
    taken = [camera.render(state, rng) for state in person.motion(row.number, preset.frames, preset.fps)]
    five = np.stack([frame.five for frame in taken]).astype(np.float32)
    region = np.stack([np.round(frame.face * 255) for frame in taken]).astype(np.uint8)
    data = io.BytesIO()
    np.savez_compressed(data, five=five, region=region)
    manifest.write(truth, data.getvalue())
    video.write_clip(master, (frame.image for frame in taken), preset.fps, UPLOAD_CRF)


def _truth(out: Path, clip: str) -> Truth:
    with np.load(out / "masters" / f"{clip}.npz", allow_pickle=False) as data:
        return Truth(data["five"], data["region"])


def _frames(out: Path, clip: str) -> list[np.ndarray]:
    return [frame.image for frame in video.read_frames(out / "masters" / f"{clip}.mp4")]


def _faces(out: Path, clip: str) -> np.ndarray:
    """The aligned faces of an original, what the face swap learns from: (n, size, size, 3) uint8."""
    five = _truth(out, clip).five
    return np.stack([deepfake.aligned(image, points) for image, points in zip(_frames(out, clip), five, strict=True)])


def _files(rows: pd.DataFrame, preset: Preset) -> list[str]:
    levels = [f"clips/{crf}/{clip}.mp4" for clip in rows["clip"] for crf in preset.levels]
    return levels + [f"clips/masks/{clip}.mp4" for clip in rows["clip"][rows["method"] != "real"]]


def _release(out: Path, row, preset: Preset, networks: deepfake.Autoencoders | None) -> None:
    """Write one clip, forged or not, at each level, and the mask of a forged one."""
    missing = [out / path for path in _files(pd.DataFrame([row._asdict()]), preset) if not (out / path).exists()]
    if not missing:
        return
    original = f"{row.identity}_real"
    frames = _frames(out, original)
    masks: list[np.ndarray] = []
    if networks is not None and row.method == "deepfake":
        truth = _truth(out, original)
        decoded = networks.swap(_faces(out, original), row.source)
        pairs = [deepfake.paste(*item) for item in zip(frames, truth.five, decoded, truth.region / 255, strict=True)]
        frames, masks = [image for image, _ in pairs], [mask for _, mask in pairs]
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name == "masks":
            video.write_clip(path, (np.repeat(mask[..., None], 3, axis=2) for mask in masks), preset.fps, 0)
        else:
            video.write_clip(path, frames, preset.fps, int(path.parent.name))


def _write_tables(out: Path, plan: pd.DataFrame, preset: Preset, seed: int, name: str) -> None:
    rows = []
    for row in plan.drop(columns="number").to_dict("records"):
        forged = row["method"] != "real"
        for crf in preset.levels:
            path = f"clips/{crf}/{row['clip']}.mp4"
            mask = f"clips/masks/{row['clip']}.mp4" if forged else pd.NA
            size = {"width": preset.size[0], "height": preset.size[1], "frames": preset.frames, "fps": preset.fps}
            sha256 = manifest.sha256(out / path)
            rows.append({**row, **size, "path": path, "mask": mask, "crf": crf, "sha256": sha256})
    manifest.save(manifest.check_clips(pd.DataFrame(rows)), out / "clips.csv")
    about = {"name": name, **ABOUT, "created_by": {"seed": seed, "preset": vars(preset)}}
    manifest.write_json(about, out / "dataset.json")
