"""Text with and without a byte order mark, and what files are that were given by mistake."""

import io
import json
import tarfile
import zipfile

import h5py
import numpy as np
import pytest

from mesokit import files

BOM = b"\xef\xbb\xbf"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_json_and_text_of_all_editors_are_read(tmp_path, encoding, end):
    mark = {"utf-16-le": "\ufeff", "utf-16-be": "\ufeff"}.get(encoding, "")
    path = tmp_path / "a.json"
    path.write_bytes(f'{mark}{{{end}"name": "\u017dlut\u00fd"{end}}}{end}'.encode(encoding))
    assert files.read_json(path) == {"name": "\u017dlut\u00fd"}
    assert files.read_text(path) == '{\n"name": "\u017dlut\u00fd"\n}\n'


def test_what_is_no_json_is_named_with_the_place(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": 1,\n"b": }')
    with pytest.raises(ValueError, match=r"a\.json: not a JSON file \(Expecting value: line 2 column 6"):
        files.read_json(path)
    path.write_bytes("{'ü'}".encode("cp1252"))
    with pytest.raises(ValueError, match=r"a\.json: not text in UTF-8; save it again as UTF-8"):
        files.read_text(path)


def test_a_file_is_the_old_or_the_new_one_and_nothing_between(tmp_path):
    path = tmp_path / "folder" / "a.csv"
    files.write(path, b"old")
    with pytest.raises(OSError, match="disk"), files.writing(path) as part:
        part.write_bytes(b"half")
        assert path.read_bytes() == b"old"
        raise OSError("disk is full")
    assert path.read_bytes() == b"old"
    with files.writing(path) as part:
        part.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [one.name for one in path.parent.iterdir()] == ["a.csv"]


def zipped(*names):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return data.getvalue()


def tarred():
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.mp4"))
    return data.getvalue()


def hdf5():
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        file["a"] = np.zeros(2)
    return data.getvalue()


KINDS = [
    (zipped("a.mp4"), "a zip archive; unpack it"),
    (zipped(), "a zip archive with nothing in it"),
    (zipped("xl/workbook.xml"), "an Excel workbook; save the table in it as CSV UTF-8"),
    (zipped("archive/data.pkl"), "a file of weights"),
    (zipped("config.json", "model.weights.h5"), "a file of weights"),
    (zipped("a.mp4")[:40], "a zip archive that is cut short or damaged"),
    (tarred(), "an archive (tar)"),
    (b"\x1f\x8b\x08", "an archive (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "an archive (7-Zip)"),
    (b"Rar!\x1a\x07", "an archive (RAR)"),
    (hdf5(), "an HDF5 file"),
    (b"%PDF-1.7", "a PDF document"),
    (b"L\0\0\0\x01\x14\x02\0" + bytes(60), "a shortcut"),
    (b"[InternetShortcut]\r\nURL=x", "a shortcut"),
    (BOM + b"[InternetShortcut]\r\nURL=x", "a shortcut"),
    (b"\n<!DOCTYPE html>", "a web page, not the file"),
    (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
    (b"#EXTM3U\n", "a playlist"),
    (b"ffconcat version 1.0\n", "a playlist"),
    (b"\0\0\0\x18ftypisom" + bytes(9), "a video or a photograph"),
    (b"clip,path\r\n", "a text file"),
    ("ž".encode() * 2047 + b"a" + "ž".encode(), "a text file"),  # the 4096th byte is half a letter
    (b"", None),
    (bytes(100), None),
    (b"\xff\xfe\xfd" * 9, None),
]


@pytest.mark.parametrize(("data", "what"), KINDS, ids=[str(what)[:30] + str(i) for i, (_, what) in enumerate(KINDS)])
def test_files_given_by_mistake_are_named(tmp_path, data, what):
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    found = files.kind(path)
    assert found is None if what is None else found.startswith(what) and "; " in found


def test_why_there_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "to_nothing.mp4").symlink_to("gone.mp4")
    (tmp_path / "circle.mp4").symlink_to("circle.mp4")
    for path, words in (
        ("https://example.org/a.mp4", "a web address; download the file"),
        ("s3://bucket/a.mp4", "a web address"),
        ("'a.mp4'", "give the path without the quotation marks"),
        ("~/a.mp4", "nothing replaces the ~ here"),
        ("to_nothing.mp4", "a link to gone.mp4, which is not there"),
        (tmp_path / "circle.mp4", "a link to circle.mp4, which is not there or leads back"),
        ("films/a.mp4", f"no such file in {tmp_path}, where a relative path starts"),
        (tmp_path / "films" / "a.mp4", f"no such file; the path exists up to {tmp_path};"),
        ("", "no such file in"),
    ):
        assert files.missing(path).startswith(words) or words in files.missing(path), path
    assert "web address" not in files.missing("C:/films/a.mp4")
    assert json.dumps(files.missing("a\nb.mp4"))


@pytest.mark.parametrize("kind", ["folder", "store"])
def test_the_state_of_a_file_is_known_and_of_nothing_else(tmp_path, kind):
    """Its first number is the size; it changes with the content. A folder is no file."""
    root = tmp_path if kind == "folder" else f"memory://state{tmp_path}"
    with files.sending(root, "in/clip.mp4") as part:
        part.write_bytes(b"12345")
    first = files.state(root, "in/clip.mp4")
    with files.sending(root, "in/clip.mp4") as part:
        part.write_bytes(b"123456")
    assert (first[0], files.state(root, "in/clip.mp4")[0]) == (5, 6)
    assert first != files.state(root, "in/clip.mp4")
    assert files.state(root, "in") is None and files.state(root, "none") is None
