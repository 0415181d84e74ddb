"""inputs/label_ids.py: labels as their file has them become labels of an archive's images and
studies."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from wetread.archive.identity.pseudonym import is_pseudonym, pseudonym
from wetread.archive.identity.user_key import user_key
from wetread.labels.mask_text import BOX, BOX_MM, scale_box
from wetread.labels.repair import ids_by_level, repair_labels
from wetread.labels.resolve import resolve_labels
from wetread.labels.table import MASK_SCHEMA, LabelError, LabelTable
from wetread.tasks import Task


def place_labels(labels: LabelTable, task: Task, images: pl.DataFrame) -> tuple[LabelTable, int]:
    """Return labels by the ids of the images and studies of an archive, and how many ids were
    repaired (a blank, a path, an ending).

    images: rows of an index; where its PatientIDs are pseudonyms, patients are called by theirs.
    """
    of_patients = pl.col("level") == "patient"
    names = labels.frame.filter(of_patients)["id"].unique().to_list()
    if names and any(map(is_pseudonym, images["PatientID"].drop_nulls().unique())):
        key = user_key()
        pseudonyms = {name: pseudonym(name, key) for name in names}
        renamed = pl.when(of_patients).then(pl.col("id").replace(pseudonyms)).otherwise("id")
        labels = labels.with_frame(labels.frame.with_columns(id=renamed))
    resolved, named = resolve_labels(labels, task.at("image"), task.at("study"), images)
    placed, repaired = repair_labels(resolved, ids_by_level(images))
    return replace(placed, masks=boxes_in_pixels(placed.masks, images)), named + repaired


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
