"""verbs/train/pretrain.py: a recipe's phantoms are learned first; the weights to go on from come
out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wetread.archive.executor.workers import available_cores
from wetread.inputs.label_file import read_label_file
from wetread.inputs.progress import Report, stage
from wetread.labels.rle_csv import read_rle_csv
from wetread.labels.table import LabelTable
from wetread.study.series import series_slices
from wetread.tasks import Task
from wetread.training.data import Split
from wetread.training.recipe import Recipe
from wetread.training.run import BEST, Run
from wetread.training.series.series import labeled_series
from wetread.training.series.spec import SeriesSpec
from wetread.training.slices.batches import steps_per_epoch
from wetread.training.slices.fit import fit_encoder
from wetread.verbs.index import index
from wetread.verbs.pack import pack_looks
from wetread.verbs.phantom import phantom
from wetread.verbs.train.prepare import seen_looks

APART = 1_000_003  # of the seeds: a demo of the same seed shows none of these


def learn_phantoms(
    learn: Callable[..., object],
    task: Task,
    recipe: Recipe,
    settings: Sequence[str],
    folder: Path,
    words: Mapping[str, Any],
) -> dict[str, Path]:
    """Write the phantoms to folder/archive, learn them and their masks, all of which are known, in
    folder/run; the kept model's file, by the task's name.

    learn: verbs/train/train.py's `train`; words: what it is told beside: recipe, weights, seed,
    workers,
    report. settings: of the run that follows.
    """
    archive, run = folder / "archive", folder / "run"
    phantom(
        task.name,
        archive,
        studies=recipe.phantoms,
        seed=recipe.seed + APART,
        workers=words["workers"],
        report=words["report"],
    )
    first = (
        *("phantoms=0", "folds=0", "pretrained=false", "smaller_first=[]", "top_checkpoints=1"),
        *(f"epochs={recipe.phantom_epochs}", f"learning_rate={recipe.phantom_learning_rate}"),
        *("negatives_per_positive=1", *(["decoder=unet"] if task.drawn else [])),
    )
    learn(
        task.name,
        [archive],
        run,
        labels=[archive / task.phantom_labels],
        patients=archive / task.phantom_patients if task.phantom_patients else None,
        settings=[*settings, *first],
        **words,
    )
    return {task.name: run / "model-0" / BEST}


def learn_phantom_looks(
    task: Task,
    of: SeriesSpec,
    recipe: Recipe,
    starts: Mapping[str, Path],
    folder: Path,
    workers: int | None,
    report: Report,
) -> dict[str, Path]:
    """The same of a task of whole series: one encoder a look, by its name, the kept model's file.

    starts: weights from which they start, where there are any.
    """
    archive, nothing = folder / "archive", np.empty(0, np.int64)
    (task.demo_phantoms or task.write_phantoms)(
        archive,
        recipe.phantoms,
        recipe.seed + APART,
        workers=workers or available_cores(),
        progress=stage(report, "phantoms"),
    )
    images = index([archive], folder / "index.parquet", workers=workers, report=report).images
    stores = pack_looks(
        series_slices(images), folder, task, size=recipe.size, workers=workers, report=report
    )
    labels = _phantom_labels(task, archive)
    series = labeled_series(stores[0].slices, labels, of.image, of.study)
    first = recipe.of_encoder().model_copy(
        update={
            "phantoms": 0,
            "epochs": recipe.phantom_epochs,
            "learning_rate": recipe.phantom_learning_rate,
            "smaller_first": (),
            "top_checkpoints": 1,
        }
    )
    everyone = Split("phantoms", np.arange(len(series.rows)), nothing, nothing)
    seen = seen_looks(of, stores, series, labels, first, task.histogram)
    steps = [steps_per_epoch(one.data.truth.astype(np.float32), first, 0) for one in seen]
    for one, each in zip(seen, steps, strict=True):
        name = one.look.name
        # A finding of whole exams makes many slices positive, and an epoch long: steps are counted.
        epochs = max(1, round(first.epochs * one.look.steps * steps[0] / each))
        own = first.model_copy(update={"epochs": epochs})
        shown = stage(report, f"{name} of phantoms")
        fit_encoder(one.data, everyone, own, starts.get(name), Run(folder / "run" / name), shown)
    return {look.name: folder / "run" / look.name / BEST for look in of.looks}


def _phantom_labels(task: Task, archive: Path) -> LabelTable:
    """The labels of the task's phantoms, and the masks that lie beside them."""
    labels = read_label_file(archive / task.phantom_labels, task, None)
    masks = [
        read_rle_csv(archive / file, (finding,)).masks
        for file, finding in task.phantom_masks.items()
    ]
    return replace(labels, masks=pl.concat([labels.masks, *masks]))
