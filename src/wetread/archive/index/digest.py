"""archive/index/digest.py: what a file held when its pixels were read, and whether it still does.

A record of each file is kept with what is made of its pixels: the marks that the file system keeps
of it, and a digest of the bytes of its pixel data. A later run compares the marks of all files, and
reads those again whose marks are others.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import TypedDict

import numpy as np
import polars as pl

from wetread.archive.containers.contents import open_contents, text_to_name
from wetread.archive.dataset.elements import UNDEFINED
from wetread.archive.dataset.header import DEFLATED_LE, Header, inflate, read_header
from wetread.archive.dataset.row_fields import WANTED
from wetread.archive.executor.isolated_process import LostItem, still_alive
from wetread.archive.executor.workers import Workers, parallel_map
from wetread.archive.pictures.kinds import picture_kind
from wetread.archive.pixels.fragments import find_fragments
from wetread.archive.rejects import RejectError
from wetread.archive.types import ReadAt, Row

RECORD_SCHEMA: dict[str, pl.DataType] = {
    "path": pl.String(),
    "member": pl.String(),  # inside a zip or tar, whose marks these then are
    "size": pl.Int64(),  # bytes; null, as the others are, where the file was not there
    "mtime_ns": pl.Int64(),
    "ctime_ns": pl.Int64(),
    "inode": pl.Int64(),
    "digest": pl.String(),  # of the pixel data's bytes; null where there is none to read
}
FILE_MARKS = ("size", "mtime_ns", "ctime_ns", "inode")
SAMPLE = 16  # files that are read again at each start, whatever their marks
_CHUNK = 1 << 20
_POOL_FROM = 256  # files to read again that are worth worker processes


class FileMarks(TypedDict):
    """The marks that a file system keeps of a file; None where it cannot be asked."""

    size: int | None
    mtime_ns: int | None
    ctime_ns: int | None
    inode: int | None


class FileRecord(FileMarks):
    """A row of RECORD_SCHEMA."""

    path: str
    member: str | None
    digest: str | None


def file_record(path: str, member: str | None) -> FileRecord:
    """Record a file as it is now. All frames of a file share one record."""
    marks = file_marks(path)
    return {"path": path, "member": member, **marks, "digest": _digest(path, member, str(marks))}


def file_marks(path: str) -> FileMarks:
    """Read size, times and inode of a file; None where it cannot be asked."""
    try:
        status = os.stat(text_to_name(path))
    except OSError:
        return {"size": None, "mtime_ns": None, "ctime_ns": None, "inode": None}
    return {
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "ctime_ns": status.st_ctime_ns,
        "inode": status.st_ino & (1 << 63) - 1,
    }


@lru_cache(maxsize=4)
def _digest(path: str, member: str | None, marks: str) -> str | None:
    try:
        return pixel_digest(path, member)
    except RejectError:
        return None


def pixel_digest(path: str, member: str | None) -> str:
    """Digest the bytes of the pixel data, as they lie in the file (BLAKE2b).

    Raises RejectError where there are none.

    The header before them, with or without a name, changes nothing.
    """
    digest = blake2b(digest_size=16)
    with open_contents(path, member) as (read_at, size):
        if picture_kind(read_at, size) is not None:  # no header to leave out
            for start in range(0, size, _CHUNK):
                digest.update(read_at(start, min(_CHUNK, size - start)))
            return digest.hexdigest()
        header = read_header(read_at, size, WANTED)
        if header.walk.pixel_tag is None:
            raise RejectError("no_pixels", "no pixel data")
        if header.syntax == DEFLATED_LE:
            data = inflate(read_at, size, header.data_start)[0]
            start = header.walk.pixel_offset
            digest.update(data[start : start + header.walk.pixel_length])
            return digest.hexdigest()
        for at, length in _spans(read_at, size, header):
            for start in range(at, at + length, _CHUNK):
                digest.update(read_at(start, min(_CHUNK, at + length - start)))
    return digest.hexdigest()


def _spans(read_at: ReadAt, size: int, header: Header) -> tuple[tuple[int, int], ...]:
    """List (first byte, bytes) of the pixel data: its value, or its fragments."""
    start, length = header.walk.pixel_offset, header.walk.pixel_length
    if length != UNDEFINED:
        return ((start, max(0, min(length, size - start))),)
    try:
        return find_fragments(read_at, size, start).spans
    except RejectError:  # whatever is read of them: the rest of the file
        return ((start, size - start),)


def refresh_records(
    records: pl.DataFrame, *, workers: Workers, verify: bool = False, seed: int = 0
) -> pl.DataFrame:
    """Renew records (RECORD_SCHEMA) from their files, with the column `fits`: whether the pixels
    are those that were recorded.

    Read again are files whose marks are others, with verify all, and always SAMPLE of them, drawn
    by seed: where one of these does not fit any more, all are read. A file without a digest fits
    as long as its marks are the same.
    """
    marks = {path: file_marks(path) for path in records["path"].unique()}
    now = pl.DataFrame(
        [marks[path] for path in records["path"]],
        schema={name: RECORD_SCHEMA[name] for name in FILE_MARKS},
    )
    same = pl.Series([True] * records.height, dtype=pl.Boolean)
    for name in FILE_MARKS:
        same &= now[name].eq_missing(records[name])
    to_read = ~same.to_numpy()
    drawn = np.random.default_rng(seed).permutation(records.height)[:SAMPLE]
    if verify:
        to_read[:] = True
    digests = _read_digests(records, np.flatnonzero(to_read), workers)
    sampled = _read_digests(records, [int(n) for n in drawn if not to_read[n]], workers)
    if any(digest != records["digest"][n] for n, digest in sampled.items()):
        rest = [n for n in range(records.height) if n not in digests and n not in sampled]
        sampled |= _read_digests(records, rest, workers)
    digests |= sampled
    known = records["digest"].to_list()
    found = [digests.get(n, known[n]) for n in range(records.height)]
    fits = [
        current == before and (current is not None or bool(same[n]))
        for n, (current, before) in enumerate(zip(found, known, strict=True))
    ]
    return records.select("path", "member").with_columns(
        *now, pl.Series("digest", found, pl.String()), pl.Series("fits", fits, pl.Boolean())
    )


def _read_digests(
    records: pl.DataFrame, numbers: Iterable[int], workers: Workers
) -> dict[int, str | None]:
    """Read the digests of files, by their numbers among the records."""
    to_read = [int(number) for number in numbers]
    files = [records.select("path", "member").row(number) for number in to_read]
    if len(files) < _POOL_FROM:
        return dict(zip(to_read, map(_digest_now, files), strict=True))
    chunks = [files[at : at + _POOL_FROM] for at in range(0, len(files), _POOL_FROM)]
    found: list[str | None] = []
    for chunk, answer in zip(chunks, parallel_map(_digests_now, chunks, workers), strict=True):
        found += [None] * len(chunk) if isinstance(answer, LostItem) else answer
    return dict(zip(to_read, found, strict=True))


def _digests_now(files: list[tuple[str, str | None]]) -> list[str | None]:
    return [_digest_now(file) for file in files]


def _digest_now(file: tuple[str, str | None]) -> str | None:
    still_alive()
    try:
        return pixel_digest(*file)
    except RejectError:
        return None


def record_files(rows: Iterable[Row]) -> pl.DataFrame:
    """Record the files of rows of an index, each once: RECORD_SCHEMA."""
    files = dict.fromkeys((row["path"], row["member"]) for row in rows)
    return pl.DataFrame([_record_alive(*file) for file in files], schema=RECORD_SCHEMA)


def _record_alive(path: str, member: str | None) -> FileRecord:
    still_alive()
    return file_record(path, member)
