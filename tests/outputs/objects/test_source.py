"""tests/outputs/objects/test_source.py: what is no legal DICOM in an image's header."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.config import disable_value_validation
from pydicom.uid import UID
from tests.outputs.objects.head_ct import ct_header

from wetread.outputs.objects.author import derive_uid
from wetread.outputs.objects.source import (
    LEGAL_UID,
    complete_header,
    find_faults,
    replace_faults,
)


@pytest.fixture(autouse=True)
def values_are_as_they_are() -> Iterator[None]:
    """pydicom would warn of what is not legal."""
    with disable_value_validation():
        yield


def changed(**values: object) -> Dataset:
    """The header of a legal slice, with some elements otherwise; None: absent."""
    header = copy.deepcopy(ct_header(0))
    for name, value in values.items():
        if value is None:
            delattr(header, name)
        else:
            header.add_new(name, {"PatientAge": "AS", "PatientSex": "CS"}.get(name, "LO"), value)
    return header


def test_a_legal_header_has_no_fault() -> None:
    assert find_faults(ct_header(0)) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"StudyInstanceUID": "ID_906f98d283"}, "(0020,000D) StudyInstanceUID is 'ID_906f98d283'"),
        ({"SeriesInstanceUID": None}, "(0020,000E) SeriesInstanceUID is absent"),
        ({"SOPInstanceUID": "1.02.3"}, "(0008,0018) SOPInstanceUID is '1.02.3'"),
        ({"FrameOfReferenceUID": "0"}, "(0020,0052) FrameOfReferenceUID is '0'"),
        ({"SOPClassUID": None}, "(0008,0016) SOPClassUID is absent"),
        ({"PatientAge": "58"}, "(0010,1010) PatientAge is '58'"),
        ({"PatientSex": "W"}, "(0010,0040) PatientSex is 'W'"),
        (
            {"PatientBirthDate": "1950-02-03"},
            "(0010,0030) PatientBirthDate is present, 10 characters",
        ),
        ({"StudyDate": "20201301"}, "(0008,0020) StudyDate is present, 8 characters"),
        ({"StudyTime": "25"}, "(0008,0030) StudyTime is present, 2 characters"),
    ],
)
def test_a_fault_is_named_with_its_tag_and_never_an_identifying_value(
    values: dict[str, object], said: str
) -> None:
    assert [str(fault) for fault in find_faults(changed(**values))] == [said]


def test_replacements_are_legal_listed_and_equal_for_equal_values() -> None:
    header = changed(StudyInstanceUID="ID_1", SOPClassUID=None, PatientAge="58", StudyDate="x")
    legal, replaced = replace_faults(header)
    assert find_faults(legal) == []
    assert legal.StudyInstanceUID == derive_uid("StudyInstanceUID", "ID_1")
    assert (legal.PatientAge, legal.StudyDate) == ("058Y", "")
    assert UID(legal.SOPClassUID).name == "CT Image Storage"
    assert {one.fault.keyword for one in replaced} == {
        *("StudyInstanceUID", "SOPClassUID", "PatientAge", "StudyDate"),
    }
    assert header.StudyInstanceUID == "ID_1"  # the image's own header is as it was
    assert replace_faults(header)[0].StudyInstanceUID == legal.StudyInstanceUID


def test_what_may_be_empty_is_there_and_empty() -> None:
    bare = changed(PatientName=None, AccessionNumber=None, StudyDate=None)
    found = complete_header(bare)
    assert (found.PatientName, found.AccessionNumber, found.StudyDate) == ("", "", "")
    assert find_faults(found) == []


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4))
def test_a_derived_uid_is_legal(parts: list[str]) -> None:
    uid = derive_uid(*parts)
    assert LEGAL_UID.fullmatch(uid)
    assert UID(uid).is_valid


@given(st.from_regex(r"[0-9.]{1,70}", fullmatch=True))
def test_a_uid_is_legal_where_pydicom_says_so_and_it_has_two_parts(text: str) -> None:
    assert bool(LEGAL_UID.fullmatch(text)) == (UID(text).is_valid and "." in text)
