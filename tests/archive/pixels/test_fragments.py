"""tests/archive/pixels/test_fragments.py: the fragments of each frame are found, by table or
marker, and what is cut is refused."""

import pytest
from pydicom.encaps import encapsulate

from wetread.archive.pixels.fragments import (
    find_fragments,
    frame_spans,
    read_frame,
)
from wetread.archive.rejects import RejectError
from wetread.archive.types import ReadAt

END = b"\xfe\xff\xdd\xe0" + bytes(4)
START = b"\xff\xd8\xff"


def reader(data: bytes) -> ReadAt:
    return lambda at, length: data[at : at + length]


def frames_of(data: bytes, frames: int) -> list[bytes]:
    read_at = reader(data)
    spans = frame_spans(read_at, find_fragments(read_at, len(data), 0), frames)
    return [read_frame(read_at, own) for own in spans]


def test_fragments_are_found_behind_the_offset_table() -> None:
    data = encapsulate([b"12", b"3456"]) + END
    found = find_fragments(reader(data), len(data), 0)
    assert [data[at : at + length] for at, length in found.spans] == [b"12", b"3456"]
    assert found.table == (8, 8)


@pytest.mark.parametrize("has_bot", [True, False])
@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_frames_come_back_as_they_were_encapsulated(has_bot: bool, pieces: int) -> None:
    frames = [START + bytes([number]) * 9 for number in range(3)]
    data = encapsulate(frames, fragments_per_frame=pieces, has_bot=has_bot) + END
    assert [frame.rstrip(b"\0") for frame in frames_of(data, 3)] == [
        frame.rstrip(b"\0") for frame in frames
    ]


def test_all_fragments_are_one_frame_where_there_is_one() -> None:
    data = encapsulate([b"12", b"3456"]) + END
    assert frames_of(data, 1) == [b"123456"]


def test_fewer_fragments_than_frames_are_refused_with_both_numbers() -> None:
    data = encapsulate([START + b"1", START + b"2"]) + END
    with pytest.raises(RejectError, match="NumberOfFrames is 3, 2 fragments are there"):
        frames_of(data, 3)


def test_an_offset_table_that_names_no_fragment_is_refused() -> None:
    data = bytearray(encapsulate([START + b"1", START + b"2"], fragments_per_frame=2) + END)
    data[12:16] = (4).to_bytes(4, "little")
    with pytest.raises(RejectError, match="the offset table names bytes where no fragment begins"):
        frames_of(bytes(data), 2)


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_fragments_that_are_cut_are_refused_with_their_number(cut: int) -> None:
    data = (encapsulate([b"12", b"3456"]) + END)[:-cut]
    reason = "fragment 2 ends" if cut > 8 else "fragment 3 begins"
    with pytest.raises(RejectError, match=f"truncated_pixels: {reason}"):
        find_fragments(reader(data), len(data), 0)
