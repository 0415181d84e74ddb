"""tests/verbs/test_index.py: an index on disk, and a flat table where one is asked for."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from wetread.verbs.index import index

Write = Callable[..., Path]


def test_every_file_is_a_row_or_a_reject(write_ct: Write, tmp_path: Path) -> None:
    folder = write_ct(3)
    (folder / "empty.dcm").write_bytes(b"")
    counts = index(folder, tmp_path / "i.parquet", workers=1).counts()
    assert (counts["files"], counts["instances"], counts["rejects"]) == (4, 3, 1)
    assert counts["by_reason"] == {"empty": 1}


def test_a_name_that_ends_with_csv_gives_the_table_and_the_index(
    write_ct: Write, tmp_path: Path
) -> None:
    found = index([write_ct(2)], tmp_path / "t.csv", workers=1)
    assert (tmp_path / "t.parquet").is_file()
    table = pl.read_csv(tmp_path / "t.csv", infer_schema=False)
    assert table.height == found.images.height == 2
    assert table["modality"].to_list() == ["CT", "CT"]


def test_a_source_that_is_not_there_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        index(tmp_path / "nowhere", tmp_path / "i.parquet")
    assert list(tmp_path.iterdir()) == []
