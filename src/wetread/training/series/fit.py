"""training/series/fit.py: a split of the patients in; encoders, sequence networks, predictions out.

The patients to learn from are dealt into parts. An encoder learns from all parts but one, and a
sequence network from the features that it gives of that one: whatever a sequence network sees, in
training and after it, comes from an encoder that never saw the study. Where an encoder's numbers
mean the same as another's (its logits, what it draws), every network learns from all parts so,
brought to the scale of its own encoder's.
What is said is the mean of the parts. A recipe may then learn a part's encoders and network
together, over all of train. Under the run's folder:

    model-K/part-J/NAME/best.pt    the encoder of the look NAME
    model-K/part-J/sequence.pt     the network over its features
    features/                      what the encoders saw, by content
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit
from torch import nn

from wetread.training import mask_table
from wetread.training.data import LabeledSlices, Rows, Split, mirror_columns
from wetread.training.folds import make_folds
from wetread.training.losses import plain_series_loss
from wetread.training.recipe import Recipe
from wetread.training.run import Run, TrainedModel
from wetread.training.series.embed_series import embed_series
from wetread.training.series.inputs import SequenceInputs, joined, scaled_as
from wetread.training.series.joint import JointModel, fit_joint
from wetread.training.series.levels import series_predictions
from wetread.training.series.reader import JOINT_FOLDER, SERIES_FILE, describe_series_model
from wetread.training.series.sequence_fit import (
    SeriesLoss,
    fit_sequence,
    loss_over,
    predict_series_logits,
)
from wetread.training.series.series import Series, series_containing
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.slices.fit import Progress, SplitResult, fit_encoder

FEATURES = "features"
ALIKE = ("logits", "drawn")  # features that mean the same whichever encoder gives them
Stage = Callable[[str], Progress]


@dataclass(frozen=True, eq=False)
class EncoderSlices:
    """A look, and the slices of all series in its crop with what they are taught."""

    look: CropEncoder
    data: LabeledSlices


@dataclass(frozen=True, eq=False)
class SeriesData:
    """What is learned: the series, and each look's slices, row by row the same."""

    series: Series
    seen: tuple[EncoderSlices, ...]
    of: SeriesSpec


def fit_series(
    run: Run,
    number: int,
    split: Split,
    data: SeriesData,
    recipe: Recipe,
    weights: Mapping[str, Path],
    stage: Stage,
) -> SplitResult:
    """Learn from the split's train part, choose epochs by its validation, read the scored part."""
    series, mirror = data.series, mirror_columns(data.of.study_findings)
    scored = series_containing(series, split.scored)
    see = _Seeing(data, run.folder / FEATURES, recipe)
    parts = [
        _fit_encoders(
            _Part(run.folder / f"model-{number}" / f"part-{j}", number, j, held, ()),
            see,
            replace(split, train=taught),
            weights,
            stage,
        )
        for j, (taught, held) in enumerate(_parts(data, split, recipe))
    ]
    said: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for part in parts:
        now = JointModel(part.encoders, _fit_network(part, parts, see, split, stage))
        if recipe.joint.epochs:
            now = _go_on_together(
                part, see, now, series_containing(series, split.train), split, stage
            )
        Run(part.folder).write_json(
            SERIES_FILE, describe_series_model(data.of, now.network, recipe)
        )
        said.append(
            predict_series_logits(now.network, see.of(now.encoders, scored), mirror, recipe)
        )
    image, study = (expit(np.mean([one[level] for one in said], axis=0)) for level in (0, 1))
    levels = series_predictions(data.seen[0].data, series, split, scored, image, study, data.of)
    return SplitResult(levels, pl.DataFrame([], schema=mask_table.SCHEMA, orient="row"))


@dataclass(frozen=True, eq=False)
class _Part:
    """Part j of split `number`: its folder, its places, and the encoders that never saw them."""

    folder: Path
    number: int
    j: int
    held: Rows
    encoders: tuple[TrainedModel, ...]

    def named(self, what: str) -> str:
        """A stage's name."""
        return f"{what} {self.number + 1}.{self.j + 1}"


def _fit_encoders(
    part: _Part, see: _Seeing, split: Split, weights: Mapping[str, Path], stage: Stage
) -> _Part:
    """The part with encoders of the split's train places, one a look."""
    encoders = tuple(
        fit_encoder(
            one.data,
            split,
            see.recipe.encoder_only(),
            weights.get(one.look.name),
            Run(part.folder / one.look.name),
            stage(part.named(one.look.name)),
        )
        for one in see.data.seen
    )
    return replace(part, encoders=encoders)


def _fit_network(
    part: _Part, parts: Sequence[_Part], see: _Seeing, split: Split, stage: Stage
) -> nn.Module:
    """A network over what encoders say of series they never saw: of its own part, and where such
    numbers mean the same whichever encoder says them, of all parts."""
    data, recipe = see.data, see.recipe
    others = [one for one in parts if one is not part and recipe.series.features in ALIKE]
    own, *beside = (
        see.of(one.encoders, series_containing(data.series, one.held)) for one in (part, *others)
    )
    learned = joined([own, *(scaled_as(own, one) for one in beside)])
    choosing = series_containing(data.series, split.validation)
    return fit_sequence(
        learned,
        see.of(part.encoders, choosing) if len(choosing) else None,
        mirror_columns(data.of.study_findings),
        see.loss_from(learned.series),
        recipe.model_copy(update={"seed": recipe.seed + part.j}),
        Run(part.folder),
        stage(part.named("series")),
    )


def _go_on_together(
    part: _Part, see: _Seeing, start: JointModel, train: Rows, split: Split, stage: Stage
) -> JointModel:
    """The part's encoders and network learned end to end over all of train."""
    series = see.data.series.of(train)
    loss = see.loss_from(series)
    choosing = series_containing(see.data.series, split.validation)

    def judge(now: JointModel) -> float | None:
        if len(choosing) == 0:
            return None
        return loss_over(now.network, see.of(now.encoders, choosing), loss, see.recipe)

    return fit_joint(
        start,
        [part.folder / one.look.name for one in see.data.seen],
        [one.data.store for one in see.data.seen],
        series,
        mirror_columns(see.data.of.study_findings),
        loss,
        judge,
        see.recipe,
        Run(part.folder / JOINT_FOLDER),
        stage(part.named("together")),
    )


def _parts(data: SeriesData, split: Split, recipe: Recipe) -> list[tuple[Rows, Rows]]:
    """For each part: the places an encoder learns from, and those of the part itself."""
    first = data.seen[0].data
    everyone = first.column("patient")
    patients = [everyone[place] for place in split.train]
    truth = np.hstack([data.series.image, data.series.spread()])[split.train]
    plan = make_folds(patients, truth, recipe.series.parts, recipe.seed, order=first.order())
    inside = [plan.mask(part, patients) for part in plan.parts]
    return [(split.train[~one], split.train[one]) for one in inside]


@dataclass(frozen=True, eq=False)
class _Seeing:
    """How encoders see the series of a run."""

    data: SeriesData
    folder: Path
    recipe: Recipe

    def of(self, encoders: Sequence[TrainedModel], series: Rows) -> SequenceInputs:
        stores = [one.data.store for one in self.data.seen]
        return embed_series(self.data.series.of(series), encoders, stores, self.recipe, self.folder)

    def loss_from(self, series: Series) -> SeriesLoss:
        """What is minimised where these series are learned."""
        metric = self.recipe.series.loss == "metric"
        return self.data.of.loss(series) if metric else plain_series_loss
