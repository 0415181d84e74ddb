"""models/fit_boosted_trees.py: scikit-learn fits boosted trees, which become plain arrays."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from wetread.archive.types import Float64Array
from wetread.models.boosted_trees import COLUMNS, BoostedTrees

SETTINGS = {
    "learning_rate": 0.05,
    "max_iter": 120,
    "max_leaf_nodes": 15,
    "min_samples_leaf": 20,
    "l2_regularization": 1.0,
    "early_stopping": False,
}


def fit_boosted_trees(features: Float64Array, truth: Float64Array, seed: int) -> BoostedTrees:
    """Fit trees to features (N, D), NaN missing, and truth (N,) of 0, 1 or NaN unknown.

    Where only one value is known, the logit of its share, half a sample added.
    """
    known = ~np.isnan(truth)
    labels = truth[known] > 0.5
    if labels.all() or not labels.any():
        share = (labels.sum() + 0.5) / (len(labels) + 1)
        alone = np.zeros((1, len(COLUMNS)))
        alone[0, 5] = 1
        return BoostedTrees(float(np.log(share / (1 - share))), np.array([0, 1]), alone)
    model = HistGradientBoostingClassifier(random_state=seed, **SETTINGS)
    model.fit(features[known], labels)
    trees = [predictors[0].nodes for predictors in model._predictors]
    nodes = np.concatenate([np.stack([tree[name] for name in COLUMNS], 1) for tree in trees])
    first = np.concatenate([[0], np.cumsum([len(tree) for tree in trees])])
    return BoostedTrees(float(model._baseline_prediction.ravel()[0]), first, nodes.astype(float))
