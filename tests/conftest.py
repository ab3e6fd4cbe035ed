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
