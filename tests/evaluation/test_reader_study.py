"""tests/evaluation/test_reader_study.py: readers' points beside a curve, by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from wetread.evaluation.intervals import draw_patients
from wetread.evaluation.reader_study import (
    LABELS,
    OTHERS,
    ReaderRows,
    majority,
    references,
    score_readers,
)


def made(count: int = 80, *, labelled: bool = True) -> ReaderRows:
    rng = np.random.default_rng(4)
    truth = (rng.random(count) < 0.4).astype(float)
    calls = np.array([np.where(rng.random(count) < 0.15, 1 - truth, truth) for _ in range(3)])
    probability = np.clip(0.35 * truth + 0.65 * rng.random(count), 0, 1)
    patients = [f"p{k // 2:02d}" for k in range(count)]
    return ReaderRows(
        "any",
        "study",
        ("R1", "R2", "R3"),
        calls,
        probability,
        truth if labelled else None,
        patients,
    )


def best_sensitivity(truth: np.ndarray, probability: np.ndarray, specificity: float) -> float:
    false_rate, true_rate, _ = roc_curve(truth, probability, drop_intermediate=False)
    return float(true_rate[false_rate <= 1 - specificity + 1e-9].max())


def test_a_majority_is_known_where_one_call_outweighs_the_other() -> None:
    nan = np.nan
    calls = np.array([[1, 1, 0, nan, 1], [1, 0, 0, nan, nan], [0, nan, 0, nan, nan]])
    np.testing.assert_array_equal(majority(calls), [1, nan, 0, nan, 1])


def test_each_reader_is_held_against_the_others_where_no_labels_are_given() -> None:
    rows = made(labelled=False)
    first = references(rows)[0]
    agree = rows.calls[1] == rows.calls[2]
    np.testing.assert_array_equal(first, np.where(agree, rows.calls[1], np.nan))
    score = score_readers(rows, np.random.default_rng(0), 20)[0]
    assert score.reference == OTHERS
    assert score.studies == int(agree.sum())
    assert score.undecided == int((~agree).sum())


def test_a_readers_point_is_a_count_by_hand() -> None:
    rows = made()
    assert rows.truth is not None
    score = score_readers(rows, np.random.default_rng(0), 20)[1]
    positive = rows.truth == 1
    assert score.reference == LABELS
    assert score.sensitivity.value == pytest.approx(rows.calls[1][positive].mean())
    assert score.specificity.value == pytest.approx(1 - rows.calls[1][~positive].mean())


def test_the_model_is_read_at_the_readers_specificity_in_every_draw() -> None:
    rows = made()
    assert rows.truth is not None
    score = score_readers(rows, np.random.default_rng(0), 100)[0]
    specificity = score.specificity.value
    assert specificity is not None
    assert score.model_sensitivity.value == pytest.approx(
        best_sensitivity(rows.truth, rows.probability, specificity)
    )
    assert score.model_auc.value == pytest.approx(roc_auc_score(rows.truth, rows.probability))
    of_row, times = draw_patients(rows.patients, 100, np.random.default_rng(0))
    differences = []
    for counts in times.astype(int):
        take = np.repeat(np.arange(len(of_row)), counts[of_row])
        true, called = rows.truth[take], rows.calls[0][take]
        own = 1 - called[true == 0].mean()
        model = best_sensitivity(true, rows.probability[take], own)
        differences.append(model - called[true == 1].mean())
    low, high = np.quantile(differences, [0.025, 0.975])
    assert (score.difference.low, score.difference.high) == pytest.approx((low, high))


def test_a_model_that_repeats_the_truth_is_below_no_reader() -> None:
    rows = made()
    assert rows.truth is not None
    perfect = ReaderRows(
        "any", "study", rows.readers, rows.calls, rows.truth, rows.truth, rows.patients
    )
    for score in score_readers(perfect, np.random.default_rng(0), 50):
        assert score.model_sensitivity.value == 1.0
        assert score.difference.low is not None
        assert score.difference.low >= 0


def test_too_few_positives_give_no_point_and_the_reason() -> None:
    rows = made(8)
    score = score_readers(rows, np.random.default_rng(0), 20)[0]
    assert score.sensitivity.value is None
    assert score.reason is not None
    assert "at least 5 are needed" in score.reason
