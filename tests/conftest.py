"""tests/conftest.py: where the real files lie, and what all tests share."""

import os
from pathlib import Path

import pytest

# Of the pseudonyms in what the tests write: nothing is kept in the user's configuration folder.
os.environ["WETREAD_KEY"] = "the key of the test-suite"
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real DICOM files; a test that needs it skips where it is absent."""
    folder = Path(os.environ.get("WETREAD_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real files at {folder}; set WETREAD_DATA to the folder that holds them")
    return folder
