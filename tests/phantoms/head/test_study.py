"""tests/phantoms/head/test_study.py: the head is a head, and each bleed lies where it should."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from wetread.phantoms.head.injuries import SCENARIOS
from wetread.phantoms.head.scan import THICKNESS_MM, slice_grid
from wetread.phantoms.head.skull import build_skull
from wetread.phantoms.head.study import VISIBLE_MM2, HeadStudy, make_head_study


def study_of(*scenario: str, seed: int = 0) -> HeadStudy:
    return make_head_study(np.random.default_rng(seed), scenario=scenario, size=128)


@pytest.fixture(scope="module")
def healthy() -> HeadStudy:
    return study_of(seed=3)


def test_the_same_generator_gives_the_same_study_to_the_bit():
    first, second = study_of("subdural", seed=5), study_of("subdural", seed=5)
    assert np.array_equal(first.hu, second.hu)
    assert np.array_equal(first.masks, second.masks)


def test_a_study_without_blood_has_no_label(healthy):
    assert healthy.labels.sum() == 0
    assert not healthy.masks.any()


def test_air_brain_and_bone_have_their_hounsfield_units(healthy):
    middle = healthy.hu[len(healthy.hu) // 2]
    inside, bone = [], []
    for index in range(len(healthy.hu) // 2 - 2, len(healthy.hu) // 2 + 3):
        grid, _ = slice_grid(healthy.patient, healthy.scan, index)
        skull = build_skull(healthy.patient, grid)
        large = np.kron(skull.inside.max(axis=2), np.ones((2, 2)))
        inside.append(healthy.hu[index][large < -12])
        wall = np.kron(skull.bone.max(axis=2), np.ones((2, 2)))
        bone.append(healthy.hu[index][wall < -1])
    assert 20 < np.median(np.concatenate(inside)) < 45  # white 20-35, gray 30-45
    assert 500 < np.median(np.concatenate(bone)) < 1900  # cranial 600, cortical 700-1900
    assert np.percentile(middle, 5) < -950


def test_the_cavity_is_soft_within_bone_and_holds_what_a_head_holds(healthy):
    ml = healthy.cavity.sum() * healthy.scan.pixel_mm**2 * THICKNESS_MM / 1000
    assert 1000 < ml < 2100
    deep = ndimage.binary_erosion(healthy.cavity, np.ones((1, 5, 5), bool))
    assert np.mean(healthy.hu[deep] > 200) < 0.01  # calcium
    rim = ndimage.binary_dilation(healthy.cavity, np.ones((1, 7, 7), bool)) & ~healthy.cavity
    assert np.mean(healthy.hu[rim][healthy.hu[rim] > -200] > 200) > 0.7


def test_all_blood_lies_in_the_cavity():
    study = make_head_study(np.random.default_rng(11), scenario=("epidural", "subdural"), size=128)
    assert study.masks.any()
    assert (study.masks.any(axis=0) & ~study.cavity).sum() <= 0.01 * study.masks.any(axis=0).sum()


@pytest.mark.parametrize("scenario", [names for names, _ in SCENARIOS])
def test_each_scenario_bleeds_and_the_labels_follow_the_masks(scenario):
    study = make_head_study(np.random.default_rng(11), scenario=scenario, size=128)
    areas = study.masks.sum(axis=(2, 3)).T * study.scan.pixel_mm**2
    assert np.allclose(areas, study.areas_mm2)
    assert np.array_equal(study.labels[:, :5], (areas >= VISIBLE_MM2).astype(int))
    assert np.array_equal(study.labels[:, 5], study.labels[:, :5].max(axis=1))
    assert study.masks.any()
