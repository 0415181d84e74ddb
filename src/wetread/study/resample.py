"""study/resample.py: a volume at any spacing, at right angles, with the place of what was made."""

from dataclasses import replace

import numpy as np

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.study.geometry import unit_axes
from wetread.study.hu import AIR_HU
from wetread.study.issue import Issue
from wetread.study.placement import SlicePlacement
from wetread.study.shear import in_plane_shifts
from wetread.study.stack import FATAL, StackError, interpolate, require_steps
from wetread.study.volume import Volume

_SAME = 1e-6  # of a voxel: nearer is the voxel itself
_RESOLVED = ("gantry_tilt", "gap", "irregular_spacing", "slices_rejected", "mixed_spacing")


def resample_to(volume: Volume, spacing_mm: float | tuple[float, float, float]) -> Volume:
    """Resample to `spacing_mm` between slices, rows and columns (one number: all three).

    The grid is at right angles and starts at the first voxel; it is as long as fits, so that
    the last voxel may lie up to one step before the old one; `place` and `affine` are the grid's.
    Every voxel is linear in the two slices around it, each looked up at the voxel's own
    place in the plane: a tilt is undone and gaps are filled, nothing overshoots, and nothing is
    smoothed. Outside the field of view is air (the least gray without HU) and is never mixed.
    sources are "" but for slices that stayed as they were. A single slice keeps its distance.
    StackError where slices have no place, or two lie at one.
    """
    steps = (spacing_mm,) * 3 if isinstance(spacing_mm, int | float) else tuple(spacing_mm)
    if len(steps) != 3 or not all(0 < step < np.inf for step in steps):
        raise ValueError(f"a spacing is three numbers of mm above 0, or one, not {spacing_mm}")
    _require_place(volume)
    place = volume.place
    row, column, normal = unit_axes(place.orientation)
    shifts = in_plane_shifts(place)  # (Z, 2) voxels
    own = np.array(place.spacing_mm)
    low = shifts.min(axis=0) * own  # mm down and across from the first slice's first voxel
    extent = (np.array(volume.hu.shape[1:]) - 1 + np.ptp(shifts, axis=0)) * own
    counts = np.floor(extent / steps[1:] + _SAME).astype(int) + 1
    grid = [low[axis] + steps[axis + 1] * np.arange(counts[axis]) for axis in (0, 1)]
    along = place.positions_mm - place.positions_mm[0]
    at = _slices_at(along, steps[0])
    hu = np.empty((len(at), *counts), np.float32)
    near: dict[int, Float32Array] = {}
    for z, where in enumerate(at):
        below = min(int(where + _SAME), len(volume.hu) - 1)
        share = float(where - below) if where - below > _SAME else 0.0
        for k in (below, below + 1) if share else (below,):
            if k not in near:
                near[k] = _in_plane(volume, k, grid, shifts[k])
        near = {k: picture for k, picture in near.items() if k >= below}
        hu[z] = (
            interpolate(near[below], near[below + 1], share, volume.unit) if share else near[below]
        )
    start = place.origins_mm[0] + low[0] * column + low[1] * row
    heights = steps[0] * np.arange(len(at))
    nearest = np.rint(at).astype(int)
    kept = _is_same_plane(volume, counts, steps, shifts)
    sources = tuple(
        volume.sources[k] if kept and abs(where - k) < _SAME else ""
        for where, k in zip(at, nearest, strict=True)
    )
    sizes = " x ".join(f"{step:g}" for step in steps)
    how = f"resampled to {sizes} mm (slices, rows, columns)"
    return replace(
        volume,
        hu=hu,
        place=SlicePlacement(
            start + heights[:, None] * normal,
            place.orientation,
            (float(steps[1]), float(steps[2])),
            place.thickness_mm[nearest],
        ),
        sources=sources,
        slice_map=np.interp(at, np.arange(len(along)), volume.slice_map),
        issues=tuple(
            replace(issue, resolved_by=issue.resolved_by or how)
            if issue.name in _RESOLVED
            else issue
            for issue in volume.issues
        ),
    )


def _require_place(volume: Volume) -> None:
    if len(volume.hu) > 1:
        require_steps(volume)
    if np.isnan(volume.place.origins_mm).any() or np.isnan(volume.place.spacing_mm).any():
        issue = Issue("no_geometry", "slices without a place or a spacing cannot be resampled")
        raise StackError(issue, FATAL["no_geometry"])


def _slices_at(along: Float64Array, step: float) -> Float64Array:
    """Number slices every step mm among those at along (Z,) mm, ascending from 0: (N,) float64."""
    if len(along) == 1:
        return np.zeros(1)
    count = int(along[-1] / step + _SAME) + 1
    places: Float64Array = np.interp(step * np.arange(count), along, np.arange(len(along)))
    return places


def _in_plane(
    volume: Volume, k: int, grid: list[Float64Array], shift: Float64Array
) -> Float32Array:
    """Interpolate slice k at the grid's rows and columns, mm down and across; outside is air."""
    outside = AIR_HU if volume.unit == "HU" else float(volume.hu.min())
    picture = volume.hu[k]
    for axis in (0, 1):
        at = grid[axis] / volume.place.spacing_mm[axis] - shift[axis]
        picture = _along_rows(picture, at, outside, volume.unit).T
    return np.ascontiguousarray(picture)


def _along_rows(
    picture: Float32Array, at: Float64Array, outside: float, unit: str | None
) -> Float32Array:
    """Interpolate rows of (Y, X) at fractional numbers (N,): (N, X); `outside` beyond the ends."""
    last = len(picture) - 1
    lower = np.clip(np.floor(at + _SAME).astype(int), 0, last)
    share = np.clip(at - lower, 0, 1)
    share[share < _SAME] = 0
    upper = np.minimum(lower + 1, last)
    mixed = interpolate(picture[lower], picture[upper], share[:, None].astype(np.float32), unit)
    mixed[(at < -_SAME) | (at > last + _SAME)] = outside
    return mixed


def _is_same_plane(
    volume: Volume, counts: Int64Array, steps: tuple[float, ...], shifts: Float64Array
) -> bool:
    """Whether a slice's own voxels are the grid's."""
    same = np.abs(np.array(steps[1:]) - volume.place.spacing_mm).max() < _SAME
    shape = tuple(int(count) for count in counts) == volume.hu.shape[1:]
    return bool(same and shape and np.ptp(shifts, axis=0).max() < _SAME)
