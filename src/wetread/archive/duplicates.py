"""archive/duplicates.py: one SOP Instance UID in several files: the same bytes, or a conflict."""

import hashlib

import polars as pl

from wetread.archive.rejects import RejectError
from wetread.archive.sources import opened

_PIECE = 1024 * 1024


def settle_duplicates(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """(instances, duplicates, conflicts) of rows in order, JOURNAL_SCHEMA; rejects left out.

    Of the files with one UID the first is the instance. One with other bytes is a conflict, state
    `reject`. Only files that share a UID are read, and `digest` keeps what they gave.
    """
    objects = rows.filter(pl.col("state") != "reject")
    uid = pl.col("SOPInstanceUID")
    shared = uid.is_not_null() & (uid.len().over("SOPInstanceUID") > 1)
    several = objects.with_row_index("order").filter(shared)
    if several.is_empty():
        return objects, objects.clear(), objects.clear()
    digests = [
        digest or digest_of(path, member)
        for path, member, digest in several.select("path", "member", "digest").iter_rows()
    ]
    several = several.with_columns(digest=pl.Series(digests, dtype=pl.String))
    first = pl.col("order") == pl.col("order").min().over("SOPInstanceUID")
    original = pl.col("digest").first().over("SOPInstanceUID", order_by="order")
    place = pl.concat_str("path", pl.lit(" "), pl.col("member").fill_null("")).str.strip_chars()
    detail = pl.lit("the SOP Instance UID of ") + place.first().over(
        "SOPInstanceUID", order_by="order"
    )
    several = several.with_columns(
        is_first=first,
        is_copy=~first & (pl.col("digest") == original),
        detail=pl.when(~first).then(detail + pl.lit(", with other content")),
    )
    copies = several.filter("is_copy").select(objects.columns)
    conflicts = several.filter(~pl.col("is_first") & ~pl.col("is_copy")).with_columns(
        state=pl.lit("reject"), reason=pl.lit("uid_conflict")
    )
    alone = objects.with_row_index("order").filter(~shared | uid.is_null())
    kept = pl.concat([alone, several.filter("is_first").select(alone.columns)]).sort("order")
    return (
        kept.select(objects.columns),
        copies.with_columns(detail=pl.lit(None, dtype=pl.String)),
        conflicts.select(objects.columns),
    )


def digest_of(path: str, member: str | None) -> str:
    """BLAKE2b of a file's bytes; of a file that cannot be read any more, its reason."""
    found = hashlib.blake2b(digest_size=16)
    try:
        with opened(path, member) as (read_at, size):
            offset = 0
            while offset < size:
                piece = read_at(offset, _PIECE)
                if not piece:
                    break
                found.update(piece)
                offset += len(piece)
    except RejectError as reject:
        return f"{reject.reason}: {path} {member}"
    return found.hexdigest()
