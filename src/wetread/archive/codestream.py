"""archive/codestream.py: what a compressed frame says of itself, before a decoder sees it.

JPEG: ITU-T T.81 B; JPEG-LS: T.87 C; JPEG 2000 and HTJ2K: T.800 A; RLE: PS3.5 G. A frame is walked
from marker to marker up to its end marker, so that a stream that is cut never reaches a decoder.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from wetread.archive.rejects import RejectError

_JPEG_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_ALONE = frozenset((0x01, *range(0xD0, 0xD9)))  # markers without a length
_SOS, _EOI, _APP0, _APP14, _JPEG_LS_SOF = 0xDA, 0xD9, 0xE0, 0xEE, 0xF7
# The marker that ends entropy-coded data: no stuffed byte or bit, no restart, no fill byte.
_AFTER_JPEG_DATA = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_AFTER_JPEG_LS_DATA = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_J2K_START = b"\xff\x4f\xff\x51"
_SOT, _SOD, _EOC = b"\xff\x90", b"\xff\x93", b"\xff\xd9"
_JP2_BOX = b"\x00\x00\x00\x0cjP  "
_RLE = "1.2.840.10008.1.2.5"
# Frames without headers, and JPEG XL, whose header is no whole bytes: their decoders are strict.
_NO_HEADER = frozenset(
    f"1.2.840.10008.1.2.{end}" for end in ("1.98", "8.1", "4.110", "4.111", "4.112")
)
_RLE_HEADER = 64


@dataclass(frozen=True)
class Codestream:
    """What a compressed frame's own headers name.

    bits:   of a sample; JPEG's carry no sign.
    colour: "RGB" or "YBR" where the frame's markers say what its 3 components are, else None.
    end:    first byte of its end marker; None where the stream is cut.
    """

    rows: int
    columns: int
    samples: int
    bits: int
    colour: str | None = None
    end: int | None = None


def bare_codestream(frame: bytes) -> bytes:
    """The JPEG 2000 codestream of a frame that is wrapped in JP2 boxes; other frames as they are.

    PS3.5 A.4.4 forbids the wrapping, and files have it.
    """
    if not frame.startswith(_JP2_BOX):
        return frame
    pos = 0
    while pos + 8 <= len(frame):
        length, kind = int.from_bytes(frame[pos : pos + 4], "big"), frame[pos + 4 : pos + 8]
        if kind == b"jp2c":
            return frame[pos + 8 : pos + length if length > 8 else None]
        if length < 8:
            break
        pos += length
    return frame


def read_codestream(frame: bytes) -> Codestream | None:
    """The frame's own headers; None where it has none that is known."""
    if frame[:4] == _J2K_START:
        return _read_j2k(frame)
    return _read_jpeg(frame) if frame[:2] == b"\xff\xd8" else None


def _read_j2k(frame: bytes) -> Codestream | None:
    if len(frame) < 43:
        return None
    x1, y1, x0, y0 = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
    samples, bits = int.from_bytes(frame[40:42], "big"), (frame[42] & 0x7F) + 1
    return Codestream(y1 - y0, x1 - x0, samples, bits, end=_j2k_end(frame))


def _j2k_end(frame: bytes) -> int | None:
    """Where EOC lies: behind the main header's segments and the tile-parts, by their lengths."""
    pos = 2
    while pos + 12 <= len(frame):
        marker = frame[pos : pos + 2]
        if marker == _EOC:
            return pos
        if marker[0] != 0xFF:
            return None
        if marker != _SOT:
            pos += 2 + int.from_bytes(frame[pos + 2 : pos + 4], "big")
            continue
        length = int.from_bytes(frame[pos + 6 : pos + 10], "big")
        if length == 0:  # the last tile-part, up to EOC
            end = len(frame.rstrip(b"\0")) - 2
            return end if end > pos and frame[end : end + 2] == _EOC else None
        if length < 14:
            return None
        pos += length
    return pos if frame[pos : pos + 2] == _EOC else None


def _read_jpeg(frame: bytes) -> Codestream | None:
    size: tuple[int, int, int, int] | None = None
    colour, by_ids = None, None
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
            after_data = _AFTER_JPEG_LS_DATA if marker == _JPEG_LS_SOF else _AFTER_JPEG_DATA
        elif marker == _APP0 and segment[:5] == b"JFIF\0":
            colour = "YBR"
        elif marker == _APP14 and segment[:5] == b"Adobe" and len(segment) >= 12:
            colour = colour or ("YBR" if segment[11] == 1 else "RGB")
        pos += 2 + length
        if marker == _SOS:
            found = after_data.search(frame, pos)
            if found is None:
                break
            pos = found.start()
    return None if size is None else Codestream(*size, colour=by_ids or colour, end=end)


def check_codestream(frame: bytes, syntax: str, row: Mapping[str, Any]) -> None:
    """Refuse a frame that is cut, or whose own header contradicts the DICOM header.

    frame: bare, as from `bare_codestream`.
    """
    if syntax == _RLE:
        _check_rle(frame, row)
    if syntax == _RLE or syntax in _NO_HEADER:
        return
    found = read_codestream(frame)
    if found is None:
        raise RejectError("decode_failed", "the compressed frame has no header that is known")
    samples = row["SamplesPerPixel"] or 1
    size, told = (found.rows, found.columns, found.samples), (row["Rows"], row["Columns"], samples)
    if size != told or found.bits < row["BitsStored"]:
        detail = (
            f"the compressed frame has {_shown(*size, found.bits)}, the header "
            f"{_shown(*told, row['BitsStored'])}"
        )
        raise RejectError("decode_mismatch", detail)
    if found.end is None:
        raise RejectError("truncated_pixels", "the compressed frame is cut: it has no end marker")


def _shown(rows: int, columns: int, samples: int, bits: int) -> str:
    return f"{rows} x {columns} pixels of {samples} samples of {bits} bits"


def _check_rle(frame: bytes, row: Mapping[str, Any]) -> None:
    """One segment a byte of a pixel, in order, each within the frame (PS3.5 G.5)."""
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
