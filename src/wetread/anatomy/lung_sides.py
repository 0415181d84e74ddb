"""anatomy/lung_sides.py: air in a chest becomes a right and a left lung, also where they touch."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wetread.anatomy.thorax import middle_column
from wetread.archive.types import BoolArray, Float32Array

GAS_HU = -955.0  # median below: gas in a bowel or next to an arm, not a lung
LEAST_ML = 2.0
CRUMB = 0.05  # of its side's largest part: less is no part of a lung
BOTH = 0.2  # of a part on either side of the middle: it is two lungs in one
EROSIONS_MM = (2.5, 5.0, 8.0, 12.0, 16.0)  # tried in turn to part what touches


def split_lungs(
    air: BoolArray, blocks: Float32Array, spacing_mm: tuple[float, float, float]
) -> tuple[BoolArray, BoolArray]:
    """Split air (Z, Y, X) without airways into (right, left), (Z, Y, X) bool each.

    blocks: (Z, Y, X), its HU; x to the patient's left.

    Gas that is no lung is left out; a side without a lung is empty.
    """
    labels, count = ndimage.label(air)
    right, left = np.zeros(air.shape, bool), np.zeros(air.shape, bool)
    if not count:
        return right, left
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    sizes = np.bincount(labels[air], minlength=count + 1) * voxel_ml
    middle = middle_column(blocks)
    boxes = ndimage.find_objects(labels)
    for number in np.flatnonzero(sizes >= LEAST_ML):
        box = boxes[number - 1]
        part = labels[box] == number
        if float(np.median(blocks[box][part])) < GAS_HU:
            continue
        on_right, on_left = _split_part(part, middle - box[2].start, spacing_mm)
        right[box] |= on_right
        left[box] |= on_left
    return _main_parts(right, voxel_ml), _main_parts(left, voxel_ml)


def _split_part(
    part: BoolArray, middle: float, spacing_mm: tuple[float, float, float]
) -> tuple[BoolArray, BoolArray]:
    """Split one connected part by sides; where it reaches far into both, cut where it is
    thinnest."""
    none = np.zeros(part.shape, bool)
    columns = np.arange(part.shape[2])
    across = part.sum(axis=(0, 1))
    share = float(across[columns < middle].sum() / across.sum())
    if min(share, 1 - share) < BOTH:
        return (part, none) if share > 0.5 else (none, part)
    deep = ndimage.distance_transform_edt(np.pad(part, 1, mode="edge"), sampling=spacing_mm)
    deep = deep[1:-1, 1:-1, 1:-1]
    for erosion in EROSIONS_MM:
        labels, count = ndimage.label(deep > erosion)
        if count < 2:
            continue
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        first, second = (int(n) for n in np.argsort(sizes)[::-1][:2])
        if sizes[second] < BOTH * sizes[first]:
            continue
        ends = [float(np.nonzero(labels == n)[2].mean()) for n in (first, second)]
        if abs(ends[0] - ends[1]) * spacing_mm[2] < 50:
            continue
        seeds = np.where(labels == first, 1, np.where(labels == second, 2, 0))
        near = ndimage.distance_transform_edt(
            seeds == 0, sampling=spacing_mm, return_distances=False, return_indices=True
        )
        owner = seeds[tuple(near)]
        on_right = 1 if ends[0] < ends[1] else 2
        return part & (owner == on_right), part & (owner == 3 - on_right)
    before = np.broadcast_to(columns < middle, part.shape)
    return part & before, part & ~before


def _main_parts(side: BoolArray, voxel_ml: float) -> BoolArray:
    """Return a side's largest part and those that are not tiny in comparison."""
    labels, count = ndimage.label(side)
    if count < 2:
        return side
    sizes = np.bincount(labels[side])
    kept: BoolArray = (sizes >= max(CRUMB * sizes.max(), LEAST_ML / voxel_ml))[labels]
    return kept
