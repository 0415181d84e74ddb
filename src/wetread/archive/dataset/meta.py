"""archive/dataset/meta.py: the file meta group, as it should be and as files have it (PS3.10 7.1).

It should be explicit little endian behind a preamble. Files have it in implicit VR, in big endian,
without a preamble, with a length that lies, or twice: each is read, and noted.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from wetread.archive.dataset.element_cache import ElementSpan, cache_for
from wetread.archive.dataset.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    MAX_IN_RUN,
    VR_HEADER,
    Encoding,
    NeedMoreBytes,
)
from wetread.archive.dataset.phantom_mark import IMPLEMENTATION_TAG
from wetread.archive.rejects import RejectError

_LENGTH = 0x00020000
_META_TAGS = frozenset({_LENGTH, 0x00020002, 0x00020003, 0x00020010, IMPLEMENTATION_TAG})
_GROUP, _GROUP_SWAPPED = b"\x02\x00", b"\x00\x02"
# An element in implicit VR: group 2, a number that the group has, a length below 2 KiB.
_IMPLICIT = re.compile(rb"\x02\x00[\x00-\x18\x26\x31-\x38]\x00[\x00-\xff][\x00-\x07]\x00\x00", re.S)
_ANY_UID = b"1.2.840.10008."  # of the standard: what no other file begins with


@dataclass(frozen=True, slots=True)
class FileMeta:
    """The place of the file meta.

    blocks:     (first byte, byte behind, form) of each group 2 there is; empty: none.
    data_start: first byte of the data set.
    faults:     what is not as it should be, in words.
    """

    blocks: tuple[tuple[int, int, Encoding], ...]
    data_start: int
    faults: tuple[str, ...]


def read_meta(buffer: bytes, size: int, values: dict[int, bytes]) -> FileMeta:
    """Read the file meta at the beginning of a file of `size` bytes, and fill in its values.

    buffer: the first bytes. Raises NeedMoreBytes where more of them are needed, and RejectError:
    not_dicom, or bad_meta where the group is cut.
    """
    part_10 = buffer[128:132] == b"DICM"
    if part_10 and (buffer[132:134] == _GROUP or size < 140):
        return _walk_meta(buffer, 132, size, values)
    if part_10 and buffer[132:134] == _GROUP_SWAPPED and buffer[136:138] in VR_HEADER:
        return _walk_big_endian(buffer, 132, size, values)
    if buffer[:2] == _GROUP and (buffer[4:6] in VR_HEADER or _is_bare_implicit(buffer)):
        return _walk_meta(buffer, 0, size, values)
    if _is_bare_data_set(buffer):
        return FileMeta((), 0, ("no file meta",))
    if part_10:
        return FileMeta((), 132, ("no file meta",))
    raise RejectError("not_dicom", "no DICM at byte 128 and no data set at byte 0")


def _is_bare_implicit(buffer: bytes) -> bool:
    """Whether a group 2 in implicit VR stands at byte 0, where numbers of other files may, too."""
    return _IMPLICIT.match(buffer) is not None and _ANY_UID in buffer[:2048]


def _is_bare_data_set(buffer: bytes) -> bool:
    """Whether a data set begins at byte 0: group 0008, and a length that no text file has."""
    if buffer[:2] == b"\x08\x00" and len(buffer) >= 16:
        if buffer[4:6] in VR_HEADER:
            return True
        return int.from_bytes(buffer[4:8], "little") < len(buffer) and buffer[3] < 0x30
    return buffer[:2] == b"\x00\x08" and buffer[4:6] in VR_HEADER


def _walk_meta(buffer: bytes, start: int, size: int, values: dict[int, bytes]) -> FileMeta:
    """Walk while the group is 2, each element in its own encoding; the length element lies."""
    cache, last, pos = cache_for("meta", _META_TAGS), 0, start
    began, walked = pos, list[ElementSpan]()
    starts: list[int] = []  # of the groups
    implicit = False
    while buffer[pos : pos + 2] == _GROUP or pos + 8 > len(buffer):
        run = cache.match(buffer, pos, buffer[pos : pos + 8], last, values) if not starts else None
        if run is not None:
            if walked:
                cache.remember(buffer, began, walked)
                walked = []
            last = run.last
            began = pos = pos + run.size
            continue
        if pos + 8 > len(buffer):
            if pos == size and values:
                break
            _need(pos + 8, buffer, size)
        tag, header, length, has_vr = _element(buffer, pos, size)
        implicit = implicit or not has_vr
        if tag <= last:
            starts.append(pos)
        if tag in _META_TAGS:  # of two groups the first holds
            values.setdefault(tag, buffer[pos + header : pos + header + length])
        pos += header + length
        if tag <= last or length > MAX_IN_RUN or not has_vr:
            began, walked = pos, []
        else:
            walked.append((tag, header, length))
        last = tag
    if not starts:
        cache.remember(buffer, began, walked)
    bounds = (start, *starts, pos)
    blocks = tuple(
        (first, behind, EXPLICIT if buffer[first + 4 : first + 6] in VR_HEADER else IMPLICIT)
        for first, behind in pairwise(bounds)
    )
    return FileMeta(blocks, pos, _faults(start, starts, bounds[1], implicit, values))


def _walk_big_endian(buffer: bytes, start: int, size: int, values: dict[int, bytes]) -> FileMeta:
    """Walk one group 2 in explicit big endian, as some writers have it."""
    pos = start
    while buffer[pos : pos + 2] == _GROUP_SWAPPED or pos + 8 > len(buffer):
        _need(pos + 8, buffer, size)
        group, element, vr, length = BIG_ENDIAN.element(buffer, pos)
        header = VR_HEADER.get(vr, 0)
        if not header:
            raise RejectError("bad_meta", f"({group:04X},{element:04X}) has the VR {vr!r}")
        if header == 12:
            _need(pos + 12, buffer, size)
            (length,) = BIG_ENDIAN.long(buffer, pos + 8)
        _need(pos + header + length, buffer, size)
        tag = group << 16 | element
        if tag in _META_TAGS and tag != _LENGTH:
            values.setdefault(tag, buffer[pos + header : pos + header + length])
        pos += header + length
    block = (start, pos, BIG_ENDIAN)
    return FileMeta((block,), pos, ("the file meta is in big endian",))


def _element(buffer: bytes, pos: int, size: int) -> tuple[int, int, int, bool]:
    """Read (tag, bytes before the value, bytes of the value, whether it has a VR)."""
    group, element, vr, length = EXPLICIT.element(buffer, pos)
    header = VR_HEADER.get(vr, 0)
    if not header:
        if _IMPLICIT.match(buffer, pos) is None:
            raise RejectError("bad_meta", f"({group:04X},{element:04X}) has the VR {vr!r}")
        (length,) = IMPLICIT.long(buffer, pos + 4)
    elif header == 12:
        _need(pos + 12, buffer, size)
        (length,) = EXPLICIT.long(buffer, pos + 8)
    before = header or 8
    _need(pos + before + length, buffer, size)
    return group << 16 | element, before, length, bool(header)


def _faults(
    start: int, more: list[int], behind: int, implicit: bool, values: dict[int, bytes]
) -> tuple[str, ...]:
    faults = []
    if start == 0:
        faults.append("no preamble")
    if implicit:
        faults.append("the file meta is in implicit VR")
    raw = values.pop(_LENGTH, None)  # not kept: it differs from file to file
    following = behind - start - 12
    if raw is None:
        faults.append("no (0002,0000) FileMetaInformationGroupLength")
    elif len(raw) != 4:
        faults.append(f"(0002,0000) is no number: it has {len(raw)} bytes, not 4")
    elif (declared := int.from_bytes(raw, "little")) != following:
        faults.append(f"(0002,0000) says {declared} bytes, {following} follow it")
    if more:
        faults.append(f"{len(more)} more group 0002 at the start of the data set: the first holds")
    return tuple(faults)


def _need(need: int, buffer: bytes, size: int) -> None:
    if need > size:
        raise RejectError("bad_meta", f"the file meta needs {need} bytes, the file has {size}")
    if need > len(buffer):
        raise NeedMoreBytes(need)
