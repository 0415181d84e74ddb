"""evaluation/evaluate.py: truth and probabilities to scores: value, interval, baselines, counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, FloatArray, Int64Array
from wetread.evaluation import metrics
from wetread.evaluation.calibration import calibration_errors
from wetread.evaluation.drawn_metrics import DrawnMetric, draw_metrics
from wetread.evaluation.intervals import DRAWS, draw_patients, drawn_ratio, percentile_interval
from wetread.evaluation.score import Score, finite_or_none
from wetread.evaluation.task_metric import (
    WEIGHTED_LOG_LOSS,
    AnsweredRows,
    TaskMetric,
    draw_task_metric,
    least_cost_answers,
)
from wetread.labels.finding import Finding

ALL = "all"
OF_THE_PROBABILITIES = "no interval: it follows from the probabilities alone"
WITH_BASELINES = ("log_loss", "brier", "roc_auc", "average_precision")


@dataclass(frozen=True, eq=False)
class LabeledRows:
    """Rows (images, series or studies) whose truth is known, and what they are.

    truth:    (N, F) float, labels in 0..1, NaN where unknown.
    findings: the F findings, in the order of the columns.
    patients: N names; rows of one patient are resampled together.
    level:    "image", "series" or "study": what a row is.
    split:    which patients these are: "held_out", "out_of_fold", ...
    metric:   the task's, over all findings.
    """

    truth: FloatArray
    findings: Sequence[Finding]
    patients: Sequence[str]
    level: str
    split: str
    metric: TaskMetric = WEIGHTED_LOG_LOSS


@dataclass(frozen=True, eq=False)
class ResampledRows:
    """Labeled rows, and the draws of patients that all their intervals share.

    truth:          (N, F) float64, NaN where unknown.
    patient_of_row: (N,) int64, the number of each row's patient.
    times:          (draws, P) float64, how often each draw took each patient.
    """

    rows: LabeledRows
    truth: Float64Array
    patient_of_row: Int64Array
    times: Float64Array


def evaluate(
    rows: LabeledRows,
    probability: FloatArray,
    rng: np.random.Generator,
    *,
    prior: FloatArray | None = None,
    baselines: Mapping[str, FloatArray] | None = None,
    draws: int = DRAWS,
    official: bool = True,
    as_answered: bool = False,
) -> list[Score]:
    """Score probability (N, F) against the truth (N, F) of rows, with intervals and baselines.

    rng:       draws the patients of the intervals.
    prior:     (F,) shares of positives in training, scored as `<metric>_prior`; None: left out.
    baselines: further probabilities (N, F) by name ("position"), scored as `<metric>_<name>`.
    draws:     bootstrap draws; 0: no intervals.
    official:  False where the task's metric is not of the findings of one level.
    as_answered: whether the probabilities are answers for the metric, as those of a submission are;
               else, and of the baselines always, it scores the answers of least expected cost that
               follow from them.

    The task's metric comes first where all findings are labeled at this level, and of what are no
    answers the weighted log loss after it, where it is another; then the scores
    of each finding, a baseline right after its score, then those of its calibration: beside the
    expected calibration error the 95th percentile of it where the probabilities are true, and the
    expectation of Brier's score there. Raises ValueError where shapes differ or a
    probability is missing (NaN) for a known label.
    """
    truth = np.asarray(rows.truth, dtype=np.float64)
    others = dict(baselines or {})
    if prior is not None:
        others = {"prior": np.tile(np.asarray(prior, np.float64), (len(truth), 1)), **others}
    for name, values in (("the model", probability), *others.items()):
        _check(name, rows, values)
    sample = ResampledRows(rows, truth, *draw_patients(rows.patients, draws, rng))
    probabilities = {"": np.asarray(probability, np.float64)}
    probabilities |= {f"_{name}": np.asarray(values, np.float64) for name, values in others.items()}
    scores: list[Score] = []
    if official and all(finding.level == rows.level for finding in rows.findings):
        own = rows.metric.of_probabilities
        alone = as_answered or own.name == WEIGHTED_LOG_LOSS.name
        beside = [] if alone else [WEIGHTED_LOG_LOSS]
        scores += [
            _of_all(sample, metric, suffix, values, as_answered=as_answered and not suffix)
            for metric in (own, *beside)
            for suffix, values in probabilities.items()
        ]
    for column in range(len(rows.findings)):
        scores += _finding_scores(sample, column, probabilities)
        scores += _calibration_scores(sample, column, probabilities[""][:, column], rng)
    return scores


def evaluate_baselines(
    rows: LabeledRows,
    baselines: Mapping[str, FloatArray],
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    official: bool = True,
) -> list[Score]:
    """Score baselines alone, probabilities (N, F) by name, as evaluate scores them beside a model:
    `<metric>_<name>`, the task's metric first."""
    first = next(iter(baselines.values()))
    scores = evaluate(rows, first, rng, baselines=baselines, draws=draws, official=official)
    endings = tuple(f"_{name}" for name in baselines)
    return [score for score in scores if score.metric.endswith(endings)]


def _of_all(
    sample: ResampledRows,
    metric: TaskMetric,
    suffix: str,
    probability: Float64Array,
    *,
    as_answered: bool,
) -> Score:
    """Score all findings together by a metric, by the answers that follow from probabilities (N,
    F)."""
    findings, level = sample.rows.findings, sample.rows.level
    answer = probability
    if not as_answered:
        answer = least_cost_answers(metric, findings, probability, level)
    rows = AnsweredRows(findings, sample.truth, answer, sample.patient_of_row, sample.times)
    found = draw_task_metric(metric, rows)
    score = _score(sample, f"{metric.name}{suffix}", None, found)
    if score.value is not None or metric.name != "mean_roc_auc":
        return score
    return replace(score, reason=_undefined(sample) or score.reason)


def _undefined(sample: ResampledRows) -> str | None:
    """Name the first finding of the metric whose known labels are all alike, and why it has no ROC
    AUC."""
    for column, finding in enumerate(sample.rows.findings):
        values = sample.truth[:, column]
        known = values[~np.isnan(values)]
        positive = known >= metrics.THRESHOLD
        if finding.weight > 0 and (positive.all() or not positive.any()):
            kind = "negative" if positive.any() else "positive"
            return f"{finding.name} has no {kind} among {len(known)} known labels"
    return None


def _finding_scores(
    sample: ResampledRows, column: int, probabilities: Mapping[str, Float64Array]
) -> list[Score]:
    """Score one finding by all metrics; those of WITH_BASELINES with their baselines after them."""
    truth = sample.truth[:, column]
    drawn = {
        suffix: draw_metrics(truth, given[:, column], sample.patient_of_row, sample.times)
        for suffix, given in probabilities.items()
    }
    return [
        _score(sample, f"{metric}{suffix}", column, drawn[suffix][metric])
        for metric in drawn[""]
        for suffix in (probabilities if metric in WITH_BASELINES else ("",))
    ]


def _calibration_scores(
    sample: ResampledRows, column: int, probability: Float64Array, rng: np.random.Generator
) -> list[Score]:
    """Score how far probabilities (N,) of a finding are from what is true: their mean beside the
    share that is true, the expected calibration error and Brier's score beside perfect ones."""
    truth = sample.truth[:, column]
    known = (~np.isnan(truth)).astype(np.float64)
    means = {
        name: DrawnMetric(
            float(values[known > 0].mean()) if known.any() else float("nan"),
            drawn_ratio(values * known, known, sample.patient_of_row, sample.times),
        )
        for name, values in {
            "mean_probability": probability,
            "mean_probability_truth": np.nan_to_num(truth),
        }.items()
    }
    errors = calibration_errors(truth, probability, sample.patient_of_row, sample.times, rng)
    none = np.full(len(sample.times), np.nan)  # of what is no statistic of drawn patients
    parts = means | {
        "ece": DrawnMetric(errors.ece, errors.drawn_ece),
        "ece_perfect": DrawnMetric(errors.perfect_ece, none),
        "brier_perfect": DrawnMetric(errors.perfect_brier, none),
    }
    scores = [_score(sample, metric, column, drawn) for metric, drawn in parts.items()]
    return [
        replace(one, reason=OF_THE_PROBABILITIES)
        if one.metric.endswith("_perfect") and one.value is not None
        else one
        for one in scores
    ]


def _score(sample: ResampledRows, metric: str, column: int | None, drawn: DrawnMetric) -> Score:
    truth = sample.truth if column is None else sample.truth[:, [column]]
    known = ~np.isnan(truth)
    patients = len(np.unique(sample.patient_of_row[known.any(axis=1)]))
    positive = np.where(known, truth, 0.0) >= metrics.THRESHOLD
    value = finite_or_none(drawn.value)
    interval = percentile_interval(drawn.draws) if patients > 1 and value is not None else None
    low, high = interval or (None, None)
    finding = ALL if column is None else sample.rows.findings[column].name
    reason = _reason(known, positive, drawn.value, interval is not None, patients)
    return Score(
        metric, finding, sample.rows.level, sample.rows.split, value, low, high,
        patients, int(positive.any(axis=1).sum()), reason,
    )  # fmt: skip


def _reason(
    known: BoolArray, positive: BoolArray, value: float, interval: bool, patients: int
) -> str | None:
    """Say why there is no value, or no interval; None when there are both. known, positive (N,
    F)."""
    if np.isfinite(value):
        if interval:
            return None
        few = "one patient" if patients == 1 else "too few patients carry it"
        return f"no interval: {few}"
    rows = int(known.sum())
    if rows == 0:
        return "no known label"
    if not positive.any():
        return f"no positive among {rows} known labels"
    if positive.sum() == rows:
        return f"no negative among {rows} known labels"
    return "nothing reaches the threshold of 0.5"


def _check(name: str, rows: LabeledRows, probability: FloatArray) -> None:
    """Raise ValueError where probability does not fit the rows, or is NaN for a known label."""
    truth = np.asarray(rows.truth)
    shape = (len(rows.patients), len(rows.findings))
    if truth.shape != shape or np.shape(probability) != shape:
        raise ValueError(
            f"truth is {truth.shape} and the probabilities of {name} are {np.shape(probability)}; "
            f"{shape[0]} patients and {shape[1]} findings ask for {shape}."
        )
    lost = np.isnan(probability) & ~np.isnan(truth)
    if lost.any():
        row, column = np.argwhere(lost)[0]
        raise ValueError(
            f"{name} gives no probability (NaN) for row {row}, finding "
            f"{rows.findings[column].name!r}, whose truth is known; {lost.sum()} such labels. "
            "Predict them or leave the rows out."
        )
