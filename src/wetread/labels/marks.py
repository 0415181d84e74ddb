"""labels/marks.py: the boxes and run-length masks of a label file, in columns of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.labels.csv_file import LINE, and_others, read_text_columns
from wetread.labels.mask_text import BOX, BOX_MM
from wetread.labels.rle import EMPTY
from wetread.labels.rle_csv import WHOLE_NUMBERS
from wetread.labels.table import MASK_SCHEMA, LabelError


@dataclass(frozen=True)
class Marks:
    """Which columns say where a finding is.

    kind:    "box": x, y, width and height; "corners": x and y of the upper left corner and of the
             lower right; or a run-length form, of one column.
    columns: four, or one.
    in_mm:   whether boxes are in millimeters, not pixels.
    """

    kind: str
    columns: tuple[str, ...]
    in_mm: bool = False

    @property
    def form(self) -> str:
        """The form of their texts, of labels/mask_text.py."""
        if self.kind in ("box", "corners"):
            return BOX_MM if self.in_mm else BOX
        return self.kind


def read_mark_texts(
    path: Path, marks: Marks, id_column: str, finding_of: str | Mapping[str, str], column: str
) -> pl.DataFrame:
    """Read what is marked: MASK_SCHEMA, a row an id and finding, with the texts of all its rows.

    finding_of: the one finding that is marked; or what the column of that name has to findings.
    Rows without a mark give none. LabelError, with its line, for what is none.
    """
    several = not isinstance(finding_of, str)
    wanted = (id_column, *marks.columns, *((column,) if several else ()))
    rows = read_text_columns(path, tuple(dict.fromkeys(wanted)))
    texts = rows.with_columns(pl.col(list(marks.columns)).str.strip_chars())
    drawn = _boxes(path, texts, marks) if len(marks.columns) > 1 else _runs(path, texts, marks)
    finding = (
        pl.col(column).str.strip_chars().replace_strict(finding_of, default=None)
        if several
        else pl.lit(finding_of)
    )
    named = drawn.select(pl.col(id_column).alias("id"), finding.alias("finding"), "text")
    united = (
        named.drop_nulls()
        .group_by("id", "finding", maintain_order=True)
        .agg(
            pl.lit(marks.form).first().alias("form"),
            pl.col("text").unique(maintain_order=True).alias("runs"),
        )
    )
    return united.select(list(MASK_SCHEMA)).cast(MASK_SCHEMA)  # type: ignore[arg-type]


def _boxes(path: Path, rows: pl.DataFrame, marks: Marks) -> pl.DataFrame:
    """Add `text`, x y width height of each row's box; null where the row has none."""
    names = list(marks.columns)
    blank = pl.all_horizontal(pl.col(names).is_null() | (pl.col(names) == ""))
    numbers = rows.with_columns(
        pl.col(names).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    )
    x, y, third, fourth = (pl.col(name) for name in names)
    width, height = (third, fourth) if marks.kind == "box" else (third - x, fourth - y)
    whole = pl.all_horizontal(pl.col(names).is_finite().fill_null(False))
    wrong = numbers.filter(~rows.select(blank.alias("blank"))["blank"]).filter(
        ~whole | (width <= 0) | (height <= 0)
    )
    if wrong.height:
        given = rows.filter(pl.col(LINE) == wrong[LINE][0]).select(names).row(0)
        raise LabelError(
            f"{path}: line {wrong[LINE][0]}: {', '.join(map(repr, given))} in the columns "
            f"{', '.join(map(repr, names))} is no box{and_others(wrong.height)}. Write four "
            "numbers, of a width and height above 0, or leave all four empty."
        )
    parts = (x, y, width, height)
    text = pl.concat_str([part.cast(pl.String) for part in parts], separator=" ")
    return numbers.with_columns(text=text)


def _runs(path: Path, rows: pl.DataFrame, marks: Marks) -> pl.DataFrame:
    """Add `text`, each row's run-length text; null where the row has none."""
    (name,) = marks.columns
    given = pl.col(name)
    is_none = given.is_null() | (given == "") | (given == EMPTY)
    wrong = rows.filter(~is_none & ~given.str.contains(WHOLE_NUMBERS))
    if wrong.height:
        raise LabelError(
            f"{path}: line {wrong[LINE][0]}, column {name!r}: {wrong[name][0][:40]!r} is no "
            f"run-length text{and_others(wrong.height)}. Whole numbers with blanks between them "
            f"are, and {EMPTY} or an empty cell for none."
        )
    return rows.with_columns(text=pl.when(~is_none).then(given))
