"""Public datasets in their published layouts: names only, so that empty files are enough."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from mesokit import video
from mesokit.dataset import folders, indexing, manifest, sources


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
    assert indexed.table.groupby("split")["identity"].apply(set).to_dict() == {
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


@pytest.mark.parametrize("pairs", [{"000": "001"}, ["ab"], [["000", "001"], ["002"]]])
def test_lists_of_splits_that_are_none_are_refused(faceforensics, pairs):
    for split in manifest.SPLITS:
        (faceforensics / f"{split}.json").write_text(json.dumps(pairs))
    with pytest.raises(ValueError, match=r"train\.json: not a list of pairs of numbers; download it again"):
        sources.index("faceforensics", faceforensics)


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
    assert table["crf"].isna().all()
    assert table.loc["YouTube-real/00001.mp4", ["label", "identity"]].tolist() == ["real", "youtube00001"]
    assert table.loc["Celeb-real/id1_0000.mp4", "identity"] == "id1"


def test_a_forgery_of_celebdf_without_a_second_person_has_no_source(celebdf):
    touch(celebdf, "Celeb-synthesis/00009.mp4")
    table = sources.index("celebdf", celebdf).table.set_index("path")
    assert table["source"].isna().tolist() == ["synthesis" not in path or "00009" in path for path in table.index]


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


def many(*folders, n=6):
    return [f"{folder}/{folder.split('/')[0]}{i}.mp4" for folder in folders for i in range(n)]


READ = {  # name of a folder -> what it says
    "real": "real", "REAL": "real", "0_real": "real", "real_videos": "real", "RealVideos": "real", "original": "real",
    "originals": "real", "authentic": "real", "pristine": "real", "genuine": "real", "Celeb-real": "real",
    "YouTube-real": "real", "original_sequences": "real", "non-fake": "real", "nonfake": "real", "NonFake": "real",
    "not_fake": "real", "unaltered": "real", "no_manipulation": "real", "real2": "real",
    "fake": "forged", "1_fake": "forged", "FakeVideos": "forged", "deepfake": "forged", "DeepFakes": "forged",
    "DeepFakeDetection": "forged", "Face2Face": "forged", "FaceSwap": "forged", "NeuralTextures": "forged",
    "Celeb-synthesis": "forged", "manipulated_sequences": "forged", "forged": "forged", "df": "forged",
    "non-real": "forged", "unreal": "forged", "not_real": "forged", "UnReal": "forged", "AI generated": "forged",
    "real_and_fake": "forged or real", "real-vs-fake": "forged or real", "FakeVideo-RealAudio": "forged or real",
    "Train": "train", "training": "train", "TRAINING_SET": "train", "valid": "val", "Validation": "val", "dev": "val",
    "testing": "test", "train_test": "test or train", "real_train": "train and real", "TestFake": "test and forged",
    "people": "no class", "youtube": "no class", "realm": "no class", "surreal": "no class", "trainer": "no class",
    "contest": "no class", "unfair": "no class", "c23": "no class", "日本": "no class", "2": "no class",
}  # fmt: skip


@pytest.mark.parametrize(("name", "said"), READ.items())
def test_words_of_a_folder_name(name, said):
    assert str(folders.read(name)) == said


LABELLED = [  # folders -> their labels, by the words in their names
    ({"Train/Real": "real", "Train/Fake": "forged", "Validation/Real": "real", "Validation/Fake": "forged"}),
    ({"valid/real": "real", "valid/fake": "forged", "train/real": "real", "train/fake": "forged"}),
    ({"data/v1/real": "real", "data/v1/fake": "forged"}),
    ({"0_real": "real", "1_fake": "forged"}),
    ({"real_videos": "real", "fake_videos": "forged"}),
    ({"authentic/p1": "real", "deepfake/p1": "forged"}),
    ({"Celeb-real": "real", "Celeb-synthesis": "forged", "YouTube-real": "real"}),
    ({"non-fake": "real", "fake": "forged"}),
    ({"pristine": "real", "non-pristine": "forged"}),
    ({"real_train": "real", "fake_train": "forged", "real_test": "real", "fake_test": "forged"}),
    ({"fake_dataset/real/a": "real", "fake_dataset/fake/b": "forged"}),  # what all clips lie in says nothing
    ({"x/original": "real", "x/manipulated/FaceSwap": "forged", "x/manipulated/wav2lip": "forged"}),
]


@pytest.mark.parametrize("folders", LABELLED, ids=lambda folders: next(iter(folders)))
def test_labels_are_those_of_the_folders(tmp_path, folders):
    touch(tmp_path, *many(*folders))
    table = sources.index("folder", tmp_path).table
    labels = dict(zip(table["path"].str.rpartition("/")[0], table["label"], strict=True))
    assert labels == folders
    for path, split in zip(table["path"].str.lower(), table["split"], strict=True):
        said = {one for one in manifest.SPLITS if one in path.rpartition("/")[0]}
        assert not said or said == {split}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["fake"], ["no real clip", "fake: forged"]),
        (["real", "Originals/a"], ["no forged clip", "Originals: real"]),
        (["train", "people"], ["people could be real or forged", "people: no class"]),
        (["people", "lab"], ["lab (and 1 more) could be real or forged"]),
        (["real", "fake", "mixed"], ["mixed could be real or forged", "real: real", "fake: forged"]),
        (["real", "fake", "real_and_fake"], ["real_and_fake could be", "real_and_fake: forged or real"]),
        (["real", "fake/real_people"], ["fake/real_people could be real or forged", "real_people: real"]),
        (["real", "fake", "train/test_fake"], ["train/test_fake names two splits", "rename"]),
        (["real", "fake", "train_test/fake"], ["train_test/fake names two splits"]),
    ],
)
def test_what_is_not_clear_is_refused_with_what_each_name_was_taken_for(tmp_path, names, words):
    touch(tmp_path, *many(*names))
    with pytest.raises(ValueError, match="the names of its folders were read as") as error:
        sources.index("folder", tmp_path)
    assert all(word in str(error.value) for word in words) and "\n" not in str(error.value)
    assert "rename" in str(error.value) or "--real NAME... and --forged NAME..." in str(error.value)


def test_classes_are_told_outright(tmp_path):
    touch(tmp_path, *many("People", "lab/results", "lab/raw", "FakeVideo-RealAudio", "real"))
    told = {"real": ["people", "lab/raw/"], "forged": ["lab", "FakeVideo-RealAudio"]}
    table = sources.index("folder", tmp_path, **told).table
    folder = table["path"].str.rpartition("/")[0]
    assert set(folder[table["label"] == "real"]) == {"People", "lab/raw", "real"}
    assert set(table.loc[folder == "lab/results", "method"]) == {"lab"}
    with pytest.raises(ValueError, match="no folder with clips is called persons; .*People: no class"):
        sources.index("folder", tmp_path, real=["persons"])
    with pytest.raises(ValueError, match="--real and --forged both name lab"):
        sources.index("folder", tmp_path, real=["lab"], forged=["lab/"])
    with pytest.raises(ValueError, match="--real and --forged are for the source folder"):
        sources.index("dfdc", tmp_path, real=["lab"])


def test_methods_are_named_by_the_deepest_folder_that_says_one(tmp_path):
    places = ["real", "fake/x", "Deepfakes", "manipulated/Face2Face", "fake/FaceSwap/c23", "train_fakes"]
    touch(tmp_path, *many(*places))
    table = sources.index("folder", tmp_path).table
    methods = dict(zip(table["path"].str.rpartition("/")[0], table["method"], strict=True))
    assert list(map(methods.get, places)) == ["real", "fake", "deepfake", "face2face", "FaceSwap", "fakes"]


@pytest.mark.parametrize("suffix", [".mts", ".M2TS", ".ts", ".WMV", ".3gp", ".FLV", ".vob", ".ogv", ".GIF", ".mpg"])
def test_clips_of_all_containers_are_indexed(tmp_path, suffix):
    touch(tmp_path, *(f"{label}/{label}{i}{suffix}" for label in ("real", "fake") for i in range(3)))
    assert len(sources.index("folder", tmp_path).table) == 6 and suffix.lower() in video.CLIP_SUFFIXES


def test_what_was_not_used_is_told_with_counts(tmp_path):
    root = tmp_path / "root"
    touch(root, *many("real", "fake"), "fake/a.xyz", "real/1.PNG", "real/2.png", "real/.hid.mp4", ".cache/fake/z.mp4")
    touch(root, "fake/notes.txt", "loose.mp4")
    touch(tmp_path, *many("elsewhere/fake", n=3), "elsewhere/readme.txt")
    (root / "linked_fake").symlink_to(tmp_path / "elsewhere" / "fake")
    (root / "fake_again").symlink_to(root / "fake")
    (root / "real" / "twin.mp4").symlink_to(root / "real" / "real0.mp4")
    indexed = sources.index("folder", root)
    assert len(indexed.table) == 12
    assert found(indexed, "a linked folder, not followed") == ["linked_fake (3 clips)"]
    assert found(indexed, "a link to another folder in here") == ["fake_again"]
    assert found(indexed, "a link to another clip in here") == ["real/twin.mp4"]
    assert found(indexed, "hidden") == [".cache/fake/z.mp4", "real/.hid.mp4"]
    assert found(indexed, "other kinds of files") == [".png: 2 files, real/1.PNG, ...", ".xyz: 1 files, fake/a.xyz"]
    assert found(indexed, "in no folder") == ["loose.mp4"]
    assert any("2 hidden: " in line for line in indexing.summary(indexed.findings))


def test_a_folder_of_links_is_refused_with_the_reason(tmp_path):
    touch(tmp_path, *many("disk/real", "disk/fake"))
    (tmp_path / "root").mkdir()
    for name in ("real", "fake"):
        (tmp_path / "root" / name).symlink_to(tmp_path / "disk" / name)
    with pytest.raises(ValueError, match="nothing to index.*2 a linked folder, not followed: give .*fake .6 clips"):
        sources.index("folder", tmp_path / "root")


def test_the_masks_of_faceforensics_belong_to_their_clips(faceforensics):
    masks = ["manipulated_sequences/Deepfakes/masks/videos/519_515.mp4"]
    touch(faceforensics, *masks)
    indexed = sources.index("faceforensics", faceforensics)
    masked = indexed.table.dropna(subset="mask")
    assert set(masked["mask"]) == set(masks) and set(masked["method"]) == {"deepfake"}
    assert {Path(path).stem for path in masked["path"]} == {"519_515"}
    assert found(indexed, "not used: ") == []


def test_published_layouts_tell_of_clips_elsewhere(faceforensics, tmp_path_factory):
    touch(faceforensics, "original_sequences/youtube/c23/519.mp4", "manipulated_sequences/Deepfakes/519_515.mp4")
    indexed = sources.index("faceforensics", faceforensics)
    elsewhere = ["manipulated_sequences/Deepfakes/519_515.mp4", "original_sequences/youtube/c23/519.mp4"]
    assert found(indexed, "not used: ") == elsewhere
    root = tmp_path_factory.mktemp("celebdf")
    touch(root, "Celeb-real/id0_0000.mp4", "Celeb-fake/id0_id1_0000.mp4")
    assert found(sources.index("celebdf", root), "not used: ") == ["Celeb-fake/id0_id1_0000.mp4"]


def test_dfdc_parts_without_their_list_are_told(dfdc):
    touch(dfdc, "dfdc_train_part_9/zz.mp4", "dfdc_train_part_9/yy.MP4", "dfdc_train_part_0/deep/xx.mp4")
    indexed = sources.index("dfdc", dfdc)
    unlisted = ["dfdc_train_part_0/deep/xx.mp4", "dfdc_train_part_9/yy.MP4", "dfdc_train_part_9/zz.mp4"]
    assert found(indexed, "not used: no metadata.json in its folder") == unlisted
    assert any(line.startswith("     3 not used: no metadata.json") for line in indexing.summary(indexed.findings))


@pytest.mark.parametrize("nothing", [float("nan"), None, "", "NaN", 7, ["a.mp4"]])
def test_dfdc_without_an_original_is_a_group_of_its_own(tmp_path, nothing):
    entries = {f"{name}.mp4": {"label": "FAKE", "split": "train", "original": nothing} for name in "abcd"}
    entries |= {f"{name}.mp4": {"label": "REAL", "split": "train", "original": nothing} for name in "efgh"}
    touch(tmp_path, *(f"part_0/{name}" for name in entries))
    (tmp_path / "part_0" / "metadata.json").write_text(json.dumps(entries))
    indexed = sources.index("dfdc", tmp_path)
    assert indexed.table["group"].nunique() == 8 and "nan" not in set(indexed.table["group"])
    assert len(found(indexed, "forged, and its original is not named")) == 4


METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")


@pytest.mark.parametrize("split", ["", "train/"])
def test_faceforensics_in_another_layout_does_not_leak(tmp_path, split):
    numbers = [f"{i:03}" for i in range(20)]
    touch(tmp_path, *(f"{split}original/{number}.mp4" for number in numbers))
    pairs = [f"{a}_{b}" for a, b in zip(numbers, reversed(numbers), strict=True)]
    touch(tmp_path, *(f"{split}{method}/{pair}.mp4" for method in METHODS for pair in pairs))
    indexed = sources.index("folder", tmp_path)
    table = indexed.table
    assert found(indexed, "people are read from names as in FaceForensics++") == ["100 clips"]
    assert table["group"].nunique() == 10 and table.groupby("group")["split"].nunique().max() == 1
    row = table[table["path"] == f"{split}Deepfakes/003_016.mp4"].iloc[0]
    assert row[["method", "identity", "source", "group"]].tolist() == ["deepfake", "003", "016", "003"]


def test_a_leak_over_folders_of_splits_is_left_out(tmp_path):
    touch(tmp_path, "train/original/003.mp4", "train/original/001.mp4", "train/Deepfakes/001_002.mp4")
    touch(tmp_path, "test/original/000.mp4", "test/Deepfakes/000_003.mp4")
    indexed = sources.index("folder", tmp_path)
    assert found(indexed, "left out") == ["train/original/003.mp4"]


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["original/01__hall.mp4", "original/02__hall.mp4", "DeepFakeDetection/01_02__hall__ABCDEFGH.mp4"], 1),
        (["real/id0_0001.mp4", "real/id1_0001.mp4", "fake/id0_id1_0001.mp4", "fake/id1_id0_0001.mp4"], 2),
        (["real/a/7.mp4", "real/b/7.mp4", "fake/a/7.mp4", "fake/b/7_swapped.mp4", "fake/b/7_anna to_eve.mp4"], 2),
        (["real/7.mp4", "real/71.mp4", "fake/7-x.mp4", "fake/8.mp4"], 3),
        (["train/real/1.mp4", "train/fake/1.mp4", "test/real/1.mp4", "test/fake/1.mp4"], 2),
    ],
)
def test_a_forgery_is_in_the_group_of_the_clip_that_its_name_names(tmp_path, names, groups):
    touch(tmp_path, *names)
    indexed = sources.index("folder", tmp_path)
    assert len(indexed.table) == len(names) and indexed.table["group"].nunique() == groups


@pytest.mark.parametrize(
    ("real", "forged", "lacking"),
    [
        (30, 3, []),
        (3, 30, []),
        (5, 5, []),
        (3, 3, []),
        (30, 2, ["a split without a forged clip: val"]),
        (1, 40, ["a split without a real clip: test", "a split without a real clip: val"]),
        (1, 1, ["a split without a clip: test", "a split without a clip: val"]),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_each_split_has_both_classes_or_it_is_told(tmp_path, real, forged, lacking, seed):
    touch(tmp_path, *many("real", n=real), *many("fake", n=forged))
    indexed = sources.index("folder", tmp_path, seed)
    told = indexed.findings[indexed.findings["finding"].str.startswith("a split without")]
    assert (told["finding"] + ": " + told["path"]).tolist() == lacking
    classes = indexed.table.groupby("split")["label"].nunique()
    assert len(lacking) or ((classes == 2).all() and len(classes) == 3)
    assert len(indexed.table) == real + forged
    if real + forged > 5:
        assert set(indexed.table["split"]) == set(manifest.SPLITS)


def test_another_seed_draws_other_splits(tmp_path):
    touch(tmp_path, *many("real", n=30), *many("fake", n=3))  # the balanced draw, not the first one
    first, again, other = (sources.index("folder", tmp_path, seed).table["split"].tolist() for seed in (0, 0, 1))
    assert first == again and first != other


def test_it_is_told_how_groups_were_found(tmp_path):
    """Two forged clips have the name of the real clip a; e has not, so nobody knows who is in it, nor in b."""
    touch(tmp_path, "real/a.mp4", "real/b.mp4", "fake/a.mp4", "fake/a_swapped.mp4", "fake/e.mp4")
    indexed = sources.index("folder", tmp_path)
    assert found(indexed, "in the group of the real clip of the same name") == ["2 clips"]
    assert found(indexed, "people are unknown: each clip is a group of its own") == ["2 clips"]
    groups = indexed.table.set_index("path")["group"]
    assert groups["fake/a.mp4"] == groups["fake/a_swapped.mp4"] == groups["real/a.mp4"]
    (tmp_path / "fake" / "a.mp4").unlink(), (tmp_path / "fake" / "a_swapped.mp4").unlink()
    assert found(sources.index("folder", tmp_path), "in the group of the real clip of the same name") == []


def test_groups_with_both_classes_go_where_single_ones_do_not_reach(tmp_path):
    touch(tmp_path, "real/a.mp4", "real/b.mp4", "fake/c.mp4", "fake/d.mp4", "real/e.mp4", "fake/e.mp4")
    for seed in range(5):
        table = sources.index("folder", tmp_path, seed).table
        assert (table.groupby("split")["label"].nunique() == 2).all() and set(table["split"]) == set(manifest.SPLITS)


def test_shares_are_kept_where_classes_are_balanced(tmp_path):
    touch(tmp_path, *many("real", n=200), *many("fake", n=10))
    table = sources.index("folder", tmp_path).table
    shares = table.groupby(["label", "split"]).size()
    assert shares["real"].to_dict() == {"train": 144, "val": 28, "test": 28}
    assert shares["forged", "train"] >= 6


def test_the_command_tells_what_it_read_and_left(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "data_scripts"))
    import index_dataset

    root, out = tmp_path / "root", tmp_path / "clips.csv"
    touch(root, *many("people", "lab"), "lab/photo.png")
    assert index_dataset.main(["folder", str(root), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert "lab (and 1 more) could be real or forged" in said and "--real NAME... and --forged NAME..." in said
    assert not out.exists()
    arguments = ["folder", str(root), "--out", str(out), "--real", "people", "--forged", "lab", "nothing"]
    assert index_dataset.main(arguments) == 2 and "called nothing" in capsys.readouterr().err
    assert index_dataset.main(arguments[:-1]) == 0
    said = capsys.readouterr().out
    assert "12 clips in 12 groups" in said and ".png: 1 files, lab/photo.png" in said
    told = pd.read_csv(tmp_path / "clips_findings.csv")
    assert "a folder name read as forged, as told" in set(told["finding"])
    sys.modules.pop("index_dataset")


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("space", [" ", "\t", "  "])
def test_lists_of_windows_editors_are_read(tmp_path, encoding, space):
    root = tmp_path / "celebdf"
    touch(root, "Celeb-real/id0_0000.mp4", "Celeb-real/id1_0000.mp4", "Celeb-synthesis/id0_id1_0000.mp4")
    lines = [f"1{space}Celeb-real/id1_0000.mp4", "", ""]
    (root / "List_of_testing_videos.txt").write_bytes("\r\n".join(lines).encode(encoding))
    clips = sources.index("celebdf", root).table.set_index("path")
    assert clips["split"]["Celeb-real/id1_0000.mp4"] == "test"
    (root / "List_of_testing_videos.txt").write_bytes("1;Celeb-real/id1_0000.mp4".encode(encoding))
    with pytest.raises(ValueError, match="the line '1;Celeb-real/id1_0000.mp4' is not a label 0 or 1 and a path"):
        sources.index("celebdf", root)
    part = tmp_path / "dfdc"
    touch(part, "part_0/a.mp4", "part_0/b.mp4")
    listed = {"a.mp4": {"label": "FAKE", "split": "train", "original": "b.mp4"}, "b.mp4": {"label": "REAL"}}
    (part / "part_0" / "metadata.json").write_bytes(json.dumps(listed, indent=1).replace("\n", "\r\n").encode(encoding))
    assert sources.index("dfdc", part).table["label"].tolist() == ["forged", "real"]


def test_a_root_that_is_no_folder_is_named(tmp_path):
    (tmp_path / "films.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    (tmp_path / "films").symlink_to("gone")
    for root, words in (
        (tmp_path / "films.zip", "no such folder: it is a zip archive"),
        (tmp_path / "films", "no such folder: a link to gone"),
        ("https://example.org/films", "no such folder: a web address"),
    ):
        with pytest.raises(ValueError, match=words):
            sources.index("folder", root)
