"""tests/archive/dataset/test_misfit.py: the element of a wrong length is named, and no other."""

import struct

import pytest

from wetread.archive.dataset.elements import EXPLICIT, IMPLICIT, Encoding
from wetread.archive.dataset.misfit import wrong_length

TAGS = [0x00080016, 0x00080060, 0x00100010, 0x00100020, 0x00180050, 0x00200013, 0x00280010]


def data_set(encoding: Encoding, wrong: int | None, by: int) -> bytes:
    """Elements of 12 bytes each; the length of number `wrong` is off by so many."""
    parts = []
    for number, tag in enumerate(TAGS):
        declared = 12 + (by if number == wrong else 0)
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        head += struct.pack("<2sH", b"LO", declared) if encoding.explicit else b""
        head += b"" if encoding.explicit else struct.pack("<L", declared)
        parts.append(head + f"value {number:06d}".encode())
    return b"".join(parts) + bytes(16)


@pytest.mark.parametrize("encoding", [EXPLICIT, IMPLICIT], ids=lambda encoding: encoding.name)
@pytest.mark.parametrize("by", [-3, -1, 1, 5])
@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_a_length_that_is_some_bytes_off_is_named(encoding: Encoding, by: int, wrong: int) -> None:
    data = data_set(encoding, wrong, by)
    tag = TAGS[wrong]
    assert wrong_length(data, 0, len(data), encoding) == (
        f"({tag >> 16:04X},{tag & 0xFFFF:04X}) has a length of {12 + by} bytes, 12 are there"
    )


def test_a_data_set_in_form_has_no_wrong_length() -> None:
    data = data_set(EXPLICIT, None, 0)
    assert wrong_length(data, 0, len(data), EXPLICIT) is None


def test_an_element_that_lacks_its_vr_alone_is_no_wrong_length() -> None:
    data = data_set(EXPLICIT, None, 0).replace(b"LO", b"??", 3).replace(b"??", b"LO", 2)
    assert wrong_length(data, 0, len(data), EXPLICIT) is None
