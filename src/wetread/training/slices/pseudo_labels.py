"""training/slices/pseudo_labels.py: images without a label have the probabilities of a split's
networks as labels, for networks that learn anew (Lee 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.table_file import read_parquet
from wetread.archive.types import Float64Array, Int64Array
from wetread.labels.finding import Finding, finding_names
from wetread.training.data import LabeledSlices, Split, mirror_columns
from wetread.training.run import Run
from wetread.training.slices.ensemble_mean import read_mean
from wetread.training.trained_model import TrainedModel

FILE = "pseudo_labels.parquet"
WANTED = "labels that networks gave, which wetread train writes; remove it"
TEACHER = "teacher"  # folder of the networks that give the labels, in that of their split


def unlabeled_rows(data: LabeledSlices, split: Split) -> Int64Array:
    """Find the rows of the store, (n,), that have no label and are of no patient by whom an epoch
    is chosen or a network scored."""
    patients = data.column("patient")
    others = {patients[place] for place in (*split.validation, *split.scored)}
    labeled = set(data.rows.tolist())
    everyone = data.store.slices["patient"].to_list()
    rows = [row for row, p in enumerate(everyone) if row not in labeled and p not in others]
    return np.array(rows, np.int64)


def with_pseudo_labels(
    data: LabeledSlices, split: Split, models: Sequence[TrainedModel], folder: Path
) -> tuple[LabeledSlices, Split]:
    """Add the images without a label to those that a split learns from, each with the mean
    probabilities of networks that learned from the same patients.

    They are kept in a folder, and read from it by a training that goes on: another machine's
    would differ in their last digits.
    """
    rows = unlabeled_rows(data, split)
    probability = _kept(folder, rows, data.findings)
    if probability is None:
        mirror = mirror_columns(data.findings).tolist()
        probability = read_mean(models, data.store, rows, mirror).probability
        columns = dict(zip(finding_names(data.findings), probability.T, strict=True))
        ids = data.store.slices["SOPInstanceUID"].gather(rows)
        Run(folder).write_table(FILE, pl.DataFrame({"row": rows, "id": ids, **columns}))
    added = np.arange(len(data.rows), len(data.rows) + len(rows))
    return (
        replace(
            data,
            rows=np.concatenate([data.rows, rows]),
            truth=np.concatenate([data.truth, probability]),
            masks=None,
        ),
        replace(split, train=np.concatenate([split.train, added])),
    )


def _kept(folder: Path, rows: Int64Array, findings: Sequence[Finding]) -> Float64Array | None:
    """Read the probabilities (n, F) of rows (n,) that a folder has; None where it has others."""
    file, names = folder / FILE, finding_names(findings)
    if not file.is_file():
        return None
    table = read_parquet(file, expected=WANTED)
    if set(table.columns) != {"row", "id", *names} or table["row"].to_list() != rows.tolist():
        return None
    return table.select(names).to_numpy().astype(np.float64)
