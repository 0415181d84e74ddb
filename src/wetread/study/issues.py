"""study/issues.py: what headers of a series show that is unusual, by name, with figures."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.notes import NAMED, name_and_detail
from wetread.study.acquisitions import KEYWORDS
from wetread.study.geometry import (
    plane_numbers,
)
from wetread.study.issue import Issue, shortened, slice_names
from wetread.study.series import placed_rows
from wetread.study.split import SPACING_TOLERANCE_MM, SeriesParts, split_series
from wetread.study.stack_issues import stack_issues
from wetread.study.unit import UNIT_COLUMNS, read_unit, read_units


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
        names = shortened([name for name in parts.names if name])
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
            shown = shortened([f"{count} x {pair}" for pair, count in kinds.most_common()])
            found.append(Issue(name, f"{' and '.join(columns)}: {shown}"))
    units = Counter(read_units(rows))
    if len(units) > 1:
        shown = shortened([f"{count} x {unit or 'no unit'}" for unit, count in units.most_common()])
        found.append(Issue("mixed_unit", shown))
    pairs = zip(rows["row_spacing_mm"].to_list(), rows["column_spacing_mm"].to_list(), strict=True)
    spacing = np.array([pair for pair in pairs if None not in pair])
    if len(spacing) and float(np.ptp(spacing, axis=0).max()) > SPACING_TOLERANCE_MM:
        low, high = spacing.min(axis=0), spacing.max(axis=0)
        detail = f"rows {low[0]:.4f} to {high[0]:.4f} mm, columns {low[1]:.4f} to {high[1]:.4f} mm"
        found.append(Issue("mixed_spacing", detail))
    return found


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
        unit = read_unit(row)
        if unit.issue is not None:
            counts.setdefault(unit.issue, Counter())[unit.detail] += 1
    return [
        Issue(
            name, shortened([f"{n} of {rows.height} slices: {why}" for why, n in reasons.items()])
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
        shown = shortened([*details[name]], most=3, between="; ")
        if len(notes) > 1:
            shown = f"{count}: {shown}" if shown else count
        found.append(Issue(name, shown or count))
    return found


def _keywords(columns: Sequence[str]) -> str:
    return " and ".join(KEYWORDS.get(name, name) for name in columns)
