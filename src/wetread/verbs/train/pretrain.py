"""verbs/train/pretrain.py: a recipe's phantoms are learned first; the weights to go on from."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import available_cores
from wetread.archive.identity.user_key import user_key
from wetread.inputs.archive import open_archive
from wetread.inputs.label_file import read_label_file
from wetread.inputs.patients import assign_patients
from wetread.inputs.progress import Report, stage
from wetread.labels.rle_csv import read_rle_csv
from wetread.labels.table import LabelTable
from wetread.study.series import series_slices
from wetread.tasks import Task
from wetread.training.prepare import fit_phantoms, phantoms_to_mix
from wetread.training.run import Run
from wetread.training.slices.prepare import Start, TrainingInputs
from wetread.verbs.pack import pack_crops_of
from wetread.verbs.train.request import TrainRequest

SEED_OFFSET = 1_000_003  # of the phantoms' seed: a demo of the same seed shows none of these


def pretrain(request: TrainRequest, *, workers: int | None, report: Report) -> Start:
    """Write phantoms to out/phantoms/archive, and learn them and the masks that are known of them
    in out/phantoms/run, where the request starts from no file of weights. Stopped and called again,
    it goes on. Where the request has no phantoms, it starts from its own weights.

    The phantoms may be another task's, of one network of slices: all of the request's networks then
    start from what it learned."""
    recipe, task = request.phantom_recipe, request.task.phantom_task
    if recipe is None or task is None:
        return Start(request.weights)
    folder = request.out / "phantoms"
    archive, run = folder / "archive", Run(folder / "run")
    run.folder.mkdir(parents=True, exist_ok=True)
    task.phantoms.write_to_learn(
        archive,
        request.recipe.phantoms.studies,
        recipe.seed + SEED_OFFSET,
        workers=workers or available_cores(),
        progress=stage(report, "phantoms"),
    )
    key = user_key()
    index = open_archive([archive], folder, workers=workers, report=report, key=key)
    stores = pack_crops_of(
        series_slices(index.images), folder, task, size=recipe.size, workers=workers, report=report
    )
    patients = task.phantoms.patients_file(archive)
    stores, _ = assign_patients(stores, index, patients, key, run.folder)
    run.write_json("recipe.json", recipe.model_dump(mode="json"))
    labels = phantom_labels(task, archive)
    inputs = TrainingInputs(run, stores, labels, recipe, partial(stage, report))
    mixed = phantoms_to_mix(task.spec, inputs) if request.recipe.phantoms.share else None
    if not request.learns_phantoms:
        return Start(request.weights, mixed)
    if task is request.task:
        return Start(fit_phantoms(task.spec, inputs, request.weights), mixed)
    before = next(iter(request.weights.values()), None)
    weights = {} if before is None else dict.fromkeys(task.networks, before)
    (kept,) = fit_phantoms(task.spec, inputs, weights).values()
    return Start(dict.fromkeys(request.task.networks, kept))


def phantom_labels(task: Task, archive: Path) -> LabelTable:
    """Read the labels of the task's phantoms, and the masks that lie beside them."""
    labels = read_label_file(archive / task.phantoms.labels, task, None)
    masks = [
        read_rle_csv(archive / file, (finding,)).masks
        for file, finding in task.phantoms.masks.items()
    ]
    return replace(labels, masks=pl.concat([labels.masks, *masks]))
