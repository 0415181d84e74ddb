"""archive/index/known_headers.py: headers that were examined before, but for what is a file's own.

The files of a series differ in a few values: their UID, number, place and times. Where all the rest
of a header stands again, byte for byte, at its places, the whole of `examine` would come to what it
came to before: its row is copied, and the file's own values are filled in.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from wetread.archive.dataset.element_cache import ElementSpan
from wetread.archive.dataset.elements import (
    EXPLICIT,
    IMPLICIT,
    MAX_IN_RUN,
    PIXEL_TAGS,
    VR_HEADER,
)
from wetread.archive.dataset.header import EXPLICIT_LE, IMPLICIT_LE, Header
from wetread.archive.dataset.row_fields import OWN, OWN_COLUMNS, WANTED, fill_own
from wetread.archive.types import MutableRow

_MAX_FORMS, _MAX_ROWS = 32, 2048  # then all are forgotten: an archive of many kinds
_META_START, _MARK = 132, 128  # bytes: the first element, and DICM before it
_PLAIN = frozenset({IMPLICIT_LE, EXPLICIT_LE})  # their pixels stand in the file as they are
_UNREPEATED = frozenset({0x00283000, 0x52009229, 0x52009230})  # more than the header is examined
_HIGH_BIT = 0x00280102
_META = frozenset({0x00020000, 0x00020002, 0x00020003, 0x00020010, 0x00020012})
_KEPT = (WANTED | _META) - frozenset(OWN)


@dataclass(frozen=True, slots=True, eq=False)
class _Form:
    """Headers whose elements stand at the same places.

    head:   the last bytes before the pixel data at `stop`, by which a form is looked for.
    pixels: bytes of the pixel data.
    kept:   unpacks all heads and the values that decide the row; own: the file's own, of `tags`.
    rows:   what is kept of a header to the row that it gave, without the file's own columns.
    """

    head: bytes
    stop: int
    pixels: int
    kept: struct.Struct
    own: struct.Struct
    tags: tuple[int, ...]
    rows: dict[tuple[bytes, ...], MutableRow] = field(default_factory=dict)

    def same_as(self, other: _Form) -> bool:
        """Whether both unpack alike."""
        mine = (self.head, self.stop, self.kept.format, self.own.format, self.tags)
        return mine == (other.head, other.stop, other.kept.format, other.own.format, other.tags)


class KnownHeaders:
    """The headers that a process has examined."""

    def __init__(self) -> None:
        self._forms: list[_Form] = []
        self._count = 0

    def row_of(self, buffer: bytes, size: int) -> MutableRow | None:
        """Make the columns of a file of `size` bytes; None where its header is not known.

        buffer: the first bytes of the file.
        """
        for form in self._forms:
            if buffer[form.stop - 8 : form.stop] != form.head or form.stop + form.pixels > size:
                continue
            known = form.rows.get(form.kept.unpack_from(buffer, _MARK))
            if known is None:
                continue
            row, notes = known.copy(), list[str]()
            own = form.own.unpack_from(buffer, _META_START)
            fill_own(row, dict(zip(form.tags, own, strict=True)), notes)
            row["notes"] = known["notes"] + notes
            return row
        return None

    def remember(self, buffer: bytes, header: Header, row: MutableRow) -> None:
        """Keep the row of an image, as `examine` made it, for the next file with this header.

        Not kept is what depends on more than the header: encapsulated or deflated pixels,
        functional groups, a modality table; nor a row with a note on its HighBit, which stands
        behind those on the file's own values.
        """
        plain = header.syntax in _PLAIN and _UNREPEATED.isdisjoint(header.values)
        plain = plain and _HIGH_BIT in header.values and row["HighBit"] == row["BitsStored"] - 1
        spans = _element_spans(buffer, header) if plain else None
        if spans is None:
            return
        if self._count >= _MAX_ROWS or len(self._forms) >= _MAX_FORMS:
            self._forms.clear()
            self._count = 0
        form = self._form(_make_form(buffer, spans, header))
        own_notes: list[str] = []
        fill_own({}, header.values, own_notes)
        shared = {name: value for name, value in row.items() if name not in OWN_COLUMNS}
        shared["notes"] = row["notes"][: len(row["notes"]) - len(own_notes)]
        form.rows[form.kept.unpack_from(buffer, _MARK)] = shared
        self._count += 1

    def _form(self, made: _Form) -> _Form:
        """Return the form that is known already, or keep this one."""
        for form in self._forms:
            if form.same_as(made):
                return form
        self._forms.append(made)
        return made


def _make_form(buffer: bytes, spans: Sequence[ElementSpan], header: Header) -> _Form:
    stop = header.walk.pixel_offset
    kept, own = list[str](), list[str]()
    run, gap, pos = _META_START - _MARK, 0, _META_START
    for tag, head, length in spans:
        pos += head + length
        run += head
        if tag in _KEPT:
            run += length
        else:
            kept.append(f"{run}s{length}x")
            run = 0
        if tag in OWN:
            own.append(f"{gap + head}x{length}s")
            gap = 0
        else:
            gap += head + length
    kept.append(f"{run + stop - pos}s")  # the head of the pixel data
    return _Form(
        head=buffer[stop - 8 : stop],
        stop=stop,
        pixels=header.walk.pixel_length,
        kept=struct.Struct("".join(kept)),
        own=struct.Struct("".join(own)),
        tags=tuple(tag for tag, _, _ in spans if tag in OWN),
    )


def _element_spans(buffer: bytes, header: Header) -> list[ElementSpan] | None:
    """List the elements from the file meta to the pixel data; None where one is not as most are.

    All are in ascending order, of defined length, and short: what nests deep is walked each time.
    """
    stop = header.walk.pixel_offset
    if buffer[_MARK:_META_START] != b"DICM" or not _META_START < stop <= len(buffer):
        return None
    data_set = EXPLICIT if header.explicit else IMPLICIT
    spans: list[ElementSpan] = []
    pos, last = _META_START, 0
    while pos < stop:
        encoding = EXPLICIT if pos < header.data_start else data_set
        group, element, vr, length = encoding.element(buffer, pos)
        tag, head = group << 16 | element, VR_HEADER.get(vr, 0) if encoding.explicit else 8
        if head != 8 or not encoding.explicit:
            length = encoding.long(buffer, pos + (8 if encoding.explicit else 4))[0]
        if tag in PIXEL_TAGS and pos + head == stop:
            return spans
        if tag <= last or not head or length > MAX_IN_RUN:
            return None
        spans.append((tag, head, length))
        pos, last = pos + head + length, tag
    return None
