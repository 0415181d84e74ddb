"""tests/phantoms/chest/test_vessels.py: vessels stay in their lung, whatever its shape."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.chest import (
    Chest,
    draw_chest,
    pleural_chord,
)
from wetread.phantoms.chest.vessels import draw_vessel_tree, lung_to_chest, vessel_cloud
from wetread.phantoms.radiograph.pneumothorax import (
    collapsed_lung,
    draw_pneumothorax,
)


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def test_vessels_go_with_the_lung_and_do_not_cross_the_pleural_line(chest):
    pneumothorax = draw_pneumothorax(np.random.default_rng(3), "large")
    part = chest.pleurae[(pneumothorax.side + 1) // 2]
    lung = collapsed_lung(part, pneumothorax)
    tree = draw_vessel_tree(np.random.default_rng(0))
    cloud = vessel_cloud(lung, tree, 1.0)
    x, y, z = cloud.place[cloud.mass > 0].T
    assert len(x) > 1000
    chord = pleural_chord(lung, x, z)
    assert np.mean((y > chord.front - 4) & (y < chord.back + 4)) > 0.98
    full = lung_to_chest(part, tree.curves)
    assert np.ptp(lung_to_chest(lung, tree.curves)[..., 0]) < np.ptp(full[..., 0])
