"""training/slices/fit.py: a split of the patients in, a trained model and its honest predictions
out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import nn

from wetread.evaluation.metrics import roc_auc, weighted_log_loss
from wetread.labels.finding import finding_names, finding_weights
from wetread.models.weights import load_weights
from wetread.training import mask_table
from wetread.training.checkpoint import EpochScore
from wetread.training.data import LabeledSlices, Rows, Split, mirror_columns
from wetread.training.masks import AnnotatedMasks, mask_targets
from wetread.training.predictions import LevelPredictions
from wetread.training.recipe import Recipe
from wetread.training.run import Run, TrainedModel, build_network, read_trained_model
from wetread.training.slices.batches import negative_rate, train_set
from wetread.training.slices.levels import slice_predictions
from wetread.training.slices.loop import train
from wetread.training.slices.predict import (
    predict_probabilities,
    predict_with_masks,
    to_probabilities,
)

Progress = Callable[[int, int], None]  # (steps done, steps in all)


@dataclass(frozen=True, eq=False)
class SplitResult:
    """What a split's model says of the scored part: images and studies, and what it drew there and
    in the validation part (a table of mask_table; empty where nothing is drawn)."""

    levels: list[LevelPredictions]
    drawings: pl.DataFrame


def fit_split(
    run: Run,
    number: int,
    split: Split,
    data: LabeledSlices,
    recipe: Recipe,
    weights: Path | None,
    progress: Progress,
) -> SplitResult:
    """Train on the split, keep the best epoch by the weighted log loss of the images (masks are
    not asked), read the scored part."""
    drawn = data.masks if recipe.decoder != "none" else None
    trained = fit_encoder(
        data, split, recipe, weights, Run(run.folder / f"model-{number}"), progress
    )
    probability, drawings = _read(trained, data, split.scored, split.name, number)
    if drawn is not None:
        drawings += _read(trained, data, split.validation, "validation", number)[1]
    levels = slice_predictions(data, split, data.smooth(probability, split.scored))
    return SplitResult(levels, pl.DataFrame(drawings, schema=mask_table.SCHEMA, orient="row"))


def fit_encoder(
    data: LabeledSlices,
    split: Split,
    recipe: Recipe,
    weights: Path | None,
    run: Run,
    progress: Progress,
) -> TrainedModel:
    """Train on the split's train part, in the run's folder; the best epoch by its validation."""
    drawn = data.masks if recipe.decoder != "none" else None
    fitted = train_set(
        data.store,
        data.rows[split.train],
        data.truth[split.train],
        finding_weights(data.findings).tolist(),
        mirror_columns(data.findings).tolist(),
        None if drawn is None else mask_targets(drawn.of(split.train), recipe.size),
    )
    train(
        fresh_model(recipe, len(data.findings), drawn, weights, run),
        fitted,
        recipe,
        finding_names(data.findings),
        _validator(data, split, recipe, negative_rate(fitted.targets, recipe)),
        run,
        progress=progress,
    )
    return read_trained_model(run.folder)


def _read(
    trained: TrainedModel, data: LabeledSlices, places: Rows, split: str, number: int
) -> tuple[NDArray[np.float64], list[dict[str, Any]]]:
    """Probabilities (N, F) of some images, and what was drawn in them (rows of mask_table)."""
    names, ids = finding_names(data.findings), data.column("SOPInstanceUID")
    patients, masks = data.column("patient"), data.masks
    columns = [names.index(finding.name) for finding in masks.findings] if masks else []
    rows: list[dict[str, Any]] = []

    logits, remaining = [], iter(places.tolist())
    for batch, maps in predict_with_masks(
        trained.model,
        data.store,
        data.rows[places],
        trained.view,
        trained.recipe,
        mirror_columns(data.findings).tolist(),
    ):
        logits.append(batch)
        for drawn in () if maps is None else maps:
            assert masks is not None  # nothing else draws
            place = next(remaining)
            whose = mask_table.ImageKey(
                split, number, ids[place], patients[place], int(data.rows[place])
            )
            truth = data.truth[place, columns].tolist()
            rows.extend(mask_table.mask_rows(whose, masks, place, drawn, truth))
    probability = to_probabilities(trained.model, logits, trained.negative_rate)
    for row, head in zip(rows, probability[:, columns].ravel().tolist(), strict=bool(rows)):
        row["head"] = head
    return probability, rows


def fresh_model(
    recipe: Recipe, outputs: int, drawn: AnnotatedMasks | None, weights: Path | None, run: Run
) -> nn.Module:
    """The recipe's network, random by its seed; filled from a file where one is given."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = build_network(recipe, outputs, 0 if drawn is None else len(drawn.findings))
    if weights is not None:
        told = load_weights(model, weights)
        run.write_json(
            "weights.json",
            {"file": weights.name, "loaded": told.loaded, "skipped": told.skipped,
             "adapted": told.adapted},
        )  # fmt: skip
    return model


def _validator(
    data: LabeledSlices, split: Split, recipe: Recipe, rate: float
) -> Callable[[nn.Module], EpochScore] | None:
    """How an epoch is judged: the task's own loss over the validation patients."""
    rows, truth = data.rows[split.validation], data.truth[split.validation]
    if np.isnan(truth).all():  # no one is there, or nothing is known of them
        return None
    weights = finding_weights(data.findings)

    def score(model: nn.Module) -> EpochScore:
        said = predict_probabilities(model, data.store, rows, recipe.view, recipe, rate)
        said = data.smooth(said, split.validation)
        aucs = {
            f"roc_auc_{finding.name}": _or_none(roc_auc(truth[:, column], said[:, column]))
            for column, finding in enumerate(data.findings)
        }
        return EpochScore(weighted_log_loss(truth, said, weights), False, aucs)

    return score


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
