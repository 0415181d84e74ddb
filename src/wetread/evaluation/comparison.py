"""evaluation/comparison.py: two predictions of the same rows, metric by metric, in pairs."""

from dataclasses import asdict, dataclass

import numpy as np

from wetread.archive.types import Float64Array, FloatArray, Int64Array, JsonObject
from wetread.evaluation import metrics
from wetread.evaluation.drawn_metrics import DrawnMetric, draw_metrics
from wetread.evaluation.evaluate import ALL, LabeledRows
from wetread.evaluation.intervals import (
    DRAWS,
    draw_patients,
    percentile_interval,
)
from wetread.evaluation.score import finite_or_none
from wetread.evaluation.task_metric import AnsweredRows, draw_task_metric, least_cost_answers

MIN_CLASS = 5  # rows with a finding, and as many without: below it a difference is mostly chance


@dataclass(frozen=True)
class Difference:
    """A metric of some rows, or of one prediction, minus that of others.

    value:     first minus second; None where it cannot be computed; `reason` then says why.
    low, high: 95 % interval of the difference over resampled patients, which both share.
    first, second: the two metrics.
    rows, positives, patients: behind the first.
    """

    metric: str
    finding: str
    level: str
    value: float | None
    low: float | None
    high: float | None
    first: float | None
    second: float | None
    rows: int
    positives: int
    patients: int
    reason: str | None = None

    @property
    def apart(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high

    def to_dict(self) -> JsonObject:
        """Return plain values, for JSON."""
        return asdict(self)


def compare_predictions(
    rows: LabeledRows,
    first: FloatArray,
    second: FloatArray,
    rng: np.random.Generator,
    draws: int = DRAWS,
    *,
    official: bool = False,
    as_answered: tuple[bool, bool] = (False, False),
) -> list[Difference]:
    """Compare two probabilities (N, F) of the same rows, finding by finding, by every metric.

    official: by the task's metric over all findings too, which then comes first. as_answered: of
    each, whether its probabilities are answers for that metric, as a submission's are.

    Rows that either has no probability for (NaN) count for neither. Each draw of patients is the
    same for both, so what makes a patient hard cancels out.
    """
    truth = np.asarray(rows.truth, np.float64)
    of_row, times = draw_patients(rows.patients, draws, rng)
    found = []
    if official:
        found.append(_official(rows, (first, second), as_answered, of_row, times))
    for column, finding in enumerate(rows.findings):
        one, other = first[:, column], second[:, column]
        both = np.where(np.isnan(one) | np.isnan(other), np.nan, truth[:, column])
        reason = too_few(both)
        drawn = [draw_metrics(both, values, of_row, times) for values in (one, other)]
        found += [
            make_difference(metric, finding.name, rows, truth=both, reason=reason,
                            pair=(drawn[0][metric], drawn[1][metric]))
            for metric in drawn[0]
        ]  # fmt: skip
    return found


def _official(
    rows: LabeledRows,
    pair: tuple[FloatArray, FloatArray],
    as_answered: tuple[bool, bool],
    of_row: Int64Array,
    times: Float64Array,
) -> Difference:
    """Compare by the task's metric, over the labels that both answered."""
    truth = np.asarray(rows.truth, np.float64)
    both = np.where(np.isnan(pair[0]) | np.isnan(pair[1]), np.nan, truth)
    answers = (
        values if final else least_cost_answers(rows.metric, rows.findings, values, rows.level)
        for values, final in zip(np.asarray(pair, np.float64), as_answered, strict=True)
    )
    first, second = (
        draw_task_metric(rows.metric, AnsweredRows(rows.findings, both, one, of_row, times))
        for one in answers
    )
    known = ~np.isnan(both)
    any_positive = np.where(known, both, 0.0).max(axis=1, initial=0.0)
    shown = np.where(known.any(axis=1), any_positive, np.nan)
    return make_difference(
        rows.metric.of_probabilities.name,
        ALL,
        rows,
        truth=shown,
        pair=(first, second),
        reason=too_few(shown),
    )


def make_difference(
    metric: str,
    finding: str,
    rows: LabeledRows,
    *,
    truth: FloatArray,
    pair: tuple[DrawnMetric, DrawnMetric],
    reason: str | None,
) -> Difference:
    """Subtract the second of a pair from the first.

    truth:  (N,) of the rows behind the first, NaN for all others.
    reason: why it has no value; None where there is enough.
    """
    known = ~np.isnan(truth)
    patients = len({rows.patients[row] for row in np.flatnonzero(known).tolist()})
    first, second = (None if reason else finite_or_none(one.value) for one in pair)
    difference = pair[0].minus(pair[1])
    value = None if reason else finite_or_none(difference.value)
    interval = percentile_interval(difference.draws) if value is not None and patients > 1 else None
    low, high = interval or (None, None)
    if reason is None and interval is None:
        reason = "not defined for these rows" if value is None else "no interval: too few patients"
    return Difference(
        metric, finding, rows.level, value, low, high, first, second,
        int(known.sum()), int((truth[known] >= metrics.THRESHOLD).sum()), patients, reason,
    )  # fmt: skip


def too_few(truth: FloatArray) -> str | None:
    """Say which class of truth (N,), NaN unknown, has too few rows to compare; None where both have
    enough."""
    known = truth[~np.isnan(truth)]
    positives = int((known >= metrics.THRESHOLD).sum())
    return too_few_of({"positive": positives, "negative": len(known) - positives}, MIN_CLASS)


def too_few_of(counts: dict[str, int], least: int) -> str | None:
    """Name the first of some counts that is below the least; None where none is."""
    for name, count in counts.items():
        if count < least:
            return f"{count} {name}, at least {least} are needed"
    return None
