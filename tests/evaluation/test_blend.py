"""tests/evaluation/test_blend.py: means, logit means and rank means, and their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from wetread.evaluation.blend import BLENDS, blend_groups

VALUES = np.array([[0.1, 0.4, 0.4, 0.9], [0.3, 0.2, 0.1, 0.5]])
ONE = np.zeros(4, np.int64)


def test_each_blend_by_hand() -> None:
    np.testing.assert_allclose(
        blend_groups(VALUES, [3, 1], "mean", ONE), (3 * VALUES[0] + VALUES[1]) / 4
    )
    np.testing.assert_allclose(
        blend_groups(VALUES, [1, 1], "logit", ONE), expit(logit(VALUES).mean(axis=0))
    )
    ranks = np.array([[0.5, 2.0, 2.0, 3.5], [2.5, 1.5, 0.5, 3.5]]) / 4
    np.testing.assert_allclose(blend_groups(VALUES, [1, 1], "rank", ONE), ranks.mean(axis=0))


@given(st.sampled_from(list(BLENDS)), st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_the_same_twice_keeps_its_order_and_means_keep_it_whole(
    how: str, predicted: list[float]
) -> None:
    blended = blend_groups(
        np.array([predicted, predicted]), [0.3, 0.7], how, np.zeros(len(predicted), np.int64)
    )
    order = np.argsort(predicted, kind="stable")
    assert (np.diff(blended[order]) >= -1e-12).all()
    assert ((blended >= 0) & (blended <= 1)).all()
    if how == "mean":
        np.testing.assert_allclose(blended, predicted, atol=1e-12)


def test_findings_are_ranked_apart() -> None:
    group = np.array([0, 0, 1, 1])
    apart = blend_groups(VALUES[:1], [1], "rank", group)
    np.testing.assert_allclose(apart, [0.25, 0.75, 0.25, 0.75])


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, float("nan")]])
def test_weights_that_cannot_be_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="give 2, one a file"):
        blend_groups(VALUES, weights, "mean", ONE)


def test_another_blend_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no blend 'median'; there are: mean, logit, rank"):
        blend_groups(VALUES, [1, 1], "median", ONE)
