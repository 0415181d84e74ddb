"""training/series/fit_trees.py: boosted trees over an encoder's probabilities of slices, fitted."""

from __future__ import annotations

from wetread.archive.types import Float64Array
from wetread.models.boosted_trees import BoostedTrees
from wetread.models.fit_boosted_trees import fit_boosted_trees
from wetread.training.series.neighborhood import neighborhood_features
from wetread.training.series.series import Series


def fit_trees(slices: Float64Array, series: Series, seed: int) -> tuple[BoostedTrees, ...]:
    """Fit trees of each finding to probabilities (N, F) of slices by encoders that were not trained
    on them."""
    features = neighborhood_features(slices, series.starts)
    return tuple(fit_boosted_trees(features, truth, seed) for truth in series.image.T)
