"""store/fresh.py: which parts of a store still hold the pixels of their files."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import Workers
from wetread.archive.files.damaged import DamagedFileError
from wetread.archive.files.table_file import read_parquet, write_table
from wetread.archive.index.digest import RECORD_SCHEMA, refresh_records

SOURCES = ".sources"
ENDINGS = (".parquet", SOURCES, ".rejects", ".bin")  # the first goes first: it makes a part whole
_OURS = re.compile(r"[0-9a-f]{24}\.(parquet|sources|rejects|bin)")


def keep_fresh(
    folders: Sequence[Path], keys: Sequence[str], workers: Workers, verify: bool
) -> set[str]:
    """Return the keys of the parts that are whole in all folders and hold their files' pixels.

    A part whose files' pixels are others now is removed; where only the marks of its files changed,
    these are written anew. verify: digest every file, whatever its marks.
    """
    whole: dict[str, pl.DataFrame] = {}
    for key in keys:
        if all((folder / f"{key}{ENDINGS[0]}").is_file() for folder in folders):
            with contextlib.suppress(DamagedFileError, FileNotFoundError):
                records = read_parquet(folders[0] / f"{key}{SOURCES}", schema=RECORD_SCHEMA)
                whole[key] = records.select(list(RECORD_SCHEMA))
    if not whole:
        return set()
    before = pl.concat(whole.values())
    now = refresh_records(before, workers=workers, verify=verify)
    stale, first = set(), 0
    for key, records in whole.items():
        rows, first = now[first : first + records.height], first + records.height
        if not rows["fits"].all():
            stale.add(key)
            _remove(folders, key)
        elif not rows.drop("fits").equals(records):
            for folder in folders:
                write_table(rows.drop("fits"), folder / f"{key}{SOURCES}")
    return set(whole) - stale


def with_digests(frame: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Add the digest of their file's pixels to rows of an index, as the column `pixels`."""
    known = records.select("path", "member", pixels="digest").unique(["path", "member"])
    on = ["path", "member"]
    return frame.join(known, on=on, how="left", nulls_equal=True, maintain_order="left")


def remove_others(folder: Path, keys: Sequence[str]) -> None:
    """Remove parts that are not among the keys: of files that are gone or were packed otherwise."""
    kept = set(keys)
    for path in list(folder.iterdir()):
        if _OURS.fullmatch(path.name) and path.stem not in kept:
            path.unlink(missing_ok=True)


def _remove(folders: Sequence[Path], key: str) -> None:
    for folder in folders:
        for ending in ENDINGS:
            (folder / f"{key}{ending}").unlink(missing_ok=True)
