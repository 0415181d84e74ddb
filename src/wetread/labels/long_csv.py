"""labels/long_csv.py: the long form `ID,Label`, ID = image and finding joined by an underscore."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.labels.csv_file import LINE, check_ids, label_values, read_text_columns
from wetread.labels.finding import Finding, finding_names
from wetread.labels.table import LabelError, LabelTable, label_table

ID, LABEL = "ID", "Label"


def read_long_csv(path: Path, findings: Sequence[Finding]) -> LabelTable:
    """Read one row a label. The ID is split at its last underscore: `ID_000012eaf_any` is the image
    `ID_000012eaf` and the finding `any`; the image part is kept as it is written."""
    rows = split_ids(path, read_text_columns(path, (ID, LABEL)), findings)
    level = {finding.name: finding.level for finding in findings}
    return label_table(
        rows.select(
            pl.col("finding").replace_strict(level, return_dtype=pl.String).alias("level"),
            "id",
            "finding",
            label_values(path, rows, LABEL).alias("value"),
        )
    )


def split_ids(path: Path, rows: pl.DataFrame, findings: Sequence[Finding]) -> pl.DataFrame:
    """Take rows with the column ID (and `line`) and add `id` and `finding`."""
    names = finding_names(findings)
    joined = [name for name in names if "_" in name]
    if joined:
        raise LabelError(
            f"{path}: the long form splits an ID at its last underscore, so it cannot hold the "
            f"finding {joined[0]!r}. Use a file with one column a finding."
        )
    check_ids(path, rows, ID)
    known = pl.col("last").str.strip_chars().is_in(names)  # a blank behind the name of a finding
    rows = rows.with_columns(last=pl.col(ID).str.split("_").list.last()).with_columns(
        finding=pl.when(known).then(pl.col("last").str.strip_chars()).otherwise("last"),
        id=pl.col(ID).str.head(
            pl.col(ID).str.len_chars().cast(pl.Int64)
            - pl.col("last").str.len_chars().cast(pl.Int64)
            - 1
        ),
    )
    strange = rows.filter(~pl.col("finding").is_in(names) | (pl.col("id") == ""))
    if not strange.is_empty():
        raise LabelError(
            f"{path}: line {strange[LINE][0]}, column {ID!r}: {strange[ID][0]!r} does not end in "
            f"an underscore and one of {', '.join(names)} ({strange.height} such lines). "
            "Correct the lines, or choose the task they belong to."
        )
    return rows
