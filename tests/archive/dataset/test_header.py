"""tests/archive/dataset/test_header.py: the walk over a header gives what pydicom gives, and
says where a
file is cut."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from wetread.archive.dataset import header as header_module
from wetread.archive.dataset.header import Header, read_header
from wetread.archive.dataset.row_fields import WANTED
from wetread.archive.rejects import RejectError

Write = Callable[..., Path]
PYDICOM_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)


def read(data: bytes) -> Header:
    return read_header(lambda at, length: data[at : at + length], len(data), WANTED)


def nested(depth: int, undefined: bool) -> Sequence:
    inner = Dataset()
    inner.PatientComments = "deep"
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedSeriesSequence = Sequence([inner])
        outer["ReferencedSeriesSequence"].is_undefined_length = undefined
        inner.is_undefined_length_sequence_item = undefined
        inner = outer
    return Sequence([inner])


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_pixel_data_is_found_where_it_lies(
    write_ct: Write, noise: np.ndarray, syntax: str
) -> None:
    path = write_ct("x", syntax=syntax, ContentSequence=nested(3, undefined=True))
    data = path.read_bytes()
    found = read(data)
    walk = found.walk
    assert found.syntax == syntax
    if syntax == DeflatedExplicitVRLittleEndian:
        data = data[: found.data_start] + zlib.decompress(data[found.data_start :], -15)
    assert walk.pixel_length == noise.nbytes
    assert data[walk.pixel_offset :][: noise.nbytes] == noise.tobytes()


def oracle_files() -> list[Path]:
    """pydicom's own test files that this walk and pydicom both call DICOM."""
    odd = ("no_meta.dcm", "ExplVR_BigEndNoMeta.dcm")
    return [path for path in sorted(PYDICOM_FILES.glob("*.dcm")) if path.name not in odd]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("path", oracle_files(), ids=lambda path: path.name)
def test_wanted_elements_equal_those_of_pydicom(path: Path) -> None:
    found = read(path.read_bytes())
    expected = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    compared = 0
    for tag in WANTED - {0x52009229, 0x52009230, 0x00283000}:
        raw = expected._dict.get(pydicom.tag.Tag(tag))
        if raw is None:
            assert tag not in found.values
        elif not isinstance(raw, pydicom.dataelem.DataElement):
            assert found.values.get(tag, b"") == (raw.value or b""), pydicom.tag.Tag(tag)
            compared += 1
    assert compared > 0 or len(expected) < 8


def test_a_header_longer_than_the_first_read_is_read_on(write_ct: Write) -> None:
    path = write_ct("x", PatientComments="x" * 9000, AdditionalPatientHistory="y" * 9000)
    many = [Dataset() for _ in range(3000)]
    for number, item in enumerate(many):
        item.InstanceNumber = number
    dataset = pydicom.dcmread(path)
    dataset.ReferencedImageSequence = Sequence(many)
    dataset["ReferencedImageSequence"].is_undefined_length = True
    dataset.save_as(path)
    data = path.read_bytes()
    assert len(data) > 2 * header_module.FIRST_READ
    assert read(data).values[0x00280010] == struct.pack("<H", 16)


@pytest.mark.parametrize("undefined", [True, False])
def test_deep_nesting_is_refused_and_not_recursed_into(write_ct: Write, undefined: bool) -> None:
    fine = write_ct("fine", ContentSequence=nested(20, undefined)).read_bytes()
    assert read(fine).walk.pixel_tag == 0x7FE00010
    deep = write_ct("deep", ContentSequence=nested(120, undefined)).read_bytes()
    with pytest.raises(RejectError, match="too_deep"):
        read(deep)


def test_five_thousand_open_sequences_are_too_deep(write_ct: Write) -> None:
    data = write_ct("x").read_bytes()
    start = read(data).data_start
    opening = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opening += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(RejectError, match="too_deep"):
        read(data[:start] + opening * 5000)


def test_a_deflated_bomb_is_too_big(write_ct: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_module, "MAX_INFLATED", 1 << 20)
    data = write_ct("x", syntax=DeflatedExplicitVRLittleEndian).read_bytes()
    pack = zlib.compressobj(9, wbits=-15)
    bomb = pack.compress(b"\x08\x00\x18\x00UI\x04\x001.2\0" + bytes(8 << 20)) + pack.flush()
    start = read(data).data_start
    with pytest.raises(RejectError, match="too_big"):
        read(data[:start] + bomb)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"ID,Label\nID_1_any,0\n" * 40, "not_dicom"),
        (bytes(4096), "not_dicom"),
        (b"<html>" * 100, "not_dicom"),
        (bytes(128) + b"DICM", "bad_meta"),
        (bytes(128) + b"DICM\x02\x00\x10\x00UI\x14\x001.2", "bad_meta"),
        (bytes(128) + b"DICM\x02\x00\x10\x00??\x14\x001.2", "bad_meta"),
    ],
)
def test_what_is_no_dicom_file_says_so(data: bytes, reason: str) -> None:
    with pytest.raises(RejectError) as caught:
        read(data)
    assert caught.value.reason == reason


def test_a_vr_that_contradicts_the_file_meta_is_noted_and_read(write_ct: Write) -> None:
    data = write_ct("x").read_bytes()
    explicit, implicit = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"
    found = read(data.replace(explicit, implicit, 1))
    assert found.values[0x00280011] == struct.pack("<H", 12)
    assert found.notes == ("explicit VR although the file meta says implicit",)


def test_an_element_with_no_vr_is_a_bad_element(write_ct: Write) -> None:
    data = write_ct("x").read_bytes()
    with pytest.raises(RejectError, match=r"bad_element.*0010,0020"):
        read(data.replace(b"\x10\x00\x20\x00LO", b"\x10\x00\x20\x00??"))


def test_dicm_inside_a_value_is_not_taken_for_a_preamble(write_ct: Write) -> None:
    data = write_ct("x").read_bytes()
    bare = data[read(data).data_start :]
    padding = struct.pack("<HH2sH", 0x0008, 0x0005, b"CS", 10) + b"ISO_IR 100"
    filler = 128 - len(padding) - 8
    comment = struct.pack("<HH2sH", 0x0008, 0x0006, b"LO", filler + 10) + b"x" * filler
    found = read(padding + comment + b"DICMA12345" + bare)
    assert found.data_start == 0
    assert found.values[0x00280010] == struct.pack("<H", 16)
