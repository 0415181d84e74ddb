"""anatomy/airway.py: trachea and main bronchi, grown from the trachea with leaks watched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from wetread.anatomy.coarse import BlockGrid, coarse_grid
from wetread.anatomy.frame import patient_frame
from wetread.anatomy.mask import Mask
from wetread.anatomy.thorax import air_inside, middle_column
from wetread.archive.types import BoolArray, Float32Array
from wetread.study.volume import Volume

LUMEN_HU = -900.0  # above: wall, or most lungs
WALLED = 0.6  # of what lies round a trachea is no air
LEVELS_HU = (-960.0, -930.0, -900.0, -870.0, -840.0)
AREA_MM2 = (35.0, 900.0)  # of a trachea's cross-section
ALIKE = 2.3  # times as large, at most, as in the next slice
ROUND = 2.6  # times as long as wide, at most
FULL = 0.5  # of the box round it, at least
LEAST_MM = 12.0  # a trachea that shows over less is none
STRAY_MM = 60.0  # from the body's middle
BRONCHI_MM = 55.0  # below the carina that main bronchi reach
LEAK = 1.7  # growth of the volume from one level to the next that is a leak
SLACK_ML = 8.0  # and this much more: a short trachea gains its bronchi at one level
LARGEST_ML = 130.0
WALL_HU = -700.0  # half way from lumen to wall, for what a voxel at the edge holds of both
SQUARE = np.ones((3, 3), np.uint8)
AROUND = np.ones((3, 3, 3), bool)


@dataclass(eq=False)
class _Chain:
    """Holes (Y, X) that lie over one another: the first in the highest slice, `top`."""

    top: int
    holes: list[BoolArray]

    @property
    def last(self) -> int:
        return self.top - len(self.holes) + 1

    @property
    def cells(self) -> int:
        return sum(int(np.count_nonzero(hole)) for hole in self.holes)


def segment_airway(volume: Volume) -> list[Mask]:
    """Segment trachea and main bronchi of a chest CT: one mask "airway", (Z, Y, X) as the volume.

    Empty where no trachea is found. StackError where the volume has no one affine.
    """
    frame = patient_frame(volume)
    hu = frame.to_patient(volume.hu)
    inside = find_airway(hu, frame.spacing_mm)
    return [Mask("airway", np.ascontiguousarray(frame.from_patient(inside)), volume.place)]


def find_airway(hu: Float32Array, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """Find the airway: (Z, Y, X) bool of hu (Z, Y, X), HU, z to the head, y to the back, x to the
    left."""
    grid = coarse_grid(hu.shape, spacing_mm)
    blocks = grid.mean(hu)
    return refine_airway(hu, grow_airway(blocks, air_inside(blocks, grid.spacing_mm), grid), grid)


def grow_airway(blocks: Float32Array, air: BoolArray, grid: BlockGrid) -> BoolArray:
    """Grow the lumen (Z, Y, X) bool of blocks (Z, Y, X), HU, from the trachea, level by level in
    HU.

    air: (Z, Y, X) bool within the body. Ends before the lumen would leak into a lung.
    """
    tube = _find_trachea(blocks, air, grid)
    if not tube.any():
        return tube
    carina = int(np.flatnonzero(tube.any(axis=(1, 2)))[0])
    low = max(carina - round(BRONCHI_MM / grid.spacing_mm[0]), 0)
    voxel_ml = float(np.prod(grid.spacing_mm)) / 1000
    grown = tube
    for level in LEVELS_HU:
        room = (blocks < level) & air
        room[:low] = False
        room |= tube
        labels, _ = ndimage.label(room)
        wanted = np.unique(labels[tube])
        step = np.isin(labels, wanted[wanted > 0])
        before, now = grown.sum() * voxel_ml, step.sum() * voxel_ml
        if now > LARGEST_ML or now > LEAK * before + SLACK_ML:
            break
        grown = step
    rim = ndimage.binary_dilation(grown, AROUND)
    lung = ndimage.binary_dilation(air & ~rim, AROUND)  # and what touches it
    wide: BoolArray = grown | (rim & air & (blocks < WALL_HU) & ~lung)
    return wide


def refine_airway(hu: Float32Array, coarse: BoolArray, grid: BlockGrid) -> BoolArray:
    """Refine a coarse lumen (Z, Y, X) bool to the voxels of hu (Z, Y, X): air within a voxel of
    it."""
    found = np.zeros(hu.shape, bool)
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    for number in range(len(hu)):
        inside = grid.enlarged(coarse, number)
        if not inside.any():
            continue
        near = cv2.dilate(inside, reach, iterations=2)
        lumen = (hu[number] < WALL_HU).astype(np.uint8)
        found[number] = (inside | near) & lumen > 0
    return found


def _find_trachea(blocks: Float32Array, air: BoolArray, grid: BlockGrid) -> BoolArray:
    """Find the largest chain of round holes near the middle, from the head down to the carina."""
    dz, dy, dx = grid.spacing_mm
    middle = middle_column(blocks)
    lumen = (blocks < LUMEN_HU) & air
    chains: list[_Chain] = []
    for z in range(grid.shape[0] - 1, -1, -1):
        holes = _round_holes(lumen[z], ~air[z], (dy, dx), middle)
        going_on = [chain for chain in chains if chain.last == z + 1]
        for hole in holes:
            above = next((chain for chain in going_on if _continues(chain.holes[-1], hole)), None)
            if above is None:
                chains.append(_Chain(z, [hole]))
            else:
                above.holes.append(hole)
                going_on.remove(above)
    found = np.zeros(grid.shape, bool)
    long_enough = [chain for chain in chains if len(chain.holes) * dz >= LEAST_MM]
    if long_enough:
        best = max(long_enough, key=lambda chain: chain.cells)
        found[best.last : best.top + 1] = best.holes[::-1]
    return found


def _continues(above: BoolArray, hole: BoolArray) -> bool:
    """Whether a hole goes on from the slice above: it overlaps and is about as large."""
    ratio = np.count_nonzero(hole) / np.count_nonzero(above)
    return bool((hole & above).any() and 1 / ALIKE < ratio < ALIKE)


def _round_holes(
    lumen: BoolArray, tissue: BoolArray, pixel_mm: tuple[float, float], middle: float
) -> list[BoolArray]:
    """Find the parts of a slice's air that a trachea may be."""
    count, labels, stats, centers = cv2.connectedComponentsWithStats(
        lumen.astype(np.uint8), connectivity=4
    )
    found: list[BoolArray] = []
    for number in range(1, count):
        wide, high = stats[number, cv2.CC_STAT_WIDTH], stats[number, cv2.CC_STAT_HEIGHT]
        cells = stats[number, cv2.CC_STAT_AREA]
        area = cells * pixel_mm[0] * pixel_mm[1]
        across, down = wide * pixel_mm[1], high * pixel_mm[0]
        if not AREA_MM2[0] <= area <= AREA_MM2[1] or cells < FULL * wide * high:
            continue
        if max(across, down) > ROUND * min(across, down):
            continue
        if abs(centers[number, 0] - middle) * pixel_mm[1] > STRAY_MM:
            continue
        hole = labels == number
        near = cv2.dilate(hole.astype(np.uint8), SQUARE)
        ring = cv2.dilate(near, SQUARE, iterations=2) > near
        if tissue[ring].mean() >= WALLED:
            found.append(hole)
    return found
