"""tests/verbs/explore/conftest.py: pixels are read in this process, as in tests/survey."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="package")
def in_this_process() -> Iterator[None]:
    """Pixels are read here: a worker takes a second to start."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("values", "pixel_copies"):
            here = f"wetread.survey.{module}.parallel_map"
            patch.setattr(here, lambda work, items, workers: map(work, items))
        yield
