"""evaluation/blend.py: probabilities of several readers for the same rows become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import expit, logit

from wetread.archive.types import Float64Array, FloatArray, Int64Array
from wetread.evaluation.metrics import CLIP

# values (K, N) of one finding, weights (K,) in sum 1 -> (N,)
Blend = Callable[[FloatArray, FloatArray], Float64Array]


def blend_means(values: FloatArray, weights: FloatArray) -> Float64Array:
    """Return the weighted mean (N,) of probabilities (K, N)."""
    mean: Float64Array = np.asarray(weights, np.float64) @ np.asarray(values, np.float64)
    return mean


def blend_logits(values: FloatArray, weights: FloatArray) -> Float64Array:
    """Return the probability (N,) whose logit is the weighted mean of those of (K, N)."""
    clipped = np.clip(np.asarray(values, np.float64), CLIP, 1 - CLIP)
    mean: Float64Array = expit(np.asarray(weights, np.float64) @ logit(clipped))
    return mean


def blend_ranks(values: FloatArray, weights: FloatArray) -> Float64Array:
    """Return the weighted mean (N,) of the shares of rows that each reader ranks no higher, ties
    counted half: an order, and no probability."""
    from scipy.stats import rankdata

    ranks = (rankdata(values, axis=1) - 0.5) / np.shape(values)[1]
    mean: Float64Array = np.asarray(weights, np.float64) @ ranks
    return mean


BLENDS: dict[str, Blend] = {"mean": blend_means, "logit": blend_logits, "rank": blend_ranks}


def blend_groups(
    values: FloatArray, weights: Sequence[float], how: str, group: Int64Array
) -> Float64Array:
    """Blend values (K, N) of K readers by a name of BLENDS, (N,): each group of rows by itself.

    weights: K, any sum above 0. group: (N,), the finding of each row. Raises ValueError for another
    name, and for weights that are not K numbers of at least 0 with a sum above 0.
    """
    if how not in BLENDS:
        raise ValueError(f"`how`: no blend {how!r}; there are: {', '.join(BLENDS)}")
    share = np.asarray(weights, np.float64)
    if share.shape != (len(values),) or not (share >= 0).all() or not 0 < share.sum() < np.inf:
        raise ValueError(
            f"`weights`: {', '.join(f'{one:g}' for one in weights)}; give {len(values)}, one a "
            "file, none below 0 and not all 0"
        )
    blended = np.empty(np.shape(values)[1])
    for number in np.unique(group):
        inside = group == number
        blended[inside] = BLENDS[how](np.asarray(values)[:, inside], share / share.sum())
    return blended
