"""training/data_digests.py: images, pixels, labels, patients and parts of a run as digests.

Equal data have equal digests under every user's key: a patient counts by its images, never by its
name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import polars as pl

from wetread.labels.table import LabelTable
from wetread.store.store import digest_of

IMAGE = "SOPInstanceUID"


def digest_data(
    slices: pl.DataFrame, labels: LabelTable, assignment: Mapping[str, str]
) -> dict[str, str | None]:
    """Digest what a run learns from, by kind: images, pixels (None where they are not known),
    labels, masks, patients, folds.

    slices: of the run's store, with their patients. assignment: patient to part.
    """
    known = "digest" in slices.columns and not slices["digest"].null_count()
    first = pl.col(IMAGE).min().over("patient")
    part = pl.col("patient").replace_strict(assignment, default=None, return_dtype=pl.String)
    return {
        "images": _digest(slices, [pl.col(IMAGE)]),
        "pixels": digest_of(slices.sort(IMAGE)) if known else None,
        "labels": _digest(labels.frame, ["level", "id", "finding", "value"]),
        "masks": _digest(_flat(labels.masks), ["id", "finding", "form", "runs"]),
        "patients": _digest(slices, [pl.col(IMAGE), first.alias("first")]),
        "folds": _digest(slices, [pl.col(IMAGE), part.alias("part")]),
    }


def _flat(masks: pl.DataFrame) -> pl.DataFrame:
    return masks.with_columns(pl.col("runs").list.join(";"))


def _digest(table: pl.DataFrame, columns: Sequence[str | pl.Expr]) -> str:
    """Digest columns as text, SHA-256 shortened to 32 digits; the order of the rows counts not."""
    chosen = table.select(columns)
    digest = hashlib.sha256()
    for column in chosen.sort(chosen.columns).iter_columns():
        digest.update(f"{column.name}\0".encode())
        digest.update("\n".join(map(str, column.to_list())).encode())
    return digest.hexdigest()[:32]
