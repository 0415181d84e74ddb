"""study/stack.py: what is done about an unusual geometry: refuse, keep, fill, resample, split.

Verbs that read slices take a volume as it is, each slice at its own place. Verbs that need one
affine ask `require_affine`, which refuses; `fill` and `resample` make a volume that has one.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from wetread.archive.errors import WetreadError
from wetread.archive.types import Float32Array, Float64Array, FloatArray
from wetread.study.acquisitions import SAME_POSITION_MM
from wetread.study.distances import Distances, measure_distances
from wetread.study.geometry import POSITION_TOLERANCE_MM, is_regular, off_line_mm
from wetread.study.hu import AIR_HU
from wetread.study.issue import RULES, Issue
from wetread.study.placement import SlicePlacement
from wetread.study.volume import Volume, acquisitions_from_rows, volumes_from_rows

# Issues that stop a verb that needs one affine (NIfTI, resample, segment, surface), and what to do.
FATAL: dict[str, str] = {
    "gap": "restore the slices, or choose fill or resample",
    "irregular_spacing": "choose resample; beside the line: deshear first",
    "duplicate_position": "choose the slices to read: no column of the header tells them apart",
    "mixed_orientation": "choose split: one volume a plane",
    "mixed_shape": "choose split: one volume a shape",
    "mixed_spacing": "choose split: one volume a spacing",
    "mixed_unit": "choose split: one volume a unit",
    "slices_rejected": "restore the files, or choose fill or resample",
    "no_geometry": "restore the header; nothing else tells where the slices lie",
}


class StackError(WetreadError, ValueError):
    """A volume has no one affine, or none can be made: which issue, where, by which rule."""

    def __init__(self, issue: Issue, advice: str) -> None:
        rule = RULES[issue.name]
        super().__init__(f"{issue.name}: {issue.detail}. Rule: {rule}. To do: {advice}.")
        self.issue = issue
        self.advice = advice


def fatal_issues(issues: Sequence[Issue]) -> tuple[Issue, ...]:
    """List the issues that stand in the way of one affine: in FATAL, and not resolved."""
    return tuple(issue for issue in issues if issue.name in FATAL and not issue.resolved_by)


def require_affine(volume: Volume) -> Float64Array:
    """Return the affine (4, 4) of index (z, y, x, 1) to LPS mm, right for every voxel to 0.1 mm.

    Raises StackError where there is none.
    """
    for issue in fatal_issues(volume.issues):
        raise StackError(issue, FATAL[issue.name])
    affine = volume.affine
    if np.isnan(affine).any():
        detail = f"{len(volume.hu)} slices without equal steps, or without a place"
        raise StackError(Issue("no_geometry", detail), FATAL["no_geometry"])
    return affine


def fill(volume: Volume) -> Volume:
    """Interpolate the slices missing in a gap from the two around it; their sources are "".

    A volume without a gap comes back as it is; other irregular distances stay.
    """
    require_steps(volume)
    missing = _distances(volume).missing
    if not missing.any():
        return volume
    steps = [np.arange(lacking + 1) / (lacking + 1) for lacking in missing]
    at = np.concatenate([*(k + share for k, share in enumerate(steps)), [len(missing)]])
    filled = _slices_at(volume, at)
    made = f"filled: {missing.sum()} slices made"
    return replace(filled, issues=_resolve_issues(filled, volume, ("gap", "slices_rejected"), made))


def resample(volume: Volume, step_mm: float | None = None) -> Volume:
    """Resample to equal steps along the normal, from the first slice on; the tilt stays.

    step_mm: along the normal; None: the median distance. Each slice is made of the two around it,
    linearly. StackError where the slices are not on one line (deshear first) or have no place.
    """
    require_steps(volume)
    along = volume.positions_mm
    off = off_line_mm(volume.place.origins_mm, volume.place.orientation)
    if off.max() > POSITION_TOLERANCE_MM:
        k = int(off.argmax())
        detail = f"slice {k} at {along[k]:.2f} mm lies {off[k]:.2f} mm beside the line"
        raise StackError(Issue("irregular_spacing", detail), "deshear first")
    step = float(np.median(np.diff(along))) if step_mm is None else step_mm
    if not step > 0:
        raise ValueError(f"step_mm is {step_mm}, it must be above 0")
    count = int((along[-1] - along[0]) / step + 1e-6) + 1
    at = np.interp(along[0] + step * np.arange(count), along, np.arange(len(along)))
    even = _slices_at(volume, at)
    names = ("gap", "irregular_spacing", "slices_rejected")
    return replace(
        even,
        issues=_resolve_issues(even, volume, names, f"resampled to {step:.3f} mm along the normal"),
    )


def _resolve_issues(
    made: Volume, before: Volume, names: Sequence[str], how: str
) -> tuple[Issue, ...]:
    """Resolve the issues of `before` that are in `names`, where `made` has equal steps."""
    if len(made.hu) > 1 and not is_regular(made.place.origins_mm):
        return before.issues
    return tuple(
        replace(issue, resolved_by=issue.resolved_by or how) if issue.name in names else issue
        for issue in before.issues
    )


def _distances(volume: Volume) -> Distances:
    return measure_distances(volume.positions_mm, volume.place.thickness_mm)


def require_steps(volume: Volume) -> None:
    """Raise StackError unless every slice has a position of its own, and there are two."""
    along = volume.positions_mm
    if np.isnan(along).any():
        detail = f"{int(np.isnan(along).sum())} of {len(along)} slices have no place"
        raise StackError(Issue("no_geometry", detail), FATAL["no_geometry"])
    if len(along) < 2:
        raise StackError(Issue("single_slice", "one slice"), "give a series of at least two")
    same = np.flatnonzero(np.diff(along) < SAME_POSITION_MM)
    if len(same):
        detail = f"slices {same[0]} and {same[0] + 1} at {along[same[0]]:.2f} mm"
        raise StackError(Issue("duplicate_position", detail), FATAL["duplicate_position"])


def _slices_at(volume: Volume, at: Float64Array) -> Volume:
    """Interpolate slices at fractional numbers (K,) among volume's, ascending."""
    below = np.minimum(at.astype(np.int64), max(len(volume.hu) - 2, 0))
    share = at - below
    exact = np.where(share < 1e-9, below, np.where(share > 1 - 1e-9, below + 1, -1))
    hu = np.empty((len(at), *volume.hu.shape[1:]), np.float32)
    for k, (lower, part) in enumerate(zip(below, share, strict=True)):
        hu[k] = (
            volume.hu[exact[k]]
            if exact[k] >= 0
            else interpolate(volume.hu[lower], volume.hu[lower + 1], float(part), volume.unit)
        )
    origins = volume.place.origins_mm
    thickness = volume.place.thickness_mm
    return replace(
        volume,
        hu=hu,
        place=SlicePlacement(
            origins[below] + share[:, None] * (origins[below + 1] - origins[below]),
            volume.place.orientation,
            volume.place.spacing_mm,
            thickness[np.where(share > 0.5, below + 1, below)],
        ),
        sources=tuple(volume.sources[k] if k >= 0 else "" for k in exact),
        slice_map=np.interp(at, np.arange(len(volume.hu)), volume.slice_map),
    )


def interpolate(
    lower: Float32Array, upper: Float32Array, share: float | FloatArray, unit: str | None
) -> Float32Array:
    """Mix (1 - share) lower + share upper, any shape, float32.

    Where one of them is outside the field of view (HU of air, exactly) the nearer one is taken.
    share: in [0, 1], one number or an array that broadcasts to the shape.
    """
    mixed: Float32Array = lower + np.asarray(share, np.float32) * (upper - lower)
    if unit == "HU":
        outside = (lower == AIR_HU) | (upper == AIR_HU)
        np.copyto(mixed, np.where(np.asarray(share) > 0.5, upper, lower), where=outside)
    return mixed


def _refused(rows: pl.DataFrame) -> list[Volume]:
    volumes = acquisitions_from_rows(rows)
    for volume in volumes:
        require_affine(volume)
    return volumes


# What a user chooses by name: rows of one series -> its volumes.
CHOICES: dict[str, Callable[[pl.DataFrame], list[Volume]]] = {
    "refuse": _refused,
    "keep": acquisitions_from_rows,
    "fill": lambda rows: [fill(volume) for volume in acquisitions_from_rows(rows)],
    "resample": lambda rows: [resample(volume) for volume in acquisitions_from_rows(rows)],
    "split": volumes_from_rows,
}
