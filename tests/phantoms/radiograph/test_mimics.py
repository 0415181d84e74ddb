"""tests/phantoms/radiograph/test_mimics.py: mimics know nothing of the air."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.chest.chest import (
    Chest,
    draw_chest,
)
from wetread.phantoms.radiograph.exposure import (
    Beam,
    sight,
)
from wetread.phantoms.radiograph.mimics import draw_radiograph_mimics, fluid_share

STRAIGHT = Beam("PA", False, 1e9, 0.0, 0.0, 0.0, (0.0, 0.0), 2.0, 160)


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def coarse() -> tuple[np.ndarray, np.ndarray]:
    beam = replace(STRAIGHT, size=40, pixel_mm=8.0)
    return sight(beam, 0.0)


def test_fluid_takes_the_sulcus_of_its_side_only(chest):
    x, z = coarse()
    right, left = chest.pleurae
    share = fluid_share((-1, 20.0), right, x, z)
    assert fluid_share((-1, 20.0), left, x, z) is None
    assert fluid_share(None, right, x, z) is None
    assert share is not None
    assert share[z < right.base_z + 20].min() == 1
    assert share[z > right.dome[2] + 20].max() == 0


def test_mimics_are_drawn_independently_of_the_air():
    rng = np.random.default_rng(0)
    chest = draw_chest(rng, True, 60)
    ap = [draw_radiograph_mimics(rng, chest, True, 1.0) for _ in range(400)]
    pa = [draw_radiograph_mimics(rng, chest, False, 1.0) for _ in range(400)]
    assert 0.3 < np.mean([m.tube for m in ap]) < 0.55
    assert 0.05 < np.mean([m.tube for m in pa]) < 0.3
    for name in ("folds", "bullae", "opacities", "plates"):
        assert any(getattr(m, name) for m in ap), name
