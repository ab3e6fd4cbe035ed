"""Bad input of every kind through the doors that users have: one sentence, an exit status, and nothing half-written.

Each case is a row: a name, what makes the file, and the words that the sentence must hold. What a traceback would look
like is looked for in all that is printed.
"""

import errno
import json
import os
import re
import shutil
import struct
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pooch  # noqa: F401 (it logs to the stderr of its first import, which must not be that of one test)
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mesokit import cli, evaluation, models, scan, video, weights
from mesokit.backend import keras
from mesokit.dataset import manifest, sources

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
FRAME = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights and pipes are others on this system")
NOBODY = 65534


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "data_scripts"))
    yield
    for path in (ROOT / "data_scripts").glob("*.py"):
        sys.modules.pop(path.stem, None)


def status(main, *arguments):
    """The exit status of a command line, argparse's own refusals included."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stopped:
        return stopped.code


def sentence(capsys, words):
    """A line of stderr must hold `words`, and nothing a traceback."""
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert any(words in line for line in said.err.splitlines()), said.err
    return said.err


# --- clips and photographs --------------------------------------------------------------------------------------------


def clip(path, n=3, **options):
    video.write_clip(path, [FRAME] * n, 25, **options)


def damaged(path, change):
    good = path.with_name("good.mp4")
    clip(good, 12)
    data = good.read_bytes()
    good.unlink()
    path.write_bytes(change(data))


def sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def encoded(path, size=(48, 64), codec="libx264", pix_fmt="yuv420p", pts=range(4), rotation=0, aspect=1):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)
        if rotation:
            stream.set_display_rotation(rotation)
        for i in pts:
            frame = av.VideoFrame.from_ndarray(np.full((*size, 3), 90, np.uint8), format="rgb24")
            frame.pts = i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def photo(path, mode="RGB", kind="PNG", **options):
    Image.new(mode, (64, 48)).save(path, kind, **options)


def huge(path):
    """A PNG of a few bytes that says it has 10,000 x 10,000 pixels."""
    photo(path)
    data = bytearray(path.read_bytes())
    data[16:24] = (10_000).to_bytes(4, "big") * 2
    import zlib

    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)


def huge_clip(path):
    """A clip of 64x48 that says in its header and in each frame that it has 60,000 x 50,000."""
    encoded(path, codec="mjpeg", pix_fmt="yuvj420p")
    data = path.read_bytes()
    for said, size, other in (("<II", (64, 48), (60_000, 50_000)), (">BHH", (8, 48, 64), (8, 50_000, 60_000))):
        assert struct.pack(said, *size) in data
        data = data.replace(struct.pack(said, *size), struct.pack(said, *other))
    path.write_bytes(data)


def transport(path, change):
    """A transport stream of 50 frames, of which `change` gives the packets of 188 bytes that are left."""
    encoded(path, pts=range(50))
    data = path.read_bytes()
    path.write_bytes(b"".join(change([data[at : at + 188] for at in range(0, len(data), 188)])))


TILES = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(4000)
NOT_VIDEO = "not a readable video"
NO_FACE = "no face of at least 40 pixels"
EXIF = Image.Exif()
EXIF[0x0112] = 6
FILES = [  # name, maker, verdict, words of the reason
    ("empty.mp4", lambda p: p.write_bytes(b""), "error", "the file is empty"),
    ("text.mp4", lambda p: p.write_text("a shopping list"), "error", NOT_VIDEO),
    ("zeros.mp4", lambda p: p.write_bytes(bytes(5000)), "error", NOT_VIDEO),
    ("noise.mp4", lambda p: p.write_bytes(np.random.default_rng(1).bytes(5000)), "error", NOT_VIDEO),
    ("half.mp4", lambda p: damaged(p, lambda d: d[: len(d) // 2]), "error", NOT_VIDEO),
    ("no_head.mp4", lambda p: damaged(p, lambda d: d[200:]), "error", NOT_VIDEO),
    ("one_byte.mp4", lambda p: p.write_bytes(b"x"), "error", NOT_VIDEO),
    ("concat.mp4", lambda p: p.write_text("ffconcat version 1.0\nfile 'one.mp4'\n"), "error", NOT_VIDEO),
    ("playlist.mp4", lambda p: p.write_text("#EXTM3U\n#EXTINF:9,\none.mp4\n#EXT-X-ENDLIST\n"), "error", NOT_VIDEO),
    ("sound.mp4", sound, "error", "holds no video"),
    ("huge.avi", huge_clip, "error", NOT_VIDEO),
    ("zip.mp4", lambda p: p.write_bytes(b"PK\x05\x06" + bytes(18)), "error", NOT_VIDEO),
    ("one.mp4", lambda p: clip(p, 1), "abstain", NO_FACE),
    ("odd.mkv", lambda p: encoded(p, (49, 63), "ffv1", "bgr0"), "abstain", NO_FACE),
    ("turned.mp4", lambda p: encoded(p, rotation=90), "abstain", NO_FACE),
    ("uneven.mp4", lambda p: encoded(p, pts=(0, 1, 9, 40)), "abstain", NO_FACE),
    ("ten_bit.mkv", lambda p: encoded(p, pix_fmt="yuv420p10le", codec="libx264"), "abstain", NO_FACE),
    ("small.mp4", lambda p: encoded(p, (2, 2)), "abstain", NO_FACE),
    ("a b.mp4", clip, "abstain", NO_FACE),
    ("quote'\".mp4", clip, "abstain", NO_FACE),
    ("new\nline.mp4", clip, "abstain", NO_FACE),
    ("<script>alert(1)</script>.mp4".replace("/", "_"), clip, "abstain", NO_FACE),
    ("=1+1.mp4", clip, "abstain", NO_FACE),
    ("%03d.mp4", clip, "abstain", NO_FACE),
    ("ü日本.mp4", clip, "abstain", NO_FACE),
    ("-i.mp4", clip, "abstain", NO_FACE),
    ("empty.jpg", lambda p: p.write_bytes(b""), "error", "the file is empty"),
    ("text.png", lambda p: p.write_text("no picture"), "error", "not a readable photograph"),
    ("cut.png", lambda p: (photo(p), p.write_bytes(p.read_bytes()[:60])), "error", "not a readable photograph"),
    ("cmyk.jpg", lambda p: photo(p, "CMYK", "JPEG"), "error", "pixels of type CMYK"),
    ("deep.png", lambda p: photo(p, "I;16"), "error", "pixels of type I;16"),
    ("huge.png", huge, "error", "is over 89478485 pixels"),
    ("moving.webp", lambda p: photo(p, kind="WEBP", save_all=True, append_images=[Image.new("RGB", (64, 48), "red")]),
     "error", "holds several pictures"),
    ("alpha.png", lambda p: photo(p, "RGBA"), "abstain", NO_FACE),
    ("gray.png", lambda p: photo(p, "L"), "abstain", NO_FACE),
    ("turned.jpg", lambda p: photo(p, kind="JPEG", exif=EXIF), "abstain", NO_FACE),
    ("photo.mp4", photo, "abstain", NO_FACE),
    ("tiles.heic", lambda p: p.write_bytes(TILES), "error", "the format HEIC, which this kit cannot read"),
    ("tiles.mp4", lambda p: p.write_bytes(TILES), "error", "the format HEIC, which this kit cannot read"),
    ("photo.jp2", lambda p: photo(p, kind="JPEG2000"), "error", "a photograph in the format JPEG 2000"),
    ("photo.jxl", lambda p: p.write_bytes(b"\xff\x0a" + bytes(99)), "error", "a photograph in the format JPEG XL"),
    ("cut.heic", lambda p: p.write_bytes(TILES[:6]), "error", "not a readable photograph"),
    ("joined.ts", lambda p: transport(p, lambda parts: parts * 2), "abstain", NO_FACE),
    ("lost.ts", lambda p: transport(p, lambda parts: parts[:20] + parts[23:]), "error", "damaged from about frame"),
    ("squeezed.mkv", lambda p: encoded(p, aspect=2), "abstain", NO_FACE),
    ("absurd.mkv", lambda p: encoded(p, (480, 640), aspect=400), "error", "re-encode it with square pixels"),
    ("clip.MTS", lambda p: (encoded(p.with_suffix(".ts")), p.with_suffix(".ts").rename(p)), "abstain", NO_FACE),
]  # fmt: skip


def only(monkeypatch, *found):
    """Let each frame have the faces `found`, without a network."""
    monkeypatch.setattr(scan.faces, "load", lambda: None)
    monkeypatch.setattr(scan.faces.following, "propose", lambda *rest: np.empty((0, 6)))
    monkeypatch.setattr(scan.faces.following, "refine", lambda *rest: [*found])


@pytest.mark.parametrize(("name", "make", "verdict", "words"), FILES, ids=[ascii(case[0]) for case in FILES])
def test_files(tmp_path, monkeypatch, name, make, verdict, words):
    only(monkeypatch)
    make(tmp_path / name)
    one = scan.judge(tmp_path / name, lambda images: np.ones(len(images)))
    assert one.verdict == verdict and words in one.reason
    assert "\n" not in one.reason and "Traceback" not in one.reason
    assert json.loads(json.dumps(one.record()))["p_real"] is None
    page = scan.page([one], "w", "mean", 0.5)
    assert "<script>alert" not in page


def text(words):
    return lambda path: path.write_text(words)


NOT_CLIPS = [  # what is given by mistake
    ("films.zip", lambda p: zipfile.ZipFile(p, "w").writestr("a.mp4", "x"), "it is a zip archive; unpack it"),
    ("clips.csv", text("clip,path\n"), "it is a text file, such as a table"),
    ("page.mp4", text("<!DOCTYPE html>"), "it is a web page, not the file"),
    ("pointer.mp4", text("version https://git-lfs.github.com/spec/v1\n"), "it is a pointer of Git LFS"),
    ("film.url", text("[InternetShortcut]"), "it is a shortcut; give the file that it leads to"),
    ("net.h5", lambda p: p.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(99)), "it is an HDF5 file"),
    ("net.pth", lambda p: zipfile.ZipFile(p, "w").writestr("net/data.pkl", "x"), "it is a file of weights"),
    ("link.mp4", lambda p: p.symlink_to("gone.mp4"), "a link to gone.mp4, which is not there"),
    ("photo.j2k", lambda p: photo(p, kind="JPEG2000"), "a photograph in the format JPEG 2000"),
    ("photo", lambda p: photo(p, kind="JPEG2000"), "a photograph in the format JPEG 2000"),
    ("jpeg2000.mp4", lambda p: photo(p, kind="JPEG2000"), "a photograph in the format JPEG 2000"),
    ("photo.ppm", lambda p: photo(p, kind="PPM"), "not a readable photograph; open it and save it again as PNG"),
    ("photo.nef", lambda p: photo(p, kind="TIFF"), "of a camera's raw file, which this kit cannot read"),
    ("paper.pdf", lambda p: photo(p, kind="PDF"), "it is a PDF document"),
]


@pytest.mark.parametrize(("name", "make", "words"), NOT_CLIPS, ids=[case[0] for case in NOT_CLIPS])
def test_what_is_no_clip_is_named_as_what_it_is(tmp_path, name, make, words):
    make(tmp_path / name)
    one = scan.judge(tmp_path / name, len)
    assert one.verdict == "error" and words in one.reason and "\n" not in one.reason


def test_a_folder_of_them_is_one_run(tmp_path, monkeypatch, capsys):
    only(monkeypatch)
    monkeypatch.setattr(evaluation, "scorer", lambda network: lambda images: np.ones(len(images)))
    for name, make, _, _ in FILES:
        make(tmp_path / name)
    with open(os.fsencode(tmp_path) + b"/\xff.mp4", "wb") as file:  # noqa: PTH123 (a name that is no text)
        file.write(b"x")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    page = tmp_path / "page.html"
    assert cli.main(["scan", str(tmp_path), "--json", "--html", str(page)]) == 1
    said = capsys.readouterr()
    found = {Path(one["path"]).name: one["verdict"] for one in json.loads(said.out)["clips"]}
    assert {name: found[name] for name, *_ in FILES} == {name: verdict for name, _, verdict, _ in FILES}
    assert "Traceback" not in said.err and page.is_file()
    assert cli.main(["scan", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "new\nline" not in said.out and "Traceback" not in said.err


# --- tables -----------------------------------------------------------------------------------------------------------

ROW = {
    "clip": "a", "path": "a.mp4", "method": "real", "label": "real", "identity": "a", "source": "", "group": "g",
    "split": "train", "crf": "", "fps": "", "frames": "", "width": "", "height": "", "sha256": "",
}  # fmt: skip
OTHER = {**ROW, "clip": "b", "path": "b.mp4", "group": "h", "split": "test"}


def table(*rows, drop=()):
    return pd.DataFrame(rows).drop(columns=list(drop)).to_csv(index=False).encode()


TABLES = [
    ("empty", b"", "not a CSV table"),
    ("blank", b"\n\n\n", "not a CSV table"),
    ("binary", bytes(range(256)) * 9, "not a CSV table"),
    ("semicolons", table(ROW).replace(b",", b";"), "separated by semicolons"),
    ("tabs of Excel", table(ROW).decode().replace(",", "\t").encode("utf-16"), "separated by tabs"),
    ("a code page of Windows", table({**ROW, "method": "ü"}).decode().encode("cp1252"), "save it again as CSV UTF-8"),
    ("a zip archive", b"PK\x03\x04" + bytes(range(256)), "it is a zip archive"),
    ("ragged", table(ROW) + b"a,b,c," + b"x," * 40, "not a CSV table"),
    ("open quote", table(ROW) + b'"never closed', "not a CSV table"),
    ("header only", table(ROW).split(b"\n")[0] + b"\n", "no rows"),
    ("no columns", table(ROW, drop=["group", "path"]), "the columns path, group are missing"),
    ("column twice", b"clip," + table(ROW).replace(b"\na,", b"\na,a,"), "the column clip is there twice"),
    ("text for a number", table({**ROW, "frames": "many"}), "the column frames should hold whole numbers"),
    ("half a frame", table({**ROW, "frames": "1.5"}), "the column frames should hold whole numbers"),
    ("too many", table({**ROW, "frames": "9" * 30}), "the column frames should hold whole numbers"),
    ("negative", table({**ROW, "frames": "-5"}), "the column frames holds -5"),
    ("infinite", table({**ROW, "fps": "inf"}), "the column fps holds inf"),
    ("no label", table({**ROW, "label": ""}), "the column label is empty in row 1"),
    ("label", table({**ROW, "label": "fake"}), "it may hold forged, real"),
    ("split", table({**ROW, "split": "Train"}), "it may hold train, val, test"),
    ("crf", table({**ROW, "crf": "52"}), "the column crf must lie between 0 and 51"),
    ("key", table({**ROW, "clip": "../a"}), "may hold letters, digits"),
    ("key of HTML", table({**ROW, "clip": "<b>"}), "may hold letters, digits"),
    ("twice", table(ROW, ROW), "two rows have the same clip and crf"),
    ("a group in two splits", table(ROW, {**OTHER, "group": "g"}), "is in two splits"),
    ("up", table({**ROW, "path": "../a.mp4"}), "leaves the dataset"),
    ("up inside", table({**ROW, "path": "x/../../a.mp4"}), "leaves the dataset"),
    ("absolute", table({**ROW, "path": "/etc/passwd"}), "leaves the dataset"),
    ("drive", table({**ROW, "path": "C:a.mp4"}), "leaves the dataset"),
    ("share", table({**ROW, "path": "\\\\host\\a.mp4"}), "leaves the dataset"),
    ("mask", table({**ROW, "mask": "../m.mp4"}), "leaves the dataset"),
]


FACE = {"face": "a", "path": "a.jpg", "keep": "True", "label": "real", "method": "real", "identity": "a", "group": "g",
        "split": "train"}  # fmt: skip


def faces(*rows, drop=()):
    columns = [column for column in manifest.FACES if column not in drop]
    return pd.DataFrame(rows).reindex(columns=columns).to_csv(index=False).encode()


FACES = [
    ("no columns", faces(FACE, drop=["sharpness"]), "the columns sharpness are missing"),
    ("header only", faces(FACE).split(b"\n")[0] + b"\n", "no rows"),
    ("twice", faces(FACE, FACE), "two rows have the same face ['a']"),
    ("keep", faces({**FACE, "keep": "yes"}), "the column keep should hold True or False"),
    ("no keep", faces({**FACE, "keep": ""}), "the column keep is empty in row 1"),
    ("a clip without its frame", faces({**FACE, "clip": "a"}), "the column frame is empty in row 1"),
    ("absolute", faces({**FACE, "path": "/etc/passwd"}), "leaves the dataset"),
    ("mask", faces({**FACE, "mask": "../m.png"}), "leaves the dataset"),
    ("a group in two splits", faces(FACE, {**FACE, "face": "b", "split": "test"}), "is in two splits"),
]


@pytest.mark.parametrize(("name", "data", "words"), FACES, ids=[case[0] for case in FACES])
def test_tables_of_faces(tmp_path, scripts, capsys, name, data, words):
    import extract_faces

    path = tmp_path / "faces.csv"
    path.write_bytes(data)
    assert status(extract_faces.main, path, "--out", tmp_path / "out") == 2
    assert str(path) in sentence(capsys, words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "data", "words"), TABLES, ids=[case[0] for case in TABLES])
def test_tables(tmp_path, scripts, capsys, name, data, words):
    import compress_clips
    import extract_faces

    path = tmp_path / "clips.csv"
    path.write_bytes(data)
    for main in (extract_faces.main, compress_clips.main):
        assert status(main, path, "--out", tmp_path / "out") == 2
        assert str(path) in sentence(capsys, words)
        assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="clips.csv"):
        extract_faces.main([str(path), "--out", str(tmp_path / "out"), "--debug"])


LINKS = [  # what is a link, where to, and the column that leads through it
    ("a clip", "in/a.mp4", "a.mp4", {"path": "a.mp4"}),
    ("a folder", "in/clips", ".", {"path": "clips/a.mp4"}),
    ("a mask", "in/m.mp4", "a.mp4", {"path": "b.mp4", "mask": "m.mp4"}),
    ("to nothing", "in/a.mp4", "absent.mp4", {"path": "a.mp4"}),
]


@pytest.mark.parametrize(("name", "link", "target", "cells"), LINKS, ids=[case[0] for case in LINKS])
def test_links_out_of_the_folder(tmp_path, scripts, capsys, name, link, target, cells):
    import compress_clips
    import extract_faces

    (tmp_path / "in").mkdir()
    for path in ("a.mp4", "in/b.mp4"):
        clip(tmp_path / path)
    (tmp_path / link).symlink_to(tmp_path / target)
    path = tmp_path / "in" / "clips.csv"
    path.write_bytes(table({**ROW, **cells}))
    for main in (extract_faces.main, compress_clips.main):
        for more in ([], ["--dry-run"] if main is extract_faces.main else ["--crf", "30"]):
            assert status(main, path, "--out", tmp_path / "out", *more) == 2
            said = sentence(capsys, "; give the real folder instead (--root), or copy the files there")
            (line,) = (line for line in said.splitlines() if str(tmp_path) in line)
            assert f"{tmp_path / link}" in line
            assert not (tmp_path / "out").exists()


def test_the_folder_itself_may_be_a_link(tmp_path, scripts):
    import compress_clips

    (tmp_path / "disk").mkdir()
    clip(tmp_path / "disk" / "a.mp4")
    (tmp_path / "in").symlink_to(tmp_path / "disk")
    (tmp_path / "clips.csv").write_bytes(table(ROW))
    arguments = [tmp_path / "clips.csv", "--root", tmp_path / "in", "--out", tmp_path / "out", "--crf", "30"]
    assert status(compress_clips.main, *arguments) == 0
    assert (tmp_path / "out" / "clips" / "30" / "a.mp4").is_file()


USAGE = [
    ("extract_faces", ["absent.csv", "--out", "out"], "no such table"),
    ("extract_faces", [".", "--out", "out"], "no such table"),
    ("extract_faces", ["good.csv", "--out", "out", "--frames", "0"], "frames is 0; give at least 1"),
    ("extract_faces", ["good.csv", "--out", "out", "--frames", "x"], "invalid int value"),
    ("extract_faces", ["good.csv", "--out", "out", "--min-face", "5"], "min_face is 5; give at least 20 pixels"),
    ("extract_faces", ["good.csv", "--out", "out", "--sampling", "random"], "invalid choice: 'random'"),
    ("extract_faces", ["good.csv", "--out", "out", "--workers", "0"], "give at least 1"),
    ("extract_faces", ["good.csv", "--out", "good.csv"], "File exists"),
    ("extract_faces", ["good.csv"], "required: --out"),
    ("compress_clips", ["good.csv", "--out", "out", "--crf", "60"], "between 0 (lossless) and 51"),
    ("compress_clips", ["good.csv", "--out", "out", "--crf", "x"], "invalid int value"),
    ("index_dataset", ["imagenet", ".", "--out", "t.csv"], "invalid choice: 'imagenet'"),
    ("index_dataset", ["dfdc", "absent", "--out", "t.csv"], "no such folder"),
    ("index_dataset", ["celebdf", ".", "--out", "t.csv"], "nothing to index"),
    ("index_dataset", ["dfdc", "dfdc_text", "--out", "t.csv"], "not a JSON file"),
    ("index_dataset", ["dfdc", "dfdc_list", "--out", "t.csv"], "not an object of file names"),
    ("index_dataset", ["dfdc", "dfdc_label", "--out", "t.csv"], "has no label REAL or FAKE"),
    ("index_dataset", ["dfdc", "dfdc_deep", "--out", "t.csv"], "not a JSON file"),
    ("index_dataset", ["dfdc", "dfdc_labels", "--out", "t.csv"], "has no label REAL or FAKE"),
    ("index_dataset", ["dfdc", "dfdc_entry", "--out", "t.csv"], "has no label REAL or FAKE"),
    ("index_dataset", ["folder", "dfdc_none", "--out", "t.csv"], "nothing to index"),
    ("index_dataset", ["folder", "films.zip", "--out", "t.csv"], "no such folder: it is a zip archive; unpack it"),
    ("index_dataset", ["folder", "good.csv", "--out", "t.csv"], "no such folder: it is a text file"),
    ("index_dataset", ["folder", "link", "--out", "t.csv"], "no such folder: a link to gone"),
    ("index_dataset", ["folder", "https://x.org/films", "--out", "t.csv"], "no such folder: a web address"),
    ("extract_faces", ["https://x.org/t.csv", "--out", "out"], "no such table: a web address"),
    ("extract_faces", ["films.zip", "--out", "out"], "not a CSV table: it is a zip archive; unpack it"),
    ("extract_faces", ["far.csv", "--out", "out"], "the paths of the table start from with --root"),
    ("extract_faces", ["far.csv", "--out", "out", "--dry-run"], "start from with --root"),
    ("compress_clips", ["far.csv", "--out", "out"], "the paths of the table start from with --root"),
    ("compress_clips", ["link", "--out", "out"], "no such table: a link to gone"),
    ("index_dataset", ["folder", "celeb", "--out", "t.csv"], "no forged clip"),
    ("index_dataset", ["folder", ".", "--out", "t.csv"], "could be real or forged"),
    ("index_dataset", ["folder", "celeb", "--out", "t.csv", "--forged", "x"], "no folder with clips is called x"),
    ("index_dataset", ["folder", ".", "--out", "t.csv", "--real", "x", "--forged", "X"], "both name x"),
    ("index_dataset", ["dfdc", "dfdc_text", "--out", "t.csv", "--real", "x"], "are for the source folder"),
    ("extract_faces", ["about/clips.csv", "--out", "out"], "not an object of facts"),
    ("extract_faces", ["good.csv", "--out", "out", "--scheduler", "tcp://127.0.0.1:9"], "127.0.0.1:9"),
    ("download", ["nothing"], "nothing to download is called 'nothing'"),
    ("index_dataset", ["celebdf", "celeb", "--out", "t.csv"], "is not a label 0 or 1 and a path"),
    ("index_dataset", ["faceforensics", "ff", "--out", "t.csv"], "not a list of pairs"),
    ("cli", ["scan"], "required: PATH"),
    ("cli", ["scan", "x.mp4", "--frames", "1e3"], "whole number from 1"),
    ("cli", ["scan", "x.mp4", "--frames", "-1"], "whole number from 1"),
    ("cli", ["scan", "x.mp4", "--frames", "9999999"], "whole number from 1"),
    ("cli", ["scan", "x.mp4", "--rule", "best"], "no aggregation rule"),
    ("cli", ["scan", "x.mp4", "--html", "absent/p.html"], "its folder does not exist"),
    ("cli", ["scan", "ff"], "no clip or photograph in there"),
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a good table and datasets whose lists are not as published."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_bytes(table(ROW))
    (tmp_path / "a.mp4").touch()
    (tmp_path / "link").symlink_to("gone")
    (tmp_path / "far.csv").write_bytes(table({**ROW, "path": "far/a.mp4"}))
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.writestr("a.mp4", "x")
    for name, text in (
        ("dfdc_text", "{"), ("dfdc_list", "[]"), ("dfdc_label", '{"a.mp4": {"label": "x"}}'),
        ("dfdc_labels", '{"a.mp4": {"label": ["REAL"]}}'), ("dfdc_entry", '{"a.mp4": null}'),
        ("dfdc_deep", "[" * 99_999), ("dfdc_none", "{}"),
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / ("a.mp4" if name != "dfdc_none" else "a.txt")).touch()
        (tmp_path / name / "metadata.json").write_text(text)
    for path in ("celeb/Celeb-real/id0_0000.mp4", "ff/original_sequences/youtube/c23/videos/000.mp4"):
        (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / "celeb/Celeb-real/id0_0000.mp4").touch()
    (tmp_path / "celeb/List_of_testing_videos.txt").write_text("1 ../../etc/passwd\n")
    (tmp_path / "about").mkdir()
    (tmp_path / "about" / "clips.csv").write_bytes(table(ROW))
    (tmp_path / "about" / "a.mp4").touch()
    (tmp_path / "about" / "dataset.json").write_text("[]")
    return tmp_path


@pytest.mark.parametrize(("script", "arguments", "words"), USAGE, ids=lambda value: str(value)[:40])
def test_usage(place, scripts, capsys, script, arguments, words):
    if arguments[:2] == ["faceforensics", "ff"]:
        (place / "ff/original_sequences/youtube/c23/videos/000.mp4").touch()
        for split in manifest.SPLITS:
            (place / "ff" / f"{split}.json").write_text("[[1, 2, 3]]")
    before = {path for path in place.rglob("*") if path.name != ".lock"}
    main = cli.main if script == "cli" else __import__(script).main
    assert status(main, *arguments) == 2
    sentence(capsys, words)
    left = {path for path in place.rglob("*") if path.name != ".lock"} - before
    assert not [path for path in left if path.is_file()]


def test_a_clip_that_cannot_be_read_is_a_row_of_failures(place, scripts, capsys):
    import extract_faces

    assert status(extract_faces.main, "good.csv", "--out", "out") == 2  # its only clip is empty
    sentence(capsys, "no clip gave a face")
    assert "a.mp4" in pd.read_csv(place / "out" / "failures.csv")["reason"][0]
    assert {path.name for path in (place / "out").iterdir()} == {"failures.csv", ".lock", ".rows"}


def test_compression_goes_on_after_a_bad_clip(place, scripts, capsys):
    import compress_clips

    clip(place / "b.mp4")
    clip(place / "c.mp4", 12)
    (place / "cut.mp4").write_bytes((place / "c.mp4").read_bytes()[:-600])
    rows = [{**ROW, "clip": name, "path": f"{name}.mp4"} for name in ("a", "b", "c", "cut", "gone")]
    (place / "five.csv").write_bytes(table(*rows, {**ROW, "clip": "d", "path": "b.mp4", "mask": "no_mask.mp4"}))
    for _ in range(2):  # the second call makes nothing again and fails alike
        assert status(compress_clips.main, "five.csv", "--out", "out", "--crf", "30", "45") == 1
        said = capsys.readouterr()
        assert "2 clips, 4 of 6 could not be used, see failures.csv" in said.out and "Traceback" not in said.err
        made = manifest.read_clips(place / "out" / "clips.csv")
        assert made[["clip", "crf"]].values.tolist() == [["b", 30], ["b", 45], ["c", 30], ["c", 45]]
        failed = pd.read_csv(place / "out" / "failures.csv").set_index("clip")["reason"]
        assert list(failed.index) == ["a", "cut", "d", "gone"]
        for name, words in (("a", "is empty"), ("d", "no_mask.mp4: the mask"), ("gone", "gone.mp4: no such file")):
            assert words in failed[name] and f"{name}: " in said.err
    (place / "c.mp4").rename(place / "cut.mp4")
    assert status(compress_clips.main, "five.csv", "--out", "out", "--crf", "30", "45") == 1
    assert set(manifest.read_clips(place / "out" / "clips.csv")["clip"]) == {"b", "c", "cut"}


def test_no_clip_to_compress_is_no_table(place, scripts, capsys):
    import compress_clips

    assert status(compress_clips.main, "good.csv", "--out", "out") == 2
    sentence(capsys, "no clip could be encoded; the reasons are in failures.csv")
    assert [path.name for path in (place / "out").iterdir()] == ["failures.csv"]


BROKEN = [  # a command, its arguments, and a function that it calls
    ("mesokit check", ["--no-times"], "mesokit.doctor.check"),
    ("mesokit lab", ["--prepare-only"], "mesokit.files.write"),
    ("mesokit report", [], "mesokit.report.load_preset"),
    ("mesokit reproduce", ["out"], "mesokit.dataset.read"),
    ("mesokit scan", ["x.mp4"], "mesokit.scan.find"),
    ("mesokit shard", ["out"], "mesokit.dataset.manifest.face_table"),
    ("compress_clips", ["good.csv", "--out", "out"], "mesokit.dataset.manifest.read_clips"),
    ("draw_pictures", ["out"], "mesokit.dataset.clips"),
    ("download", ["afchar-meso4-deepfake"], "mesokit.weights.fetch"),
    ("extract_faces", ["good.csv", "--out", "out"], "mesokit.dataset.manifest.read_clips"),
    ("index_dataset", ["dfdc", ".", "--out", "t.csv"], "mesokit.dataset.sources.index"),
    ("make_student", ["--out", "out"], "nbformat.read"),
    ("make_synthetic", ["--out", "out"], "mesokit.synthetic.studio.make"),
    ("measure_forgeries", ["out"], "mesokit.dataset.clips"),
    ("set_reference_times", ["report"], "mesokit.report.read_results"),
    ("train_bundled_weights", ["out"], "mesokit.dataset.read"),
    ("make_network_page", ["out"], "mesokit.weights.load"),
    ("train_swaps", ["--work", "out"], "mesokit.synthetic.studio.in_parallel"),
    ("update_cards", [], "mesokit.files.write"),
]


def test_no_command_is_left_out_of_the_broken_ones():
    scripts = {path.stem: path.read_text() for path in (ROOT / "data_scripts").glob("*.py")}
    under_both_names = {name for text in scripts.values() for name in re.findall(r'cli.command\("(\w+)"', text)}
    alone = {path.stem for path in (ROOT / "mesokit" / "commands").glob("[a-z]*.py")} - under_both_names
    assert {*scripts, *(f"mesokit {name}" for name in alone)} == {one[0] for one in BROKEN}


@pytest.mark.parametrize(("name", "arguments", "inside"), BROKEN, ids=[case[0] for case in BROKEN])
def test_any_error_is_a_sentence_and_with_debug_a_traceback(
    place, scripts, capsys, monkeypatch, name, arguments, inside
):
    for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(variable, "1")  # train_swaps sets them: so they are as before when the test has ended
    main = (lambda argv: cli.main([*name.split()[1:], *argv])) if " " in name else __import__(name).main
    for error, told in (
        (ValueError("the fact; the way out"), "the fact; the way out"),
        (OSError(errno.ENOENT, "No such file", "x"), "[Errno 2] No such file: 'x'"),
        (KeyError("a bug"), "KeyError('a bug'): an unexpected error, see --debug"),
        (KeyboardInterrupt(), "stopped"),
    ):

        def broken(*given, error=error, **named):
            raise error

        monkeypatch.setattr(inside, broken)
        assert status(main, *arguments) == (130 if told == "stopped" else 2)
        assert f"{name}: {told}" in sentence(capsys, told)
        if told != "stopped":
            with pytest.raises(type(error)):
                main(["--debug", *arguments])


# --- weights, through `mesokit scan --weights` ------------------------------------------------------------------------


def other_network(path):
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(16)]).save_weights(path)


def with_code(path):
    inner = [keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Lambda(lambda x: x[:, :1])]
    keras.Sequential(inner).save(path)


def half(path):
    models.meso4(size=32).save(path) if path.suffix == ".keras" else weights.save(models.meso4(size=32), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def not_numbers(path):
    network = models.meso4(size=32)
    network.get_layer("hidden").bias.assign(np.full(16, np.nan))
    weights.save(network, path)


WEIGHTS = [
    ("other.weights.h5", other_network, "not the weights of meso4"),
    ("half.weights.h5", half, "not a whole HDF5 file"),
    ("half.keras", half, "not a whole .keras file"),
    ("code.keras", with_code, "carries code"),
    ("nan.weights.h5", not_numbers, "NaN or infinite"),
    ("text.h5", lambda p: p.write_text("hello"), "not a whole HDF5 file"),
    ("pickle.pkl", lambda p: p.write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR."), "pickle.pkl"),
    ("afchar-meso4-deepfake", lambda p: p.with_name("Meso4_DF.h5").write_text("changed"), "its sha256 is not that"),
    ("afchar-meso4-face2face", lambda p: None, "cannot download afchar-meso4-face2face (no network?)"),
    ("nothing", lambda p: None, "no such weight file"),
]


@pytest.mark.parametrize(("name", "make", "words"), WEIGHTS, ids=[case[0] for case in WEIGHTS])
def test_weights(tmp_path, monkeypatch, capsys, name, make, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MESOKIT_CACHE", str(tmp_path))
    lost = weights.WEIGHTS["afchar-meso4-face2face"]._replace(url="http://127.0.0.1:9/x.h5")
    monkeypatch.setitem(weights.WEIGHTS, "afchar-meso4-face2face", lost)
    clip(tmp_path / "a.mp4")
    make(tmp_path / name)
    before = sorted(tmp_path.iterdir())
    assert status(cli.main, "scan", "a.mp4", "--weights", name, "--html", "page.html") == 2
    sentence(capsys, words)
    assert sorted(tmp_path.iterdir()) == before


def test_an_archive_is_unpacked_nowhere(tmp_path):
    """A .keras file is a zip: members that point out of it are written nowhere."""
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "own.keras"
    models.meso4(size=32).save(path)
    with zipfile.ZipFile(path, "a") as archive:
        for name in ("../evil", "/tmp/mesokit-evil", "assets/../../evil", "evil"):
            archive.writestr(name, "x")
    assert weights.load(path).count_params() > 0
    assert [p for p in tmp_path.rglob("*") if p != path] == [tmp_path / "in"]
    assert not Path("/tmp/mesokit-evil").exists()


# --- disks and rights -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["scan", "index_dataset", "compress_clips", "extract_faces"])
def test_a_full_disk(place, scripts, capsys, monkeypatch, script):
    clip(place / "a.mp4")
    for class_ in ("real", "fake"):
        (place / "videos" / class_).mkdir(parents=True)
        shutil.copy(place / "a.mp4", place / "videos" / class_)
    arguments = {
        "scan": ["a.mp4", "--html", "out.html"],
        "index_dataset": ["folder", "videos", "--out", "out.csv"],
        "compress_clips": ["good.csv", "--out", "out", "--crf", "30"],
        "extract_faces": ["good.csv", "--out", "out"],
    }
    face = scan.faces.Face(
        (9.0, 9.0, 20.0, 20.0), 0.9, np.array([[12, 15], [25, 15], [18, 20], [13, 25], [24, 25]], "f")
    )
    only(monkeypatch, face)
    monkeypatch.setattr(evaluation, "scorer", lambda network: lambda images: np.ones(len(images)))
    write = Path.write_bytes

    def full(path, data):
        write(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    before = set(place.rglob("*"))
    monkeypatch.setattr(Path, "write_bytes", full)
    main = cli.main if script == "scan" else __import__(script).main
    assert status(main, *["scan"][: script == "scan"], *arguments[script]) == 2
    sentence(capsys, "No space left on device")
    left = [path for path in set(place.rglob("*")) - before if path.is_file() and ".part" not in path.parts]
    assert [path for path in left if path.suffix != ".mp4" and path.name != ".lock"] == []


@contextmanager
def without_rights():
    """As a user who may not do everything: root becomes nobody."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def closed():
    """A folder that may be read, not written, with a table, a clip, and a table and a clip that may not be read."""
    folder = Path(tempfile.mkdtemp())  # not tmp_path, into which nobody may go
    (folder / "clips").mkdir()
    for name in ("clips/real/a.mp4", "clips/fake/b.mp4", "secret.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        clip(folder / name)
    for name in ("good.csv", "secret.csv"):
        (folder / name).write_bytes(table({**ROW, "path": "clips/real/a.mp4"}))
    for path in folder.glob("secret.*"):
        path.chmod(0)
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


RIGHTS = [
    ("extract_faces", ["good.csv", "--out", "out"]),
    ("extract_faces", ["secret.csv", "--out", "out"]),
    ("compress_clips", ["good.csv", "--out", "out"]),
    ("index_dataset", ["folder", "clips", "--out", "t.csv"]),
    ("scan", ["clips", "--html", "page.html"]),
]


@POSIX
@pytest.mark.parametrize(("script", "arguments"), RIGHTS, ids=lambda value: str(value)[:30])
def test_what_may_not_be_written_or_read(closed, scripts, capsys, monkeypatch, script, arguments):
    only(monkeypatch)
    monkeypatch.setattr(evaluation, "scorer", lambda network: lambda images: np.ones(len(images)))
    monkeypatch.chdir(closed)
    main = cli.main if script == "scan" else __import__(script).main
    before = sorted(closed.rglob("*"))
    with without_rights():
        assert status(main, *["scan"][: script == "scan"], *arguments) == 2
    sentence(capsys, "Permission denied")
    assert sorted(closed.rglob("*")) == before


@POSIX
def test_a_clip_that_may_not_be_read_and_one_that_is_a_pipe(closed, tmp_path):
    with without_rights():
        assert "Permission denied" in scan.judge(closed / "secret.mp4", len).reason
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "not a file" in scan.judge(tmp_path / "pipe.mp4", len).reason


# --- a browser --------------------------------------------------------------------------------------------------------

HACK = "document.title='hacked'"
HOSTILE = [f"<script>{HACK}</script>.mp4", f'<img src=x onerror="{HACK}">.mp4', f"'\"><svg onload={HACK}>.png"]


def test_a_clip_named_like_a_script_tag_is_only_a_name_in_a_browser(tmp_path, monkeypatch):
    """Names of real files; the tag that ends a script makes a folder of what comes before it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
    from test_browser import chromium

    program = chromium()
    for name in HOSTILE:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("no video")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(weights, "load", lambda *given: models.meso4(size=32))
    monkeypatch.setattr(evaluation, "scorer", lambda network: len)
    assert cli.main(["scan", "in", "--html", "page.html", "--weights", HOSTILE[0]]) == 1
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto((tmp_path / "page.html").as_uri())
        assert page.title() == "mesokit scan"
        text = page.inner_text("body")
        assert page.locator("script, svg, img").count() == 0
        browser.close()
    assert all(text.count(name) >= 2 for name in HOSTILE)  # the path, and the reason that names it


CASES = (FILES, NOT_CLIPS, TABLES, FACES, LINKS, USAGE, BROKEN, WEIGHTS, RIGHTS)


def test_the_count_of_cases():
    """At least 60 different ones, not one twice."""
    names = [(i, *map(str, case[:2])) for i, cases in enumerate(CASES) for case in cases]
    print(f"{len(set(names))} cases")
    assert len(set(names)) == len(names) >= 120


# --- fuzzing ----------------------------------------------------------------------------------------------------------

CELL = st.text(max_size=12) | st.sampled_from(["real", "train", "0", "a.mp4", "../x", "1e9", "nan", "True"])
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_table_or_one_sentence(tmp_path, data):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    for read in (manifest.read_clips, manifest.read_faces):
        with pytest.raises(ValueError, match="t.csv: "):  # nobody types a whole header by chance
            read(path)


@FUZZ
@given(st.dictionaries(st.sampled_from(list(manifest.CLIPS)), CELL, max_size=6))
def test_any_cells_are_refused_in_one_line_or_come_back_as_they_were(tmp_path, cells):
    path = tmp_path / "t.csv"
    path.write_bytes(pd.DataFrame([{**ROW, **cells}]).to_csv(index=False).encode("utf-8", "surrogatepass"))
    try:
        read = manifest.read_clips(path)
    except ValueError as error:
        assert str(error).startswith(str(path)) and "Traceback" not in str(error)
        return
    manifest.save(read, path)
    assert manifest.read_clips(path).equals(read)
    assert sources.files.inside(read["path"][0])


@FUZZ
@given(st.dictionaries(st.sampled_from(list(manifest.FACES)), CELL, max_size=6))
def test_any_cells_of_faces_too(tmp_path, cells):
    path = tmp_path / "t.csv"
    path.write_bytes(faces({**FACE, **cells}).decode("utf-8", "surrogatepass").encode("utf-8", "surrogatepass"))
    try:
        read = manifest.read_faces(path)
    except ValueError as error:
        assert str(error).startswith(str(path)) and "Traceback" not in str(error)
        return
    manifest.save(read, path)
    assert manifest.read_faces(path).equals(read)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["REAL", "FAKE", "a.mp4", "000"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["a.mp4", "label", "split", "original"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@FUZZ
@given(listing=JSON)
def test_any_list_of_a_dataset_is_indexed_or_one_sentence(place, listing):
    (place / "dfdc_text" / "metadata.json").write_text(json.dumps(listing))
    (place / "ff/original_sequences/youtube/c23/videos/000.mp4").touch()
    for split in manifest.SPLITS:
        (place / "ff" / f"{split}.json").write_text(json.dumps(listing))
    for name, root in (("dfdc", place / "dfdc_text"), ("faceforensics", place / "ff")):
        try:
            found = sources.index(name, root)
        except ValueError as error:
            assert str(root) in str(error) and "\n" not in str(error)
        else:
            manifest.save(found.findings, place / "findings.csv")


@FUZZ
@given(arguments=st.lists(st.text(max_size=8) | st.sampled_from(["--frames", "--rule", "--weights", "3"]), max_size=5))
def test_any_arguments_of_scan_are_judged_or_refused(tmp_path, monkeypatch, arguments):
    """With the network left out: what is fuzzed is the way from arguments to files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scan, "judge", lambda path, *rest: scan.Judged(str(path), "abstain", "not looked at"))
    monkeypatch.setattr(evaluation, "scorer", lambda network: None)
    assert status(cli.main, "scan", *arguments) in (0, 1, 2)
