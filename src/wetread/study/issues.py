"""study/issues.py: findings in the geometry of a series that are unusual, by name, with figures."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.notes import NAMED, name_and_detail
from wetread.archive.types import Float64Array
from wetread.study.acquisitions import KEYWORDS, SAME_POSITION_MM
from wetread.study.distances import Distances, measure_distances
from wetread.study.geometry import (
    POSITION_TOLERANCE_MM,
    off_line_mm,
    plane_numbers,
    step_vector,
    tilt_degrees,
    tilt_parts,
)
from wetread.study.placement import UNKNOWN_THICKNESS_MM, SlicePlacement, stack_placement
from wetread.study.series import placed_rows
from wetread.study.split import SPACING_TOLERANCE_MM, SeriesParts, split_series
from wetread.study.unit import UNIT_COLUMNS, unit_of, units_of

TILT_DEGREES = 0.25
THICKNESS_SHARE = 0.1  # of the distance

RULES: dict[str, str] = {
    "gantry_tilt": "the way from slice to slice leaves the normal by 0.25 degrees or more",
    "gap": "in a run of equal SliceThickness a distance is 2 or more times the median, within 10 %",
    "irregular_spacing": "slices lie more than 0.1 mm beside equal steps, and no gap explains it",
    "duplicate_position": "slices of other pixels lie within 0.01 mm along the normal",
    "duplicate_removed": "slices lie within 0.01 mm along the normal and have the same pixels",
    "several_acquisitions": "positions repeat, or regular passes run through one another, and "
    "columns of the header tell them apart",
    "capture_removed": "a picture of a screen or a page among slices",
    "localizer_removed": "ImageType says LOCALIZER, or at most 3 slices lie in a plane far off",
    "mixed_orientation": "(0020,0037) differs by more than 1e-3 in a cosine",
    "mixed_shape": "Rows or Columns differ",
    "mixed_spacing": "the spacing of rows or columns differs by more than 0.001 mm",
    "mixed_unit": "the unit of the values differs, by Rescale Type",
    "mixed_rescale": "RescaleSlope or RescaleIntercept differ",
    "order_disagrees": "InstanceNumber does not grow along the normal",
    "number_hole": "an InstanceNumber between the least and the greatest is absent",
    "thickness_differs": "SliceThickness changes, or is 10 % off the distance of the slices",
    "single_slice": "one slice has no distance",
    "slices_rejected": "a slice cannot be read",
    "no_rescale": "a CT without RescaleSlope and RescaleIntercept: its values have no unit",
    "not_hu": "a CT's Rescale Type, or Modality LUT Type, is not HU",
    "taken_as_hu": "a CT whose header does not say HU was taken so on request",
    "intercept_repaired": "12-bit signed values were labelled unsigned",
    "padding_undeclared": "values below -1024 HU without a declared padding",
    "window_unusable": "the header names a window or VOI table that cannot be used",
    "lossy": "the pixels were compressed with loss",
    "monochrome1": "the least value is white",
    "burned_in": "(0028,0301) BurnedInAnnotation is YES",
    "spacing_from_detector": "(0018,1164) stands in for an absent (0028,0030)",
    **NAMED,
    "no_geometry": "a position, an orientation or a spacing is absent, or all positions are 0",
}


@dataclass(frozen=True)
class Issue:
    """One thing that is unusual.

    name:    a key of RULES.
    detail:  where and how much: slices counted from 0 along the normal, mm.
    resolved_by: what was done about it, so that it no longer stands in the way; empty: nothing.
    """

    name: str
    detail: str
    resolved_by: str = ""


def geometry_issues(rows: pl.DataFrame) -> tuple[Issue, ...]:
    """List the issues that the headers of one series show; slices count in its largest stack."""
    parts = split_series(rows)
    return (*series_issues(rows, parts), *stack_issues(parts.stacks[0]))


def series_issues(rows: pl.DataFrame, parts: SeriesParts) -> list[Issue]:
    """List the issues of a series as a whole; parts: what it was split into."""
    found: list[Issue] = []
    if parts.localizers.height:
        detail = f"{parts.localizers.height} of {rows.height}: {slice_names(parts.localizers)}"
        found.append(Issue("localizer_removed", detail))
    if parts.captures.height:
        detail = f"{parts.captures.height} of {rows.height}: {slice_names(parts.captures)}"
        found.append(Issue("capture_removed", detail))
    rest = parts.stacks[0] if len(parts.stacks) == 1 else pl.concat(parts.stacks)
    found += headers_issues(rest)
    if parts.split_by:
        sizes = " + ".join(str(stack.height) for stack in parts.stacks)
        names = _shortened([name for name in parts.names if name])
        detail = (
            f"{len(parts.stacks)} stacks told apart by {_keywords(parts.split_by)}: {sizes} slices"
        )
        detail += f": {names}"
        found.append(Issue("several_acquisitions", detail))
    found += _number_hole(rest)
    found += _units(rest)
    found += _noted(rows)
    return found


def headers_issues(rows: pl.DataFrame) -> list[Issue]:
    """List what headers lack of position and size, and in what they differ."""
    return [*_absent(rows), *_mixed(rows)]


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
    found = [Issue("gap", _shortened(gaps))] if gaps else []
    return [*found, Issue("irregular_spacing", _shortened(irregular))] if irregular else found


def _absent(rows: pl.DataFrame) -> list[Issue]:
    """Name the positions and spacings that headers do not give."""
    absent = []
    unplaced = rows.height - len(placed_rows(rows))
    if unplaced:
        no_position = rows["position_mm"].null_count()
        wiped = unplaced == rows.height and not no_position and rows.height > 1
        wiped = wiped and all(not any(position) for position in rows["position_mm"])
        why = "every (0020,0032) is 0\\0\\0" if wiped else "no (0020,0032) or no usable (0020,0037)"
        absent.append(f"{unplaced} of {rows.height} slices have no place: {why}")
    spaceless = rows["row_spacing_mm"].null_count()
    if spaceless:
        absent.append(f"{spaceless} of {rows.height} slices have no (0028,0030) PixelSpacing")
    return [Issue("no_geometry", "; ".join(absent))] if absent else []


def _mixed(rows: pl.DataFrame) -> list[Issue]:
    found = []
    placed = rows[placed_rows(rows)]
    if placed.height:
        plane = plane_numbers(np.array(placed["orientation"].to_list()))
        if plane.any():
            counts = " + ".join(map(str, np.bincount(plane)))
            detail = f"{plane.max() + 1} planes: {counts} slices"
            found.append(Issue("mixed_orientation", detail))
    for name, columns in (
        ("mixed_shape", ("Rows", "Columns")),
        ("mixed_rescale", ("RescaleSlope", "RescaleIntercept")),
    ):
        kinds = Counter(zip(*(rows[column].to_list() for column in columns), strict=True))
        if len(kinds) > 1:
            shown = _shortened([f"{count} x {pair}" for pair, count in kinds.most_common()])
            found.append(Issue(name, f"{' and '.join(columns)}: {shown}"))
    units = Counter(units_of(rows))
    if len(units) > 1:
        shown = _shortened(
            [f"{count} x {unit or 'no unit'}" for unit, count in units.most_common()]
        )
        found.append(Issue("mixed_unit", shown))
    pairs = zip(rows["row_spacing_mm"].to_list(), rows["column_spacing_mm"].to_list(), strict=True)
    spacing = np.array([pair for pair in pairs if None not in pair])
    if len(spacing) and float(np.ptp(spacing, axis=0).max()) > SPACING_TOLERANCE_MM:
        low, high = spacing.min(axis=0), spacing.max(axis=0)
        detail = f"rows {low[0]:.4f} to {high[0]:.4f} mm, columns {low[1]:.4f} to {high[1]:.4f} mm"
        found.append(Issue("mixed_spacing", detail))
    return found


def _duplicates(rows: pl.DataFrame, place: SlicePlacement) -> list[Issue]:
    along = place.positions_mm
    same = np.flatnonzero(np.diff(along) < SAME_POSITION_MM)
    if not len(same):
        return []
    pairs = [
        f"slices {k} and {k + 1} at {along[k]:.2f} mm ({slice_names(rows[k : k + 2])})"
        for k in same
    ]
    return [Issue("duplicate_position", f"{len(same)} times: {_shortened(pairs)}")]


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


def _number_hole(rows: pl.DataFrame) -> list[Issue]:
    numbers = rows["InstanceNumber"].drop_nulls().to_numpy()
    if len(numbers) < rows.height or rows.height < 3:
        return []
    holes = int(numbers.max() - numbers.min() + 1 - len(np.unique(numbers)))
    if holes <= 0:
        return []
    return [
        Issue("number_hole", f"{holes} numbers missing from {numbers.min()} to {numbers.max()}")
    ]


def _noted(rows: pl.DataFrame) -> list[Issue]:
    """Count the notes of single headers over the series."""
    counted = ("spacing_from_detector", "burned_in", *NAMED)
    notes: list[list[str] | None] = rows["notes"].to_list()
    found = [
        issue for issue in noted_issues([of_row or () for of_row in notes]) if issue.name in counted
    ]
    for name, count in (
        ("lossy", rows["lossy"].to_list().count(True)),
        ("monochrome1", rows["PhotometricInterpretation"].to_list().count("MONOCHROME1")),
    ):
        if count:
            found.append(Issue(name, f"{count} of {rows.height} slices"))
    return found


def _units(rows: pl.DataFrame) -> list[Issue]:
    """Count CT slices that are not in HU, or are taken so, by element."""
    counts: dict[str, Counter[str]] = {}
    for row in rows.select(UNIT_COLUMNS).iter_rows(named=True):
        unit = unit_of(row)
        if unit.issue is not None:
            counts.setdefault(unit.issue, Counter())[unit.detail] += 1
    return [
        Issue(
            name, _shortened([f"{n} of {rows.height} slices: {why}" for why, n in reasons.items()])
        )
        for name, reasons in sorted(counts.items())
    ]


def noted_issues(notes: Sequence[Sequence[str]]) -> list[Issue]:
    """Count the notes of slices, one sequence of notes each, by name, with their details."""
    details: dict[str, dict[str, None]] = {}
    counts = Counter[str]()
    for of_slice in notes:
        pairs = [name_and_detail(text) for text in of_slice]
        counts.update({name for name, _ in pairs})
        for name, detail in pairs:
            details.setdefault(name, {}).update({detail: None} if detail else {})
    found = []
    for name in sorted(counts):
        count = f"{counts[name]} of {len(notes)} slices"
        shown = _shortened([*details[name]], most=3, between="; ")
        if len(notes) > 1:
            shown = f"{count}: {shown}" if shown else count
        found.append(Issue(name, shown or count))
    return found


def _keywords(columns: Sequence[str]) -> str:
    return " and ".join(KEYWORDS.get(name, name) for name in columns)


def slice_names(rows: pl.DataFrame) -> str:
    """Join the SOP Instance UIDs of the first rows, and say how many more there are."""
    return _shortened(rows["SOPInstanceUID"].fill_null("no UID").to_list())


def _shortened(items: Sequence[object], most: int = 5, between: str = ", ") -> str:
    shown = between.join(map(str, items[:most]))
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"
