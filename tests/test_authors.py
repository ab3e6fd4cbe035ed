"""The authors' four networks, read as the notebooks read ours: the recorded numbers are those of the files."""

import numpy as np
import pytest

from mesokit import dataset, weights
from mesokit.interpret import sign_groups
from mesokit.lesson import authors

pytestmark = pytest.mark.slow


@pytest.fixture
def in_cache(authors_files, monkeypatch):
    monkeypatch.setenv("MESOKIT_CACHE", str(authors_files))


@pytest.fixture
def no_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MESOKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(weights, "fetch", lambda *_: pytest.fail("it asked for a file"))


def test_without_files_the_record_speaks_and_nothing_is_downloaded(no_cache):
    assert len(authors.NAMES) == 4
    for name in authors.NAMES:
        for read in (authors.alternation, authors.sign_groups):
            found = read(name)
            assert found["source"] == "recorded"
            assert found["low"] < found["value"] < found["high"]
            assert 0 < found["p" if read is authors.alternation else "p_value"] < 1


@pytest.mark.parametrize("name", authors.NAMES)
def test_recorded_runs_of_signs_are_those_of_the_files(in_cache, name):
    found = authors.alternation(name)
    assert found.pop("source") == "computed here"
    assert found == pytest.approx(authors._RECORDED["alternation"][name], abs=1e-3)


@pytest.mark.parametrize("name", authors.NAMES)
def test_recorded_sign_groups_are_those_of_the_files(in_cache, name):
    found = authors.sign_groups(name)
    known = authors._RECORDED["sign_groups"][name]
    assert found["source"] == "computed here"
    assert [found[key] for key in ("value", "low", "high")] == pytest.approx(
        [known[key] for key in ("value", "low", "high")], abs=0.02
    )
    assert (found["n_real"], found["n_forged"]) == (known["n_real"], known["n_forged"])
    assert (found["low"] > 0) == (known["low"] > 0) == name.endswith("deepfake")


def test_the_oval_is_like_the_region_of_masks(tiny):
    masks = dataset.read(tiny).dropna(subset="mask").drop_duplicates("mask")
    region, oval = sign_groups.face_region(dataset.images(masks, tiny, column="mask")), authors.region()
    assert np.count_nonzero(region & oval) / np.count_nonzero(region | oval) > 0.8
