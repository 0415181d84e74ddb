"""study/hu.py: stored integers become Hounsfield units, slice by slice. No file is read here."""

import numpy as np

from wetread.archive.types import Float32Array, Int16Array, IntegerArray, Row

AIR_HU = -1024.0  # what lies outside the field of view is set to
_WRAPS_FROM, _WRAPPED_PADDING = 3072, 2096  # of 12 bits: -1024 and -2000


def to_hu(
    stored: IntegerArray,
    slope: float,
    intercept: float,
    padding: tuple[int, int] | None = None,
) -> Float32Array:
    """Rescale to HU = stored * slope + intercept, the same shape; AIR_HU outside the field of view.

    stored:  any shape, integers, masked and signed.
    padding: (low, high) in stored values, both ends included, as the header declares it; compared
             before the rescale (PS3.3 C.7.5.1.1.2). HU below -1024 are outside in any case.
    """
    hu = stored.astype(np.float32)
    if slope != 1.0:
        hu *= np.float32(slope)
    if intercept != 0.0:
        hu += np.float32(intercept)
    np.maximum(hu, np.float32(AIR_HU), out=hu)
    if padding is not None:
        low, high = padding
        hu[(stored >= low) & (stored <= high)] = AIR_HU
    return hu


def repaired_intercept(
    stored: IntegerArray, padding: tuple[int, int] | None
) -> tuple[Int16Array, tuple[int, int]]:
    """Turn 12-bit signed values that the header calls unsigned into (HU, their padding).

    stored:  any shape, 0..4095; 2096, which is -2000 in 12 bits, is padding.
    padding: the range that the header declares, if any: padding, too.
    HU from -1024 to 3071 come back exactly.
    """
    hu = stored.astype(np.int16)
    hu[stored >= _WRAPS_FROM] -= 1 << 12
    if padding is not None:
        hu[(stored >= padding[0]) & (stored <= padding[1])] = _WRAPPED_PADDING
    return hu, (_WRAPPED_PADDING, _WRAPPED_PADDING)


def published_repair(stored: IntegerArray) -> Int16Array:
    """Repair an intercept as the competition's entries do: (stored + 1000) mod 4096 - 1000.

    stored: any shape, of slope 1; returns HU from -1000 to 3095, the same shape. Air of -1024
    becomes 3072, and padding of -2000 becomes 2096: for comparison with work that did so, not for
    reading.
    """
    hu: IntegerArray = (stored.astype(np.int32) + 1000) % (1 << 12) - 1000
    return hu.astype(np.int16)


def padding_range(row: Row) -> tuple[int, int] | None:
    """Read the declared padding (low, high) in stored values; None where none is declared."""
    value, limit = row["PixelPaddingValue"], row["PixelPaddingRangeLimit"]
    if value is None:
        return None
    return (value, value) if limit is None else (min(value, limit), max(value, limit))


def rescale(row: Row) -> tuple[float, float]:
    """Read (slope, intercept) of one row of the index; (1, 0) where the header has none."""
    slope, intercept = row["RescaleSlope"], row["RescaleIntercept"]
    return 1.0 if slope is None else slope, 0.0 if intercept is None else intercept
