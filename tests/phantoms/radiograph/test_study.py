"""tests/phantoms/radiograph/test_study.py: thickness is geometry; air, line and mask lie
together."""

from __future__ import annotations

import numpy as np
import pytest

from wetread.phantoms.chest.chest import (
    Chest,
    air_length,
    draw_chest,
    pleural_chord,
)
from wetread.phantoms.radiograph.exposure import (
    sight,
)
from wetread.phantoms.radiograph.pneumothorax import (
    SUPINE,
    UPRIGHT,
)
from wetread.phantoms.radiograph.study import MIN_MASK_SHARE, RadiographStudy, make_radiograph

KINDS = tuple(dict.fromkeys(UPRIGHT + SUPINE))


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(np.random.default_rng(2), False, 45)


def film(kind: str, seed: int = 0, size: int = 128, difficulty: float = 1.0) -> RadiographStudy:
    rng = np.random.default_rng(seed)
    return make_radiograph(rng, kind=kind, size=size, difficulty=difficulty)


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_a_film_is_gray_between_0_and_1_and_its_mask_follows_its_kind(kind):
    study = film(kind, seed=4)
    assert study.gray.dtype == np.float32
    assert study.gray.shape == study.mask.shape == (128, 128)
    assert 0 <= study.gray.min() < study.gray.max() <= 1
    assert (study.pneumothorax is not None) == bool(kind)
    if kind:
        assert study.mask.mean() >= MIN_MASK_SHARE
    else:
        assert not study.mask.any()


def test_the_same_generator_gives_the_same_film_to_the_bit():
    first, second = film("apical", seed=5), film("apical", seed=5)
    assert np.array_equal(first.gray, second.gray)
    assert np.array_equal(first.mask, second.mask)


def test_lungs_are_dark_and_air_is_darker_than_the_lung_it_pushes_away():
    darker = []
    for seed in range(6):
        study = film("large", seed=seed)
        beam, chest = study.beam, study.chest
        x, z = sight(beam, 0.0)
        other = chest.pleurae[0 if study.pneumothorax and study.pneumothorax.side > 0 else 1]
        lung = air_length(chest, other, x, z, pleural_chord(other, x, z, chest)) > 90
        heart = np.hypot(x - 10, z - chest.heart.center[2]) < 20
        assert np.median(study.gray[lung]) < np.median(study.gray[heart])
        darker.append(np.median(study.gray[study.mask]) < np.median(study.gray[lung]))
    assert np.mean(darker) > 0.8


def test_a_size_that_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="multiple of 8"):
        film("", size=100)
