"""evaluation/remap.py: probabilities pushed away from a threshold, as a public ensemble of the 2019
hemorrhage competition does it. A reader whose probabilities are true loses by it: see
docs/experiments/benchmark.md for how much."""

from __future__ import annotations

import numpy as np

from wetread.archive.types import Float64Array, FloatArray
from wetread.evaluation.metrics import THRESHOLD

GRID = (0.61, 0.62, 0.63, 0.64)  # thresholds that ensemble tries
PRECISION_WEIGHT = 1.3  # precision counts so much more than recall there


def remap(probability: FloatArray, threshold: float) -> Float64Array:
    """Map probabilities (N,) so that the threshold becomes one half, linearly on both sides: 0 and
    1 stay. Raises ValueError for a threshold that is not between 0 and 1."""
    if not 0 < threshold < 1:
        raise ValueError(f"threshold {threshold:g}: give one between 0 and 1")
    p = np.asarray(probability, np.float64)
    above = 1 - 0.5 * (1 - p) / (1 - threshold)
    return np.where(p <= threshold, 0.5 * p / threshold, above)


def search_threshold(truth: FloatArray, probability: FloatArray) -> float:
    """Find the threshold of GRID, from which on a row is called, that has the largest
    PRECISION_WEIGHT * precision + recall among rows (N,) of known truth, NaN unknown; of equal ones
    the lowest. A threshold that calls no row has a precision of 0."""
    known = ~np.isnan(truth)
    true, given = np.asarray(truth)[known] >= THRESHOLD, np.asarray(probability)[known]
    values = []
    for threshold in GRID:
        called = given >= threshold
        hits = int((called & true).sum())
        precision, recall = hits / max(int(called.sum()), 1), hits / max(int(true.sum()), 1)
        values.append(PRECISION_WEIGHT * precision + recall)
    return GRID[int(np.argmax(values))]
