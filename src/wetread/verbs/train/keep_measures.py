"""verbs/train/keep_measures.py: how far numbers measured in what a run drew in slices are off."""

from __future__ import annotations

import polars as pl

from wetread.store.store import Store
from wetread.tasks import Task
from wetread.training.measures import FILE, errors_to_dict
from wetread.training.run import Run
from wetread.training.slice_measures import measure_errors
from wetread.verbs.evaluate.evaluate import decided_masks


def keep_measure_errors(run: Run, task: Task, store: Store, images: pl.DataFrame) -> None:
    """Write the errors of the task's numbers in the slices that a trained run was scored on; none
    where it draws no slices.

    store: the slices that were learned from; images: rows of their index.
    """
    decided = decided_masks(run.folder) if task.spec.measures else {}
    if decided:
        errors = measure_errors(decided, task.spec.measures, store, images)
        run.write_json(FILE, errors_to_dict(errors))
