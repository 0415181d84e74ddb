"""training/series/embed_series.py: encoders and stores in; the inputs of a sequence network out.

Each slice's features from all encoders are concatenated. Where the encoders draw masks, numbers of
the series as a whole are made of these: areas vary along a series by orders of magnitude, and no
network learns from a hundred exams how the greatest of two masks compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.models.features import count_masks, logits_of_features, series_features
from wetread.store.store import Store
from wetread.training.recipe import Recipe
from wetread.training.run import TrainedModel
from wetread.training.series.inputs import (
    Embeddings,
    SequenceInputs,
    concatenate,
    make_sequence_inputs,
)
from wetread.training.series.series import Series
from wetread.training.series.slice_features import encode_mirrored_slices, encode_slices
from wetread.training.slices.predict import to_probabilities


def embed_series(
    series: Series,
    encoders: Sequence[TrainedModel],
    stores: Sequence[Store],
    recipe: Recipe,
    folder: Path,
) -> SequenceInputs:
    """Embed the series by all encoders, each in its own store, as they are and mirrored.

    folder: keeps the features of slices, by content.
    """
    kind = recipe.series.features
    by_encoder = []
    for encoder, store in zip(encoders, stores, strict=True):
        sides: tuple[Float32Array, ...]
        if recipe.series.mirror:
            sides = encode_mirrored_slices(encoder, store, series.rows, folder, kind)
        else:
            sides = (encode_slices(encoder, store, series.rows, folder, kind),)
        masks = count_masks(encoder.model) if kind == "drawn" else 0
        by_encoder.append([_embeddings(side, masks, series.starts) for side in sides])
    plain, *mirrored = map(concatenate, zip(*by_encoder, strict=True))
    return make_sequence_inputs(series, plain, mirrored[0] if mirrored else None, recipe)


def slice_probabilities(
    series: Series,
    encoder: TrainedModel,
    store: Store,
    *,
    flip_index: Int64Array,
    recipe: Recipe,
    folder: Path,
) -> Float64Array:
    """Predict probabilities (N, F) of the series' slices by an encoder alone, the mean over a slice
    and its mirror image where the recipe has them; from the same features as embed_series.

    flip_index: (F,) the finding that each one becomes when left and right change places.
    """
    kind = recipe.series.features
    sides: tuple[Float32Array, ...]
    if recipe.series.mirror:
        sides = encode_mirrored_slices(encoder, store, series.rows, folder, kind)
    else:
        sides = (encode_slices(encoder, store, series.rows, folder, kind),)
    plain, *mirrored = (
        logits_of_features(encoder.model, torch.from_numpy(side), kind) for side in sides
    )
    for other in mirrored:
        plain = (plain + other[:, torch.from_numpy(flip_index)]) / 2
    return to_probabilities(encoder.model, [plain], encoder.negative_rate)


def _embeddings(features: Float32Array, masks: int, starts: Int64Array) -> Embeddings:
    """Add to features (N, D) of series what the masks among them say of each as a whole."""
    if masks == 0:
        return Embeddings(features, np.empty((len(starts) - 1, 0), np.float32))
    each = [series_features(torch.from_numpy(features[a:b]), masks) for a, b in pairwise(starts)]
    return Embeddings(features, torch.stack(each).numpy())
