"""tests/archive/index/test_journal.py: rows become the table that polars would make of them, and a
part that is torn is not taken."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from wetread.archive.containers.sources import Entry
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.journal import (
    ReadOptions,
    list_parts,
    read_chunk,
    read_rows,
    remove_journal,
    rows_to_frame,
)
from wetread.archive.index.schema import INDEX_SCHEMA, JOURNAL_SCHEMA, MARKS

SCHEMA = {
    **{"text": pl.String(), "number": pl.Int64()},
    **{"reals": pl.List(pl.Float64()), "notes": pl.List(pl.String())},
}
REALS = st.none() | st.lists(st.floats(-1e6, 1e6), max_size=4)
ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "text": st.none() | st.text(max_size=4),
            "number": st.none() | st.integers(-(2**40), 2**40),
            "reals": REALS,
            "notes": st.none() | st.lists(st.text(max_size=3), max_size=3),
        },
    ),
    max_size=8,
)


@settings(max_examples=30)
@given(rows=ROWS)
def test_rows_become_the_table_that_polars_makes_of_them(rows: list[dict[str, object]]) -> None:
    whole = [{name: row.get(name) for name in SCHEMA} for row in rows]
    assert_frame_equal(rows_to_frame(rows, SCHEMA), pl.DataFrame(whole, schema=SCHEMA))


def marks_of(path: Path) -> pl.DataFrame:
    entry = Entry(str(path), None, path.stat().st_size, path.stat().st_mtime_ns, None)
    return pl.DataFrame([entry], schema={name: INDEX_SCHEMA[name] for name in MARKS}, orient="row")


def test_a_torn_part_is_left_aside(write_ct: Callable[..., Path], tmp_path: Path) -> None:
    marks, journal = marks_of(write_ct("x")), tmp_path / "journal"
    assert read_chunk(marks, journal) == 1
    (whole,) = list_parts(journal)
    assert pl.read_parquet(whole).equals(read_rows(marks))
    content = whole.read_bytes()
    (journal / "torn.parquet").write_bytes(content[: len(content) // 2])
    (journal / "empty.parquet").write_bytes(b"")
    pl.DataFrame({"a": [1]}).write_parquet(journal / "other.parquet")
    assert list_parts(journal) == [whole]
    remove_journal(journal)
    assert not journal.exists()


def test_a_key_puts_pseudonyms_before_anything_is_written(
    write_ct: Callable[..., Path], tmp_path: Path
) -> None:
    marks, key = marks_of(write_ct("x", PatientID="Miller-1961")), UserKey(bytes(32))
    read_chunk(marks, tmp_path, ReadOptions(key=key))
    (part,) = list_parts(tmp_path)
    assert b"Miller" not in part.read_bytes()
    rows = pl.read_parquet(part)
    assert rows.schema == pl.Schema(JOURNAL_SCHEMA)
    assert rows["PatientID"][0].startswith(f"patient-{key.name}-")
