"""inputs/label_ids.py: labels as their file has them become labels of an archive's images and
studies."""

from __future__ import annotations

import polars as pl

from wetread.archive.identity.pseudonym import is_pseudonym, pseudonym
from wetread.archive.identity.user_key import user_key
from wetread.labels.repair import ids_by_level, repair_labels
from wetread.labels.resolve import resolve_labels
from wetread.labels.table import LabelTable
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
    return placed, named + repaired
