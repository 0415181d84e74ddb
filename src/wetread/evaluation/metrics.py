"""evaluation/metrics.py: truth and probability to one number. No intervals, no files.

Truth is in 0..1 with NaN for unknown, which is left out; a truth of 0.5 and above is positive for
the metrics that need yes or no. A metric that is undefined is NaN.
"""

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import Float64Array, FloatArray, Int64Array

CLIP = 1e-15  # the competition's: probabilities in [1e-15, 1 - 1e-15]
THRESHOLD = 0.5  # of truth and of probability, for precision and recall
SPECIFICITY = 0.9  # at which sensitivity is read


def log_losses(truth: FloatArray, probability: FloatArray) -> Float64Array:
    """Return the cross-entropy (natural log) of every element, any shape, float64; NaN where truth
    is NaN."""
    clipped = np.clip(np.asarray(probability, dtype=np.float64), CLIP, 1.0 - CLIP)
    truth = np.asarray(truth, dtype=np.float64)
    return -(truth * np.log(clipped) + (1.0 - truth) * np.log1p(-clipped))


def weighted_losses(
    truth: FloatArray,
    probability: FloatArray,
    weights: FloatArray,
    positive_weights: FloatArray | None = None,
) -> tuple[Float64Array, Float64Array]:
    """Return the weighted cross-entropies of (image, finding) pairs and their weights, both (N, F),
    0 where truth is unknown.

    truth, probability: (N, F). weights: (F,) of the findings; positive_weights: (F,) of their
    positives, None: the same. A truth between 0 and 1 weighs by its share of both.
    """
    truth = np.asarray(truth, np.float64)
    known = ~np.isnan(truth)
    positives = weights if positive_weights is None else positive_weights
    positive = np.where(known, truth, 0.0) * positives
    negative = np.where(known, 1.0 - truth, 0.0) * weights
    # Linear in the truth: the cross entropy at 1 and at 0, each with its weight.
    loss = positive * log_losses(np.ones_like(truth), probability)
    loss += negative * log_losses(np.zeros_like(truth), probability)
    return np.where(known, loss, 0.0), positive + negative


def weighted_log_loss(truth: FloatArray, probability: FloatArray, weights: FloatArray) -> float:
    """Return the official metric: mean cross-entropy of all (image, finding) pairs, finding j
    weighing weights[j]. truth, probability (N, F); weights (F,)."""
    loss, weight = weighted_losses(truth, probability, weights)
    return _ratio(float(loss.sum()), float(weight.sum()))


def log_loss(truth: FloatArray, probability: FloatArray) -> float:
    """Return the mean cross-entropy of one finding; truth, probability (N,)."""
    loss = log_losses(truth, probability)
    return _ratio(float(np.nansum(loss)), float((~np.isnan(loss)).sum()))


def roc_auc(truth: FloatArray, probability: FloatArray) -> float:
    """Return the area under the ROC curve, ties counted half; truth, probability (N,)."""
    return float(auc_of(_counted(truth, probability))[0])


def normalize(values: Float64Array) -> Float64Array:
    """Divide each row of values (N, G) by its sum; where that is 0, all have the same; NaN where a
    value of the row is."""
    total = values.sum(axis=1, keepdims=True)
    even = np.where(np.isnan(total), np.nan, np.full(values.shape, 1 / values.shape[1]))
    shares: Float64Array = np.divide(values, total, out=even, where=total > 0)
    return shares


def call_counts(
    truth: FloatArray, probability: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return three (N,) float64: called and true, called, true; 0 where truth is unknown."""
    true = np.nan_to_num(truth) >= THRESHOLD
    called = (np.asarray(probability) >= THRESHOLD) & ~np.isnan(truth)
    return (true & called).astype(np.float64), called.astype(np.float64), true.astype(np.float64)


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rows of one finding by falling probability, ready to be counted with any row weights.

    Only the G runs of equal probability that hold a positive are kept: between them neither the
    true positives nor what the ranking metrics make of the false ones changes.

    order:     (N,) indices of the rows with known truth, by falling probability.
    positives: (P,) places in order of the positive rows, rising.
    first:     (G,) place of the first row of each run.
    last:      (G,) place of its last row.
    last_positive: (G,) index in positives of its last positive row.
    """

    order: Int64Array
    positives: Int64Array
    first: Int64Array
    last: Int64Array
    last_positive: Int64Array


@dataclass(frozen=True, eq=False)
class RankCounts:
    """Weights of rows at or above each of the G runs, for B weightings at once.

    true, false: (B, G) positives and negatives, the run included.
    false_above: (B, G) negatives, the run left out.
    negatives:   (B,) all negatives.
    """

    true: FloatArray
    false: FloatArray
    false_above: FloatArray
    negatives: FloatArray


def rank(truth: FloatArray, probability: FloatArray) -> Ranking:
    """Sort once; every resample is then counted without sorting. truth, probability (N,)."""
    known = np.flatnonzero(~np.isnan(truth))
    order = known[np.argsort(-np.asarray(probability)[known], kind="stable")]
    ranked = np.asarray(probability)[order]
    positives = np.flatnonzero(np.asarray(truth)[order] >= THRESHOLD)
    ends = np.flatnonzero(np.diff(ranked, append=-np.inf))
    run_of_positive = np.searchsorted(ends, positives)
    runs, reverse = np.unique(run_of_positive[::-1], return_index=True)
    first = np.where(runs > 0, ends[runs - 1] + 1, 0) if len(ends) else runs
    return Ranking(order, positives, first, ends[runs], len(positives) - 1 - reverse)


def count(ranking: Ranking, weights: FloatArray) -> RankCounts:
    """Count the rows in ranking.order under weights (B, N)."""
    total = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=total[:, 1:])
    positive = np.cumsum(weights[:, ranking.positives], axis=1)
    true = positive[:, ranking.last_positive]
    above = np.concatenate([np.zeros((len(weights), 1)), true], axis=1)[:, :-1]
    positives = positive[:, -1] if positive.shape[1] else np.zeros(len(weights))
    return RankCounts(
        true,
        total[:, ranking.last + 1] - true,
        total[:, ranking.first] - above,
        total[:, -1] - positives,
    )


def auc_of(counts: RankCounts) -> Float64Array:
    """Return the area (B,) under the ROC curve; NaN where positives or negatives weigh nothing."""
    step = np.diff(counts.true, axis=1, prepend=0.0)
    below = counts.negatives[:, None] - (counts.false + counts.false_above) / 2.0
    return _ratios((step * below).sum(axis=1), step.sum(axis=1) * counts.negatives)


def average_precision_of(counts: RankCounts) -> Float64Array:
    """Return the average precision (B,); NaN where positives weigh nothing."""
    step = np.diff(counts.true, axis=1, prepend=0.0)
    called = counts.true + counts.false
    purity = np.divide(counts.true, called, out=np.zeros_like(called), where=called > 0)
    return _ratios((step * purity).sum(axis=1), step.sum(axis=1))


def sensitivity_of(
    counts: RankCounts, specificity: float | FloatArray = SPECIFICITY
) -> Float64Array:
    """Return the best sensitivity (B,) of at least that specificity, one for all or (B,); NaN where
    a class is missing."""
    negatives = counts.negatives
    most = np.asarray((1.0 - specificity) * negatives)[:, None]  # false ones
    allowed = counts.false <= most + 1e-9
    best = np.where(allowed, counts.true, 0.0).max(axis=1, initial=0.0)
    positives = np.diff(counts.true, axis=1, prepend=0.0).sum(axis=1)
    ratio: Float64Array = np.where(negatives > 0, _ratios(best, positives), np.nan)
    return ratio


def _counted(truth: FloatArray, probability: FloatArray) -> RankCounts:
    ranking = rank(truth, probability)
    return count(ranking, np.ones((1, len(ranking.order))))


def _ratio(over: float, under: float) -> float:
    return over / under if under > 0 else float("nan")


def _ratios(over: FloatArray, under: FloatArray) -> Float64Array:
    ratio: Float64Array = np.divide(over, under, out=np.full(over.shape, np.nan), where=under > 0)
    return ratio
