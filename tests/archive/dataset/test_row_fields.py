"""tests/archive/dataset/test_row_fields.py: values that mean none, HighBit beyond the stored bits
and objects without an image: the pixels stay, and what is sloppy has a name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from wetread.archive.containers.sources import Entry
from wetread.archive.dataset.luts import VoiWindow, read_voi
from wetread.archive.index.examine import examine
from wetread.archive.index.frames import frame_rows
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.notes import NAMED
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.study.slices import slice_from_row
from wetread.verbs.show import examine_file

Write = Callable[..., Path]
PIXELS = np.random.default_rng(4).integers(0, 4096, (16, 12)).astype(np.uint16)
TWELVE = {"pixels": PIXELS, "BitsStored": 12, "HighBit": 11}


def examined(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return {name: found.get(name) for name in (*INDEX_SCHEMA, "reason", "detail")}


def issues_of(path: Path) -> dict[str, str]:
    shown = examine_file((path, None, None))
    assert shown.state == "read", (shown.reason, shown.detail)
    return {issue.name: issue.detail for issue in shown.issues if issue.name in NAMED}


def with_text(path: Path, tag: bytes, vr: bytes, text: bytes) -> Path:
    """The file with an element's value replaced, whatever pydicom thinks of it."""
    data = path.read_bytes()
    at = data.index(tag + vr)
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    text += b" " * (len(text) % 2)
    head = data[: at + 6] + len(text).to_bytes(2, "little")
    path.write_bytes(head + text + data[at + 8 + length :])
    return path


SPACING, IMAGER, SLOPE, INTERCEPT = (
    tag.to_bytes(2, "little") + element.to_bytes(2, "little")
    for tag, element in ((0x28, 0x30), (0x18, 0x1164), (0x28, 0x1053), (0x28, 0x1052))
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"0\\0", "is 0\\0"),
        (b"0.5\\0", "is 0.5\\0"),
        (b"-0.5\\0.5", "is -0.5\\0.5"),
        (b"0.5\\0.5\\0.5", "has 3 values, not 2"),
        (b"0.5", "has 1 values, not 2"),
        (b"none", "is no number"),
        (b"NaN\\NaN", "is no number"),
        (b"\\", "is blank"),
        (b"", "is blank"),
        (b"  ", "is blank"),
    ],
)
def test_a_pixel_spacing_that_means_none_is_none_and_the_pixels_stay(
    write_ct: Write, text: bytes, fault: str
) -> None:
    path = with_text(write_ct("x", **TWELVE), SPACING, b"DS", text)
    row = examined(path)
    assert (row["state"], row["row_spacing_mm"], row["column_spacing_mm"]) == ("image", None, None)
    np.testing.assert_array_equal(read_stored(row), PIXELS)
    told = f"(0028,0030) PixelSpacing {fault}"
    assert issues_of(path)["spacing_unusable"] == told


def test_the_detectors_spacing_stands_in_for_an_unusable_one(write_ct: Write) -> None:
    path = with_text(
        write_ct("x", **TWELVE, ImagerPixelSpacing=[0.2, 0.1]), SPACING, b"DS", b"0\\0"
    )
    row = examined(path)
    assert (row["row_spacing_mm"], row["column_spacing_mm"]) == (0.2, 0.1)
    assert "spacing_unusable" in issues_of(path)
    assert "spacing_from_detector" in row["notes"]


def test_a_faulty_imager_pixel_spacing_is_named_and_its_neighbor_is_not(write_ct: Write) -> None:
    path = write_ct("x", **TWELVE, ImagerPixelSpacing=[1, 1], PixelSpacing=None)
    row = examined(with_text(path, IMAGER, b"DS", b"0\\0"))
    assert (row["state"], row["row_spacing_mm"]) == ("image", None)
    told = issues_of(path)["spacing_unusable"]
    assert "(0018,1164) ImagerPixelSpacing is 0\\0" in told
    assert "(0028,0030)" not in told


@pytest.mark.parametrize("blank", [b"", b"  ", b"\\"])
def test_a_blank_rescale_slope_is_none(write_ct: Write, blank: bytes) -> None:
    path = with_text(write_ct("x", **TWELVE), SLOPE, b"DS", blank)
    row = examined(path)
    assert (row["state"], row["RescaleSlope"]) == ("image", None)
    np.testing.assert_array_equal(slice_from_row(row).stored, PIXELS)
    assert slice_from_row(row).slope == 1
    assert issues_of(path)["number_blank"] == "(0028,1053) RescaleSlope is blank"


def test_a_blank_rescale_of_an_mr_is_the_identity(write_ct: Write) -> None:
    path = write_ct("x", **TWELVE, Modality="MR")
    for tag in (SLOPE, INTERCEPT):
        with_text(path, tag, b"DS", b"")
    np.testing.assert_array_equal(slice_from_row(examined(path)).values(), PIXELS)
    assert "number_blank" in issues_of(path)


@pytest.mark.parametrize("name", ["WindowCenter", "WindowWidth", "NumberOfFrames"])
def test_other_blank_numbers_are_named_and_absent(write_ct: Write, name: str) -> None:
    path = write_ct("x", **TWELVE | {name: ""})
    row = examined(path)
    assert (row["state"], row[name]) == ("image", None)
    np.testing.assert_array_equal(read_stored(row), PIXELS)
    assert f"{name} is blank" in issues_of(path)["number_blank"]


def test_a_number_of_frames_of_0_is_one_frame_as_pydicom_and_itk_take_it(write_ct: Write) -> None:
    path = write_ct("x", **TWELVE, NumberOfFrames=0)
    row = examined(path)
    assert (row["state"], row["NumberOfFrames"]) == ("image", None)
    np.testing.assert_array_equal(read_stored(row), PIXELS)
    assert issues_of(path)["number_blank"] == "(0028,0008) NumberOfFrames is 0"


def table(**tags: Any) -> Dataset:
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return item


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    "items",
    [
        [],
        [table()],
        [table(ModalityLUTType="HU")],
        [table(LUTExplanation="none", ModalityLUTType="US")],
        [table(LUTDescriptor=[0, 0, 16], ModalityLUTType="HU", LUTData=b"")],
        [table(LUTDescriptor=[256, 0, 16], ModalityLUTType="HU")],
    ],
)
def test_an_empty_modality_table_is_the_identity(
    write_ct: Write, syntax: str, items: list[Dataset]
) -> None:
    path = write_ct("x", syntax=syntax, **TWELVE, ModalityLUTSequence=items, RescaleIntercept=-1024)
    row = examined(path)
    assert row["state"] == "image"
    one = slice_from_row(row)
    np.testing.assert_array_equal(one.values(), PIXELS.astype(np.float32) - 1024)
    assert "(0028,3000) ModalityLUTSequence has no table" in issues_of(path)["lut_empty"]
    without = write_ct("y", **TWELVE, ModalityLUTSequence=items, RescaleSlope=None,
                       RescaleIntercept=None, Modality="MR")  # fmt: skip
    np.testing.assert_array_equal(slice_from_row(examined(without)).values(), PIXELS)


def test_an_empty_voi_table_leaves_the_window(write_ct: Write) -> None:
    path = write_ct("x", **TWELVE, VOILUTSequence=[table()])
    assert read_voi(examined(path)) == VoiWindow(40, 80)


def by_gdcm(path: Path) -> np.ndarray:
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    kind = "i2" if reader.GetImage().GetPixelFormat().GetPixelRepresentation() else "u2"
    raw = reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape")
    return np.frombuffer(raw, kind).reshape(PIXELS.shape)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("high", [12, 13, 15])
def test_a_high_bit_beyond_the_stored_bits_halves_no_value(
    write_ct: Write, high: int, signed: bool
) -> None:
    pixels = PIXELS.astype(np.int16) - 2048 if signed else PIXELS
    path = write_ct("x", pixels=pixels, BitsStored=12, HighBit=high)
    row = examined(path)
    found = read_stored(row)
    np.testing.assert_array_equal(found, pixels)
    np.testing.assert_array_equal(found, pydicom.dcmread(path).pixel_array)
    np.testing.assert_array_equal(found, by_gdcm(path))
    image = sitk.ReadImage(str(path))
    slope_and_intercept = sitk.GetArrayFromImage(image)[0] + 1024
    np.testing.assert_array_equal(found, slope_and_intercept)
    told = f"(0028,0102) HighBit is {high}, (0028,0101) BitsStored 12"
    assert issues_of(path)["high_bit"] == told


def test_a_high_bit_beyond_all_bits_is_named_and_read(write_ct: Write, noise: np.ndarray) -> None:
    path = write_ct("x", HighBit=16)
    np.testing.assert_array_equal(read_stored(examined(path)), noise)
    assert "HighBit is 16" in issues_of(path)["high_bit"]


@pytest.mark.parametrize("signed", [False, True])
def test_words_that_end_at_their_high_bit_are_shifted(write_ct: Write, signed: bool) -> None:
    """Left-justified, as the standard once allowed: the words themselves show it."""
    pixels = PIXELS.astype(np.int16) - 2048 if signed else PIXELS
    path = write_ct("x", pixels=pixels << 4, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(read_stored(examined(path)), pixels)
    assert "high_bit" in issues_of(path)


def test_a_slice_of_air_alone_is_not_taken_for_left_justified(write_ct: Write) -> None:
    """-1024 and 0 use no low bits, and the sign of -1024 fills the high ones."""
    air = np.where(PIXELS > 100, -1024, 0).astype(np.int16)
    path = write_ct("x", pixels=air, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(read_stored(examined(path)), air)


def test_words_of_16_bits_under_12_stored_keep_12(write_ct: Write) -> None:
    words = PIXELS | np.uint16(0x5000)
    path = write_ct("x", pixels=words, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_stored(examined(path)), PIXELS)
    np.testing.assert_array_equal(pydicom.dcmread(path).pixel_array, PIXELS)
    assert issues_of(path) == {}


def bare_object(path: Path, sop_class: str, modality: str, **tags: Any) -> Path:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = sop_class, "1.2.9", modality
    for name, value in tags.items():
        setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_mr_spectroscopy_is_an_object_without_image(tmp_path: Path) -> None:
    spectrum = np.zeros(64, np.float32)
    path = bare_object(
        tmp_path / "x", "1.2.840.10008.5.1.4.1.1.4.2", "MR", Rows=1, Columns=1, NumberOfFrames="1",
        DataPointRows=1, DataPointColumns=32, SpectroscopyData=spectrum.tobytes(),
    )  # fmt: skip
    row = examined(path)
    assert (row["state"], row["reason"], row["Modality"]) == ("not_image", None, "MR")
    assert examine_file((path, None, None)).state == "not_image"


@pytest.mark.parametrize(
    ("end", "modality"),
    [
        *(("66", "MR"), ("66", "CT"), ("9.1.1", "ECG"), ("11.1", "PR"), ("11.12", "CT")),
        *(("66.1", "REG"), ("67", "RWV"), ("4.2", "MR"), ("10", "OT"), ("9", "OT"), ("129", "PT")),
        *(("8", "CR"), ("78.7", "IOL"), ("200.2", "CT"), ("501.3", "OT"), ("481.10", "CT")),
    ],
)
def test_objects_of_an_image_modality_without_pixels_are_no_rejects(
    tmp_path: Path, end: str, modality: str
) -> None:
    row = examined(bare_object(tmp_path / "x", f"1.2.840.10008.5.1.4.1.1.{end}", modality))
    assert (row["state"], row["reason"]) == ("not_image", None)


@pytest.mark.parametrize("end", ["4", "4.1", "4.3", "4.4", "1.1", "128", "128.1"])
def test_image_classes_without_pixels_stay_rejects(tmp_path: Path, end: str) -> None:
    row = examined(bare_object(tmp_path / "x", f"1.2.840.10008.5.1.4.1.1.{end}", "MR", Rows=4))
    assert row["state"] == "reject"


@pytest.mark.parametrize(
    ("tags", "element"),
    [
        ({"Rows": None}, "(0028,0010) Rows is absent"),
        ({"Columns": 0}, "(0028,0011) Columns is 0"),
        ({"BitsAllocated": 0}, "(0028,0100) BitsAllocated is 0"),
        ({"BitsStored": 0}, "(0028,0101) BitsStored is 0"),
        ({"PixelRepresentation": None}, "(0028,0103) PixelRepresentation is absent"),
    ],
)
def test_a_reject_names_the_element_that_is_at_fault(
    write_ct: Write, tags: dict[str, Any], element: str
) -> None:
    assert examined(write_ct("x", **tags))["detail"] == element


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("more", [-2, 1, 2, 6, 20])
@pytest.mark.parametrize(
    ("tag", "vr", "name"),
    [
        (b"\x08\x00\x70\x00", b"LO", "(0008,0070)"),
        (b"\x18\x00\x50\x00", b"DS", "(0018,0050)"),
        (b"\x20\x00\x0d\x00", b"UI", "(0020,000D)"),
    ],
)
def test_a_wrong_length_names_its_element_and_not_what_is_met_behind_it(
    write_ct: Write, syntax: str, more: int, tag: bytes, vr: bytes, name: str
) -> None:
    explicit = syntax == ExplicitVRLittleEndian
    path = write_ct("x", syntax=syntax, Manufacturer="ACME CORP.", SliceThickness="5.25")
    data = path.read_bytes()
    at = data.index(tag + vr if explicit else tag) + (6 if explicit else 4)
    length = int.from_bytes(data[at : at + 2], "little")
    path.write_bytes(data[:at] + (length + more).to_bytes(2, "little") + data[at + 2 :])
    row = examined(path)
    assert row["state"] == "reject"
    assert row["detail"] == f"{name} has a length of {length + more} bytes, {length} are there"


def test_a_header_that_is_cut_still_names_where(write_ct: Write) -> None:
    path = write_ct("x")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x20\x00\x0d\x00UI") + 10])
    assert examined(path)["detail"].startswith("(0020,000D) ends past the end at byte")


def enhanced(write_ct: Write, spacings: list[list[float] | None]) -> Path:
    """An enhanced CT of a frame a spacing; None: the frame has none of its own."""
    items = []
    for k, spacing in enumerate(spacings):
        item = Dataset()
        place = Dataset()
        place.ImagePositionPatient = [0, 0, 5 * k]
        item.PlanePositionSequence = [place]
        if spacing is not None:
            measures = Dataset()
            measures.PixelSpacing = spacing
            item.PixelMeasuresSequence = [measures]
        items.append(item)
    pixels = np.stack([PIXELS] * len(spacings))
    return write_ct(
        "x", **TWELVE, NumberOfFrames=len(spacings), PixelData=pixels.tobytes(), PixelSpacing=None,
        PerFrameFunctionalGroupsSequence=items, SharedFunctionalGroupsSequence=[Dataset()],
    )  # fmt: skip


def test_an_unusable_spacing_of_one_frame_is_none_and_named(write_ct: Write) -> None:
    path = enhanced(write_ct, [[0.5, 0.25], [0, 0], [0.5, 0.5, 0.5]])
    row = examined(path)
    assert (row["state"], row["row_spacing_mm"]) == ("image", 0.5)
    frames = frame_rows(row)
    assert [one["row_spacing_mm"] for one in frames] == [0.5, None, None]
    for one in frames:
        np.testing.assert_array_equal(slice_from_row(one).stored, PIXELS)
    told = issues_of(path)["spacing_unusable"]
    assert "(0028,0030) PixelSpacing is 0\\0 in 1 functional groups" in told
    assert "(0028,0030) PixelSpacing has 3 values, not 2 in 1 functional groups" in told
