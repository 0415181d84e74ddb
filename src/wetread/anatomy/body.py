"""anatomy/body.py: the body in a CT volume, without table, head rest, cushions and cables."""

import cv2
import numpy as np
from scipy import ndimage

from wetread.anatomy.grid import (
    CubeGrid,
    ball_opening,
    distance_mm,
    grid_over,
    require_place,
    resample_to_grid,
    resample_to_slices,
)
from wetread.anatomy.mask import Mask
from wetread.archive.types import BoolArray, Float32Array
from wetread.study.volume import Volume

TISSUE_HU = -300.0  # above: skin, fat, bone; below: air, hair, foam
STEP_MM = 2.0
THINNEST_MM = 12.0  # a sheet or a rod thinner than this is no body: tables, cables
RIM_MM = 8.0  # what the thickest ball misses of ears, nose and fingers
LEAF_MM = 3.0  # what is thinner in a slice: sheets, leads, hair
ISLAND_MM2 = 250.0  # smaller parts of a slice are leads and buttons, and the rim of an ear
PART_SHARE = 0.1  # of the largest part: an arm next to the chest is body too


def segment_body(volume: Volume) -> list[Mask]:
    """Segment the mask `body`, (Z, Y, X) as the volume: skin and all within, lungs and airways too;
    air open to the outside is not.

    RejectError where the values are no HU or the slices have no place.
    """
    place = require_place(volume)
    grid = grid_over(place, volume.hu.shape[1:], STEP_MM)
    coarse = body_on_grid(grid, volume.hu)
    near = distance_mm(coarse, STEP_MM) <= STEP_MM
    inside = np.empty(volume.hu.shape, bool)
    for k, allowed in enumerate(resample_to_slices(grid, near.astype(np.float32))):
        solid = filled((volume.hu[k] > TISSUE_HU) & (allowed > 0.5))
        inside[k] = _without_leaves(solid, place.spacing_mm)
    return [Mask("body", inside, place)]


def body_on_grid(grid: CubeGrid, hu: Float32Array) -> BoolArray:
    """Find the body on the grid of slices hu (Z, Y, X): (layers, rows, columns) bool, holes
    filled."""
    tissue = resample_to_grid(grid, hu, lambda picture: picture > TISSUE_HU) > 0.5
    # Walls of hollow things are thin as well: filled first, else a chest were no more than a shell.
    solid = np.stack([filled(layer) for layer in tissue])
    thick = ball_opening(solid, THINNEST_MM / 2, grid.step_mm)
    labels, count = ndimage.label(thick)
    if count == 0:
        return thick
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = (sizes >= PART_SHARE * sizes.max())[labels]
    return solid & (distance_mm(kept, grid.step_mm) <= RIM_MM)


def filled(picture: BoolArray) -> BoolArray:
    """Fill the holes of a picture (Y, X) bool: all that the outside cannot reach."""
    framed = np.pad(picture.astype(np.uint8), 1)
    cv2.floodFill(framed, None, (0, 0), 2)
    return np.asarray(framed[1:-1, 1:-1] != 2)


def _without_leaves(picture: BoolArray, spacing_mm: tuple[float, float]) -> BoolArray:
    """Remove from a picture (Y, X) bool what is thinner than LEAF_MM, and islands."""
    reach = [round(LEAF_MM / 2 / spacing) for spacing in spacing_mm]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach[1] + 1, 2 * reach[0] + 1))
    thick = cv2.morphologyEx(picture.astype(np.uint8), cv2.MORPH_OPEN, disc)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(thick, connectivity=4)
    kept = stats[:, cv2.CC_STAT_AREA] * spacing_mm[0] * spacing_mm[1] >= ISLAND_MM2
    kept[0] = False
    return np.asarray(kept[labels])
