"""tests/phantoms/chest/test_lung_depth.py: points of a lung lie in it, and fill it evenly."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.chest.lung_depth import chest_depth, lung_depth, lung_points


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), True, 60)


def test_points_lie_seven_millimeters_inside_their_own_lung(chest: Chest):
    for part in chest.pleurae:
        points = lung_points(np.random.default_rng(0), chest, part, 300)
        assert points.shape == (300, 3)
        assert lung_depth(chest, part, points).min() > 7
        assert (np.sign(points[:, 0]) == part.side).all()


def test_points_fill_all_of_a_lung(chest: Chest):
    part = chest.pleurae[0]
    points = lung_points(np.random.default_rng(1), chest, part, 2000)
    height = part.apex[1] - part.base_z
    assert np.ptp(points[:, 2]) > 0.75 * height
    assert np.ptp(points[:, 0]) > 0.7 * part.lateral


def test_depth_changes_by_no_more_than_the_distance_along_y(chest: Chest):
    part = chest.pleurae[1]
    line = np.array([[80.0, y, 20.0] for y in np.arange(-150, 150, 1.0)])
    depth = lung_depth(chest, part, line)
    assert (depth[[0, -1]] < 0).all()
    assert depth.max() > 20
    assert np.abs(np.diff(depth)).max() <= 1 + 1e-6


def test_the_chest_holds_the_lungs_and_the_mediastinum(chest: Chest):
    rng = np.random.default_rng(2)
    points = rng.uniform((-150, -120, -80), (150, 120, 100), (4000, 3))
    whole = chest_depth(chest, points)
    for part in chest.pleurae:
        assert (whole >= lung_depth(chest, part, points) - 1e-6)[points[:, 0] * part.side > 0].all()
    assert chest_depth(chest, np.array([[5.0, 0.0, 0.0]]))[0] > 0  # the heart
