"""training/fit.py: a split of the patients in, a trained model and its honest predictions out."""

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

from wetread.evaluation.aggregate import smooth_along_z, study_maximum, study_truth
from wetread.evaluation.baselines import (
    constant_prior,
    histogram_baseline,
    histogram_features,
    position_baseline,
)
from wetread.evaluation.metrics import roc_auc, weighted_log_loss
from wetread.labels.finding import Finding, finding_names, finding_weights
from wetread.models.weights import load_weights
from wetread.store.store import Store
from wetread.training import mask_table
from wetread.training.batches import negative_rate, train_set
from wetread.training.folds import FoldPlan, make_folds, make_split
from wetread.training.loop import train
from wetread.training.masks import Masks, small_masks
from wetread.training.predict import predict_probabilities
from wetread.training.predictions import Predicted
from wetread.training.recipe import Recipe
from wetread.training.run import Run, Trained, build_for, read_trained
from wetread.training.state import Validation

SHARES = {"train": 0.70, "validation": 0.10, "held_out": 0.20}  # of one split
INNER = {"train": 0.85, "validation": 0.15}  # of what a fold leaves to learn from
FEWEST_TO_VALIDATE = 8  # patients; with fewer, the last epoch is kept and nothing is chosen

Rows = NDArray[np.int64]
Progress = Callable[[int, int], None]  # (steps done, steps in all)


@dataclass(frozen=True, eq=False)
class Data:
    """The labelled slices: rows (N,) of the store, truth (N, F), NaN unknown, N masks where the
    task has findings that are drawn, and what the histogram baseline sees of a slice."""

    store: Store
    rows: Rows
    truth: NDArray[np.float64]
    findings: tuple[Finding, ...]
    masks: Masks | None = None
    histogram: Callable[[NDArray[np.float32]], NDArray[np.float32]] = histogram_features

    def column(self, name: str) -> list[str]:
        """A column of the store's table, for these rows."""
        values: list[str] = self.store.slices[name].gather(self.rows).to_list()
        return values

    def smooth(self, probability: NDArray[np.float64], places: Rows) -> NDArray[np.float64]:
        """Probabilities (N, F) of those places: neighbours in a series speak for each other."""
        series = np.array(self.column("SeriesInstanceUID"))[places]
        position = np.array(self.column("position_mm"), dtype=np.float64)[places]
        smoothed: NDArray[np.float64] = smooth_along_z(probability, series.tolist(), position)
        return smoothed


@dataclass(frozen=True, eq=False)
class Split:
    """Places among the labelled slices: what is fitted, what chooses the epoch, what is scored."""

    name: str  # of the scored part: held_out or out_of_fold
    train: Rows
    validation: Rows
    scored: Rows


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a split's model says of the scored part: images and studies, and what it drew there and
    in the validation part (a table of mask_table; empty where nothing is drawn)."""

    levels: list[Predicted]
    drawings: pl.DataFrame


def plan_splits(data: Data, folds: int, seed: int) -> tuple[FoldPlan, list[Split]]:
    """Patients to one split, or to K folds, each scored once by a model of the others."""
    patients, names = data.column("patient"), finding_names(data.findings)
    if folds == 0:
        plan = make_split(patients, data.truth, SHARES, seed, names)
        parts = {part: np.flatnonzero(plan.mask(part, patients)) for part in plan.parts}
        split = Split("held_out", parts["train"], parts["validation"], parts["held_out"])
        return plan, [split]
    plan = make_folds(patients, data.truth, folds, seed, names)
    splits = []
    for number, part in enumerate(plan.parts):
        inside = plan.mask(part, patients)
        fitted, validation = _inner(data, np.flatnonzero(~inside), seed + number)
        splits.append(Split("out_of_fold", fitted, validation, np.flatnonzero(inside)))
    return plan, splits


def _inner(data: Data, places: Rows, seed: int) -> tuple[Rows, Rows]:
    """What a fold leaves, split again: the scored patients never choose the epoch."""
    all_patients = data.column("patient")
    patients = [all_patients[place] for place in places]
    if len(set(patients)) < FEWEST_TO_VALIDATE:
        return places, places[:0]
    inner = make_split(patients, data.truth[places], INNER, seed)
    return places[inner.mask("train", patients)], places[inner.mask("validation", patients)]


def fit_split(
    run: Run,
    number: int,
    split: Split,
    data: Data,
    recipe: Recipe,
    weights: Path | None,
    progress: Progress,
) -> Fitted:
    """Train on the split, keep the best epoch by the weighted log loss of the images (masks are
    not asked), read the scored part."""
    folder = run.folder / f"model-{number}"
    drawn = data.masks if recipe.decoder != "none" else None
    fitted = train_set(
        data.store,
        data.rows[split.train],
        data.truth[split.train],
        finding_weights(data.findings).tolist(),
        mirror_columns(data.findings).tolist(),
        None if drawn is None else small_masks(drawn.of(split.train), recipe.size),
    )
    train(
        fresh_model(recipe, len(data.findings), drawn, weights, Run(folder)),
        fitted,
        recipe,
        finding_names(data.findings),
        _validator(data, split, recipe, negative_rate(fitted.targets, recipe)),
        Run(folder),
        progress=progress,
    )
    trained = read_trained(folder)
    probability, drawings = _read(trained, data, split.scored, split.name, number)
    if drawn is not None:
        drawings += _read(trained, data, split.validation, "validation", number)[1]
    levels = _both_levels(data, split, data.smooth(probability, split.scored))
    return Fitted(levels, pl.DataFrame(drawings, schema=mask_table.SCHEMA, orient="row"))


def _read(
    trained: Trained, data: Data, places: Rows, split: str, number: int
) -> tuple[NDArray[np.float64], list[dict[str, Any]]]:
    """Probabilities (N, F) of some images, and what was drawn in them (rows of mask_table)."""
    names, ids = finding_names(data.findings), data.column("SOPInstanceUID")
    patients, masks = data.column("patient"), data.masks
    columns = [names.index(finding.name) for finding in masks.findings] if masks else []
    rows: list[dict[str, Any]] = []

    def take(at: int, maps: NDArray[np.float32]) -> None:
        assert masks is not None  # nothing else draws
        place = int(places[at])
        whose = mask_table.Place(split, number, ids[place], patients[place], int(data.rows[place]))
        truth = data.truth[place, columns].tolist()
        rows.extend(mask_table.drawn_rows(whose, masks, place, maps, truth))

    probability = predict_probabilities(
        trained.model,
        data.store,
        data.rows[places],
        trained.view,
        trained.recipe,
        trained.negative_rate,
        mirror_columns(data.findings).tolist(),
        take,
    )
    for row, head in zip(rows, probability[:, columns].ravel().tolist(), strict=bool(rows)):
        row["head"] = head
    return probability, rows


def fresh_model(
    recipe: Recipe, outputs: int, drawn: Masks | None, weights: Path | None, run: Run
) -> nn.Module:
    """The recipe's network, random by its seed; filled from a file where one is given."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = build_for(recipe, outputs, 0 if drawn is None else len(drawn.findings))
    if weights is not None:
        told = load_weights(model, weights)
        run.write_json(
            "weights.json",
            {"file": weights.name, "loaded": told.loaded, "skipped": told.skipped,
             "adapted": told.adapted},
        )  # fmt: skip
    return model


def mirror_columns(findings: tuple[Finding, ...]) -> Rows:
    """(F,) for each finding the column it becomes when left and right change places."""
    names = finding_names(findings)
    return np.array([names.index(f.mirror or f.name) for f in findings], dtype=np.int64)


def _validator(
    data: Data, split: Split, recipe: Recipe, rate: float
) -> Callable[[nn.Module], Validation] | None:
    """How an epoch is judged: the task's own loss over the validation patients."""
    if len(split.validation) == 0:
        return None
    rows, truth = data.rows[split.validation], data.truth[split.validation]
    weights = finding_weights(data.findings)

    def score(model: nn.Module) -> Validation:
        said = predict_probabilities(model, data.store, rows, recipe.view, recipe, rate)
        said = data.smooth(said, split.validation)
        aucs = {
            f"roc_auc_{finding.name}": _or_none(roc_auc(truth[:, column], said[:, column]))
            for column, finding in enumerate(data.findings)
        }
        return Validation(weighted_log_loss(truth, said, weights), False, aucs)

    return score


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _both_levels(data: Data, split: Split, probability: NDArray[np.float64]) -> list[Predicted]:
    """The scored slices and their studies, with what three trivial readers say of them."""
    column = {
        name: np.array(data.column(name))[split.scored]
        for name in ("SOPInstanceUID", "StudyInstanceUID", "patient")
    }
    truth = data.truth[split.scored]
    baselines = _baselines(data, split)
    images = Predicted(
        level="image",
        split=split.name,
        findings=data.findings,
        ids=tuple(column["SOPInstanceUID"]),
        studies=tuple(column["StudyInstanceUID"]),
        patients=tuple(column["patient"]),
        rows=data.rows[split.scored],
        truth=truth,
        probability=probability,
        baselines=baselines,
    )
    studies = column["StudyInstanceUID"].tolist()
    ids, of_study = study_truth(truth, studies)
    raised = {
        name: study_maximum(data.smooth(values, split.scored), studies)[1]
        for name, values in baselines.items()
    }
    raised["prior"] = np.tile(_study_prior(data, split), (len(ids), 1))
    patient_of = dict(zip(studies, column["patient"].tolist(), strict=True))
    whole = Predicted(
        level="study",
        split=split.name,
        findings=data.findings,
        ids=ids,
        studies=ids,
        patients=tuple(patient_of[study] for study in ids),
        rows=None,
        truth=of_study,
        probability=study_maximum(probability, studies)[1],
        baselines=raised,
    )
    return [images, whole]


def _baselines(data: Data, split: Split) -> dict[str, NDArray[np.float64]]:
    """What the prior, the place in the series and the histogram of HU say, each fitted on train."""
    place = np.array(data.column("z"), np.float64) / np.maximum(
        np.array(data.column("n_slices"), np.float64) - 1, 1
    )
    truth = data.truth[split.train]
    features = [
        np.stack([data.histogram(data.store.read_hu([int(row)])[0]) for row in data.rows[part]])
        for part in (split.train, split.scored)
    ]
    return {
        "prior": np.tile(_known_prior(truth), (len(split.scored), 1)),
        "position": position_baseline(place[split.train], truth, place[split.scored]),
        "histogram": histogram_baseline(features[0], truth, features[1]),
    }


def _study_prior(data: Data, split: Split) -> NDArray[np.float64]:
    studies = np.array(data.column("StudyInstanceUID"))[split.train]
    return _known_prior(study_truth(data.truth[split.train], studies.tolist())[1])


def _known_prior(truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of positives; a finding that training knows nothing of is even odds."""
    share: NDArray[np.float64] = np.nan_to_num(constant_prior(truth), nan=0.5)
    return share
