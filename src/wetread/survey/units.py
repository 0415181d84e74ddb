"""survey/units.py: what the values of an archive mean: HU, gray or nothing, as its headers say."""

from __future__ import annotations

import polars as pl

from wetread.study.unit import UNIT_COLUMNS, read_unit
from wetread.survey.objects import Table, collected, images_of

SCHEMA: dict[str, pl.DataType] = {
    "modality": pl.String(),
    "unit": pl.String(),  # "HU", "grey", a Rescale Type; null where nothing says
    "issue": pl.String(),  # why CT is not in HU, a name of study/issue.py; null where it is
    "detail": pl.String(),
    "images": pl.Int64(),
}


def count_units(table: Table) -> pl.DataFrame:
    """Count images by the unit that their headers state, and the reason where CT is not in HU:
    SCHEMA, the most frequent first. What needs HU refuses these."""
    forms = collected(images_of(table).group_by(UNIT_COLUMNS).agg(images=pl.len()))
    rows = []
    for row in forms.iter_rows(named=True):
        unit = read_unit(row)
        rows.append((row["Modality"], unit.name, unit.issue, unit.detail, row["images"]))
    found = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    key = ["modality", "unit", "issue", "detail"]
    return (
        found.group_by(key)
        .agg(pl.col("images").sum())
        .sort("images", *key, descending=[True, False, False, False, False], nulls_last=True)
    )
