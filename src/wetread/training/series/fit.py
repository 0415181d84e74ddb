"""training/series/fit.py: a split of the patients in; encoders, sequence networks, predictions out.

The patients to learn from are dealt into parts. An encoder learns from all parts but one, and a
sequence network from the features that it gives of that one: whatever a sequence network takes, in
training and after it, comes from an encoder that was not trained on the study. Where an encoder's
numbers mean the same as another's (its logits, its masks), every network learns from all parts so,
brought to the scale of its own encoder's. Predictions are the mean over the parts. A recipe may
then train a part's encoders and network jointly, over all of train. Under the run's folder:

    model-K/part-J/NAME/best.pt    the encoder of the crop NAME
    model-K/part-J/sequence.pt     the network over its features
    model-K/part-J/heads.npz       weights of the heads, where the network is not the only one
    features/                      the encoders' features of slices, by content
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit
from torch import nn

from wetread.archive.types import Float64Array, Progress
from wetread.labels.finding import finding_weights
from wetread.models.boosted_trees import BoostedTrees
from wetread.training import mask_table
from wetread.training.calibration import LabeledProbabilities
from wetread.training.data import Split, mirror_columns
from wetread.training.recipe import Recipe
from wetread.training.run import Run
from wetread.training.series.fit_trees import fit_trees
from wetread.training.series.heads import (
    SeriesLogits,
    WeightedHeads,
    choose_weights,
    equal_weights,
    head_logits,
    write_heads,
)
from wetread.training.series.inputs import join_inputs, rescale_to
from wetread.training.series.joint import JointData, JointModel, fit_joint
from wetread.training.series.levels import series_predictions, validation_probabilities
from wetread.training.series.parts import Embedder, Part, SeriesData, deal_parts
from wetread.training.series.reader import JOINT_FOLDER, SERIES_FILE, describe_series_model
from wetread.training.series.sequence_fit import (
    fit_sequence,
    loss_over,
    predict_series_logits,
)
from wetread.training.series.series import series_containing
from wetread.training.slices.fit import SplitResult, fit_encoder

FEATURES = "features"
_NOTHING = np.empty(0, np.int64)
COMPARABLE = ("logits", "drawn")  # features that mean the same whichever encoder gives them
Stage = Callable[[str], Progress]  # name of a step -> its progress callback


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
    embedder = Embedder(data, run.folder / FEATURES, recipe)
    parts = [
        _fit_encoders(part, embedder, replace(split, train=train), weights, stage)
        for part, train in deal_parts(data, split, recipe, run.folder / f"model-{number}")
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
        blend: WeightedHeads | None = None
        if recipe.series.heads != ("network",):
            blend = _weigh_heads(part, model, embedder, split, trees)
            write_heads(part.folder, blend)
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


def _fit_encoders(
    part: Part, embedder: Embedder, split: Split, weights: Mapping[str, Path], stage: Stage
) -> Part:
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
    part: Part, parts: Sequence[Part], embedder: Embedder, split: Split, stage: Stage
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


def _fit_trees(parts: Sequence[Part], embedder: Embedder) -> tuple[BoostedTrees, ...]:
    """Fit boosted trees to all of the split's train places, each slice by the encoder that was not
    trained on it."""
    numbers = [series_containing(embedder.data.series, part.places) for part in parts]
    slices = [embedder.slices(part, e) for part, e in zip(parts, numbers, strict=True)]
    series = embedder.data.series.of(np.concatenate(numbers))
    return fit_trees(np.concatenate(slices), series, embedder.recipe.seed)


def _weigh_heads(
    part: Part,
    model: JointModel,
    embedder: Embedder,
    split: Split,
    trees: tuple[BoostedTrees, ...],
) -> WeightedHeads:
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
    return choose_weights(logits, study, series, heads=heads, weights=weights, trees=trees)


def _fit_joint(
    part: Part, embedder: Embedder, start: JointModel, split: Split, stage: Stage
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
