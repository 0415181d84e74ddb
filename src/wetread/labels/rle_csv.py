"""labels/rle_csv.py: the form `ImageId,EncodedPixels`: image labels and the masks behind them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from wetread.labels.csv_file import (
    LINE,
    and_others,
    check_ids,
    read_header,
    read_text_columns,
    read_without_header,
)
from wetread.labels.finding import Finding, finding_names
from wetread.labels.rle import EMPTY, find_rle_form, is_empty
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelError, LabelTable, label_table

ID, RUNS = "ImageId", "EncodedPixels"
WHOLE_NUMBERS = r"^-?[0-9]+(\s+-?[0-9]+)*$"


def read_rle_csv(path: Path, findings: Sequence[Finding], *, form: str = "relative") -> LabelTable:
    """Read one row an annotation, or one of `-1` for an image without; rows of one image unite.

    The value is 1 where an image has runs and 0 for `-1`; an image with both is a conflict, and
    its mask is unknown; an empty cell is unknown. The header may be absent or have blanks.
    Whether runs lie within their image is checked when the image's shape is known (mask_check.py).
    """
    find_rle_form(form)
    finding = only_finding(path, findings)
    rows = read_rows(path).with_columns(pl.col(RUNS).str.strip_chars())
    check_ids(path, rows, ID)
    check_numbers(path, rows)
    distinct = rows.unique(subset=[ID, RUNS], keep="first", maintain_order=True)
    distinct = distinct.with_columns(value=values(distinct[RUNS], form))
    images = distinct.unique(subset=[ID, "value"], keep="first", maintain_order=True)
    labels = label_table(
        images.select(
            pl.lit("image").alias("level"),
            pl.col(ID).alias("id"),
            pl.lit(finding.name).alias("finding"),
            "value",
        ).cast(LABEL_SCHEMA)  # type: ignore[arg-type]
    )
    twice = rows.height - distinct.height
    masks = known_masks(labels, distinct, form)
    return replace(labels, duplicates=labels.duplicates + twice, masks=masks)


def only_finding(path: Path, findings: Sequence[Finding]) -> Finding:
    """Return the one finding (at whatever levels) that a file without names of findings can be
    of."""
    names = sorted(set(finding_names(findings)))
    if len(names) != 1:
        raise LabelError(
            f"{path}: the file does not name findings, and there are several to choose from: "
            f"{', '.join(names)}. Use a file with one column a finding."
        )
    return findings[0]


def read_rows(path: Path) -> pl.DataFrame:
    """Read `line`, ImageId, EncodedPixels as written; a first line that holds a mask is no
    header."""
    header = read_header(path)
    if len(header) == 2 and pl.Series([header[1]]).str.contains(WHOLE_NUMBERS).item():
        return read_without_header(path, (ID, RUNS))
    return read_text_columns(path, (ID, RUNS))


def check_numbers(path: Path, rows: pl.DataFrame) -> None:
    """Refuse a mask that is no row of whole numbers."""
    wrong = rows.filter((pl.col(RUNS) != "") & ~pl.col(RUNS).str.contains(WHOLE_NUMBERS))
    if not wrong.is_empty():
        raise LabelError(
            f"{path}: line {wrong[LINE][0]}, column {RUNS!r}: {wrong[RUNS][0][:40]!r} is no "
            f"run-length text{and_others(wrong.height)}. Whole numbers with blanks between them "
            f"are expected, {EMPTY} for an empty mask; an unknown one is an empty cell."
        )


def values(texts: pl.Series, form: str) -> pl.Series:
    """Return 1.0 where runs are marked, 0.0 where the mask is empty, null where there is no
    text."""
    found = [None if not text else float(not is_empty(text, form)) for text in texts]
    return pl.Series(found, dtype=pl.Float64)


def known_masks(labels: LabelTable, rows: pl.DataFrame, form: str) -> pl.DataFrame:
    """Return the masks (MASK_SCHEMA) of the images of known value; rows: columns ID, RUNS,
    value."""
    runs = rows.filter(pl.col("value") == 1.0).group_by(ID).agg(pl.col(RUNS).alias("runs"))
    nothing = pl.lit([], dtype=pl.List(pl.String()))
    return (
        labels.frame.filter(pl.col("value").is_not_null())
        .join(runs, left_on="id", right_on=ID, how="left", maintain_order="left")
        .select("id", "finding", pl.lit(form).alias("form"), pl.col("runs").fill_null(nothing))
        .cast(MASK_SCHEMA)  # type: ignore[arg-type]
    )
