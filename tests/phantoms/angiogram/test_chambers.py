"""tests/phantoms/angiogram/test_chambers.py: a heart's ventricles are as wide as they are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.angiogram.chambers import draw_chambers, ventricle_solids, widths_mm
from wetread.phantoms.chest.chest import draw_chest


@pytest.mark.parametrize("ratio", [0.55, 0.8, 0.97, 1.02, 1.3, 1.8])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_widest_places_on_axial_planes_are_in_the_drawn_ratio(seed, ratio):
    """Measured on a grid of points, along lines across the septum, as a reader does."""
    rng = np.random.default_rng(seed)
    ventricles = draw_chambers(rng, draw_chest(rng, bool(seed), 60), ratio).ventricles
    across = np.array([-np.sin(ventricles.turn), -np.cos(ventricles.turn)])
    along = np.array([np.cos(ventricles.turn), -np.sin(ventricles.turn)])
    a, n = np.meshgrid(np.arange(-75, 75, 1.5), np.arange(-70, 130, 0.5), indexing="ij")
    widest = np.zeros(2)
    for b in np.arange(-36, 37, 4.0):
        points = ventricles.center[0] + a * along[0] + n * across[0]
        rows = ventricles.center[1] + a * along[1] + n * across[1]
        height = np.full_like(a, ventricles.center[2] + b)
        left, right, shell = ventricle_solids(ventricles, points, rows, height)
        assert not ((left < 0) & (right < 0)).any()
        assert (shell[(left < -0.5) | (right < -0.5)] < 1).all()  # walls hold what is inside
        for which, solid in enumerate((left, right)):
            widest[which] = max(widest[which], (solid < 0).sum(axis=1).max() * 0.5)
    left_mm, right_mm = widths_mm(ventricles)
    assert widest[0] == pytest.approx(left_mm, abs=1.2)  # of lines 0.5, planes 4 mm apart
    assert widest[1] == pytest.approx(right_mm, abs=1.2)
    assert right_mm / left_mm == pytest.approx(ratio, rel=2e-3)
    assert 20 < left_mm < 55


@pytest.mark.parametrize("ratio", [0.7, 1.4])
def test_nothing_of_a_ventricle_lies_where_lines_across_the_septum_miss_it(ratio):
    """The walls hold all blood: no sheet of it, however thin, runs on through the lungs."""
    rng = np.random.default_rng(2)
    ventricles = draw_chambers(rng, draw_chest(rng, False, 60), ratio).ventricles
    along = np.arange(-110, 111, 2.0)
    points = np.meshgrid(*(middle + along for middle in ventricles.center), indexing="ij")
    left, right, shell = ventricle_solids(ventricles, *points)
    pixel = 1.8
    assert (shell[np.minimum(left, right) < pixel] < 2 * pixel).all()


def test_the_septum_bows_to_the_left_only_when_the_right_side_is_strained():
    rng = np.random.default_rng(4)
    chest = draw_chest(rng, False, 60)
    usual = [draw_chambers(rng, chest, 0.8).ventricles for _ in range(20)]
    strained = [draw_chambers(rng, chest, 1.5).ventricles for _ in range(20)]
    assert max(v.flat for v in usual) < 0.3
    assert np.mean([v.flat for v in strained]) > np.mean([v.flat for v in usual]) + 0.2
    assert all(v.bow == 0 for v in usual)
    assert max(v.bow for v in strained) > 1
