"""tests/verbs/explore/conftest.py: samples are read here; tests/survey has workers."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def in_this_process() -> None:
    """Read samples here."""
    patch = pytest.MonkeyPatch()
    patch.setattr(
        "wetread.survey.values.parallel_map", lambda work, items, workers: map(work, items)
    )
