"""tests/phantoms/chest/test_plane.py: a window holds all of its solid, and no plane is missed."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.chest import LEFT_BRONCHUS, RIGHT_BRONCHUS, TRACHEA
from wetread.phantoms.chest.plane import WALL_MM, PlanePoints, airway_regions, ellipsoid_region
from wetread.phantoms.shapes.implicit import capsule

X, Y = np.arange(-60, 60, 1.7, dtype=np.float32), np.arange(-40, 70, 1.7, dtype=np.float32)


@pytest.mark.parametrize("z", [-10.0, 0.0, 3.0, 12.0, 30.0, 36.0, 60.0])
def test_the_airway_in_its_windows_is_that_of_the_whole_plane(z: float):
    wide, high = (axis[..., None] for axis in np.meshgrid(X, Y))
    depth = np.full_like(wide, z)
    rods = (TRACHEA, RIGHT_BRONCHUS, LEFT_BRONCHUS)
    whole = np.min([capsule(wide, high, depth, *rod)[..., 0] for rod in rods], axis=0)
    found = np.zeros(whole.shape, bool)
    for own, lumen in airway_regions(PlanePoints(X, Y, z)):
        found[own] |= lumen < WALL_MM
    assert np.array_equal(found, whole < WALL_MM)
    assert found.any() == (z > -8)


def test_an_ellipsoid_in_its_window_has_the_area_of_its_section():
    own, shape = ellipsoid_region(PlanePoints(X, Y, 5.0), (4.0, 10.0, 0.0), (20.0, 15.0, 10.0))
    assert shape.shape == (own[0].stop - own[0].start, own[1].stop - own[1].start)
    assert (shape < 0).sum() * 1.7**2 == pytest.approx(np.pi * 20 * 15 * 0.75, rel=0.02)


def test_a_window_beside_the_picture_still_holds_a_point():
    for low, high in (((200, 200), (220, 210)), ((-300, -300), (-200, -200))):
        rows, columns = PlanePoints(X, Y, 0.0).region(low, high)
        assert len(Y[rows]) == len(X[columns]) == 1
