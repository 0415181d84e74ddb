"""archive/dataset/header.py: a DICOM header's elements from a prefix of the file.

The walk jumps over what is not wanted, counts nested sequences instead of recursing, and says where
a file is cut, which pydicom does not (PS3.5 7.1, 7.5, PS3.10 7.1).
"""

import zlib
from dataclasses import dataclass, replace

from wetread.archive.dataset.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    VR_HEADER,
    Encoding,
    NeedMoreBytes,
    WalkResult,
    walk_elements,
)
from wetread.archive.dataset.meta import read_meta
from wetread.archive.dataset.misfit import wrong_length
from wetread.archive.rejects import RejectError
from wetread.archive.types import ReadAt

FIRST_READ = 8 * 1024  # bytes; most headers, and two pages
MAX_HEADER = 64 * 1024 * 1024
INFLATED_PIECE = 8 * 1024 * 1024
FIRST_DAMAGED = 1024 * 1024  # of a file whose end cannot be found
MAX_INFLATED = 256 * 1024 * 1024
IMPLICIT_LE, EXPLICIT_LE = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
DEFLATED_LE, EXPLICIT_BE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """The header of a file, as far as it was asked for.

    values:       tag (group << 16 | element) to raw bytes, of the wanted top-level elements.
    data_start:   where the data set begins, bytes (in the inflated data where deflated).
    end:          bytes of the file, inflated where deflated.
    walk:         where the pixel data begins, or where the data set is cut.
    notes:        what is odd and harmless; meta_faults: what of it concerns the file meta.
    """

    values: dict[int, bytes]
    syntax: str
    explicit: bool
    big_endian: bool
    has_meta: bool
    data_start: int
    end: int
    walk: WalkResult
    notes: tuple[str, ...]
    meta_faults: tuple[str, ...] = ()


def read_header(
    read_at: ReadAt, size: int, wanted: frozenset[int], first: bytes | None = None
) -> Header:
    """Read the wanted elements of the file behind read_at, size bytes long.

    first: its first bytes, FIRST_READ of them where it has as many, if they were read already.

    Raises RejectError: empty, not_dicom, bad_meta, bad_element, too_deep, too_big. A header that
    is cut comes back with `cut` set, because what it is decides what that means.
    """
    if size == 0:
        raise RejectError("empty", "0 bytes")
    buffer = read_at(0, min(FIRST_READ, size)) if first is None else first
    while True:
        try:
            return _walk_file(buffer, read_at, size, wanted)
        except NeedMoreBytes as short:
            if short.need > MAX_HEADER:
                detail = f"a header of more than {MAX_HEADER} bytes"
                raise RejectError("too_big", detail) from None
            grown = buffer + read_at(
                len(buffer), min(max(short.need, 4 * len(buffer)), size) - len(buffer)
            )
            if len(grown) < min(short.need, size):
                raise RejectError("io_error", f"{len(grown)} of {size} bytes came") from None
            buffer = grown


def inflate(read_at: ReadAt, size: int, start: int) -> tuple[bytes, bool]:
    """Inflate a file from byte start on: (its bytes, whether the stream ends as it should)."""
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
    meta = read_meta(buffer, size, values)
    start = meta.data_start
    syntax = values.get(0x00020010, b"").rstrip(b" \0").decode("latin-1")
    end = size
    if syntax == DEFLATED_LE:
        buffer, _ = inflate(read_at, size, start)
        end = len(buffer)
    encoding, notes = _sniff(buffer, start, syntax)
    walk = _walk_data_set(buffer, start, end, encoding, wanted=wanted, values=values)
    if not syntax:
        named = EXPLICIT_BE if encoding.big_endian else EXPLICIT_LE
        syntax = named if encoding.explicit else IMPLICIT_LE
        notes = (*notes, "no transfer syntax: taken from the data set")
    return Header(
        values=values,
        syntax=syntax,
        explicit=encoding.explicit,
        big_endian=encoding.big_endian,
        has_meta=bool(meta.blocks),
        data_start=start,
        end=end,
        walk=walk,
        notes=notes + walk.notes,
        meta_faults=meta.faults + notes,
    )


def _walk_data_set(
    buffer: bytes,
    start: int,
    end: int,
    encoding: Encoding,
    *,
    wanted: frozenset[int],
    values: dict[int, bytes],
) -> WalkResult:
    """Walk the data set; where it leads nowhere, name the element whose length is wrong."""
    try:
        walk = walk_elements(buffer, start, end, encoding, wanted=wanted, values=values)
    except RejectError as error:
        fault = (
            wrong_length(buffer, start, end, encoding) if error.reason == "bad_element" else None
        )
        if fault is None:
            raise
        raise RejectError("bad_element", fault) from None
    if walk.cut and (fault := wrong_length(buffer, start, end, encoding)):
        return replace(walk, cut=fault)
    return walk


def _sniff(buffer: bytes, start: int, syntax: str) -> tuple[Encoding, tuple[str, ...]]:
    """Find the encoding of the first element, whatever the file meta says of it."""
    has_vr = buffer[start + 4 : start + 6] in VR_HEADER
    # A data set begins with a group below 0100: one of its two bytes is zero, and says the order.
    big_endian = has_vr and buffer[start] == 0 and buffer[start + 1] != 0
    little_endian = has_vr and buffer[start] != 0 and buffer[start + 1] == 0
    if syntax == EXPLICIT_BE or (not syntax and big_endian):
        named = BIG_ENDIAN
    else:
        named = IMPLICIT if syntax == IMPLICIT_LE else EXPLICIT
    if syntax and big_endian and not named.big_endian:
        return BIG_ENDIAN, ("big endian although the file meta says little endian",)
    if little_endian and named.big_endian:
        return EXPLICIT, ("little endian although the file meta says big endian",)
    if len(buffer) < start + 6 or has_vr == named.explicit:
        return named, ()
    if not syntax:
        return (EXPLICIT if has_vr else IMPLICIT), ()
    if has_vr:
        return EXPLICIT, ("explicit VR although the file meta says implicit",)
    return IMPLICIT, ("implicit VR although the file meta says explicit",)


def data_set_prefix(read_at: ReadAt, size: int, header: Header) -> tuple[bytes, bool, bool]:
    """Read (the data set's bytes before the pixel data, implicit VR, little endian)."""
    stop = header.end
    if header.walk.pixel_tag is not None:
        stop = header.walk.pixel_offset - (12 if header.explicit else 8)
    if header.syntax == DEFLATED_LE:
        data = inflate(read_at, size, header.data_start)[0][header.data_start : stop]
    else:
        data = read_at(header.data_start, stop - header.data_start)
    return data, not header.explicit, not header.big_endian


def header_bytes(
    read_at: ReadAt, size: int
) -> tuple[bytes, tuple[tuple[int, int, Encoding], ...], int, Encoding]:
    """Read (the file up to its pixel data, its groups of file meta, first byte and encoding of its
    data set).

    Of a damaged file at most FIRST_DAMAGED bytes are read. Raises RejectError where not
    even the beginning is DICOM.
    """
    values: dict[int, bytes] = {}
    first = read_at(0, min(size, FIRST_DAMAGED))
    try:
        meta = read_meta(first, size, values)
    except NeedMoreBytes as short:
        raise RejectError("too_big", f"a file meta of {short.need} bytes") from None
    start = meta.data_start
    syntax = values.get(0x00020010, b"").rstrip(b" \0").decode("latin-1")
    try:
        header = read_header(read_at, size, frozenset())
        stop = header.walk.pixel_offset if header.walk.pixel_tag is not None else header.end
    except RejectError:
        header, stop = None, len(first)
    if syntax == DEFLATED_LE:
        buffer = first[:start] if header is None else inflate(read_at, size, start)[0][:stop]
    else:
        buffer = first[:stop] if stop <= len(first) else read_at(0, min(stop, MAX_HEADER))
    return buffer, meta.blocks, start, _sniff(buffer, start, syntax)[0]
