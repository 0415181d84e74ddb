"""archive/index/duplicates.py: one SOP Instance UID in several files: copies or conflicts."""

import hashlib

import polars as pl

from wetread.archive.containers.contents import open_contents
from wetread.archive.rejects import RejectError

_PIECE = 1024 * 1024
VERDICT_SCHEMA: dict[str, pl.DataType] = {
    "path": pl.String(),
    "member": pl.String(),
    "verdict": pl.String(),  # first, copy or conflict
    "digest": pl.String(),  # BLAKE2b of the bytes
    "conflict": pl.String(),  # whose UID it is, with other content
}


def judge_duplicates(several: pl.DataFrame) -> pl.DataFrame:
    """Judge files that share their UID: VERDICT_SCHEMA.

    several: path, member, SOPInstanceUID and digest of the files, sorted.

    Of the files with one UID the first is the instance. One with the same bytes is a copy, one with
    other bytes a conflict. A file without a digest is read for it.
    """
    digests = [
        digest or digest_of(path, member)
        for path, member, digest in several.select("path", "member", "digest").iter_rows()
    ]
    rows = several.with_row_index("order").with_columns(digest=pl.Series(digests, dtype=pl.String))

    def of_first(value: pl.Expr) -> pl.Expr:
        return value.first().over("SOPInstanceUID", order_by="order")

    place = pl.concat_str("path", pl.lit(" "), pl.col("member").fill_null("")).str.strip_chars()
    detail = pl.lit("the SOP Instance UID of ") + of_first(place) + pl.lit(", with other content")
    is_first = pl.col("order") == of_first(pl.col("order"))
    is_copy = pl.col("digest") == of_first(pl.col("digest"))
    verdict = (
        pl.when(is_first)
        .then(pl.lit("first"))
        .when(is_copy)
        .then(pl.lit("copy"))
        .otherwise(pl.lit("conflict"))
    )
    verdicts = rows.with_columns(verdict=verdict)
    return verdicts.with_columns(
        conflict=pl.when(pl.col("verdict") == "conflict").then(detail)
    ).select(list(VERDICT_SCHEMA))


def digest_of(path: str, member: str | None) -> str:
    """Digest a file's bytes (BLAKE2b); of one that cannot be read any more return the reason."""
    found = hashlib.blake2b(digest_size=16)
    try:
        with open_contents(path, member) as (read_at, size):
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
