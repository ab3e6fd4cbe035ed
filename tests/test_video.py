"""Frames are proved by their pixels: every frame written here carries its own number."""

import os
import weakref
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import PictureType
from PIL import Image, features

from mesokit import video
from mesokit.video import VideoError, photographs, showing

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
    assert most <= 40  # of 240: x264 looks up to 40 frames ahead (its rc-lookahead)
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
    assert refused  # not all of them: a flipped bit may also decode, to pixels that are slightly wrong


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
        ("cut.png", "not a readable"), ("huge.png", "200x200 is over"), ("absent.png", "no such file"),
    ]:  # fmt: skip
        with pytest.raises(VideoError, match=why) as error:
            video.read_image(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value)


def test_is_image_for_what_is_none(clip, tmp_path):
    assert not video.is_image(clip) and not video.is_image(tmp_path) and not video.is_image(tmp_path / "absent.mp4")
    assert video.is_image(tmp_path / "absent.jpg")  # by its name: read_image then says that it is absent


# --- odd but good: what is cut, joined, hidden, or shown otherwise than it is stored ---------------------------------

CASES = Path(os.environ.get("MESOKIT_CASES", Path(__file__).parents[2] / "shared" / "cases"))
GIVEN = {  # frames shown, frames skipped, width, height
    "edit_list_head.mp4": (75, 0, 480, 360),
    "field_pictures.ts": (6, 0, 480, 352),
    "hdr10_forged.mp4": (30, 0, 480, 360),
    "joined.ts": (60, 0, 480, 360),
    "open_gop_cut.mkv": (96, 3, 480, 360),
    "open_gop_cut264.ts": (72, 3, 480, 360),
    "pixel_aspect_4_3.mp4": (30, 0, 480, 360),
    "starts_mid_gop.ts": (180, 9, 480, 360),
    "two_streams_preview_first.mkv": (30, 0, 480, 360),
}


def agreed(path):
    """What probe and read_frames agree on: the probe, the frames."""
    seen, frames = video.probe(path), list(video.read_frames(path))
    assert seen.frames == len(frames) and [frame.index for frame in frames] == list(range(len(frames)))
    assert {frame.image.shape for frame in frames} == {(seen.height, seen.width, 3)}
    assert seen.duration == pytest.approx(len(frames) / seen.fps) and frames[0].time == 0
    assert (np.diff([frame.time for frame in frames]) >= 0).all()
    return seen, frames


SLOW = {"hdr10_forged.mp4": [pytest.mark.slow]}


@pytest.mark.parametrize("name", [pytest.param(name, marks=SLOW.get(name, [])) for name in GIVEN])
def test_given_cases(name):
    if not CASES.is_dir():
        pytest.skip("the odd inputs are absent: name their folder in MESOKIT_CASES")
    seen, _ = agreed(CASES / name)
    assert (seen.frames, seen.skipped, seen.width, seen.height) == GIVEN[name]
    assert seen.fps == pytest.approx(12.5 if name.startswith("field") else 25, abs=0.01)


OPEN_GOPS = {
    "libx264": {"x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3:b-adapt=0"},
    "libx265": {"x265-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3:b-adapt=0:log-level=none"},
    "mpeg2video": {"g": "12", "bf": "2"},
    "mpeg4": {"g": "12", "bf": "2"},
}


def packets(path):
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def long_clip(path, codec, n=60, size=(96, 128)):
    """A clip of `n` numbered frames with open groups of pictures where the codec has them."""
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no {codec}")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=OPEN_GOPS[codec])
        stream.height, stream.width, stream.pix_fmt, stream.bit_rate = *size, "yuv420p", 2_000_000
        for i in range(n):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(i, *size), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def remux(source, path, first=0, hidden=0):
    """The packets of `source` from number `first` on, as others cut clips without encoding them again."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(packet for packet in old.demux(video=0) if packet.size):
            if number >= first:
                packet.stream = stream
                new.mux(packet)
    return path


def second_key(path):
    return [number for number, packet in enumerate(packets(path)) if packet.is_keyframe][1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *(("libx264", suffix) for suffix in (".ts", ".mkv", ".avi", ".mp4", ".flv", ".h264")),
        *(("libx265", suffix) for suffix in (".ts", ".mkv", ".mp4", ".hevc")),
        ("mpeg2video", ".ts"),
        ("mpeg2video", ".mpg"),
        ("mpeg4", ".avi"),
    ],
)
def test_leading_pictures_of_a_cut_open_gop_are_skipped(tmp_path, codec, suffix):
    whole = long_clip(tmp_path / "whole.ts", codec) if codec != "mpeg4" else long_clip(tmp_path / "whole.avi", codec)
    path = remux(whole, tmp_path / f"cut{suffix}", second_key(whole))
    seen, frames = agreed(path)
    numbers = [number(frame.image) for frame in frames]
    assert frames[0].keyframe and numbers == list(range(numbers[0], 60))
    # MP4 hides with an edit list what comes before its start: so these are not shown and not skipped either.
    leading = sum(packet.pts < packets(whole)[second_key(whole)].pts for packet in packets(whole)[second_key(whole) :])
    assert seen.skipped in ({0, leading} if suffix == ".mp4" else {leading}) and 0 < numbers[0] <= 24


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
@pytest.mark.parametrize("suffix", [".ts", ".mkv"])
@pytest.mark.parametrize("first", [1, 5])
def test_what_comes_before_the_first_key_frame_is_skipped_and_counted(tmp_path, codec, suffix, first):
    whole = long_clip(tmp_path / "whole.ts", codec)
    path = remux(whole, tmp_path / f"cut{suffix}", first)
    seen, frames = agreed(path)
    numbers = [number(frame.image) for frame in frames]
    assert numbers == list(range(numbers[0], 60)) and seen.skipped >= second_key(whole) - first
    assert seen.skipped + len(frames) == 60 - first
    with pytest.raises(VideoError, match=rf"ends at {len(frames) - 1} \({seen.skipped} before the first key frame not"):
        list(video.read_frames(path, [60]))


def test_frames_read_apart_come_with_the_number_of_those_skipped(tmp_path):
    whole = long_clip(tmp_path / "whole.ts", "libx264")
    taken = list(video.read_apart(remux(whole, tmp_path / "cut.ts", 4), 5))
    assert len(taken) == 5 and {one.skipped for one in taken} == {video.probe(tmp_path / "cut.ts").skipped}
    assert taken[0].skipped >= second_key(whole) - 4


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_damage_after_the_first_key_frame_is_damage(tmp_path, codec):
    """Also where the start is cut: bytes of a frame behind it are changed."""
    whole = long_clip(tmp_path / "whole.ts", codec)
    data = bytearray(remux(whole, tmp_path / "cut.mkv", second_key(whole)).read_bytes())
    victim = bytes(packets(tmp_path / "cut.mkv")[15])
    at = data.index(victim)
    data[at + 12 : at + len(victim)] = bytes(len(victim) - 12)
    (tmp_path / "cut.mkv").write_bytes(data)
    with pytest.raises(VideoError, match="damaged from about frame"):
        list(video.read_frames(tmp_path / "cut.mkv"))


def test_a_clip_without_a_key_frame_is_refused(tmp_path):
    whole = long_clip(tmp_path / "whole.ts", "libx264", n=12)
    path = remux(whole, tmp_path / "none.ts", 1)
    for read in (video.probe, lambda p: list(video.read_frames(p))):
        with pytest.raises(VideoError, match=r"none\.ts: (damaged|not one frame|not a readable)"):
            read(path)


def test_interlaced_frames_are_counted_by_decoding(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"x264-params": "interlaced=1"})
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for i in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(i, 96, 128), format="rgb24")))
        container.mux(stream.encode(None))
    seen, frames = agreed(path)
    assert [number(frame.image) for frame in frames] == list(range(20)) and seen.skipped == 0


def edited(path, start, length):
    """Change the edit list of an MP4 that PyAV wrote: it shows `length` frames from frame `start` on."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = int(1 / (stream.average_rate * stream.time_base))
    data = bytearray(path.read_bytes())
    movie = int.from_bytes(data[(at := data.index(b"mvhd") + 16) : at + 4])
    entry = data.index(b"elst") + 12  # version 0: duration in the movie's clock, start in the stream's
    assert int.from_bytes(data[entry - 4 : entry]) == 1
    media = int.from_bytes(data[entry + 4 : entry + 8])
    data[entry : entry + 8] = (length * movie // 25).to_bytes(4) + (media + start * frame).to_bytes(4)
    path.write_bytes(data)


@pytest.mark.parametrize(("start", "length"), [(15, 20), (0, 20), (30, 30), (7, 5), (59, 1)])
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_an_edit_list_says_which_frames_are_shown(tmp_path, start, length, suffix):
    path = encode(tmp_path / f"a{suffix}", [numbered(i) for i in range(60)])
    edited(path, start, length)
    seen, frames = agreed(path)
    numbers = [number(frame.image) for frame in frames]
    assert numbers[0] == start and numbers == list(range(start, start + len(frames)))
    assert abs(len(frames) - length) <= 2 or start + len(frames) == 60  # FFmpeg ends at whole groups of B-frames
    assert seen.declared_frames == 60


def test_a_cut_file_with_an_edit_list_is_cut_short(tmp_path):
    path = encode(tmp_path / "a.mp4", [numbered(i, 96, 128) for i in range(60)])
    edited(path, 10, 40)
    whole = with_index_first(path, tmp_path / "whole.mp4")
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(VideoError, match=r"cut short, \d+ of \d+ frames"):
        video.probe(tmp_path / "cut.mp4")


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_joined_transport_streams_are_one_clip(tmp_path, codec):
    one = long_clip(tmp_path / "one.ts", codec, 24).read_bytes()
    for path, parts in ((tmp_path / "two.ts", 2), (tmp_path / "three.ts", 3)):
        path.write_bytes(one * parts)
        seen, frames = agreed(path)
        assert [number(frame.image) for frame in frames] == list(range(24)) * parts
        assert seen.fps == pytest.approx(25, abs=0.01)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_counters_that_are_always_wrong_are_no_damage(tmp_path, codec):
    data = bytearray(long_clip(tmp_path / "a.ts", codec).read_bytes())
    for at in range(3, len(data), 188):
        data[at] &= 0xF0
    (tmp_path / "a.ts").write_bytes(data)
    assert [number(frame.image) for frame in agreed(tmp_path / "a.ts")[1]] == list(range(60))


@pytest.mark.parametrize("codec", ["libx264", "libx265", "mpeg2video"])
def test_lost_packets_of_a_transport_stream_are_damage(tmp_path, codec):
    good = long_clip(tmp_path / "a.ts", codec).read_bytes()
    frames = [frame.image.astype(int) for frame in video.read_frames(tmp_path / "a.ts")]
    rng, silent = np.random.default_rng(0), 0
    for _ in range(12):
        at, n = 188 * int(rng.integers(20, len(good) // 188 - 8)), int(rng.integers(1, 5))
        (tmp_path / "bad.ts").write_bytes(good[:at] + good[at + 188 * n :])
        try:
            read = list(video.read_frames(tmp_path / "bad.ts"))
            silent += any(abs(frames[number(frame.image)] - frame.image).mean() > 12 for frame in read)
        except VideoError as error:
            assert "damaged from about frame" in str(error)
    assert silent == 0


# --- the right stream, and the right pixels --------------------------------------------------------------------------


def streams(path, *sizes, default=0, n=6):
    """A file of several video streams of `sizes` (height, width); each shows its own gray."""
    with av.open(str(path), "w") as container:
        made = []
        for i, (height, width) in enumerate(sizes):
            stream = container.add_stream("libx264", rate=25)
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
            stream.disposition = av.stream.Disposition.default if i == default else av.stream.Disposition(0)
            made.append(stream)
        for k in range(n):
            for i, stream in enumerate(made):
                length = n if i != 2 else 3
                if k < length:
                    gray = np.full((stream.height, stream.width, 3), 40 + 60 * i, np.uint8)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="rgb24")))
        for stream in made:
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
@pytest.mark.parametrize(
    ("sizes", "default", "best"),
    [
        ([(48, 64), (96, 128)], 1, 1),  # a preview first
        ([(48, 64), (96, 128)], 0, 1),  # which is even the default one
        ([(96, 128), (48, 64)], 1, 0),
        ([(48, 64), (96, 128), (96, 128)], 2, 1),  # of equal size: the longest
    ],
)
def test_the_best_stream_is_read(tmp_path, suffix, sizes, default, best):
    path = streams(tmp_path / f"a{suffix}", *sizes, default=default)
    seen, frames = agreed(path)
    assert (seen.height, seen.width) == sizes[best] and len(frames) == 6
    assert all(abs(frame.image.mean() - (40 + 60 * best)) < 3 for frame in frames)


def with_aspect(path, aspect, images, rotation=0):
    """A clip whose pixels are `aspect` times as wide as high."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *images[0].shape[:2], "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(4, 3), (48, 86)),
        (Fraction(8, 9), (54, 64)),
        (Fraction(16, 15), (48, 68)),
        (Fraction(2), (48, 128)),
        (Fraction(101, 100), (48, 64)),  # nearly square: resampling would only blur
    ],
)
def test_pixels_are_shown_square(tmp_path, suffix, aspect, size):
    path = tmp_path / f"a{suffix}"
    with_aspect(path, aspect, [numbered(i) for i in range(5)])
    seen, frames = agreed(path)
    assert (seen.height, seen.width) == size and [number(frame.image) for frame in frames] == list(range(5))


def test_turned_clips_with_pixels_that_are_not_square(tmp_path):
    path = tmp_path / "a.mp4"
    with_aspect(path, Fraction(2), [numbered(5)], rotation=90)
    seen, frames = agreed(path)
    assert (seen.height, seen.width) == (128, 48) and number(np.rot90(frames[0].image, -1)) == 5


def test_an_absurd_shape_of_pixels_is_refused(tmp_path):
    path = tmp_path / "a.mkv"
    with_aspect(path, Fraction(400), [numbered(5, 480, 640)])
    for read in (video.probe, lambda p: list(video.read_frames(p))):
        with pytest.raises(
            VideoError, match=r"a\.mkv: its pixels are .* times as wide as high.*; re-encode it with square"
        ):
            read(path)


def pq(light):
    """SMPTE ST 2084: light (1 = 10,000 cd/m2) -> signal."""
    power = np.asarray(light, float) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg(light):
    """ARIB STD-B67: light of the scene (1 = peak) -> signal."""
    light = np.asarray(light, float)
    bright = 0.17883277 * np.log(np.maximum(12 * light - 0.28466892, 1e-9)) + 0.55991073
    return np.where(light <= 1 / 12, np.sqrt(3 * light), bright)


TRANSFERS = {  # number in H.273, signal of light that is relative to the white of SDR (203 cd/m2)
    "PQ": (16, lambda light: pq(light * 203 / 10_000)),
    "HLG": (18, lambda light: hlg((light * 203 / 1000) ** (1 / 1.2))),  # system gamma of a display of 1,000 cd/m2
}


def gray_hdr(path, kind, grays, codec="ffv1", colours=True):
    """A clip in PQ or HLG, 10 bits: vertical bars that should be shown as the SDR grays `grays`."""
    trc, signal = TRANSFERS[kind]
    luma = np.round(64 + 876 * signal((np.asarray(grays) / 255) ** 2.4)).astype(np.uint16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 16 * len(grays), "yuv420p10le"
        context = stream.codec_context
        context.color_trc = trc
        if colours:
            context.color_primaries, context.colorspace, context.color_range = 9, 9, 1
        for _ in range(3):
            frame = av.VideoFrame(16 * len(grays), 48, "yuv420p10le")
            for plane, values in zip(frame.planes, (luma, [512] * len(grays), [512] * len(grays)), strict=True):
                row = np.repeat(np.asarray(values, np.uint16), plane.width // len(grays))
                padded = np.zeros((plane.height, plane.line_size // 2), np.uint16)
                padded[:, : plane.width] = row
                plane.update(padded.tobytes())
            frame.color_trc, frame.colorspace, frame.color_range = trc, 9, 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRANSFERS)
@pytest.mark.parametrize("colours", [True, False])
def test_high_dynamic_range_is_shown_as_sdr(tmp_path, kind, colours):
    grays = [20, 60, 100, 128, 180, 220]
    path = gray_hdr(tmp_path / "a.mkv", kind, grays, colours=colours)
    _, frames = agreed(path)
    bars = frames[1].image.reshape(48, len(grays), 16, 3)[:, :, 4:12].mean(axis=(0, 2))
    assert abs(bars - np.array(grays)[:, None]).max() < 10 and np.ptp(bars, axis=1).max() < 3
    assert abs(bars[3:].mean() - np.mean(grays[3:])) < 6


def test_high_dynamic_range_that_cannot_be_mapped_is_refused(tmp_path, monkeypatch):
    path = gray_hdr(tmp_path / "a.mkv", "PQ", [20, 100])
    monkeypatch.setattr(showing, "_TO_SDR", "out_transfer=nothing")
    for read in (video.probe, lambda p: list(video.read_frames(p))):
        with pytest.raises(VideoError, match=r"a\.mkv: its pixels \(PQ\) cannot be converted to RGB; re-encode it"):
            read(path)


def test_sdr_pixels_are_those_of_ffmpeg(clip):
    with av.open(str(clip)) as container:
        expected = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert all((frame.image == image).all() for frame, image in zip(video.read_frames(clip), expected, strict=True))


# --- photographs in other formats ------------------------------------------------------------------------------------

BRANDS = {"HEIC": (b"heic", b"mif1", b"heix"), "AVIF": (b"avif",)}


@pytest.mark.parametrize(("kind", "brand"), [(kind, brand) for kind, brands in BRANDS.items() for brand in brands])
def test_photographs_in_tiles_are_named_and_never_a_tile(tmp_path, kind, brand):
    """Only the first bytes count: FFmpeg would read the rest as a video, each tile as a stream."""
    for name in ("a.heic", "a.mp4", "a"):
        path = tmp_path / name
        path.write_bytes(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(4000))
        assert video.is_image(path)
        with pytest.raises(VideoError, match=r"format HEIC.*; save it as JPEG" if kind == "HEIC" else "not a readable"):
            video.read_image(path)
        with pytest.raises(VideoError, match=rf"a photograph \(format {kind}\), not a video"):
            list(video.read_frames(path))


def test_other_formats_of_photographs_are_named(tmp_path):
    (tmp_path / "a.jxl").write_bytes(b"\xff\x0a" + bytes(100))
    Image.new("RGB", (64, 64)).save(tmp_path / "a.jp2")
    for name, kind in (("a.jxl", "JPEG XL"), ("a.jp2", "JPEG 2000")):
        assert video.is_image(tmp_path / name)
        with pytest.raises(
            VideoError, match=rf"a photograph in the format {kind}, which this kit cannot read; save it"
        ):
            video.read_image(tmp_path / name)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    with pytest.raises(VideoError, match=r"a photograph \(format PNG\), not a video; give a clip"):
        video.probe(tmp_path / "a.png")


@pytest.mark.skipif(not features.check("avif"), reason="this build of Pillow reads no AVIF")
def test_avif_photographs_are_whole_and_of_sdr(tmp_path):
    pixels = np.kron(np.random.default_rng(0).integers(0, 256, (9, 12, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.avif", quality=95)
    image = video.read_image(tmp_path / "a.avif")
    assert image.shape == pixels.shape and abs(image.astype(int) - pixels).mean() < 8
    data = (tmp_path / "a.avif").read_bytes()
    at = data.index(b"colrnclx") + 8
    for transfer, kind in ((16, "PQ"), (18, "HLG")):
        (tmp_path / "b.avif").write_bytes(data[: at + 2] + transfer.to_bytes(2) + data[at + 4 :])
        with pytest.raises(VideoError, match=rf"an AVIF photograph in {kind} \(high dynamic range\); save it"):
            video.read_image(tmp_path / "b.avif")


SUFFIXES = {
    ".mts": ("mpegts", "libx264"), ".m2ts": ("mpegts", "libx264"), ".ts": ("mpegts", "mpeg2video"),
    ".wmv": ("asf", "wmv2"), ".3gp": ("3gp", "libx264"), ".flv": ("flv", "flv"), ".vob": ("vob", "mpeg2video"),
    ".ogv": ("ogg", "theora"), ".gif": ("gif", "gif"), ".mpg": ("mpeg", "mpeg1video"), ".m4v": ("mp4", "mpeg4"),
    ".h264": ("h264", "libx264"), ".webm": ("webm", "libvpx-vp9"), ".qt": ("mov", "mjpeg"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_container_that_a_folder_is_searched_for_is_read(tmp_path, suffix):
    kind, codec = SUFFIXES[suffix]
    try:
        av.Codec(codec, "w")
    except ValueError:
        pytest.skip(f"this build of PyAV has no encoder {codec}")
    path = tmp_path / f"a{suffix.upper()}"
    pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt, stream.bit_rate = 48, 64, pix_fmt, 2_000_000
        for i in range(12):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(numbered(i), format="rgb24").reformat(format=pix_fmt))
            )
        container.mux(stream.encode(None))
    assert suffix in video.CLIP_SUFFIXES
    assert [number(frame.image) for frame in agreed(path)[1]] == list(range(12))
