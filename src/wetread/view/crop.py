"""view/crop.py: a box of a slice, resized to a square. Who finds the box is not asked here."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from wetread.study.slice_sequence import SliceSequence

AIR_HU = -1024.0


@dataclass(frozen=True)
class Box:
    """Rows row0 <= r < row1 and columns column0 <= c < column1, pixels; may reach outside."""

    row0: int
    row1: int
    column0: int
    column1: int

    def __post_init__(self) -> None:
        if self.row1 <= self.row0 or self.column1 <= self.column0:
            raise ValueError(f"a box needs at least one row and one column, not {self}")

    def square(self) -> "Box":
        """The smallest square that holds this box, about the same middle."""
        rows, columns = self.row1 - self.row0, self.column1 - self.column0
        side = max(rows, columns)
        row0 = self.row0 - (side - rows) // 2
        column0 = self.column0 - (side - columns) // 2
        return Box(row0, row0 + side, column0, column0 + side)


def whole_picture(values: SliceSequence) -> tuple[int, int, int, int]:
    """No crop: every row and column of (Z, rows, columns)."""
    return (0, values.shape[1], 0, values.shape[2])


def crop_and_resize(
    hu: npt.NDArray[np.float32], box: Box | None, size: int, outside: float = AIR_HU
) -> npt.NDArray[np.float32]:
    """HU (H, W) to (size, size) float32: the square about box (None: the slice); what lies outside
    the slice is air.

    Shrinking averages areas, so thin blood is not lost between samples; enlarging is bilinear.
    """
    rows, columns = hu.shape
    square = (box or Box(0, rows, 0, columns)).square()
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
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    source = np.ascontiguousarray(inside, np.float32)
    return np.asarray(cv2.resize(source, (size, size), interpolation=how), np.float32)
