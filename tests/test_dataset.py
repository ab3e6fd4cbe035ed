"""The dataset on disk: its layout, its contents, and that a stopped run can be continued."""

import errno
import hashlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import fsspec
import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from mesokit import cli, dataset, evaluation, faces, files, video
from mesokit.dataset import cropping, loading, manifest, pictures, sources, tables


def _digest(root):
    """sha256 of each table and image of a dataset."""
    files = [*root.glob("*.csv"), root / "dataset.json", *root.rglob("*.png")]
    return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def _build(tiny, out, frames=3):
    clips = manifest.read_clips(tiny / "clips.csv")
    return dataset.build(clips, tiny, out, frames=frames, about={"name": "tiny"})


def test_layout(tiny):
    table = dataset.read(tiny)
    assert set(table["method"]) == {"real", "deepfake", "face2face"}
    assert len(table) == 18 * 3 * 2
    for row in table.itertuples():
        assert row.path == f"faces/{row.crf}/{row.split}/{row.label}/{row.clip}_f{row.frame:05d}.png"
        assert (tiny / row.path).is_file()
    assert table["mask"].notna().tolist() == (table["label"] == "forged").tolist()
    assert not (tiny / ".part").exists()
    assert len(list(tiny.rglob("faces/**/*.png"))) == len(table)


def test_dataset_json_says_what_it_is(tiny):
    about = json.loads((tiny / "dataset.json").read_text())
    assert about["counts"]["faces"] == len(manifest.read_faces(tiny / "faces.csv"))
    assert about["sha256"] == {name: files.sha256(tiny / name) for name in ("clips.csv", "faces.csv")}


def test_levels_share_everything_but_the_codec(tiny):
    table = dataset.read(tiny)
    shared = ["frame", "box_x", "nose_x", "confidence", "identity", "split"]
    low, high = (table[table["crf"] == crf].sort_values(["clip", "frame"]) for crf in (0, 40))
    assert low[shared].reset_index(drop=True).equals(high[shared].reset_index(drop=True))
    assert (low["sharpness"].to_numpy() > high["sharpness"].to_numpy()).mean() > 0.8


def test_crops_are_those_of_the_table(tiny):
    row = dataset.read(tiny).query("crf == 0").iloc[0]
    clip = manifest.read_clips(tiny / "clips.csv").query(f"clip == '{row['clip']}' and crf == 0").iloc[0]
    frame = next(video.read_frames(tiny / clip["path"], [row["frame"]]))
    points = np.array([[row[f"{p}_{c}"] for c in "xy"] for p in manifest.POINTS], np.float32)
    box = tuple(row[f"box_{c}"] for c in "xywh")
    crop = faces.align(frame.image, faces.Face(box, row["confidence"], points))
    stored = dataset.images(dataset.read(tiny).query("crf == 0").head(1), tiny)[0]
    assert np.abs(crop.astype(int) - stored).mean() < 1  # the table rounds to a hundredth of a pixel


def test_masks_cover_what_differs(tiny):
    """At CRF 0 a forged face equals the real one of the same frame wherever the mask is black."""
    table = dataset.read(tiny).query("crf == 0")
    forged = table[table["label"] == "forged"].iloc[0]
    clips = manifest.read_clips(tiny / "clips.csv").query("crf == 0").set_index("clip")
    index = [int(forged["frame"])]
    original, changed = (
        next(video.read_frames(tiny / clips.loc[key, "path"], index)).image.astype(int)
        for key in (f"{forged['identity']}_real", forged["clip"])
    )
    mask = next(video.read_frames(tiny / clips.loc[forged["clip"], "mask"], index)).image[..., 0]
    assert np.abs(original - changed)[mask == 0].max() == 0
    assert np.abs(original - changed)[mask > 0].mean() > 1
    assert 0.02 < (mask > 0).mean() < 0.5


@pytest.mark.slow
def test_a_bad_clip_is_reported_and_the_others_are_built(tiny, tmp_path):
    shutil.copytree(tiny / "clips", tmp_path / "clips")
    (tmp_path / "clips" / "0" / "p000_real.mp4").write_bytes(b"not a video")
    clips = manifest.read_clips(tiny / "clips.csv")
    built = {b.clip: b for b in dataset.build(clips, tmp_path, tmp_path / "out", frames=2)}
    assert "p000_real.mp4" in built["p000_real"].error
    assert sum(b.error is None for b in built.values()) == 17
    assert "p000_real" not in set(dataset.read(tmp_path / "out")["clip"])


def test_rejected_faces_are_gone(tiny, tmp_path):
    table = manifest.read_faces(tiny / "faces.csv")
    table.loc[0, "keep"] = False
    manifest.save(table, tmp_path / "faces.csv")
    assert len(dataset.read(tmp_path)) == len(table) - 1


def test_no_face_anywhere(tmp_path, tiny):
    video.write_clip(tmp_path / "gray.mp4", [np.full((120, 160, 3), 128, np.uint8)] * 5, 25)
    clips = manifest.read_clips(tiny / "clips.csv").head(1).assign(path="gray.mp4")
    building = dataset.build(clips, tmp_path, tmp_path / "out")
    assert "no face in any of 5 frames" in next(building).error
    with pytest.raises(ValueError, match="no clip gave a face"):
        next(building)
    assert not (tmp_path / "out" / "faces.csv").exists()


# --- without the detector: what is written, when, and what is left after a stop ---------------------------------------

FACE = faces.Face(
    (60.0, 40.0, 60.0, 80.0), 0.99, np.array([[75, 70], [105, 70], [90, 88], [78, 105], [102, 105]], np.float32)
)


def _finding(monkeypatch, *found):
    """Let each frame have these faces."""
    monkeypatch.setattr(faces, "load", lambda: None)
    monkeypatch.setattr(faces.following, "propose", lambda *rest: np.empty((0, 6)))
    monkeypatch.setattr(faces.following, "refine", lambda *rest: [*found])


@pytest.fixture
def films(tmp_path, monkeypatch):
    """Five clips of two scenes each at two levels, one clip that is no video; every frame has the same face.

    All frames count as one shot, so that two frames of a clip are enough.
    """
    _finding(monkeypatch, FACE)
    monkeypatch.setattr(
        cropping.scenes, "shots", lambda path, wanted: ((0, frame) for frame in video.read_frames(path, wanted))
    )
    rng = np.random.default_rng(0)
    rows = []
    for i in range(6):
        for crf in (23, 40):
            takes = [np.kron(rng.integers(0, 256, (9, 12, 3)), np.ones((16, 16, 1))).astype(np.uint8) for _ in "ab"]
            path = tmp_path / "films" / f"{i}_{crf}.mp4"
            path.parent.mkdir(exist_ok=True)
            if i == 5:
                path.write_text("no video")
            else:
                video.write_clip(path, [take for take in takes for _ in range(14)], 25, crf)
            known = {"clip": f"c{i}", "identity": f"p{i}", "group": f"g{i}", "split": ("train", "test")[i % 2]}
            label = ("real", "forged")[i // 3]
            rows.append({**known, "path": path.name, "crf": crf, "method": label, "label": label})
    return manifest.check_clips(pd.DataFrame(rows).reindex(columns=list(manifest.CLIPS))), tmp_path / "films"


def _all(building):
    return {built.clip: built for built in building}


@pytest.mark.slow
def test_a_stopped_run_is_taken_up_again(films, tmp_path):
    """The run is stopped as by Ctrl-C; test_kill.py does the same with SIGKILL."""
    clips, root = films
    _all(dataset.build(clips, root, tmp_path / "whole", frames=2))
    stopped = dataset.build(clips, root, tmp_path / "stopped", frames=2)
    next(stopped), next(stopped)
    stopped.close()
    assert not (tmp_path / "stopped" / "faces.csv").exists()
    half = tmp_path / "stopped" / ".part" / "c1-0" / "faces"
    half.mkdir(parents=True)
    (half / "left_over.png").write_bytes(b"half")
    _all(dataset.build(clips, root, tmp_path / "stopped", frames=2))
    assert _digest(tmp_path / "whole") == _digest(tmp_path / "stopped")
    assert not (tmp_path / "stopped" / ".part").exists()


@pytest.mark.slow
def test_clips_in_an_object_store_give_the_faces_of_those_in_a_folder(films, tmp_path, capsys):
    clips, root = films
    url, here, there = "memory://bucket/films", tmp_path / "here", tmp_path / "there"
    store, base = fsspec.core.url_to_fs(url)
    store.put(f"{root}/", f"{base}/", recursive=True)
    local = list(dataset.build(clips, root, here, frames=4))
    clips.to_csv(tmp_path / "clips.csv", index=False)
    command = ["extract", str(tmp_path / "clips.csv"), "--root", url, "--out", str(there), "--frames", "4"]
    assert cli.main(command) == 1  # the clip that is no video
    assert f"{url}/5_23.mp4" in capsys.readouterr().err and sum(built.faces for built in local) == 40
    tables = ("dataset.json", "failures.csv")  # these name where the clips are
    one, other = ({k: v for k, v in _digest(out).items() if k not in tables} for out in (here, there))
    assert one == other
    ds = dataset.open(there)
    assert ds.clip_folder is None and f"opened from a folder only, not from {url}" in ds.notes[-1]

    kept = {path: path.stat().st_mtime_ns for path in there.rglob("*.png")}
    store.pipe(f"{base}/1_23.mp4", (root / "3_23.mp4").read_bytes())  # a clip that changed is built again, no other
    list(dataset.build(clips, url, there, frames=4))
    assert {path.name[:2] for path in there.rglob("*.png") if kept.get(path) != path.stat().st_mtime_ns} == {"c1"}
    with pytest.raises(ValueError, match="memory://bucket/none/0_23.mp4: no such file, nor are the other 11; .*--root"):
        list(dataset.build(clips, "memory://bucket/none", tmp_path / "none"))


@pytest.mark.slow
def test_other_parameters_replace_the_faces(films, tmp_path):
    clips, root = films
    for frames in (3, 2):
        _all(dataset.build(clips, root, tmp_path / "out", frames=frames))
    images = list((tmp_path / "out").rglob("faces/**/*.png"))
    assert len(images) == len(dataset.read(tmp_path / "out")) == 5 * 2 * 2


@pytest.mark.slow
def test_failures_are_a_table_and_are_tried_again_when_asked_or_changed(films, tmp_path):
    clips, root = films
    out = tmp_path / "out"
    built = _all(dataset.build(clips, root, out, frames=2))
    assert "5_23.mp4: not a readable video" in built["c5"].error and built["c0"].faces == 4
    failures = pd.read_csv(out / "failures.csv")
    assert failures["clip"].tolist() == ["c5"] and "it is a text file" in failures["reason"][0]
    assert files.read_json(out / "dataset.json")["failed"] == ["c5"]
    record = next((out / ".rows").glob("c5-*.json"))
    before = record.stat().st_mtime_ns
    assert _all(dataset.build(clips, root, out, frames=2))["c5"].error == built["c5"].error
    assert record.stat().st_mtime_ns == before
    _all(dataset.build(clips, root, out, frames=2, retry=True))
    assert record.stat().st_mtime_ns > before
    for crf in (23, 40):
        shutil.copy(root / f"0_{crf}.mp4", root / f"5_{crf}.mp4")
    assert _all(dataset.build(clips, root, out, frames=2))["c5"].error is None
    assert pd.read_csv(out / "failures.csv").empty


@pytest.mark.slow
def test_a_clip_whose_file_changed_is_built_again(films, tmp_path):
    clips, root = films
    _all(dataset.build(clips, root, tmp_path / "out", frames=4))
    short = [frame.image for frame in video.read_frames(root / "0_23.mp4", range(6))]
    for crf in (23, 40):
        video.write_clip(root / f"0_{crf}.mp4", short, 25, crf)
    _all(dataset.build(clips, root, tmp_path / "out", frames=4))
    _all(dataset.build(clips, root, tmp_path / "new", frames=4))
    assert _digest(tmp_path / "out") == _digest(tmp_path / "new")


@pytest.mark.slow
def test_what_somebody_deleted_is_made_again(films, tmp_path):
    clips, root = films
    clips.loc[clips["clip"] == "c3", "mask"] = "3_23.mp4"
    out = tmp_path / "out"
    _all(dataset.build(clips, root, out, frames=2))
    before, kept = _digest(out), next(out.glob("faces/*/*/*/c1_*.png")).stat().st_mtime_ns
    next(out.glob("faces/*/*/*/c0_*.png")).unlink()
    next(out.glob("masks/*/c3_*.png")).unlink()
    next(out.glob(".rows/c2-*.csv")).unlink()
    _all(dataset.build(clips, root, out, frames=2))
    assert _digest(out) == before
    assert next(out.glob("faces/*/*/*/c1_*.png")).stat().st_mtime_ns == kept  # and nothing else is made
    shutil.rmtree(out / "faces")
    _all(dataset.build(clips, root, out, frames=2))
    assert _digest(out) == before and len(dataset.images(dataset.read(out), out)) == 20


def test_a_link_may_lead_to_the_root_and_not_out_of_it(films, tmp_path):
    clips, root = films
    (tmp_path / "disk").symlink_to(root)
    (root / "0_40.mp4").unlink()
    (root / "0_40.mp4").symlink_to(root / "0_23.mp4")
    out = tmp_path / "out"
    assert _all(dataset.build(clips, tmp_path / "disk", out, frames=1))["c0"].faces == 2
    (tmp_path / "made").symlink_to(out)
    assert len(dataset.read(tmp_path / "made")) == 10
    (out / "faces").rename(tmp_path / "faces")
    (out / "faces").symlink_to(tmp_path / "faces")
    with pytest.raises(ValueError, match=r"faces/23/.*png: a link leads it out of .*out; give the real folder"):
        dataset.read(out)
    clips.to_csv(root / "clips.csv", index=False)
    assert dataset.clips(tmp_path / "disk")["clip"].nunique() == clips["clip"].nunique()
    with pytest.raises(ValueError, match=r"out/faces: a link leads it out of"):
        next(dataset.build(clips, root, out, frames=1))
    (root / "0_40.mp4").unlink()
    (root / "0_40.mp4").symlink_to(tmp_path / "faces")
    for refuse in (
        lambda: next(dataset.build(clips, root, tmp_path / "new", frames=1)),
        lambda: dataset.estimate(clips, root, 1, 40),
        lambda: dataset.clips(root),
    ):
        with pytest.raises(ValueError, match=r"0_40.mp4: a link leads it out of .*films"):
            refuse()
    assert not (tmp_path / "new").exists()


def test_two_runs_do_not_write_into_one_folder(films, tmp_path, monkeypatch):
    clips, root = films
    monkeypatch.setattr(tables, "PATIENCE", 0.1)
    first = dataset.build(clips, root, tmp_path / "out", frames=1)
    next(first)
    with pytest.raises(ValueError, match="another run is writing here; wait for it"):
        next(dataset.build(clips, root, tmp_path / "out", frames=1))
    first.close()
    _all(dataset.build(clips, root, tmp_path / "out", frames=1))


def test_a_full_disk_stops_the_run_and_is_no_fault_of_the_clip(films, tmp_path, monkeypatch):
    clips, root = films
    write = pictures.write_png

    def full(path, image):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(cropping, "write_png", full)
    with pytest.raises(OSError, match="No space left"):
        _all(dataset.build(clips, root, tmp_path / "out", frames=1))
    assert not (tmp_path / "out" / "faces.csv").exists()
    monkeypatch.setattr(cropping, "write_png", write)
    assert sum(built.error is None for built in dataset.build(clips, root, tmp_path / "out", frames=1)) == 5


@pytest.mark.slow
def test_which_frames(films, tmp_path):
    clips, root = films
    taken = {}
    for sampling in dataset.SAMPLINGS:
        _all(dataset.build(clips, root, tmp_path / sampling, frames=2, sampling=sampling))
        table = dataset.read(tmp_path / sampling).query("clip == 'c0' and crf == 23")
        taken[sampling] = table["frame"].tolist()
        assert files.read_json(tmp_path / sampling / "dataset.json")["parameters"]["sampling"] == sampling
    assert taken["even"] == [7, 21]
    assert taken["scenes"] == [3, 10, 17, 24]  # two of each scene
    keys = video.keyframes(root / "0_23.mp4").tolist()
    assert keys[0] == 0 and set(taken["keyframes"]) <= set(keys)
    with pytest.raises(ValueError, match="no sampling is called 'random'; there are even, scenes, keyframes"):
        next(dataset.build(clips, root, tmp_path / "out", sampling="random"))


@pytest.mark.slow
def test_an_estimate_is_what_a_build_takes(films, tmp_path):
    clips, root = films
    clips = clips[clips["clip"] != "c5"]
    said = dataset.estimate(clips, root, frames=3, min_face=40)
    _all(dataset.build(clips, root, tmp_path / "out", frames=3))
    table = dataset.read(tmp_path / "out")
    size = sum((tmp_path / "out" / path).stat().st_size for path in table["path"]) / 1e9
    assert (said["clips"], said["faces"]) == (5, len(table))
    assert said["gigabytes"] == pytest.approx(size, rel=0.3) and 0 < said["hours"] < 0.1


# --- several people ---------------------------------------------------------------------------------------------------

OTHER = faces.Face((140.0, 50.0, 40.0, 50.0), 0.95, FACE.landmarks / 2 + np.float32([110, 20]))


@pytest.fixture
def crowd(tmp_path, monkeypatch):
    """A clip of two people in two shots, of 12 and 24 frames, with masks; and one of one shot."""
    _finding(monkeypatch, OTHER, FACE)
    rng = np.random.default_rng(0)
    takes = [np.kron(rng.integers(0, 256, (9, 12, 3)), np.ones((16, 16, 1))).astype(np.uint8) for _ in "ab"]
    root = tmp_path / "films"
    for name, lengths in (("cut", (12, 24)), ("still", (24, 0)), ("mask", (36, 0))):
        frames = [take for take, n in zip(takes, lengths, strict=True) for _ in range(n)]
        video.write_clip(root / f"{name}.mp4", frames, 25, 23)
    rows = [
        {"clip": name, "path": f"{name}.mp4", "crf": 23, "method": kind, "label": kind, "identity": name, "group": name,
         "split": "train", "mask": mask}
        for name, kind, mask in (("cut", "forged", "mask.mp4"), ("still", "real", pd.NA))
    ]  # fmt: skip
    return manifest.check_clips(pd.DataFrame(rows).reindex(columns=list(manifest.CLIPS))), root


def _crops(out, name, face, clip, root):
    """Whether the images called `name` with frame numbers are the crops of `face` from the clip."""
    for frame in video.read_frames(root / f"{clip}.mp4"):
        path = out / name.format(frame.index)
        if path.exists():
            assert np.array_equal(np.asarray(Image.open(path)), faces.align(frame.image, face))


def test_the_person_seen_longest_is_kept_and_the_others_are_listed(crowd, tmp_path):
    """FACE is larger than OTHER, and both are on all frames of the second shot, 8 of the 12 that are taken."""
    clips, root = crowd
    _all(dataset.build(clips, root, tmp_path / "out", frames=12))
    table = manifest.read_faces(tmp_path / "out" / "faces.csv")
    assert table.groupby("clip")["frame"].apply(list).to_dict() == {
        "cut": [13, 16, 19, 22, 25, 28, 31, 34], "still": [*range(1, 24, 2)],
    }  # fmt: skip
    assert set(table["person"]) == {0} and set(table["box_x"]) == {60}
    _crops(tmp_path / "out", "faces/23/train/forged/cut_f{:05d}.png", FACE, "cut", root)
    people = pd.read_csv(tmp_path / "out" / "people.csv", dtype="string", keep_default_na=False).to_numpy().tolist()
    other = ["False", "not the person seen longest; --people all keeps everybody"]
    assert people == [
        ["cut", "1", "4", "1", "10", *other], ["cut", "2", "4", "1", "10", *other],
        ["cut", "0", "8", "13", "34", "True", ""], ["cut", "3", "8", "13", "34", *other],
        ["still", "0", "12", "1", "23", "True", ""], ["still", "1", "12", "1", "23", *other],
    ]  # fmt: skip


def test_sizes_are_matched_in_the_finished_table(crowd, tmp_path):
    """Half of the 12 real faces are made larger, and none of the 8 forged ones: half of both are kept."""
    clips, root = crowd
    out = tmp_path / "out"
    _all(dataset.build(clips, root, out, frames=12))
    rows = sorted((out / ".rows").glob("*.csv"))
    jobs = [SimpleNamespace(rows=path, record=path.with_suffix(".json")) for path in rows]
    table = pd.read_csv(rows[1])
    table.loc[::2, ["box_w", "box_h"]] *= 3
    table.to_csv(rows[1], index=False, lineterminator="\n")
    tables.finish(jobs, out, False, {})
    plain = manifest.read_faces(out / "faces.csv")
    tables.finish(jobs, out, True, {})
    found = manifest.read_faces(out / "faces.csv")
    assert found["keep"].tolist() == tables.matched(plain)["keep"].tolist()
    assert found.groupby("label")["keep"].sum().to_dict() == {"forged": 4, "real": 6}
    assert found.drop(columns="keep").equals(plain.drop(columns="keep"))


def test_a_stop_in_the_middle_of_writing_leaves_the_old_table(crowd, tmp_path, monkeypatch):
    """First the rows cannot be read again to be written; then those of the second clip are gone."""
    clips, root = crowd
    out = tmp_path / "out"
    _all(dataset.build(clips, root, out, frames=12))
    old = (out / "faces.csv").read_bytes()
    rows = sorted((out / ".rows").glob("*.csv"))
    jobs = [SimpleNamespace(rows=path, record=path.with_suffix(".json")) for path in rows]

    reads = iter([manifest.face_parts])  # the first one gives the sizes, the second one the rows to write

    def parts(path):
        for read in reads:
            return read(path)
        raise OSError("cannot be read")

    with monkeypatch.context() as patched:
        patched.setattr(manifest, "face_parts", parts)
        with pytest.raises(OSError, match="cannot be read"):
            tables.finish(jobs, out, True, {})
    assert (out / "faces.csv").read_bytes() == old
    rows[-1].unlink()
    with pytest.raises(FileNotFoundError):
        tables.finish(jobs, out, False, {})
    assert (out / "faces.csv").read_bytes() == old


def test_the_command_says_how_many_people_were_not_kept(crowd, tmp_path, monkeypatch, capsys):
    clips, root = crowd
    manifest.save(clips, root / "clips.csv")
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "data_scripts")
    main, out = __import__("extract_faces").main, str(tmp_path / "out")
    for more, n in (["--people", "longest"], 4), (["--people", "all"], 0):
        assert main([str(root / "clips.csv"), "--out", out, "--frames", "12", *more]) == 0
        assert f"2 clips show several people; {n} of 6 were not kept, see people.csv" in capsys.readouterr().out


@pytest.mark.slow
def test_everybody_is_kept_where_that_is_wanted(crowd, tmp_path):
    clips, root = crowd
    out = tmp_path / "out"
    _all(dataset.build(clips, root, out, frames=12))
    one = _digest(out)
    _all(dataset.build(clips, root, out, frames=12, people="all"))
    table = manifest.read_faces(out / "faces.csv")
    counts = table.groupby(["clip", "person"]).size().to_dict()
    assert counts == {("cut", 0): 8, ("cut", 1): 4, ("cut", 2): 4, ("cut", 3): 8, ("still", 0): 12, ("still", 1): 12}
    assert table["person"].tolist() == [0] * 8 + [1] * 4 + [2] * 4 + [3] * 8 + [0] * 12 + [1] * 12
    assert table["face"].is_unique and len(list(out.rglob("faces/**/*.png"))) == 48
    _crops(out, "faces/23/train/forged/cut_f{:05d}_p3.png", OTHER, "cut", root)
    _crops(out, "faces/23/train/forged/cut_f{:05d}.png", FACE, "cut", root)
    masks = table.loc[table["person"] == 3, "mask"]
    assert masks.str.endswith("_p3.png").all() and len(list(out.rglob("masks/**/*.png"))) == 24
    first = table.query("clip == 'cut' and person == 0")
    assert all(one[path] == _digest(out)[path] for path in first["path"])  # as without the others
    scores = table.assign(p_real=np.where(table["person"] == 3, 0.1, 0.9))
    judged = evaluation.per_clip(scores).set_index(["clip", "person"])
    assert judged.loc[("cut", 3), "p_real"] == pytest.approx(0.1) and judged.loc[("cut", 0), "n_faces"] == 8
    _all(dataset.build(clips, root, out, frames=12))
    assert _digest(out) == one  # the images of the others are gone
    with pytest.raises(ValueError, match="people is 'both'; it may be longest or all"):
        next(dataset.build(clips, root, out, people="both"))


def test_a_clip_in_which_everybody_is_seen_too_shortly(crowd, tmp_path, monkeypatch):
    clips, root = crowd
    seen = iter([FACE] * 2)
    monkeypatch.setattr(faces.following, "refine", lambda *rest: [face for face in [next(seen, None)] if face])
    error = next(dataset.build(clips[clips["clip"] == "still"], root, tmp_path / "out", frames=24)).error
    assert error.endswith(
        "still.mp4: a face in 2 of 24 frames, and at least 3 are needed; drop the clip or take more frames"
    )


def test_a_dataset_of_an_older_version_has_one_person(crowd, tmp_path):
    """Its tables and row files have no column `person`; a build goes on with them."""
    clips, root = crowd
    out = tmp_path / "out"
    _all(dataset.build(clips, root, out, frames=12))
    new = _digest(out)
    rows = next((out / ".rows").glob("cut-*.csv"))
    for path in (out / "faces.csv", rows):
        lines = path.read_text().splitlines()
        path.write_text("".join(line.rpartition(",")[0] + "\n" for line in lines))
    assert manifest.read_faces(out / "faces.csv")["person"].tolist() == [0] * 20
    kept = rows.stat().st_mtime_ns
    _all(dataset.build(clips, root, out, frames=12))
    assert _digest(out) == new and rows.stat().st_mtime_ns == kept


def test_sizes_of_both_classes_are_matched():
    sizes = {"real": [50] * 60 + [200] * 40, "forged": [50] * 20 + [200] * 20}
    rows = [{"label": label, "box_w": size, "box_h": size - 5} for label in sizes for size in sizes[label]]
    table = pd.DataFrame(rows).assign(split="train", crf=23, keep=True)
    kept = tables.matched(table)
    kept = kept[kept["keep"].astype(bool)]
    share = pd.crosstab(kept["box_w"], kept["label"], normalize="columns")
    assert share["real"].to_numpy() == pytest.approx(share["forged"].to_numpy(), abs=0.02)
    assert len(kept) == 126  # of 100 and 40: nine tenths of both, the largest equal shares
    assert tables.matched(table).equals(tables.matched(table))


def test_sizes_of_one_class_alone_are_rejected():
    sizes = {"real": [50] * 4 + [400] * 4, "forged": [50] * 8}
    rows = [{"label": label, "box_w": size, "box_h": size} for label in sizes for size in sizes[label]]
    kept = tables.matched(pd.DataFrame(rows).assign(split="train", crf=23, keep=True))
    assert kept.loc[kept["box_w"] == 400, "keep"].sum() == 0
    assert kept.groupby("label")["keep"].sum().to_dict() == {"real": 4, "forged": 4}


def test_large_aligned_faces_are_averaged_and_not_only_sampled(tmp_path):
    """Noise of 512 pixels: means of blocks of four have half of its spread."""
    rng = np.random.default_rng(0)
    for class_ in ("df", "real"):
        for part in ("train_test", "validation"):
            path = tmp_path / part / class_ / f"{class_}00000.jpg"
            path.parent.mkdir(parents=True)
            Image.fromarray(rng.normal(128, 20, (512, 512, 3)).astype(np.uint8)).save(path, quality=100, subsampling=0)
    _all(dataset.adopt(sources.index("mesonet-faces", tmp_path).table, tmp_path, tmp_path / "out"))
    faces_ = dataset.images(dataset.read(tmp_path / "out"), tmp_path / "out")
    assert faces_.std(axis=(1, 2, 3)) == pytest.approx([10] * 4, rel=0.1)


def test_aligned_faces_become_a_dataset(tmp_path):
    rng = np.random.default_rng(0)
    for part in ("train_test", "validation"):
        for class_ in ("df", "real"):
            for i in range(2):
                path = tmp_path / part / class_ / f"{class_}{i:05d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(rng.integers(0, 256, (180 + i, 180, 3), np.uint8)).save(path)
    (tmp_path / "train_test" / "df" / "df00009.jpg").write_text("no picture")
    table = sources.index("mesonet-faces", tmp_path).table
    built = _all(dataset.adopt(table, tmp_path, tmp_path / "out", {"name": "authors"}))
    made = dataset.read(tmp_path / "out")
    assert sum(one.error is not None for one in built.values()) == 1 and len(made) == 8
    assert dataset.images(made, tmp_path / "out").shape == (8, 256, 256, 3)
    assert next(iter(loading.batches(made, tmp_path / "out")))[0].shape == (8, 256, 256, 3)
    scores = made.assign(p_real=0.4)
    assert evaluation.accuracy(scores)["accuracy"] == 0.5
    with pytest.raises(ValueError, match="8 of 8 faces were published without their clips"):
        evaluation.per_clip(scores)
    with pytest.raises(ValueError, match="without their clips, so it is unknown which faces belong to one clip"):
        evaluation.interval(scores)
    assert _all(dataset.adopt(table, tmp_path, tmp_path / "out")).keys() == built.keys()
    (tmp_path / "validation").rename(tmp_path / "out" / "validation")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "validation").symlink_to(tmp_path / "out" / "validation")
    with pytest.raises(ValueError, match="a link leads it out of .*inner"):
        next(dataset.adopt(table[table["split"] == "test"], tmp_path / "inner", tmp_path / "new"))


FF = [f"{place}/{level}/videos/{name}.mp4" for level in ("c23", "c40") for place, names in (
    ("original_sequences/youtube", ("519", "515")), ("manipulated_sequences/Deepfakes", ("519_515", "515_519")),
    ("original_sequences/actors", ("01__exit_phone_room",)),
    ("manipulated_sequences/DeepFakeDetection", ("01_02__exit_phone_room__YVGY8LOK",)),
) for name in names]  # fmt: skip
CELEB = ["Celeb-real/id0_0000.mp4", "Celeb-real/id1_0000.mp4", "YouTube-real/00000.mp4"]
LAYOUTS = {
    "faceforensics": FF,
    "celebdf": [*CELEB, "Celeb-synthesis/id0_id1_0000.mp4", "Celeb-synthesis/id1_id0_0000.mp4"],
    "dfdc": [f"dfdc_train_part_{i}/{name}.mp4" for i in range(2) for name in ("aaaaaaaaaa", "bbbbbbbbbb")],
    "folder": [f"{kind}/{i}.mp4" for kind in ("real", "faceswap") for i in range(3)],
}
LISTS = {
    "train.json": '[["519", "515"]]', "val.json": "[]", "test.json": "[]",
    "List_of_testing_videos.txt": "1 Celeb-real/id1_0000.mp4\n0 Celeb-synthesis/id1_id0_0000.mp4\n",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", LAYOUTS)
def test_clips_in_a_published_layout_become_a_dataset_by_two_commands(films, tmp_path, monkeypatch, name):
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "data_scripts"))
    import extract_faces
    import index_dataset

    root, out = tmp_path / "in", tmp_path / "out"
    for path in LAYOUTS[name]:
        files.write(root / path, (films[1] / "0_23.mp4").read_bytes())
    for i in range(2 if name == "dfdc" else 0):
        real, fake = ({"label": label, "split": "train"} for label in ("REAL", "FAKE"))
        listed = {"aaaaaaaaaa.mp4": real, "bbbbbbbbbb.mp4": {**fake, "original": "aaaaaaaaaa.mp4"}}
        files.write_json(listed, root / f"dfdc_train_part_{i}" / "metadata.json")
    for path, text in LISTS.items():
        files.write(root / path, text.encode())
    assert index_dataset.main([name, str(root), "--out", str(root / "clips.csv")]) == 0
    clips = manifest.read_clips(root / "clips.csv")
    assert set(clips["path"]) == set(LAYOUTS[name])
    assert extract_faces.main([str(root / "clips.csv"), "--out", str(out), "--frames", "2"]) == 0
    made = dataset.read(out)
    assert made.groupby(["clip", "crf"], dropna=False).size().tolist() == [2] * len(LAYOUTS[name])
    assert set(made["label"]) == {"real", "forged"} and made.groupby("group")["split"].nunique().max() == 1
    about = files.read_json(out / "dataset.json")
    assert about["name"] == name and about["table"] == about["indexed_by"]["sha256"]
    assert about["indexed_by"]["command"].startswith(f"index_dataset.py {name} ")


def test_what_is_written_is_read(tmp_path):
    """PNG keeps each pixel: a mask of one channel, and a face whose red and blue differ."""
    face = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    pictures.write_png(tmp_path / "new" / "face.png", face)
    pictures.write_png(tmp_path / "new" / "mask.png", face[..., 0])
    table = pd.DataFrame({"path": ["new/face.png"], "mask": ["new/mask.png"]})
    assert np.array_equal(dataset.images(table, tmp_path), face[None])
    assert np.array_equal(dataset.images(table, tmp_path, column="mask"), face[None, ..., 0])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "new" / "face.png")), face)


def test_faces_are_read_as_they_are_needed(tmp_path):
    """Five thousand faces take 3.9 GB as float32; two batches take a small part of that."""
    pictures.write_png(tmp_path / "face.png", np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8))
    table = pd.DataFrame({"path": ["face.png"] * 5000, "label": ["real", "forged"] * 2500})
    next(iter(loading.batches(table.head(8), tmp_path, 4)))
    before = psutil.Process().memory_info().rss
    assert len(list(loading.training_batches(table, tmp_path, 32, None, seed=0).take(2))) == 2
    assert psutil.Process().memory_info().rss - before < 400e6
