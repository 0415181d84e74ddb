"""survey/masks.py: masks in numbers: how large, how many an image, and where they lie.

In: a LabelTable's masks and rows of an Index with the images' shapes. Out: frames.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray
from wetread.labels.mask_text import decode_masks
from wetread.labels.rle import RleError
from wetread.labels.table import LabelTable

GRID = 24  # cells of the heat map, down and across
MOST_MASKS = 3000  # that are decoded, drawn by seed
AREA_SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "finding": pl.String(),
    "view": pl.String(),
    "marks": pl.Int64(),  # texts of the file that were united
    "pixels": pl.Int64(),
    "share": pl.Float64(),  # of the picture
    "area_mm2": pl.Float64(),  # null without a spacing
    "error": pl.String(),  # why it is no mask of this picture
}
HEAT_SCHEMA: dict[str, pl.DataType] = {
    "finding": pl.String(),
    "view": pl.String(),
    "row": pl.Int64(),
    "column": pl.Int64(),
    "share": pl.Float64(),  # mean share of the cell that is marked, over the masks
}


def mask_areas(
    labels: LabelTable, images: pl.DataFrame, seed: int = 0, most: int = MOST_MASKS
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Measure masks, AREA_SCHEMA, and where they lie, HEAT_SCHEMA; those of images that are there,
    and of more than `most` so many, drawn by seed.

    images: rows of an index.
    """
    columns = ["SOPInstanceUID", "Rows", "Columns", "ViewPosition", "row_spacing_mm",
               "column_spacing_mm"]  # fmt: skip
    known = images.select(columns).drop_nulls(["SOPInstanceUID", "Rows", "Columns"])
    marked = labels.masks.filter(pl.col("runs").list.len() > 0).join(
        known.unique("SOPInstanceUID"), left_on="id", right_on="SOPInstanceUID", how="inner",
        maintain_order="left",
    )  # fmt: skip
    if marked.height > most:
        marked = marked[np.sort(np.random.default_rng(seed).permutation(marked.height)[:most])]
    areas: list[dict[str, object]] = []
    heat: dict[tuple[str, str | None], list[np.ndarray]] = {}
    for row in marked.iter_rows(named=True):
        try:
            mask = decode_masks(row["runs"], (row["Rows"], row["Columns"]), row["form"])
        except RleError as error:
            areas.append(_area(row, None, str(error)))
            continue
        areas.append(_area(row, mask, None))
        heat.setdefault((row["finding"], row["ViewPosition"]), []).append(_cells(mask))
    maps = [
        (finding, view, place // GRID, place % GRID, value)
        for (finding, view), cells in heat.items()
        for place, value in enumerate(np.mean(cells, axis=0).ravel().tolist())
    ]
    return (
        pl.DataFrame(areas, schema=AREA_SCHEMA),
        pl.DataFrame(maps, schema=HEAT_SCHEMA, orient="row"),
    )


def _area(
    row: Mapping[str, object], mask: BoolArray | None, error: str | None
) -> dict[str, object]:
    pixels = None if mask is None else int(mask.sum())
    down, across, runs = row["row_spacing_mm"], row["column_spacing_mm"], row["runs"]
    area = None
    if pixels is not None and isinstance(down, float) and isinstance(across, float):
        area = pixels * down * across
    return {
        "id": row["id"], "finding": row["finding"], "view": row["ViewPosition"],
        "marks": len(runs) if isinstance(runs, list) else 0, "pixels": pixels,
        "share": None if mask is None else float(mask.mean()),
        "area_mm2": area, "error": error,
    }  # fmt: skip


def _cells(mask: BoolArray) -> np.ndarray:
    """Return the share of each of GRID x GRID cells of a picture that is marked, float32."""
    import cv2

    grid = np.ascontiguousarray(mask, np.float32)
    return np.asarray(cv2.resize(grid, (GRID, GRID), interpolation=cv2.INTER_AREA))


def describe_masks(areas: pl.DataFrame) -> pl.DataFrame:
    """Describe masks by finding and view: finding, view, images, marks_an_image (mean), share_p5,
    share_median and share_p95 of the picture, median_mm2, refused. areas: AREA_SCHEMA."""
    share = pl.col("share")
    return (
        areas.group_by("finding", "view", maintain_order=True)
        .agg(
            images=pl.len(), marks_an_image=pl.col("marks").mean(),
            share_p5=share.quantile(0.05, "nearest"), share_median=share.median(),
            share_p95=share.quantile(0.95, "nearest"), median_mm2=pl.col("area_mm2").median(),
            refused=pl.col("error").count(),
        )
        .sort("finding", "view", nulls_last=True)
    )  # fmt: skip
