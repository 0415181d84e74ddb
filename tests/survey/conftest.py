"""tests/survey/conftest.py: tables of an index that a test writes row by row."""

from collections.abc import Callable, Iterator

import polars as pl
import pytest

from wetread.archive.index.schema import INDEX_SCHEMA

Index = Callable[..., pl.DataFrame]


@pytest.fixture(autouse=True, scope="package")
def in_this_process() -> Iterator[None]:
    """Pixels are read here: a worker takes a second to start. tests/cli/test_explore.py has
    workers."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("values", "pixel_copies"):
            here = f"wetread.survey.{module}.parallel_map"
            patch.setattr(here, lambda work, items, workers: map(work, items))
        yield


@pytest.fixture(scope="session")
def index_rows() -> Index:
    """index_rows({"PatientID": "a"}, ..., **alike): rows of an index; what is not given is null,
    ids are the row's number, states are of images."""

    def rows(*given: dict[str, object], **alike: object) -> pl.DataFrame:
        numbered = [
            {
                "state": "image",
                "path": f"/archive/{number}.dcm",
                "SOPInstanceUID": f"image-{number}",
                "SeriesInstanceUID": f"series-{number}",
                "StudyInstanceUID": f"study-{number}",
                **alike,
                **own,
            }
            for number, own in enumerate(given)
        ]
        return pl.DataFrame(numbered, schema=INDEX_SCHEMA)

    return rows
