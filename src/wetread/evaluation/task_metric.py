"""evaluation/task_metric.py: the metric by which a task is scored: truth and answers of all its
findings to one number, of all rows and of every draw of patients.

    weighted_log_loss   sum of w L over all rows and findings, divided by the sum of w; L the cross
                        entropy, w the finding's weight, or that of its positives
    group_log_loss      mean over groups of the weighted mean of -log x, x the share that the answer
                        gives to what holds: in a group of findings that exclude each other, or of
                        one finding, present or not. A row weighs as what holds in it
    mean_roc_auc        weighted mean of the findings' ROC AUC
    dice                of what is drawn, by the pixel (evaluation/mask_scores.py); beside it
                        probabilities are scored by the weighted log loss
    probabilistic_f1    weighted mean of the findings' 2 P R / (P + R), in which each probability p
                        counts as p of a call
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.drawn_metrics import DrawnMetric, draw_ranking_metrics
from wetread.evaluation.intervals import drawn_ratio
from wetread.evaluation.metrics import CLIP, normalize, weighted_losses
from wetread.labels.finding import Finding, finding_names, finding_weights, positive_weights

MetricName = Literal[
    "weighted_log_loss", "group_log_loss", "mean_roc_auc", "probabilistic_f1", "dice"
]
LOSSES = ("weighted_log_loss", "group_log_loss")
METRIC_WORDS: dict[MetricName, str] = {  # of probabilities
    "weighted_log_loss": "weighted log loss",
    "group_log_loss": "log loss of groups",
    "mean_roc_auc": "mean ROC AUC",
    "probabilistic_f1": "probabilistic F1",
}


@dataclass(frozen=True)
class TaskMetric:
    """A metric by its name.

    groups: names of findings of which exactly one holds.
    obey:   level and answers (N, F) -> answers that obey the task's rules; None: it has none.
    """

    name: MetricName = "weighted_log_loss"
    groups: tuple[tuple[str, ...], ...] = ()
    obey: Callable[[str, Float64Array], Float64Array] | None = field(default=None, compare=False)

    @property
    def of_probabilities(self) -> TaskMetric:
        """The metric by which probabilities are scored."""
        return replace(self, name="weighted_log_loss") if self.name == "dice" else self


WEIGHTED_LOG_LOSS = TaskMetric()


@dataclass(frozen=True, eq=False)
class AnsweredRows:
    """Answers of N rows (images, series or studies) beside their truth, and the draws of patients
    of their intervals.

    truth:          (N, F) from 0 to 1, NaN where unknown. answer: (N, F).
    patient_of_row: (N,) the number of each row's patient. times: (D, P) how often each draw took
                    each patient.
    """

    findings: Sequence[Finding]
    truth: Float64Array
    answer: Float64Array
    patient_of_row: Int64Array
    times: Float64Array

    def ratio(self, over: Float64Array, under: Float64Array) -> DrawnMetric:
        """Divide the sum of over (N,) by that of under (N,), of all rows and of every draw."""
        total = float(under.sum())
        value = float(over.sum()) / total if total > 0 else float("nan")
        return DrawnMetric(value, drawn_ratio(over, under, self.patient_of_row, self.times))

    def mean(self, parts: Sequence[DrawnMetric], weights: Float64Array) -> DrawnMetric:
        """Average metrics with weights (M,): NaN where one that weighs something is undefined."""
        chosen = [(one, weight) for one, weight in zip(parts, weights, strict=True) if weight > 0]
        if not chosen:
            return DrawnMetric(float("nan"), np.full(len(self.times), np.nan))
        total = sum(weight for _, weight in chosen)
        value = sum(one.value * weight for one, weight in chosen) / total
        draws = np.sum([one.draws * weight for one, weight in chosen], axis=0) / total
        return DrawnMetric(float(value), draws)


def draw_task_metric(metric: TaskMetric, rows: AnsweredRows) -> DrawnMetric:
    """Compute a task's metric, of all rows and of every draw of patients."""
    own = metric.of_probabilities
    return _METRICS[own.name](own, rows)


def least_cost_answers(
    metric: TaskMetric, findings: Sequence[Finding], probability: Float64Array, level: str
) -> Float64Array:
    """Turn probabilities (N, F) of a level into the answers (N, F) whose expected loss is least:
    where what holds weighs unequally, w p of the sum of all w p; these then obey the rules of the
    task. They are the probabilities where all that excludes each other weighs alike, or the metric
    is no loss. NaN stays."""
    metric = metric.of_probabilities
    if metric.name not in LOSSES:
        return probability
    names, answer = finding_names(findings), probability.copy()
    positive, negative = positive_weights(findings), finding_weights(findings)
    grouped = _columns(metric, names) if metric.name == "group_log_loss" else []
    for columns in grouped:
        answer[:, columns] = normalize(probability[:, columns] * positive[columns])
    for column in set(range(len(names))).difference(*grouped):
        own = probability[:, column]
        over = positive[column] * own
        answer[:, column] = np.divide(
            over, under := over + negative[column] * (1 - own), out=own.copy(), where=under > 0
        )
    read = ~np.isnan(answer).any(axis=1)
    if metric.obey is not None and not np.allclose(answer[read], probability[read]):
        answer[read] = metric.obey(level, answer[read])
    return answer


def _columns(metric: TaskMetric, names: Sequence[str]) -> list[list[int]]:
    return [[names.index(name) for name in group] for group in metric.groups]


def _weighted_log_loss(metric: TaskMetric, rows: AnsweredRows) -> DrawnMetric:
    weights = finding_weights(rows.findings), positive_weights(rows.findings)
    loss, weight = weighted_losses(rows.truth, rows.answer, *weights)
    return rows.ratio(loss.sum(axis=1), weight.sum(axis=1))


def _group_log_loss(metric: TaskMetric, rows: AnsweredRows) -> DrawnMetric:
    positive, negative = positive_weights(rows.findings), finding_weights(rows.findings)
    grouped = _columns(metric, finding_names(rows.findings))
    parts = [
        _class_loss(rows, rows.truth[:, group], normalize(rows.answer[:, group]), positive[group])
        for group in grouped
    ]
    for column in sorted(set(range(len(rows.findings))).difference(*grouped)):
        weights = np.array([positive[column], negative[column]])
        if weights.any():
            truth, answer = (_two_classes(one[:, column]) for one in (rows.truth, rows.answer))
            parts.append(_class_loss(rows, truth, answer, weights))
    return rows.mean(parts, np.ones(len(parts)))


def _two_classes(values: Float64Array) -> Float64Array:
    """Put the shares (N,) of a finding and of its absence side by side, (N, 2)."""
    return np.column_stack([values, 1 - values])


def _class_loss(
    rows: AnsweredRows, truth: Float64Array, share: Float64Array, weights: Float64Array
) -> DrawnMetric:
    """Average -log of the share (N, G) of the class that holds, truth (N, G), over rows that weigh
    as their class does, weights (G,)."""
    known = np.asarray(~np.isnan(truth).any(axis=1))
    weighted = np.where(known[:, None], truth, 0.0) * weights
    loss = -(weighted * np.log(np.clip(share, CLIP, 1.0))).sum(axis=1)
    return rows.ratio(np.where(known, loss, 0.0), weighted.sum(axis=1))


def _mean_roc_auc(metric: TaskMetric, rows: AnsweredRows) -> DrawnMetric:
    drawn = rows.patient_of_row, rows.times
    parts = [
        draw_ranking_metrics(truth, answer, *drawn)["roc_auc"]
        for truth, answer in zip(rows.truth.T, rows.answer.T, strict=True)
    ]
    return rows.mean(parts, finding_weights(rows.findings))


def _probabilistic_f1(metric: TaskMetric, rows: AnsweredRows) -> DrawnMetric:
    known = ~np.isnan(rows.truth)
    true, called = np.where(known, rows.truth, 0.0), np.where(known, rows.answer, 0.0)
    parts = [rows.ratio(2 * t * c, t + c) for t, c in zip(true.T, called.T, strict=True)]
    return rows.mean(parts, finding_weights(rows.findings))


_METRICS: Mapping[MetricName, Callable[[TaskMetric, AnsweredRows], DrawnMetric]] = {
    "weighted_log_loss": _weighted_log_loss,
    "group_log_loss": _group_log_loss,
    "mean_roc_auc": _mean_roc_auc,
    "probabilistic_f1": _probabilistic_f1,
}
