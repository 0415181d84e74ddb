"""inputs/label_ids.py: labels as their file has them become labels of an archive's images and
studies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import polars as pl

from wetread.archive.identity.pseudonym import is_pseudonym, pseudonym
from wetread.archive.identity.user_key import UserKey, user_key
from wetread.inputs.patients import patients_by_image
from wetread.labels.mask_text import BOX, BOX_MM, scale_box
from wetread.labels.repair import ids_by_level, repair_labels
from wetread.labels.resolve import resolve_labels
from wetread.labels.table import MASK_SCHEMA, LabelError, LabelTable
from wetread.tasks import Task


def place_labels(
    labels: LabelTable, task: Task, images: pl.DataFrame, patients: str | Path | None = None
) -> tuple[LabelTable, int]:
    """Return labels by the ids of the images and studies of an archive, and how many ids were
    repaired (a blank, a path, an ending).

    images: rows of an index. patients: a file of patients, by which labels of patients meet images
    whose headers name none of these; "study" or None: there is none. Patients have pseudonyms in
    what is returned: labels that name nobody here may be written where others read.
    """
    of_patients = pl.col("level") == "patient"
    names = {*labels.frame.filter(of_patients)["id"], *labels.conflicts.filter(of_patients)["id"]}
    if names:
        key = user_key()
        hidden = {name: pseudonym(name, key) for name in names}
        renamed = pl.when(of_patients).then(pl.col("id").replace(hidden)).otherwise("id")
        frame, conflicts = (
            one.with_columns(id=renamed) for one in (labels.frame, labels.conflicts)
        )
        labels = replace(labels.with_frame(frame), conflicts=conflicts)
        images = with_patients(images, patients, frozenset(hidden.values()), key)
    resolved, named = resolve_labels(labels, task.at("image"), task.at("study"), images)
    placed, repaired = repair_labels(resolved, ids_by_level(images))
    return replace(placed, masks=boxes_in_pixels(placed.masks, images)), named + repaired


def with_patients(
    images: pl.DataFrame, patients: str | Path | None, labeled: Collection[str], key: UserKey
) -> pl.DataFrame:
    """Return rows of an index with the pseudonyms of their patients: that of the header where it is
    one of the labeled, else that of a file of patients where it names the image."""
    written = images["PatientID"].unique().drop_nulls().to_list()
    known = {one: one if is_pseudonym(one) else pseudonym(one, key) for one in written}
    header = pl.col("PatientID").replace(known)
    by_file = patients_by_image(images, patients)
    given = pl.col("SOPInstanceUID").replace_strict(
        {image: pseudonym(patient, key) for image, patient in by_file.items()},
        default=header,
        return_dtype=pl.String,
    )
    own = header.is_in(list(labeled)).fill_null(False)
    return images.with_columns(PatientID=pl.when(own).then(header).otherwise(given))


def boxes_in_pixels(masks: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """Turn boxes in millimeters, rows of MASK_SCHEMA, into pixels of their images, rows of an
    index. LabelError where an image has no spacing; boxes of images that are not there are left
    out."""
    in_mm = pl.col("form") == BOX_MM
    if masks.filter(in_mm).is_empty():
        return masks
    spacing = images.select("SOPInstanceUID", "row_spacing_mm", "column_spacing_mm")
    known = {name: pair for name, *pair in spacing.unique("SOPInstanceUID").iter_rows()}
    rows = []
    for row in masks.filter(in_mm, pl.col("id").is_in(list(known))).iter_rows(named=True):
        row_mm, column_mm = known[row["id"]]
        if not row_mm or not column_mm:
            raise LabelError(
                f"a box of {row['finding']} is in millimeters, and image {row['id']} has no pixel "
                'spacing; write its boxes in pixels, unit = "pixel"'
            )
        rows.append(
            row | {"form": BOX, "runs": [scale_box(t, row_mm, column_mm) for t in row["runs"]]}
        )
    return pl.concat([masks.filter(~in_mm), pl.DataFrame(rows, schema=MASK_SCHEMA)])
