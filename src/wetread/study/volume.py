"""study/volume.py: the rows of one series become one block of voxels with its place in space."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from wetread.archive.rejects import RejectError
from wetread.study.geometry import affine_lps, along_normal, commonest_orientation
from wetread.study.issues import Issue, geometry_issues
from wetread.study.series import ordered, placed_rows
from wetread.study.slices import Slice, read_slice


@dataclass(frozen=True, eq=False)
class Volume:
    """One series as one block.

    hu:           (Z, Y, X) float32; Z along the normal. `unit` says HU (CT) or grey (all else).
    affine:       (4, 4) float64; index (z, y, x, 1) to patient position, mm, LPS; NaN where the
                  headers give no place.
    positions_mm: (Z,) along the normal; NaN where a slice has no place.
    sources:      Z SOP Instance UIDs, in hu's order.
    issues:       what is unusual; a volume with a gap keeps its slices, not a true last column.
    """

    hu: np.ndarray
    affine: np.ndarray
    positions_mm: np.ndarray
    sources: tuple[str, ...]
    issues: tuple[Issue, ...]
    unit: str = field(default="HU")


def read_volume(rows: pl.DataFrame) -> Volume:
    """The volume of one series' rows, in any order.

    Slices that cannot be read, and those of another shape than most, are left out and named in the
    issues. Raises RejectError where no slice can be read.
    """
    rows = ordered(rows)
    shapes = Counter(zip(rows["Rows"].to_list(), rows["Columns"].to_list(), strict=True))
    shape = shapes.most_common(1)[0][0]
    issues = list(geometry_issues(rows))
    slices: list[Slice] = []
    read: list[int] = []
    left_out: list[str] = []
    first_error: RejectError | None = None
    for number, row in enumerate(rows.iter_rows(named=True)):
        if (row["Rows"], row["Columns"]) != shape:
            continue
        try:
            slices.append(read_slice(row))
            read.append(number)
        except RejectError as error:
            first_error = first_error or error
            left_out.append(f"{row['SOPInstanceUID']} ({error.reason})")
    if not slices:
        raise first_error or RejectError("no_geometry", "no slice in the series")
    if left_out:
        issues.append(Issue("slices_rejected", f"{len(left_out)}: {', '.join(left_out)}"))
    issues += _shown_by_pixels(slices)
    kept = rows[read]
    affine, along = _place(kept)
    return Volume(
        hu=np.stack([one.values() for one in slices]),
        affine=affine,
        positions_mm=along,
        sources=tuple(kept["SOPInstanceUID"].fill_null("").to_list()),
        issues=tuple(issues),
        unit="HU" if {one.unit for one in slices} == {"HU"} else "grey",
    )


def _shown_by_pixels(slices: list[Slice]) -> list[Issue]:
    """The notes of the slices, counted."""
    counts = Counter(note for one in slices for note in one.notes)
    return [
        Issue(name, f"{count} of {len(slices)} slices") for name, count in sorted(counts.items())
    ]


def _place(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(affine (4, 4), positions along the normal (Z,)) of rows in order."""
    along = np.full(rows.height, np.nan)
    placed = placed_rows(rows)
    if not len(placed):
        return np.full((4, 4), np.nan), along
    positions = np.array(rows["position_mm"].gather(placed).to_list())
    orientations = np.array(rows["orientation"].gather(placed).to_list())
    usual = commonest_orientation(orientations)
    along[placed] = along_normal(positions, orientations[usual])
    first = rows.row(int(placed[usual]), named=True)
    spacing = first["row_spacing_mm"], first["column_spacing_mm"]
    if None in spacing or len(placed) < rows.height:
        return np.full((4, 4), np.nan), along
    thickness = first["SliceThickness"] or 1.0
    return affine_lps(orientations[usual], spacing, positions, thickness), along
