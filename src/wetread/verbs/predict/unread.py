"""verbs/predict/unread.py: what is there and is not read: localizers, and studies of other
modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from wetread.archive.index.index import Index
from wetread.archive.rejects import Reject
from wetread.prediction.reading import Reading, unread_reading
from wetread.store.store import Store
from wetread.study.header_content import is_localizer

LOCALIZER = "localizer"


def apart_from_localizers(images: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(slices, localizers) of an index's rows, by ImageType (0008,0008); the order is kept."""
    kinds = images["ImageType"].unique().to_list()
    named = [kind for kind in kinds if is_localizer({"ImageType": kind})]
    aside = pl.col("ImageType").is_in(named).fill_null(False)
    return images.filter(~aside), images.filter(aside)


def refused_images(archive: Index, modalities: Sequence[str]) -> pl.DataFrame:
    """Rejects of the index that are of a study of these modalities or of none that is named, and
    of which no other file was taken (REJECT_SCHEMA)."""
    named = pl.col("Modality").is_null() | pl.col("Modality").is_in(list(modalities))
    taken = archive.instances["SOPInstanceUID"].drop_nulls().unique().implode()
    ids = pl.col("SOPInstanceUID", "StudyInstanceUID")
    return archive.rejects.filter(
        named, ids.is_not_null(), ~pl.col("SOPInstanceUID").is_in(taken)
    ).unique("SOPInstanceUID", keep="first", maintain_order=True)


def index_rejects(archive: Index, refused: pl.DataFrame) -> list[Reject]:
    """The files that the index could not use, but for those in `refused`."""
    left = archive.rejects.join(refused, on=["path", "member"], how="anti", nulls_equal=True)
    return [
        Reject(row["path"], row["member"], row["reason"], row["detail"])
        for row in left.iter_rows(named=True)
    ]


def unread_files(
    store: Store, images: pl.DataFrame, localizers: pl.DataFrame, refused: pl.DataFrame
) -> dict[str, list[Reject]]:
    """Study to its images of which nothing was read: what store and index could not take, and
    localizers.

    images: rows of the index, which say what study a file is of; refused: as `refused_images`.
    """
    study = images.select("path", "member", "StudyInstanceUID")
    lost = store.rejects.join(study, on=["path", "member"], how="left", nulls_equal=True)
    aside = localizers.with_columns(
        reason=pl.lit(LOCALIZER),
        detail=pl.lit("ImageType names a localizer: an overview that slices are planned on"),
    )
    found: dict[str, list[Reject]] = {}
    for row in (row for rows in (lost, refused, aside) for row in rows.iter_rows(named=True)):
        reject = Reject(row["path"], row["member"], row["reason"], row["detail"])
        found.setdefault(row["StudyInstanceUID"], []).append(reject)
    return found


def of_other_modalities(
    images: pl.DataFrame,
    taken: pl.DataFrame,
    modalities: Sequence[str],
    findings: Sequence[str],
    provenance: Mapping[str, Any],
) -> list[Reading]:
    """A reading, unread, of every study that none of the images taken is of, by study.

    images: all of an index's; taken: those of the modalities, or of none that is named.
    """
    known = taken["StudyInstanceUID"].unique().implode()
    others = images.filter(~pl.col("StudyInstanceUID").fill_null("").is_in(known))
    left = others.join(taken.select("path", "member"), on=["path", "member"], how="anti",
                       nulls_equal=True)  # fmt: skip
    return [
        _other_modality(study or "", own, modalities, findings, provenance)
        for (study,), own in left.sort("StudyInstanceUID").group_by(
            "StudyInstanceUID", maintain_order=True
        )
    ]


def _other_modality(
    study: Any,
    own: pl.DataFrame,
    modalities: Sequence[str],
    findings: Sequence[str],
    provenance: Mapping[str, Any],
) -> Reading:
    counts = own["Modality"].value_counts().sort("Modality")
    there = ", ".join(f"{number} {name}" for name, number in counts.iter_rows())
    detail = f"images of Modality {there}; {' or '.join(modalities)} is read"
    return unread_reading(study, "other_modality", detail, findings, provenance)
