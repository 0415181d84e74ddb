"""tests/survey/test_patients.py: persons on both sides are found, and never named."""

from collections.abc import Callable

import polars as pl

from wetread.survey.patients import (
    count_parts,
    patients_in_parts,
    shared_ids,
    studies_a_patient,
    studies_of_two_patients,
)

Index = Callable[..., pl.DataFrame]


def test_patients_are_counted_by_their_studies(index_rows: Index) -> None:
    images = index_rows({}, {}, {}).with_columns(patient=pl.Series(["p", "p", "q"]))
    assert studies_a_patient(images).rows() == [(1, 1), (2, 1)]


def test_a_study_of_two_patients_is_found(index_rows: Index) -> None:
    table = index_rows(
        {"PatientID": "p"}, {"PatientID": "q"}, {"PatientID": None}, StudyInstanceUID="s"
    )
    assert studies_of_two_patients(table).rows() == [("s", 2, 2)]


def test_a_split_by_study_has_the_patient_of_two_studies_on_both_sides(index_rows: Index) -> None:
    images = index_rows({}, {}, {}).with_columns(patient=pl.Series(["secret", "secret", "q"]))
    parts = {"study-0": "train", "study-1": "held_out", "study-2": "train"}
    (row,) = patients_in_parts(images, parts).iter_rows(named=True)
    assert (row["parts"], row["studies"], row["images"]) == ("held_out, train", 2, 2)
    assert set(row["examples"]) == {"study-0", "study-1"}
    assert "secret" not in str(row)


def test_parts_are_of_images_before_studies_before_patients(index_rows: Index) -> None:
    images = index_rows({}, {}, {}).with_columns(patient=pl.Series(["p", "p", None]))
    parts = {"image-0": "a", "p": "b"}
    assert count_parts(images, parts).rows() == [("a", 1, 1, 1), ("b", 1, 1, 1), (None, 0, 1, 1)]
    assert patients_in_parts(images, parts).height == 1


def test_two_archives_share_patients_studies_and_images(index_rows: Index) -> None:
    here = index_rows({}, {}, {}).with_columns(patient=pl.Series(["p", "q", None]))
    there = index_rows(
        {"SOPInstanceUID": "image-0"}, {"StudyInstanceUID": "study-1", "SOPInstanceUID": "new"}
    ).with_columns(patient=pl.Series([None, "q"]))
    there = there.with_columns(
        StudyInstanceUID=pl.Series(["other", "study-1"]), SeriesInstanceUID=pl.Series(["x", "y"])
    )
    found = shared_ids(here, there)
    assert {name: frame.height for name, frame in found.items()} == {
        "patient_in_two_sources": 1, "study_in_two_sources": 1, "image_in_two_sources": 1,
    }  # fmt: skip
    assert found["patient_in_two_sources"].columns == ["study", "images"]  # no id of a patient
    assert found["patient_in_two_sources"]["study"].to_list() == ["study-1"]
