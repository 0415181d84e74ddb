"""labels/columns_csv.py: one's own labels, one row an image and one column a finding."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from wetread.labels.csv_file import check_ids, label_values, read_text_columns
from wetread.labels.finding import Finding
from wetread.labels.table import LABEL_SCHEMA, LabelError, LabelTable, label_table


def read_columns_csv(path: Path, id_column: str, columns: Mapping[Finding, str]) -> LabelTable:
    """Read one row an id; `columns` says which column holds which finding. An empty cell is
    unknown."""
    if not columns:
        raise LabelError(f"{path}: no column was named as a finding; name at least one.")
    rows = read_text_columns(path, (id_column, *columns.values()))
    check_ids(path, rows, id_column)
    parts = [
        pl.DataFrame(
            {
                "level": [finding.level] * rows.height,
                "id": rows[id_column],
                "finding": [finding.name] * rows.height,
                "value": label_values(path, rows, column),
            },
            schema=LABEL_SCHEMA,
        )
        for finding, column in columns.items()
    ]
    return label_table(pl.concat(parts))
