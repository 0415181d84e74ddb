"""tests/phantoms/radiograph/test_finish.py: shutters hide what they cover, in film and masks."""

from __future__ import annotations

import numpy as np

from wetread.phantoms.radiograph.exposure import Beam
from wetread.phantoms.radiograph.finish import FREE, Fields, shut, write_letters

BEAM = Beam("AP", True, 1e3, 0.0, 0.0, 0.0, (0.0, 0.0), 2.0, 128)


def fields(mask: np.ndarray) -> Fields:
    return Fields(np.ones_like(mask), mask, np.ones_like(mask))


def test_shutters_cover_margins_alone_and_take_the_masks_there_with_them():
    nothing = np.zeros((128, 128), bool)
    shaded = []
    for seed in range(60):
        gray = np.full((128, 128), 0.5, np.float32)
        left = shut(np.random.default_rng(seed), gray, fields(nothing))
        covered = np.abs(gray - 0.5) > 0.4
        assert not covered[40:88, 40:88].any()
        assert not (left.lungs & covered).any()
        assert left.body.all()
        shaded.append(covered.any() or not left.lungs.all())
    assert 0.3 < np.mean(shaded) <= 1 - FREE + 0.15


def test_a_film_stays_open_where_the_shutters_would_hide_the_air():
    corner = np.zeros((128, 128), bool)
    corner[:3, :] = True
    for seed in range(60):
        gray = np.full((128, 128), 0.5, np.float32)
        left = shut(np.random.default_rng(seed), gray, fields(corner))
        assert 2 * left.mask.sum() >= corner.sum()


def test_letters_are_bright_and_few():
    marked = []
    for seed in range(20):
        gray = np.full((128, 128), 0.3, np.float32)
        write_letters(np.random.default_rng(seed), gray, BEAM)
        assert gray.min() >= 0.3 - 1e-6
        assert gray.max() <= 1 + 1e-6
        marked.append((gray > 0.4).mean())
    assert 0.001 < np.mean(marked) < 0.06
