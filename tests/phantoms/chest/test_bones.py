"""tests/phantoms/chest/test_bones.py: ribs hang on the chest wall; bone has the mass of bone."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.bones import (
    VERTEBRA_MM,
    rib_cloud,
    rib_curve,
    shoulder_cloud,
    spine_thickness,
)
from wetread.phantoms.chest.chest import Chest, draw_chest


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def test_ribs_start_at_the_spine_and_hang_one_below_the_other(chest: Chest):
    for part in chest.pleurae:
        starts = []
        for number in range(12):
            curve, outward = rib_curve(chest, part, number, 60)
            assert curve.shape == outward.shape == (60, 3)
            assert np.allclose(np.linalg.norm(outward, axis=1), 1)
            assert abs(curve[0, 0]) < 45
            assert curve[0, 1] > 30  # at the back
            assert (np.sign(curve[:, 0]) == part.side).all()
            starts.append(curve[0, 2])
        assert (np.diff(starts) < -10).all()


def test_both_sides_have_the_mass_of_a_rib_cage_of_any_fineness(chest: Chest):
    masses = []
    for fine in (0.5, 1.0):
        cloud = rib_cloud(chest, fine)
        right = cloud.mass[cloud.place[:, 0] < 0].sum()
        assert right / cloud.mass.sum() == pytest.approx(0.5, abs=0.05)
        masses.append(cloud.mass.sum())
    assert masses[0] == pytest.approx(masses[1], rel=0.05)


def test_raised_arms_take_the_shoulder_blades_outwards(chest: Chest):
    hanging, rolled = (shoulder_cloud(chest, arms, 1.0) for arms in (0.0, 1.0))
    reach = [np.abs(cloud.place[:, 0]).mean() for cloud in (hanging, rolled)]
    assert reach[1] > reach[0] + 5
    mirrored = hanging.place * (-1, 1, 1)
    assert mirrored.mean(axis=0)[0] == pytest.approx(hanging.place.mean(axis=0)[0], abs=1)


def test_vertebrae_repeat_and_have_discs_between_them(chest: Chest):
    z = np.arange(0, 4 * VERTEBRA_MM, 0.5)
    bone = spine_thickness(chest, np.full_like(z, chest.curve_mm), z)
    assert bone.min() < 0.5 * bone.max()
    shift = round(VERTEBRA_MM / 0.5)
    assert np.corrcoef(bone[:-shift], bone[shift:])[0, 1] > 0.8
