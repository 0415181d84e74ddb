"""tests/evaluation/test_drawn_metrics.py: metrics of rows and of draws, against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from wetread.evaluation.drawn_metrics import DrawnMetric, draw_metrics
from wetread.evaluation.intervals import draw_patients


def made(rows: int = 60) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(3)
    truth = (rng.random(rows) < 0.4).astype(float)
    probability = np.round(np.clip(0.5 * truth + 0.7 * rng.random(rows), 0.01, 0.99), 2)
    truth[:4] = np.nan
    return truth, probability, [f"p{row // 3}" for row in range(rows)]


def expected(truth: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """The metrics by scikit-learn, of known rows."""
    known = ~np.isnan(truth)
    true, given = truth[known], probability[known]
    called = given >= 0.5
    false_rate, true_rate, _ = metrics.roc_curve(true, given, drop_intermediate=False)
    return {
        "log_loss": float(metrics.log_loss(true, given)),
        "brier": float(metrics.brier_score_loss(true, given)),
        "roc_auc": float(metrics.roc_auc_score(true, given)),
        "average_precision": float(metrics.average_precision_score(true, given)),
        "sensitivity_at_specificity_90": float(true_rate[false_rate <= 0.1 + 1e-9].max()),
        "sensitivity_at_specificity_95": float(true_rate[false_rate <= 0.05 + 1e-9].max()),
        "precision": float(metrics.precision_score(true, called)),
        "recall": float(metrics.recall_score(true, called)),
        "specificity": float(metrics.recall_score(true, called, pos_label=0)),
    }


def test_values_are_those_of_scikit_learn() -> None:
    truth, probability, patients = made()
    drawn = draw_metrics(truth, probability, *draw_patients(patients, 5, np.random.default_rng(0)))
    assert {name: one.value for name, one in drawn.items()} == pytest.approx(
        expected(truth, probability)
    )


def test_each_draw_is_the_metric_of_its_patients_repeated_as_often_as_they_were_drawn() -> None:
    truth, probability, patients = made()
    of_row, times = draw_patients(patients, 8, np.random.default_rng(1))
    drawn = draw_metrics(truth, probability, of_row, times)
    for draw, counts in enumerate(times.astype(int)):
        rows = np.repeat(np.arange(len(truth)), counts[of_row])
        assert {name: one.draws[draw] for name, one in drawn.items()} == pytest.approx(
            expected(truth[rows], probability[rows])
        )


def test_a_metric_without_a_negative_is_no_number() -> None:
    truth, times = np.array([1.0, 1.0, np.nan]), np.ones((1, 3))
    drawn = draw_metrics(truth, np.array([0.2, 0.8, 0.5]), np.arange(3), times)
    assert np.isnan([drawn[name].value for name in ("roc_auc", "specificity")]).all()
    assert (drawn["recall"].value, drawn["precision"].value) == (0.5, 1.0)


def test_a_difference_is_taken_draw_by_draw() -> None:
    one, other = (DrawnMetric(value, np.array([value, 1.0])) for value in (0.9, 0.4))
    difference = one.minus(other)
    assert difference.value == pytest.approx(0.5)
    assert difference.draws == pytest.approx([0.5, 0.0])
