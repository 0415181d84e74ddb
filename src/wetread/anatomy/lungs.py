"""anatomy/lungs.py: right and left lung of a chest CT in 3-D, with what lies in them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from wetread.anatomy.airway import grow_airway, refine_airway
from wetread.anatomy.coarse import BlockGrid, coarse_grid
from wetread.anatomy.frame import patient_frame
from wetread.anatomy.lung_sides import split_lungs
from wetread.anatomy.lung_wall import consolidated_lung
from wetread.anatomy.mask import Mask
from wetread.anatomy.thorax import air_inside
from wetread.archive.types import BoolArray, Float32Array
from wetread.study.volume import Volume


@dataclass(frozen=True)
class LungSettings:
    """How lungs are drawn.

    threshold_hu: below it is lung or air.
    closing_mm:   radius of the ball that closes the lung over vessels, nodules, consolidation.
    """

    threshold_hu: float = -400.0
    closing_mm: float = 12.0


DEFAULT = LungSettings()
RIM = 5  # pixels: a lung's rim, where a coarse mask is not believed, is half as wide


@dataclass(frozen=True, eq=False)
class Lungs:
    """Masks (Z, Y, X) bool; dense: what the outlines of both hold at
    the threshold or above: vessels, nodules, consolidation, walls of airways."""

    right: BoolArray
    left: BoolArray
    dense: BoolArray
    airway: BoolArray


def segment_lungs(volume: Volume, settings: LungSettings = DEFAULT) -> list[Mask]:
    """Segment "lung_right", "lung_left" and "dense_in_lung", (Z, Y, X) each, as the volume.

    Sides are the patient's, by the affine, however the patient lay. A mask is empty where nothing
    was found. StackError (a ValueError) where the volume has no one affine.
    """
    frame = patient_frame(volume)
    found = find_lungs(frame.to_patient(volume.hu), frame.spacing_mm, settings)
    named = (("lung_right", found.right), ("lung_left", found.left), ("dense_in_lung", found.dense))
    return [
        Mask(name, np.ascontiguousarray(frame.from_patient(inside)), volume.place)
        for name, inside in named
    ]


def find_lungs(
    hu: Float32Array, spacing_mm: tuple[float, float, float], settings: LungSettings = DEFAULT
) -> Lungs:
    """Find the lungs of hu (Z, Y, X), HU, z to the head, y to the back, x to the left; also of a
    part."""
    grid = coarse_grid(hu.shape, spacing_mm)
    blocks = grid.mean(hu)
    air = air_inside(blocks, grid.spacing_mm, settings.threshold_hu)
    lumen = grow_airway(blocks, air, grid)
    wall = ndimage.binary_dilation(lumen, np.ones((3, 3, 3), bool))
    sides = split_lungs(air & ~wall, blocks, grid.spacing_mm)
    airway = refine_airway(hu, lumen, grid)
    dense = [
        consolidated_lung(side, blocks, grid.spacing_mm, sign)
        for side, sign in zip(sides, (-1, 1), strict=True)
    ]
    closed = [
        close_ball(air | tissue, grid.spacing_mm, settings.closing_mm)
        for air, tissue in zip(sides, dense, strict=True)
    ]
    closed[0] &= ~sides[1]
    closed[1] &= ~(sides[0] | closed[0])
    right, left = (
        _refine(hu, parts, grid, settings) & ~airway
        for parts in zip(closed, sides, dense, strict=True)
    )
    left &= ~right
    return Lungs(right, left, (right | left) & (hu >= settings.threshold_hu), airway)


def close_ball(
    inside: BoolArray, spacing_mm: tuple[float, float, float], radius_mm: float
) -> BoolArray:
    """Close inside (Z, Y, X) bool with a ball; the mask goes on beyond the first and the last
    slice."""
    if not inside.any() or radius_mm <= 0:
        return inside
    reach = [int(np.ceil(radius_mm / step)) + 1 for step in spacing_mm]
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    grown = tuple(
        slice(max(s.start - r, 0), min(s.stop + r, n))
        for s, r, n in zip(box, reach, inside.shape, strict=True)
    )
    part = np.pad(inside[grown], [(reach[0], reach[0]), (0, 0), (0, 0)], mode="edge")
    part = np.pad(part, [(0, 0), (reach[1], reach[1]), (reach[2], reach[2])])
    wide = ndimage.distance_transform_edt(~part, sampling=spacing_mm) <= radius_mm
    back = ndimage.distance_transform_edt(wide, sampling=spacing_mm) > radius_mm
    closed = inside.copy()
    closed[grown] |= back[
        reach[0] : len(back) - reach[0], reach[1] : -reach[1], reach[2] : -reach[2]
    ]
    return closed


def _refine(
    hu: Float32Array,
    parts: tuple[BoolArray, BoolArray, BoolArray],
    grid: BlockGrid,
    settings: LungSettings,
) -> BoolArray:
    """Refine one lung to the fine voxels: its rim by the threshold, what was closed or is dense as
    it is.

    parts: coarse, the lung when closed, its air, its tissue without air.
    """
    found = np.zeros(hu.shape, bool)
    reach = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (RIM, RIM))
    for number in range(len(hu)):
        closed, thin, dense = (grid.enlarged(part, number) for part in parts)
        if not closed.any():
            continue
        air = (hu[number] < settings.threshold_hu).astype(np.uint8)
        lung = (air & cv2.dilate(thin, reach)) | cv2.erode(closed, reach) | dense
        found[number] = cv2.morphologyEx(lung, cv2.MORPH_CLOSE, reach) > 0
    return found
