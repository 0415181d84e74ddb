"""archive/index.py: an archive becomes an Index: parallel, incremental, resumed when killed."""

import multiprocessing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from wetread.archive.duplicates import settle_duplicates
from wetread.archive.intercept import settled
from wetread.archive.journal import (
    as_frame,
    new_part,
    read_chunk,
    read_journal,
    remove_journal,
    write_beside,
)
from wetread.archive.rejects import Reject
from wetread.archive.schema import INDEX_SCHEMA, JOURNAL_SCHEMA, REJECT_SCHEMA
from wetread.archive.sources import Entry, list_entries

Progress = Callable[[int, int], None]  # (files done, files in all)
ReadChunk = partial[int]  # read_chunk of one journal

CHUNK = 512  # files a task
POOL_FROM = 4096  # files: fewer are read before worker processes have started
_MARK = ("path", "member", "size", "mtime_ns", "crc")


@dataclass(frozen=True, eq=False)
class Index:
    """What is in an archive.

    instances:  INDEX_SCHEMA, one row a DICOM object, sorted by path and member.
    rejects:    REJECT_SCHEMA, one row a file that is not used.
    duplicates: files with the SOP Instance UID and the bytes of an instance.
    """

    instances: pl.DataFrame
    rejects: pl.DataFrame
    duplicates: int

    @property
    def images(self) -> pl.DataFrame:
        """The instances that hold an image."""
        return self.instances.filter(pl.col("state") == "image")

    def counts(self) -> dict[str, Any]:
        """Files = instances + not_image + duplicates + rejects; series and up are of images."""
        images = self.images
        reasons = self.rejects.group_by("reason").len().sort("reason").iter_rows()
        return {
            "files": self.instances.height + self.duplicates + self.rejects.height,
            "instances": images.height,
            "not_image": self.instances.height - images.height,
            "duplicates": self.duplicates,
            "rejects": self.rejects.height,
            "series": images["SeriesInstanceUID"].drop_nulls().n_unique(),
            "studies": images["StudyInstanceUID"].drop_nulls().n_unique(),
            "patients": images["PatientID"].drop_nulls().n_unique(),
            "by_reason": dict(reasons),
        }


def build_index(
    sources: Sequence[Path],
    out: Path,
    *,
    workers: int,
    progress: Progress | None = None,
    repair: bool = True,
) -> Index:
    """Index the sources into out, out's `.rejects` and `.duplicates`; returns what was written.

    A file whose size, time or CRC stand in the index that is there, or in the journal of a run
    that was killed, is not read again. repair: see `examine`.
    """
    out = out.absolute()
    journal = out.with_name(f"{out.stem}.journal")
    own = frozenset(str(path) for path in (*_tables(out), journal))
    entries: dict[tuple[str, str | None], Entry] = {}
    refused = []
    for found in list_entries(sources, leave_out=own):
        if isinstance(found, Reject):
            refused.append(found)
        else:
            entries[found.path, found.member] = found
    known = _known_rows(out, journal, repair)
    fresh = [entry for key, entry in entries.items() if known.get(key) != _mark(entry)]
    fresh.sort(key=_place)
    journal.mkdir(parents=True, exist_ok=True)
    read = partial(read_chunk, journal=journal, repair=repair)
    _read_all(fresh, read, workers, len(entries), progress or (lambda done, total: None))

    rows = _rows_of(entries.values(), out, journal, repair)
    kept, copies, conflicts = settle_duplicates(rows)
    index = Index(
        instances=_sorted(kept.select(list(INDEX_SCHEMA))),
        rejects=_sorted(_all_rejects(rows, conflicts, refused)),
        duplicates=copies.height,
    )
    instances_path, rejects_path, copies_path = _tables(out)
    write_beside(_sorted(copies.select(list(INDEX_SCHEMA))), copies_path)
    write_beside(index.rejects, rejects_path)
    write_beside(index.instances, instances_path)
    remove_journal(journal)
    return index


def read_index(path: Path) -> Index:
    """The index at NAME.parquet with its tables of rejects and duplicates."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no index there; make one: wetread index SRC -o {path}")
    instances_path, rejects_path, copies_path = _tables(path)
    instances = pl.read_parquet(instances_path)
    missing = set(INDEX_SCHEMA) - set(instances.columns)
    if missing:
        raise ValueError(f"{path}: no index, it lacks the columns {', '.join(sorted(missing))}")
    rejects = pl.DataFrame(schema=REJECT_SCHEMA)
    if rejects_path.is_file():
        rejects = pl.read_parquet(rejects_path)
    copies = pl.read_parquet(copies_path).height if copies_path.is_file() else 0
    return Index(instances, rejects, copies)


def _tables(out: Path) -> tuple[Path, Path, Path]:
    return (
        out,
        out.with_name(f"{out.stem}.rejects.parquet"),
        out.with_name(f"{out.stem}.duplicates.parquet"),
    )


def _mark(entry: Entry) -> tuple[int, int | None, int | None]:
    return entry.size, entry.mtime_ns, entry.crc


def _place(entry: Entry) -> tuple[str, str]:
    return entry.path, entry.member or ""


def _sorted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("path", "member", nulls_last=False, maintain_order=True)


def _former_rows(out: Path, journal: Path, repair: bool) -> pl.DataFrame:
    """Rows of the index that is there and of the journal, JOURNAL_SCHEMA; the journal's win.

    A `uid_conflict` is not among them: what it conflicted with may be gone; nor is a row whose
    intercept was looked at otherwise than `repair` asks for.
    """
    instances_path, rejects_path, copies_path = _tables(out)
    frames = [read_journal(journal)]
    for path in (instances_path, copies_path):
        if path.is_file():
            table = pl.read_parquet(path)
            if table.schema == pl.Schema(INDEX_SCHEMA):
                frames.append(table)
    if rejects_path.is_file():
        table = pl.read_parquet(rejects_path)
        if table.schema == pl.Schema(REJECT_SCHEMA):
            table = table.filter(pl.col("reason") != "uid_conflict", pl.col("size").is_not_null())
            frames.append(table.with_columns(state=pl.lit("reject")))
    rows = pl.concat(frames, how="diagonal").select(list(JOURNAL_SCHEMA)).filter(settled(repair))
    return rows.unique(["path", "member"], keep="first", maintain_order=True)


def _known_rows(
    out: Path, journal: Path, repair: bool
) -> Mapping[tuple[str, str | None], tuple[int, int | None, int | None]]:
    rows = _former_rows(out, journal, repair).select(_MARK).iter_rows()
    return {(path, member): (size, mtime_ns, crc) for path, member, size, mtime_ns, crc in rows}


def _rows_of(entries: Iterable[Entry], out: Path, journal: Path, repair: bool) -> pl.DataFrame:
    """The rows of the files that are there now, sorted; JOURNAL_SCHEMA."""
    marks = pl.DataFrame(
        [(entry.path, entry.member, *_mark(entry)) for entry in entries],
        schema={name: INDEX_SCHEMA[name] for name in _MARK},
        orient="row",
    )
    rows = _former_rows(out, journal, repair).join(
        marks, on=list(_MARK), how="semi", nulls_equal=True
    )
    if rows.height != marks.height:
        raise RuntimeError(f"{marks.height - rows.height} files have no row; {journal} was changed")
    return _sorted(rows)


def _all_rejects(
    rows: pl.DataFrame, conflicts: pl.DataFrame, refused: Sequence[Reject]
) -> pl.DataFrame:
    columns = list(REJECT_SCHEMA)
    listed = as_frame(
        [{name: getattr(reject, name, None) for name in columns} for reject in refused],
        REJECT_SCHEMA,
    )
    read = rows.filter(pl.col("state") == "reject").select(columns)
    return pl.concat([read, conflicts.select(columns), listed])


def _read_all(
    entries: Sequence[Entry], read: ReadChunk, workers: int, total: int, progress: Progress
) -> None:
    """Every entry into the journal; few entries are read in this process."""
    done = total - len(entries)
    progress(done, total)
    chunks = [entries[at : at + CHUNK] for at in range(0, len(entries), CHUNK)]
    if workers <= 1 or len(entries) < POOL_FROM:
        for chunk in chunks:
            done += read(chunk)
            progress(done, total)
        return
    left = _read_in_pool(chunks, read, workers, lambda count: progress(done + count, total))
    done = total - sum(map(len, left))
    for chunk in left:
        _read_apart(chunk, read)
        done += len(chunk)
        progress(done, total)


def _read_in_pool(
    chunks: Sequence[Sequence[Entry]],
    read: ReadChunk,
    workers: int,
    progress: Callable[[int], None],
) -> list[Sequence[Entry]]:
    """Read the chunks in parallel; returns those that were not read because a worker died."""
    waiting, running, done = iter(chunks), {}, 0
    left: list[Sequence[Entry]] = []
    with ProcessPoolExecutor(workers, mp_context=_processes()) as pool:
        try:
            running = {pool.submit(read, chunk): chunk for chunk in islice(waiting, 2 * workers)}
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done += future.result()
                    del running[future]
                    for chunk in islice(waiting, 1):
                        running[pool.submit(read, chunk)] = chunk
                progress(done)
        except BrokenProcessPool:
            left = [*_unread(running), *waiting]
    return left


def _unread(running: Mapping[Future[int], Sequence[Entry]]) -> list[Sequence[Entry]]:
    return [
        chunk
        for future, chunk in running.items()
        if not future.done() or future.exception() is not None
    ]


def _read_apart(entries: Sequence[Entry], read: ReadChunk) -> None:
    """Read entries one of which may kill its process: halve them until that one stands alone."""
    with ProcessPoolExecutor(1, mp_context=_processes()) as pool:
        try:
            pool.submit(read, entries).result()
            return
        except BrokenProcessPool:
            pass
    if len(entries) > 1:
        middle = len(entries) // 2
        _read_apart(entries[:middle], read)
        _read_apart(entries[middle:], read)
        return
    row = {name: getattr(entries[0], name) for name in _MARK}
    row |= {"state": "reject", "reason": "decoder_crashed"}
    row |= {"detail": "the process that read this file died"}
    write_beside(as_frame([row], JOURNAL_SCHEMA), new_part(read.keywords["journal"]))


def _processes() -> multiprocessing.context.BaseContext:
    """Not fork: who calls may have threads."""
    return multiprocessing.get_context("spawn")
