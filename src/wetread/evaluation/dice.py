"""evaluation/dice.py: how well two masks of an image agree, by the competition's rule, from counts.

Where both are empty the Dice is 1, where one is it is 0; an unknown truth gives NaN.
"""

import numpy as np
from numpy.typing import ArrayLike


def dice(overlap: ArrayLike, told: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """2 |told and truth| / (|told| + |truth|) of every image; any shape that broadcasts, float64.

    overlap, told, truth: pixels in both masks, in the one that was told and in the true one (NaN
    where it is not known).
    """
    both = np.asarray(told, np.float64) + np.asarray(truth, np.float64)
    twice = np.broadcast_to(2.0 * np.asarray(overlap, np.float64), both.shape)
    ratio: np.ndarray = np.divide(twice, both, out=np.ones(both.shape), where=both != 0)
    return ratio


def dice_of_masks(told: np.ndarray, truth: np.ndarray) -> float:
    """The same of two masks, (H, W) bool."""
    if told.shape != truth.shape:
        raise ValueError(f"the masks are {told.shape} and {truth.shape}; both are of one image")
    counts = (np.count_nonzero(told & truth), np.count_nonzero(told), np.count_nonzero(truth))
    return float(dice(*counts))


def all_empty_dice(truth: np.ndarray) -> np.ndarray:
    """(N,) what an empty mask for every image scores: 1 where truth (pixels) is 0, else 0."""
    known = ~np.isnan(truth)
    scored: np.ndarray = np.where(known, np.asarray(truth) == 0, np.nan)
    return scored


def expected_score(share_empty: float, accuracy_on_empties: float, dice_positives: float) -> float:
    """The mean Dice that these make: an empty image scores 1 where its mask is left empty."""
    return share_empty * accuracy_on_empties + (1.0 - share_empty) * dice_positives
