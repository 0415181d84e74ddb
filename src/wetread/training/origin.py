"""training/origin.py: what a run learned from and was scored on, counted; phantoms apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from wetread.archive.dataset.phantom_mark import PHANTOM
from wetread.archive.plural import plural
from wetread.archive.types import Int64Array, JsonObject
from wetread.store.store import Store
from wetread.training.data import LabeledSlices, Split


def phantom_studies(images: pl.DataFrame) -> frozenset[str]:
    """StudyInstanceUIDs of which every image is a phantom's; images: rows of an index."""
    drawn = pl.col("notes").list.contains(PHANTOM).fill_null(False)
    studies = images.group_by("StudyInstanceUID").agg(drawn.all().alias("drawn"))
    return frozenset(studies.filter("drawn")["StudyInstanceUID"].drop_nulls())


def count_origins(
    data: LabeledSlices,
    splits: Sequence[Split],
    phantoms: frozenset[str],
    unlabeled: Sequence[int] = (),
) -> dict[str, dict[str, int]]:
    """{"learned_from": {...}, "chosen_on": {...}, "scored_on": {...}}, each the images, studies,
    patients and phantom_studies of all splits together.

    chosen_on: what chose the epoch and was never fitted, nor scored by the model it chose; of
    folds, one fold's is another's to learn from, and each stands where it was used. unlabeled: rows
    of the store that are learned from, too.
    """
    parts = {
        "learned_from": [split.train for split in splits],
        "chosen_on": [split.validation for split in splits],
        "scored_on": [split.scored for split in splits],
    }
    rows = {name: data.rows[np.unique(np.concatenate(of))] for name, of in parts.items()}
    rows["learned_from"] = np.concatenate([rows["learned_from"], np.array(unlabeled, np.int64)])
    return {name: _count(data.store, own, phantoms) for name, own in rows.items()}


def _count(store: Store, rows: Int64Array, phantoms: frozenset[str]) -> dict[str, int]:
    studies = set(store.slices["StudyInstanceUID"].gather(rows))
    return {
        "images": len(rows),
        "studies": len(studies),
        "patients": store.slices["patient"].gather(rows).n_unique(),
        "phantom_studies": len(studies & phantoms),
    }


def is_phantoms_only(counted: JsonObject) -> bool:
    """Whether all studies of one part that count_origins counted are phantoms."""
    return bool(counted["studies"] > 0 and counted["phantom_studies"] == counted["studies"])


def is_without_patients(counted: JsonObject) -> bool:
    """Whether no study of one part that count_origins counted is a patient's; also where the part
    has no study."""
    return bool(counted["phantom_studies"] == counted["studies"])


def describe_origin(about: JsonObject) -> str:
    """Describe in words, by its about.json, what a run learned from and was scored on."""
    if "learned_from" not in about or "scored_on" not in about:
        return "whether it learned from patients or phantoms was not kept"
    learned, scored = about["learned_from"], about["scored_on"]
    words = f"learned from {_describe_part(learned)}; scored on {_describe_part(scored)}"
    words += ", never on a patient" if is_without_patients(scored) else ""
    if epochs := about.get("refit_epochs"):
        words += (
            "; new studies are read by networks of all these patients "
            f"({plural(epochs, 'epoch')}), which were not scored themselves"
        )
    if images := learned.get("pseudo_labeled"):  # runs of before have none
        words += f"; {plural(images, 'image')} without a label had those of its own networks"
    return words


def _describe_part(counted: JsonObject) -> str:
    phantoms: int = counted["phantom_studies"]
    patients: int = counted["studies"] - phantoms
    if not phantoms:
        return f"{plural(patients, 'study')} of patients" if patients else "nothing"
    if not patients:
        return f"{plural(phantoms, 'study')} of phantoms"
    return f"{plural(patients, 'study')} of patients and {phantoms} of phantoms"
