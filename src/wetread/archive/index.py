"""archive/index.py: an archive becomes an Index: parallel, incremental, resumed when killed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from wetread.archive.duplicates import settle_duplicates
from wetread.archive.guard import Lost
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
from wetread.archive.workers import Workers, each

Progress = Callable[[int, int], None]  # (files done, files in all)

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
    sources: Sequence[Path], out: Path, *, workers: Workers, progress: Progress | None = None
) -> Index:
    """Index the sources into out, out's `.rejects` and `.duplicates`; returns what was written.

    A file whose size, time or CRC stand in the index that is there, or in the journal of a run
    that was killed, is not read again.
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
    known = _known_rows(out, journal)
    fresh = [entry for key, entry in entries.items() if known.get(key) != _mark(entry)]
    fresh.sort(key=_place)
    journal.mkdir(parents=True, exist_ok=True)
    _read_all(fresh, journal, workers, len(entries), progress or (lambda done, total: None))

    rows = _rows_of(entries.values(), out, journal)
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


def _former_rows(out: Path, journal: Path) -> pl.DataFrame:
    """Rows of the index that is there and of the journal, JOURNAL_SCHEMA; the journal's win.

    A `uid_conflict` is not among them: what it conflicted with may be gone.
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
    rows = pl.concat(frames, how="diagonal").select(list(JOURNAL_SCHEMA))
    return rows.unique(["path", "member"], keep="first", maintain_order=True)


def _known_rows(
    out: Path, journal: Path
) -> Mapping[tuple[str, str | None], tuple[int, int | None, int | None]]:
    rows = _former_rows(out, journal).select(_MARK).iter_rows()
    return {(path, member): (size, mtime_ns, crc) for path, member, size, mtime_ns, crc in rows}


def _rows_of(entries: Iterable[Entry], out: Path, journal: Path) -> pl.DataFrame:
    """The rows of the files that are there now, sorted; JOURNAL_SCHEMA."""
    marks = pl.DataFrame(
        [(entry.path, entry.member, *_mark(entry)) for entry in entries],
        schema={name: INDEX_SCHEMA[name] for name in _MARK},
        orient="row",
    )
    rows = _former_rows(out, journal).join(marks, on=list(_MARK), how="semi", nulls_equal=True)
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
    entries: Sequence[Entry], journal: Path, workers: Workers, total: int, progress: Progress
) -> None:
    """Every entry into the journal; few entries are read in this process."""
    done = total - len(entries)
    progress(done, total)
    chunks = [entries[at : at + CHUNK] for at in range(0, len(entries), CHUNK)]
    read = partial(read_chunk, journal=journal)
    here = workers == 1 or (isinstance(workers, int) and len(entries) < POOL_FROM)
    answers = map(read, chunks) if here else each(read, chunks, workers)
    for chunk, answer in zip(chunks, answers, strict=True):
        if isinstance(answer, Lost):
            _read_one_by_one(chunk, journal, workers)
        done += len(chunk)
        progress(done, total)


def _read_one_by_one(entries: Sequence[Entry], journal: Path, workers: Workers) -> None:
    """Read entries one of which took its process with it; that one becomes a reject."""
    alone = [[entry] for entry in entries]
    answers = each(partial(read_chunk, journal=journal), alone, workers)
    for entry, answer in zip(entries, answers, strict=True):
        if isinstance(answer, Lost):
            row = {name: getattr(entry, name) for name in _MARK}
            row |= {"state": "reject", "reason": answer.reason, "detail": answer.detail}
            write_beside(as_frame([row], JOURNAL_SCHEMA), new_part(journal))
