"""tests/phantoms/chest/test_chest.py: a chest's air and lungs are those of a person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wetread.phantoms.chest.chest import (
    Chest,
    air_length,
    below_diaphragm,
    draw_chest,
    heart_chord,
    inside_pleura,
    pleural_chord,
    spine_chord,
)
from wetread.phantoms.radiograph.exposure import (
    Beam,
    sight,
)
from wetread.phantoms.shapes.chords import (
    hull_chord,
    signed_depth,
)

STRAIGHT = Beam("PA", False, 1e9, 0.0, 0.0, 0.0, (0.0, 0.0), 2.0, 160)


DEPTHS = np.arange(-150, 150, 0.5, dtype=np.float32)[:, None, None]


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def coarse() -> tuple[np.ndarray, np.ndarray]:
    beam = replace(STRAIGHT, size=40, pixel_mm=8.0)
    return sight(beam, 0.0)


def test_air_in_lines_of_sight_is_the_air_of_the_three_dimensional_chest(chest):
    x, z = coarse()
    for part in chest.pleurae:
        chord = pleural_chord(part, x, z)
        heart = hull_chord(below_diaphragm(part, x, z), heart_chord(chest, x, z))
        free = (signed_depth(heart, DEPTHS) >= 0) & (
            signed_depth(spine_chord(chest, x, z), DEPTHS) >= 0
        )
        inside = inside_pleura(part, x, DEPTHS, z) < 0
        counted = (inside & free).sum(axis=0) * 0.5
        assert np.abs(counted - air_length(chest, part, x, z, chord)).max() <= 1.6


def test_lungs_have_the_volume_of_lungs(chest):
    x, z = sight(STRAIGHT, 0.0)
    liters = [
        air_length(chest, p, x, z, pleural_chord(p, x, z)).sum() * 4e-6 for p in chest.pleurae
    ]
    assert 3.0 < sum(liters) < 7.0  # total capacity of an adult
    assert liters[0] > liters[1]  # the heart lies to the left
