"""What several tests share: the reference data (never committed), the authors' weights, a tiny dataset built once."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REFERENCE = Path(os.environ.get("MESOKIT_REFERENCE", ROOT.parent / "shared" / "reference"))
TINY = os.environ.get("MESOKIT_TINY")  # the tiny dataset, if it is made already: mutants.py keeps it between its runs


def pytest_collection_modifyitems(items):
    """Mark as slow what needs the tiny dataset, which takes longer to make than most tests together."""
    for item in items:
        if "tiny" in item.fixturenames and not TINY:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def reference() -> Path:
    """Third-party data to check against: the authors' weights and faces, reference outputs, photographs."""
    if not REFERENCE.is_dir():
        pytest.skip("the reference data are absent: name their folder in MESOKIT_REFERENCE")
    return REFERENCE


@pytest.fixture(scope="session")
def authors_files() -> Path:
    """The folder of the authors' four weight files: that of the reference data, or the cache of downloads."""
    from mesokit import weights

    names = [entry.file for entry in weights.WEIGHTS.values() if entry.url is not None]
    for folder in (REFERENCE / "afchar2018", weights.cache()):
        if all((folder / name).is_file() for name in names):
            return folder
    pytest.skip("the authors' weights are absent: python data_scripts/download.py downloads them once")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A whole dataset of six synthetic people, both forgeries of each, and two levels."""
    from mesokit import dataset
    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    if TINY and Path(TINY, "dataset.json").is_file():
        return Path(TINY)
    root = Path(TINY) if TINY else tmp_path_factory.mktemp("tiny")
    for _ in studio.make(root, studio.PRESETS["tiny"], seed=0):
        pass
    clips = manifest.read_clips(root / "clips.csv")
    for built in dataset.build(clips, root, root, frames=3, about={"name": "tiny"}):
        assert built.error is None
    return root
