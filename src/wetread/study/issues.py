"""study/issues.py: what is unusual in the geometry of a series, by name and with figures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wetread.study.geometry import (
    ORIENTATION_TOLERANCE,
    POSITION_TOLERANCE_MM,
    along_normal,
    commonest_orientation,
    step_vector,
    tilt_degrees,
)
from wetread.study.series import placed_rows

TILT_DEGREES = 0.25
_SAME_POSITION_MM = 0.01
_SPACING_TOLERANCE_MM = 1e-3
_MULTIPLE_TOLERANCE = 0.1  # of the usual distance
_DISTANCE_TOLERANCE_MM = 2 * POSITION_TOLERANCE_MM


@dataclass(frozen=True)
class Issue:
    """One thing that is unusual: its name, and where and how much."""

    name: str
    detail: str


def geometry_issues(rows: pl.DataFrame) -> tuple[Issue, ...]:
    """The issues that the headers of one series show; rows in order along the normal."""
    found: list[Issue] = []
    if rows.height == 1:
        found.append(Issue("single_slice", "one slice: no distance, no tilt"))
    placed = placed_rows(rows)
    if len(placed) < rows.height:
        missing = rows.height - len(placed)
        found.append(Issue("no_geometry", f"{missing} of {rows.height} slices have no place"))
    found += _mixed(rows)
    if len(placed) > 1:
        found += _place_issues(rows[placed])
    found += _noted(rows)
    return tuple(found)


def _mixed(rows: pl.DataFrame) -> list[Issue]:
    found = []
    for name, columns in (
        ("mixed_shape", ("Rows", "Columns")),
        ("mixed_rescale", ("RescaleSlope", "RescaleIntercept")),
    ):
        kinds = rows.group_by(columns).len().sort("len", *columns, descending=True)
        if kinds.height > 1:
            shown = ", ".join(f"{count} x {pair}" for *pair, count in kinds.iter_rows())
            found.append(Issue(name, f"{' and '.join(columns)}: {shown}"))
    spacing = rows.select("row_spacing_mm", "column_spacing_mm").drop_nulls().to_numpy()
    if len(spacing) and float(np.ptp(spacing, axis=0).max()) > _SPACING_TOLERANCE_MM:
        low, high = spacing.min(axis=0), spacing.max(axis=0)
        detail = f"rows {low[0]:.4f} to {high[0]:.4f} mm, columns {low[1]:.4f} to {high[1]:.4f} mm"
        found.append(Issue("mixed_spacing", detail))
    return found


def _place_issues(rows: pl.DataFrame) -> list[Issue]:
    """Of at least 2 slices with a place."""
    found = []
    orientations = np.array(rows["orientation"].to_list())
    positions = np.array(rows["position_mm"].to_list())
    usual = orientations[commonest_orientation(orientations)]
    odd = np.abs(orientations - usual).max(axis=1) > ORIENTATION_TOLERANCE
    if odd.any():
        detail = f"{int(odd.sum())} of {len(odd)} slices lie otherwise than the rest"
        found.append(Issue("mixed_orientation", detail))
        rows, positions = rows.filter(~odd), positions[~odd]
    if len(positions) < 2:
        return found
    along = along_normal(positions, usual)
    apart = np.diff(along)
    same = apart < _SAME_POSITION_MM
    if same.any():
        names = rows["SOPInstanceUID"].gather(np.flatnonzero(same) + 1).to_list()
        detail = f"{int(same.sum())} times: {_shortened(names)}"
        found.append(Issue("duplicate_position", detail))
    step = step_vector(positions)
    if abs(along[-1] - along[0]) > _SAME_POSITION_MM:
        tilt = tilt_degrees(step, usual)
        if tilt >= TILT_DEGREES:
            detail = f"{tilt:.2f} degrees between the normal and the way from slice to slice"
            found.append(Issue("gantry_tilt", detail))
    thickness = rows["SliceThickness"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    found += distance_issues(along, thickness)
    found += _number_issues(rows)
    return found


def distance_issues(along: np.ndarray, thickness: np.ndarray) -> list[Issue]:
    """Gaps and irregular distances of slices at along (N,) mm, ascending; thickness (N,) mm or NaN.

    A run of equal thickness is regular where its slices lie within 0.1 mm of a line. In another, a
    distance near a multiple, 2 or more, of the run's median is a gap, any other is irregular.
    """
    apart = np.diff(along)
    equal = (thickness[1:] == thickness[:-1]) | (np.isnan(thickness[1:]) & np.isnan(thickness[:-1]))
    run = np.concatenate([[0], np.cumsum(~equal)])
    gaps: list[str] = []
    odd: list[str] = []
    usual = []
    for number in np.unique(run):
        inside = np.flatnonzero((run[:-1] == number) & (run[1:] == number))
        inside = inside[apart[inside] >= _SAME_POSITION_MM]
        if not len(inside):
            continue
        usual.append(float(np.median(apart[inside])))
        if not _on_a_line(apart[inside]):
            _sort_distances(along, inside, usual[-1], gaps, odd)
    for k in np.flatnonzero(~equal):
        distances = np.abs(np.array(usual) - apart[k])
        if len(distances) and distances.min() > _DISTANCE_TOLERANCE_MM:
            odd.append(f"{apart[k]:.2f} mm after {along[k]:.2f} mm, where the thickness changes")
    if usual and np.ptp(usual) > _DISTANCE_TOLERANCE_MM:
        runs = ", then ".join(f"{distance:.2f}" for distance in usual)
        odd.append(f"{runs} mm as the thickness changes")
    found = [Issue("gap", _shortened(gaps))] if gaps else []
    return [*found, Issue("irregular_spacing", _shortened(odd))] if odd else found


def _on_a_line(apart: np.ndarray) -> bool:
    """Whether slices at these distances (K,) mm lie within 0.1 mm of equal steps."""
    along = np.concatenate([[0], np.cumsum(apart)])
    line = np.linspace(0, along[-1], len(along))
    return bool(np.abs(along - line).max() <= POSITION_TOLERANCE_MM)


def _sort_distances(
    along: np.ndarray, inside: np.ndarray, usual: float, gaps: list[str], odd: list[str]
) -> None:
    """Name the distances after the slices `inside` that leave the usual one."""
    apart = np.diff(along)
    unlike = inside[np.abs(apart[inside] - usual) > _DISTANCE_TOLERANCE_MM]
    for k in unlike:
        times = round(apart[k] / usual)
        if times >= 2 and abs(apart[k] / usual - times) <= _MULTIPLE_TOLERANCE:
            gaps.append(f"{times - 1} missing between {along[k]:.2f} and {along[k + 1]:.2f} mm")
        else:
            odd.append(f"{apart[k]:.2f} mm after {along[k]:.2f} mm (usual {usual:.2f})")
    if not len(unlike):
        odd.append(f"{apart[inside].min():.2f} to {apart[inside].max():.2f} mm")


def _number_issues(rows: pl.DataFrame) -> list[Issue]:
    numbers = rows["InstanceNumber"].drop_nulls().to_numpy()
    found = []
    if len(numbers) == rows.height and rows.height > 2:
        steps = np.diff(numbers)
        if not (np.all(steps > 0) or np.all(steps < 0)):
            turned = int(min((steps <= 0).sum(), (steps >= 0).sum()))
            detail = f"InstanceNumber turns back {turned} times along the normal"
            found.append(Issue("order_disagrees", detail))
        holes = int(numbers.max() - numbers.min() + 1 - len(np.unique(numbers)))
        if holes > 0:
            detail = f"{holes} numbers missing from {numbers.min()} to {numbers.max()}"
            found.append(Issue("number_hole", detail))
    return found


def _noted(rows: pl.DataFrame) -> list[Issue]:
    """What single headers say, counted over the series."""
    found = []
    notes: list[list[str] | None] = rows["notes"].to_list()
    for name in ("spacing_from_detector", "burned_in"):
        count = sum(name in (of_row or ()) for of_row in notes)
        if count:
            found.append(Issue(name, f"{count} of {rows.height} slices"))
    for name, holds in (
        ("lossy", rows["lossy"].fill_null(False)),
        ("monochrome1", rows["PhotometricInterpretation"].fill_null("") == "MONOCHROME1"),
    ):
        count = int(holds.sum())
        if count:
            found.append(Issue(name, f"{count} of {rows.height} slices"))
    return found


def _shortened(items: list[Any], most: int = 5) -> str:
    shown = ", ".join(map(str, items[:most]))
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"
