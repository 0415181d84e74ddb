"""tests/archive/identity/test_privacy.py: what identifies is withheld, and the lists name what
there is."""

import pytest
from pydicom.datadict import tag_for_keyword

from wetread.archive.identity import privacy
from wetread.archive.identity.privacy import describe_presence, is_sound, is_withheld

# The Basic Application Confidentiality Profile's rows that name a person, place or time (PS3.15 E).
IDENTIFYING = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientBirthTime",
    "PatientAddress",
    "PatientComments",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientMotherBirthName",
    "PatientTelephoneNumbers",
    "PatientWeight",
    "PatientSize",
    "Occupation",
    "EthnicGroup",
    "MilitaryRank",
    "AdditionalPatientHistory",
    "ResponsiblePerson",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "StudyTime",
    "ContentTime",
    "AcquisitionDateTime",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord",
    "RequestingPhysician",
    "DeviceSerialNumber",
    "ProtocolName",
    "StudyDescription",
    "SeriesDescription",
    "ImageComments",
    "AdmissionID",
    "CurrentPatientLocation",
    "PlateID",
    "DetectorID",
    "RequestAttributesSequence",
    "OriginalAttributesSequence",
    "IconImageSequence",
    "ContentSequence",
    "PersonName",
    "VerifyingObserverName",
    "RequestedProcedureID",
    "PerformedStationName",
    "TextValue",
    "DateOfSecondaryCapture",
    "TimezoneOffsetFromUTC",
    "SourceApplicationEntityTitle",
    "EncapsulatedDocument",
)
NEEDED = (
    "Modality",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImagePositionPatient",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "TransferSyntaxUID",
    "PatientSex",
    "PatientAge",
    "Manufacturer",
    "ConvolutionKernel",
    "RescaleIntercept",
    "WindowCenter",
    "BodyPartExamined",
    "ViewPosition",
    "SliceThickness",
    "KVP",
    "ImageType",
    "CodeMeaning",
    "StackID",
)


@pytest.mark.parametrize("keyword", IDENTIFYING)
def test_what_identifies_is_withheld_whatever_vr_the_file_gives_it(keyword: str) -> None:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    assert is_withheld(tag, "UN")
    assert is_withheld(tag, "CS")


@pytest.mark.parametrize("keyword", NEEDED)
def test_what_a_reader_needs_is_shown(keyword: str) -> None:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    assert not is_withheld(tag, "CS")


def test_a_name_behind_a_wrong_vr_is_withheld_and_so_is_what_no_dictionary_knows() -> None:
    assert is_withheld(0x00280010, "PN")
    assert is_withheld(0x00091001, "US")
    assert is_withheld(0x00080009, "CS")


@pytest.mark.parametrize("name", sorted(privacy.SHOWN_TEXTS | privacy.WITHHELD))
def test_every_name_of_the_lists_is_in_the_dictionary(name: str) -> None:
    assert tag_for_keyword(name) is not None


def test_a_text_too_long_for_its_vr_may_hold_a_neighbours_bytes() -> None:
    assert is_sound("ORIGINAL\\PRIMARY\\AXIAL", "CS")
    assert not is_sound("CT\0\0\0\0PN DOE^JANE", "CS")
    assert not is_sound("A" * 17, "CS")
    assert not is_sound("1.5 DOE^JANE FORMER", "DS")


def test_presence_counts() -> None:
    assert describe_presence(1) == "present, 1 character"
    assert describe_presence(14) == "present, 14 characters"
