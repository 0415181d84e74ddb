"""evaluation/drawn_metrics.py: all metrics of one finding, over all rows and over every draw of
patients."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np

from wetread.archive.types import Float64Array, FloatArray, Int64Array
from wetread.evaluation import metrics
from wetread.evaluation.intervals import drawn_ratio, row_weights

SENSITIVITIES: dict[str, Callable[[metrics.RankCounts], FloatArray]] = {
    f"sensitivity_at_specificity_{percent}": partial(
        metrics.sensitivity_of, specificity=percent / 100
    )
    for percent in (90, 95)
}
RANKING = {
    "roc_auc": metrics.auc_of,
    "average_precision": metrics.average_precision_of,
    **SENSITIVITIES,
}


@dataclass(frozen=True, eq=False)
class DrawnMetric:
    """One metric: its value over all rows, and over each draw of patients, draws (D,) float64; NaN
    where it is not defined."""

    value: float
    draws: Float64Array

    def minus(self, other: "DrawnMetric") -> "DrawnMetric":
        """Return the difference, draw by draw: paired, where both have the same draws."""
        return DrawnMetric(self.value - other.value, self.draws - other.draws)


def draw_metrics(
    truth: FloatArray, probability: FloatArray, patient_of_row: Int64Array, times: FloatArray
) -> dict[str, DrawnMetric]:
    """Return the metrics of one finding by name.

    truth, probability: (N,), truth NaN where unknown: such rows count in nothing.
    patient_of_row (N,) and times (D, P): of intervals.draw_patients.

    log_loss and brier are means over rows; precision, recall (sensitivity) and specificity are
    those of calls at 0.5; the others read the order of the probabilities alone.
    """

    def ratio(over: FloatArray, under: FloatArray) -> DrawnMetric:
        """Divide the sum of over (N,) by that of under (N,), of all rows and of every draw."""
        total = float(under.sum())
        value = float(np.nansum(over)) / total if total > 0 else float("nan")
        return DrawnMetric(value, drawn_ratio(over, under, patient_of_row, times))

    known = (~np.isnan(truth)).astype(np.float64)
    hit, called, true = metrics.call_counts(truth, probability)
    absent = known - true
    return {
        "log_loss": ratio(metrics.log_losses(truth, probability), known),
        "brier": ratio(np.square(np.asarray(probability, np.float64) - truth), known),
        **draw_ranking_metrics(truth, probability, patient_of_row, times),
        "precision": ratio(hit, called),
        "recall": ratio(hit, true),
        "specificity": ratio(absent - (called - hit), absent),
    }


def draw_ranking_metrics(
    truth: FloatArray, probability: FloatArray, patient_of_row: Int64Array, times: FloatArray
) -> dict[str, DrawnMetric]:
    """Compute the metrics that need the order of the probabilities alone, of all rows and of every
    draw of patients.

    truth, probability, patient_of_row: (N,), truth NaN where unknown; times: (draws, P) of
    draw_patients.
    """
    ranking = metrics.rank(truth, probability)
    parts: dict[str, list[FloatArray]] = {}
    once = [np.ones((1, len(ranking.order)))]
    for weights in chain(once, row_weights(patient_of_row[ranking.order], times)):
        counts = metrics.count(ranking, weights)
        for name, metric in RANKING.items():
            parts.setdefault(name, []).append(metric(counts))
    whole = {name: np.concatenate(values).astype(np.float64) for name, values in parts.items()}
    return {name: DrawnMetric(float(values[0]), values[1:]) for name, values in whole.items()}
