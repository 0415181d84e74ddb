"""labels/cell_values.py: the text of a label's cell becomes a value: yes and no, numbers, -1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from wetread.labels.csv_file import LINE, and_others, number
from wetread.labels.table import LabelError

WORDS: dict[str, float] = {
    **dict.fromkeys(("yes", "y", "true", "t", "positive", "pos", "present"), 1.0),
    **dict.fromkeys(("no", "n", "false", "f", "negative", "neg", "absent"), 0.0),
    **dict.fromkeys(("ja", "oui", "si", "sí", "sim"), 1.0),
    **dict.fromkeys(("nein", "nee", "non", "não"), 0.0),
}
UNCERTAIN = ("-1", "-1.0", "u", "uncertain", "maybe", "equivocal")
BLANK = ("", "nan", "na", "n/a", "null", "none")


@dataclass(frozen=True)
class CellValues:
    """Values that the texts in a label file's cells stand for; None is unknown.

    words:     text to its value, before those of WORDS; letters of either case.
    blank:     of an empty cell.
    uncertain: of -1 and its like (UNCERTAIN); None where `refuse_uncertain` is not set.
    refuse_uncertain: such a cell is an error: nobody has said what it counts as.
    """

    words: Mapping[str, float | None] = field(default_factory=dict)
    blank: float | None = None
    uncertain: float | None = None
    refuse_uncertain: bool = True


def read_cells(path: Path, rows: pl.DataFrame, column: str, cells: CellValues) -> pl.Series:
    """Return the column's text as float64 in 0..1, null where unknown; rows have `line`.

    LabelError, with its line, where a text is none of the words and no number from 0 to 1, or is
    uncertain and nobody has said what that counts as.
    """
    given = {word.strip().lower(): value for word, value in cells.words.items()}
    known: dict[str, float | None] = {
        **WORDS,
        **dict.fromkeys(BLANK, cells.blank),
        **({} if cells.refuse_uncertain else dict.fromkeys(UNCERTAIN, cells.uncertain)),
        **given,
    }
    text = rows[column].fill_null("").str.strip_chars().str.to_lowercase()
    if cells.refuse_uncertain:
        doubtful = rows.filter(text.is_in([one for one in UNCERTAIN if one not in given]))
        if doubtful.height:
            raise LabelError(
                f"{path}: line {doubtful[LINE][0]}, column {column!r}: {doubtful[column][0]!r} is "
                f"uncertain{and_others(doubtful.height)}. Say under [[labels]] what that counts "
                'as: uncertain = "unknown", or a number from 0 to 1.'
            )
    is_word = text.is_in(list(known))
    words = text.replace_strict(known, default=None, return_dtype=pl.Float64)
    numbers = rows.select(number(column))[column]
    wrong = rows.filter(~is_word & ~numbers.is_between(0.0, 1.0).fill_null(False))
    if wrong.height:
        raise LabelError(
            f"{path}: line {wrong[LINE][0]}, column {column!r}: {wrong[column][0]!r} is no number "
            f"from 0 to 1 and no yes or no{and_others(wrong.height)}. Correct it, or say what it "
            'counts as under [[labels]]: values = {"TEXT" = 1}.'
        )
    return pl.select(pl.when(is_word).then(words).otherwise(numbers)).to_series().rename(column)
