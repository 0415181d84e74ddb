"""evaluation/feature_distance.py: how far features lie from those of a reference; limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from wetread.archive.types import Float32Array, Float64Array, FloatArray


@dataclass(frozen=True, eq=False)
class FeatureReference:
    """Mean, scale and shrunk covariance of features, for Mahalanobis distances.

    mean, scale: (D,) float32. Of (features - mean) / scale, axes (D, R) float32 are the directions
    in which the reference varied, weights (R,) float32 one over the variance along each, and rest,
    (1,) float32, one over that in all directions beside them.
    """

    mean: Float32Array
    scale: Float32Array
    axes: Float32Array
    weights: Float32Array
    rest: Float32Array

    def standardize(self, features: FloatArray) -> Float64Array:
        """Bring features (N, D) to mean 0 and deviation 1 in the reference."""
        scaled: Float64Array = (np.asarray(features, np.float64) - self.mean) / self.scale
        return scaled

    def distances(self, features: FloatArray) -> Float64Array:
        """Measure the Mahalanobis distance of features (N, D) from the mean: (N,)."""
        values = self.standardize(features)
        along = (values @ self.axes) ** 2
        residual = np.maximum((values**2).sum(axis=1) - along.sum(axis=1), 0)
        away: Float64Array = np.sqrt(along @ self.weights + residual * self.rest[0])
        return away


def fit_reference(features: FloatArray) -> FeatureReference:
    """Fit the reference of features (N, D), the covariance shrunk as Ledoit and Wolf do (2004);
    what never varies has scale 1."""
    from sklearn.covariance import ledoit_wolf_shrinkage

    values = np.asarray(features, np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    values = (values - mean) / scale
    shrinkage = ledoit_wolf_shrinkage(values, assume_centered=True)
    usual = float((values**2).mean())  # variance of a feature, to which the others are drawn
    _, singular, axes = np.linalg.svd(values, full_matrices=False)
    varied = singular > 1e-6 * singular.max()
    variance = (1 - shrinkage) * singular[varied] ** 2 / len(values) + shrinkage * usual
    found = (mean, scale, axes[varied].T, 1 / variance, [1 / max(shrinkage * usual, 1e-6)])
    return FeatureReference(*(np.asarray(one, np.float32) for one in found))


def upper_limit(scores: FloatArray, share: float) -> float:
    """Find the limit that one more score > 0, of the kind of these (n,), passes with probability
    `share` at most; n at least 3, else ValueError.

    The greater of two: the order statistic that exchangeable scores need (Vovk et al. 2005), where
    n has one, and the prediction limit of a normal distribution of their logarithms.
    """
    ordered = np.sort(np.asarray(scores, np.float64))
    count = len(ordered)
    if count < 3:
        raise ValueError(f"{count} scores; a limit takes three")
    logs = np.log(np.maximum(ordered, 1e-12))
    spread = logs.std(ddof=1) * np.sqrt(1 + 1 / count)
    limit = float(np.exp(logs.mean() + stdtrit(count - 1, 1 - share) * spread))
    place = int(np.ceil((count + 1) * (1 - share)))
    return max(limit, float(ordered[place - 1])) if place <= count else limit
