"""archive/index/journal.py: the parts of an index that is being built, kept until it is whole.

Whatever lies in the folder is whole, so a run that was killed goes on from there.
"""

import gc
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
import polars as pl

from wetread.archive.containers.sources import Entry
from wetread.archive.executor.isolated_process import still_alive
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.table_file import read_parquet, write_table
from wetread.archive.identity.pseudonym import pseudonymous_columns
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.examine import examine
from wetread.archive.index.schema import JOURNAL_SCHEMA
from wetread.archive.pictures.kinds import Pictures
from wetread.archive.types import Row

_ALLOCATIONS = 50_000  # more than the rows of a chunk take; what a broken file leaves is bounded


def rows_to_frame(rows: Sequence[Row], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Make a table of rows; a key that is missing is null."""
    columns = []
    present = set[str]().union(*rows)
    for name, dtype in schema.items():
        values = [row.get(name) for row in rows] if name in present else [None] * len(rows)
        if len(values) > 1 and values.count(values[0]) == len(values):  # most are alike, or absent
            column = pl.Series(values[:1], dtype=dtype).new_from_index(0, len(values))
        elif isinstance(dtype, pl.List):
            column = _lists(values, dtype)
        else:
            column = pl.Series(values, dtype=dtype)
        columns.append(column.alias(name))
    return pl.DataFrame(columns)


def _lists(values: Sequence[Sequence[float] | None], dtype: pl.List) -> pl.Series:
    """Make a column of lists, null and empty kept apart; ten times as fast as polars does."""
    if dtype.inner == pl.Float64():
        return _float_lists(values)
    keys = [None if value is None else tuple(value) for value in values]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    different = pl.Series([None if key is None else list(key) for key in places], dtype=dtype)
    return different.gather([places[key] for key in keys]) if values else different


def _float_lists(values: Sequence[Sequence[float] | None]) -> pl.Series:
    """Make a column of lists of numbers through one array, (rows, longest list) float64."""
    lengths = np.array([-1 if value is None else len(value) for value in values], np.int64)
    longest = max(int(lengths.max(initial=0)), 1)
    padded = np.zeros((len(values), longest))
    for length in np.unique(lengths[lengths > 0]):
        padded[lengths == length, :length] = [
            value for value in values if value and len(value) == length
        ]
    frame = pl.DataFrame({"items": pl.Series(padded).cast(pl.List(pl.Float64)), "n": lengths})
    items = pl.when(pl.col("n") >= 0).then(pl.col("items").list.head("n"))
    return frame.select(items)["items"] if values else pl.Series(dtype=pl.List(pl.Float64))


@dataclass(frozen=True)
class ReadOptions:
    """How the files of an archive are read.

    repair: confirm a header's wrong intercept on the pixels, and note it (`examine`).
    pictures: what files without a DICOM header are taken for; None: they are refused.
    key:    the user's key; what identifies gets pseudonyms under it. None: it stands as it is.
    """

    repair: bool = True
    key: UserKey | None = None
    pictures: Pictures | None = None


def read_rows(marks: pl.DataFrame, options: ReadOptions | None = None) -> pl.DataFrame:
    """Examine the files of marks (MARKS): JOURNAL_SCHEMA, one row a file."""
    chosen = options or ReadOptions()
    rows = []
    with _seldom_collected():
        for mark in marks.iter_rows():
            rows.append(examine(Entry(*mark), repair=chosen.repair, pictures=chosen.pictures))
            still_alive()
        frame = rows_to_frame(rows, JOURNAL_SCHEMA)
        if chosen.key is None:
            return frame
        return frame.with_columns(pseudonymous_columns(chosen.key))


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Search for cycles more seldom: rows hold none, and cost a search again and again."""
    before = gc.get_threshold()
    gc.set_threshold(_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def read_chunk(marks: pl.DataFrame, journal: Path, options: ReadOptions | None = None) -> int:
    """Examine the files of marks and leave their rows as a part of the journal; return their count.

    Runs in a worker process: what comes back over the pipe is one number.
    """
    write_part(read_rows(marks, options), journal)
    return marks.height


def new_part(journal: Path) -> Path:
    """Name a part as no other process does."""
    return journal / f"{uuid4().hex}.parquet"


def list_parts(journal: Path) -> list[Path]:
    """List the whole parts; the files of one that is torn or of another version are read again."""
    parts = []
    for path in sorted(journal.glob("*.parquet")):
        try:
            read_parquet(path, schema=JOURNAL_SCHEMA)  # the whole of it: its end may be sound alone
            parts.append(path)
        except (DamagedFileError, OSError):
            continue
    return parts


def write_part(frame: pl.DataFrame, journal: Path) -> None:
    """Leave rows as a part of the journal; nobody waits for the disk: parts are read whole before
    they are taken (`list_parts`)."""
    write_table(frame, new_part(journal), compression="lz4", durable=False)


def remove_journal(journal: Path) -> None:
    """Remove the parts: their rows stand in the index."""
    shutil.rmtree(journal, ignore_errors=True)
