"""anatomy/brain.py: the brain in a head CT: all that the skull encloses.

`brain` is the intracranial space down to the foramen magnum: parenchyma, fluid, blood, folds and
sinuses of the dura, and what lies in them, calcium and catheters. It is found in 3-D on cubes of
2 mm, each slice at its own place, and its edge is then drawn on the slices' own pixels.
"""

from collections.abc import Callable
from itertools import repeat

import cv2
import numpy as np
from scipy import ndimage

from wetread.anatomy.body import body_on_grid
from wetread.anatomy.grid import (
    FAR_MM,
    ball_closing,
    ball_opening,
    distance_mm,
    grid_over,
    largest_component,
    require_place,
    resample_to_grid,
    resample_to_slices,
    signed_distance_mm,
)
from wetread.anatomy.mask import Mask
from wetread.archive.rejects import RejectError
from wetread.archive.types import BoolArray, Float32Array, UInt8Array
from wetread.study.geometry import unit_axes
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume

AxisTurn = Callable[[BoolArray], BoolArray]

STEP_MM = 2.0
SOFT_HU = (-30.0, 150.0)  # brain, fluid, fresh blood; not fat, not air, not bone
EDGE_HU = 400.0  # towards half way from brain to the inner table, which a thick slice dims
NEAR_MM, WITHIN_MM = 1.5, 2.5  # about the surface on cubes: as far out, and in, its pixels decide
WALL_SHARE = 0.35  # of a cube that is not soft: a wall, also where thin bone is blurred
BONE_SHARE = 0.3  # of a cube above what is soft
FORAMEN_MM = 6.0  # radius of the ball that no foramen but the great one lets through
REACH_MM = 3.0  # beyond what the ball sweeps: corners between bones
DENT_MM = 6.0  # radius: narrower dents are closed again where they are soft
SHEET_MM = 4.0  # radius: what is thinner, and sticks out, lies in air cells and between bones
HOLE_MM2 = 300.0  # calcium and catheters leave holes in a slice; orbits larger ones
ISLAND_MM2 = 60.0  # of a slice: smaller is no brain, but marrow and cells of the base
MAGNUM_MM2 = 900.0  # a section below the brain that is smaller is the spine's
NECK_MM = 20.0  # above that section, where muscle lies open behind the foramen
SCALP_MM = (3.0, 12.0)  # how thin and how thick a scalp may be
WALLED_SHARE = 0.5  # of the surface: less bone than that is no skull


def segment_brain(volume: Volume) -> list[Mask]:
    """Segment the mask `brain`, (Z, Y, X) as the volume. RejectError where the values are no HU,
    the slices have no place, or nothing in the volume lies in a skull."""
    place = require_place(volume)
    grid = grid_over(place, volume.hu.shape[1:], STEP_MM)
    low, high = SOFT_HU
    soft = resample_to_grid(grid, volume.hu, lambda hu: (hu > low) & (hu < high)) > 1 - WALL_SHARE
    bone = resample_to_grid(grid, volume.hu, lambda hu: hu > high) > BONE_SHARE
    head = body_on_grid(grid, volume.hu)
    turn, back = _upright(place)
    cut = _bounding_slices(head)
    level = np.full(grid.shape, -FAR_MM, np.float32)
    found = back(find_space(turn(soft[cut]), turn(bone[cut]), turn(head[cut]), grid.step_mm))
    level[cut] = signed_distance_mm(found, grid.step_mm)
    pixel_mm2 = place.spacing_mm[0] * place.spacing_mm[1]
    edged = map(_draw_edge, volume.hu, resample_to_slices(grid, level), repeat(pixel_mm2))
    return [Mask("brain", np.stack(list(edged)), place)]


def _bounding_slices(head: BoolArray) -> tuple[slice, slice, slice]:
    """Find the box of the head with the air next to it."""
    found = ndimage.find_objects(head.astype(np.uint8))
    if not found:
        raise RejectError("wrong_anatomy", "no brain: there is no body in the volume")
    low, middle, high = (slice(max(one.start - 1, 0), one.stop + 1) for one in found[0])
    return low, middle, high


def find_space(soft: BoolArray, bone: BoolArray, head: BoolArray, step_mm: float) -> BoolArray:
    """Find the space within the skull: (up, *, *) bool, cubes of step_mm.

    soft, bone, head: (up, *, *) bool on the same cubes.

    The soft tissue that a ball can sweep without passing a foramen; of the parts of it, the one
    that bone surrounds. RejectError where there is none.
    """
    bone = bone & head  # a head rest is as bright
    soft = soft & ~_scalp(bone, head, step_mm)
    around = _sides_with_bone(bone)
    core = _most_enclosed(distance_mm(~soft, step_mm) > FORAMEN_MM, around == 4)
    space = soft & (distance_mm(core, step_mm) <= FORAMEN_MM + REACH_MM)
    space = _without_spine(space, around == 4, step_mm)
    space |= soft & ball_closing(space, DENT_MM, step_mm)
    broad = largest_component(ball_opening(space, SHEET_MM, step_mm))
    space &= distance_mm(broad, step_mm) <= SHEET_MM
    for layer in range(int(space.sum(axis=(1, 2)).argmax()), len(space)):
        space[layer] |= _hull(space[layer]) & ~bone[layer]  # air, dark streaks: no sinus up there
    space = np.asarray(ndimage.binary_fill_holes(space))
    surface = ~space & (distance_mm(space, step_mm) <= step_mm)
    walled = surface & (distance_mm(bone, step_mm) <= 2 * step_mm)
    if not space.any() or walled.sum() < WALLED_SHARE * surface.sum():
        raise RejectError("wrong_anatomy", "no brain: nothing in the volume lies within a skull")
    return space


def _scalp(bone: BoolArray, head: BoolArray, step_mm: float) -> BoolArray:
    """Return the shell under the skin as thick as the scalp over bone: it goes on where bone is
    missing, so that brain ends there too."""
    depth = distance_mm(~head, step_mm)
    upper = bone & (np.arange(len(bone)) > len(bone) // 2)[:, None, None]
    if not upper.any():
        return np.zeros_like(bone)
    thickness = np.clip(np.percentile(depth[upper], 40), *SCALP_MM)
    return np.asarray(depth <= thickness)


def _sides_with_bone(bone: BoolArray) -> UInt8Array:
    """Count, (up, *, *) uint8, the level sides of each cube that have bone, near or far: 0 to 4."""
    sides = np.zeros(bone.shape, np.uint8)
    for axis in (1, 2):
        sides += np.maximum.accumulate(bone, axis=axis)
        sides += np.flip(np.maximum.accumulate(np.flip(bone, axis), axis=axis), axis)
    return sides


def _most_enclosed(parts: BoolArray, enclosed: BoolArray) -> BoolArray:
    """Return the connected part with the most enclosed cubes."""
    labels, count = ndimage.label(parts)
    sizes = np.bincount(labels[enclosed & parts], minlength=count + 1)
    if not sizes.any():
        return np.zeros_like(parts)
    return np.asarray(labels == sizes.argmax())


def _without_spine(space: BoolArray, enclosed: BoolArray, step_mm: float) -> BoolArray:
    """Remove what lies below the foramen magnum, and what lies open just above it."""
    # Rays slip through gaps in bone: what lies between enclosed cubes is enclosed too.
    enclosed = np.stack([_hull(layer) for layer in space & enclosed])
    areas = (space & enclosed).sum(axis=(1, 2)) * step_mm**2
    small = np.flatnonzero(areas[: areas.argmax()] < MAGNUM_MM2)
    if not len(small):
        return space
    magnum = int(small[-1]) + 1
    neck = magnum + round(NECK_MM / step_mm)
    kept = space.copy()
    kept[:magnum] = False
    kept[magnum:neck] &= enclosed[magnum:neck]
    return kept


def _hull(layer: BoolArray) -> BoolArray:
    """Return the convex hull (Y, X) bool of one layer."""
    hull = np.zeros(layer.shape, np.uint8)
    points = cv2.findNonZero(layer.astype(np.uint8))
    if points is not None:
        cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull > 0


def _draw_edge(hu: Float32Array, mm: Float32Array, pixel_mm2: float) -> BoolArray:
    """Draw the brain (Y, X) bool in a slice of hu; mm: to the surface on cubes, positive within.

    What is well within is brain whatever its HU; near the surface they decide. Small holes are
    filled, small islands go.
    """
    near = (mm > -NEAR_MM) & (hu < EDGE_HU) & (hu > SOFT_HU[0])
    inside = ((mm > WITHIN_MM) | near).astype(np.uint8)
    inside = cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, parts, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
    large = stats[:, cv2.CC_STAT_AREA] * pixel_mm2 >= ISLAND_MM2
    large[0] = False
    outside = np.uint8(~large[parts])
    _, holes, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] * pixel_mm2 < HOLE_MM2
    return np.asarray((outside == 0) | small[holes])


def _upright(place: SlicePlacement) -> tuple[AxisTurn, AxisTurn]:
    """Return two turns: from a grid's axes to (up, *, *), and back."""
    row, column, normal = unit_axes(place.orientation)
    onward = normal * np.sign(place.positions_mm[-1] - place.positions_mm[0])
    up = np.array([axis[2] for axis in (onward, column, row)])  # of LPS, the third is up
    axis = int(np.abs(up).argmax())
    flip = -1 if up[axis] < 0 else 1
    return (
        lambda field: np.moveaxis(field, axis, 0)[::flip],
        lambda field: np.moveaxis(field[::flip], 0, axis),
    )
