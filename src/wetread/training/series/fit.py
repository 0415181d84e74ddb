"""training/series/fit.py: a split of the patients in; encoders, sequence networks, predictions out.

The patients to learn from are dealt into parts. An encoder learns from all parts but one, and a
sequence network from the features that it gives of that one: whatever a sequence network takes, in
training and after it, comes from an encoder that was not trained on the study. Where an encoder's
numbers mean the same as another's (its logits, its masks), every network learns from all parts so,
brought to the scale of its own encoder's. Predictions are the mean over the parts. A recipe may
then train a part's encoders and network jointly, over all of train. Under the run's folder:

    model-K/part-J/NAME/best.pt    the encoder of the crop NAME
    model-K/part-J/sequence.pt     the network over its features
    model-K/part-J/blend.npz       weights of the heads, where the network is not the only one
    features/                      the encoders' features of slices, by content
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit
from torch import nn

from wetread.archive.types import Float64Array, Int64Array, Progress
from wetread.labels.finding import finding_weights
from wetread.models.boosted_trees import BoostedTrees
from wetread.training import mask_table
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import LabeledSlices, Split, mirror_columns
from wetread.training.folds import make_folds
from wetread.training.losses import SeriesLoss, plain_series_loss
from wetread.training.recipe import Recipe
from wetread.training.run import Run, TrainedModel
from wetread.training.series.blend import (
    Blend,
    SeriesLogits,
    choose_weights,
    equal_weights,
    fit_trees,
    head_logits,
    write_blend,
)
from wetread.training.series.embed_series import embed_series, slice_probabilities
from wetread.training.series.inputs import SequenceInputs, join_inputs, rescale_to
from wetread.training.series.joint import JointData, JointModel, fit_joint
from wetread.training.series.levels import series_predictions, validation_probabilities
from wetread.training.series.reader import JOINT_FOLDER, SERIES_FILE, describe_series_model
from wetread.training.series.sequence_fit import (
    fit_sequence,
    loss_over,
    predict_series_logits,
)
from wetread.training.series.series import Series, series_containing
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.slices.fit import SplitResult, fit_encoder

FEATURES = "features"
_NOTHING = np.empty(0, np.int64)
COMPARABLE = ("logits", "drawn")  # features that mean the same whichever encoder gives them
Stage = Callable[[str], Progress]  # name of a step -> its progress callback


@dataclass(frozen=True, eq=False)
class EncoderSlices:
    """An encoder, and the slices of all series in its crop with their targets."""

    encoder: CropEncoder
    data: LabeledSlices


@dataclass(frozen=True, eq=False)
class SeriesData:
    """Series to learn, and the slices of each encoder's crop, row by row the same."""

    series: Series
    encoders: tuple[EncoderSlices, ...]
    spec: SeriesSpec

    def truth(self) -> Float64Array:
        """Truth (N, F) of the slices and, spread over them, of their studies, in the columns of
        spec.findings."""
        return truth_of(self.spec, self.series)


def truth_of(spec: SeriesSpec, series: Series) -> Float64Array:
    """Join the truth of the series' slices and, spread over them, of their studies: (N, F), in the
    columns of spec.findings."""
    if spec.study_from_images:
        return series.image
    return np.hstack([series.image, series.spread()])


def fit_series(
    data: SeriesData,
    split: Split,
    recipe: Recipe,
    *,
    run: Run,
    number: int,
    weights: Mapping[str, Path],
    stage: Stage,
) -> SplitResult:
    """Learn from the split's train part, choose epochs by its validation, read the scored part.

    number: of the split. weights: from which encoders start, by their names.
    """
    flip_index = mirror_columns(data.spec.study_findings)
    embedder = _Embedder(data, run.folder / FEATURES, recipe)
    parts = [
        _fit_encoders(part, embedder, replace(split, train=train), weights, stage)
        for part, train in _deal(data, split, recipe, run.folder / f"model-{number}")
    ]
    scored = series_containing(data.series, split.scored)
    validation = series_containing(data.series, split.validation if split.is_only else _NOTHING)
    trees = _fit_trees(parts, embedder) if "boosting" in recipe.series.heads else ()
    logits: list[SeriesLogits] = []
    validation_logits: list[SeriesLogits] = []
    for part in parts:
        model = JointModel(part.encoders, _fit_network(part, parts, embedder, split, stage))
        if recipe.joint.epochs:
            model = _fit_joint(part, embedder, model, split, stage)
        description = describe_series_model(data.spec, model.network, recipe)
        Run(part.folder).write_json(SERIES_FILE, description)
        blend: Blend | None = None
        if recipe.series.heads != ("network",):
            blend = _fit_blend(part, model, embedder, split, trees)
            write_blend(part.folder, blend)
        for numbers, found in ((scored, logits), (validation, validation_logits)):
            if len(numbers) == 0:
                continue
            inputs = embedder.embed(model.encoders, numbers)
            network = predict_series_logits(model.network, inputs, flip_index, recipe)
            if blend is not None:
                own = embedder.slices(part, numbers)
                network = blend.blend(network, own, data.series.of(numbers))
            found.append(network)
    image, study = _mean_probabilities(logits)
    slices = data.encoders[0].data
    levels = series_predictions(
        slices, data.series, split, image=image, study=study, spec=data.spec
    )
    chosen_on: tuple[LabeledProbabilities, ...] = ()
    if validation_logits:
        image, study = _mean_probabilities(validation_logits)
        chosen_on = validation_probabilities(
            data.series.of(validation), image=image, study=study, spec=data.spec
        )
    empty = pl.DataFrame([], schema=mask_table.SCHEMA, orient="row")
    return SplitResult(levels, empty, chosen_on)


def _mean_probabilities(
    logits: Sequence[SeriesLogits],
) -> tuple[Float64Array, Float64Array]:
    """Turn the mean of several networks' logits of slices (N, I) and studies (E, S) into
    probabilities."""
    image, study = (expit(np.mean([one[level] for one in logits], axis=0)) for level in (0, 1))
    return image, study


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of a split's train places, and the encoders that were not trained on it.

    number: of the part; the split's folder is the part's parent.
    places: (n,) of the part, among the labeled slices.
    """

    folder: Path
    number: int
    places: Int64Array
    encoders: tuple[TrainedModel, ...] = ()

    def stage_name(self, step: str) -> str:
        """Name a step, as "series 1.2": of the first split, the second part."""
        split = int(self.folder.parent.name.removeprefix("model-"))
        return f"{step} {split + 1}.{self.number + 1}"


def _deal(
    data: SeriesData, split: Split, recipe: Recipe, folder: Path
) -> list[tuple[_Part, Int64Array]]:
    """Deal the split's train patients to parts, each with the places its encoders learn from."""
    first = data.encoders[0].data
    everyone = first.column("patient")
    patients = [everyone[place] for place in split.train]
    truth = data.truth()[split.train]
    plan = make_folds(patients, truth, recipe.series.parts, recipe.seed, order=first.order())
    inside = [plan.mask(part, patients) for part in plan.parts]
    return [
        (_Part(folder / f"part-{number}", number, split.train[one]), split.train[~one])
        for number, one in enumerate(inside)
    ]


@dataclass(frozen=True, eq=False)
class _Embedder:
    """Embeds series of a run as the inputs of a sequence network."""

    data: SeriesData
    folder: Path
    recipe: Recipe

    def embed(self, encoders: Sequence[TrainedModel], series: Int64Array) -> SequenceInputs:
        """Embed series by number (e,)."""
        stores = [one.data.store for one in self.data.encoders]
        return embed_series(self.data.series.of(series), encoders, stores, self.recipe, self.folder)

    def slices(self, part: _Part, series: Int64Array) -> Float64Array:
        """Predict probabilities (N, F) of the slices of series, by number (e,), by the part's first
        encoder alone."""
        first = self.data.encoders[0]
        return slice_probabilities(
            self.data.series.of(series),
            part.encoders[0],
            first.data.store,
            mirror_columns(first.encoder.findings),
            self.recipe,
            self.folder,
        )

    def loss_for(self, series: Series) -> SeriesLoss:
        """Return what is minimized where these series are learned."""
        metric = self.recipe.series.loss == "metric"
        return self.data.spec.loss(series) if metric else plain_series_loss


def _fit_encoders(
    part: _Part, embedder: _Embedder, split: Split, weights: Mapping[str, Path], stage: Stage
) -> _Part:
    """Train the part's encoders, one a crop, on the split's train places."""
    encoders = tuple(
        fit_encoder(
            one.data,
            split,
            embedder.recipe.encoder_only(),
            weights=weights.get(one.encoder.name),
            run=Run(part.folder / one.encoder.name),
            progress=stage(part.stage_name(one.encoder.name)),
        )
        for one in embedder.data.encoders
    )
    return replace(part, encoders=encoders)


def _fit_network(
    part: _Part, parts: Sequence[_Part], embedder: _Embedder, split: Split, stage: Stage
) -> nn.Module:
    """Train a network over the embeddings of series whose encoders were not trained on them: of its
    own part, and where such numbers mean the same whichever encoder gives them, of all parts."""
    data, recipe = embedder.data, embedder.recipe
    others = [one for one in parts if one is not part and recipe.series.features in COMPARABLE]
    own, *rest = (
        embedder.embed(one.encoders, series_containing(data.series, one.places))
        for one in (part, *others)
    )
    training = join_inputs([own, *(rescale_to(own, one) for one in rest)])
    validation = series_containing(data.series, split.validation)
    return fit_sequence(
        training,
        embedder.embed(part.encoders, validation) if len(validation) else None,
        recipe.model_copy(update={"seed": recipe.seed + part.number}),
        flip_index=mirror_columns(data.spec.study_findings),
        loss=embedder.loss_for(training.series),
        run=Run(part.folder),
        progress=stage(part.stage_name("series")),
    )


def _fit_trees(parts: Sequence[_Part], embedder: _Embedder) -> tuple[BoostedTrees, ...]:
    """Fit boosted trees to all of the split's train places, each slice by the encoder that was not
    trained on it."""
    numbers = [series_containing(embedder.data.series, part.places) for part in parts]
    slices = [embedder.slices(part, e) for part, e in zip(parts, numbers, strict=True)]
    series = embedder.data.series.of(np.concatenate(numbers))
    return fit_trees(np.concatenate(slices), series, embedder.recipe.seed)


def _fit_blend(
    part: _Part,
    model: JointModel,
    embedder: _Embedder,
    split: Split,
    trees: tuple[BoostedTrees, ...],
) -> Blend:
    """Choose the weights of the part's heads by the split's validation series."""
    data, recipe = embedder.data, embedder.recipe
    weights, heads = finding_weights(data.spec.image_findings), recipe.series.heads
    numbers = series_containing(data.series, split.validation)
    series = data.series.of(numbers)
    if len(numbers) == 0:
        return equal_weights(heads, len(weights), trees)
    network, study = predict_series_logits(
        model.network,
        embedder.embed(model.encoders, numbers),
        mirror_columns(data.spec.study_findings),
        recipe,
    )
    logits = head_logits(heads, network, embedder.slices(part, numbers), series, trees)
    return choose_weights(heads, logits, study, series, weights, trees)


def _fit_joint(
    part: _Part, embedder: _Embedder, start: JointModel, split: Split, stage: Stage
) -> JointModel:
    """Train the part's encoders and network end to end over all of the split's train places."""
    data, recipe = embedder.data, embedder.recipe
    series = data.series.of(series_containing(data.series, split.train))
    loss = embedder.loss_for(series)
    validation = series_containing(data.series, split.validation)

    def validation_loss(model: JointModel) -> float | None:
        if len(validation) == 0:
            return None
        inputs = embedder.embed(model.encoders, validation)
        return loss_over(model.network, inputs, loss, recipe)

    return fit_joint(
        start,
        JointData(
            series,
            [one.data.store for one in data.encoders],
            mirror_columns(data.spec.study_findings),
            loss,
        ),
        recipe,
        validation_loss=validation_loss,
        sources=[part.folder / one.encoder.name for one in data.encoders],
        run=Run(part.folder / JOINT_FOLDER),
        progress=stage(part.stage_name("together")),
    )
