"""tests/phantoms/shapes/test_slab.py: solids painted in their boxes fill what they fill."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.shapes.slab import Slab, paint, paint_rod, rod_box, rod_frame, voxel_box


def empty(step: float = 1.0, reach: float = 30.0) -> Slab:
    axis = np.arange(-reach, reach + step / 2, step, dtype=np.float32)
    return Slab(axis, axis, axis, np.zeros((len(axis),) * 3, np.float32))


def test_a_rod_has_the_volume_of_a_cylinder_with_round_ends():
    slab = empty(0.5)
    paint_rod(slab, np.array([-8.0, -6, -4]), np.array([9.0, 5, 7]), (4.0, 4.0), 100.0)
    length = np.linalg.norm([17, 11, 11])
    volume = np.pi * 16 * length + 4 / 3 * np.pi * 64
    assert slab.hu.sum() / 100 * 0.5**3 == pytest.approx(volume, rel=0.01)
    assert slab.hu.max() == 100


def test_a_rod_that_leaves_the_slab_is_cut_off_and_one_outside_changes_nothing():
    whole, part = empty(), empty()
    paint_rod(whole, np.array([0.0, 0, 0]), np.array([60.0, 1, 1]), (5.0, 3.0), 50.0)
    paint_rod(part, np.array([100.0, 0, 0]), np.array([120.0, 0, 0]), (5.0, 5.0), 50.0)
    assert whole.hu[30, 30, -1] == 50
    assert not part.hu.any()
    assert rod_box(part, np.array([100.0, 0, 0]), np.array([120.0, 0, 0]), 5.0) is None


def test_a_thin_rod_covers_no_more_of_a_pixel_than_it_fills():
    """A rod of radius r across pixels of edge p adds about pi r^2 to each of its sections."""
    slab = empty(2.0)
    paint_rod(slab, np.array([-20.0, 0, 0]), np.array([20.0, 0, 0]), (0.6, 0.6), 100.0)
    section = slab.hu[:, :, len(slab.x) // 2].sum() / 100 * 4
    assert 0.3 * np.pi * 0.36 < section < 3.0 * np.pi * 0.36


def test_along_a_rod_shares_and_distances_are_those_of_geometry():
    slab = empty()
    start, end = np.array([-10.0, 2, -3]), np.array([12.0, -4, 9])
    box = voxel_box(slab, np.full(3, -30.0), np.full(3, 30.0))
    assert box is not None
    found = rod_frame(slab, box, start, end)
    rng = np.random.default_rng(0)
    for _ in range(50):
        k, j, i = rng.integers(0, len(slab.z), 3)
        point = np.array([slab.x[i], slab.y[j], slab.z[k]], float)
        line = start + np.linspace(0, 1, 4001)[:, None] * (end - start)
        away = np.linalg.norm(point - line, axis=1)
        assert found.mm[k, j, i] == pytest.approx(away.min(), abs=0.02)
        assert np.clip(found.share[k, j, i], 0, 1) == pytest.approx(away.argmin() / 4000, abs=1e-3)


def test_a_ball_has_its_volume():
    slab = empty()

    def ball(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return np.sqrt((x - 1) ** 2 + y**2 + (z + 2) ** 2) - 9

    paint(slab, np.array([-8.0, -9, -11]), np.array([10.0, 9, 7]), ball, 10.0)
    assert slab.hu.sum() / 10 == pytest.approx(4 / 3 * np.pi * 9**3, rel=0.01)
