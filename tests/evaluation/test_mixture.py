"""tests/evaluation/test_mixture.py: the best shares, against a general optimizer and its laws."""

import numpy as np
import pytest
from scipy.optimize import minimize

from wetread.evaluation.metrics import weighted_log_loss
from wetread.evaluation.mixture import crossfitted_loss, mixture_weights

WEIGHTS = np.array([1.0, 2.0])


def _models(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth, and what a good, a noisy and a constant model say of it."""
    rng = np.random.default_rng(seed)
    true = rng.beta(0.7, 2, (rows, 2))
    truth = (rng.random((rows, 2)) < true).astype(float)
    noisy = np.clip(true + rng.normal(0, 0.25, true.shape), 0.02, 0.98)
    return truth, np.stack([noisy, rng.permutation(noisy), np.full_like(true, truth.mean())])


def test_the_shares_are_those_of_a_general_optimizer() -> None:
    truth, predicted = _models()
    truth[:20, 0] = np.nan
    found = minimize(
        lambda free: weighted_log_loss(truth, np.tensordot(free, predicted, 1), WEIGHTS),
        np.full(3, 1 / 3),
        bounds=[(0, 1)] * 3,
        constraints={"type": "eq", "fun": lambda free: free.sum() - 1},
        tol=1e-12,
    )
    shares = mixture_weights(truth, predicted, WEIGHTS)
    np.testing.assert_allclose(shares, found.x, atol=2e-4)
    assert shares.sum() == pytest.approx(1)


def test_no_corner_and_not_the_plain_mean_is_better() -> None:
    truth, predicted = _models()
    shares = mixture_weights(truth, predicted, WEIGHTS)
    best = weighted_log_loss(truth, np.tensordot(shares, predicted, 1), WEIGHTS)
    for other in (*np.eye(3), np.full(3, 1 / 3)):
        assert best <= weighted_log_loss(truth, np.tensordot(other, predicted, 1), WEIGHTS) + 1e-9


def test_equal_models_and_unknown_truth_share_alike() -> None:
    truth, predicted = _models()
    np.testing.assert_allclose(mixture_weights(truth, predicted[[0, 0]], WEIGHTS), [0.5, 0.5])
    unknown = np.full_like(truth, np.nan)
    np.testing.assert_allclose(mixture_weights(unknown, predicted, WEIGHTS), np.full(3, 1 / 3))


def test_the_loss_on_patients_who_did_not_choose_is_no_better_than_on_those_who_did() -> None:
    truth, predicted = _models(120)
    shares = mixture_weights(truth, predicted, WEIGHTS)
    chosen = weighted_log_loss(truth, np.tensordot(shares, predicted, 1), WEIGHTS)
    names = [str(row // 3) for row in range(120)]
    others = crossfitted_loss(truth, predicted, WEIGHTS, names, np.random.default_rng(0))
    assert chosen < others < chosen + 0.05
