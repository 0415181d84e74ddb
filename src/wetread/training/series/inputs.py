"""training/series/inputs.py: what encoders say of series in; what a sequence network is given out.

An input of a slice is its features, with their differences to both neighbours, then its place, then
what is said of the series as a whole, the same at every slice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from wetread.training.recipe import Recipe
from wetread.training.series.series import PLACE, Floats, Series, inputs_of, join_series


@dataclass(frozen=True, eq=False)
class Embeddings:
    """What encoders say of E series: features of their N slices (N, D), and of each series as a
    whole (E, T), where T may be 0."""

    features: Floats
    overall: Floats


def beside(looks: Sequence[Embeddings]) -> Embeddings:
    """What several encoders say of the same series."""
    return Embeddings(
        np.concatenate([look.features for look in looks], axis=1),
        np.concatenate([look.overall for look in looks], axis=1),
    )


@dataclass(frozen=True, eq=False)
class SequenceInputs:
    """Series, and what a sequence network sees: one array (n, D) a series, and of its mirror
    image, () where there is none. The last `overall` of the D are of the series as a whole."""

    series: Series
    inputs: tuple[Floats, ...]
    mirrored: tuple[Floats, ...]
    overall: int


def make_sequence_inputs(
    series: Series, plain: Embeddings, mirrored: Embeddings | None, recipe: Recipe
) -> SequenceInputs:
    """What is said of series, and of their mirror images, as inputs."""
    turned = () if mirrored is None else _inputs(series, mirrored, recipe)
    return SequenceInputs(series, _inputs(series, plain, recipe), turned, plain.overall.shape[1])


def _inputs(series: Series, told: Embeddings, recipe: Recipe) -> tuple[Floats, ...]:
    inputs = []
    for (low, high), whole in zip(pairwise(series.starts), told.overall, strict=True):
        of_slices = inputs_of(
            told.features[low:high],
            series.position_mm[low:high],
            differences=recipe.series.differences,
        )
        inputs.append(np.hstack([of_slices, np.tile(whole, (high - low, 1))]))
    return tuple(inputs)


def joined(sets: Sequence[SequenceInputs]) -> SequenceInputs:
    """The series of all sets, one set after the other."""
    return SequenceInputs(
        join_series([one.series for one in sets]),
        tuple(inputs for one in sets for inputs in one.inputs),
        tuple(inputs for one in sets for inputs in one.mirrored),
        sets[0].overall,
    )


def scaled_as(own: SequenceInputs, other: SequenceInputs) -> SequenceInputs:
    """The other's features at the mean and deviation of one's own: two encoders of the same kind
    do not draw the same area. Places are what they are."""
    (mean, deviation), (was, spread) = (
        [each.numpy() for each in spread_of(one.inputs)] for one in (own, other)
    )
    end = len(mean) - own.overall
    place = slice(end - PLACE, end)
    mean[place], was[place] = 0, 0
    deviation[place], spread[place] = 1, 1

    def each(inputs: tuple[Floats, ...]) -> tuple[Floats, ...]:
        return tuple((one - was) / spread * deviation + mean for one in inputs)

    return replace(other, inputs=each(other.inputs), mirrored=each(other.mirrored))


def spread_of(inputs: Sequence[Floats]) -> tuple[Tensor, Tensor]:
    """Mean and deviation (D,) over all slices, one series at a time; a number that does not vary
    counts as if it varied a little."""
    count = sum(len(one) for one in inputs)
    mean = np.sum([one.sum(0, dtype=np.float64) for one in inputs], axis=0) / count
    square = np.sum([np.square(one - mean).sum(0) for one in inputs], axis=0) / count
    return torch.from_numpy(mean).float(), torch.from_numpy(np.sqrt(square) + 1e-3).float()
