"""tests/view/test_mode.py: the modes against values computed by hand from their formulas."""

import numpy as np
import pytest

from wetread.view.mode import apply_mode, find_mode

HU = (-1000, 0, 40, 80, 100, 600)
BY_HAND = {
    "bsb": ((0, 0, 0), (0, 0.1, 0.2), (0.5, 0.3, 0.22), (1, 0.5, 0.24), (1, 0.6, 0.25), (1, 1, 0.5)),
    "exclusive": (
        (0, 0, 0), (0, 0.1, 0.2), (0.5, 0.3, 0.22), (1, 0.5, 0.24), (0, 0.6, 0.25), (0, 0, 0.5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_a_mode_gives_the_values_computed_by_hand(name: str) -> None:
    channels = apply_mode([np.array([HU], np.float32)], find_mode(name))
    np.testing.assert_allclose(np.stack(channels, -1)[0], BY_HAND[name], atol=1e-6)
