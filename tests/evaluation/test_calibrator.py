"""tests/evaluation/test_calibrator.py: the fit against the optimum's own condition."""

import numpy as np
import pytest
from scipy.special import expit, logit

from wetread.evaluation.calibrator import RIDGE, Calibrator, mask_evidence


def sample(count: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits that are far from calibrated, and truth drawn from known weights of them."""
    rng = np.random.default_rng(seed)
    head = rng.normal(2, 3, count)
    mask = 0.5 * head + rng.normal(-4, 2, count)
    return head, mask, (rng.random(count) < expit(-0.5 + 0.4 * head + 0.3 * mask)).astype(float)


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_is_where_the_gradient_vanishes(seed: int) -> None:
    head, mask, truth = sample(seed=seed)
    fitted = Calibrator.fit(head, mask, truth)
    inputs = np.stack([head, mask], axis=1)
    middle, spread = inputs.mean(axis=0), inputs.std(axis=0)
    error = fitted.apply(head, mask) - truth
    weights = np.array([fitted.head, fitted.mask]) * spread
    slope = ((inputs - middle) / spread).T @ error + RIDGE * weights
    np.testing.assert_allclose([error.sum(), *slope], 0, atol=1e-9)


def test_the_weights_that_made_the_truth_are_found() -> None:
    fitted = Calibrator.fit(*sample(60_000))
    assert fitted.intercept == pytest.approx(-0.5, abs=0.1)
    assert fitted.head == pytest.approx(0.4, abs=0.03)
    assert fitted.mask == pytest.approx(0.3, abs=0.03)


def test_logits_on_another_scale_give_the_same_probabilities() -> None:
    head, mask, truth = sample()
    once = Calibrator.fit(head, mask, truth).apply(head, mask)
    head, mask = 100 + 7 * head, 0.01 * mask
    np.testing.assert_allclose(Calibrator.fit(head, mask, truth).apply(head, mask), once, atol=1e-8)


def test_unknown_images_have_no_say_but_get_a_probability() -> None:
    head, mask, truth = sample()
    unknown = np.where(np.arange(300) < 100, np.nan, truth)
    fitted = Calibrator.fit(head, mask, unknown)
    assert fitted == Calibrator.fit(head[100:], mask[100:], truth[100:])
    assert np.isfinite(fitted.apply(head, mask)).all()


def test_classes_that_do_not_mix_and_a_net_without_masks_stay_finite() -> None:
    head = np.array([-3.0, -2, -1, 1, 2, 3])
    fitted = Calibrator.fit(head, np.zeros(6), (head > 0).astype(float))
    assert fitted.mask == 0
    assert 0 < fitted.head < 10
    probability = fitted.apply(np.array([-1e4, 1e4]), np.zeros(2))
    np.testing.assert_allclose(probability, [0, 1], atol=1e-12)


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="0 of 2 known images"):
        Calibrator.fit(np.zeros(3), np.zeros(3), np.array([0, 0, np.nan]))


def test_the_evidence_of_a_mask_is_the_mean_of_its_highest_pixels() -> None:
    probability = np.random.default_rng(0).random((100, 120), np.float32)
    highest = np.sort(probability.ravel())[-60:].astype(np.float64)
    assert mask_evidence(probability) == pytest.approx(logit(highest.mean()))
    few = probability[:8, :8]  # 0.5 % would be no pixel at all: 20 are taken
    highest = np.sort(few.ravel())[-20:].astype(np.float64)
    assert mask_evidence(few) == pytest.approx(logit(highest.mean()))
    assert mask_evidence(np.full((2, 2), 0.25, np.float32)) == pytest.approx(logit(0.25))
    assert np.isfinite([mask_evidence(np.full((9, 9), v, np.float32)) for v in (0, 1)]).all()
