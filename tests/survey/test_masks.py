"""tests/survey/test_masks.py: masks in numbers, against masks that a test draws."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from wetread.labels.mask_text import picture_text
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelTable
from wetread.survey.masks import GRID, describe_masks, mask_areas

Index = Callable[..., pl.DataFrame]


def labels(*masks: tuple[str, list[str]]) -> LabelTable:
    frame = pl.DataFrame(
        [("image", one, "air", 1.0) for one, _ in masks], schema=LABEL_SCHEMA, orient="row"
    )
    rows = [(one, "air", "picture", texts) for one, texts in masks]
    return LabelTable(
        frame, pl.DataFrame(), 0, masks=pl.DataFrame(rows, schema=MASK_SCHEMA, orient="row")
    )


def test_areas_are_pixels_shares_and_square_millimeters(index_rows: Index) -> None:
    mask = np.zeros((48, 96), bool)
    mask[:12, 48:] = True
    images = index_rows(
        {}, {}, Rows=48, Columns=96, row_spacing_mm=0.5, column_spacing_mm=2.0, ViewPosition="PA"
    )
    table = labels(("image-0", [picture_text(mask)]), ("image-1", []), ("elsewhere", []))
    areas, heat = mask_areas(table, images)
    (row,) = areas.iter_rows(named=True)
    assert (row["pixels"], row["marks"], row["view"]) == (12 * 48, 1, "PA")
    assert row["share"] == pytest.approx(1 / 8)
    assert row["area_mm2"] == pytest.approx(12 * 48 * 0.5 * 2.0)
    cells = np.zeros((GRID, GRID))
    cells[heat["row"].to_numpy(), heat["column"].to_numpy()] = heat["share"].to_numpy()
    assert cells[: GRID // 4, GRID // 2 :] == pytest.approx(1.0)
    assert cells.sum() == pytest.approx(GRID * GRID / 8)


def test_a_mask_of_another_shape_is_named_and_counted(index_rows: Index) -> None:
    table = labels(("image-0", [picture_text(np.ones((4, 4), bool))]))
    areas, heat = mask_areas(table, index_rows({}, Rows=8, Columns=8))
    assert "4 x 4" in areas["error"][0]
    assert heat.is_empty()
    assert describe_masks(areas)["refused"].to_list() == [1]
