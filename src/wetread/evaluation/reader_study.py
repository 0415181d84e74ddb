"""evaluation/reader_study.py: a model's curve beside readers' points, on the same studies."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from wetread.archive.types import Float64Array, FloatArray, JsonObject
from wetread.evaluation import metrics
from wetread.evaluation.comparison import too_few
from wetread.evaluation.drawn_metrics import DrawnMetric
from wetread.evaluation.intervals import (
    DRAWS,
    draw_patients,
    drawn_ratio,
    percentile_interval,
    row_weights,
)
from wetread.evaluation.score import finite_or_none

LABELS, OTHERS = "the labels", "the majority of the other readers"


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval over patients; None where there is none."""

    value: float | None
    low: float | None
    high: float | None


NOTHING = Estimate(None, None, None)


@dataclass(frozen=True)
class ReaderScore:
    """One reader beside the model, against the same reference and on the same studies.

    reference:  LABELS or OTHERS.
    sensitivity, specificity: of the reader's calls.
    model_sensitivity: the model's, at the reader's specificity or a higher one.
    difference: it minus the reader's sensitivity, over the same draws of patients.
    model_auc:  the model's area under the ROC curve, against that reference.
    studies, positives: that were compared; undecided: whose reference is not known.
    reason:     why there are no values.
    """

    reader: str
    finding: str
    level: str
    reference: str
    sensitivity: Estimate
    specificity: Estimate
    model_sensitivity: Estimate
    difference: Estimate
    model_auc: Estimate
    studies: int
    positives: int
    undecided: int
    reason: str | None = None

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class ReaderRows:
    """N studies (or images) that R readers and the model read, of one finding.

    calls:       (R, N), 1 called, 0 not, NaN none given.
    probability: (N,) of the model.
    truth:       (N,), NaN unknown; None: readers are held against each other.
    patients:    N names.
    """

    finding: str
    level: str
    readers: Sequence[str]
    calls: Float64Array
    probability: FloatArray
    truth: FloatArray | None
    patients: Sequence[str]


def majority(calls: FloatArray) -> Float64Array:
    """Return what most of (R, N) calls say: (N,) 1 or 0; NaN where as many say the other, or
    nobody called."""
    known = ~np.isnan(calls)
    count = known.sum(axis=0)
    positive = np.nansum(calls, axis=0)
    decided = (2 * positive != count) & (count > 0)
    return np.where(decided, (2 * positive > count).astype(np.float64), np.nan)


def references(rows: ReaderRows) -> list[Float64Array]:
    """Return what each reader is held against, R of (N,): the truth, or the majority of the
    others; NaN where it is not known or the reader gave no call."""
    found = []
    for reader, calls in enumerate(rows.calls):
        others = np.delete(rows.calls, reader, axis=0)
        truth = majority(others) if rows.truth is None else np.asarray(rows.truth, np.float64)
        found.append(np.where(np.isnan(calls) | np.isnan(rows.probability), np.nan, truth))
    return found


def score_readers(
    rows: ReaderRows, rng: np.random.Generator, draws: int = DRAWS
) -> list[ReaderScore]:
    """Score each reader and, against the same reference, the model at the reader's specificity.

    The model's cut is laid on these very studies, in each draw anew, at the highest sensitivity
    whose specificity is at least the reader's.
    """
    of_row, times = draw_patients(rows.patients, draws, rng)
    scores = []
    for name, calls, truth in zip(rows.readers, rows.calls, references(rows), strict=True):
        known = ~np.isnan(truth)
        reason = too_few(truth)
        positives = int((truth[known] >= metrics.THRESHOLD).sum())
        undecided = int((~np.isnan(calls) & ~np.isnan(rows.probability)).sum() - known.sum())
        if reason is None:
            parts = _estimates(truth, calls, rows.probability, of_row, times)
        else:
            parts = dict.fromkeys(_PARTS, NOTHING)
        scores.append(
            ReaderScore(
                reader=name, finding=rows.finding, level=rows.level,
                reference=OTHERS if rows.truth is None else LABELS,
                studies=int(known.sum()), positives=positives, undecided=undecided, reason=reason,
                **parts,
            )
        )  # fmt: skip
    return scores


_PARTS = ("sensitivity", "specificity", "model_sensitivity", "difference", "model_auc")


def _estimates(
    truth: FloatArray,
    calls: FloatArray,
    probability: FloatArray,
    of_row: np.ndarray,
    times: FloatArray,
) -> dict[str, Estimate]:
    known = (~np.isnan(truth)).astype(np.float64)
    true = (np.nan_to_num(truth) >= metrics.THRESHOLD).astype(np.float64)
    called = np.nan_to_num(calls) * known

    def ratio(over: FloatArray, under: FloatArray) -> DrawnMetric:
        """Divide the sum of over (N,) by that of under (N,), of all studies and of every draw."""
        return DrawnMetric(float(over.sum() / under.sum()), drawn_ratio(over, under, of_row, times))

    sensitivity = ratio(called * true, true)
    specificity = ratio((known - true) * (1.0 - called), known - true)
    ranking = metrics.rank(truth, probability)
    once = np.ones((1, len(ranking.order)))
    whole = metrics.count(ranking, once)
    at, start = [], 0
    areas = []
    for weights in row_weights(of_row[ranking.order], times):
        counts = metrics.count(ranking, weights)
        of_reader = specificity.draws[start : start + len(weights)]
        at.append(metrics.sensitivity_of(counts, of_reader))
        areas.append(metrics.auc_of(counts))
        start += len(weights)
    model = DrawnMetric(float(metrics.sensitivity_of(whole, specificity.value)[0]), _joined(at))
    area = DrawnMetric(float(metrics.auc_of(whole)[0]), _joined(areas))
    drawn = (sensitivity, specificity, model, model.minus(sensitivity), area)
    return {name: _estimate(one) for name, one in zip(_PARTS, drawn, strict=True)}


def _joined(parts: Sequence[Float64Array]) -> Float64Array:
    return np.concatenate(parts) if parts else np.empty(0)


def _estimate(drawn: DrawnMetric) -> Estimate:
    low, high = percentile_interval(drawn.draws) or (None, None)
    return Estimate(finite_or_none(drawn.value), low, high)
