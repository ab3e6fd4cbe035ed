"""Frames are proved by their pixels: every frame written here carries its own number."""

import os
import weakref
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from PIL import Image

from mesokit import video
from mesokit.video import VideoError, photographs

BITS = 8


def numbered(index: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A frame with `index` in binary: eight columns, black or white, over a gray ramp that moves."""
    ramp = (np.arange(width)[None, :, None] * 2 + index * 5 + np.arange(height)[:, None, None]) % 200
    image = np.broadcast_to(ramp, (height, width, 3)).astype(np.uint8).copy()
    for bit in range(BITS):
        image[: height // 2, bit * width // BITS : (bit + 1) * width // BITS] = 255 * (index >> bit & 1)
    return image


def number(image: np.ndarray) -> int:
    height, width = image.shape[:2]
    centres = [image[height // 4, (2 * bit + 1) * width // (2 * BITS)].mean() > 127 for bit in range(BITS)]
    return sum(bit << i for i, bit in enumerate(centres))


def encode(path, frames, rate=25, pts=None, rotation=0, codec="libx264", pix_fmt="yuv420p", options=None):
    """A clip as others write them: with PyAV directly, with times or rotation of its own."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options={"bf": "3"} if codec == "libx264" else {})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], pix_fmt
        if rotation:
            stream.set_display_rotation(rotation)
        for i, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = (i if pts is None else pts[i]), Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    video.write_clip(path, (numbered(i) for i in range(60)), 25)
    return path


def test_indices_are_exact_with_b_frames(clip):
    with av.open(str(clip)) as container:
        assert any(f.pict_type == PictureType.B for f in container.decode(video=0))
    frames = list(video.read_frames(clip))
    assert [f.index for f in frames] == [number(f.image) for f in frames] == list(range(60))
    assert [f.time for f in frames] == pytest.approx([i / 25 for i in range(60)], abs=1e-9)
    assert frames[0].keyframe and not frames[1].keyframe
    picked = list(video.read_frames(clip, [59, 3, 3, 17]))
    assert [f.index for f in picked] == [number(f.image) for f in picked] == [3, 17, 59]
    assert all((f.image == frames[f.index].image).all() for f in picked)
    assert list(video.read_frames(clip, [])) == []


def test_frames_are_rgb_uint8_contiguous(tmp_path):
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    video.write_clip(tmp_path / "red.mp4", [red] * 3, 25)
    image = next(video.read_frames(tmp_path / "red.mp4")).image
    assert image.dtype == np.uint8 and image.shape == (32, 32, 3) and image.flags.c_contiguous
    assert (abs(image.mean(axis=(0, 1)) - [255, 0, 0]) < 8).all()


def test_indices_that_cannot_be(clip):
    with pytest.raises(ValueError, match="negative"):
        video.read_frames(clip, [-1])
    with pytest.raises(VideoError, match="frame 60 was asked for and it ends at 59"):
        list(video.read_frames(clip, [0, 60]))


def test_even_indices():
    assert video.even_indices(10, 1).tolist() == [5]
    assert video.even_indices(100, 4).tolist() == [12, 37, 62, 87]
    assert video.even_indices(3, 10).tolist() == [0, 1, 2] == video.even_indices(3, 3).tolist()
    assert video.even_indices(0, 5).tolist() == []
    for n_frames in range(1, 60):
        for n in range(1, n_frames + 1):
            indices = video.even_indices(n_frames, n)
            assert len(set(indices)) == n and 0 <= indices[0] and indices[-1] < n_frames
            assert np.ptp(np.diff(indices)) <= 1 if n > 1 else True
            assert abs((indices[0] + indices[-1]) / 2 - (n_frames - 1) / 2) <= 0.5  # the whole clip, not its start
    with pytest.raises(ValueError, match="n >= 1"):
        video.even_indices(10, 0)


def test_probe(clip):
    seen = video.probe(clip)
    assert (seen.codec, seen.width, seen.height, seen.frames, seen.declared_frames) == ("h264", 64, 48, 60, 60)
    assert seen.fps == pytest.approx(25) and seen.duration == pytest.approx(2.4)
    assert (seen.rotation, seen.crf, seen.path) == (0, 23.0, clip)


@pytest.mark.parametrize("crf", [0, 1, 23, 40, 51])
def test_crf_is_exact_and_read_back(tmp_path, crf):
    video.write_clip(tmp_path / "a.mp4", [numbered(i) for i in range(5)], 30000 / 1001, crf)
    seen = video.probe(tmp_path / "a.mp4")
    assert seen.crf == crf and seen.fps == pytest.approx(29.97, abs=1e-3)


def test_crf_of_another_encoder_is_unknown(tmp_path):
    encode(tmp_path / "a.mp4", [numbered(i) for i in range(5)], codec="mpeg4")
    assert video.probe(tmp_path / "a.mp4").crf is None


def test_crf_0_is_bit_exact_in_rgb(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), np.uint8)
    video.write_clip(tmp_path / "a.mp4", noise, 25, 0)
    assert (np.stack([f.image for f in video.read_frames(tmp_path / "a.mp4")]) == noise).all()


def test_bytes_do_not_depend_on_the_cores(tmp_path):
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot take cores away")
    frames, cores = [numbered(i, 96, 128) for i in range(30)], os.sched_getaffinity(0)
    video.write_clip(tmp_path / "all.mp4", frames, 25)
    os.sched_setaffinity(0, {min(cores)})
    try:
        video.write_clip(tmp_path / "one.mp4", frames, 25)
    finally:
        os.sched_setaffinity(0, cores)
    assert (tmp_path / "all.mp4").read_bytes() == (tmp_path / "one.mp4").read_bytes()


GOOD = np.zeros((32, 32, 3), np.uint8)


@pytest.mark.parametrize(
    ("name", "frames", "fps", "crf", "message"),
    [
        ("a.mp4", [GOOD], 25, 52, "crf is 52"),
        ("a.mp4", [GOOD], 25, -1, "crf is -1"),
        ("a.mp4", [GOOD], 25, 0.5, "crf is 0.5"),
        ("a.mp4", [GOOD], 25, float("nan"), "crf is nan"),
        ("a.mp4", [GOOD], 0, 23, "fps is 0"),
        ("a.mp4", [GOOD], float("nan"), 23, "fps is nan"),
        ("a.avi", [GOOD], 25, 23, "must end in .mp4"),
        ("a.mp4", [], 25, 23, "no frames"),
        ("a.mp4", [GOOD[:31]], 25, 23, "even width and height"),
        ("a.mp4", [GOOD[:31]], 25, 0, "even width and height"),
        ("a.mp4", [GOOD, GOOD[:30]], 25, 23, "give one size"),
        ("a.mp4", [GOOD / 255], 25, 23, "uint8 RGB"),
        ("a.mp4", [GOOD[..., 0]], 25, 23, "uint8 RGB"),
        ("a.mp4", [[1, 2]], 25, 23, "is list"),
    ],
)
def test_write_refuses_and_leaves_nothing(tmp_path, name, frames, fps, crf, message):
    with pytest.raises(ValueError, match=message):
        video.write_clip(tmp_path / name, frames, fps, crf)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_clip(tmp_path):
    path = tmp_path / "a.mp4"
    video.write_clip(path, [GOOD] * 4, 25)
    before = path.read_bytes()

    def stops():
        yield GOOD
        raise RuntimeError("the renderer died")

    with pytest.raises(RuntimeError, match="renderer"):
        video.write_clip(path, stops(), 25)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("crf", [0, 30])
def test_compress_measures_what_is_read_back_and_never_holds_a_clip(tmp_path, crf):
    born, most = [], 0

    def made():
        nonlocal most
        for i in range(240):
            image = numbered(i)
            born.append(weakref.ref(image))
            most = max(most, sum(one() is not None for one in born))
            yield image

    size, psnr = video.compress(tmp_path / "a.mp4", made(), 25, crf)
    assert most < 40  # 14 were seen: what x264 looks ahead, in four threads
    frames = [numbered(i) for i in range(240)]
    assert video.compress(tmp_path / "b.mp4", frames, 25, crf) == (size, psnr)
    video.write_clip(tmp_path / "c.mp4", frames, 25, crf)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()
    back = np.stack([frame.image for frame in video.read_frames(tmp_path / "c.mp4")]).astype(float)
    error = np.square(back - np.stack(frames)).mean()
    assert size == (tmp_path / "c.mp4").stat().st_size
    assert psnr == (pytest.approx(10 * np.log10(255**2 / error), abs=1e-9) if crf else float("inf"))
    assert len(back) == 240 and bool(error) == bool(crf)


@pytest.mark.parametrize("rotation", [90, 180, -90])
def test_rotation_is_applied(tmp_path, rotation):
    frames = [numbered(i) for i in range(3)]
    path = encode(tmp_path / "a.mp4", frames, rotation=rotation)
    upright = np.rot90(frames[2], rotation // 90)  # both count counter-clockwise
    seen, image = video.probe(path), list(video.read_frames(path))[2].image
    assert (seen.rotation - rotation) % 360 == 0 and (seen.height, seen.width) == image.shape[:2] == upright.shape[:2]
    assert abs(image.astype(int) - upright).mean() < 12 < abs(image[::-1, ::-1].astype(int) - upright).mean()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_frame_rate_has_the_times_of_the_file(tmp_path, suffix):
    pts = [0, 1, 2, 10, 11, 30, 31, 32, 33, 60]
    path = encode(tmp_path / f"a{suffix}", [numbered(i) for i in range(10)], rate=100, pts=pts)
    frames = list(video.read_frames(path))
    assert [number(f.image) for f in frames] == list(range(10))
    assert [f.time for f in frames] == pytest.approx([p / 100 for p in pts], abs=1e-3)
    seen = video.probe(path)
    assert seen.frames == 10 and seen.duration >= 0.6 and seen.fps == pytest.approx(10 / seen.duration)


def test_times_start_at_the_first_frame(tmp_path):
    path = encode(tmp_path / "a.ts", [numbered(i) for i in range(5)], pts=range(100, 105))
    assert [f.time for f in video.read_frames(path)] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.webm", "libvpx", "yuv420p"),
        ("a.mkv", "libx265", "yuv420p10le"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mov", "libx264", "yuv444p"),
    ],
)
def test_other_containers_and_codecs(tmp_path, name, codec, pix_fmt):
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no {codec}")
    path = encode(tmp_path / name, [numbered(i) for i in range(30)], codec=codec, pix_fmt=pix_fmt)
    seen, frames = video.probe(path), list(video.read_frames(path))
    assert seen.frames == len(frames) == 30 and seen.fps == pytest.approx(25, rel=0.02)
    assert [number(f.image) for f in frames] == list(range(30))


def test_one_frame(tmp_path):
    video.write_clip(tmp_path / "a.mp4", [numbered(7)], 25)
    seen = video.probe(tmp_path / "a.mp4")
    assert (seen.frames, seen.fps) == (1, pytest.approx(25))
    assert [(f.index, f.time, number(f.image)) for f in video.read_frames(tmp_path / "a.mp4")] == [(0, 0.0, 7)]


# --- what must be refused --------------------------------------------------------------------------------------------


def sound_only(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_bad_files_are_one_sentence(tmp_path, clip):
    cases = {
        "empty.mp4": lambda p: p.write_bytes(b""),
        "text.mp4": lambda p: p.write_text("this is a shopping list\n" * 50),
        "concat.mp4": lambda p: p.write_text(f"ffconcat version 1.0\nfile '{clip}'\n"),
        "hls.mp4": lambda p: p.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n"),
        "no_index.mp4": lambda p: p.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2]),
        "noise.mp4": lambda p: p.write_bytes(np.random.default_rng(0).bytes(50_000)),
        "photo.mp4": lambda p: Image.new("RGB", (64, 64)).save(p, "PNG"),
        "folder.mp4": lambda p: p.mkdir(),
        "sound.mp4": sound_only,
        "line\nbreak.mp4": lambda p: p.write_text("x"),
        "absent.mp4": lambda p: None,
    }
    if hasattr(os, "mkfifo"):
        cases["pipe.mp4"] = os.mkfifo
    for name, make in cases.items():
        make(tmp_path / name)
        for read in (video.probe, lambda p: list(video.read_frames(p))):
            with pytest.raises(VideoError) as error:
                read(tmp_path / name)
            message = str(error.value)
            assert "\n" not in message and name.replace("\n", "\\n") in message and "; " in message, message


@pytest.mark.parametrize(
    "name", ["%03d.mp4", "a b'\"<script>.mp4", "new\nline.mp4", "concat:x.mp4", "ü日本.mp4", "-i.mp4"]
)
def test_hostile_names_are_only_names(tmp_path, name):
    path = tmp_path / name
    video.write_clip(path, [numbered(i) for i in range(3)], 25)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert [number(f.image) for f in video.read_frames(path)] == [0, 1, 2] and video.probe(path).frames == 3


def with_index_first(clip, path):
    """Remux `clip` so that the index stands before the frames, as in files made for the web."""
    with av.open(str(clip)) as source, av.open(str(path), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return path.read_bytes()


def test_a_cut_file_is_refused(clip, tmp_path):
    whole = with_index_first(clip, tmp_path / "whole.mp4")
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(VideoError, match=r"cut short, \d+ of 60"):
        video.probe(tmp_path / "cut.mp4")
    with pytest.raises(VideoError, match=r"damaged|cut short|not a readable"):
        list(video.read_frames(tmp_path / "cut.mp4"))


def test_damaged_frames_are_never_handed_on(clip, tmp_path):
    whole = with_index_first(clip, tmp_path / "whole.mp4")
    good = [f.image for f in video.read_frames(tmp_path / "whole.mp4")]
    rng, refused = np.random.default_rng(0), 0
    for trial in range(20):
        data = bytearray(whole)
        start = whole.index(b"mdat") + 1500
        for position in rng.integers(start, len(data), 10):
            data[position] ^= 1 << int(rng.integers(8))
        (tmp_path / "bad.mp4").write_bytes(data)
        handed = []
        try:
            for frame in video.read_frames(tmp_path / "bad.mp4"):
                handed.append(frame.image)
        except VideoError:
            refused += 1
        gray = sum(abs(a.astype(int) - b).mean() > 60 for a, b in zip(handed, good, strict=False))
        assert gray == 0, f"trial {trial}: {gray} frames are something else altogether"
    assert refused >= 15  # a flipped bit may also decode: to pixels that are slightly wrong


# --- photographs -----------------------------------------------------------------------------------------------------


def test_photographs(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    for name in ("a.png", "a.bmp", "a.tiff", "A.JPG", "a.webp"):
        Image.fromarray(pixels).save(tmp_path / name, quality=95)
        assert video.is_image(tmp_path / name) and video.read_image(tmp_path / name).shape == (20, 30, 3)
    assert (video.read_image(tmp_path / "a.png") == pixels).all()
    (tmp_path / "a.png").rename(tmp_path / "photo.mp4")
    assert video.is_image(tmp_path / "photo.mp4")


def test_photographs_are_turned_as_exif_says(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, :15] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to show
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif, quality=95)
    image = video.read_image(tmp_path / "a.jpg")
    assert image.shape == (30, 20, 3) and image[:10].mean() > 250 and image[20:].mean() < 5


def test_gray_palette_and_transparent_photographs(tmp_path):
    gray = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    gray.save(tmp_path / "gray.png")
    assert (video.read_image(tmp_path / "gray.png") == np.asarray(gray)[..., None]).all()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (video.read_image(tmp_path / "clear.png") == 255).all()
    Image.new("RGBA", (8, 8), (255, 0, 0, 255)).save(tmp_path / "red.png")
    assert (video.read_image(tmp_path / "red.png") == [255, 0, 0]).all()
    Image.new("RGB", (8, 8), (9, 8, 7)).convert("P").save(tmp_path / "palette.png")
    assert video.read_image(tmp_path / "palette.png").shape == (8, 8, 3)


def test_photographs_that_are_refused(tmp_path, monkeypatch):
    Image.new("CMYK", (8, 8)).save(tmp_path / "print.jpg")
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(tmp_path / "deep.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "many.tiff", save_all=True, append_images=[Image.new("RGB", (8, 8), 9)])
    (tmp_path / "text.jpg").write_text("no photograph")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:3000])
    Image.new("RGB", (200, 200)).save(tmp_path / "huge.png")
    monkeypatch.setattr(photographs, "MAX_PIXELS", 30_000)
    for name, why in [
        ("print.jpg", "CMYK"), ("deep.png", "type I;16"), ("many.tiff", "several"), ("text.jpg", "not a readable"),
        ("cut.png", "not a readable"), ("huge.png", "200x200 is over"), ("absent.png", "No such file"),
    ]:  # fmt: skip
        with pytest.raises(VideoError, match=why) as error:
            video.read_image(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)


def test_is_image_for_what_is_none(clip, tmp_path):
    assert not video.is_image(clip) and not video.is_image(tmp_path) and not video.is_image(tmp_path / "absent.mp4")
    assert video.is_image(tmp_path / "absent.jpg")  # by its name: read_image then says that it is absent
