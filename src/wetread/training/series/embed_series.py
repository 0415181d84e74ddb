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

from wetread.models.features import masks_drawn_by, overall
from wetread.training.recipe import Recipe
from wetread.training.run import Trained
from wetread.training.series.inputs import SeriesSet, Told, beside, series_set
from wetread.training.series.series import Floats, Rows, WholeSeries
from wetread.training.series.slice_features import features_of, mirror_features_of


def seen_series(
    series: WholeSeries,
    encoders: Sequence[Trained],
    stores: Sequence[Any],
    recipe: Recipe,
    folder: Path,
) -> SeriesSet:
    """The series as the encoders see them, each in its own store, plain and in the mirror.

    folder: keeps the features of slices, by content.
    """
    looks = []
    for trained, store in zip(encoders, stores, strict=True):
        asked = (trained, store, series.rows, folder, recipe.sequence_features)
        sides: tuple[Floats, ...]
        sides = mirror_features_of(*asked) if recipe.sequence_mirror else (features_of(*asked),)
        masks = masks_drawn_by(trained.model) if recipe.sequence_features == "drawn" else 0
        looks.append([_told(side, masks, series.starts) for side in sides])
    plain, *mirrored = map(beside, zip(*looks, strict=True))
    return series_set(series, plain, mirrored[0] if mirrored else None, recipe)


def _told(features: Floats, masks: int, starts: Rows) -> Told:
    """Features (N, D) of series, and what the masks among them say of each as a whole."""
    if masks == 0:
        return Told(features, np.empty((len(starts) - 1, 0), np.float32))
    each = [overall(torch.from_numpy(features[a:b]), masks) for a, b in pairwise(starts)]
    return Told(features, torch.stack(each).numpy())
