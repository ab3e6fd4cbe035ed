"""The default dataset's clips: repeatable, resumable, true to their table; and the face swap."""

import hashlib

import cv2
import numpy as np
import pytest

from mesokit import manifest, video
from mesokit.synthetic import deepfake, person, render, studio


def _digest(root):
    return {
        str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in root.rglob("*") if f.is_file()
    }


def test_plan_keeps_partners_together():
    plan = studio._plan(studio.PRESETS["smoke"], seed=3)
    assert plan.groupby("group")["split"].nunique().max() == 1
    assert set(plan["split"]) == {"train", "val", "test"}
    group = plan.set_index("identity")["group"].groupby(level=0).first()
    forged = plan[plan["method"] == "deepfake"]
    assert all(group[row.source] == row.group and row.source != row.identity for row in forged.itertuples())


def test_clips_are_as_the_table_says(tiny):
    clips = manifest.read_clips(tiny / "clips.csv")
    assert len(clips) == 24
    for row in clips.itertuples():
        info = video.probe(tiny / row.path)
        assert (info.width, info.height, info.frames) == (row.width, row.height, row.frames)
        assert info.fps == pytest.approx(row.fps)
        assert info.crf == row.crf
        assert manifest.sha256(tiny / row.path) == row.sha256
    forged = clips[clips["label"] == "forged"]
    assert forged["mask"].notna().all()
    assert forged["source"].notna().all()


def test_lower_quality_is_smaller(tiny):
    clips = manifest.read_clips(tiny / "clips.csv")
    size = clips["path"].map(lambda path: (tiny / path).stat().st_size).groupby(clips["crf"]).sum()
    assert size[0] > 5 * size[40]


def test_a_second_run_makes_only_what_is_missing_and_the_same(tiny, tmp_path):
    preset = studio.Preset(pairs=3, frames=2, steps=2, size=(320, 240), levels=(40,))
    for _ in studio.make(tmp_path, preset, seed=5):
        pass
    first = _digest(tmp_path)
    kept = (tmp_path / "clips" / "40" / "p001_real.mp4").stat().st_mtime_ns
    for path in (tmp_path / "clips" / "40" / "p000_p001_deepfake.mp4", tmp_path / "masters" / "p003_real.mp4"):
        path.unlink()
    for _ in studio.make(tmp_path, preset, seed=5):
        pass
    assert _digest(tmp_path) == first
    assert (tmp_path / "clips" / "40" / "p001_real.mp4").stat().st_mtime_ns == kept


def test_encoding_repeats_whatever_was_in_memory(tmp_path):
    """x264's macroblock tree, left on, gave other bytes from call to call after a clip had been rendered."""
    camera = render.Renderer(person.sample_person(0), render.sample_scene(0, (480, 360)))
    rng = np.random.default_rng(0)
    frames = [camera.render(state, rng).image for state in person.motion(0, 6)]
    for i in range(4):
        video.write_clip(tmp_path / f"{i}.mp4", frames, 25, 18)
    assert len({(tmp_path / f"{i}.mp4").read_bytes() for i in range(4)}) == 1


def test_alignment_brings_landmarks_to_the_template():
    angle, scale = 0.3, 2.5
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    five = (deepfake.TEMPLATE @ turn.T * 40 + [100, 80]).astype(np.float32)
    matrix = deepfake.alignment(five, 64)
    assert np.allclose(five @ matrix[:, :2].T + matrix[:, 2], deepfake.TEMPLATE * 63, atol=1e-3)


def test_swap_learns_two_looks():
    """Two people who differ by colour: after training, each decoder gives its own, whoever is encoded."""
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.normal(0, 40, (64, 64, 1)).astype(np.float32), (0, 0), 4)[..., None]
    people = {
        name: np.clip(np.array(colour) + texture * rng.uniform(0.5, 1.5, (20, 1, 1, 1)), 0, 255).astype(np.uint8)
        for name, colour in (("red", (180, 60, 60)), ("blue", (60, 60, 180)))
    }
    networks = deepfake.Autoencoders(people, seed=0)
    losses = list(deepfake.train(networks, people, steps=60, batch=8, seed=0))
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    swapped = networks.swap(people["red"], "blue").mean((0, 1, 2))
    assert np.abs(swapped - people["blue"].mean((0, 1, 2))).max() < 25


def test_paste_changes_nothing_outside_its_mask():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (200, 200, 3)).astype(np.uint8)
    five = deepfake.TEMPLATE * 90 + 55
    decoded = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    region = np.zeros((200, 200), np.float32)
    region[60:150, 60:150] = 1
    forged, mask = deepfake.paste(image, five, decoded, region)
    assert (forged[mask == 0] == image[mask == 0]).all()
    assert (mask[region == 0] == 0).all()
    assert np.abs(forged.astype(int) - image)[mask > 0].mean() > 5


def test_match_colours_takes_the_clips_tone():
    rng = np.random.default_rng(0)
    bright = rng.integers(120, 220, (64, 64, 3)).astype(np.uint8)
    dark = rng.integers(30, 110, (64, 64, 3)).astype(np.uint8)
    matched = deepfake.match_colours(bright, dark, np.ones((64, 64), np.float32))
    assert np.abs(matched.mean((0, 1)) - dark.mean((0, 1))).max() < 6
