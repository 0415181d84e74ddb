"""tests/archive/index/test_examine.py: every file becomes an image, a not_image or a reject with
its
reason, from header and length."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from wetread.archive.containers.sources import Entry
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.archive.rejects import REASONS, RejectError

Write = Callable[..., Path]


def row_of(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return dict.fromkeys((*INDEX_SCHEMA, "reason", "detail")) | found


def edited(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))
    return path


def test_a_plain_slice_gives_every_column_that_later_rooms_need(write_ct: Write) -> None:
    row = row_of(write_ct("x", number=3, FrameOfReferenceUID="1.2.6", SliceThickness=5))
    assert row["state"] == "image"
    assert (row["SOPInstanceUID"], row["SeriesInstanceUID"]) == ("1.2.3.3", "1.2.5")
    assert (row["Rows"], row["Columns"], row["BitsStored"]) == (16, 12, 16)
    assert (row["row_spacing_mm"], row["column_spacing_mm"]) == (0.5, 0.25)
    assert row["position_mm"] == [-10, -20, 15]
    assert row["orientation"] == [1, 0, 0, 0, 1, 0]
    assert (row["RescaleSlope"], row["RescaleIntercept"]) == (1, -1024)
    assert (row["WindowCenter"], row["WindowWidth"]) == ([40, 600], [80, 2800])
    assert (row["age_years"], row["PatientID"], row["InstanceNumber"]) == (61, "P1", 3)
    assert (row["SliceThickness"], row["FrameOfReferenceUID"]) == (5, "1.2.6")
    assert (row["lossy"], row["notes"]) == (False, [])


@pytest.mark.filterwarnings("ignore:.*UI:UserWarning")
def test_illegal_uids_no_class_and_no_number_are_notes(write_ct: Write) -> None:
    path = write_ct("x", SOPInstanceUID="ID_000039fa0", SOPClassUID=None, InstanceNumber=None)
    row = row_of(path)
    assert (row["state"], row["SOPInstanceUID"]) == ("image", "ID_000039fa0")
    assert row["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.2"
    assert row["notes"] == [
        "SOPClassUID from the file meta",
        "SOPInstanceUID is no legal UID",
        "no InstanceNumber",
    ]


@pytest.mark.parametrize(
    ("age", "years"), [("061Y", 61), ("58", 58), ("018M", 1.5), ("000D", 0), ("old", None)]
)
@pytest.mark.filterwarnings("ignore:.*VR AS:UserWarning")
def test_an_age_in_any_unit_becomes_years(write_ct: Write, age: str, years: float) -> None:
    assert row_of(write_ct("x", PatientAge=age))["age_years"] == years


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("101530.25", 36930.25), ("1015", 36900), ("10", 36000), ("10:15:30", 36930), ("late", None)],
)
@pytest.mark.filterwarnings("ignore:.*VR TM:UserWarning")
def test_a_time_becomes_seconds_and_its_value_is_never_told(
    write_ct: Write, time: str, seconds: float | None
) -> None:
    row = row_of(write_ct("x", ContentTime=time))
    assert row["content_time_s"] == seconds
    assert row["notes"] == ([] if seconds is not None else ["ContentTime cannot be read"])


@pytest.mark.parametrize("bad", [b"abc ", b"NaN ", b"inf ", b"1\\2 "])
def test_a_rescale_that_is_no_number_is_a_bad_number(write_ct: Write, bad: bytes) -> None:
    path = edited(write_ct("x", RescaleIntercept="-999"), b"-999", bad)
    row = row_of(path)
    assert (row["state"], row["reason"]) == ("reject", "bad_number")
    assert "(0028,1052)" in row["detail"]


def test_a_slope_of_zero_is_a_bad_number(write_ct: Write) -> None:
    assert row_of(write_ct("x", RescaleSlope=0))["reason"] == "bad_number"


def test_a_decimal_comma_is_read_and_noted(write_ct: Write) -> None:
    row = row_of(edited(write_ct("x", RescaleIntercept="-102.5"), b"-102.5", b"-102,5"))
    assert (row["RescaleIntercept"], row["notes"]) == (
        -102.5,
        ["RescaleIntercept has a decimal comma"],
    )


def test_a_window_that_is_no_number_is_only_noted(write_ct: Write) -> None:
    row = row_of(edited(write_ct("x", WindowCenter="4711"), b"4711", b"4x11"))
    assert (row["state"], row["WindowCenter"]) == ("image", None)
    assert row["notes"] == ["WindowCenter is no number"]


@pytest.mark.parametrize("signed", [True, False])
def test_padding_takes_the_sign_of_the_pixels(write_ct: Write, signed: bool) -> None:
    kind = np.int16 if signed else np.uint16
    path = write_ct("x", pixels=np.zeros((4, 4), kind))
    dataset = pydicom.dcmread(path)
    dataset.add_new(0x00280120, "US", 63536)
    dataset.save_as(path)
    assert row_of(path)["PixelPaddingValue"] == (-2000 if signed else 63536)


def test_a_file_cut_anywhere_is_never_taken_for_an_image(write_ct: Write, tmp_path: Path) -> None:
    data = write_ct("whole", pixels=np.zeros((2, 2), np.int16)).read_bytes()
    cut = tmp_path / "cut"
    found = set()
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        row = row_of(cut)
        assert row["state"] == "reject", length
        found.add(row["reason"])
    assert found == {
        *("empty", "not_dicom", "bad_meta", "truncated_header", "truncated_pixels", "no_pixels")
    }


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_cut_inside_its_header_is_a_truncated_header(write_ct: Write, syntax: str) -> None:
    path = write_ct("x", syntax=syntax)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"1.2.5") + 3])
    row = row_of(path)
    assert row["reason"] == "truncated_header"
    assert "0020,000E" in row["detail"]


def test_encapsulated_pixels_cut_anywhere_are_truncated(write_ct: Write) -> None:
    path = write_ct("x", pixels=np.arange(64, dtype=np.int16).reshape(8, 8))
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless)
    dataset.save_as(path)
    assert row_of(path)["state"] == "image"
    data = path.read_bytes()
    start = data.index(b"\xe0\x7f\x10\x00OB") + 12
    for length in range(start, len(data), 3):
        path.write_bytes(data[:length])
        assert row_of(path)["reason"] == "truncated_pixels", length


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"Rows": 0}, "bad_pixel_header"),
        ({"Rows": None}, "bad_pixel_header"),
        ({"BitsStored": 17}, "bad_pixel_header"),
        ({"HighBit": 3}, "bad_pixel_header"),
        ({"BitsAllocated": 12, "BitsStored": 12}, "bad_pixel_header"),
        ({"SamplesPerPixel": 9}, "bad_pixel_header"),
        ({"NumberOfFrames": -1}, "bad_pixel_header"),
        ({"Rows": 17}, "truncated_pixels"),
        ({"NumberOfFrames": 2}, "truncated_pixels"),
        ({"PixelData": b""}, "no_pixels"),
        ({"PixelData": None}, "no_pixels"),
        ({"Rows": 65535, "Columns": 65535}, "too_big"),
    ],
)
def test_an_impossible_pixel_header_is_refused(
    write_ct: Write, tags: dict[str, Any], reason: str
) -> None:
    row = row_of(write_ct("x", **tags))
    assert (row["state"], row["reason"]) == ("reject", reason)


def test_an_unknown_transfer_syntax_is_unsupported(write_ct: Write) -> None:
    path = edited(write_ct("x"), b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.1\0")
    row = row_of(path)
    assert row["reason"] == "unsupported_syntax"
    assert "1.2.840.10008.1.9.1" in row["detail"]


@pytest.mark.parametrize(
    ("sop_class", "modality"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "SR"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "KO"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "PR"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"),
        ("1.2.840.10008.5.1.4.1.1.66.4", "SEG"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "DOC"),
    ],
)
def test_an_object_without_an_image_is_a_row_and_no_reject(
    tmp_path: Path, sop_class: str, modality: str
) -> None:
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID, report.Modality = sop_class, "1.2.9", modality
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.save_as(tmp_path / "report", enforce_file_format=True)
    row = row_of(tmp_path / "report")
    assert (row["state"], row["SOPInstanceUID"], row["Modality"]) == (
        *("not_image", "1.2.9"),
        modality,
    )


def test_a_patients_name_is_never_in_a_detail(write_ct: Write) -> None:
    path = write_ct("x", PatientName="Secret^Name", PatientID="Secret-7")
    data = path.read_bytes()
    for length in range(300, len(data), 7):
        path.write_bytes(data[:length])
        assert "Secret" not in str(row_of(path)["detail"])


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.dictionaries(st.integers(0, 10_000), st.integers(0, 255), max_size=6))
def test_any_damage_ends_in_a_row_with_a_known_state(
    write_ct: Write, noise: np.ndarray, changes: dict[int, int]
) -> None:
    path = write_ct("x")
    data = bytearray(path.read_bytes())
    for at, value in changes.items():
        data[at % len(data)] = value
    path.write_bytes(data)
    row = row_of(path)
    assert row["state"] in {"image", "not_image", "reject"}
    assert row["state"] != "reject" or row["reason"] in REASONS
    if row["state"] == "image":
        try:
            stored = read_stored(row)
        except RejectError as reject:
            assert reject.reason in REASONS  # noqa: PT017
        else:
            assert stored.shape[-2:] == (row["Rows"], row["Columns"])


def test_the_malformed_files_end_as_their_manifest_says(real_data: Path) -> None:
    folder = real_data / "malformed"
    wrong = []
    with open(folder / "manifest.csv", newline="") as file:
        for line in csv.DictReader(file):
            row = row_of(folder / line["file"])
            got = {"image": "read"}.get(row["state"], row["state"])
            if got == "read":
                try:
                    read_stored(row)
                except RejectError as reject:
                    # colour is an image that is listed, and refused where grey is wanted
                    got = "read" if reject.reason == "wrong_kind" else "reject"
            if got != line["expected"] and got not in line["also_accepted"]:
                wrong.append((line["file"], line["expected"], got, row["detail"]))
    assert wrong == []


def test_what_tells_acquisitions_apart_and_the_unit_are_columns(write_ct: Write) -> None:
    row = row_of(
        write_ct(
            "x", AcquisitionTime="101530.5", TriggerTime="412.5", TemporalPositionIdentifier=3,
            NominalPercentageOfCardiacPhase=75.0, DiffusionBValue=800.0, EchoNumbers=2,
            SeriesDescription="ARTERIAL", RescaleType="HU", MultienergyCTAcquisition="YES",
        )
    )  # fmt: skip
    assert (row["acquisition_time_s"], row["TriggerTime"]) == (36930.5, 412.5)
    assert (row["cardiac_phase_percent"], row["DiffusionBValue"]) == (75, 800)
    assert (row["TemporalPositionIdentifier"], row["EchoNumbers"]) == (3, 2)
    assert (row["SeriesDescription"], row["RescaleType"]) == ("ARTERIAL", "HU")
    assert row["notes"] == ["multi_energy"]
