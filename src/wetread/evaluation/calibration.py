"""evaluation/calibration.py: does 0.3 mean three in ten? The curves behind the scores."""

from dataclasses import dataclass

import numpy as np

from wetread.evaluation.metrics import THRESHOLD


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows whose probability lies in [low, high]: how many, what was said, what was true."""

    low: float
    high: float
    rows: int
    mean_probability: float
    share_positive: float


def reliability_curve(
    truth: np.ndarray, probability: np.ndarray, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Bins of equal expected positives, rising (truth, probability (N,); unknown truth left out).

    Equal sums of probability, not equal widths or rows: where findings are rare, nearly all rows
    lie near 0, and every dot should rest on as much evidence. Equal probabilities share a bin.
    """
    known = ~np.isnan(truth)
    order = np.argsort(np.asarray(probability)[known], kind="stable")
    said = np.asarray(probability, np.float64)[known][order]
    true = np.asarray(truth, np.float64)[known][order]
    if len(said) == 0:
        return ()
    ends = np.append(np.flatnonzero(np.diff(said)), len(said) - 1)  # of runs of equal probability
    expected = np.cumsum(said)
    middle = (expected[ends] + np.append(0.0, expected[ends[:-1]])) / 2  # of each run
    place_of_run = np.minimum(bins - 1, bins * middle // max(expected[-1], 1e-300)).astype(int)
    place = np.repeat(place_of_run, np.diff(ends, prepend=-1))
    return tuple(
        ReliabilityBin(
            float(said[inside][0]),
            float(said[inside][-1]),
            int(inside.sum()),
            float(said[inside].mean()),
            float(true[inside].mean()),
        )
        for inside in (place == bin_ for bin_ in np.unique(place))
    )


def expected_calibration_error(truth: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Mean distance of said and true over the bins, weighted by rows; NaN without known truth."""
    curve = reliability_curve(truth, probability, bins)
    if not curve:
        return float("nan")
    distance = [abs(part.mean_probability - part.share_positive) * part.rows for part in curve]
    return sum(distance) / sum(part.rows for part in curve)


def roc_curve(truth: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rate at every cut, from (0, 0) to (1, 1); empty when undefined."""
    true, false = _counts_by_cut(truth, probability)
    if len(true) == 0 or true[-1] == 0 or false[-1] == 0:
        return np.empty(0), np.empty(0)
    return np.append(0.0, false / false[-1]), np.append(0.0, true / true[-1])


def precision_recall_curve(
    truth: np.ndarray, probability: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision at every cut, recall rising; empty without positives."""
    true, false = _counts_by_cut(truth, probability)
    if len(true) == 0 or true[-1] == 0:
        return np.empty(0), np.empty(0)
    return true / true[-1], true / (true + false)


def _counts_by_cut(truth: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True and false positives at or above every distinct probability, falling; (K,) each."""
    known = np.flatnonzero(~np.isnan(truth))
    order = known[np.argsort(-np.asarray(probability)[known], kind="stable")]
    last = np.flatnonzero(np.diff(np.asarray(probability)[order], append=-np.inf))
    true = np.cumsum(np.asarray(truth)[order] >= THRESHOLD)[last]
    return true, last + 1 - true


def prevalence(truth: np.ndarray) -> float:
    """Share of positive among the known; NaN when nothing is known. truth (N,)."""
    known = truth[~np.isnan(truth)]
    return float((known >= THRESHOLD).mean()) if len(known) else float("nan")
