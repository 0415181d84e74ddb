"""tests/phantoms/radiograph/test_habitus.py: a chest in bed breathes less than one that stands."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.radiograph.habitus import vary_chest


def drawn(ap: bool, count: int = 200) -> tuple[Chest, list[Chest]]:
    chest = draw_chest(np.random.default_rng(2), False, 45)
    return chest, [vary_chest(np.random.default_rng(seed), chest, ap) for seed in range(count)]


def test_the_diaphragm_stands_higher_in_bed_and_the_heart_is_wider():
    (_, standing), (_, lying) = drawn(False), drawn(True)
    domes = [np.median([c.pleurae[0].dome[2] for c in chests]) for chests in (standing, lying)]
    hearts = [np.median([c.heart.radii[0] for c in chests]) for chests in (standing, lying)]
    assert domes[1] > domes[0] + 8
    assert hearts[1] > hearts[0]


def test_a_lifted_dome_takes_the_lungs_base_along_and_leaves_room_above():
    chest, varied = drawn(True)
    for one in varied:
        for before, after in zip(chest.pleurae, one.pleurae, strict=True):
            rise = after.dome[2] - before.dome[2]
            assert after.base_z - before.base_z == pytest.approx(rise)
            assert after.apex[1] - after.dome[2] > 80


def test_one_side_stands_far_above_the_other_in_some():
    _, varied = drawn(False)
    apart = [abs(one.pleurae[0].dome[2] - one.pleurae[1].dome[2]) for one in varied]
    assert 0.05 < np.mean(np.array(apart) > 30) < 0.35
