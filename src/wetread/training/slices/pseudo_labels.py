"""training/slices/pseudo_labels.py: images without a label have the probabilities of a split's
networks as labels, for networks that learn anew (Lee 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from wetread.archive.types import Int64Array
from wetread.training.data import LabeledSlices, Split, mirror_columns
from wetread.training.run import TrainedModel
from wetread.training.slices.members import read_mean

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
    data: LabeledSlices, split: Split, models: Sequence[TrainedModel]
) -> tuple[LabeledSlices, Split]:
    """Add the images without a label to those that a split learns from, each with the mean
    probabilities of networks that learned from the same patients."""
    rows = unlabeled_rows(data, split)
    said = read_mean(models, data.store, rows, mirror_columns(data.findings).tolist()).probability
    added = np.arange(len(data.rows), len(data.rows) + len(rows))
    return (
        replace(
            data,
            rows=np.concatenate([data.rows, rows]),
            truth=np.concatenate([data.truth, said]),
            masks=None,
        ),
        replace(split, train=np.concatenate([split.train, added])),
    )
