"""tests/survey/test_first_warnings.py: what an index shows at once."""

from collections.abc import Callable

import polars as pl

from wetread.archive.index.index import Index as ArchiveIndex
from wetread.archive.index.schema import REJECT_SCHEMA
from wetread.survey.first_warnings import first_warnings

Index = Callable[..., pl.DataFrame]


def index(rows: pl.DataFrame) -> ArchiveIndex:
    return ArchiveIndex(rows.lazy(), pl.DataFrame(schema=REJECT_SCHEMA), 0)


def test_patients_modalities_and_intercepts_are_warned_of(index_rows: Index) -> None:
    rows = index_rows(
        {"PatientID": "a", "Modality": "CT", "notes": ["wrong_intercept"]},
        {"PatientID": "b", "Modality": "CR"},
        {"PatientID": "c", "Modality": "CR"},
    )
    assert first_warnings(index(rows)) == (
        "every image has a PatientID of its own",
        "2 modalities (CR 2, CT 1)",
        "1 image with a wrong intercept, repaired where it is read",
    )


def test_an_archive_without_faults_has_no_warnings(index_rows: Index) -> None:
    rows = index_rows({"PatientID": "a"}, {"PatientID": "a"}, {"PatientID": "b"}, Modality="CT")
    assert first_warnings(index(rows)) == ()
