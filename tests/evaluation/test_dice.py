"""tests/evaluation/test_dice.py: the competition's Dice against sets of pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wetread.evaluation.dice import all_empty_dice, dice

masks = st.tuples(arrays(bool, (4, 5)), arrays(bool, (4, 5)))


def dice_of_sets(predicted: np.ndarray, truth: np.ndarray) -> float:
    one, other = ({tuple(pixel) for pixel in np.argwhere(mask)} for mask in (predicted, truth))
    return 2 * len(one & other) / (len(one) + len(other)) if one | other else 1.0


def dice_of_counts(predicted: np.ndarray, truth: np.ndarray) -> float:
    return float(dice((predicted & truth).sum(), predicted.sum(), truth.sum()))


@given(masks)
def test_dice_is_that_of_the_sets_of_pixels(pair: tuple[np.ndarray, np.ndarray]) -> None:
    predicted, truth = pair
    assert dice_of_counts(predicted, truth) == dice_of_sets(predicted, truth)
    assert dice_of_counts(truth, predicted) == dice_of_sets(predicted, truth)


@given(st.lists(masks, min_size=1, max_size=6))
def test_the_mean_splits_into_empties_and_positives(
    pairs: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    scored = np.array([dice_of_counts(*pair) for pair in pairs])
    empty = np.array([not truth.any() for _, truth in pairs])
    kept = np.mean(
        [not predicted.any() for predicted, truth in pairs if not truth.any()] or [False]
    )
    positives = np.mean(scored[~empty]) if (~empty).any() else 0.0
    share = empty.mean()
    assert scored.mean() == pytest.approx(share * kept + (1 - share) * positives)
    nothing = [dice_of_counts(np.zeros_like(truth), truth) for _, truth in pairs]
    sizes = np.array([truth.sum() for _, truth in pairs], float)
    np.testing.assert_array_equal(all_empty_dice(sizes), nothing)
    assert np.mean(nothing) == share


def test_the_rule_for_empty_masks_and_unknown_ones() -> None:
    counts = np.array([[0, 0, 0], [0, 7, 0], [0, 0, 7], [3, 4, 6], [0, 5, np.nan]]).T
    np.testing.assert_array_equal(dice(*counts), [1, 0, 0, 0.6, np.nan])
    np.testing.assert_array_equal(all_empty_dice(counts[2]), [1, 1, 0, 0, np.nan])
