"""tests/anatomy/test_lung_wall.py: tissue between a lung's air and the ribs behind it is lung."""

import numpy as np
import pytest

from wetread.anatomy.lung_wall import consolidated_lung

SPACING_MM = (4.0, 2.0, 2.0)
SHAPE = (24, 80, 80)
_, Y, X = np.indices(SHAPE)
RADIUS_MM = 2.0 * np.hypot(Y - 40, X - 40)


def thorax(tissue_hu: float, from_row: int = 55) -> tuple[np.ndarray, np.ndarray]:
    """(air, blocks): a lung of 60 mm radius in a shell of bone; behind from_row it has no air."""
    blocks = np.full(SHAPE, 40.0, np.float32)
    blocks[(RADIUS_MM >= 64) & (RADIUS_MM < 70)] = 700.0
    inside = RADIUS_MM < 62
    air = inside & (from_row > Y)
    blocks[inside] = tissue_hu
    blocks[air] = -850.0
    return air, blocks


@pytest.mark.parametrize("sign", [-1, 1])
def test_consolidation_behind_the_air_is_found(sign: int) -> None:
    air, blocks = thorax(60.0)
    found = consolidated_lung(air, blocks, SPACING_MM, sign)
    behind = (RADIUS_MM < 56) & (Y >= 58) & (sign * (X - 40) >= 4) & (sign * (X - 40) < 12)
    middle = np.zeros(SHAPE, bool)
    middle[6:18] = True
    assert found[behind & middle].mean() > 0.9
    assert not (found & air).any()
    assert not found[RADIUS_MM > 64].any()


def test_water_behind_the_air_is_no_lung() -> None:
    air, blocks = thorax(5.0)
    assert not consolidated_lung(air, blocks, SPACING_MM, 1).any()


def test_a_lung_that_reaches_the_ribs_or_is_none_has_nothing_behind_it() -> None:
    air, blocks = thorax(60.0, from_row=80)
    assert consolidated_lung(air, blocks, SPACING_MM, 1).sum() < 0.01 * air.sum()
    assert not consolidated_lung(np.zeros(SHAPE, bool), blocks, SPACING_MM, 1).any()
