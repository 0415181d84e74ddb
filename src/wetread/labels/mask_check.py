"""labels/mask_check.py: masks and the shapes of their images in, those that fit and rejects out."""

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from wetread.labels.mask_text import check_text
from wetread.labels.rle import RleError
from wetread.labels.table import LabelTable

MASK_REJECT_SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "finding": pl.String(),
    "reason": pl.String(),
    "detail": pl.String(),
}


def check_masks(
    labels: LabelTable, shapes: Mapping[str, tuple[int, int]]
) -> tuple[LabelTable, pl.DataFrame]:
    """Return the labels without impossible masks, and these (MASK_REJECT_SCHEMA, a row a mask).

    shapes: (rows, columns) by id; masks of other ids stay as they are. The value stays: an image
    whose mask is refused still has the finding.
    """
    rejects = []
    for row in labels.masks.iter_rows(named=True):
        if row["id"] not in shapes:
            continue
        try:
            for text in row["runs"]:
                check_text(text, shapes[row["id"]], row["form"])
        except RleError as problem:
            rejects.append((row["id"], row["finding"], problem.reason, problem.detail))
    table = pl.DataFrame(rejects, schema=MASK_REJECT_SCHEMA, orient="row")
    fitting = labels.masks.join(table, on=["id", "finding"], how="anti", maintain_order="left")
    return replace(labels, masks=fitting), table
