"""evaluation/baselines.py: the floor that every score stands on. What can be known without
seeing where anything lies: the prior, the slice's position, the histogram of its HU or gray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wetread.archive.types import BoolArray, Float32Array, Float64Array, FloatArray

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

SEED = 0
MIN_PER_CLASS = 2
ONE_THREAD_ROWS = 50_000  # below it, threads wait for each other longer than they work
SOFT_TISSUE_HU = np.arange(-30.0, 132.0, 3.0)  # edges, fine where blood is told from brain
CONTRAST_HU = np.array(  # edges, fine from fluid to well filled vessels
    [-1100, -950, -900, -850, -800, -700, -500, -150, -30, *range(0, 160, 20), *range(160, 600, 40),
     800, 1200, 4000.0]
)  # fmt: skip
GRAY_BANDS = np.linspace(0.0, 4095.0, 65)  # edges, of study/display.py
WHOLE_RANGE_HU = np.array([-1100, -900, -500, -150, -30, 130, 200, 300, 500, 800, 1200, 4000.0])


def constant_prior(train_truth: FloatArray, weights: FloatArray | None = None) -> Float64Array:
    """Return the share (F,) of positives among the known labels (N, F) of training; NaN where none
    is known.

    weights: (N,) of the rows in the metric; None, or where none of the known weighs: all alike.
    """
    known = ~np.isnan(train_truth)
    weight = known.astype(np.float64)
    if weights is not None:
        weighed = known * np.asarray(weights, np.float64)[:, None]
        weight = np.where(weighed.any(axis=0), weighed, weight)
    total = np.nansum(train_truth * weight, axis=0, dtype=np.float64)
    share: Float64Array = np.divide(
        total, weight.sum(axis=0), out=np.full(total.shape, np.nan), where=known.any(axis=0)
    )
    return share


def known_prior(train_truth: FloatArray, weights: FloatArray | None = None) -> Float64Array:
    """Return constant_prior (F,), 0.5 for a finding of which nothing is known."""
    share: Float64Array = np.nan_to_num(constant_prior(train_truth, weights), nan=0.5)
    return share


def prior_baseline(train_truth: FloatArray, rows: int) -> Float64Array:
    """Return the training prior for everyone: (rows, F)."""
    return np.tile(constant_prior(train_truth), (rows, 1))


def histogram_features(hu: Float32Array) -> Float32Array:
    """Describe one slice (H, W), HU, by (D,) float32: the share of pixels in each HU band, after a
    5 x 5 mean (noise would blur the few HU between brain and blood), fine bands taken as share of
    the soft tissue and the whole range as share of the slice. No place is left in it."""
    import cv2

    smooth = cv2.blur(np.ascontiguousarray(hu, dtype=np.float32), (5, 5)).ravel()
    fine = np.histogram(smooth, bins=SOFT_TISSUE_HU)[0].astype(np.float32)
    coarse = np.histogram(smooth, bins=WHOLE_RANGE_HU)[0].astype(np.float32)
    return np.concatenate(
        [fine / max(1.0, float(fine.sum())), np.log1p(fine), coarse / max(1, smooth.size)]
    ).astype(np.float32)


def contrast_histogram(hu: Float32Array) -> Float32Array:
    """Describe one slice (H, W), HU, of a body with contrast by (D,) float32: the share of pixels
    in each band, after a 3 x 3 mean; no place is left in it."""
    import cv2

    smooth = cv2.blur(np.ascontiguousarray(hu, dtype=np.float32), (3, 3)).ravel()
    shares: Float64Array = np.histogram(smooth, bins=CONTRAST_HU)[0] / max(1, smooth.size)
    return shares.astype(np.float32)


def gray_histogram(gray: Float32Array) -> Float32Array:
    """Describe one radiograph (H, W) of display gray by (65,) float32: the share of pixels in 64
    even bands of it, and the spread; no place is left in it."""
    shares = np.histogram(gray, bins=GRAY_BANDS)[0] / max(1, gray.size)
    return np.append(shares, float(np.std(gray))).astype(np.float32)


@dataclass(frozen=True, eq=False)
class FittedTrees:
    """Histogram boosting of F findings: a model each, and the share (F,) of positives where there
    is none."""

    models: tuple[HistGradientBoostingClassifier | None, ...]
    prior: Float64Array

    def predict(self, features: FloatArray) -> Float64Array:
        """Return probabilities (M, F) of features (M, D)."""
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        probability = np.tile(self.prior, (len(features), 1))
        if len(features) == 0:
            return probability
        with threadpool_limits(limits=_threads(len(features)), user_api="openmp"):
            for column, model in enumerate(self.models):
                if model is not None:
                    probability[:, column] = model.predict_proba(features)[:, 1]
        return probability


def fit_trees(
    features: FloatArray,
    truth: FloatArray,
    *,
    categorical: BoolArray | None = None,
    weights: FloatArray | None = None,
) -> FittedTrees:
    """Fit scikit-learn's histogram boosting to features (N, D), NaN missing, and truth (N, F), NaN
    unknown; no model where fewer than two of a class weigh.

    categorical: (D,) which columns are codes of categories, below 255; None: none is.
    weights: (N,) of the rows; None, or where none of the known weighs: all alike.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    models: list[HistGradientBoostingClassifier | None] = []
    for column in range(truth.shape[1]):
        weight = np.asarray(~np.isnan(truth[:, column]), np.float64)
        if weights is not None and (weight * weights).any():
            weight *= weights
        rows = np.flatnonzero(weight > 0)
        positive = truth[rows, column] >= 0.5
        if min(positive.sum(), (~positive).sum()) < MIN_PER_CLASS:
            models.append(None)
            continue
        model = HistGradientBoostingClassifier(
            learning_rate=0.06, max_iter=80, max_leaf_nodes=8, min_samples_leaf=20,
            l2_regularization=1.0, early_stopping=False, random_state=SEED,
            categorical_features=categorical,
        )  # fmt: skip
        with threadpool_limits(limits=_threads(len(rows)), user_api="openmp"):
            own = features[rows]
            absent = np.isnan(own).all(axis=0)  # no split is made there, and NaN alone has no bins
            model.fit(
                np.where(absent, 0.0, own), positive, None if weights is None else weight[rows]
            )
        models.append(model)
    return FittedTrees(tuple(models), constant_prior(truth, weights))


def _threads(rows: int) -> int | None:
    """Choose the threads for so many rows; None: as many as there are."""
    return 1 if rows < ONE_THREAD_ROWS else None
