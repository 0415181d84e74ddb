"""tests/phantoms/radiograph/test_gas.py: gas of the bowel lies below the lungs, level and all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.chest.chest import Chest, draw_chest
from wetread.phantoms.radiograph.exposure import Beam, sight
from wetread.phantoms.radiograph.gas import Gas, GasPocket, draw_gas, gas_depth

FILM = Beam("PA", False, 1e9, 0.0, 0.0, 0.0, (0.0, -60.0), 3.0, 160)


@pytest.fixture(scope="module")
def chest() -> Chest:
    return replace(draw_chest(np.random.default_rng(2), False, 45), stomach=30.0)


def test_a_pocket_has_its_gas_above_the_fluid(chest):
    x, z = sight(FILM, 0.0)
    depth = gas_depth(Gas((GasPocket((40.0, 0.0, -90.0), (30.0, 30.0, 20.0), -90.0),), ()), x, z)
    assert depth.max() == pytest.approx(0.85 * 60, rel=0.1)
    assert depth[z < -92].max() == 0
    assert depth[np.abs(x - 40) > 31].max() == 0


def test_gas_of_the_bowel_lies_below_both_domes(chest):
    x, z = sight(FILM, 0.0)
    lowest = max(part.dome[2] for part in chest.pleurae)
    for seed in range(10):
        gas = replace(draw_gas(np.random.default_rng(seed), chest, True), skin=())
        assert len(gas.pockets) >= 1  # the stomach's
        assert gas_depth(gas, x, z)[z > lowest].max() == 0


def test_air_under_the_skin_thins_out_and_is_rare(chest):
    x, z = sight(FILM, 0.0)
    found = [draw_gas(np.random.default_rng(seed), chest, True).skin for seed in range(300)]
    assert 0.08 < np.mean([bool(skin) for skin in found]) < 0.25
    air = next(skin[0] for skin in found if skin)
    depth = gas_depth(Gas((), (air,)), x, z)
    away = np.hypot(x - air.center[0], z - air.center[1])
    assert depth.min() >= 0
    assert depth.max() > 0.3 * air.depth_mm
    assert depth[away > 3 * air.reach_mm].max() < 0.01 * air.depth_mm
