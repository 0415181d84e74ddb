"""evaluation/remap.py: probabilities pushed away from a threshold, as a public ensemble of the 2019
hemorrhage competition does it; docs/experiments/benchmark.md has what it costs."""

from __future__ import annotations

import numpy as np

from wetread.archive.types import Float64Array, FloatArray


def remap(probability: FloatArray, threshold: float) -> Float64Array:
    """Map probabilities (N,) so that the threshold becomes one half, linearly on both sides: 0 and
    1 stay. Raises ValueError for a threshold that is not between 0 and 1."""
    if not 0 < threshold < 1:
        raise ValueError(f"threshold {threshold:g}: give one between 0 and 1")
    p = np.asarray(probability, np.float64)
    above = 1 - 0.5 * (1 - p) / (1 - threshold)
    return np.where(p <= threshold, 0.5 * p / threshold, above)
