"""anatomy/airway.py: trachea and main bronchi, grown from the trachea with leaks watched."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wetread.anatomy.coarse import Coarse, coarse_grid
from wetread.anatomy.frame import frame_of
from wetread.anatomy.mask import Mask
from wetread.anatomy.thorax import air_inside
from wetread.study.volume import Volume

Bools = NDArray[np.bool_]

LUMEN_HU = -900.0  # above: wall, or most lungs
WALLED = 0.6  # of what lies round a trachea is no air
LEVELS_HU = (-960.0, -930.0, -900.0, -870.0, -840.0)
AREA_MM2 = (35.0, 900.0)  # of a trachea's cross-section
LEAST_MM = 12.0  # a trachea that is seen over less is none
STRAY_MM = 60.0  # from the body's middle
BRONCHI_MM = 55.0  # below the carina that main bronchi reach
LEAK = 1.7  # growth of the volume from one level to the next that is a leak
LARGEST_ML = 130.0
WALL_HU = -700.0


@dataclass(frozen=True, eq=False)
class Tube:
    """A trachea followed down: its coarse voxels, and the coarse slice where it ends."""

    inside: Bools
    carina: int
    area_mm2: float


def segment_airway(volume: Volume) -> list[Mask]:
    """Trachea and main bronchi of a chest CT, as one mask "airway" in the volume's own voxels.

    Empty where no trachea is seen. StackError where the volume has no one affine.
    """
    frame = frame_of(volume)
    hu = frame.turned(volume.hu)
    inside = find_airway(hu, frame.spacing_mm)
    return [Mask("airway", np.ascontiguousarray(frame.returned(inside)), volume.place)]


def find_airway(hu: np.ndarray, spacing_mm: tuple[float, float, float]) -> Bools:
    """(Z, Y, X) bool of hu (Z, Y, X), HU, z to the head, y to the back, x to the left."""
    grid = coarse_grid(hu.shape, spacing_mm)
    blocks = grid.mean(hu)
    return refine_airway(hu, grow_airway(blocks, air_inside(blocks, grid.spacing_mm), grid), grid)


def grow_airway(blocks: np.ndarray, air: Bools, grid: Coarse) -> Bools:
    """Coarse lumen: grown from the trachea level by level in HU until it would leak into a lung."""
    tube = _find_trachea(blocks, air, grid)
    if tube is None:
        return np.zeros(grid.shape, bool)
    low = max(tube.carina - round(BRONCHI_MM / grid.spacing_mm[0]), 0)
    voxel_ml = float(np.prod(grid.spacing_mm)) / 1000
    grown = tube.inside
    around = np.ones((3, 3, 3), bool)
    for level in LEVELS_HU:
        room = (blocks < level) & air
        room[:low] = False
        room |= tube.inside
        labels, _ = ndimage.label(room)
        wanted = np.unique(labels[tube.inside])
        step = np.isin(labels, wanted[wanted > 0])
        before, now = grown.sum() * voxel_ml, step.sum() * voxel_ml
        if now > LARGEST_ML or now > LEAK * before + 8.0:
            break
        grown = step
    rim: Bools = ndimage.binary_dilation(grown, around) & (blocks < WALL_HU) & air
    wide: Bools = grown | (rim & ~_near_lung(blocks, air, grown))
    return wide


def _near_lung(blocks: np.ndarray, air: Bools, grown: Bools) -> Bools:
    """Air that belongs to something larger than the airway's own rim."""
    rest = air & ~ndimage.binary_dilation(grown, np.ones((3, 3, 3), bool))
    near: Bools = ndimage.binary_dilation(rest, np.ones((3, 3, 3), bool))
    return near


def refine_airway(hu: np.ndarray, coarse: Bools, grid: Coarse) -> Bools:
    """The coarse lumen in the fine voxels: what is air there within a voxel of it."""
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


def _find_trachea(blocks: np.ndarray, air: Bools, grid: Coarse) -> Tube | None:
    """The widest chain of round holes near the middle, followed from the head to the carina."""
    dz, dy, dx = grid.spacing_mm
    middle = _middle(blocks)
    chains: list[tuple[float, Bools, int, int]] = []  # summed area, voxels, last slice, slices
    lumen = (blocks < LUMEN_HU) & air
    for z in range(grid.shape[0] - 1, -1, -1):
        holes = _round_holes(lumen[z], ~air[z], (dy, dx), middle)
        used = set()
        for index, (total, inside, last, count) in enumerate(chains):
            if last != z + 1:
                continue
            area = float(inside[last].sum()) * dy * dx
            for number, hole in enumerate(holes):
                size = float(hole.sum()) * dy * dx
                met = (hole & inside[last]).any() and 0.4 < size / area < 2.2
                if number not in used and met:
                    inside[z] = hole
                    chains[index] = (total + size, inside, z, count + 1)
                    used.add(number)
                    break
        for number, hole in enumerate(holes):
            if number not in used:
                inside = np.zeros(grid.shape, bool)
                inside[z] = hole
                chains.append((float(hole.sum()) * dy * dx, inside, z, 1))
    long_enough = [chain for chain in chains if chain[3] * dz >= LEAST_MM]
    if not long_enough:
        return None
    total, inside, last, count = max(long_enough, key=lambda chain: chain[0])
    return Tube(inside, last, total / count)


def _middle(blocks: np.ndarray) -> float:
    """The column in the middle of the body."""
    columns = np.flatnonzero((blocks > -300).mean(axis=(0, 1)) > 0.02)
    return float(columns.mean()) if len(columns) else blocks.shape[2] / 2


def _round_holes(
    lumen: Bools, tissue: Bools, pixel_mm: tuple[float, float], middle: float
) -> list[Bools]:
    """Those parts of a slice's air that a trachea may be."""
    count, labels, stats, centers = cv2.connectedComponentsWithStats(
        lumen.astype(np.uint8), connectivity=4
    )
    found: list[Bools] = []
    for number in range(1, count):
        wide, high = stats[number, cv2.CC_STAT_WIDTH], stats[number, cv2.CC_STAT_HEIGHT]
        cells = stats[number, cv2.CC_STAT_AREA]
        area = cells * pixel_mm[0] * pixel_mm[1]
        across, down = wide * pixel_mm[1], high * pixel_mm[0]
        if not AREA_MM2[0] <= area <= AREA_MM2[1] or cells < 0.5 * wide * high:
            continue
        if max(across, down) > 2.6 * min(across, down):
            continue
        if abs(centers[number, 0] - middle) * pixel_mm[1] > STRAY_MM:
            continue
        hole = labels == number
        ring = cv2.dilate(hole.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        ring &= ~(cv2.dilate(hole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
        if tissue[ring].mean() < WALLED:
            continue
        found.append(hole)
    return found
