"""training/slices/fit.py: a split of the patients in, a trained model and its honest predictions
out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import nn

from wetread.archive.types import Float64Array, Int64Array, MutableRow, Progress
from wetread.evaluation.metrics import roc_auc, weighted_log_loss
from wetread.labels.finding import finding_names, finding_weights
from wetread.models.encoders import last_linear
from wetread.models.weights import load_weights
from wetread.training import mask_table
from wetread.training.calibration import LabeledProbabilities
from wetread.training.checkpoint import EpochScore
from wetread.training.data import LabeledSlices, Split, mirror_columns
from wetread.training.device import release_memory
from wetread.training.masks import mask_targets
from wetread.training.predictions import LevelPredictions
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.slices.batches import TrainSet, negative_rate, train_set
from wetread.training.slices.ensemble_mean import read_mean
from wetread.training.slices.levels import labeled_probabilities, slice_predictions
from wetread.training.slices.loop import train
from wetread.training.slices.members import member_progress, member_recipes
from wetread.training.slices.predict import predict_probabilities
from wetread.training.slices.pseudo_labels import (
    TEACHER,
    unlabeled_rows,
    with_pseudo_labels,
)
from wetread.training.slices.region import Regions
from wetread.training.trained_model import TrainedModel, build_network, read_trained_model


@dataclass(frozen=True, eq=False)
class SplitResult:
    """Predictions of a split's model.

    levels:     of the scored images and studies, neither calibrated nor made consistent.
    drawings:   maps of the scored and the validation images (a table of mask_table.py); empty where
                nothing is drawn.
    validation: likewise of the validation images and studies, where the split is the only one: it
                calibrates by them.
    """

    levels: list[LevelPredictions]
    drawings: pl.DataFrame
    validation: tuple[LabeledProbabilities, ...] = ()


def fit_split(
    data: LabeledSlices,
    split: Split,
    recipe: Recipe,
    *,
    run: Run,
    number: int,
    weights: Path | None,
    mixed: LabeledSlices | None = None,
    progress: Progress,
) -> SplitResult:
    """Train the split's networks, keep of each the best epoch by the weighted log loss of the
    images (whatever the masks), and read the scored part with their mean. Where the recipe says so
    and images have no label, networks are trained twice, the second time with the first ones'
    answers about these.

    number: of the split. weights, mixed: as for fit_encoder.
    """
    folder = run.folder / f"model-{number}"
    fit = partial(fit_members, recipe=recipe, weights=weights, mixed=mixed)
    if recipe.pseudo_labels and len(unlabeled_rows(data, split)):
        first, second = (member_progress(progress, turn, 2) for turn in (0, 1))
        teachers = fit(data, split, folder=folder / TEACHER, progress=first)
        learned = with_pseudo_labels(data, split, teachers, folder / TEACHER)
        models = fit(*learned, folder=folder, progress=second)
    else:
        models = fit(data, split, folder=folder, progress=progress)
    probability, drawings, apart = _read(models, data, split.scored, split.name, number)
    validation: tuple[LabeledProbabilities, ...] = ()
    if split.is_only or (data.masks is not None and recipe.decoder != "none"):
        read, maps, _ = _read(models, data, split.validation, "validation", number)
        drawings += maps
        if split.is_only:
            smoothed = data.smooth(read, split.validation)
            validation = labeled_probabilities(data, split.validation, smoothed)
    release_memory()
    levels = slice_predictions(data, split, data.smooth(probability, split.scored), apart)
    table = pl.DataFrame(drawings, schema=mask_table.SCHEMA, orient="row")
    return SplitResult(levels, table, validation)


def fit_members(
    data: LabeledSlices,
    split: Split,
    *,
    recipe: Recipe,
    folder: Path,
    weights: Path | None,
    mixed: LabeledSlices | None,
    progress: Progress,
) -> list[TrainedModel]:
    """Train the recipe's networks of a split, in a folder. weights, mixed: as for fit_encoder."""
    return [
        fit_encoder(
            data,
            split,
            own,
            weights=weights,
            run=Run(folder / name),
            mixed=mixed,
            progress=member_progress(progress, member, recipe.members),
        )
        for member, (name, own) in enumerate(member_recipes(recipe))
    ]


def fit_encoder(
    data: LabeledSlices,
    split: Split,
    recipe: Recipe,
    *,
    weights: Path | None,
    run: Run,
    mixed: LabeledSlices | None = None,
    progress: Progress,
) -> TrainedModel:
    """Train on the split's train part, in the run's folder; the best epoch by its validation.

    weights: a file to start from. mixed: phantoms, of which every batch has its share.
    """
    training = _train_set(data, split.train, recipe)
    if mixed is not None:
        training = replace(training, mixed=_train_set(mixed, np.arange(len(mixed.rows)), recipe))
    masks = 0 if training.masks is None else len(training.masks.findings)
    model, head_is_learned = initial_model(recipe, len(data.findings), masks, weights, run)
    train(
        model,
        training,
        recipe,
        findings=finding_names(data.findings),
        run=run,
        score=_validation_score(data, split, recipe, negative_rate(training.targets, recipe)),
        head_is_learned=head_is_learned,
        progress=progress,
    )
    return read_trained_model(run.folder)


def _train_set(data: LabeledSlices, places: Int64Array, recipe: Recipe) -> TrainSet:
    """Select the labeled slices at places (n,), with masks where the recipe draws them."""
    masks = data.masks if recipe.decoder != "none" else None
    return train_set(
        data.store,
        data.rows[places],
        data.truth[places],
        finding_weights(data.findings).tolist(),
        mirror_columns(data.findings).tolist(),
        None if masks is None else mask_targets(masks.of(places), recipe.size),
        data.grafts,
    )


def _read(
    models: Sequence[TrainedModel], data: LabeledSlices, places: Int64Array, split: str, number: int
) -> tuple[Float64Array, list[MutableRow], Float64Array]:
    """Predict probabilities (N, F) of images (N,), their masks (rows of mask_table.py), and how far
    the logits of networks, and of image and mirror image, are apart, (N, F)."""
    names, ids = finding_names(data.findings), data.column("SOPInstanceUID")
    patients, masks = data.column("patient"), data.masks
    columns = [names.index(finding.name) for finding in masks.findings] if masks else []
    read = read_mean(
        models,
        data.store,
        data.rows[places],
        mirror_columns(data.findings).tolist(),
        regions=None if data.inside is None else Regions(data.store, data.inside),
    )
    rows: list[MutableRow] = []
    for place, packed in zip(places.tolist(), read.maps, strict=False):
        assert masks is not None  # nothing else draws
        key = mask_table.ImageKey(split, number, ids[place], patients[place], int(data.rows[place]))
        maps = np.stack([mask_table.mean_map(packed, column) for column in range(len(columns))])
        truth = data.truth[place, columns].tolist()
        rows.extend(mask_table.mask_rows(key, masks, place, maps, truth))
    heads = read.probability[:, columns].ravel().tolist()
    for row, head in zip(rows, heads, strict=bool(rows)):
        row["head"] = head
    return read.probability, rows, read.disagreement


def initial_model(
    recipe: Recipe, outputs: int, masks: int, weights: Path | None, run: Run
) -> tuple[nn.Module, bool]:
    """Build the recipe's network, random by its seed; filled from a file where one is given, and
    what was taken from it is written to run.folder/weights.json. True where the last layer is from
    it, and has learned elsewhere."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = build_network(recipe, outputs, masks)
    head_is_learned = False
    if weights is not None:
        loaded = load_weights(model, weights)
        run.write_json(
            "weights.json",
            {"file": weights.name, "loaded": loaded.loaded, "skipped": loaded.skipped,
             "adapted": loaded.adapted},
        )  # fmt: skip
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        head_is_learned = names[id(last_linear(model).weight)] in loaded.loaded
    return model, head_is_learned


def _validation_score(
    data: LabeledSlices, split: Split, recipe: Recipe, rate: float
) -> Callable[[nn.Module], EpochScore] | None:
    """Make the score of an epoch: the task's own loss over the validation patients; None where no
    label of theirs is known."""
    rows, truth = data.rows[split.validation], data.truth[split.validation]
    if np.isnan(truth).all():  # no one is there, or nothing is known of them
        return None
    weights = finding_weights(data.findings)

    def score(model: nn.Module) -> EpochScore:
        probability = predict_probabilities(model, data.store, rows, recipe.view, recipe, rate)
        probability = data.smooth(probability, split.validation)
        aucs = {
            f"roc_auc_{finding.name}": _or_none(roc_auc(truth[:, column], probability[:, column]))
            for column, finding in enumerate(data.findings)
        }
        return EpochScore(weighted_log_loss(truth, probability, weights), scores=aucs)

    return score


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
