"""pages/slice_code.py: a slice or a mask as short text that a browser undoes exactly.

A value becomes an int16 (itself, or its place in a table), the int16 its residual after the median
edge detector of JPEG-LS (ITU-T T.87, A.4.1), that a zigzag (0, -1, 1, -2, ...) in two planes of
bytes, low and high, and those are deflated: of a CT slice about a third is left.
pages/scroll/code.js undoes the same steps.
"""

import base64
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wetread.archive.types import BoolArray, FloatArray

Int16Array = NDArray[np.int16]
_LEAST, _CODES = -(1 << 15), 1 << 16  # of int16


@dataclass(frozen=True)
class CodedSlice:
    """A slice as text.

    text:  the codes, int16: the values themselves, or -32768 + a place in the table.
    table: float32 as text; "" where the codes are the values.
    step:  the usual distance between adjacent different values; 1 without a table.
    error: how far a value may lie off, in its unit; 0 where none does.
    """

    text: str
    table: str
    step: float
    error: float


def code_slice(values: FloatArray) -> CodedSlice:
    """Return a slice (rows, columns) float32, HU or gray, all finite, as text."""
    low, high = float(values.min()), float(values.max())
    if low >= _LEAST and high < -_LEAST and np.array_equal(values, np.rint(values)):
        return CodedSlice(_coded(values.astype(np.int16)), "", 1.0, 0.0)
    table = np.unique(values).astype(np.float64)
    if len(table) > _CODES:
        table = np.linspace(low, high, _CODES).astype(np.float32).astype(np.float64)
    places = np.searchsorted((table[1:] + table[:-1]) / 2, values)  # of the nearest entry
    return CodedSlice(
        text=_coded((places + _LEAST).astype(np.int16)),
        table=base64.b64encode(zlib.compress(table.astype("<f4").tobytes(), 9)).decode(),
        step=float(np.median(np.diff(table))) if len(table) > 1 else 1.0,
        error=float(np.abs(table[places] - values).max()),
    )


def residuals(codes: Int16Array) -> Int16Array:
    """Return (rows, columns) int16, codes less their prediction from left, upper, upper left.

    Outside the picture lies 0. Differences wrap around, so any int16 comes back.
    """
    wide = codes.astype(np.int32)
    padded = np.pad(wide, ((1, 0), (1, 0)))
    left, above, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    low, high = np.minimum(left, above), np.maximum(left, above)
    predicted = np.where(corner >= high, low, np.where(corner <= low, high, left + above - corner))
    return (wide - predicted).astype(np.int16)


def _coded(codes: Int16Array) -> str:
    """Return int16 codes as text: residuals as zigzag, the low bytes before the high bytes.

    zlib looks for runs of one byte only: noise has no longer repeats, and the search takes time.
    """
    differences = residuals(codes)
    folded = ((differences << 1) ^ (differences >> 15)).astype("<u2")
    pairs = folded.reshape(-1, 1).view(np.uint8)
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    packed = packer.compress(pairs.T.tobytes()) + packer.flush()
    return base64.b64encode(packed).decode()


def code_mask(inside: BoolArray) -> str:
    """Return a mask (rows, columns) bool as text: bits, the first pixel lowest; "" if empty."""
    if not inside.any():
        return ""
    bits = np.packbits(inside.ravel(), bitorder="little")
    return base64.b64encode(zlib.compress(bits.tobytes(), 9)).decode()
