"""tests/labels/test_cell_values.py: the text of a label's cell becomes a value."""

from pathlib import Path

import polars as pl
import pytest

from wetread.labels.cell_values import CellValues, read_cells
from wetread.labels.table import LabelError


def cells(texts: list[str | None], values: CellValues | None = None) -> list[float | None]:
    """Read the texts as one column of a file."""
    rows = pl.DataFrame({"line": range(2, len(texts) + 2), "a": texts}, strict=False)
    rows = rows.with_columns(pl.col("a").cast(pl.String))
    return read_cells(Path("f.csv"), rows, "a", values or CellValues()).to_list()


def test_words_numbers_and_blanks_have_their_values() -> None:
    texts = ["YES", "no", " True ", "f", "Present", "absent", "1", "0.0", "0,25", "", None, "NaN"]
    expected = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.25, None, None, None]
    assert cells(texts) == expected


def test_minus_one_is_refused_with_its_line_until_somebody_says_what_it_counts_as() -> None:
    with pytest.raises(LabelError, match=r"f\.csv: line 3, column 'a': '-1\.0' is uncertain"):
        cells(["1.0", "-1.0"])
    said = CellValues(refuse_uncertain=False, uncertain=0.5)
    assert cells(["1.0", "-1.0", "U"], said) == [1.0, 0.5, 0.5]
    assert cells(["-1"], CellValues(refuse_uncertain=False)) == [None]


def test_blank_cells_and_given_words_have_the_given_values() -> None:
    assert cells([None, "1"], CellValues(blank=0.0)) == [0.0, 1.0]
    own = CellValues(words={"Severe": 1.0, "?": None, "-1": 0.0})
    assert cells(["severe", "?", "-1", "0"], own) == [1.0, None, 0.0, 0.0]


@pytest.mark.parametrize("text", ["2", "-0.5", "maybe so", "1e9"])
def test_another_text_is_refused_with_its_line_and_what_to_do(text: str) -> None:
    with pytest.raises(LabelError, match=r"f\.csv: line 2, column 'a': .* values = "):
        cells([text])
