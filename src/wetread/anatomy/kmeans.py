"""anatomy/kmeans.py: a lung mask by two clusters of gray, slice by slice; for comparison only.

The way of many notebooks. It knows no third dimension, no airway and no sides, and loses what is as
dense as tissue: consolidation, vessels at the hilum.
"""

from __future__ import annotations

import cv2
import numpy as np

from wetread.archive.types import BoolArray, Float32Array, Float64Array, UInt8Array

CENTRAL = (0.2, 0.8)  # of rows and columns, where clusters are sought
ROUNDS = 30  # of the clustering; two clusters of gray converge sooner
ERODE, DILATE, WIDEN = (3, 3), (8, 8), (10, 10)  # pixels
# Of a part that may be lung, in shares of the picture: it is smaller than these across and down,
# and lies between these rows.
SMALLER_THAN, ROWS = 0.9, (0.2, 0.8)
TWO = 2  # clusters: air and tissue


def kmeans_lungs(hu: Float32Array, rng: np.random.Generator) -> BoolArray:
    """Segment both lungs as one mask (Z, Y, X) bool of hu (Z, Y, X), HU, axial slices.

    rng: deals where the clusters of each slice start. A slice that is all of one value is empty.
    """
    found = np.zeros(hu.shape, bool)
    for number, plane in enumerate(hu):
        found[number] = _slice_mask(np.asarray(plane, np.float32), rng)
    return found


def _slice_mask(plane: Float32Array, rng: np.random.Generator) -> BoolArray:
    deviation = float(plane.std())
    if deviation == 0:
        return np.zeros(plane.shape, bool)
    gray = (plane - plane.mean()) / deviation
    rows, columns = (slice(int(n * CENTRAL[0]), max(int(n * CENTRAL[1]), 1)) for n in plane.shape)
    center = gray[rows, columns]
    mean = center.mean()
    low, high = gray.min(), gray.max()
    gray[(gray == low) | (gray == high)] = mean  # what lies beyond the field of view, metal
    centers = two_centers(gray[rows, columns].ravel(), rng)
    air = (gray < centers.mean()).astype(np.uint8)
    air = cv2.erode(air, np.ones(ERODE, np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    air = cv2.dilate(air, np.ones(DILATE, np.uint8))
    kept = _within_boxes(air)
    widened: BoolArray = cv2.dilate(kept, np.ones(WIDEN, np.uint8)) > 0
    return widened


def two_centers(values: Float32Array, rng: np.random.Generator) -> Float64Array:
    """Return the means (2,) of the two clusters of values (N,), by Lloyd's rounds from two of the
    values."""
    centers = np.sort(rng.choice(values, TWO, replace=False).astype(np.float64))
    if centers[0] == centers[1]:
        centers = np.array([values.min(), values.max()], np.float64)
    for _ in range(ROUNDS):
        upper = values > centers.mean()
        if upper.all() or not upper.any():
            break
        moved = np.array([values[~upper].mean(), values[upper].mean()], np.float64)
        if np.array_equal(moved, centers):
            break
        centers = moved
    return centers


def _within_boxes(air: UInt8Array) -> UInt8Array:
    """Keep the parts whose bounds are those of a lung: not the room, not the couch."""
    high, wide = air.shape
    _, parts, stats, _ = cv2.connectedComponentsWithStats(air, connectivity=8)
    top, height = stats[:, cv2.CC_STAT_TOP], stats[:, cv2.CC_STAT_HEIGHT]
    kept = (height < SMALLER_THAN * high) & (stats[:, cv2.CC_STAT_WIDTH] < SMALLER_THAN * wide)
    kept &= (top > ROWS[0] * high) & (top + height < ROWS[1] * high)
    kept[0] = False
    chosen: UInt8Array = kept[parts].astype(np.uint8)
    return chosen
