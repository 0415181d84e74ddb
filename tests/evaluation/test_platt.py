"""tests/evaluation/test_platt.py: scaling on the logits, against other fits and its own laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from wetread.evaluation import platt
from wetread.evaluation.metrics import log_loss
from wetread.evaluation.platt import IDENTITY, PlattScaling, fit_scalings, prevalence_shift

SHARES = st.floats(1e-4, 1 - 1e-4)
SCALINGS = st.builds(PlattScaling, st.floats(0.2, 5), st.floats(-5, 5))


def _drawn(rows: int, slope: float, bias: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw truth (N, 1), and probabilities (N, 1) that are true once scaled by slope and bias."""
    rng = np.random.default_rng(seed)
    true = expit(rng.normal(-1.5, 2, (rows, 1)))
    predicted = expit((logit(true) - bias) / slope)
    return (rng.random((rows, 1)) < true).astype(float), predicted


def _names(rows: int) -> list[str]:
    return [f"p{row}" for row in range(rows)]


def test_a_large_sample_gives_back_slope_and_bias() -> None:
    truth, predicted = _drawn(40_000, 0.5, -1.0)
    (found,) = fit_scalings(truth, predicted, _names(40_000))
    assert found.kind == "slope and bias"
    assert found.scaling.slope == pytest.approx(0.5, abs=0.02)
    assert found.scaling.bias == pytest.approx(-1.0, abs=0.05)


def test_with_a_wide_prior_it_is_scikit_learns_logistic_regression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platt, "SLOPE_SPREAD", 1e6)
    truth, predicted = _drawn(300, 0.6, -0.5)
    (found,) = fit_scalings(truth, predicted, _names(300))
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(
        logit(predicted), truth[:, 0]
    )
    assert found.scaling.slope == pytest.approx(model.coef_[0, 0], rel=1e-4)
    assert found.scaling.bias == pytest.approx(model.intercept_[0], rel=1e-4)


def test_slope_and_bias_are_the_best_of_a_grid_and_lie_nearer_to_1_than_without_prior() -> None:
    truth, predicted = _drawn(60, 0.4, 0.0, seed=3)
    (found,) = fit_scalings(truth, predicted, _names(60))

    def cost(slope: float, bias: float) -> float:
        prior = np.log(slope) ** 2 / (2 * platt.SLOPE_SPREAD**2)
        return 60 * log_loss(truth[:, 0], expit(slope * logit(predicted[:, 0]) + bias)) + prior

    least = min(cost(s, b) for s in np.geomspace(0.1, 3, 60) for b in np.linspace(-3, 3, 61))
    at = cost(found.scaling.slope, found.scaling.bias)
    assert least - 0.05 < at <= least
    free = LogisticRegression(C=np.inf).fit(logit(predicted), truth[:, 0]).coef_[0, 0]
    assert free < found.scaling.slope < 1


@pytest.mark.parametrize(("positives", "kind"), [(0, "none"), (4, "bias"), (5, "slope and bias")])
def test_what_is_fitted_depends_on_the_patients_with_the_finding(positives: int, kind: str) -> None:
    truth = np.zeros((40, 1))
    truth[:positives] = 1
    predicted = np.linspace(0.6, 0.1, 40)[:, None]
    (found,) = fit_scalings(truth, predicted, _names(40))
    assert (found.kind, found.positives, found.patients) == (kind, positives, 40)
    if positives:  # the bias has no prior: the mean is what is true
        assert found.scaling.apply(predicted).mean() == pytest.approx(positives / 40, abs=1e-6)
    else:
        assert found.scaling == IDENTITY


def test_slices_of_one_patient_are_one_patient() -> None:
    truth, predicted = _drawn(90, 1.0, 0.0)
    (found,) = fit_scalings(truth, predicted, ["a"] * 40 + ["b"] * 50)
    assert (found.kind, found.patients) == ("bias", 2)


def test_a_finding_of_few_takes_the_pooled_scaling() -> None:
    truth, predicted = _drawn(200, 0.5, -1.0)
    truth = np.hstack([truth, np.zeros_like(truth)])
    predicted = np.hstack([predicted, predicted])
    common, rare = fit_scalings(truth, predicted, _names(200))
    assert (common.kind, rare.kind) == ("slope and bias", "shared")
    doubled = [name for name in _names(200) for _ in range(2)]
    (pooled,) = fit_scalings(truth.reshape(-1, 1), predicted.reshape(-1, 1), doubled)
    assert rare.scaling == pooled.scaling
    assert rare.scaling.apply(predicted[:, 1]).mean() < predicted[:, 1].mean()


def test_unknown_truth_is_left_out() -> None:
    truth, predicted = _drawn(100, 0.5, 0.0)
    unknown = np.vstack([truth, np.full((30, 1), np.nan)])
    with_rest = fit_scalings(unknown, np.vstack([predicted, np.full((30, 1), 0.9)]), _names(130))
    assert with_rest == fit_scalings(truth, predicted, _names(100))


@given(SCALINGS, st.lists(st.floats(1e-6, 1 - 1e-6), min_size=4, max_size=30, unique=True))
def test_the_order_and_so_the_auc_stay(scaling: PlattScaling, predicted: list[float]) -> None:
    truth = np.arange(len(predicted)) % 2
    scaled = scaling.apply(np.array(predicted))
    order = np.argsort(predicted)
    assert (np.diff(scaled[order]) >= 0).all()
    if len(np.unique(scaled)) == len(predicted):
        assert roc_auc_score(truth, scaled) == roc_auc_score(truth, predicted)


@given(SCALINGS, SCALINGS, SHARES)
def test_two_scalings_are_one(first: PlattScaling, second: PlattScaling, predicted: float) -> None:
    at_once = logit(first.then(second).apply(np.array(predicted)))
    bound = logit(1 - 1e-15)
    if abs(at_once) < 20 and abs(first.slope * logit(predicted) + first.bias) < min(20, bound):
        assert at_once == pytest.approx(
            logit(second.apply(first.apply(np.array(predicted)))), abs=1e-4
        )


@given(SHARES, SHARES, SHARES)
def test_a_shift_of_the_prevalence_multiplies_the_odds_exactly(
    before: float, now: float, predicted: float
) -> None:
    shifted = float(prevalence_shift(before, now).apply(np.array(predicted)))
    factor = (now / (1 - now)) / (before / (1 - before))
    bayes = (
        predicted
        * now
        / before
        / (predicted * now / before + (1 - predicted) * (1 - now) / (1 - before))
    )
    assert shifted == pytest.approx(bayes, rel=1e-9)
    assert shifted / (1 - shifted) == pytest.approx(factor * predicted / (1 - predicted), rel=1e-6)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        prevalence_shift(0.1, share)


def test_the_mean_of_scalings_is_the_mean_of_their_logits() -> None:
    scalings, predicted = [PlattScaling(0.5, 1.0), PlattScaling(2.0, -0.2)], np.array([0.1, 0.7])
    mean = np.mean([logit(one.apply(predicted)) for one in scalings], axis=0)
    np.testing.assert_allclose(logit(platt.mean_scaling(scalings).apply(predicted)), mean)
