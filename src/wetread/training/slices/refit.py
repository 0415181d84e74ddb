"""training/slices/refit.py: after folds, networks of all labeled patients, which then read alone.

refit/            the first network
refit/member-J/   the others, J from 1
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wetread.archive.types import Progress
from wetread.training.about import REFIT
from wetread.training.data import LabeledSlices, Split
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.slices.fit import fit_members
from wetread.training.slices.members import fold_checkpoints
from wetread.training.slices.pseudo_labels import with_pseudo_labels
from wetread.training.trained_model import read_trained_model

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
    those after which the folds' networks were kept, half an epoch a whole one. No patient is left
    to choose by, so the last epochs are kept.

    run: its folds are trained. weights, mixed: as for fit_encoder.
    """
    folds = [read_trained_model(file) for file in fold_checkpoints(run.folder)]
    epochs = 1 + int(np.ceil(np.median([one.epoch for one in folds])))
    everyone = Split("refit", np.arange(len(data.rows)), NOBODY, NOBODY)
    if recipe.pseudo_labels:
        data, everyone = with_pseudo_labels(data, everyone, folds, run.folder / REFIT)
    shorter = recipe.model_copy(update={"epochs": epochs, "patience_epochs": 0})
    fit_members(
        data,
        everyone,
        recipe=shorter,
        folder=run.folder / REFIT,
        weights=weights,
        mixed=mixed,
        progress=progress,
    )
    return epochs
