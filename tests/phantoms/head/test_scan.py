"""tests/phantoms/head/test_scan.py: slices lie and sound like those of a scanner."""

from __future__ import annotations

import numpy as np

from wetread.phantoms.head.scan import SUBSLICES_MM
from wetread.phantoms.head.study import HeadStudy, make_head_study


def study_of(*scenario: str, seed: int = 0) -> HeadStudy:
    return make_head_study(np.random.default_rng(seed), scenario=scenario, size=128)


def test_noise_at_the_middle_of_the_brain_is_a_few_hounsfield_units():
    deviations = []
    for seed in range(4):
        study = study_of(seed=seed)
        middle = study.hu[len(study.hu) // 2 + 2]
        crop = middle[59:69, 59:69]
        deviations.append(np.std(crop - np.median(crop)))
    assert 2.5 < np.median(deviations) < 9


def test_slices_are_means_of_planes_and_number_20_to_36():
    assert len(SUBSLICES_MM) >= 2
    for seed in range(6):
        study = make_head_study(np.random.default_rng(seed), scenario=(), size=64)
        assert 20 <= len(study.hu) <= 36
