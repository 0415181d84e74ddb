"""evaluation/threshold_scores.py: sensitivity and specificity of calls from stated thresholds."""

from collections.abc import Sequence

import numpy as np

from wetread.archive.types import FloatArray
from wetread.evaluation.evaluate import LabeledRows
from wetread.evaluation.intervals import DRAWS, draw_patients, drawn_ratio, percentile_interval
from wetread.evaluation.metrics import THRESHOLD
from wetread.evaluation.score import Score


def threshold_names(threshold: float) -> tuple[str, str]:
    """Return the names of the two scores of a threshold: `sensitivity_from_0.25`, ..."""
    return f"sensitivity_from_{threshold:.4g}", f"specificity_from_{threshold:.4g}"


def threshold_scores(
    rows: LabeledRows,
    probability: FloatArray,
    thresholds: Sequence[float],
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> list[Score]:
    """Score calls of the one finding of rows, probability (N,), from each threshold on.

    A row is called where its probability reaches the threshold, which was chosen elsewhere.
    Raises ValueError for a threshold that is no number from 0 to 1.
    """
    truth = np.asarray(rows.truth, np.float64)[:, 0]
    positive, negative = truth >= THRESHOLD, truth < THRESHOLD  # neither where it is not known
    of_row, times = draw_patients(rows.patients, draws, rng)
    scores = []
    for threshold in thresholds:
        if not 0.0 <= threshold <= 1.0:
            raise ValueError(f"threshold {threshold}: it is a probability, from 0 to 1")
        called = np.asarray(probability) >= threshold
        parts = ((positive & called, positive), (negative & ~called, negative))
        for metric, (over, under) in zip(threshold_names(threshold), parts, strict=True):
            count = int(under.sum())
            drawn = drawn_ratio(over.astype(float), under.astype(float), of_row, times)
            patients = len({rows.patients[row] for row in np.flatnonzero(under).tolist()})
            low, high = (percentile_interval(drawn) if patients > 1 else None) or (None, None)
            reason = "no row of that kind" if not count else None
            if count and low is None:
                reason = "no interval: too few patients"
            scores.append(
                Score(
                    metric, rows.findings[0].name, rows.level, rows.split,
                    float(over.sum()) / count if count else None, low, high,
                    patients, int(positive.sum()), reason,
                )
            )  # fmt: skip
    return scores
