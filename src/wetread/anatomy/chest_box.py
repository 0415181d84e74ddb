"""anatomy/chest_box.py: where lungs and heart lie in a chest CT, as one box for all its slices."""

from __future__ import annotations

import numpy as np

from wetread.anatomy.coarse import coarse_grid
from wetread.anatomy.lung_sides import split_lungs
from wetread.anatomy.lungs import Lungs
from wetread.anatomy.thorax import air_inside
from wetread.study.boxes import PixelBox
from wetread.study.slice_sequence import SliceSequence

PADDING = 0.02  # of the box, on each side
USUAL_MM = (2.0, 0.75, 0.75)  # of a chest CT; a box needs no better guess
BETWEEN = 0.5  # of the slices that hold both lungs: the heart's box reaches what lies in these


def find_chest_boxes(hu: SliceSequence) -> tuple[PixelBox, PixelBox]:
    """Find the squares (row0, row1, column0, column1) round both lungs and round the heart.

    hu: (Z, rows, columns), HU, axial slices from the feet up. A box is padded, made square about
    its center, and may reach past the picture (the crop fills with air). Without a lung anywhere
    it is the whole picture; where the heart is not found, its box is the lungs'.
    """
    lungs = _lungs_in(hu)
    return _lung_box(lungs, hu.shape), _heart_box(lungs, hu.shape)


def find_lung_square(hu: SliceSequence) -> PixelBox:
    """Find the square round both lungs, as `find_chest_boxes`."""
    return _lung_box(_lungs_in(hu), hu.shape)


def find_heart_square(hu: SliceSequence) -> PixelBox:
    """Find the square round the heart, as `find_chest_boxes`."""
    return _heart_box(_lungs_in(hu), hu.shape)


def _lungs_in(hu: SliceSequence) -> Lungs:
    """Find both lungs on the coarse grid, without what lies in them."""
    grid = coarse_grid(hu.shape, USUAL_MM)
    blocks = grid.mean(hu)
    right, left = split_lungs(air_inside(blocks, grid.spacing_mm), blocks, grid.spacing_mm)
    nothing = np.zeros((0, 0, 0), bool)
    return Lungs(right, left, nothing, nothing)


def _lung_box(lungs: Lungs, shape: tuple[int, ...]) -> PixelBox:
    _, rows, columns = shape
    lung = np.asarray((lungs.right | lungs.left).any(axis=0))
    if not lung.any():
        return PixelBox(0, rows, 0, columns)
    row = np.flatnonzero(np.any(lung, axis=1))
    column = np.flatnonzero(np.any(lung, axis=0))
    around = PixelBox(int(row[0]), int(row[-1]) + 1, int(column[0]), int(column[-1]) + 1)
    return _square(around, lung.shape, (rows, columns))


def _heart_box(lungs: Lungs, shape: tuple[int, ...]) -> PixelBox:
    try:
        around = find_heart_box(lungs)
    except ValueError:
        return _lung_box(lungs, shape)
    return _square(around, lungs.right.shape[1:], shape[1:])


def _square(around: PixelBox, coarse: tuple[int, ...], shape: tuple[int, ...]) -> PixelBox:
    """Return the padded square about a box on the coarse grid (rows, columns), in pixels of the
    picture (rows, columns), no larger than its longer side."""
    down, across = (fine / few for fine, few in zip(shape, coarse, strict=True))
    row0, row1, column0, column1 = (
        edge * step for edge, step in zip(around, (down, down, across, across), strict=True)
    )
    side = int(np.ceil(max(row1 - row0, column1 - column0) * (1 + 2 * PADDING)))
    side = min(side, max(shape))
    top = round((row0 + row1 - side) / 2)
    first = round((column0 + column1 - side) / 2)
    return PixelBox(top, top + side, first, first + side)


def find_heart_box(lungs: Lungs) -> PixelBox:
    """Find the box of what lies between the lungs (Z, Y, X): heart and great vessels.

    Rows and columns that lie between a right and a left lung, in the lower half of the slices that
    hold both, where the heart is. ValueError where no slice holds both lungs.
    """
    slices = np.flatnonzero(lungs.right.any(axis=(1, 2)) & lungs.left.any(axis=(1, 2)))
    if not len(slices):
        raise ValueError("no slice holds both lungs, so nothing lies between them; take a chest CT")
    lower = slices[: max(round(BETWEEN * len(slices)), 1)]
    right, left = lungs.right[lower], lungs.left[lower]
    columns = np.arange(right.shape[2])
    inner_right = np.where(right, columns, -1).max(axis=2)  # x runs to the left
    inner_left = np.where(left, columns, right.shape[2]).min(axis=2)
    held = right.any(axis=2) & left.any(axis=2)
    width = np.where(held, inner_left - inner_right - 1, 0)
    wide = width > 0.5 * width.max()
    rows = np.flatnonzero(wide.any(axis=0))
    return PixelBox(
        int(rows[0]),
        int(rows[-1]) + 1,
        int(inner_right[wide].min()) + 1,
        int(inner_left[wide].max()),
    )
