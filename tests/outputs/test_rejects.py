"""tests/outputs/test_rejects.py: a refused file is a row."""

from pathlib import Path

import polars as pl

from wetread.archive.rejects import Reject
from wetread.outputs.rejects import write_rejects


def test_rejects_are_a_table_even_when_there_are_none(tmp_path: Path) -> None:
    write_rejects([], tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "path,member,reason,detail\n"
    reject = Reject("a, b.zip", None, "empty", 'no "bytes"')
    write_rejects([reject], tmp_path / "one.csv")
    assert pl.read_csv(tmp_path / "one.csv").row(0) == ("a, b.zip", None, "empty", 'no "bytes"')
