"""training/seen_series.py: encoders and stores in; what a sequence network is given of series out.

Each slice's features from each look side by side; where the encoders draw several masks, beside
them how the greatest areas of two masks in the series compare, the same at every slice of it: of
areas that vary along a series by orders of magnitude, a network would not find their ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from wetread.models.features import masks_drawn_by, ratios
from wetread.training.features import features_of, mirror_features_of
from wetread.training.recipe import Recipe
from wetread.training.run import Trained
from wetread.training.sequence_fit import SeriesSet, series_set
from wetread.training.whole_series import Floats, Rows, WholeSeries


def seen_series(
    series: WholeSeries,
    encoders: Sequence[Trained],
    stores: Sequence[Any],
    recipe: Recipe,
    folder: Path,
) -> SeriesSet:
    """The series as the encoders see them, each in its own store.

    folder: keeps the features of slices, by content.
    """
    kind, mirror = recipe.sequence_features, recipe.sequence_mirror
    sides: list[tuple[Floats, ...]] = []
    for trained, store in zip(encoders, stores, strict=True):
        asked = (trained, store, series.rows, folder, kind)
        said: tuple[Floats, ...]
        said = mirror_features_of(*asked) if mirror else (features_of(*asked),)
        if kind == "drawn":
            masks = masks_drawn_by(trained.model)
            said = tuple(_with_ratios(side, masks, series.starts) for side in said)
        sides.append(said)
    plain, *mirrored = (np.concatenate(side, axis=1) for side in zip(*sides, strict=True))
    return series_set(series, plain, mirrored[0] if mirror else None, recipe)


def _with_ratios(drawn: Floats, masks: int, starts: Rows) -> Floats:
    """Features (N, D) of series to (N, D + pairs of masks)."""
    told = [
        ratios(torch.from_numpy(drawn[low:high]), masks).numpy() for low, high in pairwise(starts)
    ]
    return np.hstack([drawn, np.repeat(np.stack(told), np.diff(starts), axis=0)])
