"""tests/archive/index/test_tables.py: ranges of any size give one index, and rows of before are
taken as far as they still hold."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from wetread.archive.identity.user_key import UserKey
from wetread.archive.index import tables as tables_module
from wetread.archive.index.index import build_index
from wetread.archive.index.journal import ReadOptions
from wetread.archive.index.tables import Tables, former_rows, known_marks


@pytest.fixture
def archive(write_ct: Callable[..., Path], tmp_path: Path) -> Path:
    """Nine slices, a copy of one, a conflict with another, and a text."""
    for number in range(9):
        write_ct(f"a/{number}", number=number)
    write_ct("a/again", number=3).write_bytes((tmp_path / "a" / "3").read_bytes())
    write_ct("a/conflict", number=4, PatientID="P2")
    (tmp_path / "a" / "text").write_text("no DICOM")
    return tmp_path / "a"


def test_the_tables_lie_next_to_each_other(tmp_path: Path) -> None:
    tables = Tables.of(tmp_path / "i.parquet")
    assert [path.name for path in tables.paths()] == [
        *("i.parquet", "i.rejects.parquet", "i.duplicates.parquet", "i.journal"),
    ]


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_ranges_of_any_size_give_the_same_tables(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    expected = build_index([archive], tmp_path / "one.parquet", workers=1)
    monkeypatch.setattr(tables_module, "RANGE", rows)
    found = build_index([archive], tmp_path / "many.parquet", workers=1)
    assert_frame_equal(found.instances, expected.instances)
    assert_frame_equal(found.rejects, expected.rejects)
    assert (found.duplicates, found.rejects["reason"].to_list()) == (
        1,
        ["uid_conflict", "not_dicom"],
    )


def test_rows_of_before_are_known_but_for_conflicts(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "i.parquet"
    build_index([archive], out, workers=1)
    known = known_marks(Tables.of(out), ReadOptions())
    names = sorted(Path(path).name for path in known["path"])
    assert names == sorted([*map(str, range(9)), "again", "text"])


def test_rows_under_another_key_are_read_again_and_clear_rows_are_not(
    archive: Path, tmp_path: Path
) -> None:
    out, first, second = tmp_path / "i.parquet", UserKey(bytes(32)), UserKey(b"1" * 32)
    build_index([archive], out, workers=1)
    tables = Tables.of(out)
    assert known_marks(tables, ReadOptions(key=first)).height == 11
    clear = former_rows(tables, ReadOptions(key=first))[0].rows.select("PatientID").collect()
    assert clear["PatientID"].str.starts_with(f"patient-{first.name}-").all()
    build_index([archive], out, workers=1, key=first)
    assert known_marks(tables, ReadOptions(key=first)).height == 11
    assert known_marks(tables, ReadOptions(key=second)).height == 1  # a text names nobody


def test_an_index_that_is_cut_is_made_anew(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "i.parquet"
    expected = build_index([archive], out, workers=1).instances
    out.write_bytes(out.read_bytes()[:-100])
    assert known_marks(Tables.of(out), ReadOptions()).height == 2  # the copy and the text
    assert_frame_equal(build_index([archive], out, workers=1).instances, expected)
    assert not isinstance(expected, pl.LazyFrame)
