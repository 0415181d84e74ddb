"""study/crop.py: a box of a slice, resized to a square, whoever found the box."""

import cv2
import numpy as np

from wetread.archive.types import Float32Array
from wetread.study.boxes import PixelBox
from wetread.study.hu import AIR_HU
from wetread.study.slice_sequence import SliceSequence


def whole_picture(values: SliceSequence) -> PixelBox:
    """Return the box of every row and column of values (Z, rows, columns): no crop."""
    return PixelBox(0, values.shape[1], 0, values.shape[2])


def crop_and_resize(
    hu: Float32Array, box: PixelBox | None, size: int, outside: float = AIR_HU
) -> Float32Array:
    """Cut the square about a box out of HU (H, W) and resize it to (size, size) float32.

    box: None: the whole slice. outside: what is set outside the slice; air.

    Shrinking averages areas, so thin blood is not lost between samples; enlarging is bilinear.
    """
    rows, columns = hu.shape
    square = (box or PixelBox(0, rows, 0, columns)).square()
    side = square.row1 - square.row0
    inside = hu[
        max(square.row0, 0) : max(square.row1, 0), max(square.column0, 0) : max(square.column1, 0)
    ]
    if inside.shape != (side, side):
        padded = np.full((side, side), outside, np.float32)
        row, column = max(-square.row0, 0), max(-square.column0, 0)
        padded[row : row + inside.shape[0], column : column + inside.shape[1]] = inside
        inside = padded
    if side == size:
        return np.array(inside, np.float32)
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    source = np.ascontiguousarray(inside, np.float32)
    return np.asarray(cv2.resize(source, (size, size), interpolation=interpolation), np.float32)
