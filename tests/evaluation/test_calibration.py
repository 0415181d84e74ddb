"""tests/evaluation/test_calibration.py: reliability and the curves behind the scores."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from wetread.evaluation import calibration
from wetread.evaluation.intervals import draw_patients


def test_honest_probabilities_lie_on_the_diagonal() -> None:
    rng = np.random.default_rng(0)
    given = rng.beta(0.5, 4, 40_000)
    truth = (rng.random(40_000) < given).astype(float)
    curve = calibration.reliability_curve(truth, given)
    assert len(curve) == 10
    for part in curve:
        assert part.share_positive == pytest.approx(part.mean_probability, abs=0.04)


def test_every_known_row_is_in_one_bin_and_bins_expect_equal_positives() -> None:
    rng = np.random.default_rng(0)
    given, truth = rng.random(1000), rng.integers(0, 2, 1000).astype(float)
    truth[:100] = np.nan
    curve = calibration.reliability_curve(truth, given)
    assert sum(part.rows for part in curve) == 900
    expected = [part.rows * part.mean_probability for part in curve]
    assert max(expected) - min(expected) < 2
    assert [part.low for part in curve] == sorted(part.low for part in curve)


def test_too_bold_probabilities_show_as_the_distance_they_are_off() -> None:
    truth, given = np.tile([1.0, 0, 0, 0, 0], 100), np.full(500, 0.5)
    (only,) = calibration.reliability_curve(truth, given)
    assert (only.rows, only.mean_probability, only.share_positive) == (500, 0.5, 0.2)
    assert only.mean_probability - only.share_positive == pytest.approx(0.3)


def test_curves_are_rates_at_every_cut() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 300).astype(float)
    given = (0.3 * truth + rng.random(300)).round(2) / 1.3
    truth[:30] = np.nan
    known = ~np.isnan(truth)
    positive, probability = truth[known] == 1, given[known]
    cuts = np.unique(probability)[::-1]
    true = np.array([(positive & (probability >= cut)).sum() for cut in cuts])
    called = np.array([(probability >= cut).sum() for cut in cuts])
    false_rate, true_rate = calibration.roc_curve(truth, given)
    np.testing.assert_array_equal(true_rate, np.append(0.0, true / positive.sum()))
    np.testing.assert_array_equal(false_rate, np.append(0.0, (called - true) / (~positive).sum()))
    recall, precision = calibration.precision_recall_curve(truth, given)
    np.testing.assert_array_equal(recall, true / positive.sum())
    np.testing.assert_array_equal(precision, true / called)


def test_without_both_classes_there_is_no_curve() -> None:
    given = np.array([0.1, 0.9])
    assert len(calibration.roc_curve(np.zeros(2), given)[0]) == 0
    assert len(calibration.roc_curve(np.ones(2), given)[0]) == 0
    assert len(calibration.precision_recall_curve(np.zeros(2), given)[0]) == 0
    assert calibration.reliability_curve(np.full(2, np.nan), given) == ()


def test_prevalence_is_of_the_known() -> None:
    assert calibration.prevalence(np.array([1.0, 0.0, np.nan, 0.0])) == pytest.approx(1 / 3)
    assert np.isnan(calibration.prevalence(np.array([np.nan])))


def _errors(
    truth: np.ndarray, given: np.ndarray, draws: int = 300
) -> calibration.CalibrationErrors:
    names = [str(row) for row in range(len(truth))]
    patient, times = draw_patients(names, draws, np.random.default_rng(1))
    return calibration.calibration_errors(truth, given, patient, times, np.random.default_rng(2))


def test_errors_are_those_of_a_loop_over_the_curve() -> None:
    rng = np.random.default_rng(0)
    given = rng.beta(0.4, 2, 700).round(3)
    truth = (rng.random(700) < given**2).astype(float)
    truth[:50] = np.nan
    found = _errors(truth, given)
    curve = calibration.reliability_curve(truth, given)
    by_hand = sum(b.rows * abs(b.mean_probability - b.share_positive) for b in curve) / 650
    assert found.ece == pytest.approx(by_hand, rel=1e-12)
    assert calibration.expected_calibration_error(truth, given) == pytest.approx(by_hand)


def test_perfect_calibration_is_below_its_own_95th_percentile_19_times_in_20() -> None:
    rng = np.random.default_rng(0)
    below, briers, expected = [], [], 0.0
    given = rng.beta(0.5, 3, 400)
    for _ in range(200):
        truth = (rng.random(400) < given).astype(float)
        found = _errors(truth, given, draws=2)
        below.append(found.ece < found.perfect_ece)
        briers.append(brier_score_loss(truth, given))
        expected = found.perfect_brier
    assert np.mean(below) == pytest.approx(0.95, abs=0.05)
    assert expected == pytest.approx(np.mean(given * (1 - given)))
    assert np.mean(briers) == pytest.approx(expected, abs=4 * np.std(briers) / np.sqrt(200))


def test_boldness_is_above_what_perfect_calibration_of_that_size_gives() -> None:
    rng = np.random.default_rng(0)
    given = rng.beta(0.5, 3, 400)
    truth = (rng.random(400) < given / 3).astype(float)
    found = _errors(truth, given)
    assert found.ece > 1.5 * found.perfect_ece


def test_errors_of_nothing_known_are_unknown() -> None:
    found = _errors(np.full(3, np.nan), np.full(3, 0.5))
    assert np.isnan([found.ece, found.perfect_ece, found.perfect_brier]).all()
    assert np.isnan(calibration.expected_calibration_error(np.full(2, np.nan), np.ones(2)))
