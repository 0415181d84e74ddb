"""outputs/slice_code.py: a slice or a mask as short text that a browser undoes exactly.

A value becomes an int16, the int16 what the median edge detector of JPEG-LS (ITU-T T.87, A.4.1) did
not foresee, that a zigzag (0, -1, 1, -2, ...) in two planes of bytes, low and high, and those are
deflated: of a CT slice about a third is left. outputs/scroll/code.js undoes the same steps.
"""

import base64
import zlib
from dataclasses import dataclass

import numpy as np

_LEAST, _CODES = -(1 << 15), 1 << 16  # of int16
_ULPS = 4  # of the greatest value: what rounding to float32 may have moved


@dataclass(frozen=True)
class CodedSlice:
    """A slice as text: value = offset + scale * code, the codes being int16.

    error: how far a value may lie off, in its unit; 0 where none does.
    """

    text: str
    scale: float
    offset: float
    error: float


def code_slice(values: np.ndarray) -> CodedSlice:
    """(rows, columns) float32, HU or grey, all finite, as text."""
    codes, scale, offset = as_codes(values)
    given = np.asarray(values, np.float64)
    off = float(np.abs(offset + scale * codes - given).max())
    known = _ULPS * float(np.spacing(np.float32(np.abs(given).max())))
    return CodedSlice(
        _deflated(_planes(residuals(codes))), scale, offset, off if off > known else 0
    )


def as_codes(values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """(codes int16 of the same shape, scale, offset) of float32 values.

    Whole values keep themselves; others are counted in their least distance. Where that does not
    give 65536 codes or fewer, the range is cut into so many.
    """
    low, high = float(values.min()), float(values.max())
    scale = 1.0 if np.array_equal(values, np.rint(values)) else _least_distance(values)
    if (high - low) / scale > _CODES - 1.5:
        scale = (high - low) / (_CODES - 1)
    if scale == 1.0 and low >= _LEAST and high < -_LEAST:
        return values.astype(np.int16), 1.0, 0.0
    steps = np.rint((np.asarray(values, np.float64) - low) / scale)
    return (steps + _LEAST).astype(np.int16), scale, low - scale * _LEAST


def _least_distance(values: np.ndarray) -> float:
    """The step that all of at least two different values lie on, as far as float32 can say."""
    known = np.unique(np.asarray(values, np.float64))
    apart = np.diff(known)
    if not len(apart):
        return 1.0
    return float(known[-1] - known[0]) / float(np.rint(apart / apart.min()).sum())


def residuals(codes: np.ndarray) -> np.ndarray:
    """(rows, columns) int16: each code less what its left, upper and upper left ones foresee.

    Outside the picture lies 0. Differences wrap around, so any int16 comes back.
    """
    wide = codes.astype(np.int32)
    padded = np.pad(wide, ((1, 0), (1, 0)))
    left, above, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    low, high = np.minimum(left, above), np.maximum(left, above)
    foreseen = np.where(corner >= high, low, np.where(corner <= low, high, left + above - corner))
    return (wide - foreseen).astype(np.int16)


def _planes(differences: np.ndarray) -> bytes:
    """int16 as zigzag, the low bytes of all before the high bytes of all."""
    folded = ((differences << 1) ^ (differences >> 15)).astype("<u2")
    pairs = folded.reshape(-1, 1).view(np.uint8)
    return np.ascontiguousarray(pairs.T).tobytes()


def _deflated(content: bytes) -> str:
    """zlib, by runs of one byte: noise has no longer repeats, and looking for them takes time."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    return base64.b64encode(packer.compress(content) + packer.flush()).decode()


def code_mask(inside: np.ndarray) -> str:
    """(rows, columns) bool as text: bits, the first pixel in the lowest; "" for an empty one."""
    if not inside.any():
        return ""
    bits = np.packbits(inside.ravel(), bitorder="little")
    return base64.b64encode(zlib.compress(bits.tobytes(), 9)).decode()
