"""tests/inputs/test_label_ids.py: labels become those of an archive's images."""

import polars as pl
import pytest

from wetread.inputs.label_ids import boxes_in_pixels
from wetread.labels.table import MASK_SCHEMA, LabelError


def test_boxes_in_millimeters_are_those_of_their_images_pixels() -> None:
    images = pl.DataFrame(
        {"SOPInstanceUID": ["1", "2"], "row_spacing_mm": [2.0, None], "column_spacing_mm": [0.5, 1]}
    )
    masks = [("1", "a", "box_mm", ["10 20 4 6"]), ("3", "a", "box_mm", ["1 1 1 1"])]
    masks.append(("2", "a", "box", ["1 2 3 4"]))
    table = pl.DataFrame(masks, schema=MASK_SCHEMA, orient="row")
    assert sorted(boxes_in_pixels(table, images).rows()) == [
        ("1", "a", "box", ["20 10 8 3"]),
        ("2", "a", "box", ["1 2 3 4"]),
    ]
    unknown = table.with_columns(form=pl.lit("box_mm"))
    with pytest.raises(LabelError, match="image 2 has no pixel spacing"):
        boxes_in_pixels(unknown, images)
