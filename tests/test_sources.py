"""Public datasets in their published layouts: names only, so that empty files are enough."""

import json
import os

import pandas as pd
import pytest

from mesokit.dataset import manifest, sources


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def found(indexed, kind):
    return indexed.findings.loc[indexed.findings["finding"].str.startswith(kind), "path"].tolist()


PAIRS = [("519", "515"), ("033", "097"), ("035", "036"), ("953", "974"), ("012", "026"), ("078", "955")]


@pytest.fixture
def faceforensics(tmp_path):
    for target, source in PAIRS:
        for level in ("raw", "c23", "c40"):
            touch(tmp_path, f"original_sequences/youtube/{level}/videos/{target}.mp4")
            touch(tmp_path, f"original_sequences/youtube/{level}/videos/{source}.mp4")
            for method in ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter"):
                for name in (f"{target}_{source}", f"{source}_{target}"):
                    touch(tmp_path, f"manipulated_sequences/{method}/{level}/videos/{name}.mp4")
    return tmp_path


def test_faceforensics(faceforensics):
    indexed = sources.index("faceforensics", faceforensics)
    table = indexed.table
    assert len(table) == 12 * 6 * 3 and indexed.findings["finding"].tolist() == [
        "no three lists of splits: split by group"
    ]
    row = table[table["path"] == "manipulated_sequences/Face2Face/c23/videos/519_515.mp4"].iloc[0]
    assert row[["method", "label", "identity", "source", "crf"]].tolist() == ["face2face", "forged", "519", "515", 23]
    assert set(table["method"]) == {"real", "deepfake", "face2face", "FaceSwap", "NeuralTextures", "FaceShifter"}
    assert set(table.loc[table["path"].str.contains("/raw/"), "crf"]) == {0}
    group = table[table["group"] == row["group"]]
    assert set(group["identity"]) == {"519", "515"} and len(group) == 2 * 6 * 3
    assert table.groupby("group")["split"].nunique().max() == 1 and set(table["split"]) == set(manifest.SPLITS)
    assert table.groupby(["clip", "crf"]).size().max() == 1 and (table.groupby("clip").size() == 3).all()
    assert sources.index("faceforensics", faceforensics).table.equals(table)
    assert (faceforensics / row["path"]).is_file()


def test_people_who_share_pixels_over_others_are_one_group(faceforensics):
    touch(faceforensics, "manipulated_sequences/Deepfakes/c23/videos/515_033.mp4")
    table = sources.index("faceforensics", faceforensics).table
    assert table[table["identity"].isin(["519", "515", "033", "097"])]["group"].unique().tolist() == ["033"]


@pytest.mark.parametrize("folder", [".", "splits", "dataset/splits"])
def test_official_splits(faceforensics, folder):
    for split, pairs in (("train", PAIRS[:3]), ("val", PAIRS[3:4]), ("test", [*PAIRS[4:], ("001", "002")])):
        (faceforensics / folder).mkdir(parents=True, exist_ok=True)
        (faceforensics / folder / f"{split}.json").write_text(json.dumps(pairs))
    indexed = sources.index("faceforensics", faceforensics)
    assert indexed.table.groupby("split")["identity"].agg(set).to_dict() == {
        "train": {"519", "515", "033", "097", "035", "036"},
        "val": {"953", "974"},
        "test": {"012", "026", "078", "955"},
    }
    assert found(indexed, "listed in a split") == ["001", "002"]
    methods = ["FaceShifter", "FaceSwap", "NeuralTextures", "deepfake", "face2face"]
    lost = [f"{method}: {name}" for method in methods for name in ("001_002", "002_001")]
    assert found(indexed, "listed forgery, not there") == lost
    assert found(indexed, "no three lists") == []


def test_two_of_three_lists_are_no_split_and_are_named(faceforensics):
    for split in ("train", "val"):
        (faceforensics / f"{split}.json").write_text(json.dumps(PAIRS))
    indexed = sources.index("faceforensics", faceforensics)
    assert found(indexed, "no three lists of splits") == ["train.json, val.json"]
    assert set(indexed.table["split"]) == set(manifest.SPLITS)


def test_a_forgery_over_two_official_splits_is_left_out(faceforensics):
    for split, pairs in (("train", PAIRS[:4]), ("val", PAIRS[4:5]), ("test", PAIRS[5:])):
        (faceforensics / f"{split}.json").write_text(json.dumps(pairs))
    touch(faceforensics, "manipulated_sequences/Deepfakes/c23/videos/078_519.mp4")  # a test target, a training source
    indexed = sources.index("faceforensics", faceforensics)
    left = found(indexed, "left out")
    assert len(left) == 2 * 6 * 3 and "original_sequences/youtube/c23/videos/519.mp4" in left
    assert set(indexed.table[indexed.table["split"] == "test"]["identity"]) == {"078", "955"}


def test_a_partial_download(faceforensics):
    (faceforensics / "original_sequences/youtube/c23/videos/519.mp4").unlink()
    for level in ("raw", "c23", "c40"):
        (faceforensics / f"original_sequences/youtube/{level}/videos/515.mp4").unlink()
    indexed = sources.index("faceforensics", faceforensics)
    assert found(indexed, "no level c23") == ["youtube_519"]
    assert len(found(indexed, "its original is not there")) == 5 * 3
    assert len(indexed.table) == 12 * 6 * 3 - 4


def test_actors(faceforensics):
    touch(faceforensics, "original_sequences/actors/c23/videos/01__exit_phone_room.mp4")
    touch(faceforensics, "original_sequences/actors/c23/videos/02__exit_phone_room.mp4")
    touch(faceforensics, "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__exit_phone_room__YVGY8LOK.mp4")
    indexed = sources.index("faceforensics", faceforensics)
    actors = indexed.table[indexed.table["identity"].str.startswith("actor")]
    assert actors["group"].unique().tolist() == ["actor01"] and len(actors) == 3
    assert actors["source"].dropna().tolist() == ["actor02"]
    assert found(indexed, "its original is not there") == []


def test_one_level_under_two_names(faceforensics):
    touch(faceforensics, "original_sequences/youtube/c0/videos/519.mp4")
    indexed = sources.index("faceforensics", faceforensics)
    assert found(indexed, "the same level twice") == ["original_sequences/youtube/c0/videos/519.mp4"]


@pytest.fixture
def celebdf(tmp_path):
    for i in range(6):
        touch(tmp_path, f"Celeb-real/id{i}_0000.mp4", f"Celeb-synthesis/id{i}_id{(i + 1) % 6}_0000.mp4")
        touch(tmp_path, f"Celeb-synthesis/id{i}_id{(i + 2) % 6}_0000.mp4", f"YouTube-real/0000{i}.mp4")
    return tmp_path


def test_celebdf(celebdf):
    listed = ["1 YouTube-real/00001.mp4", "1 Celeb-real/id1_0000.mp4", "0 Celeb-synthesis/id1_id2_0000.mp4"]
    (celebdf / "List_of_testing_videos.txt").write_text("\n".join([*listed, "1 Celeb-real/id9_0007.mp4", ""]))
    indexed = sources.index("celebdf", celebdf)
    table = indexed.table.set_index("path")
    assert set(table.index[table["split"] == "test"]) == {line[2:] for line in listed}
    assert {"train", "val"} < set(table["split"])
    assert found(indexed, "left out") == ["Celeb-synthesis/id1_id3_0000.mp4"]  # the test clip's other forgery
    assert found(indexed, "listed in a split") == ["Celeb-real/id9_0007.mp4"]
    forged = table.loc["Celeb-synthesis/id0_id1_0000.mp4"]
    assert forged[["method", "identity", "source"]].tolist() == ["deepfake", "id0", "id1"]
    assert forged["group"] == table.loc["Celeb-real/id0_0000.mp4", "group"]
    assert table["crf"].isna().all() and table.loc["YouTube-real/00001.mp4", "label"] == "real"


def test_celebdf_without_its_list_is_split_by_group(celebdf):
    (celebdf / "Celeb-real" / "id0_0000.mp4").unlink()
    indexed = sources.index("celebdf", celebdf)
    assert set(indexed.table["split"]) == set(manifest.SPLITS)
    assert found(indexed, "no list of test clips") == ["List_of_testing_videos.txt"]
    assert len(found(indexed, "its original is not there")) == 2


@pytest.fixture
def dfdc(tmp_path):
    for part in range(2):
        folder = f"dfdc_train_part_{part}"
        names = [f"{folder}/{letter * 10}.mp4" for letter in "abcdef"]
        touch(tmp_path, *names)
        real = {f"{letter * 10}.mp4": {"label": "REAL", "split": "train"} for letter in "ab"}
        fake = {
            f"{letter * 10}.mp4": {"label": "FAKE", "split": "train", "original": f"{original * 10}.mp4"}
            for letter, original in ("ca", "da", "eb")
        }
        absent = {"gggggggggg.mp4": {"label": "FAKE", "split": "train", "original": "hhhhhhhhhh.mp4"}}
        (tmp_path / folder / "metadata.json").write_text(json.dumps({**real, **fake, **absent}))
    return tmp_path


def test_dfdc(dfdc):
    indexed = sources.index("dfdc", dfdc)
    table = indexed.table
    assert len(table) == 10 and table["clip"].is_unique
    assert found(indexed, "listed, not there") == [f"dfdc_train_part_{i}/gggggggggg.mp4" for i in range(2)]
    assert found(indexed, "there, not listed") == [f"dfdc_train_part_{i}/ffffffffff.mp4" for i in range(2)]
    by_path = table.set_index("path")
    fakes = by_path.loc[["dfdc_train_part_0/cccccccccc.mp4", "dfdc_train_part_0/dddddddddd.mp4"]]
    assert set(fakes["group"]) == {by_path.loc["dfdc_train_part_0/aaaaaaaaaa.mp4", "group"]}
    assert fakes["label"].tolist() == ["forged", "forged"]


def test_dfdc_with_official_splits(dfdc):
    listing = dfdc / "dfdc_train_part_1" / "metadata.json"
    listing.write_text(listing.read_text().replace('"train"', '"test"'))
    for path in dfdc.glob("*/b*.mp4"):
        path.rename(path.with_name(f"{path.parent.name[-1]}{path.name}"))
    indexed = sources.index("dfdc", dfdc)
    assert len(indexed.table) and set(indexed.table["split"]) == {"test"}  # 'a' of both parts has one name: strictest


def test_folder(tmp_path):
    touch(tmp_path, "real/a b.mp4", "real/deep/c.mov", "faceswap/d.webm", "test/real/e.mp4", "loose.mp4", "real/n.txt")
    touch(tmp_path, "real/<script>.mp4", "real/line\nbreak.mp4", "real/f.mp4")
    indexed = sources.index("folder", tmp_path)
    table = indexed.table.set_index("path")
    assert table.loc["faceswap/d.webm", ["method", "label"]].tolist() == ["faceswap", "forged"]
    assert table.loc["test/real/e.mp4", "split"] == "test" and table.loc["real/deep/c.mov", "label"] == "real"
    assert found(indexed, "in no folder") == ["loose.mp4"]
    manifest.save(indexed.table, tmp_path / "clips.csv")
    again = manifest.read_clips(tmp_path / "clips.csv")
    assert again["path"].tolist() == indexed.table["path"].tolist()  # names survive the table, the newline too
    assert len(table) == 7


def test_links_and_names_that_no_table_holds(tmp_path):
    touch(tmp_path, "outside.mp4", "root/real/a.mp4", "root/fake/b.mp4", "root/fake/back\\slash.mp4")
    (tmp_path / "root/real/link.mp4").symlink_to(tmp_path / "outside.mp4")
    (tmp_path / "root/real/gone.mp4").symlink_to(tmp_path / "nothing.mp4")
    broken = os.fsencode(tmp_path / "root" / "real") + b"/\xff.mp4"
    with open(broken, "wb"):  # noqa: PTH123 (a name that is no text)
        pass
    indexed = sources.index("folder", tmp_path / "root")
    assert indexed.table["path"].tolist() == ["fake/b.mp4", "real/a.mp4"]
    assert found(indexed, "leads out") == ["real/gone.mp4", "real/link.mp4"]
    assert found(indexed, "a name") == ["fake/back\\slash.mp4", "real/?.mp4"]
    assert found(indexed, "too few groups") != []


def test_the_authors_faces(tmp_path):
    for part, n in (("train_test", 20), ("validation", 5)):
        for class_ in ("df", "real"):
            touch(tmp_path, *(f"{part}/{class_}/{class_}{i:05d}.jpg" for i in range(n)))
    indexed = sources.index("mesonet-faces", tmp_path)
    table = indexed.table
    assert table.groupby(["split", "label"]).size().to_dict() == {
        ("test", "forged"): 5, ("test", "real"): 5, ("train", "forged"): 18, ("train", "real"): 18,
        ("val", "forged"): 2, ("val", "real"): 2,
    }  # fmt: skip
    assert table["clip"].isna().all() and table["face"].is_unique
    with pytest.raises(ValueError, match="published without their clips.*per face only"):
        manifest.need_clips(table)
    manifest.save(table, tmp_path / "faces.csv")
    pd.testing.assert_frame_equal(manifest.read_faces(tmp_path / "faces.csv"), table)


@pytest.mark.parametrize("name", list(sources.SOURCES))
def test_an_empty_folder_says_what_should_be_there(tmp_path, name):
    with pytest.raises(ValueError, match="nothing to index; this dataset has"):
        sources.index(name, tmp_path)
    with pytest.raises(ValueError, match="no such folder"):
        sources.index(name, tmp_path / "absent")


def test_a_hundred_thousand_clips_are_indexed_in_seconds(tmp_path):
    """A hundredth of it here; the time is in docs/scaling.md."""
    entry = {"label": "FAKE", "split": "train"}
    names = {f"{i:010d}.mp4": {**entry, "original": f"{i % 99:010d}.mp4"} for i in range(1000)}
    (tmp_path / "p").mkdir()
    touch(tmp_path, *(f"p/{name}" for name in names))
    (tmp_path / "p" / "metadata.json").write_text(json.dumps(names))
    assert len(sources.index("dfdc", tmp_path).table) == 1000
