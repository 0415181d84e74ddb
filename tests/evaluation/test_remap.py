"""tests/evaluation/test_remap.py: the threshold becomes one half."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wetread.evaluation.remap import remap

SHARES = st.floats(0, 1)


def test_as_that_ensemble_has_it() -> None:
    found = remap(np.array([0.3, 0.8, 0.64, 0, 1]), 0.64)
    assert found == pytest.approx([0.234375, 0.722222, 0.5, 0, 1], abs=1e-6)


@given(SHARES, SHARES, st.floats(0.01, 0.99))
def test_the_order_stays(one: float, other: float, threshold: float) -> None:
    first, second = remap(np.array(sorted((one, other))), threshold)
    assert 0 <= first <= second <= 1


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.1, float("nan")])
def test_a_threshold_that_is_none_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="give one between 0 and 1"):
        remap(np.array([0.5]), threshold)
