"""tests/outputs/objects/test_report.py: a reading as a structured report, read back by highdicom
and dcmtk and judged by dciodvfy."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.sr.codedict import codes
from tests.outputs.objects.object_checks import errors_of, groups_of, measured_in, read_xml

from wetread.outputs.objects.report import make_report
from wetread.outputs.objects.study import ObjectStudy
from wetread.prediction.reading import Reading


def test_it_gives_back_the_probabilities_of_study_and_key_slices_and_what_was_measured(
    study: ObjectStudy, reading: Reading
) -> None:
    keys = ["1.2.3.4", "1.2.3.3"]
    assert measured_in(make_report(study, reading, "any")) == [
        ("any", 0.35, "1", keys),
        ("subdural", 0.0625, "1", keys),
        ("any", pytest.approx(0.35), "1", ["1.2.3.4"]),
        ("subdural", pytest.approx(0.06), "1", ["1.2.3.4"]),
        ("any", pytest.approx(0.25), "1", ["1.2.3.3"]),
        ("subdural", pytest.approx(0.04), "1", ["1.2.3.3"]),
        ("blood_volume", 12.5, "mL", []),
    ]


def test_a_finding_has_its_public_code_or_one_under_the_private_scheme(
    study: ObjectStudy, reading: Reading
) -> None:
    found = {one.tracking_identifier: one for one in groups_of(make_report(study, reading, "any"))}
    of = {
        name: (one.finding_type.value, one.finding_type.scheme_designator)
        for name, one in found.items()
        if one.finding_type is not None
    }
    assert of["any"] == ("1386000", "SCT")
    assert of["subdural"] == ("subdural", "99WETREAD")


@pytest.mark.parametrize(("flagged", "said"), [(True, "Present"), (False, "Absent")])
def test_presence_is_coded_for_the_headline_where_an_operating_point_was_asked_for(
    study: ObjectStudy, reading: Reading, flagged: bool, said: str
) -> None:
    report = make_report(study, replace(reading, flagged=flagged), "any")
    evaluated = [one.get_qualitative_evaluations() for one in groups_of(report)]
    assert [len(of_group) for of_group in evaluated] == [1, 0, 0, 0, 0, 0, 0]
    assert evaluated[0][0].name == codes.DCM.PresenceOfProperty
    assert getattr(evaluated[0][0].value, "meaning", None) == said


def test_no_presence_is_coded_without_an_operating_point(
    study: ObjectStudy, reading: Reading
) -> None:
    assert not any(
        one.get_qualitative_evaluations() for one in groups_of(make_report(study, reading, "any"))
    )


def test_its_observer_is_a_device_and_its_use_is_stated(
    study: ObjectStudy, reading: Reading
) -> None:
    xml = read_xml(make_report(study, reading, "any"))
    for words in ("Device Observer Name", "wetread hemorrhage", "not for diagnosis", "ab" * 32):
        assert words in xml


def test_it_lies_in_the_patient_and_study_that_were_read(
    study: ObjectStudy, reading: Reading
) -> None:
    found = pydicom.dcmread(BytesIO(make_report(study, reading, "any")))
    assert (found.PatientName, found.PatientID, found.PatientSex) == ("Doe^Jane", "P17", "F")
    assert (found.StudyInstanceUID, found.StudyDate) == ("1.2.1", "20200102")
    assert found.SeriesInstanceUID not in ("1.2.2", "1.2.1")
    assert (found.ContentDate, found.ContentTime) == ("20261130", "123015")


def test_the_same_reading_is_the_same_object_and_another_one_another(
    study: ObjectStudy, reading: Reading
) -> None:
    first, again = (make_report(study, reading, "any") for _ in range(2))
    assert first == again
    other = replace(reading, study={"any": 0.36, "subdural": 0.0625})
    uids = [
        pydicom.dcmread(BytesIO(one)).SOPInstanceUID
        for one in (first, make_report(study, other, "any"))
    ]
    assert uids[0] != uids[1]


def test_it_is_legal(study: ObjectStudy, reading: Reading, tmp_path: Path) -> None:
    assert errors_of(make_report(study, reading, "any"), tmp_path) == []
