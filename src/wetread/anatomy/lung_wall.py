"""anatomy/lung_wall.py: lung without air at the back of a chest, found between lung and ribs.

A threshold ends where consolidation begins. Behind a lung's last air the next bone is the rib cage,
and the lung ends a little before it: what lies between, if it is neither fat nor water, is lung.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from wetread.archive.types import BoolArray, Float32Array, Float64Array, Int64Array

BONE_HU = 160.0  # of blocks of 2 mm
BONE_ML = 0.3  # smaller dense things are calcified nodes or filled vessels
# Of the rays, degrees: 0 to the side, 90 to the back, more: inwards, where on the left the aorta is
FIRST, LAST_RIGHT, LAST_LEFT, STEP = -10.0, 120.0, 100.0, 2.0
REACH_MM = 150.0
RAY_MM = 1.0
TOUCH_MM, SNUG = 7.0, 25  # from lung to rib where nothing lies between; and the percentile of those
LEAST_MM = 4.0  # thinner layers are pleura and muscle
TISSUE_HU = (20.0, 150.0)  # below: water
AIRLESS_HU = -10.0  # blocks below it hold fat or a little air
WINDOW = (44.0, 6.0)  # mm along z and degrees, over which the ribs' inner face is sought
INNER = 20  # percentile of these: rays between two ribs go on to a shoulder blade
SLANT_MM = 12.0  # that the cage may widen over half a window; a ray that goes further missed it
SMOOTH = (8.0, 6.0)  # standard deviation of the wall's smoothing: mm along z, degrees


def consolidated_lung(
    side: BoolArray, blocks: Float32Array, spacing_mm: tuple[float, float, float], sign: int
) -> BoolArray:
    """Find the tissue (Z, Y, X) between a lung's air and the ribs behind it and at its side.

    side: air of one lung; blocks: HU; sign: -1 where the lung lies to the patient's right (x runs
    to the left), 1 to the left. Empty where the ribs are not found.
    """
    none = np.zeros(side.shape, bool)
    holding = np.flatnonzero(side.any(axis=(1, 2)))
    if not len(holding):
        return none
    centers = _centers(side, holding, spacing_mm[0])
    angles = np.radians(np.arange(FIRST, LAST_RIGHT if sign < 0 else LAST_LEFT, STEP))
    rows, columns = _rays(centers, angles, spacing_mm, sign)
    air = _sample_rays(side, holding, rows, columns)
    bone = _sample_rays(_bones(blocks, spacing_mm), holding, rows, columns)
    step = np.arange(air.shape[2])
    last = np.where(air.any(axis=2), (air * step).max(axis=2), -1)
    beyond = bone & (step > last[..., None] - 3)
    first = np.where(beyond.any(axis=2) & (last >= 0), beyond.argmax(axis=2), -1)
    wall = _smooth_wall(first, last, spacing_mm[0])
    wall[(last < 0) | (wall - last <= LEAST_MM / RAY_MM)] = -1.0
    found = none
    for number, z in enumerate(holding):
        ends = (last[number] * RAY_MM, wall[number] * RAY_MM)
        found[z] = _pixels_between(centers[number], ends, side.shape[1:], spacing_mm, sign)
    return _keep_tissue(found, blocks, spacing_mm)


def _pixels_between(
    center: Float64Array,
    ends: tuple[Float64Array, Float64Array],
    shape: tuple[int, ...],
    spacing_mm: tuple[float, float, float],
    sign: int,
) -> BoolArray:
    """Find the pixels (Y, X) between the two ends, mm from the center, of the ray they lie on."""
    down = ((np.arange(shape[0]) - center[0]) * spacing_mm[1])[:, None]
    out = (sign * (np.arange(shape[1]) - center[1]) * spacing_mm[2])[None]
    away = np.hypot(down, out)
    ray = np.rint((np.degrees(np.arctan2(down, out)) - FIRST) / STEP).astype(np.int64)
    covered = (ray >= 0) & (ray < len(ends[0]))
    np.clip(ray, 0, len(ends[0]) - 1, out=ray)
    found: BoolArray = covered & (away > ends[0][ray]) & (away <= ends[1][ray])
    return found


def _centers(side: BoolArray, holding: Int64Array, step_mm: float) -> Float64Array:
    """Return row and column (N, 2) of the middle of the air in each slice that holds any,
    smoothed."""
    raw = np.array([ndimage.center_of_mass(side[z]) for z in holding])
    smooth: Float64Array = ndimage.gaussian_filter1d(raw, 10.0 / step_mm, axis=0, mode="nearest")
    return smooth


def _rays(
    centers: Float64Array, angles: Float64Array, spacing_mm: tuple[float, float, float], sign: int
) -> tuple[Int64Array, Int64Array]:
    """Return rows and columns (N, angles, steps) along rays from each center; angles in radians."""
    along = np.arange(0, REACH_MM, RAY_MM)
    down = np.sin(angles)[:, None] * along / spacing_mm[1]
    out = sign * np.cos(angles)[:, None] * along / spacing_mm[2]
    rows = np.rint(centers[:, 0, None, None] + down).astype(np.int64)
    columns = np.rint(centers[:, 1, None, None] + out).astype(np.int64)
    return rows, columns


def _sample_rays(
    mask: BoolArray, holding: Int64Array, rows: Int64Array, columns: Int64Array
) -> BoolArray:
    """Sample the mask on the rays; nothing beyond the picture."""
    inside = (rows >= 0) & (rows < mask.shape[1]) & (columns >= 0) & (columns < mask.shape[2])
    np.clip(rows, 0, mask.shape[1] - 1, out=rows)
    np.clip(columns, 0, mask.shape[2] - 1, out=columns)
    found: BoolArray = mask[holding[:, None, None], rows, columns] & inside
    return found


def _bones(blocks: Float32Array, spacing_mm: tuple[float, float, float]) -> BoolArray:
    dense = blocks > BONE_HU
    labels, _ = ndimage.label(dense, np.ones((3, 3, 3), bool))
    sizes = np.bincount(labels.ravel()) * float(np.prod(spacing_mm)) / 1000
    sizes[0] = 0
    found: BoolArray = (sizes >= BONE_ML)[labels]
    return found


def _smooth_wall(first: Int64Array, last: Int64Array, step_mm: float) -> Float64Array:
    """Return the steps (N, angles) to the inner face of the rib cage, also between ribs; -1 where
    unknown.

    Where lung touches the cage it says how far before the bone the face lies.
    """
    touching = (first >= 0) & ((first - last) * RAY_MM <= TOUCH_MM)
    before = float(np.percentile((first - last)[touching], SNUG)) if touching.any() else 2.0
    face = (first - before).astype(np.float32)
    face[first < 0] = REACH_MM
    size = (2 * round(WINDOW[0] / step_mm / 2) + 1, 2 * round(WINDOW[1] / STEP / 2) + 1)
    inner = ndimage.percentile_filter(face, INNER, size=size, mode="nearest")
    near = np.where(face * RAY_MM <= inner * RAY_MM + SLANT_MM, face, inner)
    widths = (SMOOTH[0] / step_mm, SMOOTH[1] / STEP)
    smooth: Float64Array = ndimage.gaussian_filter(near, widths, mode="nearest")
    return np.where(inner < REACH_MM, smooth, -1.0)


def _keep_tissue(
    found: BoolArray, blocks: Float32Array, spacing_mm: tuple[float, float, float]
) -> BoolArray:
    """Keep of found what is neither fat, water nor bone, in pieces and not in films."""
    if not found.any():
        return found
    # the mean of the tissue round a block: air in bronchi does not make water of what surrounds it
    soft = (blocks > AIRLESS_HU).astype(np.float32)
    share = np.maximum(ndimage.uniform_filter(soft, 5), 1e-3)
    mean = ndimage.uniform_filter(np.minimum(blocks, 300) * soft, 5) / share
    tissue = found & (blocks > AIRLESS_HU) & (mean > TISSUE_HU[0]) & (mean < TISSUE_HU[1])
    radius = LEAST_MM / 2
    deep: BoolArray = ndimage.distance_transform_edt(tissue, sampling=spacing_mm) > radius
    if not deep.any():
        return deep
    near = ndimage.distance_transform_edt(~deep, sampling=spacing_mm) <= radius
    kept: BoolArray = tissue & near
    return kept
