"""tests/archive/dataset/test_dump.py: every element of a header, as pydicom finds it, up to
damage."""

import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file, get_testdata_files
from pydicom.dataset import Dataset

from wetread.archive.containers.contents import open_contents
from wetread.archive.dataset.dump import ITEM, dump_elements
from wetread.archive.dataset.elements import PIXEL_TAGS
from wetread.archive.rejects import RejectError

NOT_ALIKE = {
    "rtplan_truncated.dcm",  # a sequence past the end, of which pydicom gives what there is
    "DICOMDIR-nooffset",  # the same: its elements were taken out, its lengths were not changed
    "no_meta.dcm",  # a byte too many in front, after which pydicom finds one element of nonsense
    "README",
}

Place = tuple[tuple[int, ...], int]  # (tags of the sequences around it, tag)


def ours(path: Path) -> list[Place]:
    """Elements of the data set in order; private creators and pixel data included."""
    with open_contents(str(path), None) as (read_at, size):
        return [
            (one.within, one.tag)
            for one in dump_elements(read_at, size)
            if one.tag != ITEM and one.tag >> 16 > 4 and one.tag & 0xFFFF
        ]


def theirs(dataset: Dataset, within: tuple[int, ...] = ()) -> Iterator[Place]:
    """Elements of pydicom's data set in order; private creators and pixel data included."""
    for element in dataset:
        tag = int(element.tag)
        if tag >> 16 > 4 and tag & 0xFFFF:
            yield within, tag
        if element.VR == "SQ":
            for item in element.value:
                yield from theirs(item, (*within, tag))
        if tag in PIXEL_TAGS and not within:
            return


def dicom_files() -> list[Path]:
    found = []
    for name in get_testdata_files():
        path = Path(name)
        if path.suffix in ("", ".dcm") and path.is_file() and path.name not in NOT_ALIKE:
            found.append(path)
    return sorted(found)


@pytest.mark.parametrize("path", dicom_files(), ids=lambda path: path.name)
def test_the_elements_are_those_that_pydicom_finds_in_the_same_order(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path, force=True)
            expected = list(theirs(dataset))
        except Exception:
            pytest.skip("pydicom does not read it")
        if not expected:
            pytest.skip("pydicom finds no element")
    assert ours(path) == expected


def test_a_value_is_its_bytes_and_a_sequence_has_numbered_items() -> None:
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    with open_contents(path, None) as (read_at, size):
        found = list(dump_elements(read_at, size))
    by_tag = {one.tag: one for one in found if not one.within}
    assert by_tag[0x00080060].value == b"CT"
    assert (by_tag[0x00280010].vr, by_tag[0x00280010].value) == ("US", b"\x80\x00")
    assert by_tag[0x00080060].keyword == "Modality"
    assert [one.number for one in found if one.tag == ITEM] == [1, 2]


def test_a_private_element_is_named_where_its_creator_is_known() -> None:
    path = get_testdata_file("CT_small.dcm")
    assert isinstance(path, str)
    with open_contents(path, None) as (read_at, size):
        names = {one.tag: one.keyword for one in dump_elements(read_at, size)}
    assert names[0x00090010] == "[creator of a private block]"
    assert names[0x00091001] == "[Full fidelity]"


def explicit(tag: tuple[int, int], vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", *tag, vr, len(value)) + value


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (struct.pack("<HH2sH", 0x10, 0x10, b"PN", 400) + b"short", "truncated_header"),
        (struct.pack("<HH2sH", 0x10, 0x10, b"!!", 4) + b"text", "bad_element"),
        (struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 8) + b"notitems", "bad_element"),
        (
            struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
            + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF),
            "truncated_header",
        ),
        (
            (
                struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
                + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
            )
            * 5000,
            "too_deep",
        ),
    ],
    ids=["a value past the end", "no VR", "no item", "an open sequence", "too deep"],
)
def test_what_stands_before_the_damage_is_still_given(ending: bytes, reason: str) -> None:
    whole = bytes(128) + b"DICM" + explicit((2, 0x10), b"UI", b"1.2.840.10008.1.2.1\0")
    whole += explicit((8, 0x60), b"CS", b"CT") + ending
    found: list[int] = []
    elements = dump_elements(lambda at, count: whole[at : at + count], len(whole))
    with pytest.raises(RejectError) as caught:
        found.extend(one.tag for one in elements)
    assert caught.value.reason == reason
    assert found[:2] == [0x00020010, 0x00080060]
