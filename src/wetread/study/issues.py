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
_MULTIPLE_TOLERANCE = 0.1


@dataclass(frozen=True)
class Issue:
    """One thing that is unusual: its name from dicom.md 4, and where and how much."""

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

    A gap is a distance near a multiple, 2 or more, of the median of its run of equal thickness;
    any other distance that leaves the median by more than 0.1 mm is irregular.
    """
    apart = np.diff(along)
    gaps, odd = [], []
    equal = (thickness[1:] == thickness[:-1]) | (np.isnan(thickness[1:]) & np.isnan(thickness[:-1]))
    run = np.concatenate([[0], np.cumsum(~equal)])
    for number in np.unique(run):
        inside = np.flatnonzero((run[:-1] == number) & (run[1:] == number))
        inside = inside[apart[inside] >= _SAME_POSITION_MM]
        if not len(inside):
            continue
        usual = float(np.median(apart[inside]))
        for k in inside[np.abs(apart[inside] - usual) > POSITION_TOLERANCE_MM]:
            times = round(apart[k] / usual)
            if times >= 2 and abs(apart[k] / usual - times) <= _MULTIPLE_TOLERANCE * times:
                gaps.append(f"{times - 1} missing between {along[k]:.2f} and {along[k + 1]:.2f} mm")
            else:
                odd.append(f"{apart[k]:.2f} mm after {along[k]:.2f} mm (usual {usual:.2f})")
    changes = np.flatnonzero(~equal)
    for k in changes:
        if k > 0 and abs(apart[k] - apart[k - 1]) > POSITION_TOLERANCE_MM:
            odd.append(f"{apart[k]:.2f} mm after {along[k]:.2f} mm, where the thickness changes")
    found = []
    if gaps:
        found.append(Issue("gap", _shortened(gaps)))
    runs = [float(np.median(apart[run[:-1] == n])) for n in np.unique(run[:-1])]
    if odd or np.ptp(runs) > POSITION_TOLERANCE_MM:
        shown = odd or [f"{distance:.2f} mm" for distance in runs]
        found.append(Issue("irregular_spacing", _shortened(shown)))
    return found


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
