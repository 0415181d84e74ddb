"""tests/conftest.py: where the real files lie, and what all tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as of_hypothesis

# A machine that others load draws slowly: that is no fault of a law.
of_hypothesis.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
of_hypothesis.load_profile("patient")
# Of the pseudonyms in what the tests write: nothing is kept in the user's configuration folder.
os.environ["WETREAD_KEY"] = "the key of the test-suite"
REPOSITORY = Path(__file__).resolve().parents[1]
# The last three draw WebGL without a graphics card.
BROWSER = [
    "--no-sandbox",
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real DICOM files; a test that needs it skips where it is absent."""
    folder = Path(os.environ.get("WETREAD_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real files at {folder}; set WETREAD_DATA to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium; a test that drives it skips where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (extra dev)")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("needs the program chromium")
    with playwright.sync_playwright() as drivers:
        opened = drivers.chromium.launch(executable_path=program, args=BROWSER)
        yield opened
        opened.close()
