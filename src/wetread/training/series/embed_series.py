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

from wetread.archive.types import Float32Array, Float64Array, Int64Array
from wetread.models.mask_peaks import series_features
from wetread.store.store import Store
from wetread.training.balance import to_probabilities
from wetread.training.networks import SliceNetwork
from wetread.training.recipe import Recipe
from wetread.training.series.inputs import (
    Embeddings,
    SequenceInputs,
    concatenate,
    make_sequence_inputs,
)
from wetread.training.series.series import Series
from wetread.training.series.slice_features import encode_mirrored_slices, encode_slices


def embed_series(
    series: Series,
    encoders: Sequence[SliceNetwork],
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
        masks = len(encoder.mask_findings) if kind == "drawn" else 0
        by_encoder.append([_embeddings(side, masks, series.starts) for side in sides])
    plain, *mirrored = map(concatenate, zip(*by_encoder, strict=True))
    return make_sequence_inputs(series, plain, mirrored[0] if mirrored else None, recipe)


def slice_probabilities(
    series: Series,
    encoder: SliceNetwork,
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
    logits, *mirrored = (
        np.asarray(encoder.logits_of_features(side, kind), np.float64) for side in sides
    )
    for other in mirrored:
        logits = (logits + other[:, flip_index]) / 2
    return to_probabilities([logits], logits.shape[1], encoder.negative_rate)


def _embeddings(features: Float32Array, masks: int, starts: Int64Array) -> Embeddings:
    """Add to features (N, D) of series what the masks among them say of each as a whole."""
    if masks == 0:
        return Embeddings(features, np.empty((len(starts) - 1, 0), np.float32))
    each = [series_features(features[a:b], masks) for a, b in pairwise(starts)]
    return Embeddings(features, np.stack(each))
