"""anatomy/bone.py: bone in a CT volume, by threshold with hysteresis, without table or specks."""

import cv2
import numpy as np
from scipy import ndimage

from wetread.anatomy.body import STEP_MM, body_on_grid
from wetread.anatomy.grid import distance_mm, grid_over, require_place, resample_to_slices
from wetread.anatomy.mask import Mask, slabs_mm
from wetread.archive.types import BoolArray
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume

THRESHOLD_HU = 200.0
SURE_HU = 150.0  # above the threshold: bone for sure; what is less is bone where it touches that
SPECK_ML = 0.3  # smaller parts are calcium, contrast in a vessel, noise
DEEP_MM = 6.0  # below the skin: what reaches nowhere so deep is a table, an electrode, an earring


def segment_bone(
    volume: Volume, *, threshold_hu: float = THRESHOLD_HU, closing_mm: float = 0.0
) -> list[Mask]:
    """Segment the mask `bone`, (Z, Y, X) as the volume: what is above threshold_hu and connected to
    what is surely bone.

    closing_mm: radius, in the slice, of the gaps that are closed, marrow and sutures; 0: none, the
    holes stay. RejectError where the values are no HU or the slices have no place.
    """
    if closing_mm < 0:
        raise ValueError(f"closing_mm is {closing_mm}, it must be 0 or more")
    place = require_place(volume)
    grid = grid_over(place, volume.hu.shape[1:], STEP_MM)
    body = body_on_grid(grid, volume.hu)
    depth = distance_mm(~body, STEP_MM)
    inside = np.empty(volume.hu.shape, bool)
    sure = np.empty(volume.hu.shape, bool)
    deep = np.empty(volume.hu.shape, bool)
    for k, (picture, mm) in enumerate(zip(volume.hu, resample_to_slices(grid, depth), strict=True)):
        inside[k] = (picture > threshold_hu) & (mm > 0)
        sure[k] = picture > threshold_hu + SURE_HU
        deep[k] = mm > DEEP_MM
    inside = _connected_parts(inside, (sure, deep), place)
    if closing_mm > 0:
        inside = np.stack([_close(picture, closing_mm, place.spacing_mm) for picture in inside])
    return [Mask("bone", inside, place)]


def _connected_parts(
    inside: BoolArray, needed: tuple[BoolArray, ...], place: SlicePlacement
) -> BoolArray:
    """Return the connected parts (faces touch) that are no specks and hold a voxel of each needed
    mask."""
    labels, count = ndimage.label(inside)
    slabs = slabs_mm(place) * place.spacing_mm[0] * place.spacing_mm[1] / 1000
    ml = np.zeros(count + 1)
    holds = np.zeros((len(needed), count + 1), bool)
    for k, numbers in enumerate(labels):
        ml += np.bincount(numbers.ravel(), minlength=count + 1) * slabs[k]
        for row, mask in zip(holds, needed, strict=True):
            row[numbers[mask[k]]] = True
    kept = (ml >= SPECK_ML) & holds.all(axis=0)
    kept[0] = False
    return np.asarray(kept[labels])


def _close(picture: BoolArray, radius_mm: float, spacing_mm: tuple[float, float]) -> BoolArray:
    """Close a picture (Y, X) bool by a disc."""
    reach = [int(np.ceil(radius_mm / spacing)) for spacing in spacing_mm]
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach[1] + 1, 2 * reach[0] + 1))
    framed = np.pad(picture.astype(np.uint8), [(reach[0], reach[0]), (reach[1], reach[1])])
    closed = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disc) > 0
    height, width = picture.shape
    return np.asarray(closed[reach[0] : reach[0] + height, reach[1] : reach[1] + width])
