"""anatomy/head.py: where the head lies in a CT series, as one box for all its slices."""

from __future__ import annotations

import cv2
import numpy as np

from wetread.archive.types import Float32Array
from wetread.study.boxes import PixelBox
from wetread.study.slice_sequence import SliceSequence

TISSUE_HU = -300.0  # above: skin, brain, bone; below: air, hair, foam of the head rest
PADDING = 0.02  # of the box, on each side
BRIDGE_SHARE = 1 / 64  # of a slice's edge: thinner tissue is cut off, as a head rest is
SMALLEST_SHARE = 0.01  # of a slice: below this the slice holds no head


def find_head_box(hu: SliceSequence) -> PixelBox:
    """Find the square (row0, row1, column0, column1) round the head in all slices of a series.

    hu: (Z, rows, columns), HU. A slice's head is its largest connected part of tissue; the box
    covers the heads of all slices, is padded, made square about its center, and may reach past the
    picture (the crop fills with air). Without a head anywhere it is the whole picture.
    """
    boxes = [box for slice_hu in hu if (box := _largest_part(slice_hu)) is not None]
    rows, columns = hu.shape[1:]
    if not boxes:
        return PixelBox(0, rows, 0, columns)
    found = np.array(boxes)
    row0, column0 = found[:, 0].min(), found[:, 2].min()
    row1, column1 = found[:, 1].max(), found[:, 3].max()
    side = int(np.ceil(max(row1 - row0, column1 - column0) * (1 + 2 * PADDING)))
    side = min(side, max(rows, columns))
    top = round((int(row0) + int(row1) - side) / 2)
    left = round((int(column0) + int(column1) - side) / 2)
    return PixelBox(top, top + side, left, left + side)


def _largest_part(slice_hu: Float32Array) -> PixelBox | None:
    """Find the bounds of the largest connected tissue of one slice, or None where there is next to
    none."""
    tissue = (slice_hu > TISSUE_HU).astype(np.uint8)
    # Thin bridges (ears against the head rest) are cut before parts are counted.
    bridge = max(3, round(BRIDGE_SHARE * min(tissue.shape)))
    tissue = cv2.morphologyEx(tissue, cv2.MORPH_OPEN, np.ones((bridge, bridge), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(tissue, connectivity=4)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, top, width, height, area = (int(value) for value in stats[largest])
    if area < SMALLEST_SHARE * tissue.size:
        return None
    return PixelBox(top, top + height, left, left + width)
