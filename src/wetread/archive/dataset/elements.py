"""archive/dataset/elements.py: the walk over a data set's top-level elements.

Lengths are jumped over, nested sequences counted instead of recursed into (PS3.5 7.1, 7.5).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from wetread.archive.dataset.element_cache import ElementSpan, cache_for
from wetread.archive.rejects import RejectError

MAX_DEPTH = 32
MAX_IN_RUN = 20 * MAX_DEPTH  # bytes; a longer sequence may nest deep, and is walked each time
UNDEFINED = 0xFFFFFFFF
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_SHORT_VRS = b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split()
_LONG_VRS = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()
# VR: bytes before the value
VR_HEADER = dict.fromkeys(_SHORT_VRS, 8) | dict.fromkeys(_LONG_VRS, 12)
_ITEM_MARKS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of elements: with or without their VR, and in which byte order (PS3.5 7.1)."""

    name: str
    explicit: bool
    big_endian: bool
    element: Callable[..., tuple[int, int, bytes, int]]  # group, element, VR, 16-bit length
    long: Callable[..., tuple[int, ...]]  # 32-bit unsigned
    tag: Callable[..., tuple[int, int]]


def _encoding(name: str, explicit: bool, big_endian: bool) -> Encoding:
    order = ">" if big_endian else "<"
    parts = [struct.Struct(order + code).unpack_from for code in ("HH2sH", "L", "HH")]
    return Encoding(name, explicit, big_endian, *parts)


EXPLICIT = _encoding("explicit", True, False)
IMPLICIT = _encoding("implicit", False, False)
BIG_ENDIAN = _encoding("big endian", True, True)


class NeedMoreBytes(Exception):
    """A walk needs the file's bytes up to `need`."""

    def __init__(self, need: int) -> None:
        super().__init__(need)
        self.need = need


@dataclass(frozen=True, slots=True)
class WalkResult:
    """Where a walk ended: at the pixel data, or at the end of the data set.

    pixel_tag: 7FE0,0008 to 0010, or None; pixel_offset: first byte of its value; pixel_length:
    bytes, UNDEFINED where encapsulated; cut: where the data set ends inside an element, else None.
    """

    last_tag: int
    pixel_tag: int | None = None
    pixel_offset: int = 0
    pixel_length: int = 0
    cut: str | None = None
    notes: tuple[str, ...] = ()


def walk_elements(
    buffer: bytes,
    pos: int,
    end: int,
    encoding: Encoding,
    *,
    wanted: frozenset[int],
    values: dict[int, bytes],
) -> WalkResult:
    """Walk from byte pos to the pixel data; the wanted elements' raw bytes go into values.

    buffer: the first bytes of a file that has `end` of them.
    Raises NeedMoreBytes where more of the file is needed, and RejectError (bad_element, too_deep).
    """
    explicit, read_element, read_long = encoding.explicit, encoding.element, encoding.long
    vr_header, have = VR_HEADER, len(buffer)
    last, ordered = 0, True
    cache = cache_for(encoding.name, wanted)
    known, began = cache.known, pos
    walked: list[ElementSpan] = []  # the elements walked one by one since `began`
    while True:
        if pos + 12 > have:
            if pos == end:
                return WalkResult(last, notes=_order_note(ordered))
            if have < end and pos + 8 <= end:
                raise NeedMoreBytes(min(pos + 12, end))
            if pos + 8 > end:
                return _at_the_end(buffer, pos, end, last, ordered)
        key = buffer[pos : pos + 8]
        if key in known and ordered:
            run = cache.match(buffer, pos, key, last, values)
            if run is not None:
                if walked:
                    cache.remember(buffer, began, walked)
                    walked = []
                last = run.last
                began = pos = pos + run.size
                continue
        group, element, vr, length = read_element(buffer, pos)
        tag = group << 16 | element
        header = vr_header.get(vr, 0) if explicit else 8
        if header == 12:
            if pos + 12 > end:
                return _at_the_end(buffer, pos, end, last, ordered)
            length = read_long(buffer, pos + 8)[0]
        elif not explicit:
            length = read_long(buffer, pos + 4)[0]
        if not header or tag == 0:
            if have == end and not any(buffer[pos:]):
                return WalkResult(
                    last, notes=(*_order_note(ordered), "zero bytes after the data set")
                )
            if not header:
                where = f"({group:04X},{element:04X}) at byte {pos}"
                raise RejectError("bad_element", f"{where} has the VR {vr!r}")
        if tag <= last:
            ordered = False
        last, start = tag, pos + header
        if tag in PIXEL_TAGS:
            if ordered:
                cache.remember(buffer, began, walked)
            return WalkResult(last, tag, start, length, notes=_order_note(ordered))
        pos = start + length
        inner = IMPLICIT if explicit and vr == b"UN" else encoding
        try:
            if length == UNDEFINED:
                pos = _skip_sequence(buffer, start, None, end, inner)
            elif _may_be_deep(buffer, vr, start, length, end):
                pos = _skip_sequence(buffer, start, pos, end, inner)
        except _CutError:
            return _at_the_end(buffer, end + 1, end, last, ordered)
        if tag in wanted and pos <= end:
            if pos > have:
                raise NeedMoreBytes(pos)
            values.setdefault(tag, buffer[start:pos])
        if ordered and length <= MAX_IN_RUN and pos <= have:
            walked.append((tag, header, length))
        else:
            if ordered:
                cache.remember(buffer, began, walked)
            began, walked = pos, []


def _order_note(ordered: bool) -> tuple[str, ...]:
    return () if ordered else ("elements out of order",)


def _at_the_end(buffer: bytes, pos: int, end: int, last: int, ordered: bool) -> WalkResult:
    """End the walk of a data set that ends before pos + 8: padded with zeros, or cut."""
    notes = _order_note(ordered)
    if pos < end and not any(buffer[pos:]):
        return WalkResult(last, notes=(*notes, "zero bytes after the data set"))
    where = f"({last >> 16:04X},{last & 0xFFFF:04X})"
    if pos > end:
        return WalkResult(last, cut=f"{where} ends past the end at byte {end}", notes=notes)
    return WalkResult(last, cut=f"the element after {where} is cut at byte {end}", notes=notes)


class _CutError(Exception):
    """The file ends inside a sequence."""


def _may_be_deep(buffer: bytes, vr: bytes, start: int, length: int, end: int) -> bool:
    """Whether a sequence of defined length, else jumped over, has the items for a deep nesting."""
    if vr != b"SQ" or length <= MAX_IN_RUN:
        return False
    if start + length > end:
        raise _CutError
    if start + length > len(buffer):
        raise NeedMoreBytes(start + length)
    marks = [buffer.count(mark, start, start + length) for mark in _ITEM_MARKS]
    return max(marks) > MAX_DEPTH


def _skip_sequence(buffer: bytes, pos: int, stop: int | None, end: int, encoding: Encoding) -> int:
    """Find the byte after a sequence whose first item is at pos; stop: its end, None: undefined."""
    levels: list[tuple[bool, int | None, Encoding]] = [
        (True, stop, encoding)
    ]  # (holds items, stop, form)
    have = len(buffer)
    while levels:
        holds_items, stop, encoding = levels[-1]
        if stop is not None and pos >= stop:
            levels.pop()
            continue
        if pos + 8 > end:
            raise _CutError
        if pos + 12 > have and have < end:
            raise NeedMoreBytes(min(pos + 12, end))
        group, element = encoding.tag(buffer, pos)
        tag = group << 16 | element
        if holds_items:
            (length,) = encoding.long(buffer, pos + 4)
            pos += 8
            if tag == _SEQUENCE_END:
                levels.pop()
            elif tag != _ITEM:
                where = f"({group:04X},{element:04X}) at byte {pos - 8}"
                raise RejectError("bad_element", f"{where} stands where an item must")
            elif length == UNDEFINED:
                levels.append((False, None, encoding))
            elif stop is None:
                pos += length
            else:
                levels.append((False, pos + length, encoding))
            continue
        if tag == _ITEM_END:
            levels.pop()
            pos += 8
            continue
        vr = buffer[pos + 4 : pos + 6]
        pos, length, inner = _nested_element(buffer, pos, end, encoding)
        if length == UNDEFINED:
            levels.append((True, None, inner))
        elif encoding.explicit and _may_be_deep(buffer, vr, pos, length, end):
            levels.append((True, pos + length, inner))
        else:
            pos += length
        if len(levels) > 2 * MAX_DEPTH:
            raise RejectError("too_deep", f"sequences nested deeper than {MAX_DEPTH}")
    return pos


def _nested_element(
    buffer: bytes, pos: int, end: int, encoding: Encoding
) -> tuple[int, int, Encoding]:
    """Read (first byte of the value, its length, the encoding inside it)."""
    if not encoding.explicit:
        return pos + 8, encoding.long(buffer, pos + 4)[0], encoding
    group, element, vr, length = encoding.element(buffer, pos)
    header = VR_HEADER.get(vr)
    if header is None:
        where = f"({group:04X},{element:04X}) at byte {pos}, inside a sequence,"
        raise RejectError("bad_element", f"{where} has the VR {vr!r}")
    if header == 12:
        if pos + 12 > end:
            raise _CutError
        (length,) = encoding.long(buffer, pos + 8)
    return pos + header, length, IMPLICIT if vr == b"UN" else encoding
