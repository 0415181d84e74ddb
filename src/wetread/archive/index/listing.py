"""archive/index/listing.py: the files of the sources as tables of marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from wetread.archive.containers.sources import Entry, list_entries
from wetread.archive.index.schema import INDEX_SCHEMA, MARKS
from wetread.archive.rejects import Reject

_SCHEMA = {name: INDEX_SCHEMA[name] for name in MARKS}
_KEY = ["path", "member"]
_LISTED = 32 * 1024  # files listed before they become a table


@dataclass(eq=False)
class Listing:
    """The files listed so far.

    tables:  MARKS of every file, each table sorted.
    refused: what is no file.
    fresh:   files that are not known from a former run.
    """

    tables: list[pl.DataFrame] = field(default_factory=lambda: [pl.DataFrame(schema=_SCHEMA)])
    refused: list[Reject] = field(default_factory=list)
    fresh: int = 0

    @property
    def files(self) -> int:
        """Count the files listed so far."""
        return sum(table.height for table in self.tables)

    def marks(self) -> pl.DataFrame:
        """Return MARKS of all files, sorted by path and member."""
        listed = pl.concat(self.tables, rechunk=True)
        return listed.sort(_KEY, nulls_last=False, maintain_order=True)

    def fresh_chunks(
        self, sources: Sequence[Path], own: frozenset[str], known: pl.DataFrame, rows: int
    ) -> Iterator[pl.DataFrame]:
        """List the sources without `own`; yield MARKS of files not known, at most `rows` each."""
        for table in _tables(sources, own, self.refused):
            self.tables.append(table)
            fresh = _not_in(known, table)
            self.fresh += fresh.height
            yield from fresh.iter_slices(rows) if fresh.height else ()


def _tables(
    sources: Sequence[Path], own: frozenset[str], refused: list[Reject]
) -> Iterator[pl.DataFrame]:
    entries: list[Entry] = []
    for found in list_entries(sources, leave_out=own):
        if isinstance(found, Reject):
            refused.append(found)
            continue
        entries.append(found)
        if len(entries) == _LISTED:
            yield _as_table(entries)
            entries = []
    if entries:
        yield _as_table(entries)


def _as_table(entries: Sequence[Entry]) -> pl.DataFrame:
    columns = zip(_SCHEMA.items(), zip(*entries, strict=True), strict=True)
    table = pl.DataFrame([pl.Series(name, values, dtype) for (name, dtype), values in columns])
    return table.sort(_KEY, nulls_last=False, maintain_order=True)


def _not_in(known: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    first, last = (pl.lit(table["path"][place]) for place in (0, -1))
    near = known.filter(pl.col("path").is_between(first, last))
    return table.join(near, on=MARKS, how="anti", nulls_equal=True, maintain_order="left")
