"""tests/survey/conftest.py: tables of an index that a test writes row by row."""

from collections.abc import Callable

import polars as pl
import pytest

from wetread.archive.index.schema import INDEX_SCHEMA

Index = Callable[..., pl.DataFrame]


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
