"""phantoms/scanner/stored_values.py: Hounsfield units become the integers of a file.

A file's Rescale Intercept is LOWEST_HU and its Rescale Slope 1 (PS3.3 C.11.1).
"""

from __future__ import annotations

import numpy as np

from wetread.archive.types import BoolArray, FloatArray
from wetread.phantoms.types import StoredArray

LOWEST_HU = -1024.0  # stored as 0
PADDING = -2000  # stored beyond the circular field of view


def outside_field_of_view(size: int) -> BoolArray:
    """Mark the pixels beyond the circle that a square of size pixels holds: (size, size) bool."""
    along = np.arange(size) - (size - 1) / 2
    far: BoolArray = along[:, None] ** 2 + along[None, :] ** 2 > (size / 2) ** 2
    return far


def to_stored(hu: FloatArray, *, signed: bool, padded: bool) -> StoredArray:
    """Convert a square slice (H, H) in HU to 12-bit counts: int16 where signed, else uint16.

    padded: PADDING stands beyond the circular field of view; only signed counts can hold it.
    """
    counts = np.clip(np.rint(hu - LOWEST_HU), 0, 4095)
    stored: StoredArray = counts.astype(np.int16 if signed else np.uint16)
    if padded:
        stored[outside_field_of_view(len(hu))] = PADDING
    return stored
