"""tests/phantoms/chest/test_organs.py: vessels are joined; gas lies where it rises to."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.chest.organs import Organs, draw_organs

PEOPLE = range(25)


def person(number: int) -> tuple[Chest, Organs]:
    rng = np.random.default_rng([4, number])
    chest = draw_chest(rng, bool(number % 2), 30 + number)
    return chest, draw_organs(rng, chest)


@pytest.fixture(scope="module")
def people() -> list[tuple[Chest, Organs]]:
    return [person(number) for number in PEOPLE]


def test_the_aorta_is_one_tube_from_root_to_belly(people: list[tuple[Chest, Organs]]):
    for chest, organs in people:
        aorta = [rod for rod in organs.vessels if rod.name == "aorta"]
        assert len(aorta) == 5
        for before, after in pairwise(aorta):
            assert before.end == after.start
        assert aorta[-1].end[2] < min(part.base_z for part in chest.pleurae)


def test_every_vessel_is_there_once_and_has_a_radius(people: list[tuple[Chest, Organs]]):
    for _, organs in people:
        names = [rod.name for rod in organs.vessels if rod.name != "aorta"]
        assert len(set(names)) == len(names)
        assert {"superior_cava", "inferior_cava", "pulmonary_trunk", "azygos"} <= set(names)
        assert all(2 < end[3] < 25 for rod in organs.vessels for end in (rod.start, rod.end))


def test_older_people_have_wider_aortas():
    ages, radii = [], []
    for number in range(200):
        rng = np.random.default_rng([5, number])
        chest = draw_chest(rng, False, int(rng.integers(20, 90)))
        ages.append(chest.age)
        radii.append(draw_organs(rng, chest).vessels[0].start[3])
    assert np.corrcoef(ages, radii)[0, 1] > 0.2


def test_pockets_lie_below_the_left_dome_and_some_hold_gas(people: list[tuple[Chest, Organs]]):
    found = [(chest, pocket) for chest, organs in people for pocket in organs.pockets]
    assert len(found) > 10
    for chest, pocket in found:
        assert pocket.center[2] + pocket.radii[2] < chest.pleurae[1].dome[2]
    shares = [(p.gas_y - p.center[1]) / p.radii[1] for _, p in found]
    assert min(shares) > -1.5
    assert max(shares) > 0
