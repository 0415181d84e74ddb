"""training/series_fit.py: a split of the patients in; encoders, sequence networks, predictions out.

The patients to learn from are dealt into parts. An encoder learns from all parts but one, and a
sequence network from the features that it gives of that one: whatever a sequence network sees, in
training and after it, comes from an encoder that never saw the study. What is said is the mean of
the parts. Under the run's folder:

    model-K/part-J/NAME/best.pt    the encoder of the look NAME
    model-K/part-J/sequence.pt     the network over its features
    features/                      what the encoders saw, by content
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from wetread.training import mask_table
from wetread.training.data import Data, Rows, Split, mirror_columns
from wetread.training.features import features_of
from wetread.training.fit import Fitted, Progress, fit_encoder
from wetread.training.folds import make_folds
from wetread.training.look import Look, OfSeries
from wetread.training.losses import plain_series_loss
from wetread.training.recipe import Recipe
from wetread.training.run import Run, Trained
from wetread.training.sequence_fit import SeriesSet, fit_sequence, said_of, series_set
from wetread.training.series_levels import series_levels
from wetread.training.series_run import ABOUT, about_series
from wetread.training.whole_series import Floats, WholeSeries, series_at

FEATURES = "features"
Stage = Callable[[str], Progress]


@dataclass(frozen=True, eq=False)
class Seen:
    """A look, and the slices of all series in its crop with what they are taught."""

    look: Look
    data: Data


@dataclass(frozen=True, eq=False)
class SeriesData:
    """What is learned: the series, and each look's slices, row by row the same."""

    series: WholeSeries
    seen: tuple[Seen, ...]
    of: OfSeries


def fit_series(
    run: Run,
    number: int,
    split: Split,
    data: SeriesData,
    recipe: Recipe,
    weights: Path | None,
    stage: Stage,
) -> Fitted:
    """Learn from the split's train part, choose epochs by its validation, read the scored part."""
    series = data.series
    scored = series_at(series, split.scored)
    said: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    alone = recipe.of_encoder()
    for j, (taught, held) in enumerate(_parts(data, split, recipe)):
        folder = run.folder / f"model-{number}" / f"part-{j}"
        encoders = [
            fit_encoder(
                one.data,
                replace(split, train=taught),
                alone,
                weights,
                Run(folder / one.look.name),
                stage(f"{one.look.name} {number + 1}.{j + 1}"),
            )
            for one in data.seen
        ]
        see = _Seeing(data, encoders, recipe, run.folder / FEATURES)
        part = Run(folder)
        learned = see.of(series_at(series, held))
        metric = recipe.sequence_loss == "metric"
        network = fit_sequence(
            learned,
            see.of(series_at(series, split.validation)) if len(split.validation) else None,
            mirror_columns(data.of.study),
            data.of.loss(learned.series) if metric else plain_series_loss,
            recipe,
            part,
            stage(f"series {number + 1}.{j + 1}"),
        )
        part.write_json(ABOUT, about_series(data.of, network, recipe))
        said.append(said_of(network, see.of(scored), mirror_columns(data.of.study), recipe))
    image, study = (expit(np.mean([one[level] for one in said], axis=0)) for level in (0, 1))
    levels = series_levels(data.seen[0].data, series, split, scored, image, study, data.of)
    return Fitted(levels, pl.DataFrame([], schema=mask_table.SCHEMA, orient="row"))


def _parts(data: SeriesData, split: Split, recipe: Recipe) -> list[tuple[Rows, Rows]]:
    """For each part: the places an encoder learns from, and those of the part itself."""
    first = data.seen[0].data
    everyone = first.column("patient")
    patients = [everyone[place] for place in split.train]
    truth = np.hstack([data.series.image, data.series.spread()])[split.train]
    plan = make_folds(patients, truth, recipe.sequence_parts, recipe.seed)
    inside = [plan.mask(part, patients) for part in plan.parts]
    return [(split.train[~one], split.train[one]) for one in inside]


@dataclass(frozen=True, eq=False)
class _Seeing:
    """What the encoders of one part see of series."""

    data: SeriesData
    encoders: Sequence[Trained]
    recipe: Recipe
    folder: Path

    def of(self, series: Rows) -> SeriesSet:
        chosen = self.data.series.of(series)
        return seen_series(
            chosen, self.encoders, [one.data.store for one in self.data.seen], self.recipe,
            self.folder,
        )  # fmt: skip


def seen_series(
    series: WholeSeries,
    encoders: Sequence[Trained],
    stores: Sequence[Any],
    recipe: Recipe,
    folder: Path,
) -> SeriesSet:
    """The series as the encoders see them, each in its own store, side by side."""

    said = recipe.sequence_features == "logits"

    def beside(mirrored: bool) -> Floats:
        each = [
            features_of(one, store, series.rows, folder, mirrored=mirrored, logits=said)
            for one, store in zip(encoders, stores, strict=True)
        ]
        return np.concatenate(each, axis=1)

    return series_set(
        series, beside(False), beside(True) if recipe.sequence_mirror else None, recipe
    )
