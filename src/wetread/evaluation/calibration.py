"""evaluation/calibration.py: does 0.3 mean three in ten? The curves behind the scores."""

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, FloatArray
from wetread.evaluation.metrics import THRESHOLD


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows whose probability lies in [low, high]: their number, mean probability and positive
    share."""

    low: float
    high: float
    rows: int
    mean_probability: float
    share_positive: float


def reliability_curve(
    truth: FloatArray, probability: FloatArray, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Bin rows by probability, rising, with equal expected positives in each bin.

    truth, probability: (N,), unknown truth (NaN) left out; bins: at most so many.

    Equal sums of probability, not equal widths or rows: where findings are rare, nearly all rows
    lie near 0, and every dot should rest on as much evidence. Equal probabilities share a bin.
    """
    known = ~np.isnan(truth)
    order = np.argsort(np.asarray(probability)[known], kind="stable")
    given = np.asarray(probability, np.float64)[known][order]
    true = np.asarray(truth, np.float64)[known][order]
    if len(given) == 0:
        return ()
    ends = np.append(np.flatnonzero(np.diff(given)), len(given) - 1)  # of runs of equal probability
    expected = np.cumsum(given)
    middle = (expected[ends] + np.append(0.0, expected[ends[:-1]])) / 2  # of each run
    place_of_run = np.minimum(bins - 1, bins * middle // max(expected[-1], 1e-300)).astype(int)
    place = np.repeat(place_of_run, np.diff(ends, prepend=-1))
    return tuple(
        ReliabilityBin(
            float(given[inside][0]),
            float(given[inside][-1]),
            int(inside.sum()),
            float(given[inside].mean()),
            float(true[inside].mean()),
        )
        for inside in (place == bin_ for bin_ in np.unique(place))
    )


def roc_curve(truth: FloatArray, probability: FloatArray) -> tuple[Float64Array, Float64Array]:
    """Return the false and the true positive rate (K,) at every cut, from (0, 0) to (1, 1).

    truth, probability: (N,), unknown truth (NaN) left out. Empty where a class is missing.
    """
    from sklearn import metrics

    positive, known = _known(truth, probability)
    if positive.all() or not positive.any():
        return np.empty(0), np.empty(0)
    false_rate, true_rate, _ = metrics.roc_curve(positive, known, drop_intermediate=False)
    return false_rate, true_rate


def precision_recall_curve(
    truth: FloatArray, probability: FloatArray
) -> tuple[Float64Array, Float64Array]:
    """Return recall, rising, and precision (K,) at every cut.

    truth, probability: (N,), unknown truth (NaN) left out. Empty where nothing is positive.
    """
    from sklearn import metrics

    positive, known = _known(truth, probability)
    if not positive.any():
        return np.empty(0), np.empty(0)
    precision, recall, _ = metrics.precision_recall_curve(positive, known)
    return recall[-2::-1], precision[-2::-1]  # without the point (0, 1) that no cut gives


def _known(truth: FloatArray, probability: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Return positive (K,) and probability (K,) of the rows whose truth is known."""
    known = ~np.isnan(truth)
    positive: BoolArray = np.asarray(truth)[known] >= THRESHOLD
    return positive, np.asarray(probability)[known]


def prevalence(truth: FloatArray) -> float:
    """Return the share of positives among the known of truth (N,); NaN when nothing is known."""
    known = truth[~np.isnan(truth)]
    return float((known >= THRESHOLD).mean()) if len(known) else float("nan")
