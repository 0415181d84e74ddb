"""training/series/neighborhood.py: probabilities of slices in, inputs of boosted trees out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from wetread.archive.types import Float64Array, Int64Array

REACH = 10  # slices on either side


def neighborhood_features(probability: Float64Array, starts: Int64Array) -> Float64Array:
    """Describe each slice by the probabilities (N, F) of itself and of REACH slices on either side,
    NaN beyond the series' ends; its place from 0 to 1, the number of slices, and the mean of the
    series: (N, (2 REACH + 1) F + 2 + F).

    starts: (E + 1,) where each series begins among the N.
    """
    described = []
    for low, high in pairwise(starts):
        own, count = probability[low:high], high - low
        padded = np.pad(own, ((REACH, REACH), (0, 0)), constant_values=np.nan)
        near = [padded[shift : shift + count] for shift in range(2 * REACH + 1)]
        place = np.linspace(0, 1, count) if count > 1 else np.zeros(1)
        mean = np.tile(own.mean(axis=0), (count, 1))
        described.append(np.column_stack([*near, place, np.full(count, count), mean]))
    return np.concatenate(described)
