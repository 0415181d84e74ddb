"""tests/verbs/explore/conftest.py: samples are read here; tests/survey has workers."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def in_this_process() -> None:
    """Read samples here."""
    patch = pytest.MonkeyPatch()
    for module in ("values", "pixel_copies"):
        here = f"wetread.survey.{module}.parallel_map"
        patch.setattr(here, lambda work, items, workers: map(work, items))
