"""anatomy/thorax.py: the air that a body encloses, slice by slice, without table and clothes."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array

AIR_BELOW_HU = -400.0  # below: air, or lung
OUTSIDE_HU = -940.0  # of the room's air: a lung that meets the picture's border is denser
TISSUE_HU, LEAST_SHARE = -300.0, 0.02  # a column that holds less tissue is outside the body
BRIDGE_MM = 5.0  # bridges from the body to bed and wires are thinner


def air_inside(
    blocks: Float32Array, spacing_mm: tuple[float, float, float], threshold_hu: float = AIR_BELOW_HU
) -> BoolArray:
    """Find the air within the body: (Z, Y, X) bool of blocks (Z, Y, X), HU; slices are axial."""
    found = np.zeros(blocks.shape, bool)
    for number, plane in enumerate(blocks):
        air = plane < threshold_hu
        body = _body(plane, air, spacing_mm[1])
        found[number] = air & body
    return found


def middle_column(blocks: Float32Array) -> float:
    """Return the column in the middle of the body, of blocks (Z, Y, X), HU."""
    columns = np.flatnonzero((blocks > TISSUE_HU).mean(axis=(0, 1)) > LEAST_SHARE)
    return float(columns.mean()) if len(columns) else blocks.shape[2] / 2


def _body(plane: Float32Array, air: BoolArray, pixel_mm: float) -> BoolArray:
    """Find the largest thing in a slice that is not room, its holes filled."""
    edge = np.zeros_like(air)
    for line in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        edge[line] = plane[line] < OUTSIDE_HU
    _, labels = cv2.connectedComponents(air.astype(np.uint8), connectivity=4)
    room = np.isin(labels, np.unique(labels[edge & air]))
    filled = (~(room & air)).astype(np.uint8)
    size = 2 * max(round(BRIDGE_MM / pixel_mm / 2), 1) + 1
    round_off = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    opened = cv2.morphologyEx(filled, cv2.MORPH_OPEN, round_off)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return np.zeros_like(air)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    whole: BoolArray = parts == largest
    return whole
