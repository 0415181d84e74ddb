"""tests/study/test_patients.py: who is one patient, and how well that is known."""

from collections.abc import Sequence

import polars as pl
import pytest

from wetread.study.patients import Identity, find_patients

HEADERS = "the headers' PatientID"


def films(patients: Sequence[str | None], studies: Sequence[str] | None = None) -> pl.DataFrame:
    """One image a patient given, each of a study of its own, or of those given."""
    count = len(patients)
    return pl.DataFrame(
        {
            "SOPInstanceUID": [f"1.{k}" for k in range(count)],
            "SeriesInstanceUID": [f"2.{k}" for k in range(count)],
            "StudyInstanceUID": list(studies or (f"3.{k}" for k in range(count))),
            "patient": pl.Series(patients, dtype=pl.String),
        }
    )


def told(patients: Sequence[str | None], studies: Sequence[str] | None = None) -> Identity:
    return find_patients(films(patients, studies), HEADERS)[1]


@pytest.mark.parametrize(
    "nobody", [None, "Anonymous", "anon", "0", "REMOVED", "unknown", "ANON^PATIENT", "n/a", "xxxx"]
)
def test_without_an_identity_the_study_is_the_unit_and_there_is_no_proof(
    nobody: str | None,
) -> None:
    units, identity = find_patients(films([nobody] * 4, ["a", "a", "b", "c"]), HEADERS)
    assert units.to_list() == ["a", "a", "b", "c"]
    assert (identity.unit, identity.proven, identity.images_without_patient) == ("study", False, 4)
    assert (identity.reason or "").startswith("no image has a patient")


def test_one_same_id_over_all_studies_is_nobodys() -> None:
    units, identity = find_patients(films(["4711"] * 3), HEADERS)
    assert units.to_list() == ["3.0", "3.1", "3.2"]
    assert identity.reason == "all 3 studies have one and the same PatientID"


def test_one_patient_of_one_study_is_one_patient() -> None:
    assert told(["4711"] * 3, ["a"] * 3).unit == "patient"


def test_an_id_of_its_own_in_every_file_tells_no_patients_apart() -> None:
    units, identity = find_patients(films(["p", "q", "r"], ["a", "a", "b"]), HEADERS)
    assert units.to_list() == ["a", "a", "b"]
    assert identity.reason == "every image has a PatientID of its own"


def test_patients_that_are_told_on_purpose_are_taken_as_they_are() -> None:
    _, identity = find_patients(films(["p", "q", "r"]), "a file", named=True)
    assert identity == Identity("patient", "a file")


def test_where_some_have_no_patient_their_study_is_the_unit_and_nothing_is_proven() -> None:
    patients = ["p", None, "p", None, "Unknown", "q"]
    units, identity = find_patients(films(patients, ["a", "a", "b", "c", "d", "e"]), HEADERS)
    assert units.to_list() == ["p", "p", "p", "c", "d", "q"]  # the second is of a study of p
    assert (identity.unit, identity.images_without_patient) == ("mixed", 2)
    assert identity.reason == f"2 of 6 images have no patient in {HEADERS} (but 'Unknown')"


def test_a_study_of_two_patients_is_refused() -> None:
    with pytest.raises(ValueError, match=r"1 study is of several patients each, the first b"):
        told(["p", "p", "q", "r", "q"], ["a", "a", "b", "b", "c"])


def test_ids_that_are_new_in_each_study_are_named_and_the_proof_stays() -> None:
    identity = told(["p", "p", "q", "q", "r"], ["a", "a", "b", "b", "c"])
    assert identity.proven
    assert "none of 3 patients has more than one study" in (identity.caution or "")
    assert told(["p", "p", "q"], ["a", "b", "c"]).caution is None


def test_an_id_that_half_of_the_studies_share_is_named() -> None:
    identity = told(["scanner"] * 6 + ["p", "p", "q", "r", "s"])
    assert identity.caution == "one PatientID stands for 6 of the 11 studies"


def test_images_without_study_have_their_series_or_themselves_as_unit() -> None:
    rows = films([None, None]).with_columns(
        StudyInstanceUID=pl.lit(None, pl.String),
        SeriesInstanceUID=pl.Series(["s", None], dtype=pl.String),
    )
    assert find_patients(rows, HEADERS)[0].to_list() == ["s", "1.1"]
