"""archive/codestream.py: what a compressed frame says of itself, before a decoder sees it.

JPEG: ITU-T T.81 B.2.2 (SOF); JPEG-LS: T.87 C.2.2 (SOF55); JPEG 2000: T.800 A.5.1 (SIZ).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wetread.archive.rejects import RejectError

_JPEG_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_RLE = "1.2.840.10008.1.2.5"


@dataclass(frozen=True)
class Codestream:
    """Size and bits that a compressed frame's own header names."""

    rows: int
    columns: int
    samples: int
    bits: int


def read_codestream(frame: bytes) -> Codestream | None:
    """The frame's own header; None where it has none that is known."""
    if frame[:4] == b"\xff\x4f\xff\x51":
        x1, y1, x0, y0 = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
        samples, bits = int.from_bytes(frame[40:42], "big"), (frame[42] & 0x7F) + 1
        return Codestream(y1 - y0, x1 - x0, samples, bits)
    if frame[:2] != b"\xff\xd8":
        return None
    pos = 2
    while pos + 10 <= len(frame):
        if frame[pos] != 0xFF:
            return None
        marker = frame[pos + 1]
        if marker == 0xFF:  # a fill byte
            pos += 1
            continue
        if marker in _JPEG_SOF:
            rows, columns = (int.from_bytes(frame[at : at + 2], "big") for at in (pos + 5, pos + 7))
            return Codestream(rows, columns, frame[pos + 9], frame[pos + 4])
        pos += 2 + int.from_bytes(frame[pos + 2 : pos + 4], "big")
    return None


def check_codestream(frame: bytes, syntax: str, row: Mapping[str, Any]) -> None:
    """Refuse a frame that is cut, or whose own header contradicts the DICOM header."""
    if syntax == _RLE:
        return
    found = read_codestream(frame)
    if found is None:
        raise RejectError("decode_failed", "the compressed frame has no header that is known")
    told = Codestream(row["Rows"], row["Columns"], row["SamplesPerPixel"] or 1, row["BitsStored"])
    size = (found.rows, found.columns, found.samples)
    if size != (told.rows, told.columns, told.samples) or found.bits < told.bits:
        raise RejectError("decode_mismatch", f"the compressed frame is {found}, the header {told}")
    if b"\xff\xd9" not in (
        frame[-3:-1],
        frame.rstrip(b"\0")[-2:],
    ):  # one byte of padding may follow
        raise RejectError("truncated_pixels", "the compressed frame has no end marker")
