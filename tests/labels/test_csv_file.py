"""tests/labels/test_csv_file.py: columns, values and ids of a CSV file, and errors with lines."""

from pathlib import Path

import polars as pl
import pytest

from wetread.labels.csv_file import (
    and_others,
    check_ids,
    find_column,
    first_column,
    label_values,
    lines_with,
    number,
    read_header,
    read_text_columns,
    read_without_header,
    split_spec,
)
from wetread.labels.table import LabelError


def write(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text)
    return path


def test_what_stands_after_the_last_colon_is_the_column_unless_a_file_is_called_so(
    tmp_path: Path,
) -> None:
    assert split_spec("a.csv") == (Path("a.csv"), None)
    assert split_spec("a.csv:air") == (Path("a.csv"), "air")
    assert split_spec("C:\\labels.csv") == (Path("C:\\labels.csv"), None)
    odd = tmp_path / "odd:name.csv"
    odd.write_text("id\n")
    assert split_spec(odd) == (odd, None)


def test_a_column_is_found_by_its_name_then_trimmed_then_in_the_only_other_case() -> None:
    assert find_column("id", ["ID", "id"]) == "id"
    assert find_column("id", [" id ", "ID"]) == " id "
    assert find_column("id", ["Id", "x"]) == "Id"
    assert find_column("id", ["Id", "ID"]) is None


def test_columns_keep_their_text_and_their_line_and_empty_lines_go(tmp_path: Path) -> None:
    path = write(tmp_path, "id, air\n 01 ,1\n\n02,\n")
    assert read_header(path) == ["id", "air"]
    rows = read_text_columns(path, ("id", "air"))
    assert rows.rows() == [(2, " 01 ", "1"), (4, "02", None)]
    with pytest.raises(LabelError, match="no column 'blood'; the header has 'id', ' air'"):
        read_text_columns(path, ("blood",))


def test_a_file_without_header_has_its_first_line_as_data(tmp_path: Path) -> None:
    path = write(tmp_path, "a,1\nb,2\n")
    rows = read_without_header(path, ("id", "value"))
    assert rows.rows() == [(1, "a", "1"), (2, "b", "2")]
    with pytest.raises(LabelError, match="2 fields in a line without header; id, value, more"):
        read_without_header(path, ("id", "value", "more"))


def test_numbers_may_have_a_decimal_comma_and_labels_lie_from_0_to_1(tmp_path: Path) -> None:
    rows = pl.DataFrame({"line": [2, 3, 4], "air": ["0,5", " 1 ", None]})
    assert rows.select(number("air"))["air"].to_list() == [0.5, 1.0, None]
    assert label_values(tmp_path, rows, "air").to_list() == [0.5, 1.0, None]
    wrong = pl.DataFrame({"line": [2, 3, 4], "air": ["1", "1.5", "yes"]})
    with pytest.raises(LabelError, match=r"line 3, column 'air': '1.5' .* \(and 1 more line\)"):
        label_values(tmp_path, wrong, "air")


def test_a_row_without_an_id_is_refused_by_its_line(tmp_path: Path) -> None:
    rows = pl.DataFrame({"line": [2, 3], "id": ["a", None]})
    with pytest.raises(LabelError, match="line 3, column 'id' is empty"):
        check_ids(tmp_path, rows, "id")
    check_ids(tmp_path, rows.head(1), "id")


def test_the_first_known_name_of_a_column_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path, "ImageId,image\n")
    assert first_column(path, ("image", "ImageId"), "image") == "image"
    with pytest.raises(LabelError, match=r"no column for the patient \(patient, PatientID\)"):
        first_column(path, ("patient", "PatientID"), "patient")


def test_the_first_three_lines_with_a_text_are_listed(tmp_path: Path) -> None:
    path = write(tmp_path, "id,air\nx_1,0\ny,0\nx_1,1\nx_1,1\nx_1,1\n")
    assert lines_with(path, "x_1") == "2, 4, 5"
    assert (and_others(1), and_others(3)) == ("", " (and 2 more lines)")
