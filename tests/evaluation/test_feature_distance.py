"""tests/evaluation/test_feature_distance.py: distances against SciPy, limits against chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

from wetread.evaluation.feature_distance import fit_reference, upper_limit


def test_distances_are_scipys_with_the_covariance_of_ledoit_and_wolf() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 5)) @ rng.normal(size=(5, 5)) + 3
    others = rng.normal(size=(4, 5)) * 5
    reference = fit_reference(features)
    scale = features.std(axis=0)
    shrunk = LedoitWolf().fit((features - features.mean(axis=0)) / scale)
    inverse = np.linalg.inv(np.diag(scale) @ shrunk.covariance_ @ np.diag(scale))
    expected = [mahalanobis(one, features.mean(axis=0), inverse) for one in others]
    assert np.allclose(reference.distances(others), expected, rtol=1e-4)


def test_with_fewer_rows_than_features_the_distances_are_the_same_ones() -> None:
    rng = np.random.default_rng(5)
    features, others = rng.normal(size=(12, 40)), rng.normal(size=(3, 40)) * 2
    scale = features.std(axis=0)
    shrunk = LedoitWolf().fit((features - features.mean(axis=0)) / scale)
    inverse = np.linalg.inv(np.diag(scale) @ shrunk.covariance_ @ np.diag(scale))
    expected = [mahalanobis(one, features.mean(axis=0), inverse) for one in others]
    assert np.allclose(fit_reference(features).distances(others), expected, rtol=1e-4)


def test_what_never_varies_does_not_divide_by_zero() -> None:
    rng = np.random.default_rng(1)
    features = np.column_stack([rng.normal(size=30), np.full(30, 7.0)])
    reference = fit_reference(features)
    inside, outside = reference.distances(np.array([[0.0, 7.0], [0.0, 9.0]]))
    assert np.isfinite([inside, outside]).all()
    assert outside > inside


@given(st.floats(0.1, 10), st.floats(-50, 50))
def test_distances_do_not_depend_on_units(factor: float, shift: float) -> None:
    rng = np.random.default_rng(2)
    features, others = rng.normal(size=(40, 3)), rng.normal(size=(5, 3))
    plain = fit_reference(features).distances(others)
    changed = fit_reference(features * factor + shift).distances(others * factor + shift)
    assert np.allclose(plain, changed, rtol=1e-2)


@pytest.mark.parametrize("count", [20, 80, 400])
@pytest.mark.parametrize("share", [0.0125, 0.05])
def test_one_more_score_passes_the_limit_in_that_share_of_draws_at_most(
    count: int, share: float
) -> None:
    rng = np.random.default_rng(3)
    draws = rng.lognormal(3, 0.2, (4000, count + 1))
    passed = [one[-1] > upper_limit(one[:-1], share) for one in draws]
    assert np.mean(passed) <= share + 3 * np.sqrt(share * (1 - share) / len(draws))


def test_with_enough_scores_the_limit_is_the_order_statistic_where_it_is_greater() -> None:
    scores = np.array([1.0] * 95 + [50.0] * 5)
    place = sorted(scores)[int(np.ceil(101 * 0.975)) - 1]
    assert upper_limit(scores, 0.025) == place == 50.0


def test_two_scores_make_no_limit() -> None:
    with pytest.raises(ValueError, match="2 scores"):
        upper_limit(np.array([1.0, 2.0]), 0.05)
