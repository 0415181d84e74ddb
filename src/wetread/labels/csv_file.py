"""labels/csv_file.py: one CSV file as text columns, and text as label values, errors with lines."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.plural import plural
from wetread.labels.table import LabelError
from wetread.labels.text_table import SEPARATORS, TextTable, read_text_table

DAMAGED_ID = r"^\s*[0-9]+([.,][0-9]+)?[eE]\+[0-9]+\s*$"  # 1.2E+15
LINE = "line"  # 1 is the header's line, as an editor counts


def split_spec(spec: str | Path) -> tuple[Path, str | None]:
    """Split `FILE.csv` or `FILE.csv:COLUMN` into the file and what stands after its last colon.

    A file that exists under the whole name is taken as it is; so is a drive's colon.
    """
    text = str(spec)
    file, colon, column = text.rpartition(":")
    if not colon or not file or not column or set(column) & set("/\\") or Path(text).is_file():
        return Path(text), None
    return Path(file), column


def read_header(path: Path) -> list[str]:
    """Read the names in the header line, without blanks around them."""
    return [name.strip() for name in read_text_table(path, rows=0).frame.columns]


def find_column(name: str, header: Sequence[str]) -> str | None:
    """Find the column of a header that a name means: the very name, the first that has it between
    blanks, or the only one that has it in letters of another case."""
    if name in header:
        return name
    trimmed = [written for written in header if written.strip() == name]
    folded = [written for written in header if written.strip().casefold() == name.casefold()]
    return trimmed[0] if trimmed else folded[0] if len(folded) == 1 else None


def read_text_columns(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Read the named columns as text, as written (no trimming), and `line`; empty lines left out.

    A name in the header may have blanks around it or letters of the other case, see `find_column`.
    Encoding and separator are labels/text_table.py's matter.
    """
    table = read_text_table(path)
    frame = table.frame
    written = {name: find_column(name, frame.columns) for name in columns}
    missing = [name for name, found in written.items() if found is None]
    if missing:
        raise LabelError(
            f"{path}: no column {', '.join(map(repr, missing))}; the header has "
            f"{', '.join(map(repr, frame.columns))} (parted by "
            f"{SEPARATORS[table.form.separator]}s). Rename the column, or name the right one."
        )
    named = [pl.col(found).alias(name) for name, found in written.items() if found is not None]
    return _require_known_letters(path, table, _without_empty_lines(table).select(LINE, *named))


def read_without_header(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Read a file whose first line is data as text columns and `line`.

    columns: names of its columns, from the left. LabelError where it has fewer.
    """
    table = read_text_table(path, has_header=False)
    if table.frame.width < len(columns):
        raise LabelError(
            f"{path}: {table.frame.width} fields in a line without header; "
            f"{', '.join(columns)} expected."
        )
    rows = _without_empty_lines(table)
    named = (pl.nth(k + 1).alias(name) for k, name in enumerate(columns))
    return _require_known_letters(path, table, rows.select(LINE, *named))


def _without_empty_lines(table: TextTable) -> pl.DataFrame:
    frame = table.frame
    rows = frame.with_row_index(LINE, offset=table.first_line)
    return rows.filter(~pl.all_horizontal(pl.col(frame.columns).is_null()))


def _require_known_letters(path: Path, table: TextTable, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows where the file's encoding is known or does not matter to them."""
    if table.form.encoding != "latin-1":
        return rows
    for name in rows.columns[1:]:
        strange = rows.filter(pl.col(name).str.contains(r"[^\x00-\x7f]"))
        if not strange.is_empty():
            raise LabelError(
                f"{path}: line {strange[LINE][0]}, column {name!r}: the file is not in UTF-8, and "
                f"which letters are meant there is not sure{and_others(strange.height)}. Save it "
                "again as CSV, UTF-8."
            )
    return rows


def check_ids(path: Path, rows: pl.DataFrame, column: str) -> None:
    """Raise LabelError for a row without an id, or with one that a spreadsheet has rounded."""
    empty = rows.filter(pl.col(column).is_null() | (pl.col(column) == ""))
    if not empty.is_empty():
        raise LabelError(
            f"{path}: line {empty[LINE][0]}, column {column!r} is empty"
            f"{and_others(empty.height)}; give the id, or remove the line."
        )
    damaged = rows.filter(pl.col(column).str.contains(DAMAGED_ID))
    if not damaged.is_empty():
        raise LabelError(
            f"{path}: line {damaged[LINE][0]}, column {column!r}: a spreadsheet took the id for a "
            f"number, as 1.2E+15{and_others(damaged.height)}, and its digits are lost. Take ids "
            "from the original, and keep that column as text."
        )


def first_column(path: Path, names: Sequence[str], what: str) -> str:
    """Find the first of these names that the header has, as written there without blanks;
    LabelError where it has none."""
    header = read_header(path)
    for name in names:
        if (written := find_column(name, header)) is not None:
            return written
    raise LabelError(
        f"{path}: no column for the {what} ({', '.join(names)}); the header has "
        f"{', '.join(map(repr, header))}. Rename the column."
    )


def number(column: str) -> pl.Expr:
    """Return a column's text as float64, null where it is none; a decimal comma is a point."""
    text = pl.col(column).str.strip_chars()
    return text.str.replace(r"^(\d*),(\d+)$", "${1}.${2}").cast(pl.Float64, strict=False)


def label_values(path: Path, rows: pl.DataFrame, column: str) -> pl.Series:
    """Return the column's text as float64 in 0..1, null where the cell is empty (unknown).

    LabelError where a text is no number from 0 to 1.
    """
    text = rows[column]
    value = rows.select(number(column))[column]
    known = text.is_not_null() & (text.str.strip_chars() != "")
    wrong = known & ~value.is_between(0.0, 1.0).fill_null(False)
    if wrong.any():
        bad = rows.filter(wrong)
        raise LabelError(
            f"{path}: line {bad[LINE][0]}, column {column!r}: {bad[column][0]!r} is no number "
            f"from 0 to 1{and_others(bad.height)}. Correct it; an unknown label is an empty cell."
        )
    return value


def lines_with(path: Path, text: str) -> str:
    """Return the numbers of the first lines in which a text stands, for a message: `3, 17`."""
    frame = _without_empty_lines(read_text_table(path))
    matches = pl.any_horizontal(pl.col(pl.String).str.contains(text, literal=True))
    lines = frame.filter(matches.fill_null(False))[LINE].head(3)
    return ", ".join(map(str, lines))


def and_others(count: int) -> str:
    """Return the end of a message that names the first of `count` lines."""
    return f" (and {plural(count - 1, 'more line')})" if count > 1 else ""
