"""labels/csv_file.py: one CSV file as text columns, and text as label values, errors with lines."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.labels.table import LabelError

LINE = "line"  # 1 is the header's line, as an editor counts


def read_text_columns(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """The named columns as text, as written (no trimming), and `line`; empty lines left out."""
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except FileNotFoundError:
        raise LabelError(f"{path}: there is no such label file; check the path.") from None
    except pl.exceptions.NoDataError:
        raise LabelError(f"{path}: the file is empty; a header line is expected.") from None
    except (pl.exceptions.PolarsError, OSError) as problem:
        first = str(problem).strip().splitlines()[0]
        raise LabelError(
            f"{path}: cannot be read as a comma-separated file in UTF-8 ({first}). "
            "Save it again as CSV, UTF-8, with as many fields in every line as in the header."
        ) from problem
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise LabelError(
            f"{path}: no column {', '.join(map(repr, missing))}; the header has "
            f"{', '.join(map(repr, frame.columns))}. Rename the column, or name the right one."
        )
    rows = frame.with_row_index(LINE, offset=2)
    return rows.filter(~pl.all_horizontal(pl.col(frame.columns).is_null())).select(LINE, *columns)


def check_ids(path: Path, rows: pl.DataFrame, column: str) -> None:
    """Refuse a row without an id."""
    empty = rows.filter(pl.col(column).is_null() | (pl.col(column) == ""))
    if not empty.is_empty():
        raise LabelError(
            f"{path}: line {empty[LINE][0]}, column {column!r} is empty"
            f"{_and_others(empty.height)}; give the id, or remove the line."
        )


def label_values(path: Path, rows: pl.DataFrame, column: str) -> pl.Series:
    """The column's text as float64 in 0..1; null where the cell is empty (unknown)."""
    text = rows[column]
    value = text.cast(pl.Float64, strict=False)
    known = text.is_not_null() & (text != "")
    wrong = known & ~value.is_between(0.0, 1.0).fill_null(False)
    if wrong.any():
        bad = rows.filter(wrong)
        raise LabelError(
            f"{path}: line {bad[LINE][0]}, column {column!r}: {bad[column][0]!r} is no number "
            f"from 0 to 1{_and_others(bad.height)}. Correct it; an unknown label is an empty cell."
        )
    return value


def _and_others(count: int) -> str:
    return f" (and {count - 1} more lines)" if count > 1 else ""
