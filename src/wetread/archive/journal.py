"""archive/journal.py: the parts of an index that is being built, kept until it is whole.

A part is written beside and renamed, so that whatever lies in the folder is whole: a run that was
killed goes on from there.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl

from wetread.archive.examine import examine
from wetread.archive.schema import JOURNAL_SCHEMA
from wetread.archive.sources import Entry


def as_frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Rows as a table; a key that is missing is null."""
    columns = []
    for name, dtype in schema.items():
        values = [row.get(name) for row in rows]
        column = (
            _lists(values, dtype) if isinstance(dtype, pl.List) else pl.Series(values, dtype=dtype)
        )
        columns.append(column.alias(name))
    return pl.DataFrame(columns)


def _lists(values: Sequence[Sequence[Any] | None], dtype: pl.List) -> pl.Series:
    """A column of lists, null and empty kept apart; ten times as fast as from Python's lists."""
    lengths = [0 if value is None else len(value) for value in values]
    number = pl.Series("number", np.arange(len(values)))
    owner = pl.Series("number", np.repeat(number.to_numpy(), lengths))
    items = pl.Series("item", [item for value in values for item in value or ()], dtype=dtype.inner)
    owner = number.repeat_by(pl.Series(lengths, dtype=pl.UInt32)).explode(empty_as_null=False)
    grouped = pl.DataFrame([owner, items]).group_by("number", maintain_order=True).agg("item")
    found = number.to_frame().join(grouped, on="number", how="left", maintain_order="left")["item"]
    empty = pl.Series([value is not None and not value for value in values], dtype=pl.Boolean)
    return found.zip_with(~empty, pl.Series([[]], dtype=dtype).new_from_index(0, len(values)))


def read_chunk(entries: Sequence[Entry], journal: Path, repair: bool = True) -> int:
    """Examine the entries and leave their rows as one part of the journal; returns their count.

    Runs in a worker process: what comes back over the pipe is one number.
    """
    rows = [examine(entry, repair=repair) for entry in entries]
    write_beside(as_frame(rows, JOURNAL_SCHEMA), new_part(journal))
    return len(entries)


def new_part(journal: Path) -> Path:
    """A name that no other process takes."""
    return journal / f"{uuid4().hex}.parquet"


def read_journal(journal: Path) -> pl.DataFrame:
    """All rows of all whole parts; a part of another version is left aside."""
    parts = []
    for path in sorted(journal.glob("*.parquet")):
        try:
            part = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError):
            continue  # not whole: its files are read again
        if part.schema == pl.Schema(JOURNAL_SCHEMA):
            parts.append(part)
    return pl.concat(parts) if parts else pl.DataFrame(schema=JOURNAL_SCHEMA)


def write_beside(frame: pl.DataFrame, path: Path) -> None:
    """Write a table so that it is either not there or whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        frame.write_parquet(beside, compression="zstd", compression_level=1)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def remove_journal(journal: Path) -> None:
    """Forget the parts: their rows stand in the index."""
    shutil.rmtree(journal, ignore_errors=True)
