"""archive/index/index.py: an archive becomes an Index: parallel, incremental, resumed."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, islice, tee
from pathlib import Path
from typing import Literal, TypedDict

import polars as pl

from wetread.archive.executor.isolated_process import LostItem
from wetread.archive.executor.workers import Workers, parallel_map
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.lock import locked
from wetread.archive.files.table_file import (
    first_error_line,
    parquet_schema,
    read_parquet,
    scan_parquet,
)
from wetread.archive.identity.pseudonym import pseudonymous_columns
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.journal import (
    ReadOptions,
    read_chunk,
    remove_journal,
    rows_to_frame,
    write_part,
)
from wetread.archive.index.listing import Listing
from wetread.archive.index.schema import INDEX_SCHEMA, JOURNAL_SCHEMA, REJECT_SCHEMA
from wetread.archive.index.tables import Tables, drop_refused_pictures, known_marks, write_tables
from wetread.archive.notebook import table_html
from wetread.archive.pictures.kinds import NO_HEADER, SYNTAXES, Pictures
from wetread.archive.types import Progress, StrPath

ReadChunk = partial[int]  # read_chunk of one journal

EXPECTED = "the table of an index, which wetread index writes"
CHUNK = 2048  # files a task
_POOL_FROM = 4  # tasks: fewer are done before worker processes have started


_COUNTED: tuple[Literal["files", "instances", "not_image", "duplicates", "rejects"], ...] = (
    "files", "instances", "not_image", "duplicates", "rejects",
)  # fmt: skip


class IndexCounts(TypedDict):
    """The numbers of an index: files = instances + not_image + duplicates + rejects; of instances
    without_header are PNG, JPEG or NIfTI."""

    files: int
    instances: int
    not_image: int
    duplicates: int
    rejects: int
    without_header: int
    series: int
    studies: int
    patients: int
    by_reason: dict[str, int]


@dataclass(frozen=True, eq=False, repr=False)
class Index:
    """The objects of an archive as a table, with what was refused.

    table:      INDEX_SCHEMA, one row a DICOM object, sorted by path and member; read when asked.
    rejects:    REJECT_SCHEMA, one row a file that is not used.
    duplicates: files with the SOP Instance UID and the bytes of an instance.
    path:       where the table lies, if on disk.
    """

    table: pl.LazyFrame
    rejects: pl.DataFrame
    duplicates: int
    path: Path | None = None

    @cached_property
    def instances(self) -> pl.DataFrame:
        """Read all rows. Raises DamagedFileError where the table on disk is no longer whole."""
        with _named_if_damaged(self.path):
            return self.table.collect()

    @property
    def refused(self) -> int:
        """Count the files that cannot be used; those that are no DICOM are not among them."""
        return count_refused(self.rejects)

    @property
    def images(self) -> pl.DataFrame:
        """Return the instances that hold an image."""
        return self.instances.filter(pl.col("state") == "image")

    def __repr__(self) -> str:
        counts = self.counts()
        return f"Index({counts['instances']} images, {counts['rejects']} rejects)"

    def _repr_html_(self) -> str:
        """Return the counts by modality and the reasons of rejects as HTML; no path, no id."""
        counts = self.counts()
        total = ", ".join(f"{counts[key]} {key.replace('_', ' ')}" for key in _COUNTED)
        with _named_if_damaged(self.path):
            modalities = (
                self.table.filter(pl.col("state") == "image")
                .group_by(pl.col("Modality").fill_null("not named").alias("modality"))
                .agg(
                    images=pl.len(),
                    series=pl.col("SeriesInstanceUID").n_unique(),
                    studies=pl.col("StudyInstanceUID").n_unique(),
                )
                .sort("modality")
                .collect()
            )
        rejects = self.rejects.group_by("reason").agg(files=pl.len()).sort("reason")
        refused = table_html(rejects, "Rejects") if rejects.height else ""
        return table_html(modalities, f"Index: {total}") + refused

    def pseudonymized(self, key: UserKey | None) -> "Index":
        """Return this index with pseudonyms in place of what identifies; key None: unchanged."""
        if key is None:
            return self
        return Index(
            self.table.with_columns(pseudonymous_columns(key)), self.rejects, self.duplicates
        )

    def counts(self) -> IndexCounts:
        """Count files, instances, series (and up: of images alone) and rejects by reason."""
        image = pl.col("state") == "image"
        headerless = pl.col("TransferSyntaxUID").is_in(list(SYNTAXES.values()))
        reasons = self.rejects.group_by("reason").len().sort("reason").iter_rows()
        with _named_if_damaged(self.path):
            numbers = self.table.select(pl.len(), images=image.sum(), headerless=headerless.sum())
            objects, images, without_header = numbers.collect().row(0)
        return {
            "files": objects + self.duplicates + self.rejects.height,
            "instances": images,
            "not_image": objects - images,
            "duplicates": self.duplicates,
            "rejects": self.rejects.height,
            "without_header": without_header,
            "series": self._different_images("SeriesInstanceUID"),
            "studies": self._different_images("StudyInstanceUID"),
            "patients": self._different_images("PatientID"),
            "by_reason": dict(reasons),
        }

    def pictures_refused(self) -> int:
        """Count the rejects that are PNG, JPEG or NIfTI, for which no modality was given."""
        return int(self.rejects["detail"].str.contains(NO_HEADER, literal=True).sum())

    def _different_images(self, name: str) -> int:
        images = self.table.filter(pl.col("state") == "image").select(name)
        with _named_if_damaged(self.path):
            different = images.unique().drop_nulls().select(pl.len())
            found: int = different.collect(engine="streaming").item()
        return found


def count_refused(rejects: pl.DataFrame) -> int:
    """Count rejects (REJECT_SCHEMA) but for files that are no DICOM."""
    return rejects.filter(pl.col("reason") != "not_dicom").height


def build_index(
    sources: Sequence[Path],
    out: Path,
    *,
    workers: Workers,
    progress: Progress | None = None,
    repair: bool = True,
    key: UserKey | None = None,
    pictures: str | None = None,
) -> Index:
    """Index the sources into out, out's `.rejects` and `.duplicates`; returns what was written.

    A file whose size, time or CRC stand in the index that is there, or in the journal of a run
    that was killed, is not read again. repair: see `examine`. key: what identifies gets pseudonyms
    under it before anything is written; None: it stands in the tables. pictures: the modality of
    files without a DICOM header; None: these are refused.
    """
    out = out.absolute()
    roots = tuple(os.path.abspath(source) for source in sources)
    given = None if pictures is None else Pictures(pictures, roots)
    tables, options = Tables.of(out), ReadOptions(repair, key, given)
    with locked(tables.journal, out):
        _build(sources, tables, options, workers, progress)
    return read_index(out)


def _build(
    sources: Sequence[Path],
    tables: Tables,
    options: ReadOptions,
    workers: Workers,
    progress: Progress | None,
) -> None:
    listing = Listing()
    with _named_if_damaged(tables.instances):
        drop_refused_pictures(tables)
        known = known_marks(tables, options)
    chunks = listing.fresh_chunks(sources, frozenset(map(str, tables.paths())), known, CHUNK)

    def report(read: int) -> None:
        if progress is not None:
            progress(listing.files - listing.fresh + read, listing.files)

    read = partial(read_chunk, journal=tables.journal, options=options)
    _read_all(chunks, read, workers, report)
    with _named_if_damaged(tables.instances):
        write_tables(listing.marks(), listing.refused, tables, options)
    remove_journal(tables.journal)


def read_index(path: StrPath) -> Index:
    """Read the index at NAME.parquet with its tables of rejects and duplicates.

    Raises FileNotFoundError where there is none, DamagedFileError where it is cut or foreign, and
    ValueError where it lacks columns.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no index there; make one: wetread index SRC -o {path}")
    tables = Tables.of(path)
    table = scan_parquet(path, expected=EXPECTED)
    missing = set(INDEX_SCHEMA) - set(parquet_schema(path, expected=EXPECTED))
    if missing:
        lacking = ", ".join(sorted(missing))
        if {"path", "member", "state"} & missing:
            raise ValueError(f"{path}: no index, it lacks the columns {lacking}")
        raise ValueError(
            f"{path}: an index of an earlier version, it lacks the columns {lacking}; "
            f"index again: wetread index SRC -o {path}"
        )
    rejects = pl.DataFrame(schema=REJECT_SCHEMA)
    if tables.rejects.is_file():
        rejects = read_parquet(tables.rejects, schema=REJECT_SCHEMA, expected=EXPECTED)
    copies = 0
    if tables.duplicates.is_file():
        duplicates = scan_parquet(tables.duplicates, expected=EXPECTED)
        copies = duplicates.select(pl.len()).collect().item()
    return Index(table, rejects, copies, path)


@contextmanager
def _named_if_damaged(path: Path | None) -> Iterator[None]:
    """Turn the error of a table reader into a DamagedFileError that names the file."""
    try:
        yield
    except (pl.exceptions.ComputeError, pl.exceptions.PanicException) as error:
        if path is None:
            raise
        found = f"it or its rejects and duplicates cannot be read ({first_error_line(error)})"
        raise DamagedFileError(path, f"{EXPECTED}; remove them and index again", found) from error


def _read_all(
    chunks: Iterator[pl.DataFrame], read: ReadChunk, workers: Workers, report: Callable[[int], None]
) -> None:
    """Read every file into the journal: few in this process, many while the rest is listed.

    report: called with the number of files that were read.
    """
    first = list(islice(chunks, _POOL_FROM))
    few = len(first) < _POOL_FROM and isinstance(workers, int)
    given: Iterable[pl.DataFrame]
    if workers == 1 or few:
        given = [*first, *chunks]
        answers: Iterator[int | LostItem] = map(read, given)
    else:
        items, given = tee(chain(first, chunks))
        answers = parallel_map(read, items, workers, ahead=None)
    done = 0
    for answer, chunk in zip(answers, given, strict=True):
        if isinstance(answer, LostItem):
            _read_one_by_one(chunk, read, workers)
        done += chunk.height
        report(done)
    report(done)


def _read_one_by_one(marks: pl.DataFrame, read: ReadChunk, workers: Workers) -> None:
    """Read files one of which took its process with it; that one becomes a reject."""
    singles = [marks[number] for number in range(marks.height)]
    answers = parallel_map(read, singles, workers)
    for single, answer in zip(singles, answers, strict=True):
        if isinstance(answer, LostItem):
            row = single.row(0, named=True) | {
                "state": "reject",
                "reason": answer.reason,
                "detail": answer.detail,
            }
            write_part(rows_to_frame([row], JOURNAL_SCHEMA), read.keywords["journal"])
