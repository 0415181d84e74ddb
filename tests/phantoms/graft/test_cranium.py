"""tests/phantoms/graft/test_cranium.py: what a skull of known shape encloses is found."""

import numpy as np
import pytest
from tests.phantoms.graft.head_slice import INNER, SIZE, head_slice, inside_of_skull

from wetread.phantoms.graft.cranium import CROP_MM, find_cranium


def test_inside_depth_fluid_and_ventricles_are_where_they_were_put() -> None:
    cranium = find_cranium(head_slice())
    assert cranium is not None
    assert (cranium.inside == inside_of_skull()).mean() > 0.995
    assert cranium.center == pytest.approx((63.5, 63.5), abs=0.5)
    # The middle is as deep as the short half axis.
    assert cranium.depth_mm.max() == pytest.approx(INNER[1] * CROP_MM / SIZE, rel=0.03)
    assert cranium.ventricles[64:68, 70].all()
    assert not cranium.ventricles[:30].any()
    area = 2 * np.pi * 12 * 4  # two ellipses, pixels
    assert cranium.ventricles.sum() == pytest.approx(area, rel=0.25)
    assert cranium.csf[64, 70] > 0.9
    assert cranium.csf[40, 63] < 0.1


def test_rim_pixels_lie_at_the_inner_table() -> None:
    cranium = find_cranium(head_slice())
    assert cranium is not None
    rows, columns = (cranium.rim() - 63.5).T
    radius = np.hypot(rows / INNER[0], columns / INNER[1])
    assert (abs(radius - 1) < 0.06).all()


def air(hu: np.ndarray) -> None:
    hu[:] = -1000


def opened(hu: np.ndarray) -> None:
    hu[:30] = 40  # the skull's front is gone


def sinuses(hu: np.ndarray) -> None:
    hu[40:60, 55:75] = -900


def solid(hu: np.ndarray) -> None:
    hu[hu > -500] = 700


@pytest.mark.parametrize("spoil", [air, opened, sinuses, solid])
def test_a_slice_without_brain_in_a_whole_skull_has_no_cranium(spoil: object) -> None:
    hu = head_slice()
    spoil(hu)  # type: ignore[operator]
    assert find_cranium(hu) is None
