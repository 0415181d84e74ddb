"""archive/dataset/misfit.py: the element whose length is wrong, where a walk fails.

An element that is some bytes too long or too short makes the walk go on inside a value: the bytes
there name a neighbor, or nothing. Found here is the element before, by where the next ones really
begin. It serves messages alone: nothing is read by a guess.
"""

from wetread.archive.dataset.elements import PIXEL_TAGS, UNDEFINED, VR_HEADER, Encoding

_AROUND = 4096  # bytes behind it in which the next element is looked for
_LONGEST = 32 * 1024  # bytes of a value in which it is
_IN_A_ROW = 4  # heads that ascend and follow each other: no chance
_ITEM = b"\xfe\xff\x00\xe0"
_BACK = 3  # elements that may have been met inside values
Walked = tuple[int, int, int]  # (tag, first byte of the value, byte behind it)


def wrong_length(buffer: bytes, start: int, end: int, encoding: Encoding) -> str | None:
    """Name the element whose length is wrong; None where none is found.

    buffer: the first bytes of a file of `end` bytes; start: where its data set begins.
    """
    walked = _walk(buffer, start, end, encoding)
    if (
        encoding.explicit
        and walked
        and _lacks_vr_alone(buffer, walked[-1][2], walked[-1][0], end, encoding)
    ):
        return None
    for element in reversed(walked[-_BACK:]):
        found = _next_head(buffer, element, end, encoding)
        if found is not None:
            tag, value, behind = element
            name = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
            return f"{name} has a length of {behind - value} bytes, {found - value} are there"
    return None


def _head(buffer: bytes, pos: int, encoding: Encoding) -> tuple[int, int, int] | None:
    """Read (tag, first byte of the value, length) of an element at pos; None where none can be."""
    if pos + 12 > len(buffer):
        return None
    group, number, vr, length = encoding.element(buffer, pos)
    header = VR_HEADER.get(vr, 0) if encoding.explicit else 8
    if not header:
        return None
    if header == 12 or not encoding.explicit:
        (length,) = encoding.long(buffer, pos + header - 4)
    return group << 16 | number, pos + header, length


def _walk(buffer: bytes, pos: int, end: int, encoding: Encoding) -> list[Walked]:
    """List the elements of defined length from byte pos on, as far as they go."""
    walked: list[Walked] = []
    while (head := _head(buffer, pos, encoding)) is not None:
        tag, value, length = head
        if length == UNDEFINED or value + length > end:
            break
        pos = value + length
        walked.append((tag, value, pos))
    return walked


def _lacks_vr_alone(buffer: bytes, pos: int, last: int, end: int, encoding: Encoding) -> bool:
    """Whether the element at pos is whole but for its VR: others follow where it ends."""
    if pos + 12 > len(buffer):
        return False
    group, number, vr, length = encoding.element(buffer, pos)
    tag = group << 16 | number
    whole = vr not in VR_HEADER and tag > last
    return whole and _row_begins(buffer, pos + 8 + length, tag, end, encoding)


def _next_head(buffer: bytes, element: Walked, end: int, encoding: Encoding) -> int | None:
    """Find the byte where the next element really begins: the first row of heads elsewhere than
    declared; None where one is as declared, and where the value is a sequence, which has heads."""
    tag, value, behind = element
    if _row_begins(buffer, behind, tag, end, encoding) or buffer[value : value + 4] == _ITEM:
        return None
    for pos in range(value, min(behind + _AROUND, value + _LONGEST, len(buffer))):
        if pos != behind and _row_begins(buffer, pos, tag, end, encoding):
            return pos
    return None


def _row_begins(buffer: bytes, pos: int, last: int, end: int, encoding: Encoding) -> bool:
    """Whether heads that ascend from tag `last` and follow each other begin at pos."""
    for _ in range(_IN_A_ROW):
        head = _head(buffer, pos, encoding)
        if head is None or head[0] <= last:
            return False
        last, value, length = head
        if last in PIXEL_TAGS:
            return True
        if length == UNDEFINED or value + length > end:
            return False
        pos = value + length
    return True
