"""archive/header.py: a DICOM header's elements from a prefix of the file, walked with struct.

The walk jumps over what is not wanted, counts nested sequences instead of recursing, and says where
a file is cut, which pydicom does not (PS3.5 7.1, 7.5, PS3.10 7.1).
"""

import zlib
from dataclasses import dataclass

from wetread.archive.contents import ReadAt
from wetread.archive.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    MAX_IN_RUN,
    VR_HEADER,
    Form,
    Short,
    Walk,
    walk_elements,
)
from wetread.archive.phantom import IMPLEMENTATION_TAG
from wetread.archive.rejects import RejectError
from wetread.archive.runs import Place, runs_of

FIRST_READ = 8 * 1024  # bytes; most headers, and two pages
MAX_HEADER = 64 * 1024 * 1024
INFLATED_PIECE = 8 * 1024 * 1024
FIRST_DAMAGED = 1024 * 1024  # of a file whose end cannot be found
MAX_INFLATED = 256 * 1024 * 1024
IMPLICIT_LE, EXPLICIT_LE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED_LE, EXPLICIT_BE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
_META_TAGS = frozenset({0x00020002, 0x00020003, 0x00020010, IMPLEMENTATION_TAG})


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What a walk found.

    values:       tag (group << 16 | element) to raw bytes, of the wanted top-level elements.
    data_start:   where the data set begins, bytes (in the inflated data where deflated).
    end:          bytes of the file, inflated where deflated.
    walk:         where the pixel data begins, or where the data set is cut.
    """

    values: dict[int, bytes]
    syntax: str
    explicit: bool
    big_endian: bool
    has_meta: bool
    data_start: int
    end: int
    walk: Walk
    notes: tuple[str, ...]


def read_header(read_at: ReadAt, size: int, wanted: frozenset[int]) -> Header:
    """The wanted elements of the file behind read_at, size bytes long.

    Raises RejectError: empty, not_dicom, bad_meta, bad_element, too_deep, too_big. A header that
    is cut comes back with `cut` set, because what it is decides what that means.
    """
    if size == 0:
        raise RejectError("empty", "0 bytes")
    buffer = read_at(0, min(FIRST_READ, size))
    while True:
        try:
            return _walk_file(buffer, read_at, size, wanted)
        except Short as short:
            if short.need > MAX_HEADER:
                detail = f"a header of more than {MAX_HEADER} bytes"
                raise RejectError("too_big", detail) from None
            grown = buffer + read_at(
                len(buffer), min(max(short.need, 4 * len(buffer)), size) - len(buffer)
            )
            if len(grown) < min(short.need, size):
                raise RejectError("io_error", f"{len(grown)} of {size} bytes came") from None
            buffer = grown


def inflated(read_at: ReadAt, size: int, start: int) -> tuple[bytes, bool]:
    """(the file with everything from start on inflated, whether the stream ends as it should)."""
    if size > MAX_INFLATED:
        raise RejectError("too_big", f"a deflated file of {size} bytes")
    parts, room = [read_at(0, start)], MAX_INFLATED
    packed = read_at(start, size - start)
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        while packed and not stream.eof:  # in pieces: a bomb is left before it takes memory twice
            parts.append(stream.decompress(packed, INFLATED_PIECE))
            packed, room = stream.unconsumed_tail, room - len(parts[-1])
            if room <= 0:
                raise RejectError("too_big", f"inflates to more than {MAX_INFLATED} bytes")
    except zlib.error as error:
        raise RejectError("bad_element", f"the deflated data set is damaged: {error}") from None
    return b"".join(parts), stream.eof


def _walk_file(buffer: bytes, read_at: ReadAt, size: int, wanted: frozenset[int]) -> Header:
    values: dict[int, bytes] = {}
    start, has_meta = _data_set_start(buffer, size, values)
    syntax = values.get(0x00020010, b"").rstrip(b" \0").decode("latin-1")
    end = size
    if syntax == DEFLATED_LE:
        buffer, _ = inflated(read_at, size, start)
        end = len(buffer)
    form, notes = _sniff(buffer, start, syntax)
    walk = walk_elements(buffer, start, end, form, wanted, values)
    if not syntax:
        named = EXPLICIT_BE if form.big_endian else EXPLICIT_LE
        syntax = named if form.explicit else IMPLICIT_LE
        notes = (*notes, "no transfer syntax: taken from the data set")
    return Header(
        values=values,
        syntax=syntax,
        explicit=form.explicit,
        big_endian=form.big_endian,
        has_meta=has_meta,
        data_start=start,
        end=end,
        walk=walk,
        notes=notes + walk.notes,
    )


def _data_set_start(buffer: bytes, size: int, values: dict[int, bytes]) -> tuple[int, bool]:
    """(first byte of the data set, whether there is file meta); fills in the meta values."""
    part_10 = buffer[128:132] == b"DICM"
    if part_10 and (buffer[132:134] == b"\x02\x00" or size < 140):
        return _walk_meta(buffer, 132, size, values), True
    if buffer[:2] == b"\x02\x00" and buffer[4:6] in VR_HEADER:
        return _walk_meta(buffer, 0, size, values), True
    if _looks_like_data_set(buffer):
        return 0, False
    if part_10:
        return 132, False
    raise RejectError("not_dicom", "no DICM at byte 128 and no data set at byte 0")


def _looks_like_data_set(buffer: bytes) -> bool:
    """Group 0008 at byte 0, ascending elements, lengths that fit: what no text file has."""
    if buffer[:2] == b"\x08\x00" and len(buffer) >= 16:
        if buffer[4:6] in VR_HEADER:
            return True
        return int.from_bytes(buffer[4:8], "little") < len(buffer) and buffer[3] < 0x30
    return buffer[:2] == b"\x00\x08" and buffer[4:6] in VR_HEADER


def _walk_meta(buffer: bytes, pos: int, size: int, values: dict[int, bytes]) -> int:
    """Group 2 is explicit little endian, and its length element lies: walk while the group is 2."""
    runs, last = runs_of("meta", _META_TAGS), 0
    began = pos
    walked: list[Place] = []
    while buffer[pos : pos + 2] == b"\x02\x00" or pos + 8 > len(buffer):
        run = runs.take(buffer, pos, buffer[pos : pos + 8], last, values)
        if run is not None:
            if walked:
                runs.learn(buffer, began, walked)
                walked = []
            last = run.last
            began = pos = pos + run.size
            continue
        if pos + 8 > len(buffer):
            if pos == size and values:
                return pos
            _need(pos + 8, buffer, size, "bad_meta", "the file meta")
        group, element, vr, length = EXPLICIT.element(buffer, pos)
        header = VR_HEADER.get(vr)
        if header is None:
            raise RejectError("bad_meta", f"({group:04X},{element:04X}) has the VR {vr!r}")
        if header == 12:
            _need(pos + 12, buffer, size, "bad_meta", "the file meta")
            (length,) = EXPLICIT.long(buffer, pos + 8)
        _need(pos + header + length, buffer, size, "bad_meta", "the file meta")
        tag = group << 16 | element
        if tag in _META_TAGS:
            values[tag] = buffer[pos + header : pos + header + length]
        pos += header + length
        if tag <= last or length > MAX_IN_RUN:
            began, walked = pos, []
        else:
            walked.append((tag, header, length))
        last = tag
    runs.learn(buffer, began, walked)
    return pos


def _need(need: int, buffer: bytes, size: int, reason: str, what: str) -> None:
    if need > size:
        raise RejectError(reason, f"{what} needs {need} bytes, the file has {size}")
    if need > len(buffer):
        raise Short(need)


def _sniff(buffer: bytes, start: int, syntax: str) -> tuple[Form, tuple[str, ...]]:
    """The form of the first element, whatever the meta says of it."""
    has_vr = buffer[start + 4 : start + 6] in VR_HEADER
    if syntax == EXPLICIT_BE or (not syntax and has_vr and buffer[start] == 0):
        named = BIG_ENDIAN
    else:
        named = IMPLICIT if syntax == IMPLICIT_LE else EXPLICIT
    if len(buffer) < start + 6 or has_vr == named.explicit:
        return named, ()
    if not syntax:
        return (EXPLICIT if has_vr else IMPLICIT), ()
    if has_vr:
        return EXPLICIT, ("explicit VR although the file meta says implicit",)
    return IMPLICIT, ("implicit VR although the file meta says explicit",)


def data_set_prefix(read_at: ReadAt, size: int, header: Header) -> tuple[bytes, bool, bool]:
    """(the data set's bytes before the pixel data, implicit VR, little endian)."""
    stop = header.end
    if header.walk.pixel_tag is not None:
        stop = header.walk.pixel_offset - (12 if header.explicit else 8)
    if header.syntax == DEFLATED_LE:
        data = inflated(read_at, size, header.data_start)[0][header.data_start : stop]
    else:
        data = read_at(header.data_start, stop - header.data_start)
    return data, not header.explicit, not header.big_endian


def header_bytes(read_at: ReadAt, size: int) -> tuple[bytes, int | None, int, Form]:
    """(the file up to its pixel data, where the file meta begins or None, the data set, its form).

    Of a file that is damaged as much as can be: at most FIRST_DAMAGED bytes. RejectError where not
    even the beginning is DICOM.
    """
    values: dict[int, bytes] = {}
    first = read_at(0, min(size, FIRST_DAMAGED))
    try:
        start, has_meta = _data_set_start(first, size, values)
    except Short as short:
        raise RejectError("too_big", f"a file meta of {short.need} bytes") from None
    syntax = values.get(0x00020010, b"").rstrip(b" \0").decode("latin-1")
    try:
        header = read_header(read_at, size, frozenset())
        stop = header.walk.pixel_offset if header.walk.pixel_tag is not None else header.end
    except RejectError:
        header, stop = None, len(first)
    if syntax == DEFLATED_LE:
        buffer = first[:start] if header is None else inflated(read_at, size, start)[0][:stop]
    else:
        buffer = first[:stop] if stop <= len(first) else read_at(0, min(stop, MAX_HEADER))
    meta = None if not has_meta else 132 if first[128:132] == b"DICM" else 0
    return buffer, meta, start, _sniff(buffer, start, syntax)[0]
