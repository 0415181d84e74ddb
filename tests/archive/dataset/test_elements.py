"""tests/archive/dataset/test_elements.py: the walk finds every element where it was written, from
any prefix of the file, and says where a data set is cut."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.archive.dataset.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    MAX_DEPTH,
    UNDEFINED,
    Encoding,
    NeedMoreBytes,
    WalkResult,
    walk_elements,
)
from wetread.archive.rejects import RejectError

PIXEL_DATA = 0x7FE00010


def element(tag: int, value: bytes, encoding: Encoding = EXPLICIT, vr: bytes = b"LO") -> bytes:
    """One element, written by the standard's tables (PS3.5 7.1.2 and 7.1.3)."""
    order = ">" if encoding.big_endian else "<"
    head = struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF)
    if not encoding.explicit:
        return head + struct.pack(f"{order}L", len(value)) + value
    if vr in (b"OW", b"SQ", b"UN"):
        return head + vr + b"\0\0" + struct.pack(f"{order}L", len(value)) + value
    return head + vr + struct.pack(f"{order}H", len(value)) + value


def walked(
    data: bytes, wanted: set[int], encoding: Encoding = EXPLICIT, have: int | None = None
) -> tuple[WalkResult, dict[int, bytes]]:
    values: dict[int, bytes] = {}
    found = walk_elements(
        data[:have], 0, len(data), encoding, wanted=frozenset(wanted), values=values
    )
    return found, values


TAGS = st.lists(
    st.tuples(st.integers(0x00080001, 0x00500000), st.binary(max_size=40)),
    min_size=1,
    max_size=12,
    unique_by=lambda pair: pair[0],
)


@pytest.mark.parametrize("encoding", [EXPLICIT, IMPLICIT, BIG_ENDIAN], ids=lambda e: e.name)
@given(pairs=TAGS, pixels=st.binary(max_size=64))
def test_every_value_comes_back_and_the_pixel_data_is_where_it_was_put(
    encoding: Encoding, pairs: list[tuple[int, bytes]], pixels: bytes
) -> None:
    pairs = sorted(pairs)
    before = b"".join(element(tag, value, encoding) for tag, value in pairs)
    data = before + element(PIXEL_DATA, pixels, encoding, b"OW")
    wanted = {tag for tag, _ in pairs[::2]}
    for _ in range(2):  # the second time by what the first remembered
        found, values = walked(data, wanted, encoding)
        assert values == {tag: value for tag, value in pairs if tag in wanted}
        assert (found.pixel_tag, found.pixel_length) == (PIXEL_DATA, len(pixels))
        assert data[found.pixel_offset :] == pixels
        assert (found.cut, found.notes) == (None, ())


@given(pairs=TAGS)
def test_a_prefix_asks_for_the_bytes_that_it_lacks_until_the_walk_is_done(
    pairs: list[tuple[int, bytes]],
) -> None:
    data = b"".join(element(tag, value) for tag, value in sorted(pairs))
    data += element(PIXEL_DATA, b"12", vr=b"OW")
    wanted, needs = {tag for tag, _ in pairs}, [1]
    while True:
        try:
            found = walked(data, wanted, have=needs[-1])
            break
        except NeedMoreBytes as lacking:
            needs.append(lacking.need)
            if needs[-1] <= needs[-2]:
                raise
    assert needs[-1] <= len(data)
    assert found == walked(data, wanted)


def test_elements_out_of_order_and_padding_are_noted() -> None:
    data = element(0x00100010, b"b") + element(0x00080060, b"CT") + bytes(16)
    found, values = walked(data, {0x00080060})
    assert values == {0x00080060: b"CT"}
    assert found.notes == ("elements out of order", "zero bytes after the data set")


def test_a_value_that_ends_beyond_the_file_is_named_as_cut() -> None:
    data = element(0x00080060, b"CT") + element(0x00100010, b"0123456789")
    found, _ = walked(data[:-4], set())
    assert found.cut == f"(0010,0010) ends past the end at byte {len(data) - 4}"
    found, _ = walked(data[:-14], set())
    assert found.cut == f"the element after (0008,0060) is cut at byte {len(data) - 14}"


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH + 1])
def test_sequences_of_undefined_length_are_passed_up_to_a_depth(depth: int) -> None:
    item, item_end = b"\xfe\xff\x00\xe0" + b"\xff" * 4, b"\xfe\xff\x0d\xe0" + bytes(4)
    sequence_end = b"\xfe\xff\xdd\xe0" + bytes(4)
    opening = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, UNDEFINED)
    nested = (opening + item) * depth + (item_end + sequence_end) * depth
    data = nested + element(PIXEL_DATA, b"12", vr=b"OW")
    if depth > MAX_DEPTH:
        with pytest.raises(RejectError, match="too_deep"):
            walked(data, set())
    else:
        assert walked(data, set())[0].pixel_offset == len(data) - 2


def test_an_unknown_vr_is_refused_with_its_place() -> None:
    data = element(0x00080060, b"CT") + element(0x00100010, b"0123", vr=b"??") + b"1" * 12
    with pytest.raises(RejectError, match=r"\(0010,0010\) at byte 10 has the VR"):
        walked(data, set())
