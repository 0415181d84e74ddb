"""anatomy/grid.py: a stack on a straight grid of equal steps, where balls are balls; and back.

Slices lie as they were taken: thick, at uneven distances, each shifted in its plane by the tilt.
Shapes are found on cubes of a few mm, and brought back to the voxels as levels in mm.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from wetread.archive.rejects import RejectError
from wetread.archive.types import BoolArray, Float32Array, Float64Array
from wetread.study.placement import SlicePlacement
from wetread.study.shear import in_plane_shifts
from wetread.study.volume import Volume, require_hu

FAR_MM = 1e4
SAMPLES = 4  # along the normal, that a layer is the mean of


@dataclass(frozen=True, eq=False)
class CubeGrid:
    """Cubes of step_mm over all of a stack.

    shape:      (layers, rows, columns); layers along the normal.
    weights:    (layers, Z) the share of each slice in each layer.
    layer_of:   (Z,) the layer, between two whole numbers, that each slice lies in.
    shifts_mm:  (Z, 2) rows and columns: where each slice's first pixel begins in the grid.
    spacing_mm: of the slices' rows and columns; picture: (Y, X) of theirs.
    """

    step_mm: float
    shape: tuple[int, int, int]
    weights: Float32Array
    layer_of: Float64Array
    shifts_mm: Float64Array
    spacing_mm: tuple[float, float]
    picture: tuple[int, int]


def require_place(volume: Volume) -> SlicePlacement:
    """Return the place of a CT volume whose slices all have one, at two positions at least.

    RejectError otherwise: shapes are measured in mm and HU.
    """
    place = volume.place
    require_hu(volume)
    if np.isnan(place.origins_mm).any() or np.isnan(place.spacing_mm).any():
        raise RejectError("no_geometry", "slices without a place or a spacing")
    if len(place.origins_mm) < 2 or np.ptp(place.positions_mm) == 0:
        raise RejectError("no_geometry", f"{len(place.origins_mm)} at one position; two are needed")
    return place


def grid_over(place: SlicePlacement, picture: tuple[int, int], step_mm: float) -> CubeGrid:
    """Lay a grid over a stack whose slices have (Y, X) pixels each."""
    spacing = place.spacing_mm
    shifts = in_plane_shifts(place) * np.array(spacing)
    shifts -= shifts.min(axis=0)
    extent = shifts.max(axis=0) + np.array(picture) * spacing
    along = np.abs(place.positions_mm - place.positions_mm[0])
    layers = int(np.floor(along[-1] / step_mm + 1e-6)) + 1
    rows, columns = (int(np.ceil(mm / step_mm - 1e-6)) for mm in extent)
    part = ((np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5) * step_mm
    heights = (np.arange(layers)[:, None] * step_mm + part).ravel()
    at = np.interp(heights, along, np.arange(len(along)))
    below = np.minimum(at.astype(np.int64), len(along) - 2)
    weights = np.zeros((layers, len(along)), np.float32)
    layer = np.repeat(np.arange(layers), SAMPLES)
    np.add.at(weights, (layer, below), (1 - (at - below)) / SAMPLES)
    np.add.at(weights, (layer, below + 1), (at - below) / SAMPLES)
    return CubeGrid(
        step_mm, (layers, rows, columns), weights, along / step_mm, shifts, spacing, picture
    )


def resample_to_grid(
    grid: CubeGrid,
    slices: Float32Array,
    transform: Callable[[Float32Array], Float32Array | BoolArray],
) -> Float32Array:
    """Resample slices (Z, Y, X) to the grid: (layers, rows, columns) float32, each cube's mean.

    transform: a slice (Y, X) to one in bool or float, before the mean. Past the slices' edge: 0.
    """
    _, rows, columns = grid.shape
    step = (grid.step_mm / grid.spacing_mm[0], grid.step_mm / grid.spacing_mm[1])  # pixels a cube
    window = (max(1, round(step[1])), max(1, round(step[0])))
    flat = np.empty((len(slices), rows * columns), np.float32)
    for k, picture in enumerate(slices):
        blurred = cv2.blur(
            transform(picture).astype(np.float32), window, borderType=cv2.BORDER_REPLICATE
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        flat[k] = cv2.warpAffine(blurred, _to_slice(grid, k), (columns, rows), flags=flags).ravel()
    mean: Float32Array = (grid.weights @ flat).reshape(grid.shape)
    return mean


def resample_to_slices(grid: CubeGrid, field: Float32Array) -> Iterator[Float32Array]:
    """Yield each slice (Y, X) float32 of a field (layers, rows, columns), linear along all axes."""
    height, width = grid.picture
    last = max(len(field) - 2, 0)
    for k, layer in enumerate(grid.layer_of):
        below = min(int(layer), last)
        share = min(float(layer) - below, 1.0)
        above = min(below + 1, len(field) - 1)
        flat = (1 - share) * field[below] + share * field[above]
        yield cv2.warpAffine(
            flat.astype(np.float32), _to_slice(grid, k), (width, height),
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip


def _to_slice(grid: CubeGrid, k: int) -> Float64Array:
    """Return the map (2, 3) from (column, row) of the grid to (column, row) of slice k, pixel
    centers whole."""
    scale = [grid.step_mm / spacing for spacing in grid.spacing_mm]
    down, across = (
        (0.5 * grid.step_mm - shift) / spacing - 0.5
        for shift, spacing in zip(grid.shifts_mm[k], grid.spacing_mm, strict=True)
    )
    return np.array([[scale[1], 0, across], [0, scale[0], down]])


def distance_mm(target: BoolArray, step_mm: float) -> Float32Array:
    """Return mm (layers, rows, columns) from each cube to the nearest of target.

    target: (layers, rows, columns) bool; 0 in those, FAR_MM where none is.

    An end of the grid is no wall: nothing is known of what lies beyond.
    """
    if not target.any():
        return np.full(target.shape, FAR_MM, np.float32)
    distance = ndimage.distance_transform_edt(~target, sampling=step_mm)
    return np.asarray(distance, np.float32)


def ball_opening(inside: BoolArray, radius_mm: float, step_mm: float) -> BoolArray:
    """Open inside (layers, rows, columns) bool by a ball: all that it sweeps within, same shape."""
    return distance_mm(distance_mm(~inside, step_mm) > radius_mm, step_mm) <= radius_mm


def ball_closing(inside: BoolArray, radius_mm: float, step_mm: float) -> BoolArray:
    """Close inside (layers, rows, columns) bool by a ball: fill what it cannot enter."""
    return distance_mm(distance_mm(inside, step_mm) > radius_mm, step_mm) > radius_mm


def largest_component(inside: BoolArray) -> BoolArray:
    """Return the largest connected part (faces touch) of a bool array, any shape; empty where it
    is."""
    labels, count = ndimage.label(inside)
    if count < 2:
        return inside
    return np.asarray(labels == 1 + int(np.bincount(labels.ravel())[1:].argmax()))


def signed_distance_mm(inside: BoolArray, step_mm: float) -> Float32Array:
    """Return mm to the surface of inside (layers, rows, columns) bool, same shape, positive within.

    The surface lies between cubes.
    """
    half = step_mm / 2
    return np.where(
        inside, distance_mm(~inside, step_mm) - half, half - distance_mm(inside, step_mm)
    )  # fmt: skip
