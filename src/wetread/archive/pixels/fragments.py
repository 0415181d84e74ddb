"""archive/pixels/fragments.py: the fragments of encapsulated pixel data (PS3.5 A.4)."""

from dataclasses import dataclass

from wetread.archive.dataset.elements import UNDEFINED
from wetread.archive.pixels.codestream import begins_stream
from wetread.archive.rejects import RejectError
from wetread.archive.types import ReadAt

_ITEM, _SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_START_BYTES = 64  # of a fragment: padding and a start marker


@dataclass(frozen=True)
class Fragments:
    """The items of encapsulated pixel data.

    table: (first byte, bytes) of the basic offset table; spans: the same of each fragment.
    """

    table: tuple[int, int]
    spans: tuple[tuple[int, int], ...]


def find_fragments(read_at: ReadAt, size: int, pos: int) -> Fragments:
    """Find the fragments from byte pos on. Raises RejectError where they are cut."""
    spans: list[tuple[int, int]] = []
    while True:
        head = read_at(pos, 8)
        if len(head) < 8:
            number = max(len(spans), 1)  # the offset table is the first span
            detail = f"fragment {number} begins at byte {pos}, the file has {size} bytes"
            raise RejectError("truncated_pixels", detail)
        tag, length = head[:4], int.from_bytes(head[4:], "little")
        if tag == _SEQUENCE_END:
            return Fragments(spans[0] if spans else (pos, 0), tuple(spans[1:]))
        if tag != _ITEM or length == UNDEFINED:
            raise RejectError("bad_element", f"no fragment at byte {pos} of the pixel data")
        spans.append((pos + 8, length))
        pos += 8 + length
        if pos > size:
            detail = f"fragment {len(spans) - 1} ends at byte {pos}, the file has {size} bytes"
            raise RejectError("truncated_pixels", detail)


def frame_spans(
    read_at: ReadAt, fragments: Fragments, frames: int
) -> list[tuple[tuple[int, int], ...]]:
    """Divide the fragments among `frames` frames, in order.

    One fragment a frame, or as the offset table says, or from start marker to start marker.
    """
    spans = fragments.spans
    if frames == 1:
        return [spans]
    if len(spans) == frames:
        return [(span,) for span in spans]
    if len(spans) < frames:
        detail = f"(0028,0008) NumberOfFrames is {frames}, {len(spans)} fragments are there"
        raise RejectError("truncated_pixels", detail)
    firsts = _firsts_by_table(read_at, fragments) or [
        number
        for number, (at, length) in enumerate(spans)
        if begins_stream(read_at(at, min(length, _START_BYTES)))
    ]
    if len(firsts) != frames or firsts[0] != 0:
        detail = (
            f"(0028,0008) NumberOfFrames is {frames}, {len(spans)} fragments form {len(firsts)}"
        )
        reason = "truncated_pixels" if len(firsts) < frames else "decode_mismatch"
        raise RejectError(reason, detail)
    ends = [*firsts[1:], len(spans)]
    return [spans[first:end] for first, end in zip(firsts, ends, strict=True)]


def _firsts_by_table(read_at: ReadAt, fragments: Fragments) -> list[int]:
    """Number the fragment that each frame begins with, by the offset table; empty without one."""
    at, length = fragments.table
    table = read_at(at, length)
    if not table or len(table) % 4:
        return []
    number_at = {span[0] - 8 - (at + length): n for n, span in enumerate(fragments.spans)}
    offsets = [int.from_bytes(table[k : k + 4], "little") for k in range(0, length, 4)]
    if any(offset not in number_at for offset in offsets):
        raise RejectError("bad_element", "the offset table names bytes where no fragment begins")
    return [number_at[offset] for offset in offsets]


def read_frame(read_at: ReadAt, spans: tuple[tuple[int, int], ...]) -> bytes:
    """Read the fragments of one frame, joined."""
    return b"".join(read_at(at, length) for at, length in spans)
