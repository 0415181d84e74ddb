"""tests/anatomy/test_section.py: areas of drawn slices, in cm2, as they were drawn."""

import numpy as np
import pytest

from wetread.anatomy.section import measure

ROWS, COLUMNS = np.indices((256, 256)) - 127.5
RADIUS = np.hypot(ROWS, COLUMNS)  # pixels of 1 mm


def head() -> np.ndarray:
    """A skull of 12 mm about brain of 63 mm radius, skin about it, air outside."""
    hu = np.full((256, 256), -1000.0, np.float32)
    hu[RADIUS < 80] = 20.0
    hu[RADIUS < 75] = 1000.0
    hu[RADIUS < 63] = 35.0
    return hu


def test_a_head_is_brain_in_bone_of_the_size_that_was_drawn() -> None:
    found = measure(head(), (1.0, 1.0))
    assert found.body == pytest.approx(np.pi * 8**2, rel=0.03)
    assert found.brain == pytest.approx(np.pi * 6.3**2, rel=0.06)
    assert found.hull == pytest.approx(np.pi * 7.5**2, rel=0.05)
    assert found.bone == pytest.approx(np.pi * (7.5**2 - 6.3**2), rel=0.15)
    assert found.walled == 1.0
    assert found.lung == found.lung_walled == found.framed == 0.0
    assert (found.width_mm, found.height_mm) == pytest.approx((160, 160), abs=4)


def test_the_pixels_size_scales_lengths_and_areas() -> None:
    once, twice = measure(head(), (0.5, 0.5)), measure(head(), (1.0, 1.0))
    assert twice.body == pytest.approx(4 * once.body, rel=0.05)
    assert twice.width_mm == pytest.approx(2 * once.width_mm, abs=4)


def test_lungs_are_air_that_is_denser_than_gas() -> None:
    hu = np.full((256, 256), -1000.0, np.float32)
    hu[RADIUS < 110] = 40.0
    hu[np.hypot(ROWS, COLUMNS - 50) < 35] = -850.0
    chest = measure(hu, (1.0, 1.0))
    assert chest.lung == pytest.approx(np.pi * 3.5**2, rel=0.05)
    assert chest.brain == chest.bone == 0.0
    hu[hu == -850.0] = -1000.0  # a stomach full of gas
    assert measure(hu, (1.0, 1.0)).lung == 0.0


def test_a_body_that_goes_on_beyond_the_picture_is_framed() -> None:
    assert measure(np.full((128, 128), 40.0, np.float32), (1.0, 1.0)).framed == 1.0


def test_air_alone_is_nothing() -> None:
    empty = measure(np.full((64, 64), -1000.0, np.float32), (1.0, 1.0))
    assert (empty.material, empty.body, empty.width_mm, empty.height_mm) == (0.0, 0.0, 0.0, 0.0)
