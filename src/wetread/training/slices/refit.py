"""training/slices/refit.py: after folds, networks of all labeled patients, which then read alone.

refit/            the first network
refit/member-J/   the others, J from 1
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wetread.archive.types import Progress
from wetread.training.data import LabeledSlices, Split
from wetread.training.recipe import Recipe
from wetread.training.run import Run, read_trained_model
from wetread.training.slices.fit import fit_encoder
from wetread.training.slices.members import (
    REFIT,
    fold_checkpoints,
    member_progress,
    member_recipes,
)
from wetread.training.slices.pseudo_labels import with_pseudo_labels

NOBODY = np.empty(0, np.int64)


def refit_all(
    data: LabeledSlices,
    recipe: Recipe,
    *,
    run: Run,
    weights: Path | None,
    mixed: LabeledSlices | None,
    progress: Progress,
) -> int:
    """Train the recipe's networks on all patients and return for how many epochs: the median of
    those after which the folds' networks were kept. No patient is left to choose by, so the last
    epoch is kept.

    run: its folds are trained. weights, mixed: as for fit_encoder.
    """
    kept = [read_trained_model(file).epoch for file in fold_checkpoints(run.folder)]
    epochs = 1 + round(float(np.median(kept)))
    everyone = Split("refit", np.arange(len(data.rows)), NOBODY, NOBODY)
    if recipe.pseudo_labels:
        folds = [read_trained_model(file) for file in fold_checkpoints(run.folder)]
        data, everyone = with_pseudo_labels(data, everyone, folds)
    changes = {"epochs": epochs, "top_checkpoints": 1, "patience_epochs": 0}
    for member, (name, own) in enumerate(member_recipes(recipe.model_copy(update=changes))):
        fit_encoder(
            data,
            everyone,
            own,
            weights=weights,
            run=Run(run.folder / REFIT / name),
            mixed=mixed,
            progress=member_progress(progress, member, recipe.members),
        )
    return epochs
