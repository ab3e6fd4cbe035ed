"""The clips of the default dataset are repeatable, resumable and as their table says; tests of the face swap."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from mesokit import files, video
from mesokit.dataset import manifest
from mesokit.synthetic import studio
from mesokit.synthetic.forge import blend, deepfake
from mesokit.synthetic.people import Renderer, motion, sample_person, sample_scene, shade


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


def test_a_pair_is_in_the_same_split_in_every_preset():
    plans = {name: studio._plan(preset, seed=0) for name, preset in studio.PRESETS.items()}
    splits = {name: plan.groupby("group")["split"].first() for name, plan in plans.items()}
    assert all(split.equals(splits["large"][split.index]) for split in splits.values())
    people = {name: (2 * split.value_counts()).to_dict() for name, split in splits.items()}
    assert people["smoke"] == {"train": 8, "val": 4, "test": 16}
    assert people["class"] == {"train": 24, "val": 8, "test": 16}
    assert people["bundled"] == {"train": 36, "val": 12, "test": 16}
    tested = {name: set(split[split == "test"].index) for name, split in splits.items()}
    assert tested["smoke"] == tested["class"] == tested["bundled"]


def test_clips_are_as_the_table_says(tiny):
    clips = manifest.read_clips(tiny / "clips.csv")
    assert len(clips) == 6 * 3 * 2
    for row in clips.itertuples():
        info = video.probe(tiny / row.path)
        assert (info.width, info.height, info.frames) == (row.width, row.height, row.frames)
        assert info.fps == pytest.approx(row.fps)
        assert info.crf == row.crf
        assert files.sha256(tiny / row.path) == row.sha256
    forged = clips[clips["label"] == "forged"]
    assert forged["mask"].notna().all()
    assert forged["source"].notna().all()


def test_lower_quality_is_smaller(tiny):
    clips = manifest.read_clips(tiny / "clips.csv")
    size = clips["path"].map(lambda path: (tiny / path).stat().st_size).groupby(clips["crf"]).sum()
    assert size[0] > 5 * size[40]


def test_what_compression_measured_is_true(tiny):
    clips = manifest.read_clips(tiny / "clips.csv")
    assert (clips["bytes"] == [(tiny / path).stat().st_size for path in clips["path"]]).all()
    assert np.isinf(clips.loc[clips["crf"] == 0, "psnr"]).all()
    lossy = clips[clips["crf"] == 40].iloc[0]
    before = studio._frames(tiny / lossy["path"].replace("/40/", "/0/"))
    after = studio._frames(tiny / lossy["path"])
    error = np.mean((np.stack(before).astype(float) - np.stack(after)) ** 2)
    assert lossy["psnr"] == pytest.approx(10 * np.log10(255**2 / error), abs=1e-2)


def test_a_forged_clip_keeps_what_its_mask_leaves_out(tiny):
    """Size and untampered pixels are equal to the original; the mask covers the changed pixels and little more."""
    clips = manifest.read_clips(tiny / "clips.csv").query("crf == 0")
    real = clips[clips["label"] == "real"].set_index("identity")["path"]
    for row in clips[clips["label"] == "forged"].to_dict("records"):
        original = np.stack(studio._frames(tiny / real[row["identity"]]))
        forged = np.stack(studio._frames(tiny / row["path"]))
        mask = np.stack(studio._frames(tiny / row["mask"]))[..., 0]
        assert set(np.unique(mask)) == {0, 255}
        assert forged.shape == original.shape
        changed = (forged != original).any(axis=-1)
        assert not changed[mask == 0].any()
        assert changed[mask == 255].mean() > 0.7  # smooth skin that moves a little keeps some pixel values


def test_both_forgeries_are_of_the_same_original(tiny):
    clips = manifest.read_clips(tiny / "clips.csv")
    assert clips.groupby("identity")["method"].apply(set).map(len).eq(3).all()
    shape = clips.groupby("crf")[["width", "height", "frames", "fps"]].nunique()
    assert (shape == 1).all(axis=None)


def test_the_package_brings_the_swaps_of_its_presets():
    card = files.read_json(studio.SWAPS / "swaps.json")
    for name in ("smoke", "class", "bundled"):
        plan = studio._plan(studio.PRESETS[name], seed=card["seed"])
        forged = plan[plan["method"] == "deepfake"].to_dict("records")
        assert all(studio._shipped(row, studio.PRESETS[name]) for row in forged)
    for name, sha256 in card["files"].items():
        assert files.sha256(studio.SWAPS / name) == sha256
        info = video.probe(studio.SWAPS / name)
        assert (info.width, info.height, info.frames) == (studio.SWAP_SIZE, studio.SWAP_SIZE, card["frames"])
    other = {**forged[0], "seed": 1, "number": 1000, "partner": 1001}
    assert studio._shipped(other, studio.PRESETS["class"]) is None


@pytest.mark.slow
def test_a_shipped_swap_moves_as_its_target_does():
    """The packaged swaps fit the people that the renderer draws: both mouths open and close together."""
    preset = studio.Preset((0,), frames=40, steps=0)
    frames, truth = studio.film(0, 1, preset)
    target = studio.aligned_faces(frames, truth)
    swapped = np.stack(studio._frames(studio.SWAPS / "000_001.mp4"))
    mouth = np.s_[:, 50:75, 21:58]  # of the aligned square
    dark = [np.sort(x[mouth].mean(-1).reshape(40, -1))[:, :100].mean(1) for x in (target, swapped)]
    late = [np.corrcoef(dark[0], np.roll(dark[1], by))[0, 1] for by in range(40)]
    assert int(np.argmax(late)) in (39, 0, 1)  # a swap that comes some frames too early or late fits worse


def test_cameras_and_platforms_differ_from_clip_to_clip():
    for size in ("smoke", "bundled"):
        plan = studio._plan(studio.PRESETS[size], seed=0)
        for split, people in plan[plan["method"] == "real"].groupby("split"):
            scenes = [studio.scene_of(number, (480, 360)) for number in people["number"]]
            focus = np.log([scene.defocus for scene in scenes])
            assert focus.mean() == pytest.approx(np.log([0.35, 1.7]).mean(), abs=0.2), (size, split)
            assert np.mean([scene.resolution for scene in scenes]) == pytest.approx(0.8, abs=0.06)
            assert np.mean([studio.upload_crf(number) for number in people["number"]]) == pytest.approx(20, abs=3)
            assert np.ptp(focus) > 1.0


def test_a_sensor_of_few_pixels_takes_fine_detail_away():
    image = np.random.default_rng(0).random((120, 160, 3), np.float32)
    plain = replace(sample_scene(0, (160, 120)), defocus=0.35, noise=0.0, resolution=1.0)
    few = replace(plain, resolution=0.6)
    sharp, soft = (shade.camera(image, scene, np.random.default_rng(0)) for scene in (plain, few))
    assert sharp.shape == soft.shape == (120, 160, 3)
    assert np.var(cv2.Laplacian(soft, cv2.CV_32F)) < 0.3 * np.var(cv2.Laplacian(sharp, cv2.CV_32F))
    assert abs(float(sharp.mean()) - float(soft.mean())) < 1


@pytest.mark.slow
def test_partners_look_alike_and_are_two_people():
    for number in range(0, 48, 2):
        one, other = studio.cast(number), studio.cast(number + 1)
        assert one == sample_person(number)
        assert abs(one.tone - other.tone) < 0.15 and abs(one.masculine - other.masculine) < 0.3
        assert one.shape != other.shape and one.seed != other.seed


@pytest.mark.slow
def test_workers_change_nothing(tmp_path):
    preset = studio.Preset((0, 1, 2), frames=2, steps=1, levels=(40,))
    for workers in (1, 2):
        for _ in studio.make(tmp_path / str(workers), preset, seed=0, workers=workers):
            pass
    assert _digest(tmp_path / "1") == _digest(tmp_path / "2")


@pytest.mark.slow
def test_a_second_run_makes_only_what_is_missing_and_the_same(tiny, tmp_path):
    preset = studio.Preset((0, 1, 2), frames=2, steps=2, size=(320, 240), levels=(40,))
    for _ in studio.make(tmp_path, preset, seed=5):
        pass
    first = _digest(tmp_path)
    kept = (tmp_path / "clips" / "40" / "p001_real.mp4").stat().st_mtime_ns
    for path in (tmp_path / "clips" / "40" / "p000_p001_deepfake.mp4", tmp_path / "masters" / "p003.mp4"):
        path.unlink()
    for _ in studio.make(tmp_path, preset, seed=5):
        pass
    assert _digest(tmp_path) == first
    assert (tmp_path / "clips" / "40" / "p001_real.mp4").stat().st_mtime_ns == kept


@pytest.mark.slow
def test_clips_of_another_seed_preset_or_version_are_not_taken_for_these(tmp_path, monkeypatch):
    preset = studio.Preset((0,), frames=2, steps=1, size=(320, 240), levels=(40,))
    studio.check(tmp_path, 5, preset)  # nothing is there yet
    for _ in studio.make(tmp_path, preset, seed=5):
        pass
    first = _digest(tmp_path)
    studio.check(tmp_path, 5)
    studio.check(tmp_path, 5, replace(preset, pairs=(0, 1)))  # the first pair stays as it is
    with pytest.raises(ValueError, match=r"made otherwise \(seed\); delete the folder"):
        studio.check(tmp_path, 6)
    with pytest.raises(ValueError, match=r"otherwise \(frames, levels\)"):
        next(studio.make(tmp_path, replace(preset, frames=3, levels=(23, 40)), seed=5))
    monkeypatch.setattr(studio, "VERSION", studio.VERSION + 1)
    with pytest.raises(ValueError, match=r"otherwise \(version of the studio\)"):
        next(studio.make(tmp_path, preset, seed=5))
    assert _digest(tmp_path) == first
    (tmp_path / "masters" / "made.json").write_text("[]")
    with pytest.raises(ValueError, match="made otherwise"):
        studio.check(tmp_path, 5)
    (tmp_path / "masters" / "made.json").unlink()  # the first versions of mesokit did not write it
    with pytest.raises(ValueError, match="version of the studio, swaps of the package, seed"):
        studio.check(tmp_path, 5)


@pytest.mark.slow
def test_encoding_repeats_whatever_was_in_memory(tmp_path):
    """With its macroblock tree, x264 gave different bytes in repeated calls after a clip had been rendered."""
    camera = Renderer(sample_person(0), sample_scene(0, (480, 360)))
    rng = np.random.default_rng(0)
    frames = [camera.render(state, rng).image for state in motion(0, 6)]
    for i in range(4):
        video.write_clip(tmp_path / f"{i}.mp4", frames, 25, 18)
    assert len({(tmp_path / f"{i}.mp4").read_bytes() for i in range(4)}) == 1


def test_the_template_of_a_face_is_symmetric_and_upright():
    mirrored = blend.TEMPLATE[[1, 0, 2, 4, 3]] * [-1, 1] + [1, 0]
    assert np.allclose(blend.TEMPLATE, mirrored)
    eyes, nose, mouth = blend.TEMPLATE[:2, 1].mean(), blend.TEMPLATE[2, 1], blend.TEMPLATE[3:, 1].mean()
    assert 0 < eyes < nose < mouth < 1
    assert 0 < blend.TEMPLATE[0, 0] < blend.TEMPLATE[3, 0] < 0.5  # the mouth is narrower than the eyes are apart


def test_alignment_brings_landmarks_to_the_template():
    angle, scale = 0.3, 2.5
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    five = (blend.TEMPLATE @ turn.T * 40 + [100, 80]).astype(np.float32)
    matrix = blend.alignment(five, 64)
    assert np.allclose(five @ matrix[:, :2].T + matrix[:, 2], blend.TEMPLATE * 63, atol=1e-3)


@pytest.mark.slow
def test_a_swap_keeps_the_light_and_changes_the_look():
    """Two plain people of different colour are lit from one side or the other. Each decoder gives its own colour, and
    the light of the encoded face."""
    rng = np.random.default_rng(0)
    across = np.linspace(-0.5, 0.5, 32)[None, None, :, None]
    lit = np.ones((60, 32, 32, 3)) * (1 + across * rng.uniform(-1, 1, (60, 1, 1, 1)))
    people = {name: (c * lit).astype(np.uint8) for name, c in (("red", (160, 80, 80)), ("blue", (80, 80, 160)))}
    networks = deepfake.Autoencoders(people, seed=0)
    losses = list(deepfake.train(networks, people, steps=80, seed=0))
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])
    swapped = networks.swap(people["red"], "red", "blue").astype(float)
    assert np.abs(swapped.mean((0, 1, 2)) - (80, 80, 160)).max() < 25
    tilts = [
        x[:, :, 16:].mean((1, 2, 3)) - x[:, :, :16].mean((1, 2, 3)) for x in (people["red"].astype(float), swapped)
    ]
    assert np.corrcoef(*tilts)[0, 1] > 0.9


@pytest.mark.slow
def test_the_faces_of_a_training_step_follow_the_seed():
    """The loss of the first step is that of the network as it begins, so only the drawn faces can differ."""
    people = {"a": np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3)).astype(np.uint8)}
    losses = [next(deepfake.train(deepfake.Autoencoders(people), people, 1, batch=2, seed=s)) for s in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


def test_autoencoders_refuse_other_sizes():
    with pytest.raises(ValueError, match="multiple of 16"):
        deepfake.Autoencoders({"a": np.zeros((2, 50, 50, 3), np.uint8)})


def test_warp_leaves_the_middle_of_its_spread_in_place():
    """On average a warped face equals the face. An earlier warp also zoomed, which spoilt every swap."""
    rng = np.random.default_rng(0)
    face = np.zeros((64, 64, 3), np.uint8)
    face[30:34, 30:34] = face[8:12, 8:12] = 255
    mean = np.mean([deepfake.warp(face, rng)[..., 0] for _ in range(400)], axis=0)
    for y, x in ((31.5, 31.5), (9.5, 9.5)):
        window = mean[int(y) - 8 : int(y) + 10, int(x) - 8 : int(x) + 10]
        rows, columns = np.mgrid[int(y) - 8 : int(y) + 10, int(x) - 8 : int(x) + 10]
        assert (rows * window).sum() / window.sum() == pytest.approx(y, abs=0.5)
        assert (columns * window).sum() / window.sum() == pytest.approx(x, abs=0.5)


def test_paste_changes_nothing_outside_its_mask():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (200, 200, 3)).astype(np.uint8)
    five = blend.TEMPLATE * 90 + 55
    decoded = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    region = np.zeros((200, 200), np.float32)
    region[60:150, 60:150] = 1
    forged, mask = blend.paste(image, five, decoded, region)
    assert (forged[mask == 0] == image[mask == 0]).all()
    assert (mask[region == 0] == 0).all()
    assert np.abs(forged.astype(int) - image)[mask > 0].mean() > 5


def test_outside_of_the_region_is_the_colour_of_the_nearest_skin():
    """The skin is reddish at the left and darker at the right; everything around it is white."""
    image = np.full((200, 200, 3), 255, np.uint8)
    region = np.zeros((200, 200), np.float32)
    cv2.ellipse(region, (100, 100), (45, 60), 0, 0, 360, 1, -1)
    image[region > 0] = (160, 100, 80)
    image[(region > 0) & (np.arange(200) >= 100)] = (80, 50, 40)
    five = blend.TEMPLATE * 160 + 20
    face = blend.aligned(image, five, 64, region)
    assert face.shape == (64, 64, 3) and face.dtype == np.uint8
    assert (face <= (162, 102, 82)).all()  # nowhere white
    assert (face[:, :4, 0] > 125).all() and (face[:, -4:, 0] < 115).all()  # each nearer to the skin beside it
    assert blend.aligned(image, five, 64)[0, 0].tolist() == [255, 255, 255]  # without a region, as it is


def test_the_pasted_oval_has_the_size_of_the_square():
    """Half axes .47 and .5 of the square around (.5, .52); of a square of 160 pixels, cut at its lower side."""
    plain = np.full((240, 240, 3), 100, np.uint8)
    _, mask = blend.paste(plain, blend.TEMPLATE * 160 + 40, np.full((81, 81, 3), 100, np.uint8), np.ones((240, 240)))
    y, x = np.nonzero(mask)
    assert (x.min(), x.max(), y.min(), y.max()) == pytest.approx((44.8, 195.2, 43.2, 200), abs=3)


def test_a_painted_frame_is_mixed_in_by_its_opacity():
    frame = np.random.default_rng(0).integers(90, 110, (240, 240, 3)).astype(np.uint8)
    opacity = np.linspace(0, 1, 240, dtype=np.float32)[None].repeat(240, 0)
    mixed, mask = blend.over(frame, np.zeros_like(frame), opacity)
    assert np.abs(mixed - frame * np.linspace(1, 0, 240)[None, :, None]).max() <= 0.51
    assert (mask[:, 0] == 0).all() and (mask[:, 1:] == 255).all()


def test_a_pasted_face_takes_the_tone_of_the_clip():
    """A red face on a blue clip: in the middle of the mask the forged clip is about as blue as it was."""
    rng = np.random.default_rng(0)
    blue, red = (rng.normal(colour, 6, (*size, 3)).clip(0, 255).astype(np.uint8) for colour, size in (
        ((70, 90, 160), (200, 200)), ((170, 80, 70), (64, 64)),
    ))  # fmt: skip
    forged, _ = blend.paste(blue, blend.TEMPLATE * 90 + 55, red, np.ones((200, 200), np.float32))
    middle = forged[90:110, 90:110].mean(axis=(0, 1))
    assert middle == pytest.approx(blue.mean(axis=(0, 1)), abs=8)
    assert not np.array_equal(forged[90:110, 90:110], blue[90:110, 90:110])


def test_layers_of_a_swap_have_seeds_of_their_own():
    """The encoder and each decoder begin with other numbers; a layer of the same shape as another one, too."""
    networks = deepfake.Autoencoders({name: np.zeros((1, 32, 32, 3), np.uint8) for name in "ab"}, seed=3)
    layers = [layer for network in (networks.encoder, *networks.decoders) for layer in network.layers]
    seeds = [layer.kernel_initializer.seed for layer in layers if hasattr(layer, "kernel_initializer")]
    assert len(seeds) == 5 + 2 * 4 == len(set(seeds))
    other = deepfake.Autoencoders({"a": np.zeros((1, 32, 32, 3), np.uint8)}, seed=4).encoder.layers
    again = [layer.kernel_initializer.seed for layer in other if hasattr(layer, "kernel_initializer")]
    assert all(one != two for one, two in zip(seeds[:5], again, strict=True))


def test_each_decoder_draws_its_own_person():
    """Before any training a decoder adds the mean face of its person to little else."""
    people = {name: np.full((2, 32, 32, 3), gray, np.uint8) for name, gray in (("dark", 40), ("light", 200))}
    networks = deepfake.Autoencoders(people, seed=0)
    assert networks.swap(people["dark"], "dark", "light") == pytest.approx(200, abs=2)
    assert networks.swap(people["dark"], "dark", "dark") == pytest.approx(40, abs=2)


def test_match_colours_takes_the_clips_contrast_up_to_a_fifth():
    rng = np.random.default_rng(0)
    decoded, alike, strong, flat = (
        np.repeat(rng.normal(120, spread, (64, 64, 1)), 3, axis=2).astype(np.uint8) for spread in (10, 11, 30, 1)
    )
    spreads = [blend.match_colours(decoded, to, np.ones((64, 64))).std() for to in (alike, strong, flat)]
    assert spreads == pytest.approx([11, 12, 8], abs=0.4)


def test_match_colours_takes_the_clips_tone():
    rng = np.random.default_rng(0)
    bright = rng.integers(120, 220, (64, 64, 3)).astype(np.uint8)
    dark = rng.integers(30, 110, (64, 64, 3)).astype(np.uint8)
    matched = blend.match_colours(bright, dark, np.ones((64, 64), np.float32))
    assert np.abs(matched.mean((0, 1)) - dark.mean((0, 1))).max() < 6
