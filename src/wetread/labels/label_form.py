"""labels/label_form.py: how a label file is written, as a value, and a file so written as labels.

A layout says where a file has its labels; to add one, write a function and a line in LAYOUTS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from wetread.labels.cell_values import CellValues, read_cells
from wetread.labels.csv_file import (
    LINE,
    and_others,
    check_ids,
    find_column,
    read_header,
    read_text_columns,
)
from wetread.labels.finding import Finding
from wetread.labels.marks import Marks, read_mark_texts
from wetread.labels.table import LABEL_SCHEMA, LabelError, LabelTable, label_table

IdOf = Literal["image", "series", "study", "patient", "file"]
Several = Literal["equal", "majority", "mean", "any"]
ID_OF: tuple[IdOf, ...] = get_args(IdOf)
FINDING = "finding"
LIST = r"^\[.*\]$"  # of names, as a program prints it
NO_MARK = "-1"  # in the place of a run-length text: the mask is empty


@dataclass(frozen=True)
class LabelForm:
    """How a label file is written.

    layout:    a name of LAYOUTS.
    id:        the column of ids. id_of: what one names; "file" is a file's name or the end of its
               path, with its ending or without.
    words:     finding to what the file calls it: its columns, or its word in a cell; several where
               readers have a column each.
    cells:     what the cells mean.
    value:     the column of values of a layout with a row a finding; None: a row says that it is
               present.
    finding:   the column that names findings. separator: between names in one cell; "": a cell is
               one name.
    none:      words in place of names for none of them.
    other:     names of findings that the file has and that are not learned.
    reader:    the column that names who found it, of a layout with a row a finding; None: all rows
               of an id are one reader's.
    marks:     the columns that say where what is drawn is; drawn: these findings. None: masks are
               not read.
    several:   what labels of one finding in one id count as: "equal" ones as one, unequal as
               unknown; else their majority (a tie is unknown), their mean, or any of them.
    """

    layout: str
    id: str
    id_of: IdOf
    words: Mapping[str, tuple[str, ...]]
    cells: CellValues = field(default_factory=CellValues)
    value: str | None = None
    finding: str = FINDING
    separator: str = "|"
    none: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    reader: str | None = None
    marks: Marks | None = None
    drawn: tuple[str, ...] = ()
    several: Several = "equal"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a file of this form must have; of findings in columns any will do."""
        named = {"names": (self.finding,), "rows": (self.finding,)}.get(self.layout, ())
        others = (name for name in (self.value, self.reader) if name is not None)
        return (self.id, *named, *others, *(self.marks.columns if self.marks else ()))


Layout = Callable[[Path, LabelForm, Sequence[Finding]], pl.DataFrame]


def read_labels(path: Path, form: LabelForm, findings: Sequence[Finding]) -> LabelTable:
    """Read a label file of a form. The rows' level is what an id names (`id_of`), until ids are
    those of an archive (labels/resolve.py). LabelError, with its line, for what does not fit."""
    rows = LAYOUTS[form.layout](path, form, findings)
    rows = rows.select(pl.lit(form.id_of).alias("level"), "id", "finding", "value")
    labels = unite(rows.cast(LABEL_SCHEMA), form.several)  # type: ignore[arg-type]
    if form.marks is None:
        return labels
    present = labels.frame.filter(pl.col("value") > 0).select("id", "finding")
    masks = _masks(path, form, form.marks).join(
        present, on=["id", "finding"], how="semi", maintain_order="left"
    )
    return replace(labels, masks=masks)


def _masks(path: Path, form: LabelForm, marks: Marks) -> pl.DataFrame:
    """Read where what is drawn is: of the finding that a row names, or of the only one drawn."""
    if form.layout != "rows":
        return read_mark_texts(path, marks, form.id, form.drawn[0], form.finding)
    words = {word: name for name in form.drawn for word in form.words[name]}
    return read_mark_texts(path, marks, form.id, words, form.finding)


def unite(rows: pl.DataFrame, several: Several) -> LabelTable:
    """Unite the labels of one finding in one id, rows of LABEL_SCHEMA."""
    if several == "equal":
        return label_table(rows)
    mean = pl.col("value").mean()
    majority = pl.when(mean != 0.5).then((mean > 0.5).cast(pl.Float64))
    value = {"mean": mean, "majority": majority, "any": pl.col("value").max()}[several]
    united = rows.group_by("level", "id", "finding", maintain_order=True).agg(value)
    return label_table(united)


def read_columns(path: Path, form: LabelForm, findings: Sequence[Finding]) -> pl.DataFrame:
    """Read a row an id and a column a finding, or several columns where there are readers."""
    header = read_header(path)
    present = {
        finding.name: [word for word in form.words[finding.name] if find_column(word, header)]
        for finding in findings
    }
    wanted = list(dict.fromkeys(word for words in present.values() for word in words))
    if not wanted:
        named = ", ".join(repr(word) for words in form.words.values() for word in words)
        raise LabelError(
            f"{path}: none of the columns {named}; the header has "
            f'{", ".join(map(repr, header))}. Name each finding\'s column: label = "...".'
        )
    rows = read_text_columns(path, (form.id, *(one for one in wanted if one != form.id)))
    check_ids(path, rows, form.id)
    parts = [
        rows.select(
            pl.col(form.id).alias("id"),
            pl.lit(name).alias("finding"),
            read_cells(path, rows, word, form.cells).alias("value"),
        )
        for name, words in present.items()
        for word in words
    ]
    return pl.concat(parts)


def read_names(path: Path, form: LabelForm, findings: Sequence[Finding]) -> pl.DataFrame:
    """Read a row an id and one column of the names of what was found; what is not named is
    absent, and an empty cell is unknown."""
    rows = read_text_columns(path, (form.id, form.finding))
    check_ids(path, rows, form.id)
    cell = pl.col(form.finding)
    rows = rows.with_columns(names=split_names(cell, form.separator))
    _require_known(path, rows.select(LINE, "names").explode("names"), form)
    known = cell.is_not_null() & (cell.str.strip_chars() != "")
    value = {
        finding.name: pl.any_horizontal(
            pl.col("names").list.contains(word) for word in form.words[finding.name]
        )
        for finding in findings
    }
    return pl.concat(
        [
            rows.select(
                pl.col(form.id).alias("id"),
                pl.lit(name).alias("finding"),
                pl.when(known).then(present.cast(pl.Float64)).alias("value"),
            )
            for name, present in value.items()
        ]
    )


def split_names(cell: pl.Expr, separator: str) -> pl.Expr:
    """Split the names in a cell; a list as programs print it, ['A', 'B'], at its commas."""
    inside = cell.str.strip_chars().str.strip_prefix("[").str.strip_suffix("]")
    listed = inside.str.split(",").list.eval(pl.element().str.strip_chars(" \t'\""))
    parts = cell.str.split(separator) if separator else pl.concat_list(cell)
    plain = parts.list.eval(pl.element().str.strip_chars())
    is_list = cell.str.strip_chars().str.contains(LIST)
    return pl.when(is_list).then(listed).otherwise(plain)


def read_rows(path: Path, form: LabelForm, findings: Sequence[Finding]) -> pl.DataFrame:
    """Read a row a finding of an id, with its value or (no column of values) as present; a finding
    that no row of an id, or of a reader of it, names is absent there. An id without any row is
    unknown."""
    rows = read_text_columns(path, tuple(dict.fromkeys(form.columns)))
    check_ids(path, rows, form.id)
    named = rows.with_columns(names=pl.col(form.finding).str.strip_chars())
    _require_known(path, named.select(LINE, "names"), form)
    value = pl.lit(1.0) if form.value is None else read_cells(path, rows, form.value, form.cells)
    finding_of = {word: name for name, words in form.words.items() for word in words}
    reader = pl.lit("") if form.reader is None else pl.col(form.reader).fill_null("")
    listed = named.select(
        pl.col(form.id).alias("id"),
        reader.alias("reader"),
        pl.col("names").replace_strict(finding_of, default=None).alias("finding"),
        pl.lit(value).alias("value") if isinstance(value, pl.Series) else value.alias("value"),
    ).filter(pl.col("finding").is_not_null())
    if form.reader is not None:  # several boxes of one reader are one finding
        listed = listed.group_by("id", "reader", "finding", maintain_order=True).agg(
            pl.col("value").max()
        )
    every = rows.select(pl.col(form.id).alias("id"), reader.alias("reader"))
    wanted = pl.DataFrame({"finding": [finding.name for finding in findings]})
    absent = (
        every.unique(maintain_order=True)
        .join(wanted, how="cross")
        .join(listed, on=["id", "reader", "finding"], how="anti")
    )
    both = pl.concat([listed, absent.with_columns(value=pl.lit(0.0))], how="diagonal")
    return both.select("id", "finding", "value")


def _require_known(path: Path, rows: pl.DataFrame, form: LabelForm) -> None:
    """Refuse a name that is no finding, none of `none` and none of `other`; rows: line, names."""
    known = [word for words in form.words.values() for word in words]
    allowed = [*known, *form.none, *form.other, ""]
    strange = rows.filter(pl.col("names").is_not_null() & ~pl.col("names").is_in(allowed))
    if strange.height:
        raise LabelError(
            f"{path}: line {strange[LINE][0]}, column {form.finding!r}: {strange['names'][0]!r} is "
            f"the name of no finding{and_others(strange.height)}. Add a finding of this label, or "
            'list it under [[labels]]: other = ["NAME"] where it is not learned, none = ["NAME"] '
            "where it says that nothing was found."
        )


def read_long(path: Path, form: LabelForm, findings: Sequence[Finding]) -> pl.DataFrame:
    """Read a row a label, whose id is that of the image and the finding's word after it, joined by
    the separator."""
    column = form.value or "Label"
    rows = read_text_columns(path, (form.id, column))
    check_ids(path, rows, form.id)
    word_of = {word: name for name, words in form.words.items() for word in words}
    endings = {form.separator + word: name for word, name in word_of.items()}
    ending = pl.lit(None, pl.String)
    for text in sorted(endings, key=len):  # the longest that fits counts
        ending = (
            pl.when(pl.col(form.id).str.strip_chars().str.ends_with(text))
            .then(pl.lit(text))
            .otherwise(ending)
        )
    rows = rows.with_columns(_ending=ending)
    skipped = [form.separator + word for word in form.other]
    strange = rows.filter(
        pl.col("_ending").is_null()
        & ~pl.any_horizontal(
            pl.lit(False), *(pl.col(form.id).str.ends_with(text) for text in skipped)
        )
    )
    if strange.height:
        raise LabelError(
            f"{path}: line {strange[LINE][0]}, column {form.id!r}: {strange[form.id][0]!r} does "
            f"not end in {form.separator!r} and one of {', '.join(word_of)}"
            f"{and_others(strange.height)}. Add a finding of this label, or list it under "
            '[[labels]]: other = ["NAME"].'
        )
    rows = rows.filter(pl.col("_ending").is_not_null())
    return rows.select(
        pl.col(form.id).str.strip_chars().str.strip_suffix(pl.col("_ending")).alias("id"),
        pl.col("_ending").replace_strict(endings).alias("finding"),
        read_cells(path, rows, column, form.cells).alias("value"),
    )


def read_marks(path: Path, form: LabelForm, findings: Sequence[Finding]) -> pl.DataFrame:
    """Read a row a mask or box of the one finding: present where the column of values has one, a
    run-length text or a corner; absent where it has -1, and where it is empty as `cells` say."""
    if len(findings) != 1 or form.value is None:
        raise LabelError(
            f"{path}: rows of masks or boxes are of one finding, whose column is named: "
            f'value = "..."; {len(findings)} findings are asked for. Use layout = "rows".'
        )
    rows = read_text_columns(path, (form.id, form.value))
    check_ids(path, rows, form.id)
    text = pl.col(form.value).fill_null("").str.strip_chars()
    value = (
        pl.when(text == "")
        .then(pl.lit(form.cells.blank, pl.Float64))
        .otherwise((text != NO_MARK).cast(pl.Float64))
    )
    marked = rows.select(
        pl.col(form.id).alias("id"), pl.lit(findings[0].name).alias("finding"), value.alias("value")
    )
    return marked.unique(maintain_order=True)


LAYOUTS: dict[str, Layout] = {
    "columns": read_columns,
    "names": read_names,
    "rows": read_rows,
    "long": read_long,
    "marks": read_marks,
}
