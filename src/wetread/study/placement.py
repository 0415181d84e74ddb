"""study/placement.py: where the slices of one stack lie, from their rows; headers only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.types import Float64Array
from wetread.study.geometry import (
    affine_lps,
    along_normal,
    commonest_orientation,
    is_regular,
    unit_axes,
)
from wetread.study.series import placed_rows

UNKNOWN_THICKNESS_MM = 1.0  # the step of a lone slice that says no thickness


@dataclass(frozen=True, eq=False)
class SlicePlacement:
    """Where the slices of one stack lie, LPS, mm; NaN where the headers do not say.

    origins_mm:   (Z, 3) the center of each slice's first voxel.
    orientation:  (6,) along a row, then along a column, as (0020,0037).
    spacing_mm:   between rows, between columns.
    thickness_mm: (Z,) of the slabs, which is not their distance.
    """

    origins_mm: Float64Array
    orientation: Float64Array
    spacing_mm: tuple[float, float]
    thickness_mm: Float64Array

    @property
    def positions_mm(self) -> Float64Array:
        """Project the origins on the normal: (Z,) mm; NaN without an orientation."""
        if np.isnan(self.orientation).any():
            return np.full(len(self.origins_mm), np.nan)
        return along_normal(self.origins_mm, self.orientation)

    @property
    def affine(self) -> Float64Array:
        """Make the affine (4, 4) of index (z, y, x, 1) to LPS mm; all NaN where no one holds.

        It holds where every slice lies within 0.1 mm of first + z * step. A lone slice steps by
        its thickness along the normal (1 mm where it has none).
        """
        known = (self.origins_mm, self.orientation, np.array(self.spacing_mm))
        if any(np.isnan(part).any() for part in known) or not is_regular(self.origins_mm):
            return np.full((4, 4), np.nan)
        if len(self.origins_mm) > 1 and np.ptp(self.positions_mm) == 0:
            return np.full((4, 4), np.nan)
        thickness = self.thickness_mm[0]
        step = thickness if thickness > 0 else UNKNOWN_THICKNESS_MM
        return affine_lps(self.orientation, self.spacing_mm, self.origins_mm, step)

    def position_of(self, index: Float64Array) -> Float64Array:
        """Place voxels (..., 3) as (z, y, x), z whole, in LPS mm: (..., 3), also where no affine
        holds."""
        index = np.asarray(index, np.float64)
        if np.isnan(self.orientation).any():
            return np.full(index.shape, np.nan)
        row, column, _ = unit_axes(self.orientation)
        between_rows, between_columns = self.spacing_mm
        origin = self.origins_mm[index[..., 0].astype(np.int64)]
        down, across = index[..., 1, None] * between_rows, index[..., 2, None] * between_columns
        place: Float64Array = origin + down * column + across * row
        return place


def stack_placement(rows: pl.DataFrame) -> SlicePlacement:
    """Read the placement of the rows of one stack, in their order."""
    origins = np.full((rows.height, 3), np.nan)
    orientation = np.full(6, np.nan)
    placed = placed_rows(rows)
    if len(placed):
        own = rows[placed]
        origins[placed] = np.array(own["position_mm"].to_list())
        orientations = np.array(own["orientation"].to_list())
        orientation = orientations[commonest_orientation(orientations)]
    pairs = zip(rows["row_spacing_mm"].to_list(), rows["column_spacing_mm"].to_list(), strict=True)
    spacing = next((pair for pair in pairs if None not in pair), (np.nan, np.nan))
    thickness = np.array(rows["SliceThickness"].to_list(), np.float64)
    return SlicePlacement(origins, orientation, spacing, thickness)


def series_placement(ids: Sequence[str] | pl.Series, images: pl.DataFrame) -> SlicePlacement:
    """Read the placement of the images of one stack, SOPInstanceUIDs in order of position, from
    rows of an index."""
    asked = pl.DataFrame({"SOPInstanceUID": pl.Series(ids, dtype=pl.String)})
    return stack_placement(
        asked.join(images, on="SOPInstanceUID", how="left", maintain_order="left")
    )
