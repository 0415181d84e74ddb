"""training/series/embed_series.py: encoders and stores in; what they say of series out.

Each slice's features from each look side by side. Where the encoders draw masks, also what these
say of the series as a whole: areas vary along a series by orders of magnitude, and no network
learns from a hundred exams how the greatest of two masks compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wetread.models.features import count_masks, series_features
from wetread.training.recipe import Recipe
from wetread.training.run import TrainedModel
from wetread.training.series.inputs import Embeddings, SequenceInputs, beside, make_sequence_inputs
from wetread.training.series.series import Floats, Rows, Series
from wetread.training.series.slice_features import encode_mirrored_slices, encode_slices


def embed_series(
    series: Series,
    encoders: Sequence[TrainedModel],
    stores: Sequence[Any],
    recipe: Recipe,
    folder: Path,
) -> SequenceInputs:
    """The series as the encoders see them, each in its own store, plain and in the mirror.

    folder: keeps the features of slices, by content.
    """
    looks = []
    for trained, store in zip(encoders, stores, strict=True):
        asked = (trained, store, series.rows, folder, recipe.series.features)
        sides: tuple[Floats, ...]
        sides = encode_mirrored_slices(*asked) if recipe.series.mirror else (encode_slices(*asked),)
        masks = count_masks(trained.model) if recipe.series.features == "drawn" else 0
        looks.append([_told(side, masks, series.starts) for side in sides])
    plain, *mirrored = map(beside, zip(*looks, strict=True))
    return make_sequence_inputs(series, plain, mirrored[0] if mirrored else None, recipe)


def _told(features: Floats, masks: int, starts: Rows) -> Embeddings:
    """Features (N, D) of series, and what the masks among them say of each as a whole."""
    if masks == 0:
        return Embeddings(features, np.empty((len(starts) - 1, 0), np.float32))
    each = [series_features(torch.from_numpy(features[a:b]), masks) for a, b in pairwise(starts)]
    return Embeddings(features, torch.stack(each).numpy())
