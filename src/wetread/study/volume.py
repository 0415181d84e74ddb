"""study/volume.py: the rows of one series become blocks of voxels with their place in space."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from wetread.archive.notebook import picture_html
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float32Array, Float64Array, Row
from wetread.study.acquisitions import SAME_POSITION_MM
from wetread.study.issue import Issue, slice_names
from wetread.study.issues import headers_issues, noted_issues, series_issues
from wetread.study.placement import SlicePlacement, stack_placement
from wetread.study.preview import three_planes
from wetread.study.series import order_slices
from wetread.study.slices import Slice, slice_from_row
from wetread.study.split import SeriesParts, split_series
from wetread.study.stack_issues import stack_issues
from wetread.study.unit import ADVICE, common_unit

# What a few strays cause, which the stack without them has not.
_OF_STRAYS = frozenset(
    ("mixed_orientation", "mixed_shape", "mixed_spacing", "mixed_unit", "no_geometry")
)
RESOLVED_BY_SPLIT = frozenset(
    ("mixed_orientation", "mixed_shape", "mixed_spacing", "mixed_unit", "several_acquisitions")
)


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """One stack of a series as one block.

    hu:        (Z, Y, X) float32; Z along the normal; in `unit`, study/unit.py.
    place:     where each slice lies, for `affine` and `positions_mm`.
    sources:   Z SOP Instance UIDs, in hu's order; "" for a slice that was interpolated.
    issues:    what is unusual; one that is resolved does not stand in the way of an affine.
    acquisition: its name among those of its series, `acquisition 2`; "" where there is one.
    slice_map: (Z,) float64: the number of each slice among those that were read; between two whole
               numbers where it was interpolated.
    """

    hu: Float32Array
    place: SlicePlacement
    sources: tuple[str, ...]
    issues: tuple[Issue, ...]
    slice_map: Float64Array
    unit: str | None = field(default="HU")
    acquisition: str = ""

    @property
    def affine(self) -> Float64Array:
        """Return the affine (4, 4) of index (z, y, x, 1) to LPS mm; all NaN where no one holds."""
        return self.place.affine

    @property
    def positions_mm(self) -> Float64Array:
        """Return each slice's position along the normal, (Z,) mm; NaN where it has no place."""
        return self.place.positions_mm

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Between slices (the median distance), rows and columns; NaN where it is not known."""
        steps = np.diff(self.positions_mm)
        between = float(np.median(steps)) if len(steps) else float(self.place.thickness_mm[0])
        rows, columns = self.place.spacing_mm
        return between, float(rows), float(columns)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.hu.shape))
        spacing = " x ".join(f"{step:.3g}" for step in self.spacing_mm)
        return f"Volume({shape}, {self.unit or 'no unit'}, {spacing} mm)"

    def _repr_html_(self) -> str:
        """Return the middle planes as a picture, with size, unit and the names of issues."""
        names = ", ".join(dict.fromkeys(issue.name for issue in self.issues))
        caption = f"{self!r}, issues: {names}" if names else repr(self)
        return picture_html(three_planes(self.hu, self.spacing_mm, self.unit), caption)


def require_hu(volume: Volume) -> None:
    """Raise RejectError, with the header's reason, unless the values are Hounsfield units."""
    if volume.unit == "HU":
        return
    reasons = [issue for issue in volume.issues if issue.name in ("no_rescale", "not_hu")]
    if not reasons and volume.unit == "grey":
        raise RejectError("wrong_kind", "values in grey; anatomy is found in HU")
    if not reasons:
        raise RejectError("not_hu", f"values in {volume.unit or 'several units'}; {ADVICE}")
    raise RejectError(reasons[0].name, f"{reasons[0].detail}; {ADVICE}")


def volume_from_rows(rows: pl.DataFrame) -> Volume:
    """Read the volume of one series' rows, in any order: its stack with the most slices.

    Localizers, captures, copies, slices of other stacks and slices that cannot be read are left
    out and named in the issues. Raises RejectError where no slice can be read.
    """
    parts, issues, known = _opened(rows)
    return _stacked(parts.stacks[0], _without_strays(parts, issues), known, parts.names[0])


def acquisitions_from_rows(rows: pl.DataFrame) -> list[Volume]:
    """Read one volume each of each acquisition of the rows, the largest first."""
    parts, issues, known = _opened(rows)
    issues = _without_strays(parts, issues)
    if not parts.names[0]:
        return [_stacked(parts.stacks[0], issues, known, "")]
    own = [at for at, name in enumerate(parts.names) if name]
    resolved = [
        replace(issue, resolved_by=f"split into {len(own)} stacks")
        if issue.name == "several_acquisitions"
        else issue
        for issue in issues
    ]
    return [_stacked(parts.stacks[at], resolved, known, parts.names[at]) for at in own]


def volumes_from_rows(rows: pl.DataFrame) -> list[Volume]:
    """Read one volume a stack of the series, the most slices first.

    Only localizers, captures, copies and what cannot be read are left out. Raises RejectError where
    nothing can be read.
    """
    parts, issues, known = _opened(rows)
    count = len(parts.stacks)
    resolved = [
        replace(issue, resolved_by=f"split into {count} stacks")
        if issue.name in RESOLVED_BY_SPLIT
        else issue
        for issue in issues
    ]
    volumes: list[Volume] = []
    unread: list[RejectError] = []
    for stack, name in zip(parts.stacks, parts.names, strict=True):
        try:
            volumes.append(_stacked(stack, _issues_of_stack(stack, resolved, count), known, name))
        except RejectError as error:
            unread.append(error)
    if not volumes:
        raise unread[0]
    if not unread:
        return volumes
    detail = f"{len(unread)} of {count} stacks, the first: {unread[0]}"
    apart = Issue("slices_rejected", detail, "in stacks of their own")
    return [replace(volume, issues=(*volume.issues, apart)) for volume in volumes]


def _issues_of_stack(stack: pl.DataFrame, issues: Sequence[Issue], count: int) -> list[Issue]:
    """Make a series' issues those of one of its stacks: slices without a place are in another one,
    unless they are its own."""
    if any(issue.name == "no_geometry" for issue in headers_issues(stack)):
        return list(issues)
    how = f"split into {count} stacks"
    return [
        replace(issue, resolved_by=how) if issue.name == "no_geometry" else issue
        for issue in issues
    ]


def _without_strays(parts: SeriesParts, issues: Sequence[Issue]) -> list[Issue]:
    """Resolve the issues that a series' few strays alone cause, which are left out."""
    if parts.strays.is_empty() or parts.stacks[0].height <= parts.strays.height:
        return list(issues)
    own = {issue.name for issue in headers_issues(parts.stacks[0])}
    how = f"{parts.strays.height} strays left out: {slice_names(parts.strays)}"
    return [
        replace(issue, resolved_by=how) if issue.name in _OF_STRAYS - own else issue
        for issue in issues
    ]


_Key = tuple[str, str | None, int | None]


def _opened(rows: pl.DataFrame) -> tuple[SeriesParts, list[Issue], dict[_Key, Slice]]:
    """Split a series without its copies: (parts, issues, slices read to find the copies)."""
    if rows.is_empty():
        raise RejectError("no_geometry", "no slice in the series")
    rows, copies, known = _without_copies(order_slices(rows))
    parts = split_series(rows)
    return parts, [*copies, *series_issues(rows, parts)], known


def _stacked(
    rows: pl.DataFrame, issues: Sequence[Issue], known: Mapping[_Key, Slice], acquisition: str
) -> Volume:
    """Read the volume of one stack's rows, in order."""
    slices: list[Slice] = []
    read: list[int] = []
    errors: dict[int, RejectError] = {}
    for number, row in enumerate(rows.iter_rows(named=True)):
        try:
            slices.append(known.get(_key(row)) or slice_from_row(row))
            read.append(number)
        except RejectError as error:
            errors[number] = error
    if not slices:
        raise errors[0]
    kept = rows[read]
    return Volume(
        hu=np.stack([slice_.values() for slice_ in slices]),
        place=stack_placement(kept),
        sources=tuple(kept["SOPInstanceUID"].fill_null("").to_list()),
        issues=(
            *issues,
            *stack_issues(rows),
            *_rejected(rows, errors, read),
            *_shown_by_pixels(slices, {issue.name for issue in issues}),
        ),
        slice_map=np.arange(len(read), dtype=np.float64),
        unit=common_unit(slice_.unit for slice_ in slices),
        acquisition=acquisition,
    )


def _without_copies(
    rows: pl.DataFrame,
) -> tuple[pl.DataFrame, list[Issue], dict[_Key, Slice]]:
    """Drop rows whose position and pixels another has; slices at repeated positions are read."""
    steps = pl.element().truediv(SAME_POSITION_MM).round()
    keys = [
        rows["position_mm"].list.eval(steps).alias("position"),
        *rows.select("orientation", "Rows", "Columns"),
    ]
    placed = pl.DataFrame(keys).with_row_index("at").filter(pl.col("position").is_not_null())
    groups = placed.group_by("position", "orientation", "Rows", "Columns").agg("at")
    known: dict[_Key, Slice] = {}
    copies: dict[int, int] = {}
    for at in sorted(groups.filter(pl.col("at").list.len() > 1)["at"].to_list()):
        distinct: list[tuple[int, str | None, Float32Array]] = []
        for number in sorted(at):
            row = rows.row(number, named=True)
            try:
                known[_key(row)] = slice_ = slice_from_row(row)
            except RejectError:
                continue  # it is named where the stack is read
            values = slice_.values()
            same = [
                first
                for first, unit, other in distinct
                if unit == slice_.unit and np.array_equal(values, other)
            ]
            if same:
                copies[number] = same[0]
            else:
                distinct.append((number, slice_.unit, values))
    if not copies:
        return rows, [], known
    uids = rows["SOPInstanceUID"].fill_null("no UID").to_list()
    pairs = ", ".join(f"{uids[copy]} is {uids[first]} again" for copy, first in copies.items())
    issue = Issue("duplicate_removed", f"{len(copies)} of {rows.height} slices: {pairs}")
    kept = [number for number in range(rows.height) if number not in copies]
    return rows[kept], [issue], known


def _key(row: Row) -> _Key:
    return row["path"], row["member"], row.get("frame")


def _rejected(
    rows: pl.DataFrame, errors: Mapping[int, RejectError], read: Sequence[int]
) -> list[Issue]:
    """List slices that cannot be read; those beyond the ends leave no hole."""
    if not errors:
        return []
    uids = rows["SOPInstanceUID"].fill_null("no UID").to_list()
    rejected = ", ".join(f"{uids[number]} ({error.reason})" for number, error in errors.items())
    inside = any(read[0] < number < read[-1] for number in errors)
    resolved = "" if inside else "beyond the ends of the stack"
    return [Issue("slices_rejected", f"{len(errors)} of {rows.height}: {rejected}", resolved)]


def _shown_by_pixels(slices: list[Slice], known: Set[str]) -> list[Issue]:
    """Count the notes of the slices, without those that are known from the headers."""
    found = noted_issues([slice_.notes for slice_ in slices])
    return [issue for issue in found if issue.name not in known]
