"""labels/csv_file.py: one CSV file as text columns, and text as label values, errors with lines."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.table_file import read_csv
from wetread.labels.table import LabelError

LINE = "line"  # 1 is the header's line, as an editor counts


def split_spec(spec: str | Path) -> tuple[Path, str | None]:
    """`FILE.csv` or `FILE.csv:COLUMN` to the file and what stands after its last colon.

    A file that is there under the whole name is taken as it is; so is a drive's colon.
    """
    text = str(spec)
    file, colon, column = text.rpartition(":")
    if not colon or not file or not column or set(column) & set("/\\") or Path(text).is_file():
        return Path(text), None
    return Path(file), column


def read_header(path: Path) -> list[str]:
    """The names in the header line, blanks around them taken off."""
    return [name.strip() for name in _read(path, rows=0).columns]


def read_text_columns(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """The named columns as text, as written (no trimming), and `line`; empty lines left out.

    A name in the header may have blanks around it; one without goes first.
    """
    frame = _read(path)
    trimmed = {name.strip(): name for name in reversed(frame.columns)}
    written = {name: name if name in frame.columns else trimmed.get(name) for name in columns}
    missing = [name for name, found in written.items() if found is None]
    if missing:
        raise LabelError(
            f"{path}: no column {', '.join(map(repr, missing))}; the header has "
            f"{', '.join(map(repr, frame.columns))}. Rename the column, or name the right one."
        )
    named = [pl.col(found).alias(name) for name, found in written.items() if found is not None]
    return _without_empty_lines(frame, first_line=2).select(LINE, *named)


def read_without_header(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """The same of a file whose first line is data: its columns from the left, named here."""
    frame = _read(path, has_header=False)
    if frame.width < len(columns):
        raise LabelError(
            f"{path}: {frame.width} fields in a line without header; {', '.join(columns)} expected."
        )
    rows = _without_empty_lines(frame, first_line=1)
    return rows.select(LINE, *(pl.nth(k + 1).alias(name) for k, name in enumerate(columns)))


def _read(path: Path, *, has_header: bool = True, rows: int | None = None) -> pl.DataFrame:
    try:
        return read_csv(path, infer_schema=False, has_header=has_header, n_rows=rows)
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


def _without_empty_lines(frame: pl.DataFrame, first_line: int) -> pl.DataFrame:
    rows = frame.with_row_index(LINE, offset=first_line)
    return rows.filter(~pl.all_horizontal(pl.col(frame.columns).is_null()))


def check_ids(path: Path, rows: pl.DataFrame, column: str) -> None:
    """Refuse a row without an id."""
    empty = rows.filter(pl.col(column).is_null() | (pl.col(column) == ""))
    if not empty.is_empty():
        raise LabelError(
            f"{path}: line {empty[LINE][0]}, column {column!r} is empty"
            f"{and_others(empty.height)}; give the id, or remove the line."
        )


def first_column(path: Path, names: Sequence[str], what: str) -> str:
    """The first of these names that the header has; LabelError where it has none."""
    header = read_header(path)
    for name in names:
        if name in header:
            return name
    raise LabelError(
        f"{path}: no column for the {what} ({', '.join(names)}); the header has "
        f"{', '.join(map(repr, header))}. Rename the column."
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
            f"from 0 to 1{and_others(bad.height)}. Correct it; an unknown label is an empty cell."
        )
    return value


def and_others(count: int) -> str:
    """For a message that names the first of several lines."""
    return f" (and {count - 1} more lines)" if count > 1 else ""
