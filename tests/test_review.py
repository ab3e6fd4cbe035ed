"""A review is written to disk, applied to the dataset, and restored after the dataset was built again."""

import shutil

import pytest

from mesokit import dataset, files
from mesokit.dataset import review
from mesokit.lesson import explorers


@pytest.fixture
def reviewed(tiny, tmp_path):
    """A copy of the tables of the tiny dataset; its faces stay where they are."""
    for name in ("faces.csv", "dataset.json"):
        shutil.copy(tiny / name, tmp_path / name)
    return tmp_path


def test_rejected_faces_disappear_and_come_back(reviewed):
    before = dataset.read(reviewed)
    first, second = before["face"].iloc[:2]
    review.decide(reviewed, first, False, "blurred")
    audit = review.decide(reviewed, second, True)
    assert audit.values.tolist() == sorted([[first, False, "blurred"], [second, True, ""]])
    assert set(before["face"]) - set(dataset.read(reviewed)["face"]) == {first}
    card = files.read_json(reviewed / "dataset.json")
    assert card["reviewed"] == {"accepted": 1, "rejected": 1}
    assert card["sha256"]["faces.csv"] == files.sha256(reviewed / "faces.csv")
    review.decide(reviewed, first, True)
    assert len(dataset.read(reviewed)) == len(before)


def test_a_review_is_replayed_on_the_dataset_built_again(reviewed, tiny):
    face = dataset.read(reviewed)["face"].iloc[0]
    review.decide(reviewed, face, False, "no face")
    after = (reviewed / "faces.csv").read_bytes()
    shutil.copy(tiny / "faces.csv", reviewed / "faces.csv")
    assert review.apply(reviewed) == 1
    assert (reviewed / "faces.csv").read_bytes() == after


def test_decisions_on_faces_of_another_build_wait(reviewed):
    (reviewed / review.AUDIT).write_text("face,keep,reason\nof_another_clip,False,blurred\n")
    assert review.apply(reviewed) == 0 and len(review.read(reviewed)) == 1


def test_what_a_review_refuses(reviewed):
    assert review.read(reviewed).empty and review.apply(reviewed) == 0
    before = (reviewed / "faces.csv").read_bytes()
    with pytest.raises(ValueError, match="say why"):
        review.decide(reviewed, "x", False)
    with pytest.raises(ValueError, match="no face 'x' to judge"):
        review.decide(reviewed, "x", False, "blurred")
    assert (reviewed / "faces.csv").read_bytes() == before and not (reviewed / review.AUDIT).exists()
    (reviewed / review.AUDIT).write_text("face,keep\n1,maybe\n")
    with pytest.raises(ValueError, match="True or False"):
        review.read(reviewed)


def test_the_explorer_decides_and_goes_on(tiny, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(tiny, root)
    table = dataset.read(root).head(3)
    explorer = explorers.review(root, table)
    explorer.reason.value = "turned away"
    explorer.buttons["reject"].click()
    explorer.buttons["accept"].click()
    assert review.read(root)["keep"].tolist() == [False, True]
    assert explorer.controls["face"].value == 2
    assert "not judged yet" in explorer.figure.layout.annotations[0].text
    explorer.controls["face"].value = 0
    assert "rejected: turned away" in explorer.figure.layout.annotations[0].text
