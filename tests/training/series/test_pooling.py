"""tests/training/series/test_pooling.py: a study is as its best series, or as all of them say."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

from wetread.training.series.pooling import Pool, pool_series

SERIES: Any = SimpleNamespace(studies=("a", "b", "a", "a"))
SAID = np.array([[0.2, 0.9], [0.4, 0.5], [0.8, 0.1], [0.5, 0.0]])
JUDGING = np.array([2, 1])


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ("best", SAID[JUDGING]),
        ("max", [[0.8, 0.9], [0.4, 0.5]]),
        ("mean", [[expit(logit([0.2, 0.8, 0.5]).mean()), 0], [0.4, 0.5]]),
    ],
)
def test_each_pool_is_by_hand(pool: Pool, expected: Any) -> None:
    np.testing.assert_allclose(pool_series(SERIES, SAID, JUDGING, pool), expected, atol=1e-4)


def test_one_series_a_study_is_itself_and_no_study_gives_nothing() -> None:
    alone: Any = SimpleNamespace(studies=("a", "b"))
    for pool in ("best", "mean", "max"):
        found = pool_series(alone, SAID[:2], np.array([0, 1]), pool)
        np.testing.assert_allclose(found, SAID[:2])
        empty: Any = SimpleNamespace(studies=())
        nothing = pool_series(empty, SAID[:0], np.empty(0, np.int64), pool)
        assert nothing.shape == (0, 2)
