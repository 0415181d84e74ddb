"""tests/training/series/test_neighborhood.py: a slice is described by its own series alone."""

import numpy as np

from wetread.training.series.neighborhood import REACH, neighborhood_features


def test_features_are_those_of_a_loop_over_slices() -> None:
    rng = np.random.default_rng(0)
    probability, starts = rng.random((40, 3)), np.array([0, 1, 27, 40])
    found = neighborhood_features(probability, starts)
    for low, high in ((0, 1), (1, 27), (27, 40)):
        for at in range(low, high):
            near = [
                probability[other] if low <= other < high else np.full(3, np.nan)
                for other in range(at - REACH, at + REACH + 1)
            ]
            place = (at - low) / (high - low - 1) if high - low > 1 else 0.0
            mean = probability[low:high].mean(0)
            expected = np.concatenate([*near, [place, high - low], mean])
            np.testing.assert_allclose(found[at], expected)
