"""tests/evaluation/test_baselines.py: the floor is a floor: it sees position or histogram alone."""

import numpy as np
import pytest

from wetread.evaluation import baselines
from wetread.evaluation.metrics import roc_auc, weighted_log_loss


def test_the_prior_is_the_share_of_the_known() -> None:
    truth = np.array([[1.0, np.nan], [0.0, np.nan], [np.nan, np.nan], [0.0, np.nan]])
    np.testing.assert_allclose(baselines.constant_prior(truth), [1 / 3, np.nan])
    assert baselines.prior_baseline(truth, 5).shape == (5, 2)


def test_no_constant_beats_the_prior_on_its_own_labels() -> None:
    truth = (np.random.default_rng(0).random((300, 2)) < [0.1, 0.4]).astype(float)
    best = weighted_log_loss(truth, baselines.prior_baseline(truth, 300), np.ones(2))
    for shift in (-0.02, 0.02):
        other = baselines.prior_baseline(truth, 300) + shift
        assert weighted_log_loss(truth, other, np.ones(2)) > best


def test_position_finds_what_depends_on_position_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    z, test_z = rng.random(800), rng.random(400)
    middle, test_middle = abs(z - 0.5) < 0.2, abs(test_z - 0.5) < 0.2
    truth = np.stack([middle, rng.random(800) < 0.3], axis=1).astype(float)
    said = baselines.fit_trees(z[:, None], truth).predict(test_z[:, None])
    assert roc_auc(test_middle.astype(float), said[:, 0]) > 0.97
    assert abs(roc_auc((rng.random(400) < 0.3).astype(float), said[:, 1]) - 0.5) < 0.1


def test_the_histogram_does_not_know_where_anything_lies() -> None:
    rng = np.random.default_rng(0)
    hu = np.full((64, 64), -1000.0)
    hu[20:40, 16:48] = 35
    hu[25:30, 20:25] = 70
    moved = np.roll(hu, (5, -7), axis=(0, 1))
    np.testing.assert_allclose(
        baselines.histogram_features(hu), baselines.histogram_features(moved), atol=1e-6
    )
    noisy = baselines.histogram_features((hu + rng.normal(size=hu.shape)).astype(np.float32))
    assert noisy.dtype == np.float32
    assert np.isfinite(noisy).all()


def test_the_histogram_finds_blood_by_its_amount() -> None:
    rng = np.random.default_rng(0)
    bleeds = rng.random(300) < 0.4

    def features(bleeds: bool) -> np.ndarray:
        hu = np.full((48, 48), 35.0)
        if bleeds:
            row, column = rng.integers(5, 33, 2)
            hu[row : row + 10, column : column + 10] = 65
        hu += rng.normal(0, 5, hu.shape)
        return baselines.histogram_features(hu.astype(np.float32))

    rows = np.stack([features(bool(one)) for one in bleeds])
    truth = bleeds[:, None].astype(float)
    said = baselines.fit_trees(rows[:200], truth[:200]).predict(rows[200:])
    assert roc_auc(truth[200:, 0], said[:, 0]) > 0.95


def test_a_finding_of_one_class_falls_back_to_its_prior() -> None:
    truth = np.array([[0.0, 1.0, np.nan]] * 60)
    trees = baselines.fit_trees(np.linspace(0, 1, 60)[:, None], truth)
    said = trees.predict(np.array([[0.2], [0.8]]))
    np.testing.assert_array_equal(said, [[0.0, 1.0, np.nan]] * 2)


@pytest.mark.parametrize("rows", [0, 3])
def test_two_fits_give_equal_numbers(rows: int) -> None:
    rng = np.random.default_rng(0)
    features, truth = rng.random((200, 4)), (rng.random((200, 2)) < 0.3).astype(float)
    test = rng.random((rows, 4))
    first, second = (baselines.fit_trees(features, truth).predict(test) for _ in range(2))
    assert first.shape == (rows, 2)
    np.testing.assert_array_equal(first, second)
