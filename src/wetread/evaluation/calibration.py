"""evaluation/calibration.py: does 0.3 mean three in ten? The curves behind the scores."""

from dataclasses import dataclass

import numpy as np

from wetread.evaluation.metrics import THRESHOLD


@dataclass(frozen=True)
class ReliabilityBin:
    """Rows whose probability lies in [low, high): how many, what was said, what was true."""

    low: float
    high: float
    rows: int
    mean_probability: float
    share_positive: float


def reliability_curve(
    truth: np.ndarray, probability: np.ndarray, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Bins of equal numbers of rows (truth, probability (N,); unknown truth left out).

    Equal numbers, not equal widths: most rows are near 0, and there the curve matters too.
    """
    known = ~np.isnan(truth)
    said, true = np.asarray(probability, np.float64)[known], np.asarray(truth, np.float64)[known]
    if len(said) == 0:
        return ()
    edges = np.unique(np.quantile(said, np.linspace(0.0, 1.0, bins + 1)))
    place = np.clip(np.searchsorted(edges, said, side="right") - 1, 0, max(0, len(edges) - 2))
    return tuple(
        ReliabilityBin(
            float(edges[bin_]),
            float(edges[min(bin_ + 1, len(edges) - 1)]),
            int((place == bin_).sum()),
            float(said[place == bin_].mean()),
            float(true[place == bin_].mean()),
        )
        for bin_ in np.unique(place)
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
