"""tests/verbs/evaluate/test_owners.py: the patient of every image, series and study."""

from pathlib import Path

import polars as pl
import pytest
from tests.verbs.evaluate.conftest import Films

from wetread.inputs.predictions import read_predictions_of
from wetread.labels.table import EXAM_SCHEMA, LabelError
from wetread.verbs.evaluate.levels import places_of
from wetread.verbs.evaluate.owners import find_owners, patients_at

NONE = pl.DataFrame(schema=EXAM_SCHEMA)


def test_headers_or_a_file_say_who_is_whom(films: Films) -> None:
    given = read_predictions_of(films.folder)
    places = places_of(given, given.table)
    by_header, identity = find_owners(given, places, None)
    by_file, _ = find_owners(given, places, films.patients)
    assert by_header["study"]["s3"] == "PAT1"
    assert (by_file["image"]["i3"], by_file["study"]["s3"]) == ("p1", "p1")
    assert identity.proven


def test_each_study_is_one_where_that_is_asked_for(films: Films) -> None:
    given = read_predictions_of(films.folder)
    owners, identity = find_owners(given, places_of(given, given.table), "study")
    assert owners["image"]["i3"] != owners["image"]["i2"]
    assert not identity.proven


def test_without_file_and_archive_each_id_is_its_own_patient_with_the_reason(films: Films) -> None:
    given = read_predictions_of(films.folder / "probabilities.csv")
    owners, identity = find_owners(given, NONE, None)
    assert owners["image"]["i3"] == "i3"
    assert identity.reason is not None


def test_a_file_of_studies_is_taken_too(films: Films, tmp_path: Path) -> None:
    given = read_predictions_of(films.folder / "probabilities.csv")
    file = tmp_path / "of-studies.csv"
    file.write_text("image,patient\n" + "".join(f"s{k},q{k // 4}\n" for k in range(40)))
    owners, _ = find_owners(given, NONE, file)
    assert patients_at(owners, "study", ["s3", "s4"]) == ["q0", "q1"]


def test_who_is_missing_in_the_file_is_named(films: Films) -> None:
    lines = films.patients.read_text().splitlines()
    films.patients.write_text("\n".join(line for line in lines if not line.startswith("i3,")))
    given = read_predictions_of(films.folder)
    owners, _ = find_owners(given, places_of(given, given.table), films.patients)
    with pytest.raises(LabelError, match="1 image without a patient, the first i3"):
        patients_at(owners, "image", ["i2", "i3"])
