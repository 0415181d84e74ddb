"""archive/index/tables.py: a journal's parts become the index's tables, range by range.

In: the files that are there (sorted), the journal, the tables of the run before. Out: three tables
on disk. One range of rows is in memory at a time, whatever the number of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import atomic_path, move_whole
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.table_file import (
    parquet_schema,
    scan_parquet,
    sink_parquet,
    write_table,
)
from wetread.archive.identity.pseudonym import matches_key, pseudonymous_columns
from wetread.archive.index.duplicates import VERDICT_SCHEMA, judge_duplicates
from wetread.archive.index.intercept import is_current
from wetread.archive.index.journal import ReadOptions, list_parts, rows_to_frame
from wetread.archive.index.schema import INDEX_SCHEMA, JOURNAL_SCHEMA, MARKS, REJECT_SCHEMA
from wetread.archive.pictures.kinds import matches_pictures, may_be_picture
from wetread.archive.rejects import Reject

RANGE = 32 * 1024  # rows in memory at a time
_NARROW = [*MARKS, "state", "SOPInstanceUID", "digest"]
_KEY = ["path", "member"]


@dataclass(frozen=True)
class Tables:
    """Where the tables of an index lie, and the folder of its journal while it is being built."""

    instances: Path
    rejects: Path
    duplicates: Path
    journal: Path

    @staticmethod
    def of(out: Path) -> Tables:
        """Name the tables of the index at NAME.parquet."""
        return Tables(
            out,
            out.with_name(f"{out.stem}.rejects.parquet"),
            out.with_name(f"{out.stem}.duplicates.parquet"),
            out.with_name(f"{out.stem}.journal"),
        )

    def paths(self) -> tuple[Path, ...]:
        """Return all four paths."""
        return self.instances, self.rejects, self.duplicates, self.journal


@dataclass(frozen=True, eq=False)
class Former:
    """Rows that were read before, in one sorted file; first, last: its (path, member) keys."""

    rows: pl.LazyFrame
    first: tuple[str, str]
    last: tuple[str, str]


def drop_refused_pictures(tables: Tables) -> None:
    """Remove the parts of a journal that refuse what may be a picture without a header: the run
    that was killed may have had another modality for them, or none."""
    for part in list_parts(tables.journal):
        rows = scan_parquet(part)
        if rows.filter(pl.col("state") == "reject", may_be_picture()).head(1).collect().height:
            part.unlink()


def known_marks(tables: Tables, options: ReadOptions) -> pl.DataFrame:
    """Return MARKS of the files that need not be read again."""
    frames = [former.rows.select(MARKS).collect() for former in former_rows(tables, options)]
    return pl.concat([pl.DataFrame(schema=_schema(MARKS)), *frames])


def former_rows(tables: Tables, options: ReadOptions) -> list[Former]:
    """List the rows of the journal, in its files' order, then those of the run before.

    A `uid_conflict` is not among them: the file that it conflicted with may be gone; nor is a row
    whose intercept was examined otherwise than the options ask for, or whose pseudonyms are of
    another key, nor a reject that may be a picture without a header. Clear rows are given as
    pseudonymous where there is a key.
    """
    found = []
    parts = [_former(scan_parquet(part), options) for part in list_parts(tables.journal)]
    for path in (tables.instances, tables.duplicates):
        if _is_table(path, INDEX_SCHEMA):
            found.append(scan_parquet(path))
    if _is_table(tables.rejects, REJECT_SCHEMA):
        rejects = scan_parquet(tables.rejects)
        kept = rejects.filter(pl.col("reason") != "uid_conflict", pl.col("size").is_not_null())
        kept = kept.filter(~may_be_picture() & pl.lit(options.pictures is None))
        found.append(kept.with_columns(state=pl.lit("reject")))
    known = sorted((part for part in parts if part is not None), key=lambda part: part.first)
    return known + [former for rows in found if (former := _former(rows, options)) is not None]


def _is_table(path: Path, schema: Mapping[str, pl.DataType]) -> bool:
    """Whether a whole table of this form lies there; what is cut or foreign is made anew."""
    try:
        return parquet_schema(path) == pl.Schema(schema)
    except (DamagedFileError, OSError):
        return False


def _former(rows: pl.LazyFrame, options: ReadOptions) -> Former | None:
    key = options.key
    ends = rows.select(_KEY)
    keys = pl.concat([ends.head(1), ends.tail(1)]).collect().rows()
    if "notes" in rows.collect_schema():
        rows = rows.filter(
            is_current(options.repair), matches_key(key), matches_pictures(options.pictures)
        )
        rows = rows if key is None else rows.with_columns(pseudonymous_columns(key))
    return Former(rows, *((path, member or "") for path, member in keys)) if keys else None


def write_tables(
    marks: pl.DataFrame, refused: Sequence[Reject], tables: Tables, options: ReadOptions
) -> None:
    """Write the tables of the files in `marks` (MARKS, sorted), each of which was read."""
    formers = former_rows(tables, options)
    verdicts = _duplicate_verdicts(marks, formers)
    rejects = [_reject_table(refused)]
    folder = tables.journal / "ranges"
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, list[Path]] = {"instances": [], "duplicates": []}
    for number, rows in enumerate(_ranges(marks, formers, list(JOURNAL_SCHEMA))):
        kept, copies, refuse = _divide(rows, verdicts)
        rejects.append(refuse)
        for name, frame in (("instances", kept), ("duplicates", copies)):
            if frame.height or not number:
                written[name].append(folder / f"{name}-{number:06d}.parquet")
                rows_of_range = frame.select(list(INDEX_SCHEMA))
                write_table(rows_of_range, written[name][-1], level=1, durable=False)
    _join(written["duplicates"], tables.duplicates, tables.journal)
    refusals = pl.concat(rejects).sort(_KEY, maintain_order=True)
    write_table(refusals, tables.rejects, level=1, within=tables.journal)
    _join(written["instances"], tables.instances, tables.journal)


def _ranges(
    marks: pl.DataFrame, formers: Sequence[Former], columns: list[str]
) -> Iterator[pl.DataFrame]:
    """Yield the columns of the rows of all files, a range at a time, sorted."""
    for start in range(0, max(marks.height, 1), RANGE):
        wanted = marks[start : start + RANGE]
        rows = _rows_of(wanted, formers, columns)
        if rows.height != wanted.height:
            raise RuntimeError(
                f"{wanted.height - rows.height} files have no row; the journal was changed by "
                "another run: index again"
            )
        yield rows


def _rows_of(wanted: pl.DataFrame, formers: Sequence[Former], columns: list[str]) -> pl.DataFrame:
    empty = pl.DataFrame(schema=_schema(columns))
    if wanted.is_empty():
        return empty
    first, last = (_key(wanted, place) for place in (0, -1))
    found = [empty]
    for former in formers:
        if former.first > last or former.last < first:
            continue
        lazy = former.rows
        if former.first < first or former.last > last:
            lazy = lazy.filter(_between(first, last))
        present = lazy.collect_schema().names()
        found.append(lazy.select([name for name in columns if name in present]).collect())
    joined = pl.concat(found, how="diagonal").select(columns)
    if joined.select(MARKS).equals(wanted):  # nothing was read twice, nothing is gone
        return joined
    rows = joined.join(wanted, on=MARKS, how="semi", nulls_equal=True, maintain_order="left")
    if rows.height != wanted.height:
        rows = rows.unique(_KEY, keep="first", maintain_order=True)
    return rows.sort(_KEY, nulls_last=False, maintain_order=True)


def _between(first: tuple[str, str], last: tuple[str, str]) -> pl.Expr:
    """Select keys from first to last, both included; by the paths alone parquet skips rows."""
    path, member = pl.col("path"), pl.col("member").fill_null("")
    from_first = (path > first[0]) | (member >= first[1])
    to_last = (path < last[0]) | (member <= last[1])
    return path.is_between(pl.lit(first[0]), pl.lit(last[0])) & from_first & to_last


def _duplicate_verdicts(marks: pl.DataFrame, formers: Sequence[Former]) -> pl.DataFrame:
    """Judge the files whose UID comes more than once: VERDICT_SCHEMA."""
    uid = pl.col("SOPInstanceUID")
    objects = [
        rows.filter(pl.col("state") != "reject", uid.is_not_null()).select(hash=uid.hash())
        for rows in _ranges(marks, formers, _NARROW)
    ]
    hashes = pl.concat(objects)["hash"]
    several = hashes.filter(hashes.is_duplicated()).unique()
    if several.is_empty():
        return pl.DataFrame(schema=VERDICT_SCHEMA)
    repeated = pl.concat(
        rows.filter(pl.col("state") != "reject", uid.hash().is_in(several.implode()))
        for rows in _ranges(marks, formers, _NARROW)
    )
    repeated = repeated.filter(uid.is_duplicated())  # two UIDs may share a hash
    return judge_duplicates(repeated.select(*_KEY, "SOPInstanceUID", "digest"))


def _divide(
    rows: pl.DataFrame, verdicts: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Divide a range's rows into (instances, copies, rejects)."""
    columns = list(REJECT_SCHEMA)
    objects, refused = rows, rows.clear()
    if (rows["state"] == "reject").any():
        refused = rows.filter(pl.col("state") == "reject")
        objects = rows.filter(pl.col("state") != "reject")
    if verdicts.is_empty():
        return objects, objects.clear(), refused.select(columns)
    judged = objects.drop("digest").join(
        verdicts, on=_KEY, how="left", nulls_equal=True, maintain_order="left"
    )
    kept = judged.filter(pl.col("verdict").fill_null("first") == "first")
    copies = judged.filter(pl.col("verdict") == "copy")
    conflicts = judged.filter(pl.col("verdict") == "conflict").with_columns(
        reason=pl.lit("uid_conflict"), detail=pl.col("conflict")
    )
    return kept, copies, pl.concat([refused.select(columns), conflicts.select(columns)])


def _join(parts: list[Path], out: Path, journal: Path) -> None:
    """Write sorted tables, one after the other, as one."""
    if len(parts) == 1:
        move_whole(parts[0], out)
        return
    with atomic_path(out, journal) as part:
        sink_parquet(scan_parquet(parts), part, RANGE)


def _reject_table(refused: Sequence[Reject]) -> pl.DataFrame:
    rows = [{name: getattr(reject, name, None) for name in REJECT_SCHEMA} for reject in refused]
    return rows_to_frame(rows, REJECT_SCHEMA)


def _key(marks: pl.DataFrame, place: int) -> tuple[str, str]:
    path, member = marks.select(_KEY).row(place)
    return path, member or ""


def _schema(columns: Sequence[str]) -> dict[str, pl.DataType]:
    return {name: JOURNAL_SCHEMA[name] for name in columns}
