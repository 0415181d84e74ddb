"""study/volume.py: the rows of one series become one block of voxels with its place in space."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.pixels import read_stored
from wetread.archive.rejects import RejectError
from wetread.study.geometry import affine_lps, along_normal, commonest_orientation
from wetread.study.hu import AIR_HU, padding_range, rescale, to_hu
from wetread.study.issues import Issue, geometry_issues
from wetread.study.series import ordered, placed_rows


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
    slices: list[np.ndarray] = []
    read: list[int] = []
    left_out: list[str] = []
    undeclared = 0
    first_error: RejectError | None = None
    for number, row in enumerate(rows.iter_rows(named=True)):
        if (row["Rows"], row["Columns"]) != shape:
            continue
        try:
            stored = read_stored(row)
            if stored.ndim != 2:
                raise RejectError("wrong_kind", f"{len(stored)} frames, where one is wanted")
        except RejectError as error:
            first_error = first_error or error
            left_out.append(f"{row['SOPInstanceUID']} ({error.reason})")
            continue
        undeclared += has_undeclared_padding(stored, row)
        slices.append(values_of(stored, row))
        read.append(number)
    if not slices:
        raise first_error or RejectError("no_geometry", "no slice in the series")
    if left_out:
        issues.append(Issue("slices_rejected", f"{len(left_out)}: {', '.join(left_out)}"))
    if undeclared:
        detail = f"{undeclared} of {len(slices)} slices hold HU below -1024 and declare no padding"
        issues.append(Issue("padding_undeclared", detail))
    kept = rows[read]
    affine, along = _place(kept)
    return Volume(
        hu=np.stack(slices),
        affine=affine,
        positions_mm=along,
        sources=tuple(kept["SOPInstanceUID"].fill_null("").to_list()),
        issues=tuple(issues),
        unit="HU" if set(kept["Modality"].to_list()) <= {"CT"} else "grey",
    )


def values_of(stored: np.ndarray, row: dict[str, Any]) -> np.ndarray:
    """HU of a CT slice; of another image slope * stored + intercept; float32, same shape."""
    slope, intercept = rescale(row)
    if row["Modality"] == "CT":
        return to_hu(stored, slope, intercept, padding_range(row))
    grey: np.ndarray = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    return grey


def has_undeclared_padding(stored: np.ndarray, row: dict[str, Any]) -> bool:
    """Whether a CT slice holds HU below -1024 although its header declares no padding."""
    if row["Modality"] != "CT" or row["PixelPaddingValue"] is not None:
        return False
    slope, intercept = rescale(row)
    ends = np.array([stored.min(), stored.max()], np.float64) * slope + intercept
    return bool(ends.min() < AIR_HU)


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
