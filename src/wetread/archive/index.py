"""archive/index.py: an archive becomes an Index: parallel, incremental, resumed when killed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import polars as pl

from wetread.archive.guard import Lost
from wetread.archive.journal import as_frame, new_part, read_chunk, remove_journal, write_beside
from wetread.archive.rejects import Reject
from wetread.archive.schema import INDEX_SCHEMA, JOURNAL_SCHEMA, MARKS, REJECT_SCHEMA
from wetread.archive.sources import Entry, list_entries
from wetread.archive.tables import Tables, known_marks, write_tables
from wetread.archive.workers import Workers, each

Progress = Callable[[int, int], None]  # (files done, files in all)
ReadChunk = partial[int]  # read_chunk of one journal

CHUNK = 2048  # files a task
POOL_FROM = 4 * CHUNK  # files: fewer are read before worker processes have started
_LISTED = 32 * 1024  # files listed before they become a table


@dataclass(frozen=True, eq=False)
class Index:
    """What is in an archive.

    table:      INDEX_SCHEMA, one row a DICOM object, sorted by path and member; read when asked.
    rejects:    REJECT_SCHEMA, one row a file that is not used.
    duplicates: files with the SOP Instance UID and the bytes of an instance.
    """

    table: pl.LazyFrame
    rejects: pl.DataFrame
    duplicates: int

    @cached_property
    def instances(self) -> pl.DataFrame:
        """All rows, in memory."""
        return self.table.collect()

    @property
    def images(self) -> pl.DataFrame:
        """The instances that hold an image."""
        return self.instances.filter(pl.col("state") == "image")

    def counts(self) -> dict[str, Any]:
        """Files = instances + not_image + duplicates + rejects; series and up are of images."""
        image = pl.col("state") == "image"
        reasons = self.rejects.group_by("reason").len().sort("reason").iter_rows()
        objects, images = self.table.select(pl.len(), images=image.sum()).collect().row(0)
        return {
            "files": objects + self.duplicates + self.rejects.height,
            "instances": images,
            "not_image": objects - images,
            "duplicates": self.duplicates,
            "rejects": self.rejects.height,
            "series": self._different_images("SeriesInstanceUID"),
            "studies": self._different_images("StudyInstanceUID"),
            "patients": self._different_images("PatientID"),
            "by_reason": dict(reasons),
        }

    def _different_images(self, name: str) -> int:
        images = self.table.filter(pl.col("state") == "image").select(name)
        found: int = (
            images.unique().drop_nulls().select(pl.len()).collect(engine="streaming").item()
        )
        return found


def build_index(
    sources: Sequence[Path],
    out: Path,
    *,
    workers: Workers,
    progress: Progress | None = None,
    repair: bool = True,
) -> Index:
    """Index the sources into out, out's `.rejects` and `.duplicates`; returns what was written.

    A file whose size, time or CRC stand in the index that is there, or in the journal of a run
    that was killed, is not read again. repair: see `examine`.
    """
    out = out.absolute()
    tables, journal = Tables.of(out), out.with_name(f"{out.stem}.journal")
    marks, refused = _listed(sources, frozenset(map(str, (*tables.all(), journal))))
    journal.mkdir(parents=True, exist_ok=True)
    known = known_marks(tables, journal, repair)
    fresh = marks.join(known, on=MARKS, how="anti", nulls_equal=True, maintain_order="left")
    del known
    read = partial(read_chunk, journal=journal, repair=repair)
    _read_all(fresh, read, workers, marks.height, progress or (lambda done, total: None))
    write_tables(marks, refused, tables, journal, repair)
    remove_journal(journal)
    return read_index(out)


def read_index(path: Path) -> Index:
    """The index at NAME.parquet with its tables of rejects and duplicates."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no index there; make one: wetread index SRC -o {path}")
    tables = Tables.of(path)
    table = pl.scan_parquet(path)
    missing = set(INDEX_SCHEMA) - set(table.collect_schema())
    if missing:
        raise ValueError(f"{path}: no index, it lacks the columns {', '.join(sorted(missing))}")
    rejects = pl.DataFrame(schema=REJECT_SCHEMA)
    if tables.rejects.is_file():
        rejects = pl.read_parquet(tables.rejects)
    copies = 0
    if tables.duplicates.is_file():
        copies = pl.scan_parquet(tables.duplicates).select(pl.len()).collect().item()
    return Index(table, rejects, copies)


def _listed(sources: Sequence[Path], own: frozenset[str]) -> tuple[pl.DataFrame, list[Reject]]:
    """(MARKS of every file, sorted; what is no file)."""
    schema = {name: INDEX_SCHEMA[name] for name in MARKS}
    frames, refused = [pl.DataFrame(schema=schema)], []
    columns: list[list[Any]] = [[] for _ in MARKS]

    def fold() -> None:
        series = [
            pl.Series(name, values, dtype=schema[name])
            for name, values in zip(MARKS, columns, strict=True)
        ]
        frames.append(pl.DataFrame(series))
        for values in columns:
            values.clear()

    for found in list_entries(sources, leave_out=own):
        if isinstance(found, Reject):
            refused.append(found)
            continue
        for values, value in zip(columns, _mark(found), strict=True):
            values.append(value)
        if len(columns[0]) == _LISTED:
            fold()
    fold()
    marks = pl.concat(frames, rechunk=True)
    return marks.sort("path", "member", nulls_last=False, maintain_order=True), refused


def _mark(entry: Entry) -> tuple[str, str | None, int, int | None, int | None]:
    return entry.path, entry.member, entry.size, entry.mtime_ns, entry.crc


def _chunks(marks: pl.DataFrame) -> Iterator[list[Entry]]:
    for start in range(0, marks.height, CHUNK):
        yield [Entry(*row) for row in marks[start : start + CHUNK].iter_rows()]


def _read_all(
    marks: pl.DataFrame, read: ReadChunk, workers: Workers, total: int, progress: Progress
) -> None:
    """Every file into the journal; few files are read in this process."""
    done = total - marks.height
    progress(done, total)
    here = workers == 1 or (isinstance(workers, int) and marks.height < POOL_FROM)
    answers = map(read, _chunks(marks)) if here else each(read, _chunks(marks), workers)
    for number, answer in enumerate(answers):
        chunk = marks[number * CHUNK : (number + 1) * CHUNK]
        if isinstance(answer, Lost):
            _read_one_by_one(chunk, read, workers)
        done += chunk.height
        progress(done, total)


def _read_one_by_one(marks: pl.DataFrame, read: ReadChunk, workers: Workers) -> None:
    """Read files one of which took its process with it; that one becomes a reject."""
    entries = [Entry(*row) for row in marks.iter_rows()]
    answers = each(read, [[entry] for entry in entries], workers)
    for entry, answer in zip(entries, answers, strict=True):
        if isinstance(answer, Lost):
            row = dict(zip(MARKS, _mark(entry), strict=True))
            row |= {"state": "reject", "reason": answer.reason, "detail": answer.detail}
            write_beside(as_frame([row], JOURNAL_SCHEMA), new_part(read.keywords["journal"]))
