"""tests/anatomy/test_lung_sides.py: air becomes the patient's right and left lung, gas none."""

import numpy as np
import pytest

from wetread.anatomy.lung_sides import split_lungs

SPACING_MM = (2.0, 2.0, 2.0)


def chest() -> tuple[np.ndarray, np.ndarray]:
    """air and blocks (20, 40, 80): two lungs of 24 columns with 8 between them."""
    air = np.zeros((20, 40, 80), bool)
    air[2:18, 8:32, 12:36] = True
    air[2:18, 8:32, 44:68] = True
    blocks = np.where(air, np.float32(-850.0), np.float32(40.0))
    return air, blocks


def test_the_lung_of_the_lower_columns_is_the_patients_right() -> None:
    air, blocks = chest()
    right, left = split_lungs(air, blocks, SPACING_MM)
    assert np.array_equal(right, air & (np.arange(80) < 40))
    assert np.array_equal(left, air & (np.arange(80) >= 40))


def test_lungs_that_touch_by_a_thin_bridge_are_cut_at_it() -> None:
    air, blocks = chest()
    joined = air.copy()
    joined[8:10, 18:20, 36:44] = True
    right, left = split_lungs(joined, np.where(joined, np.float32(-850.0), blocks), SPACING_MM)
    assert not (right & left).any()
    assert np.array_equal(right | left, joined)
    assert (right & air).sum() == (left & air).sum() == air.sum() // 2


@pytest.mark.parametrize("hu", [-1000.0, -960.0])
def test_gas_is_no_lung(hu: float) -> None:
    air, blocks = chest()
    blocks[:, :, :40][air[:, :, :40]] = hu
    right, left = split_lungs(air, blocks, SPACING_MM)
    assert not right.any()
    assert left.any()


def test_crumbs_next_to_a_lung_and_no_air_at_all_are_no_lung() -> None:
    air, blocks = chest()
    air[10, 36, 20] = True  # 0.008 ml
    right, _ = split_lungs(air, blocks, SPACING_MM)
    assert not right[10, 36, 20]
    nothing = np.zeros_like(air)
    assert not any(side.any() for side in split_lungs(nothing, blocks, SPACING_MM))
