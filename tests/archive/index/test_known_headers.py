"""tests/archive/index/test_known_headers.py: a known header gives what examining it gives."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from wetread.archive.containers.sources import Entry
from wetread.archive.index import examine as examining
from wetread.archive.index.examine import examine
from wetread.archive.index.known_headers import KnownHeaders
from wetread.archive.types import MutableRow

ROOT = "1.2.826.0.1.3680043.8.498.1"
Read = Callable[[bytes], MutableRow]


def slice_file(number: int, *, syntax: UID = ExplicitVRLittleEndian, **more: Any) -> bytes:
    """A slice of 4 x 4 pixels of one series."""
    one = pydicom.Dataset()
    one.SOPClassUID, one.SOPInstanceUID = CTImageStorage, f"{ROOT}.1.9{number:03d}"
    one.StudyInstanceUID, one.SeriesInstanceUID = f"{ROOT}.2", f"{ROOT}.3"
    one.Modality, one.PatientID, one.InstanceNumber = "CT", "P 1", number
    one.ContentTime, one.SliceLocation = "101112", 5 * number
    one.ImagePositionPatient = [-10, -10, 5 * number]
    one.ImageOrientationPatient, one.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.5, 0.5]
    one.Rows = one.Columns = 4
    one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
    one.RescaleSlope, one.RescaleIntercept = 1, -1024
    for name, value in more.items():
        setattr(one, name, value)
    one.PixelData = bytes(32)
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = syntax
    out = BytesIO()
    one.save_as(out, enforce_file_format=True)
    return out.getvalue()


@pytest.fixture
def read(tmp_path: Path) -> Read:
    file = tmp_path / "one.dcm"

    def row(data: bytes) -> MutableRow:
        file.write_bytes(data)
        return examine(Entry(str(file), None, len(data), 0, None))

    return row


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[], KnownHeaders]:
    """Forget all headers; gives those of now on."""

    def forget() -> KnownHeaders:
        monkeypatch.setattr(examining, "_KNOWN", KnownHeaders())
        found: KnownHeaders = examining._KNOWN
        return found

    return forget


def hit(headers: KnownHeaders, data: bytes) -> bool:
    return headers.row_of(data, len(data)) is not None


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_the_second_slice_of_a_series_is_known_and_has_its_own_values(read, known, syntax):
    first, second = (slice_file(number, syntax=syntax) for number in (1, 2))
    known()
    alone = read(second)
    headers = known()
    read(first)
    assert hit(headers, second)
    assert not hit(headers, second[:-1])  # its pixels are cut
    assert read(second) == alone
    assert alone["InstanceNumber"] == 2
    assert alone["position_mm"] == [-10, -10, 10]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_whatever_byte_of_a_header_differs_the_row_is_that_of_the_file_alone(read, known, syntax):
    first, second = (slice_file(number, syntax=syntax) for number in (1, 2))
    for place in range(128, len(second) - 32):
        changed = bytearray(second)
        changed[place] ^= (0x01, 0x80)[place % 2]
        known()
        alone = read(bytes(changed))
        known()
        read(first)
        assert read(bytes(changed)) == alone, place


def test_a_file_that_is_cut_anywhere_is_refused_as_alone(read, known):
    first, second = slice_file(1), slice_file(2)
    for length in range(1, len(second), 7):
        known()
        alone = read(second[:length])
        known()
        read(first)
        assert read(second[:length]) == alone, length


@pytest.mark.parametrize(
    "more",
    [
        {"HighBit": 11},  # noted behind what is a file's own
        {"ModalityLUTSequence": [pydicom.Dataset()]},
        {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0, "RescaleIntercept": 0},
        {"RedPaletteColorLookupTableData": bytes(2000)},  # long: what may nest deep is walked
    ],
)
def test_what_depends_on_more_than_the_header_is_examined_each_time(read, known, more):
    headers = known()
    read(slice_file(1, **more))
    assert not hit(headers, slice_file(2, **more))


def test_notes_on_a_files_own_values_stand_where_examining_puts_them(read, known):
    first = slice_file(1)
    second = slice_file(2).replace(b"101112", b"nonono")
    known()
    alone = read(second)
    headers = known()
    read(first)
    assert hit(headers, second)
    assert read(second) == alone
    assert any("ContentTime" in text for text in alone["notes"])
