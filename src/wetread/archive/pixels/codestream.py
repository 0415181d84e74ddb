"""archive/pixels/codestream.py: a compressed frame's own headers, before a decoder reads it.

JPEG: ITU-T T.81 B; JPEG-LS: T.87 C; JPEG 2000 and HTJ2K: T.800 A; RLE: PS3.5 G. A frame is walked
from marker to marker up to its end marker, so that a stream that is cut never reaches a decoder.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from wetread.archive.dataset.numbers import tag_and_name
from wetread.archive.notes import note
from wetread.archive.rejects import RejectError
from wetread.archive.types import Row

_JPEG_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
_SOS, _EOI, _APP0, _APP14, _JPEG_LS_SOF = 0xDA, 0xD9, 0xE0, 0xEE, 0xF7
# The marker that ends entropy-coded data: no stuffed byte or bit, no restart, no fill byte.
_AFTER_JPEG_DATA = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_AFTER_JPEG_LS_DATA = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
# What stands before SOI or SOC: fill bytes, which T.81 B.1.1.2 allows, or padding.
_BEFORE_START = re.compile(rb"[\x00\xff]*(?=\xff(?:\xd8\xff|\x4f\xff\x51))")
_J2K_START = b"\xff\x4f\xff\x51"
_SOT, _SOD, _EOC, _COD = b"\xff\x90", b"\xff\x93", b"\xff\xd9", b"\xff\x52"
_IRREVERSIBLE_AT = 13  # of COD: its transformation, 0 for the 9-7 wavelet (T.800 A.6.1)
_JP2_BOX = b"\x00\x00\x00\x0cjP  "
_RLE = "1.2.840.10008.1.2.5"
# Frames without headers, and JPEG XL, whose header is no whole bytes: their decoders are strict.
_NO_HEADER = frozenset(
    f"1.2.840.10008.1.2.{end}" for end in ("1.98", "8.1", "4.110", "4.111", "4.112")
)
_RLE_HEADER = 64


@dataclass(frozen=True)
class Codestream:
    """A compressed frame's own headers.

    bits:   of a sample.
    color:  "RGB" or "YBR" where the frame's markers say what its 3 components are, else None.
    end:    the byte behind its data, where its end marker belongs; None where the stream is cut.
    signed: of JPEG 2000; None for JPEG and JPEG-LS, whose streams do not say.
    loss:   whether the stream itself shows that it was made with loss.
    stray:  what stands before the end marker and belongs to nothing, in words; empty: nothing.
    """

    rows: int
    columns: int
    samples: int
    bits: int
    color: str | None = None
    end: int | None = None
    signed: bool | None = None
    loss: bool = False
    stray: str = ""


def bare_codestream(frame: bytes) -> bytes:
    """Extract the codestream of a frame: without JP2 boxes and bytes before its start marker.

    PS3.5 A.4.4 forbids the boxes, and files have them.
    """
    if not frame.startswith(_JP2_BOX):
        before = _BEFORE_START.match(frame)
        return frame[before.end() :] if before and before.end() else frame
    pos = 0
    while pos + 8 <= len(frame):
        length, kind = int.from_bytes(frame[pos : pos + 4], "big"), frame[pos + 4 : pos + 8]
        if kind == b"jp2c":
            return frame[pos + 8 : pos + length if length > 8 else None]
        if length < 8:
            break
        pos += length
    return frame


def begins_stream(data: bytes) -> bool:
    """Whether the first bytes of a fragment begin a frame: a start marker, padding before it."""
    return _BEFORE_START.match(data) is not None


def read_codestream(frame: bytes, *, to_its_end: bool = True) -> Codestream | None:
    """Read the frame's own headers; None where it has none that is known.

    to_its_end: False reads size, samples, bits and sign alone, for which first bytes will do.
    """
    if frame[:4] == _J2K_START:
        return _read_j2k(frame, to_its_end)
    return _read_jpeg(frame, to_its_end) if frame[:2] == b"\xff\xd8" else None


def _read_j2k(frame: bytes, to_its_end: bool) -> Codestream | None:
    if len(frame) < 43:
        return None
    x1, y1, x0, y0 = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
    samples, bits = int.from_bytes(frame[40:42], "big"), (frame[42] & 0x7F) + 1
    end, loss, stray = _j2k_end(frame) if to_its_end else (None, False, "")
    signed = bool(frame[42] & 0x80)
    return Codestream(
        y1 - y0, x1 - x0, samples, bits, end=end, signed=signed, loss=loss, stray=stray
    )


def _j2k_end(frame: bytes) -> tuple[int | None, bool, str]:
    """Find (where EOC belongs, whether the wavelet is the one with loss, stray bytes in words).

    EOC belongs behind the main header's segments and the tile-parts, by their lengths. Zeros or
    fill bytes may stand before it, or zeros in its place where all tiles are whole by length.
    """
    pos, loss = 2, False
    parts_of: dict[int, list[int]] = {}  # tile: how many tile-parts came, and how many must
    while pos + 12 <= len(frame):
        marker = frame[pos : pos + 2]
        if marker[0] != 0xFF or marker[1] in (0xFF, _EOC[1]):
            break
        if marker == _COD:
            loss = frame[pos + _IRREVERSIBLE_AT] == 0
        if marker != _SOT:
            pos += 2 + int.from_bytes(frame[pos + 2 : pos + 4], "big")
            continue
        length = int.from_bytes(frame[pos + 6 : pos + 10], "big")
        if length == 0:  # the last tile-part, up to EOC
            end = len(frame.rstrip(b"\0")) - 2
            return (end if end > pos and frame[end : end + 2] == _EOC else None), loss, ""
        if length < 14 or pos + length > len(frame):
            return None, loss, ""
        parts = parts_of.setdefault(int.from_bytes(frame[pos + 4 : pos + 6], "big"), [0, 0])
        parts[0], parts[1] = parts[0] + 1, max(parts[1], frame[pos + 11])
        pos += length
    if frame[pos : pos + 2] == _EOC:
        return pos, loss, ""
    rest = frame[pos:]
    at = rest.find(_EOC)
    if at >= 0 and not rest[:at].strip(b"\0\xff"):
        return pos, loss, f"{at} stray bytes before its end marker"
    tiles = _tile_count(frame)
    whole = len(parts_of) == tiles and all(came >= must > 0 for came, must in parts_of.values())
    if whole and rest and not rest.strip(b"\0"):
        return pos, loss, "zero bytes instead of its end marker"
    return None, loss, ""


def _tile_count(frame: bytes) -> int:
    """Count the tiles that SIZ declares, across times down (T.800 B.3)."""
    numbers = [int.from_bytes(frame[at : at + 4], "big") for at in range(8, 40, 4)]
    (x1, y1), (width, height), (x0, y0) = numbers[:2], numbers[4:6], numbers[6:]
    return -(-(x1 - x0) // width) * -(-(y1 - y0) // height) if width and height else 0


def _read_jpeg(frame: bytes, to_its_end: bool) -> Codestream | None:
    size: tuple[int, int, int, int] | None = None
    color, by_ids = None, None
    after_data, end, pos = _AFTER_JPEG_DATA, None, 2
    while pos + 2 <= len(frame) and frame[pos] == 0xFF:
        marker = frame[pos + 1]
        if marker == 0xFF:  # a fill byte
            pos += 1
            continue
        if marker == _EOI:
            end = pos
            break
        if marker in _ALONE:
            pos += 2
            continue
        length = int.from_bytes(frame[pos + 2 : pos + 4], "big")
        segment = frame[pos + 4 : pos + 2 + length]
        if length < 2 or len(segment) < length - 2:
            break
        if marker in _JPEG_SOF and len(segment) >= 6:
            rows, columns = (int.from_bytes(segment[at : at + 2], "big") for at in (1, 3))
            size = rows, columns, segment[5], segment[0]
            by_ids = "RGB" if segment[6::3] in (b"RGB", b"rgb") else None
            if not to_its_end:
                break
            after_data = _AFTER_JPEG_LS_DATA if marker == _JPEG_LS_SOF else _AFTER_JPEG_DATA
        elif marker == _APP0 and segment[:5] == b"JFIF\0":
            color = "YBR"
        elif marker == _APP14 and segment[:5] == b"Adobe" and len(segment) >= 12:
            color = color or ("YBR" if segment[11] == 1 else "RGB")
        pos += 2 + length
        if marker == _SOS:
            found = after_data.search(frame, pos)
            if found is None:
                break
            pos = found.start()
    return None if size is None else Codestream(*size, color=by_ids or color, end=end)


def has_stream(syntax: str) -> bool:
    """Whether frames of a compressed transfer syntax have a header that is read here."""
    return syntax != _RLE and syntax not in _NO_HEADER


def check_codestream(frame: bytes, syntax: str, row: Row) -> Codestream | None:
    """Read the frame's own headers and check them; None for syntaxes whose frames have none.

    frame: bare, as from `bare_codestream`. Raises RejectError for one that is cut, or whose own
    header contradicts the DICOM header.
    """
    if syntax == _RLE:
        _check_rle(frame, row)
    if not has_stream(syntax):
        return None
    found = read_codestream(frame)
    if found is None:
        raise RejectError("decode_failed", "the compressed frame has no header that is known")
    check_form(found, row)
    if found.end is None:
        raise RejectError("truncated_pixels", "the compressed frame is cut: it has no end marker")
    return found


def check_form(found: Codestream, row: Row) -> None:
    """Raise RejectError where size, samples, or bits of unknown sign contradict the DICOM header.

    The stream's own characteristics are used where they differ (PS3.5 8.2), and JPEG 2000 has a
    sign among them. JPEG and JPEG-LS have none: of signed values in fewer bits than BitsStored
    nobody can say which are negative.
    """
    samples = row.get("SamplesPerPixel") or 1
    contradictions = [
        f"{tag_and_name(tag, name)} is {declared}, the compressed frame has {own}"
        for tag, name, declared, own in (
            (0x00280010, "Rows", row["Rows"], found.rows),
            (0x00280011, "Columns", row["Columns"], found.columns),
            (0x00280002, "SamplesPerPixel", samples, found.samples),
        )
        if declared != own
    ]
    signless = found.signed is None and row.get("PixelRepresentation") == 1
    if signless and found.bits < row["BitsStored"]:
        contradictions.append(
            f"(0028,0101) BitsStored is {row['BitsStored']} with a sign, the compressed frame has "
            f"{found.bits} bits and does not say which values are negative"
        )
    if contradictions:
        raise RejectError("decode_mismatch", "; ".join(contradictions))


def form_notes(found: Codestream, row: Row) -> tuple[str, ...]:
    """Note how a stream's own bits and sign differ from the header's."""
    notes = []
    bits, sign = row["BitsStored"], row.get("PixelRepresentation")
    if found.bits != bits:
        detail = f"{found.bits} bits in the codestream, (0028,0101) BitsStored is {bits}"
        notes.append(note("precision_differs", detail))
    if found.signed is not None and sign is not None and found.signed != (sign == 1):
        own = "signed" if found.signed else "unsigned"
        detail = f"the codestream is {own}, (0028,0103) PixelRepresentation is {sign}"
        notes.append(note("sign_differs", detail))
    return tuple(notes)


def _check_rle(frame: bytes, row: Row) -> None:
    """Check for one segment a byte of a pixel, in order, each within the frame (PS3.5 G.5)."""
    segments = (row["SamplesPerPixel"] or 1) * row["BitsAllocated"] // 8
    if len(frame) < _RLE_HEADER:
        raise RejectError("truncated_pixels", f"an RLE frame of {len(frame)} bytes, no header")
    words = [int.from_bytes(frame[at : at + 4], "little") for at in range(0, _RLE_HEADER, 4)]
    if words[0] != segments or segments > 15:
        detail = f"the RLE frame has {words[0]} segments, the header asks for {segments}"
        raise RejectError("decode_failed", detail)
    starts = words[1 : segments + 1]
    if starts[0] != _RLE_HEADER or any(a >= b for a, b in pairwise(starts)):
        raise RejectError("decode_failed", f"the RLE segments begin at bytes {starts}")
    if starts[-1] >= len(frame):
        detail = f"the last RLE segment begins at byte {starts[-1]}, the frame has {len(frame)}"
        raise RejectError("truncated_pixels", detail)
