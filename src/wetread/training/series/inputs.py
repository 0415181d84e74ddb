"""training/series/inputs.py: embeddings of series in; inputs of a sequence network out.

An input of a slice is its features, with their differences to both neighbors, then its place, then
the numbers of the series as a whole, the same at every slice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.training.recipe import Recipe
from wetread.training.series.series import (
    PLACE,
    Series,
    join_series,
    place_features,
    sequence_features,
)


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Numbers by which encoders describe E series.

    features: (N, D) float32, of their N slices.
    overall:  (E, T) float32, of each series as a whole; T may be 0.
    """

    features: Float32Array
    overall: Float32Array


def concatenate(parts: Sequence[Embeddings]) -> Embeddings:
    """Concatenate the embeddings of the same series by several encoders, (N, D1 + D2 ...) and
    (E, T1 + T2 ...)."""
    return Embeddings(
        np.concatenate([part.features for part in parts], axis=1),
        np.concatenate([part.overall for part in parts], axis=1),
    )


@dataclass(frozen=True, eq=False)
class SequenceInputs:
    """E series as a sequence network takes them.

    inputs:   E arrays (n, D) float32.
    mirrored: those of the series' mirror images; () where there are none.
    overall:  so many of the D, the last ones, are of the series as a whole.
    """

    series: Series
    inputs: tuple[Float32Array, ...]
    mirrored: tuple[Float32Array, ...]
    overall: int


def make_sequence_inputs(
    series: Series, plain: Embeddings, mirrored: Embeddings | None, recipe: Recipe
) -> SequenceInputs:
    """Make inputs of the embeddings of series, and of those of their mirror images."""
    flipped = () if mirrored is None else _inputs(series, mirrored, recipe)
    return SequenceInputs(series, _inputs(series, plain, recipe), flipped, plain.overall.shape[1])


def _inputs(series: Series, embeddings: Embeddings, recipe: Recipe) -> tuple[Float32Array, ...]:
    inputs = []
    for (low, high), whole in zip(pairwise(series.starts), embeddings.overall, strict=True):
        of_slices: Float32Array = sequence_features(
            embeddings.features[low:high],
            place_features(series.position_mm[low:high]),
            recipe.series.differences,
            np,
        )
        inputs.append(np.hstack([of_slices, np.tile(whole, (high - low, 1))]))
    return tuple(inputs)


def join_inputs(sets: Sequence[SequenceInputs]) -> SequenceInputs:
    """Join the series of all sets, one set after the other."""
    return SequenceInputs(
        join_series([one.series for one in sets]),
        tuple(inputs for one in sets for inputs in one.inputs),
        tuple(inputs for one in sets for inputs in one.mirrored),
        sets[0].overall,
    )


def rescale_to(own: SequenceInputs, other: SequenceInputs) -> SequenceInputs:
    """Bring the other's features to the mean and deviation of one's own: two encoders of the same
    kind do not draw the same area. Places stay as they are."""
    mean, deviation = mean_and_deviation(own.inputs)
    other_mean, other_deviation = mean_and_deviation(other.inputs)
    end = len(mean) - own.overall
    place = slice(end - PLACE, end)
    mean[place], other_mean[place] = 0, 0
    deviation[place], other_deviation[place] = 1, 1

    def rescale(inputs: tuple[Float32Array, ...]) -> tuple[Float32Array, ...]:
        """Rescale arrays (n, D)."""
        return tuple((one - other_mean) / other_deviation * deviation + mean for one in inputs)

    return replace(other, inputs=rescale(other.inputs), mirrored=rescale(other.mirrored))


def mean_and_deviation(inputs: Sequence[Float32Array]) -> tuple[Float32Array, Float32Array]:
    """Compute mean and deviation (D,) over the slices of all series (n, D), one series at a time; a
    number that does not vary counts as if it varied by 0.001."""
    count = sum(len(one) for one in inputs)
    mean = np.sum([one.sum(0, dtype=np.float64) for one in inputs], axis=0) / count
    square = np.sum([np.square(one - mean).sum(0) for one in inputs], axis=0) / count
    return mean.astype(np.float32), (np.sqrt(square) + 1e-3).astype(np.float32)


def mean_logits(
    network: Callable[[Float32Array], tuple[Float64Array, Float64Array]],
    inputs: SequenceInputs,
    flip_index: Int64Array,
) -> tuple[Float64Array, Float64Array]:
    """Predict logits of the slices (N, I) and of the series (E, S), series by series; the mean over
    a series and its mirror image, where there is one.

    network: inputs (L, D) of a series -> logits (L, I) and (S,). flip_index: (S,) the study finding
    that each one becomes when left and right change places.
    """
    logits = [network(one) for one in inputs.inputs]
    image = np.concatenate([image for image, _ in logits])
    study = np.stack([study for _, study in logits])
    if inputs.mirrored:
        mirrored = [network(one) for one in inputs.mirrored]
        image = (image + np.concatenate([image for image, _ in mirrored])) / 2
        study = (study + np.stack([study for _, study in mirrored])[:, flip_index]) / 2
    return image, study
