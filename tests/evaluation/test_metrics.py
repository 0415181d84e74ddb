"""tests/evaluation/test_metrics.py: every metric against scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from wetread.evaluation import metrics

WEIGHTS = np.array([1.0, 1, 1, 1, 1, 2])


def counts_once(truth: np.ndarray, probability: np.ndarray) -> metrics.RankCounts:
    """The counts of every row once."""
    ranking = metrics.rank(truth, probability)
    return metrics.count(ranking, np.ones((1, len(ranking.order))))


def average_precision(truth: np.ndarray, probability: np.ndarray) -> float:
    return float(metrics.average_precision_of(counts_once(truth, probability))[0])


def sensitivity(truth: np.ndarray, probability: np.ndarray) -> float:
    return float(metrics.sensitivity_of(counts_once(truth, probability))[0])


def drawn(seed: int, rows: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Truth (N,) 0/1 with some NaN, and probabilities (N,) with many ties."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(rows) < 0.3).astype(float)
    probability = np.clip(0.3 * truth + rng.normal(0.3, 0.2, rows), 0, 1).round(1 + seed % 3)
    truth[rng.random(rows) < 0.1] = np.nan
    return truth, probability


@pytest.mark.parametrize("seed", range(5))
def test_weighted_log_loss_is_sklearns_with_weights_to_1e_9(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = (rng.random((300, 6)) < 0.2).astype(float)
    probability = rng.random((300, 6)) ** 8
    probability[:3] = [0, 1, 1e-17, 1 - 1e-16, 1e-12, 1 - 1e-12]  # at and beyond the clip
    expected = sk.log_loss(
        truth.ravel(),
        np.clip(probability, 1e-15, 1 - 1e-15).ravel(),
        sample_weight=np.tile(WEIGHTS, 300),
    )
    ours = metrics.weighted_log_loss(truth, probability, WEIGHTS)
    assert ours == pytest.approx(expected, abs=1e-9)


def test_weighted_log_loss_is_the_mean_of_the_images_weighted_means() -> None:
    rng = np.random.default_rng(0)
    truth, probability = (rng.random((50, 6)) < 0.3).astype(float), rng.random((50, 6))
    loss = -np.where(truth == 1, np.log(probability), np.log(1 - probability))
    by_image = (loss * WEIGHTS).sum(axis=1) / 7
    ours = metrics.weighted_log_loss(truth, probability, WEIGHTS)
    assert ours == pytest.approx(by_image.mean(), abs=1e-12)


def test_a_confident_error_costs_what_the_clip_allows_and_no_more() -> None:
    loss = metrics.weighted_log_loss(np.ones((1, 1)), np.zeros((1, 1)), np.ones(1))
    assert loss == pytest.approx(-math.log(1e-15))


def test_unknown_truth_is_left_out_with_its_weight() -> None:
    truth = np.array([[1.0, np.nan], [0.0, 1.0]])
    probability = np.array([[0.5, 0.01], [0.5, 0.25]])
    ours = metrics.weighted_log_loss(truth, probability, np.array([1.0, 2.0]))
    assert ours == pytest.approx((2 * math.log(2) + 2 * math.log(4)) / 4)


@pytest.mark.parametrize("seed", range(12))
def test_ranking_metrics_are_sklearns_with_ties_and_unknown_truth(seed: int) -> None:
    truth, probability = drawn(seed)
    known = ~np.isnan(truth)
    true, said = truth[known], probability[known]
    assert metrics.roc_auc(truth, probability) == pytest.approx(sk.roc_auc_score(true, said))
    assert average_precision(truth, probability) == pytest.approx(
        sk.average_precision_score(true, said)
    )
    hit, called, positive = (column.sum() for column in metrics.call_counts(truth, probability))
    assert hit / called == pytest.approx(sk.precision_score(true, said >= 0.5))
    assert hit / positive == pytest.approx(sk.recall_score(true, said >= 0.5))
    assert metrics.log_loss(truth, probability) == pytest.approx(
        sk.log_loss(true, np.clip(said, 1e-15, 1 - 1e-15))
    )
    false_rate, true_rate, _ = sk.roc_curve(true, said, drop_intermediate=False)
    best = true_rate[false_rate <= 0.1 + 1e-12].max()
    assert sensitivity(truth, probability) == pytest.approx(best)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_counting_with_weights_is_sklearns_sample_weight(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, rows).astype(float)
    probability = rng.integers(0, 6, rows) / 5
    weights = rng.integers(0, 4, rows).astype(float)
    ranking = metrics.rank(truth, probability)
    counts = metrics.count(ranking, weights[ranking.order][None])
    kept = weights > 0
    both = len(set(truth[kept])) == 2
    auc = metrics.auc_of(counts)[0]
    assert math.isnan(auc) != both
    if both:
        expected = sk.roc_auc_score(truth, probability, sample_weight=weights)
        assert auc == pytest.approx(expected)
        expected = sk.average_precision_score(truth, probability, sample_weight=weights)
        assert metrics.average_precision_of(counts)[0] == pytest.approx(expected)


@pytest.mark.parametrize("truth", [[0.0, 0.0], [np.nan, np.nan], []])
def test_without_positives_the_metrics_are_nan(truth: list[float]) -> None:
    values, said = np.array(truth), np.full(len(truth), 0.7)
    for metric in (metrics.roc_auc, average_precision, sensitivity):
        assert math.isnan(metric(values, said))


def test_without_negatives_there_is_no_auc_but_an_average_precision() -> None:
    truth, said = np.ones(3), np.array([0.2, 0.5, 0.9])
    assert math.isnan(metrics.roc_auc(truth, said))
    assert math.isnan(sensitivity(truth, said))
    assert average_precision(truth, said) == 1.0


def test_a_constant_earns_an_auc_of_a_half_and_the_prevalence() -> None:
    truth = np.array([1.0, 0, 0, 0])
    assert metrics.roc_auc(truth, np.full(4, 0.3)) == 0.5
    assert average_precision(truth, np.full(4, 0.3)) == 0.25
