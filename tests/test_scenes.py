"""Scenes: a cut is found where two clips were joined, and nowhere else."""

import weakref

import numpy as np
import pytest

from mesokit import video
from mesokit.video import scenes


def take(seed: int, n: int) -> list[np.ndarray]:
    """A scene: blurred colours of its own that drift by two pixels a frame."""
    rng = np.random.default_rng(seed)
    wall = np.kron(rng.integers(30, 226, (9, 30, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    return [wall[:96, 2 * i : 2 * i + 128] for i in range(n)]


@pytest.mark.parametrize("crf", [0, 40])
def test_a_cut_is_found_where_two_clips_were_joined(tmp_path, crf):
    path = tmp_path / "joined.mp4"
    video.write_clip(path, [*take(1, 33), *take(2, 20), *take(3, 27)], 25, crf)
    assert scenes.detect(path) == [(0, 33), (33, 53), (53, 80)]


def test_light_switched_off_is_a_cut_and_a_fade_is_not(tmp_path):
    lit = take(1, 60)
    video.write_clip(tmp_path / "off.mp4", [f if i < 25 else f // 3 for i, f in enumerate(lit)], 25)
    video.write_clip(tmp_path / "fade.mp4", [(f * (1 - i / 90)).astype(np.uint8) for i, f in enumerate(lit)], 25)
    assert scenes.detect(tmp_path / "off.mp4") == [(0, 25), (25, 60)]
    assert scenes.detect(tmp_path / "fade.mp4") == [(0, 60)]


@pytest.mark.parametrize("n", [1, 2, 30])
def test_no_cut_is_one_scene(tmp_path, n):
    video.write_clip(tmp_path / "one.mp4", take(1, n), 25)
    assert scenes.detect(tmp_path / "one.mp4") == [(0, n)]


def in_shots(path, frames):
    return [shot for shot, _ in scenes.shots(path, range(frames))]


@pytest.mark.parametrize("lengths", [(33, 20, 27), (12, 12), (6, 5, 7), (4, 4, 30), (1, 20), (20, 1), (2, 20, 2)])
def test_each_frame_comes_with_the_number_of_its_shot(tmp_path, lengths):
    """Short shots, too, and those at the ends, where there are no frames to compare with on one side."""
    frames = [frame for seed, n in enumerate(lengths) for frame in take(seed, n)]
    video.write_clip(tmp_path / "a.mp4", frames, 25, 23)
    wanted = [shot for shot, n in enumerate(lengths) for _ in range(n)]
    assert in_shots(tmp_path / "a.mp4", len(frames)) == wanted
    some = [(shot, frame.index) for shot, frame in scenes.shots(tmp_path / "a.mp4", [0, 3, len(frames) - 1])]
    assert some == [(wanted[i], i) for i in (0, 3, len(frames) - 1)]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_flash_is_no_cut(tmp_path, length):
    frames = take(1, 40)
    for i in range(20, 20 + length):
        frames[i] = np.full_like(frames[i], 250)
    video.write_clip(tmp_path / "flash.mp4", frames, 25, 0)
    assert in_shots(tmp_path / "flash.mp4", 40) == [0] * 40


def test_frames_by_shot_are_those_of_read_frames_and_few_are_held(tmp_path, monkeypatch):
    path, held, most = tmp_path / "a.mp4", [], []
    video.write_clip(path, take(1, 60), 25)
    read = video.read_frames

    def watched(*rest):
        for frame in read(*rest):
            held.append(weakref.ref(frame.image))
            yield frame
            del frame
            most.append(sum(image() is not None for image in held))

    expected = [(frame.index, frame.time, frame.keyframe, frame.image.tobytes()) for frame in read(path, range(60))]
    monkeypatch.setattr(video, "read_frames", watched)
    for (_, frame), known in zip(scenes.shots(path, range(60)), expected, strict=True):
        assert (frame.index, frame.time, frame.keyframe, frame.image.tobytes()) == known
    assert len(held) == 60 and max(most) <= scenes.FLASH + 2


def test_indices_are_even_in_every_scene():
    assert scenes.indices([(0, 40), (40, 50), (50, 51)], 2).tolist() == [10, 30, 42, 47, 50]
    assert scenes.indices([(0, 3)], 10).tolist() == [0, 1, 2]
    assert scenes.indices([(5, 9)], 1).dtype == np.int64
    # As many of each scene, however long it is: that is what "proportional to the changes" means.
    chosen = scenes.indices([(0, 200), (200, 230)], 5)
    assert (np.sum(chosen < 200), np.sum(chosen >= 200)) == (5, 5)


@pytest.mark.parametrize(("given", "per_scene"), [([], 3), ([(4, 4)], 3), ([(-1, 4)], 3), ([(0, 4)], 0)])
def test_wrong_scenes_are_refused_in_one_sentence(given, per_scene):
    with pytest.raises(ValueError, match="give") as error:
        scenes.indices(given, per_scene)
    assert "\n" not in str(error.value)


def test_an_unreadable_clip_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "no.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(video.VideoError) as error:
        scenes.detect(tmp_path / "no.mp4")
    assert "\n" not in str(error.value)
