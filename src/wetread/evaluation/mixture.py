"""evaluation/mixture.py: the weights under which the mean of several models is best."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from wetread.archive.types import Float64Array, FloatArray
from wetread.evaluation.metrics import CLIP, weighted_log_loss

STEPS, TOLERANCE = 10_000, 1e-10
PARTS = 5  # of the patients, each scored under the weights of the others


def mixture_weights(
    truth: FloatArray, probabilities: FloatArray, weights: FloatArray
) -> Float64Array:
    """Find the shares (K,) of K models, in sum 1, whose mean has the least weighted log loss.

    truth: (N, F) in 0..1, NaN unknown. probabilities: (K, N, F). weights: (F,) of the findings.
    The loss is convex in the shares; expectation maximization (Dempster and others 1977) lowers it
    in every step. Models that say the same share alike; without known truth all do.
    """
    given = np.clip(np.asarray(probabilities, np.float64), CLIP, 1 - CLIP)
    true = np.asarray(truth, np.float64)
    known = np.broadcast_to(~np.isnan(true), true.shape)
    weight = np.broadcast_to(np.asarray(weights, np.float64), true.shape)[known]
    models = len(given)
    shares: Float64Array = np.full(models, 1.0 / models)
    if not known.any():
        return shares
    positive, p = true[known], given[:, known]  # (M,), (K, M)
    for _ in range(STEPS):
        mixed = shares @ p
        blame = positive * p / mixed + (1 - positive) * (1 - p) / (1 - mixed)
        updated: Float64Array = shares * (blame @ weight) / weight.sum()
        updated /= updated.sum()
        if np.abs(updated - shares).max() < TOLERANCE:
            return updated
        shares = updated
    return shares


def crossfitted_loss(
    truth: FloatArray,
    probabilities: FloatArray,
    weights: FloatArray,
    patients: Sequence[str],
    rng: np.random.Generator,
) -> float:
    """Return the weighted log loss of the mean, each patient's under the shares that the patients
    of other parts choose.

    truth: (N, F), NaN unknown; probabilities: (K, N, F) of K runs; weights: (F,) of the findings;
    patients: N names. rng: deals the patients to parts.
    """
    names, inverse = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    part = rng.permutation(np.arange(len(names)) % PARTS)[inverse]
    mixed = np.empty(np.shape(truth))
    for number in np.unique(part):
        inside = part == number
        shares = mixture_weights(truth[~inside], probabilities[:, ~inside], weights)
        mixed[inside] = np.tensordot(shares, probabilities[:, inside], 1)
    return weighted_log_loss(truth, mixed, weights)
