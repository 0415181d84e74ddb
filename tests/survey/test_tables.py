"""tests/survey/test_tables.py: a clinical table is described, against NumPy."""

import numpy as np
import polars as pl
import pytest

from wetread.survey.tables import (
    change_over_time,
    count_groups,
    describe_columns,
    numbers,
    numbers_by_group,
    time_column,
)

ROWS = pl.DataFrame(
    {
        "Patient": ["a", "a", "a", "b", "b", "c"],
        "Weeks": ["0", "2", "4", "0", "10", "1"],
        "FVC": ["2000", "1900", "1800", "3000", "3100", None],
        "Sex": ["M", "M", "M", "F", "F", "F"],
        "SmokingStatus": ["Ex", "Ex", "Ex", None, None, "Never"],
    }
)


def test_columns_are_numbers_or_groups_and_what_is_missing_is_counted() -> None:
    found = describe_columns(ROWS, "Patient").rows_by_key("column", named=True, unique=True)
    assert {name: row["kind"] for name, row in found.items()} == {
        "Patient": "id", "Weeks": "number", "FVC": "number", "Sex": "group",
        "SmokingStatus": "group",
    }  # fmt: skip
    assert found["FVC"]["missing"] == 1
    assert found["FVC"]["mean"] == pytest.approx(np.mean([2000, 1900, 1800, 3000, 3100]))


def test_groups_count_rows_and_ids() -> None:
    counts = count_groups(ROWS, "Patient").filter(pl.col("column") == "SmokingStatus")
    assert set(counts.select("value", "rows", "ids").rows()) == {
        ("Ex", 3, 1), (None, 2, 1), ("Never", 1, 1),
    }  # fmt: skip


def test_numbers_are_described_in_every_group() -> None:
    rows = numbers_by_group(ROWS, "Patient").filter(
        (pl.col("number") == "FVC") & (pl.col("group") == "Sex")
    )
    means = dict(rows.select("value", "mean").iter_rows())
    assert means == {"M": pytest.approx(1900), "F": pytest.approx(3050)}


def test_change_over_time_is_the_line_through_the_values_of_each_id() -> None:
    assert time_column(ROWS, "Patient") == "Weeks"
    (row,) = change_over_time(ROWS, "Patient", "Weeks").iter_rows(named=True)
    slopes = [
        np.polyfit([0, 2, 4], [2000, 1900, 1800], 1)[0],
        np.polyfit([0, 10], [3000, 3100], 1)[0],
    ]
    assert (row["number"], row["ids"], row["falling"]) == ("FVC", 2, 0.5)
    assert row["per_time_mean"] == pytest.approx(np.mean(slopes))


def test_a_table_of_one_row_an_id_has_no_time() -> None:
    assert time_column(ROWS.unique("Patient"), "Patient") is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,200", "3,450.5", "7"], [1200.0, 3450.5, 7.0]),
        (["1,5", "2,25"], [1.5, 2.25]),
        (["1.5", "nan", "x"], [1.5, None, None]),
    ],
)
def test_commas_part_thousands_or_are_decimal(
    cells: list[str], expected: list[float | None]
) -> None:
    assert numbers(pl.Series(cells)).to_list() == expected
