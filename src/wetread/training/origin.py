"""training/origin.py: what a run learned from and was scored on, counted; phantoms apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.dataset.phantom_mark import PHANTOM
from wetread.archive.types import Int64Array, JsonObject
from wetread.training.data import LabeledSlices, Split


def phantom_studies(images: pl.DataFrame) -> frozenset[str]:
    """StudyInstanceUIDs of which every image is a phantom's; images: rows of an index."""
    drawn = pl.col("notes").list.contains(PHANTOM).fill_null(False)
    studies = images.group_by("StudyInstanceUID").agg(drawn.all().alias("drawn"))
    return frozenset(studies.filter("drawn")["StudyInstanceUID"].drop_nulls())


def count_origins(
    data: LabeledSlices, splits: Sequence[Split], phantoms: frozenset[str]
) -> dict[str, dict[str, int]]:
    """{"learned_from": {...}, "chosen_on": {...}, "scored_on": {...}}, each the images, studies,
    patients and phantom_studies of all splits together.

    chosen_on: what chose the epoch and was never fitted, nor scored by the model it chose; of
    folds, one fold's is another's to learn from, and each stands where it was used.
    """
    parts = {
        "learned_from": [split.train for split in splits],
        "chosen_on": [split.validation for split in splits],
        "scored_on": [split.scored for split in splits],
    }
    return {
        name: _count(data, np.unique(np.concatenate(rows)), phantoms)
        for name, rows in parts.items()
    }


def _count(data: LabeledSlices, places: Int64Array, phantoms: frozenset[str]) -> dict[str, int]:
    studies = _different(data, "StudyInstanceUID", places)
    return {
        "images": len(places),
        "studies": len(studies),
        "patients": len(_different(data, "patient", places)),
        "phantom_studies": len(studies & phantoms),
    }


def _different(data: LabeledSlices, column: str, places: Int64Array) -> set[str]:
    values = data.column(column)
    return {values[place] for place in places}


def is_phantoms_only(counted: JsonObject) -> bool:
    """Whether all studies of one part that count_origins counted are phantoms."""
    return bool(counted["studies"] > 0 and counted["phantom_studies"] == counted["studies"])
