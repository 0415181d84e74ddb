"""archive/dataset/dump.py: every element of a header in file order, for people to read.

In: a file's bytes. Out: elements one after the other, up to the pixel data or up to where the file
is damaged. Nothing recurses, and only the bytes before the pixel data are read.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_VR, keyword_for_tag, private_dictionary_description

from wetread.archive.dataset.elements import (
    IMPLICIT,
    MAX_DEPTH,
    PIXEL_TAGS,
    UNDEFINED,
    VR_HEADER,
    Encoding,
)
from wetread.archive.dataset.header import header_bytes
from wetread.archive.rejects import RejectError
from wetread.archive.types import ReadAt

ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


@dataclass(frozen=True, slots=True)
class Element:
    """One element, or one item of a sequence.

    tag:      group << 16 | element; ITEM for an item.
    vr:       as the file has it, else the dictionary's; "" for an item.
    meaning:  the VR that the value is read by: the dictionary's where the file says UN or nothing.
    keyword:  the dictionary's; a private element's name in brackets; "" where there is none.
    length:   bytes as declared, or UNDEFINED.
    value:    raw bytes; empty for a sequence, an item, and pixel data.
    within:   the tags of the sequences around it, outermost first.
    number:   of an item in its sequence, from 1; else 0.
    """

    tag: int
    vr: str
    meaning: str
    keyword: str
    length: int
    value: bytes
    big_endian: bool
    within: tuple[int, ...]
    number: int = 0


@dataclass(slots=True)
class _Level:
    """The place of the walk: between the items of a sequence, or among elements."""

    kind: str  # "elements", "items", or "fragments": items that are bytes and no elements
    stop: int | None  # the byte after it; None: up to its delimiter
    encoding: Encoding
    within: tuple[int, ...] = ()
    items: int = 0
    creators: dict[int, str] = field(default_factory=dict)  # of private blocks: group << 8 | block


_Walk = Generator[Element, None, int]  # returns the byte to go on from


def dump_elements(read_at: ReadAt, size: int) -> Iterator[Element]:
    """Yield the elements of the file meta, then of the data set up to its pixel data.

    Raises RejectError where the file cannot be walked on; what came before it stands.
    """
    buffer, meta, start, encoding = header_bytes(read_at, size)
    for first, behind, meta_encoding in meta:
        yield from _walk(buffer, first, behind, meta_encoding)
    yield from _walk(buffer, start, len(buffer), encoding)


def _walk(buffer: bytes, pos: int, end: int, encoding: Encoding) -> Iterator[Element]:
    levels = [_Level("elements", end, encoding)]
    while levels:
        stop = levels[-1].stop
        if stop is not None and pos >= stop:
            levels.pop()
        elif pos + 8 > end:
            open_ones = any(level.stop is None or level.stop > end for level in levels)
            if open_ones or any(buffer[pos:end]):
                raise RejectError("truncated_header", f"an element is cut at byte {end}")
            return
        elif levels[-1].kind == "elements":
            pos = yield from _element(buffer, pos, end, levels)
        else:
            pos = yield from _item(buffer, pos, end, levels)
        if len(levels) > 2 * MAX_DEPTH:
            raise RejectError("too_deep", f"sequences nested deeper than {MAX_DEPTH}")


def _item(buffer: bytes, pos: int, end: int, levels: list[_Level]) -> _Walk:
    """Yield an item's beginning, or end the sequence."""
    level = levels[-1]
    group, number = level.encoding.tag(buffer, pos)
    (length,) = level.encoding.long(buffer, pos + 4)
    tag = group << 16 | number
    if tag == _SEQUENCE_END:
        levels.pop()
        return pos + 8
    if tag != ITEM:
        detail = f"({group:04X},{number:04X}) at byte {pos} stands where an item must"
        raise RejectError("bad_element", detail)
    pos += 8
    stop = None if length == UNDEFINED else pos + length
    level.items += 1
    if level.kind == "fragments":
        return pos + length
    big_endian = level.encoding.big_endian
    yield Element(ITEM, "", "", "", length, b"", big_endian, level.within, level.items)
    levels.append(_Level("elements", stop, level.encoding, level.within))
    return pos


def _element(buffer: bytes, pos: int, end: int, levels: list[_Level]) -> _Walk:
    """Yield an element; a sequence opens a level."""
    level = levels[-1]
    group, number = level.encoding.tag(buffer, pos)
    tag = group << 16 | number
    if tag == _ITEM_END and len(levels) > 1:
        levels.pop()
        return pos + 8
    start, vr, length = _opening(buffer, pos, end, level.encoding)
    meaning = vr if vr not in ("", "UN") else _dictionary_vr(tag)
    stop = None if length == UNDEFINED else start + length
    if vr != "SQ" and meaning == "SQ" and stop is not None:
        meaning = "SQ" if _begins_with_item(buffer, start, stop) else "UN"
    top_pixels = tag in PIXEL_TAGS and len(levels) == 1
    sequence = meaning == "SQ" or (stop is None and meaning not in ("OB", "OW"))
    if stop is not None and stop > end and not (top_pixels or sequence):
        where = f"({group:04X},{number:04X}) at byte {pos}"
        raise RejectError(
            "truncated_header", f"{where} declares {length} bytes, {end - start} are left"
        )
    value = b"" if sequence or stop is None or top_pixels else buffer[start:stop]
    yield Element(
        tag=tag,
        vr=vr or meaning,
        meaning="SQ" if sequence else meaning,
        keyword=_keyword(tag, level, value),
        length=length,
        value=value,
        big_endian=level.encoding.big_endian,
        within=level.within,
    )
    if top_pixels:
        levels.clear()
    elif sequence or stop is None:
        inner = IMPLICIT if vr == "UN" else level.encoding
        kind = "items" if sequence else "fragments"
        levels.append(_Level(kind, stop, inner, (*level.within, tag)))
    return start if sequence or stop is None else stop


def _begins_with_item(buffer: bytes, start: int, stop: int) -> bool:
    """Whether what the dictionary calls a sequence is one: some files hold a code there."""
    return stop == start or buffer[start : start + 4] in (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")


def _opening(buffer: bytes, pos: int, end: int, encoding: Encoding) -> tuple[int, str, int]:
    """Read (first byte of the value, VR or "", length) of the element at pos."""
    if not encoding.explicit:
        return pos + 8, "", encoding.long(buffer, pos + 4)[0]
    group, number, raw_vr, length = encoding.element(buffer, pos)
    header = VR_HEADER.get(raw_vr)
    if header is None:
        detail = f"({group:04X},{number:04X}) at byte {pos} has no VR"
        raise RejectError("bad_element", detail)
    if header == 12:
        if pos + 12 > end:
            raise RejectError("truncated_header", f"an element is cut at byte {end}")
        (length,) = encoding.long(buffer, pos + 8)
    return pos + header, raw_vr.decode("ascii"), length


def _dictionary_vr(tag: int) -> str:
    """Find the dictionary's VR, the first where it gives a choice; UN where it has none."""
    if tag & 0xFFFF == 0:
        return "UL"
    if tag >> 16 & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "UN"


def _keyword(tag: int, level: _Level, value: bytes) -> str:
    """Find the dictionary's keyword; a private element's name in brackets."""
    group, number = tag >> 16, tag & 0xFFFF
    if number == 0:
        return "GroupLength"
    if not group & 1:
        return keyword_for_tag(tag)
    if 0x10 <= number <= 0xFF:
        level.creators[group << 8 | number] = value.decode("latin-1").strip(" \0")
        return "[creator of a private block]"
    creator = level.creators.get(group << 8 | number >> 8)
    try:
        return f"[{private_dictionary_description(tag, creator)}]" if creator else "[private]"
    except KeyError:
        return "[private]"
