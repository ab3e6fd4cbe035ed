"""What several tests share: the reference data (never committed) and a tiny dataset, built once."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def reference() -> Path:
    """Third-party data to check against: the authors' weights and faces, reference outputs, photographs."""
    path = Path(os.environ.get("MESOKIT_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not path.is_dir():
        pytest.skip("the reference data are absent: name their folder in MESOKIT_REFERENCE")
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A whole dataset of six synthetic people, both forgeries of each, and two levels."""
    from mesokit import dataset
    from mesokit.dataset import manifest
    from mesokit.synthetic import studio

    root = tmp_path_factory.mktemp("tiny")
    for _ in studio.make(root, studio.PRESETS["tiny"], seed=0):
        pass
    clips = manifest.read_clips(root / "clips.csv")
    for built in dataset.build(clips, root, root, frames=3, about={"name": "tiny"}):
        assert built.error is None
    return root
