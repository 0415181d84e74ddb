"""study/preview.py: a volume becomes one small picture for a notebook: its three middle planes."""

from __future__ import annotations

import math

import numpy as np

from wetread.archive.dataset.luts import VoiWindow
from wetread.archive.types import FloatArray, UInt8Array
from wetread.study.voi import full_range, present

SIDE = 256  # px of the picture's height: what the longest extent in mm becomes
SOFT_TISSUE = VoiWindow(40.0, 400.0, "LINEAR_EXACT")  # HU


def three_planes(
    values: FloatArray, spacing_mm: tuple[float, float, float], unit: str | None
) -> UInt8Array:
    """Draw the middle axial, coronal and sagittal planes of a volume side by side.

    values:     (Z, Y, X) floating, Z upward; of one slice the axial plane alone is drawn.
    spacing_mm: between slices, rows and columns; a step that is unknown (NaN, 0) counts as 1.
    unit:       "HU" is shown from -160 to 240; any other from its least to its greatest value.

    Returns (rows, columns) uint8, at most SIDE rows.
    """
    down, across, along = (step if 0 < step < math.inf else 1.0 for step in spacing_mm)
    z, y, x = (length // 2 for length in values.shape)
    planes = [(values[z], (across, along))]
    if len(values) > 1:
        planes += [(values[::-1, y], (down, along)), (values[::-1, :, x], (down, across))]
    mm = max(
        n * step for plane, steps in planes for n, step in zip(plane.shape, steps, strict=True)
    )
    voi = SOFT_TISSUE if unit == "HU" else full_range(values)
    gray = [present(_at_scale(plane, steps, mm / SIDE), voi, None) for plane, steps in planes]
    picture = np.zeros((max(map(len, gray)), sum(plane.shape[1] for plane in gray)), np.uint8)
    left = 0
    for plane in gray:
        picture[: len(plane), left : left + plane.shape[1]] = np.rint(plane * 255)
        left += plane.shape[1]
    return picture


def _at_scale(plane: FloatArray, steps_mm: tuple[float, float], mm_per_px: float) -> FloatArray:
    """Sample a plane (rows, columns) at equal steps in mm, by the nearest value."""
    counts = (
        max(1, round(n * mm / mm_per_px)) for n, mm in zip(plane.shape, steps_mm, strict=True)
    )
    rows, columns = (
        (np.arange(count) + 0.5) * length // count
        for count, length in zip(counts, plane.shape, strict=True)
    )
    sampled: FloatArray = plane[np.ix_(rows.astype(int), columns.astype(int))]
    return sampled
