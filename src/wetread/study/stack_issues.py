"""study/stack_issues.py: what is unusual in the geometry of one stack, with figures."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.study.acquisitions import SAME_POSITION_MM
from wetread.study.distances import Distances, measure_distances
from wetread.study.geometry import (
    POSITION_TOLERANCE_MM,
    off_line_mm,
    step_vector,
    tilt_degrees,
    tilt_parts,
)
from wetread.study.issue import Issue, shortened, slice_names
from wetread.study.placement import UNKNOWN_THICKNESS_MM, SlicePlacement, stack_placement

TILT_DEGREES = 0.25


THICKNESS_SHARE = 0.1  # of the distance


def stack_issues(rows: pl.DataFrame) -> list[Issue]:
    """List the issues of one stack's slices; rows in order along the normal."""
    place = stack_placement(rows)
    if rows.height == 1:
        known = place.thickness_mm[0] > 0
        source = "SliceThickness" if known else "no SliceThickness is there"
        step = place.thickness_mm[0] if known else UNKNOWN_THICKNESS_MM
        return [Issue("single_slice", f"the step is taken as {step:.2f} mm: {source}")]
    if np.isnan(place.origins_mm).any():
        return []
    found = [*_duplicates(rows, place), *_tilt(place)]
    if np.ptp(place.positions_mm) >= SAME_POSITION_MM:
        distances = measure_distances(place.positions_mm, place.thickness_mm)
        found += distance_issues(place.positions_mm, distances, _off_line(place))
        found += _thickness(place, distances)
    return [*found, *_order(rows, place.positions_mm)]


def distance_issues(
    along: Float64Array, distances: Distances, off_line: Sequence[str] = ()
) -> list[Issue]:
    """List gaps and irregular distances of slices at along (N,) mm, ascending; off_line: slices
    off the line of the others, in words."""
    gaps = [
        f"{distances.missing[k]} missing between slices {k} and {k + 1}, {along[k]:.2f} and "
        f"{along[k + 1]:.2f} mm (usual {distances.usual[k]:.2f})"
        for k in np.flatnonzero(distances.missing)
    ]
    irregular = [*distances.irregular, *off_line]
    found = [Issue("gap", shortened(gaps))] if gaps else []
    return [*found, Issue("irregular_spacing", shortened(irregular))] if irregular else found


def _duplicates(rows: pl.DataFrame, place: SlicePlacement) -> list[Issue]:
    along = place.positions_mm
    same = np.flatnonzero(np.diff(along) < SAME_POSITION_MM)
    if not len(same):
        return []
    pairs = [
        f"slices {k} and {k + 1} at {along[k]:.2f} mm ({slice_names(rows[k : k + 2])})"
        for k in same
    ]
    return [Issue("duplicate_position", f"{len(same)} times: {shortened(pairs)}")]


def _tilt(place: SlicePlacement) -> list[Issue]:
    along = place.positions_mm
    if np.ptp(along) < SAME_POSITION_MM:
        return []
    step = step_vector(place.origins_mm)
    tilt = tilt_degrees(step, place.orientation)
    if tilt < TILT_DEGREES:
        return []
    about_row, about_column = tilt_parts(step, place.orientation)
    detail = (
        f"{tilt:.2f} degrees between the normal and the way from slice to slice "
        f"({about_row:+.2f} about the row axis, {about_column:+.2f} about the column axis)"
    )
    return [Issue("gantry_tilt", detail)]


def _off_line(place: SlicePlacement) -> list[str]:
    """Name the slices that lie off the line from the first to the last."""
    off = off_line_mm(place.origins_mm, place.orientation)
    return [
        f"slice {k} at {place.positions_mm[k]:.2f} mm lies {off[k]:.2f} mm beside the line"
        for k in np.flatnonzero(off > POSITION_TOLERANCE_MM)
    ]


def _thickness(place: SlicePlacement, distances: Distances) -> list[Issue]:
    thickness = place.thickness_mm
    if np.isnan(thickness).all():
        return []
    values, counts = np.unique(thickness[~np.isnan(thickness)], return_counts=True)
    differing = []
    if len(values) > 1:
        differing.append(", ".join(f"{n} x {mm:.2f}" for mm, n in zip(values, counts, strict=True)))
    slant = 1 / np.cos(np.radians(tilt_degrees(step_vector(place.origins_mm), place.orientation)))
    for mm in values:
        usual = distances.usual[(thickness[:-1] == mm) & ~np.isnan(distances.usual)]
        if len(usual):
            bounds = usual[0] * (1 - THICKNESS_SHARE), usual[0] * slant * (1 + THICKNESS_SHARE)
            if not bounds[0] <= mm <= bounds[1]:
                differing.append(f"slabs of {mm:.2f} mm lie {usual[0]:.2f} mm apart")
    if not differing:
        return []
    return [Issue("thickness_differs", f"SliceThickness: {'; '.join(differing)}")]


def _order(rows: pl.DataFrame, along: Float64Array) -> list[Issue]:
    numbers = rows["InstanceNumber"].drop_nulls().to_numpy()
    if len(numbers) < rows.height or rows.height < 2:
        return []
    if "frame" in rows.columns and rows["frame"].null_count() < rows.height:
        return []  # the number is of the object, not of its frames
    steps = np.diff(numbers)
    if np.all(steps > 0):
        return []
    if not steps.any():
        return [Issue("order_disagrees", f"InstanceNumber is {numbers[0]} in all slices")]
    if np.all(steps < 0):
        detail = (
            f"InstanceNumber runs against position: {numbers[0]} at {along[0]:.2f} mm, "
            f"{numbers[-1]} at {along[-1]:.2f} mm"
        )
    else:
        turned = int(min((steps <= 0).sum(), (steps >= 0).sum()))
        detail = f"InstanceNumber turns back {turned} times along the normal"
    return [Issue("order_disagrees", detail)]
