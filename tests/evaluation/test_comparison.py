"""tests/evaluation/test_comparison.py: two predictions in pairs, against brute force."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from wetread.evaluation.comparison import Difference, compare_predictions
from wetread.evaluation.evaluate import LabeledRows
from wetread.evaluation.intervals import draw_patients
from wetread.evaluation.metrics import weighted_log_loss
from wetread.labels.finding import Finding


def rows(truth: np.ndarray) -> LabeledRows:
    patients = [f"p{row // 2:03d}" for row in range(len(truth))]
    return LabeledRows(truth, (Finding("a"), Finding("b")), patients, "image", "given_data")


def made() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    truth = (rng.random((120, 2)) < 0.4).astype(float)
    first = np.clip(0.4 * truth + 0.6 * rng.random((120, 2)), 0, 1)
    return truth, first, np.clip(0.9 * first + 0.1 * rng.random((120, 2)), 0, 1)


def find(found: list[Difference], metric: str, finding: str) -> Difference:
    (one,) = (d for d in found if (d.metric, d.finding) == (metric, finding))
    return one


def test_a_difference_has_the_interval_of_the_same_patients_drawn_for_both() -> None:
    truth, first, second = made()
    found = compare_predictions(rows(truth), first, second, np.random.default_rng(0), draws=200)
    of_row, times = draw_patients(rows(truth).patients, 200, np.random.default_rng(0))
    drawn = []
    for counts in times.astype(int):
        take = np.repeat(np.arange(120), counts[of_row])
        true = truth[take, 1]
        drawn.append(roc_auc_score(true, first[take, 1]) - roc_auc_score(true, second[take, 1]))
    auc = find(found, "roc_auc", "b")
    expected = roc_auc_score(truth[:, 1], first[:, 1]) - roc_auc_score(truth[:, 1], second[:, 1])
    assert auc.value == pytest.approx(expected)
    assert (auc.low, auc.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert (auc.rows, auc.patients) == (120, 60)


def test_predictions_differ_from_themselves_by_nothing() -> None:
    truth, first, _ = made()
    for one in compare_predictions(rows(truth), first, first, np.random.default_rng(0), draws=20):
        assert (one.value, one.low, one.high, one.apart) == (0.0, 0.0, 0.0, False)


def test_the_same_patients_make_a_narrower_interval_than_two_samples_would() -> None:
    truth, first, second = made()
    paired = find(
        compare_predictions(rows(truth), first, second, np.random.default_rng(0)), "roc_auc", "a"
    )
    alone = find(
        compare_predictions(rows(truth), first, np.full_like(first, 0.5), np.random.default_rng(0)),
        "roc_auc", "a",
    )  # fmt: skip
    assert paired.high - paired.low < 0.5 * (alone.high - alone.low)  # type: ignore[operator]


def test_rows_that_one_of_them_did_not_read_count_for_neither() -> None:
    truth, first, second = made()
    second[:40] = np.nan
    auc = find(
        compare_predictions(rows(truth), first, second, np.random.default_rng(0), 20),
        "roc_auc",
        "a",
    )
    assert (auc.rows, auc.positives) == (80, int(truth[40:, 0].sum()))
    assert auc.first == pytest.approx(roc_auc_score(truth[40:, 0], first[40:, 0]))


def test_too_few_positives_give_no_difference_and_the_reason() -> None:
    truth, first, second = made()
    truth[:, 0] = 0
    truth[:4, 0] = 1
    one = find(compare_predictions(rows(truth), first, second, np.random.default_rng(0), 20),
               "roc_auc", "a")  # fmt: skip
    assert (one.value, one.first, one.low) == (None, None, None)
    assert one.reason == "4 positive, at least 5 are needed"


def test_the_official_metric_is_compared_over_all_findings() -> None:
    truth, first, second = made()
    weighted = (Finding("a"), Finding("b", weight=2.0))
    both = LabeledRows(truth, weighted, rows(truth).patients, "image", "given_data")
    found = compare_predictions(
        both, first, second, np.random.default_rng(0), draws=50, official=True
    )
    one = find(found, "weighted_log_loss", "all")
    weights = np.array([1.0, 2.0])
    assert one.first == pytest.approx(weighted_log_loss(truth, first, weights))
    assert one.value == pytest.approx(
        weighted_log_loss(truth, first, weights) - weighted_log_loss(truth, second, weights)
    )
    assert one.low is not None
