"""study/shear.py: a sheared volume is rectified: each slice moves in its plane, onto one normal."""

from dataclasses import replace

import numpy as np

from wetread.archive.types import Float32Array, Float64Array
from wetread.study.geometry import is_regular, unit_axes
from wetread.study.hu import AIR_HU
from wetread.study.issue import Issue
from wetread.study.placement import SlicePlacement
from wetread.study.stack import FATAL, StackError, interpolate
from wetread.study.volume import Volume


def in_plane_shifts(place: SlicePlacement) -> Float64Array:
    """Measure how far each slice's first voxel lies down the columns and along the rows from the
    normal through the first slice's: (Z, 2) voxels."""
    row, column, _ = unit_axes(place.orientation)
    off = place.origins_mm - place.origins_mm[0]
    down, across = off @ column / place.spacing_mm[0], off @ row / place.spacing_mm[1]
    return np.stack([down, across], axis=1)


def deshear(volume: Volume) -> Volume:
    """Move the slices onto one normal, so that rows, columns and slices are at right angles.

    No voxel is lost: the picture grows by the widest shift, what no slice covers is air (the least
    gray in other images). A shift is linear in each direction; slices keep number, source and
    distance. Raises StackError where the headers give no place.
    """
    place = volume.place
    if np.isnan(place.origins_mm).any() or np.isnan(place.spacing_mm).any():
        issue = Issue("no_geometry", "slices without a place or a spacing cannot be moved")
        raise StackError(issue, FATAL["no_geometry"])
    shifts = in_plane_shifts(place)
    least = np.floor(shifts.min(axis=0) + 1e-6).astype(np.int64)
    grow = np.ceil(shifts.max(axis=0) - 1e-6).astype(np.int64) - least
    outside = AIR_HU if volume.unit == "HU" else float(volume.hu.min())
    shape = tuple(np.array(volume.hu.shape[1:]) + grow)
    hu = np.full((len(volume.hu), *shape), outside, np.float32)
    for picture, (down, across), target in zip(volume.hu, shifts - least, hu, strict=True):
        moved = _moved(picture, down, outside, volume.unit)
        moved = _moved(moved.T, across, outside, volume.unit).T
        target[: moved.shape[0], : moved.shape[1]] = moved[: shape[0], : shape[1]]
    row, column, normal = unit_axes(place.orientation)
    corner = place.origins_mm[0] + least[0] * place.spacing_mm[0] * column
    corner = corner + least[1] * place.spacing_mm[1] * row
    along = (place.origins_mm - place.origins_mm[0]) @ normal
    widest = np.ptp(shifts * np.array(place.spacing_mm), axis=0).max()
    how = f"desheared: slices moved in their plane by up to {widest:.2f} mm"
    origins = corner + along[:, None] * normal
    resolved = {"gantry_tilt"} | ({"irregular_spacing"} if is_regular(origins) else set())
    return replace(
        volume,
        hu=hu,
        place=replace(place, origins_mm=origins),
        issues=tuple(
            replace(issue, resolved_by=how) if issue.name in resolved else issue
            for issue in volume.issues
        ),
    )


def _moved(picture: Float32Array, by: float, outside: float, unit: str | None) -> Float32Array:
    """Move the rows of a picture (Y, X) down by `by` >= 0, linearly: (Y + ceil(by), X)."""
    whole = int(np.floor(by + 1e-6))
    rest = by - whole
    edge = np.full((1, picture.shape[1]), outside, np.float32)
    if rest > 1e-6:
        first, second = np.vstack([picture, edge]), np.vstack([edge, picture])
        picture = interpolate(first, second, float(rest), unit)
    return np.vstack([np.repeat(edge, whole, axis=0), picture])
