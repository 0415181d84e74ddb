"""tests/phantoms/chest/test_lesions.py: lesions lie in their lung, as many as asked for."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.chest.lesions import draw_lesions
from wetread.phantoms.chest.lung_depth import chest_depth


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 50)


def test_as_many_lesions_are_drawn_as_asked_for(chest: Chest):
    rng = np.random.default_rng(0)
    found = draw_lesions(rng, chest, nodules=5, consolidations=2, effusions=2)
    assert (len(found.nodules), len(found.consolidations)) == (5, 2)
    assert sorted(effusion.side for effusion in found.effusions) == [-1, 1]
    empty = draw_lesions(rng, chest, nodules=0, consolidations=0, effusions=0)
    assert (empty.nodules, empty.consolidations, empty.effusions) == ((), (), ())


def test_nodules_lie_in_the_chest_or_on_its_wall(chest: Chest):
    found = draw_lesions(
        np.random.default_rng(1), chest, nodules=300, consolidations=0, effusions=0
    )
    centers = np.array([nodule.center for nodule in found.nodules])
    assert chest_depth(chest, centers).min() > -4
    radii = [nodule.radius_mm for nodule in found.nodules]
    assert 2.5 <= min(radii) <= max(radii) <= 13


def test_a_third_of_consolidation_is_ground_glass_without_air_in_bronchi(chest: Chest):
    found = draw_lesions(
        np.random.default_rng(2), chest, nodules=0, consolidations=400, effusions=0
    ).consolidations
    glass = [one for one in found if one.hu < -400]
    assert 0.25 < len(glass) / len(found) < 0.42
    assert not any(one.bronchi for one in glass)
    assert all(one.bronchi and 25 <= one.hu <= 45 for one in found if one not in glass)


def test_an_effusion_ends_above_the_dome_of_its_side(chest: Chest):
    rng = np.random.default_rng(3)
    for _ in range(20):
        for one in draw_lesions(rng, chest, nodules=0, consolidations=0, effusions=2).effusions:
            assert one.top_z > chest.pleurae[(one.side + 1) // 2].dome[2]
