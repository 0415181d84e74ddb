"""tests/labels/test_typed_table.py: Parquet and JSON lines are tables of text."""

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from wetread.labels.table import LabelError
from wetread.labels.text_table import read_text_table

ROWS = [("1", "1", "0.5"), ("2", "0", None)]


def test_parquet_and_json_lines_are_read_as_text(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": [1, 2], "yes": [True, False], "share": [0.5, None]})
    frame.write_parquet(tmp_path / "t.parquet")
    assert read_text_table(tmp_path / "t.parquet").frame.rows() == ROWS
    lines = "".join(json.dumps(row) + "\n" for row in frame.rows(named=True))
    (tmp_path / "t.jsonl").write_text(lines)
    assert read_text_table(tmp_path / "t.jsonl").frame.rows() == ROWS
    assert read_text_table(tmp_path / "t.jsonl", rows=1).frame.rows() == ROWS[:1]
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert read_text_table(tmp_path / "t.jsonl.gz").frame.rows() == ROWS


def test_names_in_a_list_are_joined_and_other_values_refused_with_their_line(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": "1", "found": ["A", "B"]}\n\n{"id": "2"}\n')
    assert read_text_table(path).frame.rows() == [("1", "A|B"), ("2", None)]
    path.write_text('{"id": "1"}\n{"id": {"x": 1}}\n')
    with pytest.raises(LabelError, match="line 2, 'id': a cell is a text"):
        read_text_table(path)
    path.write_text('{"id": "1"}\n{"id": \n')
    with pytest.raises(LabelError, match="line 2 is no JSON"):
        read_text_table(path)
    path.write_text("[1]\n")
    with pytest.raises(LabelError, match="line 1 is no JSON object"):
        read_text_table(path)


def test_lists_in_parquet_are_refused(tmp_path: Path) -> None:
    pl.DataFrame({"id": ["1"], "found": [["A"]]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(LabelError, match="column 'found' holds lists"):
        read_text_table(tmp_path / "t.parquet")
