"""training/series/parts.py: series to learn; a split's patients dealt to parts, and
their series as the encoders of a part embed them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.training.data import LabeledSlices, Split, mirror_columns
from wetread.training.folds import make_folds
from wetread.training.losses import SeriesLoss, plain_series_loss
from wetread.training.recipe import Recipe
from wetread.training.series.embed_series import embed_series, slice_probabilities
from wetread.training.series.inputs import SequenceInputs
from wetread.training.series.series import Series
from wetread.training.series.spec import CropEncoder, SeriesSpec
from wetread.training.trained_model import TrainedModel


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


def truth_of(spec: SeriesSpec, series: Series) -> Float64Array:
    """Join the truth of the series' slices and, spread over them, of their studies: (N, F), in the
    columns of spec.findings. Where both have the same findings and labels of their own, a slice's
    label stands, and where it has none its study's."""
    if spec.study_labels:
        return np.where(np.isnan(series.image), series.spread(), series.image)
    if spec.study_from_images:
        return series.image
    return np.hstack([series.image, series.spread()])


@dataclass(frozen=True, eq=False)
class Part:
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


def deal_parts(
    data: SeriesData, split: Split, recipe: Recipe, folder: Path
) -> list[tuple[Part, Int64Array]]:
    """Deal the split's train patients to parts, each with the places its encoders learn from."""
    first = data.encoders[0].data
    everyone = first.column("patient")
    patients = [everyone[place] for place in split.train]
    truth = truth_of(data.spec, data.series)[split.train]
    plan = make_folds(patients, truth, recipe.series.parts, recipe.seed, order=first.order())
    inside = [plan.mask(part, patients) for part in plan.parts]
    return [
        (Part(folder / f"part-{number}", number, split.train[one]), split.train[~one])
        for number, one in enumerate(inside)
    ]


@dataclass(frozen=True, eq=False)
class Embedder:
    """Embeds series of a run as the inputs of a sequence network."""

    data: SeriesData
    folder: Path
    recipe: Recipe

    def embed(self, encoders: Sequence[TrainedModel], series: Int64Array) -> SequenceInputs:
        """Embed series by number (e,)."""
        stores = [one.data.store for one in self.data.encoders]
        return embed_series(self.data.series.of(series), encoders, stores, self.recipe, self.folder)

    def slices(self, part: Part, series: Int64Array) -> Float64Array:
        """Predict probabilities (N, F) of the slices of series, by number (e,), by the part's first
        encoder alone."""
        first = self.data.encoders[0]
        return slice_probabilities(
            self.data.series.of(series),
            part.encoders[0],
            first.data.store,
            flip_index=mirror_columns(first.encoder.findings),
            recipe=self.recipe,
            folder=self.folder,
        )

    def loss_for(self, series: Series) -> SeriesLoss:
        """Return what is minimized where these series are learned."""
        metric = self.recipe.series.loss == "metric"
        return self.data.spec.loss(series) if metric else plain_series_loss
