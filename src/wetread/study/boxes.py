"""study/boxes.py: the two boxes of the package: of pixels in a slice, of voxels in a volume."""

from __future__ import annotations

from typing import NamedTuple


class PixelBox(NamedTuple):
    """Rows row0 <= r < row1 and columns column0 <= c < column1 of a slice, pixels.

    A box may reach outside the slice.
    """

    row0: int
    row1: int
    column0: int
    column1: int

    def __str__(self) -> str:
        """Return the plain numbers, as messages and the keys of exported parts have them."""
        return str(tuple(self))

    def square(self) -> PixelBox:
        """Return the smallest square that holds this box, about the same center.

        Raises ValueError where the box holds no row or no column.
        """
        rows, columns = self.row1 - self.row0, self.column1 - self.column0
        if rows <= 0 or columns <= 0:
            raise ValueError(f"a box needs at least one row and one column, not {self}")
        side = max(rows, columns)
        row0 = self.row0 - (side - rows) // 2
        column0 = self.column0 - (side - columns) // 2
        return PixelBox(row0, row0 + side, column0, column0 + side)


class VoxelBox(NamedTuple):
    """Slices, rows and columns of a volume, voxels, ends excluded; all 0 where it is empty."""

    slice0: int
    slice1: int
    row0: int
    row1: int
    column0: int
    column1: int
