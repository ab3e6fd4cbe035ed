"""The dataset on disk: its layout, its truth, and that a killed run can be taken up again."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from mesokit import dataset, faces, manifest, video


def _digest(root):
    """sha256 of everything that a dataset consists of."""
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
    assert about["sha256"] == {name: manifest.sha256(tiny / name) for name in ("clips.csv", "faces.csv")}


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


def test_a_killed_run_is_taken_up_again(tiny, tmp_path):
    for _ in _build(tiny, tmp_path / "whole"):
        pass
    killed = _build(tiny, tmp_path / "killed")
    next(killed), next(killed)
    killed.close()
    assert not (tmp_path / "killed" / "faces.csv").exists()
    half = tmp_path / "killed" / ".part" / "p001_real" / "faces"
    half.mkdir(parents=True)
    (half / "left_over.png").write_bytes(b"half")
    for _ in _build(tiny, tmp_path / "killed"):
        pass
    assert _digest(tmp_path / "whole") == _digest(tmp_path / "killed")


def test_other_parameters_replace_the_faces(tiny, tmp_path):
    for frames in (3, 2):
        for _ in _build(tiny, tmp_path, frames):
            pass
    assert len(list(tmp_path.rglob("faces/**/*.png"))) == len(dataset.read(tmp_path)) == 18 * 2 * 2


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
