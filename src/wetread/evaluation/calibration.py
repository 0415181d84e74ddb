"""evaluation/calibration.py: does 0.3 mean three in ten? The curves behind the scores."""

from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, FloatArray, Int64Array
from wetread.evaluation.metrics import THRESHOLD

PERFECT_DRAWS, PERFECT_QUANTILE = 500, 0.95  # of labels drawn from the probabilities themselves
CHUNK_ELEMENTS = 1_000_000  # of random numbers at a time: 8 MB


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
    given = np.asarray(probability, np.float64)[known]
    true = np.asarray(truth, np.float64)[known]
    place = reliability_bins(given, bins)
    return tuple(
        ReliabilityBin(
            float(given[inside].min()),
            float(given[inside].max()),
            int(inside.sum()),
            float(given[inside].mean()),
            float(true[inside].mean()),
        )
        for inside in (place == bin_ for bin_ in np.unique(place))
    )


def reliability_bins(probability: FloatArray, bins: int = 10) -> Int64Array:
    """Find the bin (N,), 0 to bins - 1, of each probability (N,), as reliability_curve has them."""
    if len(probability) == 0:
        return np.empty(0, np.int64)
    order = np.argsort(probability, kind="stable")
    given = np.asarray(probability, np.float64)[order]
    ends = np.append(np.flatnonzero(np.diff(given)), len(given) - 1)  # of runs of equal probability
    expected = np.cumsum(given)
    middle = (expected[ends] + np.append(0.0, expected[ends[:-1]])) / 2  # of each run
    place_of_run = np.minimum(bins - 1, bins * middle // max(expected[-1], 1e-300)).astype(np.int64)
    place = np.empty(len(given), np.int64)
    place[order] = np.repeat(place_of_run, np.diff(ends, prepend=-1))
    return place


@dataclass(frozen=True, eq=False)
class CalibrationErrors:
    """Errors of calibration of one finding, of resampled patients and of perfect calibration.

    ece:            expected calibration error: mean over rows of the distance of their bin's mean
                    probability from its share of positives, in reliability_curve's bins.
    drawn_ece:      (B,) of each draw; drawing adds noise, so these lie higher than the value.
    perfect_ece:    95th percentile of it where the labels are drawn from the probabilities.
    perfect_brier:  expectation of Brier's score where the probabilities are true: mean p (1 - p).
    """

    ece: float
    drawn_ece: Float64Array
    perfect_ece: float
    perfect_brier: float


def calibration_errors(
    truth: FloatArray,
    probability: FloatArray,
    patient_of_row: Int64Array,
    times: FloatArray,
    rng: np.random.Generator,
) -> CalibrationErrors:
    """Measure the errors of calibration of one finding; NaN where no truth is known.

    truth, probability: (N,), unknown truth (NaN) left out; 0.5 and above is positive.
    patient_of_row, times: (N,) and (B, P) of evaluation/intervals.py's draw_patients.
    rng: draws the labels of perfect calibration; rows are drawn independently of each other.
    """
    positive, given = _known(truth, probability)
    if len(given) == 0:
        nan, none = float("nan"), np.full(len(times), np.nan)
        return CalibrationErrors(nan, none, nan, nan)
    bins = reliability_bins(given)
    patient = patient_of_row[~np.isnan(truth)]
    excess = given - positive  # of which a bin's distance is the mean
    by_patient = np.zeros((times.shape[1], int(bins.max()) + 1))
    np.add.at(by_patient, (patient, bins), excess)
    rows = np.bincount(patient, minlength=times.shape[1]).astype(np.float64)
    drawn = np.abs(times @ by_patient).sum(axis=1)
    return CalibrationErrors(
        ece=float(np.abs(by_patient.sum(axis=0)).sum() / len(given)),
        drawn_ece=_ratio(drawn, times @ rows),
        perfect_ece=perfect_ece(given, rng),
        perfect_brier=float((given * (1.0 - given)).mean()),
    )


def expected_calibration_error(truth: FloatArray, probability: FloatArray) -> float:
    """Return the mean over rows of the distance of their bin's mean probability from its share of
    positives; truth, probability (N,), unknown truth (NaN) left out; NaN where none is known."""
    positive, given = _known(truth, probability)
    if len(given) == 0:
        return float("nan")
    distance = np.bincount(reliability_bins(given), weights=given - positive)
    return float(np.abs(distance).sum() / len(given))


def perfect_ece(
    probability: FloatArray,
    rng: np.random.Generator,
    draws: int = PERFECT_DRAWS,
    quantile: float = PERFECT_QUANTILE,
) -> float:
    """Return the quantile of the expected calibration error of perfectly calibrated predictions.

    probability: (N,), at least one. Labels are drawn from it `draws` times, each row by itself.
    """
    given = np.sort(np.asarray(probability, np.float64))
    starts = np.flatnonzero(np.diff(reliability_bins(given), prepend=-1))
    step = max(1, CHUNK_ELEMENTS // len(given))
    errors = []
    for start in range(0, draws, step):
        positive = rng.random((min(step, draws - start), len(given))) < given
        distance = np.add.reduceat(given - positive, starts, axis=1)
        errors.append(np.abs(distance).sum(axis=1) / len(given))
    return float(np.quantile(np.concatenate(errors), quantile))


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


def _ratio(over: FloatArray, under: FloatArray) -> Float64Array:
    ratio: Float64Array = np.divide(over, under, out=np.full(over.shape, np.nan), where=under > 0)
    return ratio
