"""tests/archive/files/test_table_file.py: a path names one file, and a file that is no table
says so."""

import os
from pathlib import Path
from typing import Literal

import polars as pl
import pytest

from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.json_file import read_json
from wetread.archive.files.table_file import (
    parquet_schema,
    read_csv,
    read_parquet,
    scan_csv,
    scan_parquet,
    sink_parquet,
    write_parquet,
    write_table,
)

NAMES = [
    *("a[1]", "a*", "a?", "a{1,2}", "p%20q", "p%41", "s p", " lead", "~", "~root", "ü", "file:x"),
    *("a\nb", "a\x1b[2Jb", "-o", "#x", "x" * 240, os.fsdecode(b"\xff\xfe")),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_name_with_brackets_or_other_signs_is_read_as_that_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for decoy in ("a1", "a2", "pA", "p q", "ab"):
        write_parquet(pl.DataFrame({"v": [-1]}), Path(f"{decoy}.parquet"))
        Path(f"{decoy}.csv").write_text("v\n-1\n")
    for path in (Path(f"{name}.parquet"), tmp_path / f"{name}.parquet"):
        write_parquet(pl.DataFrame({"v": [7]}), path)
        assert read_parquet(path)["v"].to_list() == [7]
        assert scan_parquet(path).collect()["v"].to_list() == [7]
        assert scan_parquet([path, path]).collect()["v"].to_list() == [7, 7]
        assert parquet_schema(path) == {"v": pl.Int64}
        sink_parquet(scan_parquet(path), path.with_suffix(".other"), 10)
        assert read_parquet(path.with_suffix(".other"))["v"].to_list() == [7]
    table = Path(f"{name}.csv")
    table.write_text("v\n7\n")
    assert read_csv(table)["v"].to_list() == [7]
    assert scan_csv(table).collect()["v"].to_list() == [7]


def test_a_name_that_matches_as_a_pattern_but_is_not_there_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "labels1.csv").write_text("v\n-1\n")
    write_parquet(pl.DataFrame({"v": [-1]}), tmp_path / "labels1.parquet")
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "labels[1].csv")
    with pytest.raises(FileNotFoundError):
        read_parquet(tmp_path / "labels?.parquet")
    with pytest.raises(FileNotFoundError):
        scan_parquet(tmp_path / "labels*.parquet")


def test_a_folder_where_a_table_is_meant_is_named_as_a_folder(tmp_path: Path) -> None:
    for read in (read_parquet, scan_parquet, parquet_schema, read_csv, scan_csv):
        with pytest.raises(IsADirectoryError):
            read(tmp_path)
    with pytest.raises(IsADirectoryError):
        read_json(tmp_path, "x")


def _bomb(path: Path) -> None:
    rows = pl.LazyFrame({"v": [0]}).select(pl.col("v").repeat_by(5_000_000).explode())
    rows.sink_parquet(path, row_group_size=5_000_000)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path, whole: path.write_bytes(b""), "empty, 0 bytes"),
        (lambda path, whole: path.write_bytes(whole[:-7]), "cut off after"),
        (lambda path, whole: path.write_bytes(whole[:9]), "cut off after"),
        (lambda path, whole: path.write_text("v\n1\n" * 9), "no Parquet file"),
        (lambda path, whole: path.write_bytes(whole[:4] + bytes(200) + whole[204:]), "cannot be"),
        (lambda path, whole: path.write_bytes(whole[:4] + whole[-200:]), "cannot be"),
        (lambda path, whole: pl.DataFrame({"w": [1]}).write_parquet(path), "without the columns v"),
        (lambda path, whole: pl.DataFrame({"v": ["1"]}).write_parquet(path), "v is String"),
        (lambda path, whole: _bomb(path), "says that it has 5000000 rows"),
    ],
    ids=["emptied", "cut", "stump", "csv", "zeroed", "middle gone", "other", "types", "bomb"],
)
def test_a_table_that_is_damaged_or_foreign_is_one_line_with_the_file(
    tmp_path: Path, make: object, said: str
) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(pl.DataFrame({"v": list(range(500))}), path)
    make(path, path.read_bytes())  # type: ignore[operator]
    with pytest.raises(DamagedFileError) as found:
        read_parquet(path, schema={"v": pl.Int64()}, expected="the table of a test")
    text = str(found.value)
    assert text.startswith(f"{path}: ")
    assert said in text
    assert text.endswith("it should be the table of a test")
    assert "\n" not in text


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_table_is_whole_or_the_old_one(
    tmp_path: Path, compression: Literal["zstd", "lz4"]
) -> None:
    path, old = tmp_path / "v.parquet", pl.DataFrame({"v": [1]})
    write_table(old, path, compression=compression)
    with pytest.raises(pl.exceptions.PolarsError):
        write_table(pl.DataFrame({"v": [object()]}), path, compression=compression)
    assert read_parquet(path).equals(old)
    assert list(tmp_path.iterdir()) == [path]
