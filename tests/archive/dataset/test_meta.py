"""tests/archive/dataset/test_meta.py: file meta in implicit VR, without preamble, with a length
that lies or twice: the image is read, and what is out of form is named."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from wetread.archive.containers.sources import Entry
from wetread.archive.dataset.dump import dump_elements
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.archive.notes import NAMED
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.verbs.index import index
from wetread.verbs.show import examine_file

Write = Callable[..., Path]
IMPLICIT, EXPLICIT = str(ImplicitVRLittleEndian), str(ExplicitVRLittleEndian)


def examined(path: Path) -> dict[str, Any]:
    found = examine(Entry(str(path), None, path.stat().st_size, 0, None))
    return {name: found.get(name) for name in (*INDEX_SCHEMA, "reason", "detail")}


def faults_of(path: Path) -> str | None:
    """Return the issue of the file meta that `show FILE` names."""
    shown = examine_file((path, None, None))
    assert shown.state == "read", (shown.reason, shown.detail)
    named = [issue for issue in shown.issues if issue.name in NAMED]
    assert {issue.name for issue in named} <= {"meta_out_of_form"}
    return named[0].detail if named else None


def meta(syntax: str, *, explicit: bool, length: int | None = 0, **uids: str) -> bytes:
    """A group 2; length: what is added to the length that it names, None: it names none."""
    elements = {
        0x0001: b"\0\1",
        0x0002: uids.get("sop_class", "1.2.840.10008.5.1.4.1.1.2").encode(),
        0x0003: b"1.2.3.1",
        0x0010: syntax.encode(),
        0x0012: b"1.2.3.4",
    }
    body = b""
    for number, value in elements.items():
        if not value:
            continue
        value += b"\0" * (len(value) % 2)
        vr = b"OB" if number == 1 else b"UI"
        if not explicit:
            body += struct.pack("<HHL", 2, number, len(value)) + value
        elif vr == b"OB":
            body += struct.pack("<HH2sHL", 2, number, vr, 0, len(value)) + value
        else:
            body += struct.pack("<HH2sH", 2, number, vr, len(value)) + value
    if length is None:
        return body
    head = struct.pack("<HH2sH", 2, 0, b"UL", 4) if explicit else struct.pack("<HHL", 2, 0, 4)
    return head + struct.pack("<L", len(body) + length) + body


@pytest.fixture
def data_set(write_ct: Write) -> Callable[[str], bytes]:
    """data_set(transfer syntax) -> its bytes, without preamble and meta."""

    def make(syntax: str) -> bytes:
        dataset = pydicom.dcmread(write_ct("whole"))
        out = DicomBytesIO()
        out.is_little_endian, out.is_implicit_VR = True, syntax == IMPLICIT
        write_dataset(out, dataset)
        return out.getvalue()

    return make


PREAMBLE = bytes(128) + b"DICM"


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("before", [PREAMBLE, b""])
@pytest.mark.parametrize("length", [0, None])
def test_a_ct_whose_file_meta_is_in_implicit_vr_is_an_image(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray, syntax: str,
    before: bytes, length: int | None,
) -> None:  # fmt: skip
    path = tmp_path / "in" / "x.dcm"
    path.parent.mkdir()
    path.write_bytes(before + meta(syntax, explicit=False, length=length) + data_set(syntax))
    row = examined(path)
    assert (row["state"], row["TransferSyntaxUID"]) == ("image", syntax)
    assert row["SOPInstanceUID"] == "1.2.3.1"
    np.testing.assert_array_equal(read_stored(row), noise)
    told = faults_of(path) or ""
    assert "the file meta is in implicit VR" in told
    assert ("no preamble" in told) == (before == b"")
    found = index([path.parent], tmp_path / "i.parquet", workers=1)
    assert (found.images.height, found.rejects.height) == (1, 0)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
def test_a_ct_whose_file_meta_is_in_big_endian_is_an_image(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray, syntax: str
) -> None:
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = False, False
    group = pydicom.Dataset()
    group.FileMetaInformationVersion = b"\0\1"
    group.TransferSyntaxUID = syntax
    write_dataset(out, group)
    path = tmp_path / "x.dcm"
    path.write_bytes(PREAMBLE + out.getvalue() + data_set(syntax))
    row = examined(path)
    assert (row["state"], row["TransferSyntaxUID"]) == ("image", syntax)
    np.testing.assert_array_equal(read_stored(row), noise)
    assert faults_of(path) == "the file meta is in big endian"
    data = path.read_bytes()
    elements = list(dump_elements(lambda at, n: data[at : at + n], len(data)))
    assert any(syntax in str(element) for element in elements)


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
@pytest.mark.parametrize("before", [PREAMBLE, b""])
@pytest.mark.parametrize("explicit", [True, False])
def test_of_two_groups_of_file_meta_the_first_holds(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray, syntax: str,
    before: bytes, explicit: bool,
) -> None:  # fmt: skip
    other = EXPLICIT if syntax == IMPLICIT else IMPLICIT
    second = meta(other, explicit=explicit, sop_class="1.2.840.10008.5.1.4.1.1.4")
    data = before + meta(syntax, explicit=True) + second + data_set(syntax)
    (tmp_path / "x").write_bytes(data)
    for _ in range(2):  # the second time with what the first walk learned
        row = examined(tmp_path / "x")
        assert (row["state"], row["TransferSyntaxUID"]) == ("image", syntax)
        np.testing.assert_array_equal(read_stored(row), noise)
    assert "1 more group 0002 at the start of the data set" in (faults_of(tmp_path / "x") or "")
    elements = list(dump_elements(lambda at, n: data[at : at + n], len(data)))
    assert sum(one.tag == 0x00020010 for one in elements) == 2
    assert sum(one.tag == 0x00280010 for one in elements) == 1


def test_a_transfer_syntax_that_only_the_second_group_names_is_taken(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray
) -> None:
    first, second = meta("", explicit=True), meta(EXPLICIT, explicit=True)
    (tmp_path / "x").write_bytes(PREAMBLE + first + second + data_set(EXPLICIT))
    row = examined(tmp_path / "x")
    assert (row["state"], row["TransferSyntaxUID"]) == ("image", EXPLICIT)
    np.testing.assert_array_equal(read_stored(row), noise)


@pytest.mark.parametrize("length", [-8, 20, 4000, None])
@pytest.mark.parametrize("explicit", [True, False])
def test_a_length_of_the_file_meta_that_lies_is_named(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray, length: int | None,
    explicit: bool,
) -> None:  # fmt: skip
    first = meta(EXPLICIT, explicit=explicit, length=length)
    (tmp_path / "x").write_bytes(PREAMBLE + first + data_set(EXPLICIT))
    np.testing.assert_array_equal(read_stored(examined(tmp_path / "x")), noise)
    told = faults_of(tmp_path / "x") or ""
    if length is None:
        assert "no (0002,0000) FileMetaInformationGroupLength" in told
    else:
        there = len(meta(EXPLICIT, explicit=explicit)) - 12
        assert f"(0002,0000) says {there + length} bytes, {there} follow it" in told


@pytest.mark.parametrize("size", [2, 6000])
def test_a_length_of_the_file_meta_that_is_no_number_is_named(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray, size: int
) -> None:
    head = b"\x02\0\0\0UL" + size.to_bytes(2, "little") + b"\x01" * size
    (tmp_path / "x").write_bytes(
        PREAMBLE + head + meta(EXPLICIT, explicit=True, length=None) + data_set(EXPLICIT)
    )
    np.testing.assert_array_equal(read_stored(examined(tmp_path / "x")), noise)
    told = f"(0002,0000) is no number: it has {size} bytes, not 4"
    assert told in (faults_of(tmp_path / "x") or "")


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT])
def test_a_data_set_that_contradicts_its_file_meta_is_read_and_named(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray, syntax: str
) -> None:
    other = EXPLICIT if syntax == IMPLICIT else IMPLICIT
    (tmp_path / "x").write_bytes(PREAMBLE + meta(other, explicit=True) + data_set(syntax))
    np.testing.assert_array_equal(read_stored(examined(tmp_path / "x")), noise)
    assert "although the file meta says" in (faults_of(tmp_path / "x") or "")


@pytest.mark.parametrize("before", [PREAMBLE, b""])
def test_a_data_set_without_file_meta_is_read_and_named(
    tmp_path: Path, data_set: Callable[[str], bytes], noise: np.ndarray, before: bytes
) -> None:
    for syntax in (IMPLICIT, EXPLICIT):
        (tmp_path / "x").write_bytes(before + data_set(syntax))
        row = examined(tmp_path / "x")
        np.testing.assert_array_equal(read_stored(row), noise)
        assert row["TransferSyntaxUID"] == syntax
        assert "no file meta" in (faults_of(tmp_path / "x") or "")


@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, str(ExplicitVRBigEndian)])
def test_file_meta_in_form_is_not_named(write_ct: Write, noise: np.ndarray, syntax: str) -> None:
    big = syntax == ExplicitVRBigEndian
    path = write_ct("x", syntax=syntax, pixels=noise.byteswap() if big else noise)
    assert faults_of(path) is None


@pytest.mark.parametrize(
    "data",
    [
        np.arange(2, 4000, dtype="<i4").tobytes(),
        np.array([2, 4, 2, 4] * 500, "<i4").tobytes(),
        b"\x02\x00\x00\x00\x04\x00\x00\x00" + bytes(4000),
        b"\x02\x00\x10\x00\x12\x00\x00\x00" + b"no UID of anything" * 90,
    ],
)
def test_numbers_that_look_like_a_group_2_are_no_dicom(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    assert examined(tmp_path / "x")["reason"] == "not_dicom"


def test_an_implicit_file_meta_cut_anywhere_is_no_image(
    tmp_path: Path, data_set: Callable[[str], bytes]
) -> None:
    for before in (PREAMBLE, b""):
        head = before + meta(EXPLICIT, explicit=False)
        data = head + data_set(EXPLICIT)
        for length in range(len(before), len(head) + 300, 7):
            (tmp_path / "x").write_bytes(data[:length])
            assert examined(tmp_path / "x")["state"] == "reject", length


@pytest.mark.parametrize("named", [EXPLICIT, IMPLICIT, str(ExplicitVRBigEndian)])
@pytest.mark.parametrize("big", [True, False])
def test_a_byte_order_that_contradicts_the_file_meta_is_read_and_named(
    write_ct: Write, tmp_path: Path, noise: np.ndarray, named: str, big: bool
) -> None:
    syntax = str(ExplicitVRBigEndian) if big else EXPLICIT
    path = write_ct("x", syntax=syntax, pixels=noise.byteswap() if big else noise)
    data = path.read_bytes()
    first = b"\x00\x08" if big else b"\x08\x00"
    path.write_bytes(PREAMBLE + meta(named, explicit=True) + data[data.index(first, 300) :])
    row = examined(path)
    assert (row["state"], row["Rows"]) == ("image", 16)
    np.testing.assert_array_equal(read_stored(row), noise)
    assert ((faults_of(path) or "").endswith("endian")) == (big != (named == ExplicitVRBigEndian))
