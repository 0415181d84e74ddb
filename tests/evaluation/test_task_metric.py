"""tests/evaluation/test_task_metric.py: a task's metric is what scikit-learn, or a hand, makes of
the same answers, and no other answer costs less in expectation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from wetread.evaluation.intervals import draw_patients
from wetread.evaluation.task_metric import (
    AnsweredRows,
    MetricName,
    TaskMetric,
    draw_task_metric,
    least_cost_answers,
)
from wetread.labels.finding import Finding

LIVER = (Finding("healthy"), Finding("low", weight=2.0), Finding("high", weight=4.0))
BOWEL = Finding("bowel", weight=1.0, positive_weight=2.0)
TRAUMA = TaskMetric("group_log_loss", (("healthy", "low", "high"),))


def answered(findings: tuple[Finding, ...], truth: np.ndarray, answer: np.ndarray) -> AnsweredRows:
    """Rows of as many patients, drawn 40 times."""
    names = [f"p{row:03d}" for row in range(len(truth))]
    drawn = draw_patients(names, 40, np.random.default_rng(0))
    return AnsweredRows(findings, truth, answer, *drawn)


def value(
    metric: TaskMetric, findings: tuple[Finding, ...], truth: np.ndarray, answer: np.ndarray
) -> float:
    found = draw_task_metric(metric, answered(findings, truth, answer))
    assert found.draws.shape == (40,)
    return found.value


def trauma(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Truth and answers of a liver, one-hot, and of a bowel."""
    rng = np.random.default_rng(3)
    liver = np.eye(3)[rng.integers(0, 3, rows)]
    bowel = rng.integers(0, 2, (rows, 1)).astype(np.float64)
    return np.hstack([liver, bowel]), rng.uniform(0.01, 0.99, (rows, 4))


def test_a_group_costs_what_scikit_learn_makes_of_its_shares() -> None:
    truth, answer = trauma()
    liver = answer[:, :3] / answer[:, :3].sum(axis=1, keepdims=True)
    chosen = truth[:, :3].argmax(axis=1)
    of_liver = log_loss(chosen, liver, sample_weight=np.array([1, 2, 4])[chosen])
    injured = truth[:, 3]
    of_bowel = log_loss(injured, answer[:, 3], sample_weight=np.where(injured == 1, 2, 1))
    found = value(TRAUMA, (*LIVER, BOWEL), truth, answer)
    assert found == pytest.approx((of_liver + of_bowel) / 2)


def test_positive_weights_enter_the_weighted_log_loss() -> None:
    truth, answer = trauma()
    findings = (BOWEL, Finding("overall", weight=7.0, positive_weight=14.0))
    truth, answer = truth[:, [3, 2]], answer[:, [3, 2]]
    weight = np.where(truth == 1, [2.0, 14.0], [1.0, 7.0])
    loss = -np.where(truth == 1, np.log(answer), np.log(1 - answer))
    expected = (loss * weight).sum() / weight.sum()
    assert value(TaskMetric(), findings, truth, answer) == pytest.approx(expected)
    truth[:5, 0] = np.nan
    known = ~np.isnan(truth)
    expected = (loss * weight)[known].sum() / weight[known].sum()
    assert value(TaskMetric(), findings, truth, answer) == pytest.approx(expected)


def test_the_mean_roc_auc_weighs_findings() -> None:
    truth, answer = trauma()
    findings = (Finding("a", weight=13.0), Finding("b"), Finding("c", weight=0.0))
    truth, answer = truth[:, :3], answer[:, :3]
    of_a, of_b = (roc_auc_score(truth[:, k], answer[:, k]) for k in range(2))
    metric = TaskMetric("mean_roc_auc")
    assert value(metric, findings, truth, answer) == pytest.approx((13 * of_a + of_b) / 14)
    truth[:, 1] = 0
    assert np.isnan(value(metric, findings, truth, answer))
    truth[:, 1], truth[:, 2] = truth[:, 0], 0  # what weighs nothing may have no positive
    assert np.isfinite(value(metric, findings, truth, answer))


def test_the_probabilistic_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    truth, answer = np.array([[1.0], [0.0], [1.0], [np.nan]]), np.array([[0.8], [0.3], [0.4], [1]])
    precision, recall = 1.2 / 1.5, 1.2 / 2
    expected = 2 * precision * recall / (precision + recall)
    found = value(TaskMetric("probabilistic_f1"), (Finding("cancer"),), truth, answer)
    assert found == pytest.approx(expected)


def test_intervals_are_the_metric_of_drawn_rows() -> None:
    truth, answer = trauma()
    findings = (*LIVER, BOWEL)
    rows = answered(findings, truth, answer)
    names: tuple[MetricName, ...] = (
        "weighted_log_loss",
        "group_log_loss",
        "mean_roc_auc",
        "probabilistic_f1",
    )
    for name in names:
        metric = TaskMetric(name, TRAUMA.groups)
        found = draw_task_metric(metric, rows)
        for draw in range(3):
            times = rows.times[draw, rows.patient_of_row].astype(int)
            taken = np.repeat(np.arange(len(truth)), times)
            assert found.draws[draw] == pytest.approx(
                value(metric, findings, truth[taken], answer[taken])
            )


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["weighted_log_loss", "group_log_loss"]),
    st.lists(st.floats(0.1, 9), min_size=4, max_size=4),
)
def test_no_answer_costs_less_than_those_of_least_cost(
    seed: int, name: MetricName, weights: list[float]
) -> None:
    """The expected cost of an answer x where p holds: sum of w p L(1, x), as a row's weight is that
    of what holds."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet([0.7, 0.7, 0.7], 1)
    probability = np.hstack([share, rng.uniform(0, 1, (1, 1))])
    a, b, c, d = weights
    findings = (
        Finding("healthy", weight=a),
        Finding("low", weight=b),
        Finding("high", weight=c),
        Finding("bowel", weight=d, positive_weight=a),
    )
    metric = TaskMetric(name, TRAUMA.groups)
    best = least_cost_answers(metric, findings, probability, "study")[0]

    def cost(answer: np.ndarray) -> float:
        p, x = probability[0], np.clip(answer, 1e-15, 1)
        bowel = a * p[3] * -np.log(x[3]) + d * (1 - p[3]) * -np.log(np.clip(1 - x[3], 1e-15, 1))
        if name == "group_log_loss":
            y = x[:3] / x[:3].sum()
            return float((np.array([a, b, c]) * p[:3] * -np.log(y)).sum() + bowel)
        absent = -np.log(np.clip(1 - x[:3], 1e-15, 1))
        each = np.array([a, b, c]) * (p[:3] * -np.log(x[:3]) + (1 - p[:3]) * absent)
        return float(each.sum() + bowel)

    for _ in range(30):
        other = np.clip(best + rng.normal(0, 0.05, 4), 1e-6, 1 - 1e-6)
        assert cost(best) <= cost(other) + 1e-9


def test_answers_are_the_probabilities_where_all_weigh_alike() -> None:
    _, answer = trauma()
    findings = (Finding("a"), Finding("b", weight=2.0), Finding("c"), Finding("d"))
    np.testing.assert_allclose(least_cost_answers(TaskMetric(), findings, answer, "image"), answer)
    for name in ("mean_roc_auc", "probabilistic_f1"):
        weighted = (BOWEL, *findings[1:])
        same = least_cost_answers(TaskMetric(name), weighted, answer, "image")
        np.testing.assert_array_equal(same, answer)


def test_what_was_not_read_stays_unread_and_answers_obey() -> None:
    findings = (*LIVER, BOWEL)
    said = np.array([[0.2, 0.3, 0.5, 0.4], [np.nan] * 4])

    def obey(level: str, answer: np.ndarray) -> np.ndarray:
        assert level == "study"
        return np.where(answer > 0.5, answer, 0.0)

    metric = TaskMetric("group_log_loss", TRAUMA.groups, obey)
    found = least_cost_answers(metric, findings, said, "study")
    assert np.isnan(found[1]).all()
    np.testing.assert_allclose(found[0], [0, 0, 2.0 / 2.8, 0.8 / 1.4])
    alike = tuple(Finding(one.name) for one in findings)
    same = least_cost_answers(metric, alike, said[:1], "study")  # nothing to tilt: as they were
    np.testing.assert_allclose(same, said[:1])


def test_without_a_finding_that_weighs_nothing_is_scored() -> None:
    weightless = (Finding("a", weight=0.0), Finding("b", weight=0.0))
    for name in ("group_log_loss", "mean_roc_auc", "probabilistic_f1"):
        assert np.isnan(value(TaskMetric(name), weightless, np.eye(2), np.full((2, 2), 0.4)))
