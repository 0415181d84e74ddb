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
from typing import Literal, NamedTuple

import numpy as np

from wetread.archive.types import Float64Array, Int64Array
from wetread.evaluation.drawn_metrics import DrawnMetric, draw_ranking_metrics
from wetread.evaluation.intervals import drawn_ratio
from wetread.evaluation.metrics import CLIP, log_losses, normalize
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


class Drawn(NamedTuple):
    """The number of each row's patient, (N,), and how often each draw took each patient, (D, P)."""

    patient_of_row: Int64Array
    times: Float64Array

    def ratio(self, over: Float64Array, under: Float64Array) -> DrawnMetric:
        """Divide the sum of over (N,) by that of under (N,), of all rows and of every draw."""
        total = float(under.sum())
        value = float(over.sum()) / total if total > 0 else float("nan")
        return DrawnMetric(value, drawn_ratio(over, under, *self))


def draw_task_metric(
    metric: TaskMetric,
    findings: Sequence[Finding],
    truth: Float64Array,
    answer: Float64Array,
    drawn: Drawn,
) -> DrawnMetric:
    """Compute the metric of answers (N, F); truth (N, F) from 0 to 1, NaN where unknown."""
    own = metric.of_probabilities
    return _METRICS[own.name](own, findings, truth, answer, drawn)


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


def _weighted_log_loss(
    metric: TaskMetric,
    findings: Sequence[Finding],
    truth: Float64Array,
    answer: Float64Array,
    drawn: Drawn,
) -> DrawnMetric:
    known = ~np.isnan(truth)
    positive = np.where(known, truth, 0.0) * positive_weights(findings)
    negative = np.where(known, 1 - truth, 0.0) * finding_weights(findings)
    # The loss of a pair is linear in its truth: at 1 and at 0, each with its weight.
    loss = positive * log_losses(np.ones_like(truth), answer)
    loss += negative * log_losses(np.zeros_like(truth), answer)
    over = np.where(known, loss, 0.0).sum(axis=1)
    return drawn.ratio(over, (positive + negative).sum(axis=1))


def _group_log_loss(
    metric: TaskMetric,
    findings: Sequence[Finding],
    truth: Float64Array,
    answer: Float64Array,
    drawn: Drawn,
) -> DrawnMetric:
    positive, negative = positive_weights(findings), finding_weights(findings)
    grouped = _columns(metric, finding_names(findings))
    parts = [
        _class_loss(truth[:, columns], normalize(answer[:, columns]), positive[columns], drawn)
        for columns in grouped
    ]
    for column in sorted(set(range(len(findings))).difference(*grouped)):
        weights = np.array([positive[column], negative[column]])
        if weights.any():
            both = (_two_classes(truth[:, column]), _two_classes(answer[:, column]))
            parts.append(_class_loss(*both, weights, drawn))
    return _mean(parts, np.ones(len(parts)), drawn)


def _two_classes(values: Float64Array) -> Float64Array:
    """Put the shares (N,) of a finding and of its absence side by side, (N, 2)."""
    return np.column_stack([values, 1 - values])


def _class_loss(
    truth: Float64Array, share: Float64Array, weights: Float64Array, drawn: Drawn
) -> DrawnMetric:
    """Average -log of the share (N, G) of the class that holds, truth (N, G), over rows that weigh
    as their class does, weights (G,)."""
    known = np.asarray(~np.isnan(truth).any(axis=1))
    weighted = np.where(known[:, None], truth, 0.0) * weights
    loss = -(weighted * np.log(np.clip(share, CLIP, 1.0))).sum(axis=1)
    return drawn.ratio(np.where(known, loss, 0.0), weighted.sum(axis=1))


def _mean_roc_auc(
    metric: TaskMetric,
    findings: Sequence[Finding],
    truth: Float64Array,
    answer: Float64Array,
    drawn: Drawn,
) -> DrawnMetric:
    parts = [
        draw_ranking_metrics(truth[:, column], answer[:, column], *drawn)["roc_auc"]
        for column in range(len(findings))
    ]
    return _mean(parts, finding_weights(findings), drawn)


def _probabilistic_f1(
    metric: TaskMetric,
    findings: Sequence[Finding],
    truth: Float64Array,
    answer: Float64Array,
    drawn: Drawn,
) -> DrawnMetric:
    known = ~np.isnan(truth)
    true, called = np.where(known, truth, 0.0), np.where(known, answer, 0.0)
    parts = [
        drawn.ratio(2 * true[:, k] * called[:, k], true[:, k] + called[:, k])
        for k in range(len(findings))
    ]
    return _mean(parts, finding_weights(findings), drawn)


def _mean(parts: Sequence[DrawnMetric], weights: Float64Array, drawn: Drawn) -> DrawnMetric:
    """Average with weights (M,): NaN where one that weighs something is not defined."""
    chosen = [(part, weight) for part, weight in zip(parts, weights, strict=True) if weight > 0]
    total = sum(weight for _, weight in chosen)
    if not chosen:
        return DrawnMetric(float("nan"), np.full(len(drawn.times), np.nan))
    value = sum(part.value * weight for part, weight in chosen) / total
    draws = np.sum([part.draws * weight for part, weight in chosen], axis=0) / total
    return DrawnMetric(float(value), draws)


_Draw = Callable[[TaskMetric, Sequence[Finding], Float64Array, Float64Array, Drawn], DrawnMetric]
_METRICS: Mapping[MetricName, _Draw] = {
    "weighted_log_loss": _weighted_log_loss,
    "group_log_loss": _group_log_loss,
    "mean_roc_auc": _mean_roc_auc,
    "probabilistic_f1": _probabilistic_f1,
}
