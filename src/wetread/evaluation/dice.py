"""evaluation/dice.py: how well two masks of an image agree, by the competition's rule, from counts.

Where both are empty the Dice is 1, where one is it is 0; an unknown truth gives NaN.
"""

import numpy as np
from numpy.typing import ArrayLike

from wetread.archive.types import Float64Array


def dice(overlap: ArrayLike, predicted: ArrayLike, truth: ArrayLike) -> Float64Array:
    """Return 2 |predicted and truth| / (|predicted| + |truth|) of every image.

    overlap, predicted, truth: pixels in both masks, in the predicted one and in the true one (NaN
    where it is not known); any shape that broadcasts, which is the shape of the result, float64.
    """
    total = np.asarray(predicted, np.float64) + np.asarray(truth, np.float64)
    twice = np.broadcast_to(2.0 * np.asarray(overlap, np.float64), total.shape)
    ratio: Float64Array = np.divide(twice, total, out=np.ones(total.shape), where=total != 0)
    return ratio


def all_empty_dice(truth: ArrayLike) -> Float64Array:
    """Return the Dice (N,) of an empty mask for every image: 1 where truth (N,) is 0, else 0.

    truth: pixels of the true mask, NaN where it is not known; the Dice is then NaN.
    """
    pixels = np.asarray(truth, np.float64)
    return np.where(np.isnan(pixels), np.nan, pixels == 0)
