"""study/series.py: the images of an Index become series, each with its slices in order."""

import numpy as np
import polars as pl

from wetread.archive.index.frames import frame_rows
from wetread.archive.rejects import RejectError
from wetread.archive.types import Float64Array, Int64Array
from wetread.study.geometry import along_normal, are_orientations, commonest_orientation

_TIES = ("InstanceNumber", "SOPInstanceUID", "path", "member", "frame")


def series_slices(images: pl.DataFrame) -> list[pl.DataFrame]:
    """Make one table a series, its slices along the normal; sorted by study and series.

    images: rows of an Index, state "image". An image without a series stands alone. File names,
    SliceLocation and InstanceNumber do not order; slices without a place follow the placed ones.
    """
    if images.is_empty():
        return []
    images = with_frames(images)
    own = pl.concat_str(pl.col("path"), pl.lit("\n"), pl.col("member").fill_null(""))
    keyed = images.with_columns(
        _series=pl.coalesce("SeriesInstanceUID", "SOPInstanceUID", own),
        _study=pl.col("StudyInstanceUID").fill_null(""),
    ).sort("_study", "_series", maintain_order=True)
    parts = keyed.partition_by("_study", "_series", maintain_order=True)
    return [order_slices(part.drop("_study", "_series")) for part in parts]


def with_frames(images: pl.DataFrame) -> pl.DataFrame:
    """Add `frame` and `stack_id` to rows: one row a frame where a file has several.

    A file whose frames cannot be told apart keeps its one row; reading it gives the reason.
    """
    if "frame" in images.columns:
        return images
    schema = {**images.schema, "frame": pl.Int64(), "stack_id": pl.String()}
    several = pl.col("NumberOfFrames").fill_null(1) > 1
    parts = [images.filter(~several)]
    for row in images.filter(several).iter_rows(named=True):
        try:
            rows = frame_rows(row)
        except RejectError:
            rows = [row]
        parts.append(pl.DataFrame(rows, schema=schema))
    return (
        pl.concat(parts, how="diagonal").select(list(schema))
        if len(parts) > 1
        else (images.with_columns(frame=pl.lit(None, pl.Int64), stack_id=pl.lit(None, pl.String)))
    )


def order_slices(rows: pl.DataFrame) -> pl.DataFrame:
    """Order the rows of one series along the normal that most of them share."""
    rows = with_frames(rows).sort(*_TIES, nulls_last=True)
    if rows.height == 1:
        return rows
    return rows[np.argsort(positions_mm(rows), kind="stable")]  # NaN sorts last


def positions_mm(rows: pl.DataFrame) -> Float64Array:
    """Project each slice's position on the normal that most share: (N,) mm; NaN without a place."""
    place = np.full(rows.height, np.nan)
    placed = placed_rows(rows)
    if len(placed):
        orientations = np.array(rows["orientation"].gather(placed).to_list())
        positions = np.array(rows["position_mm"].gather(placed).to_list())
        normal_of = orientations[commonest_orientation(orientations)]
        place[placed] = along_normal(positions, normal_of)
    return place


def placed_rows(rows: pl.DataFrame) -> Int64Array:
    """List the numbers (K,) of rows that have a position and an orientation.

    Several slices that all lie at 0, 0, 0 have none: the positions were wiped.
    """
    positions = rows["position_mm"].to_list()
    if len(positions) > 1 and all(p is not None and not any(p) for p in positions):
        return np.empty(0, np.int64)
    orientations = rows["orientation"].to_list()
    complete = [
        number
        for number, pair in enumerate(zip(positions, orientations, strict=True))
        if pair[0] is not None and pair[1] is not None
    ]
    if not complete:
        return np.empty(0, np.int64)
    usable = are_orientations(np.array([orientations[number] for number in complete]))
    placed: Int64Array = np.array(complete, np.int64)[usable]
    return placed
